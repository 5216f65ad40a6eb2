"""E0228: yield outside a head."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0228",
    title="yield outside a head",
    message="`{name}` is {kind} and cannot yield",
    label="only a `head_type` yields",
    fix="give one value, by `return`, or make it a `head_type`",
    default=Default.ERROR,
    explanation="""\
A head reads several maps and may give several values, one for each `yield`. Everything else is one
step on the way of one map, so it gives one value, by `return`. Say `return`, or make the definition
a `head_type` and use it in a `head` row.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

block_type plain(x, channels, stride = 1) -> channels {
    yield conv(x, channels, kernel = 3, stride = stride)
}

network Net {
    input image: 3 x 64 x 64
    stem s: resnet_stem channels 8
    defaults { act relu, norm batch_norm }
    block b3: plain level 3 after s channels 8
    output P3: b3
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

block_type plain(x, channels, stride = 1) -> channels {
    return conv(x, channels, kernel = 3, stride = stride)
}

network Net {
    input image: 3 x 64 x 64
    stem s: resnet_stem channels 8
    defaults { act relu, norm batch_norm }
    block b3: plain level 3 after s channels 8
    output P3: b3
}
""",
)
