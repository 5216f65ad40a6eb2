"""E0502: another kind of value."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0502",
    title="another kind of value",
    message="{what} expects {expected}, got {got}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
Values have kinds: numbers, `true` and `false`, feature maps, lists, and names such as `relu` or
`same`. None is turned into another silently, so 1 is not `true`, and a text in quotes is no name.
The message says which kind this place takes.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    return conv(x, channels, kernel = 3, bias = 1)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: mine level 2 after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    return conv(x, channels, kernel = 3, bias = true)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: mine level 2 after s
    output C2: b0
}
""",
)
