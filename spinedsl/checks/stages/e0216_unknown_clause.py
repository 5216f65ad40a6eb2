"""E0216: unknown clause."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0216",
    title="unknown clause",
    message="{row} has no clause `{name}`",
    label="expected {known}",
    default=Default.ERROR,
    explanation="""\
A row is its name, its type and clauses, and this word is none of the clauses of such a row. What a
type itself is to be given goes into parentheses after it: `bottleneck(expansion = 2)`. An output
has no `level`, since it has that of what feeds it.
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
    block b0: residual levle 2 after s
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
