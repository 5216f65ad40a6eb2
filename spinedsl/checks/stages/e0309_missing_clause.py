"""E0309: missing clause."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0309",
    title="missing clause",
    message="{row} `{name}` does not say {what}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
A block says its level and what feeds it, and an output what it reads. Neither has a default: where
a block stands in scale and what it is connected to is what a scale-permuted network consists of.
`after a` connects directly; `from a, c` resamples each input and joins them.
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
    block b0: residual after s
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
