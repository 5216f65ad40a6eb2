"""E0222: argument without a name."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0222",
    title="argument without a name",
    message="{what} arguments of `{callee}` by name",
    label="expected `name = value`",
    default=Default.ERROR,
    explanation="""\
In a row and in `defaults`, arguments have names: `bottleneck(expansion = 2)`. The first parameters
are filled in by the row, so a bare number would leave a reader to count which one it is for.
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
    block b0: bottleneck(2) level 2 after s
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
    block b0: bottleneck(expansion = 2) level 2 after s
    output C2: b0
}
""",
)
