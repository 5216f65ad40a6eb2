"""E0226: no clause to take away."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0226",
    title="no clause to take away",
    message="{row} has no `{name}` to take away",
    label="`none` takes a clause away",
    fix="take this away",
    default=Default.ERROR,
    explanation="""\
`none` takes a clause away: after `block b2 absorb none` the block absorbs nothing. This row has no
such clause in the network that is edited, so either the row or the clause is another one than you
meant.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Base {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output top: b1
}

network Variant = Base with {
    block b1 absorb none level 4
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Base {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output top: b1
}

network Variant = Base with {
    block b1 level 4
}
""",
)
