"""E0325: inputs that a space cannot choose."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0325",
    title="inputs that a space cannot choose",
    message="block `{name}` takes {takes} one by one, and a space chooses no inputs for it",
    label="`{name}` is among these",
    default=Default.ERROR,
    explanation="""\
`parents` chooses inputs that a join makes one map of, and `permute` changes the place for which they
are chosen. A block type that takes its maps one by one gives each a meaning, so its block keeps what
feeds it, and its place. `types` and `level_shift` may be about it: all its types take as many maps.
""",
    wrong="""\
spine 1
import std.blocks
import std.resample
import std.stems
block_type pair(x, y, channels) -> channels {
    return act(norm(conv(concat(x, y), channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    block b2: pair      level 3  from b0, b1
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
block_type pair(x, y, channels) -> channels {
    return act(norm(conv(concat(x, y), channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    block b2: pair      level 3  from b0, b1
    output P3: b2
}

space Small of Net {
    level_shift b2: 0..1 within 2..4
}
""",
)
