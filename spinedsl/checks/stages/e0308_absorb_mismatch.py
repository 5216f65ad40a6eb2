"""E0308: absorbed map does not fit."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0308",
    title="absorbed map does not fit",
    message="`{name}` cannot absorb `{absorbed}`: expected {expected}, got {got}",
    label="absorbed here, as it is",
    fix="absorb it into a block of its level and channels",
    default=Default.ERROR,
    explanation="""\
An absorbed map is added in the join as it is, without resampling, so it must already have the level
and the channels of the block's other inputs. That is how SpineNet's published code treats a block
that nothing reads: it is added into the output block of its own level. Absorb it into such a block,
or read it by `from`, which resamples.
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
    block b1: residual  level 3  from s, b0
    block b2: residual  level 2  from s, b0  absorb b1
    output C2: b2
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
    block b1: residual  level 2  from s, b0
    block b2: residual  level 2  from s, b0  absorb b1
    output C2: b2
}
""",
)
