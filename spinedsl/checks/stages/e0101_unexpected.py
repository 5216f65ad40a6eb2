"""E0101: unexpected token."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0101",
    title="unexpected token",
    message="unexpected `{found}`",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
At this place the language allows only what the message names after `expected`. Most often a small
mark is missing or too many just before it: the `:` after a row's name, the `,` between two inputs,
or a `=` after a clause. Clauses take their value without `=`; `name = value` is for arguments in
parentheses. Every row is read by itself, so what is reported about the other rows holds.
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
    block b0: residual level = 2 after s
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
