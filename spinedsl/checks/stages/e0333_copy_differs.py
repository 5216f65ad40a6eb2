"""E0333: shared part whose copies differ."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0333",
    title="shared part whose copies differ",
    message="`{row}` cannot share the weights of `{first}`: {why}",
    label="a copy that differs",
    default=Default.ERROR,
    explanation="""\
`part n: shared Cell … repeat 3` has one set of weights for all copies, so all of them compute the same
of what they are given. Each copy takes what the one before gives: what the part is given first needs
the channels that it gives. Whoever edits one copy makes the same edit of the others.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input p2: level 2
    block P2: residual level 2 after p2 channels 64
    output P2
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b2: residual level 2 after s channels 32
    part n: shared Cell from b2 repeat 3
    output P2: n
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input p2: level 2
    block P2: residual level 2 after p2 channels 64
    output P2
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b2: residual level 2 after s channels 64
    part n: shared Cell from b2 repeat 3
    output P2: n
}
""",
)
