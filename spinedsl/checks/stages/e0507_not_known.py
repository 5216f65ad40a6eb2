"""E0507: value not known."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0507",
    title="value not known",
    message="{what} cannot be known here",
    label="{why}",
    default=Default.ERROR,
    explanation="""\
The value is asked for where it does not exist yet, or not at all. A map that was pooled to 1x1 has
no level any more. And `from` has to know how many channels a block takes before anything comes in,
since resampling brings the maps to that number: the type's `->` tells it, or the default of its
`in_channels` if that is worked out, as in `in_channels = channels`. A type that takes whatever it
gets cannot tell.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels * 2 {
    let all = global_average_pool(x)
    return conv(x, channels * all.level, kernel = 1)
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

block_type mine(x, channels) -> channels * 2 {
    return conv(x, channels * x.level, kernel = 1)
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
