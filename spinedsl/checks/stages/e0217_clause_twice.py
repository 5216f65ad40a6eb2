"""E0217: clause given twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0217",
    title="clause given twice",
    message="`{name}` is given twice in this row",
    label="given again here",
    fix="take one of them away",
    default=Default.ERROR,
    explanation="""\
A row says each clause once. Two different levels or inputs would contradict each other, and of two
equal ones, one is left over from a change. Several inputs stand in one clause: `from b0, b1`.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s level 3
    output C2: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
