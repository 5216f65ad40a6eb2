"""E0501: shapes do not fit."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0501",
    title="shapes do not fit",
    message="`{operation}` cannot take these: {problem}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
Each operation has a rule for what it takes: a sum needs maps of one level and of one number of
channels, groups divide the channels, a stride is a power of two, since levels are. The message
shows both the operation and the row whose use of the definition broke the rule; other uses of it
may be fine.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    let wide = conv(x, channels * 2, kernel = 3)
    return x + wide
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
    let wide = conv(x, channels, kernel = 3)
    return x + wide
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
