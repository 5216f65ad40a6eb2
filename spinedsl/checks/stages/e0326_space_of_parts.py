"""E0326: space of a network with parts."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0326",
    title="space of a network with parts",
    message="`{network}` {what}, and candidates of a space are written with blocks alone",
    label="expected a network of stems, blocks, outputs and heads",
    fix="write the rows of the part in the network itself, and make a space of that",
    default=Default.ERROR,
    explanation="""\
A candidate is a file of its own, with one network and a row for each block that the space chooses among.
What a network takes as a part of others, and the rows that parts bring, it cannot say. Write those rows
in the network itself.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
network Same {
    input x: level 2
    block y: residual level 2 after x channels 16
    output y
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 16
    block b: residual level 2 after s channels 16
    part p: Same from b
    output P2: p.y
}

space Small of Net {
    types b: residual, bottleneck
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 16
    block b: residual  level 2  after s  channels 16
    block y: residual  level 2  after b  channels 16
    output P2: y
}

space Small of Net {
    types b: residual, bottleneck
}
""",
)
