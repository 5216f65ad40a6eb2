"""E1217: space of a network with parts."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1217",
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
import std.resample
import std.stems

network Cell {
    input p3: level 3
    block P3: residual level 3 after p3 channels 16
    output P3
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 3  after s
    block b1: residual  level 4  from b0, s
    part neck: Cell from b0
    output P3: neck
    output P4: b1
}

space Small of Net {
    level_shift b1: 0..1 within 2..5
}
""",
    right="""\
spine 1
import std.blocks
import std.resample
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 3  after s
    block b1: residual  level 4  from b0, s
    block P3: residual  level 3  after b0
    output O3: P3
    output P4: b1
}

space Small of Net {
    level_shift b1: 0..1 within 2..5
}
""",
)
