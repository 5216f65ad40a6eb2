"""E0520: no exact number."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0520",
    title="no exact number",
    message="`{name}` of {given} is no number that can be written down",
    label="expected an exact result",
    fix="round before, compare powers instead, or give the number",
    default=Default.ERROR,
    explanation="""\
Numbers are exact: whole numbers and fractions, so that a network has the same channels on every machine.
`sqrt(9 / 4)` is 1.5 and `log2(8)` is 3; the square root of 2 is no fraction, and rounding it would hide
which way it goes. Where only its order matters, compare powers: `x * x >= 2` instead of `x >= sqrt(2)`.
The power of a feature map is another thing: it is computed when the network runs.
""",
    wrong="""\
spine 1
import std.stems

block_type mine(x, channels) -> channels {
    return conv(x, channels, kernel = sqrt(channels))
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
    return conv(x, channels, kernel = sqrt(channels / 2) - 1)
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
