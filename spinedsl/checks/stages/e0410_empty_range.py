"""E0410: empty range."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0410",
    title="empty range",
    message="{low}..{high} holds nothing",
    label="expected the smaller number first",
    fix="did you mean `{high}..{low}`?",
    default=Default.ERROR,
    explanation="""\
A range names its first and last number, both included: `3..7` is five levels. With the larger
number first it holds none, and what is given for it would apply to nothing.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 32, level 7..3: 64 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
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
    widths { level 2: 32, level 3..7: 64 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
