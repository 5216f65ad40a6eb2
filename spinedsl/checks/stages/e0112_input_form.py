"""E0112: form of the input."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0112",
    title="form of the input",
    message="an input has three sizes with ` x ` between them, got {got}",
    label="expected channels x height x width",
    default=Default.ERROR,
    explanation="""\
An input is written channels first, then height, then width, with ` x ` between them: `3 x 640 x
640`. The blanks matter: without them `3x640` reads as a number with a name stuck to it. The batch
is not written, since it is no part of the network.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3x64x64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
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
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
