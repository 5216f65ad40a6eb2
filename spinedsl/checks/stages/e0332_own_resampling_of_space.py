"""E0332: inputs of a space with a resampling of their own."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0332",
    title="inputs of a space with a resampling of their own",
    message="block `{name}` says how one of its inputs is resampled, and a space chooses other inputs",
    label="`{name}` is among these",
    default=Default.ERROR,
    explanation="""\
In `from a resample X, b`, `X` is for the map of `a` alone. `parents` chooses other blocks in place of
`a` and `b`, and nothing says which of them would be resampled by `X`. A `resample` behind the last
input is the block's own, for whatever is chosen. `permute`, `types` and `level_shift` may be about
the block as it is, as long as it keeps its inputs.
""",
    wrong="""\
spine 1
import std.blocks
import std.resample
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    block b2: residual  level 3  from b0 resample spinenet(alpha = 1), b1
    output P3: b2
}

space Small of Net {
    parents b2: 2 of all
}
""",
    right="""\
spine 1
import std.blocks
import std.resample
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    block b2: residual  level 3  from b0, b1  resample spinenet(alpha = 1)
    output P3: b2
}

space Small of Net {
    parents b2: 2 of all
}
""",
)
