"""E0521: inputs of different channels."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0521",
    title="inputs of different channels",
    message="`{join}` cannot join the inputs of `{name}`: their channels are {got}",
    label="these are joined",
    fix="join them by `concat`, or let `{resample}` bring each to `target.in_channels`",
    default=Default.ERROR,
    explanation="""\
A resampling may give its map any number of channels: its `->` says which. What arrives goes through
the join. A sum needs maps of equal channels, which a resampling gives that ends with a convolution to
`target.in_channels`. Maps of other channels can be joined by `join concat`, in the network or in one
row: the block then gets all channels of its inputs.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

resample_type moved(x, source, target) -> x.channels {
    if x.level > target.level { return upsample(x, levels = x.level - target.level) }
    return max_pool(x, kernel = 3, stride = 2) if x.level < target.level else x
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 32, level 3: 64 }
    resample moved
    join sum
    stem s: resnet_stem channels 32
    block b0: residual  level 3  after s
    block b1: residual  level 2  from b0, s
    output C2: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

resample_type moved(x, source, target) -> x.channels {
    if x.level > target.level { return upsample(x, levels = x.level - target.level) }
    return max_pool(x, kernel = 3, stride = 2) if x.level < target.level else x
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 32, level 3: 64 }
    resample moved
    join concat
    stem s: resnet_stem channels 32
    block b0: residual  level 3  after s
    block b1: residual  level 2  from b0, s
    output C2: b1
}
""",
)
