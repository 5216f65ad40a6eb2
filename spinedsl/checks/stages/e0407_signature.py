"""E0407: signature not kept."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0407",
    title="signature not kept",
    message="`{name}` declares {expected} channels, but returns {got}",
    label="returns {got} channels here",
    default=Default.ERROR,
    explanation="""\
`-> channels * 4` promises how many channels come out. The promise is used before the body is looked
at: a resampling has to know how many channels its target takes, and a reader should not need the
body either. Here the body returns another number.
""",
    wrong="""\
spine 1
import std.stems

block_type wide(x, channels) -> channels * 4 {
    return act(norm(conv(x, channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: wide level 2 after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.stems

block_type wide(x, channels) -> channels {
    return act(norm(conv(x, channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: wide level 2 after s
    output C2: b0
}
""",
)
