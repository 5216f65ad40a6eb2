"""E0203: another kind of thing."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0203",
    title="another kind of thing",
    message="`{name}` is {got}, not {expected}",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
The name is known, but it stands for another kind of thing than this place needs: a stem type where
a block type belongs, a number where a feature map does, an output where a block does. Kinds are
never converted silently; nor is a `let` of a network taken for one of its parameters: it is edited, by
`with { let n = 3 }`. The message says which kind it is and which was expected.
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
    block b0: resnet_stem level 2 after s
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
