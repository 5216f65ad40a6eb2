"""E0201: unknown name."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0201",
    title="unknown name",
    message="there is no {kind} named `{name}`",
    label="not defined {where}",
    default=Default.ERROR,
    explanation="""\
Nothing that this place can refer to has this name. If the name is nearly that of something known,
the message proposes it; if the prelude has it, the message says what to import. Nothing is built in
but the primitive operations: all else comes from the file itself and its imports.
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
    block b0: bottelneck level 2 after s
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
    block b0: bottleneck level 2 after s
    output C2: b0
}
""",
)
