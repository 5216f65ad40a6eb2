"""E0323: another number of maps."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0323",
    title="another number of maps",
    message="`{type}` takes {takes}, and `{name}` gives it {got}",
    label="{got}",
    default=Default.ERROR,
    explanation="""\
A block type may take its inputs one by one: the first parameters without a default, up to `channels`
or `stride`, are its maps, and the row gives one for each, in their order. A parameter that the row
gives by name is none of them. A type that takes one map gets several inputs by `from`, which joins
them.
""",
    wrong="""\
spine 1
import std.stems

block_type pair(x, y, channels) -> channels {
    return act(norm(conv(concat(x, y), channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: pair  level 2  after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

block_type pair(x, y, channels) -> channels {
    return act(norm(conv(concat(x, y), channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: pair      level 2  after b0, s
    output C2: b1
}
""",
)
