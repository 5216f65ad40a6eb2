"""E0408: resampling does not fit."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0408",
    title="resampling does not fit",
    message="resampling `{source}` for `{target}` gives {got}, expected {expected}",
    label="resampled by `{type}`",
    default=Default.ERROR,
    explanation="""\
A resampling brings a map to the level and to the channels that its target takes; otherwise the join
could not add the maps up. This one stops short for this connection. It reads how far to go from
`target.level - x.level` (above 0: towards coarser maps, by strides or pools; below 0: by
`upsample`) and how many channels from `target.in_channels`. `spinenet` in `std.resample` shows a
whole one.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

resample_type lazy(x, source, target) -> target.in_channels {
    return norm(conv(x, target.in_channels, kernel = 1))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample lazy
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual level 3 from s
    output C3: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.resample

resample_type lazy(x, source, target) -> target.in_channels {
    return norm(conv(x, target.in_channels, kernel = 1, stride = 2))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample lazy
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual level 3 from s
    output C3: b0
}
""",
)
