"""E0303: input below the block."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0303",
    title="input below the block",
    message="`{name}` stands below `{user}`, which uses it",
    label="used here, before it is there",
    default=Default.ERROR,
    explanation="""\
The rows stand in the order of the network: a block reads only from rows above it. That order is the
scale permutation which SpineNet searches for (Du et al., CVPR 2020: the parents of a block come
before it in the ordering), and it makes it impossible to write a circle. Move the row of the block
below what it reads, or feed it from another block.
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
    block b1: residual  level 3  from s, b0
    block b0: residual  level 2  after s
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
    block b1: residual  level 3  from s, b0
    output C3: b1
}
""",
)
