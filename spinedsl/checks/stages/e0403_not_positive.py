"""E0403: count below one."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0403",
    title="count below one",
    message="{what} must be at least 1, got {got}",
    label="{how}",
    default=Default.ERROR,
    explanation="""\
A feature map has at least one channel. Numbers are exact, and a number of channels is rounded down
where it is bound, as in SpineNet's code (64 * 0.65 is 41), so a small factor can leave nothing.
`max(1, …)` keeps at least one.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net(width = 0.01) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 64 * width }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net(width = 0.01) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: max(1, 64 * width) }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
