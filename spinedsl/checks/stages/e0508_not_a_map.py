"""E0508: no feature map returned."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0508",
    title="no feature map returned",
    message="`{name}` returns {got}",
    label="expected a feature map",
    default=Default.ERROR,
    explanation="""\
What a row, a resampling or a join gives to others is a feature map, and this definition returns
something else. Only a `def`, which other definitions call, may return a number or a list.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    let y = conv(x, channels, kernel = 1)
    return channels
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: mine level 2 after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    let y = conv(x, channels, kernel = 1)
    return y
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: mine level 2 after s
    output C2: b0
}
""",
)
