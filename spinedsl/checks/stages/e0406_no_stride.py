"""E0406: cannot change level."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0406",
    title="cannot change level",
    message="`{name}` cannot go from level {source} to level {target}: {why}",
    label="level {source} to level {target}",
    default=Default.ERROR,
    explanation="""\
With `after`, the block itself makes up for a difference of level, by its `stride`: upwards, from
fine to coarse, and only if its type has a parameter `stride`. Down to a finer level no stride
leads. `from` goes either way, since the network's resampling takes the map across.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 3  after s
    block b1: residual  level 2  after b0
    output C2: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 3  after s
    block b1: residual  level 2  from b0
    output C2: b1
}
""",
)
