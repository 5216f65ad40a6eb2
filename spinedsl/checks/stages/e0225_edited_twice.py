"""E0225: edited twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0225",
    title="edited twice",
    message="{what} of `{name}` is edited twice",
    label="edited again here",
    fix="take one of them away",
    default=Default.ERROR,
    explanation="""\
Edits are made in order, so the second would undo the first, and one of the two is a mistake.
Several clauses of a row can change in one edit: `block b1 level 4 channels 64`.
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
    block b1 level 4
    block b1 level 5
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
    block b1 level 5
}
""",
)
