"""E0505: division by zero."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0505",
    title="division by zero",
    message="division by zero",
    label="this is 0",
    fix="divide by another number",
    default=Default.ERROR,
    explanation="""\
A value by which something is divided is 0 for this use. Often it is a parameter of the network that
an instance sets to 0, or a `floor` that left nothing.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net(shrink = 0) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 64 / shrink }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net(shrink = 2) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 64 / shrink }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
