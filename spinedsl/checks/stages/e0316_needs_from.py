"""E0316: clause without `from`."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0316",
    title="clause without `from`",
    message="block `{name}` has `{clause}`, but nothing to {clause}",
    label="`{clause}` goes with `from`",
    default=Default.ERROR,
    explanation="""\
`resample` and `join` in a row replace the network's own for the inputs that this block takes by
`from`. A block that is fed by `after` has one direct input, which is neither resampled nor joined,
so the clause would have no effect.
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
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0  resample spinenet
    output C3: b1
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
    block b0: residual  level 2  after s
    block b1: residual  level 3  from b0  resample spinenet
    output C3: b1
}
""",
)
