"""E0503: value out of range."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0503",
    title="value out of range",
    message="{what} must be {expected}, got {got}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
The value is of the right kind, but it makes no sense here: a kernel has at least one element, an
epsilon is above 0, a block is repeated a whole number of times. The upper bounds lie far beyond any
network that could be trained; they are there so that a typing error is reported at once and
does not fill the memory.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s repeat 0
    output C2: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s repeat 1
    output C2: b0
}
""",
)
