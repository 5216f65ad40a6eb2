"""E0304: circle of blocks."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0304",
    title="circle of blocks",
    message="{what}",
    label="this input closes the circle",
    fix="feed `{name}` from a row above it instead",
    default=Default.ERROR,
    explanation="""\
These blocks feed each other, so none of them could be computed first. A network has no memory from
one step to the next: each feature map is computed once, from maps above it. One of the connections
has to start at a block above.
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
    block b0: residual  level 2  from s, b1
    block b1: residual  level 2  from s, b0
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
    block b0: residual  level 2  from s
    block b1: residual  level 2  from s, b0
    output C2: b1
}
""",
)
