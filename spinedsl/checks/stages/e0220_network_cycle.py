"""E0220: networks made of each other."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0220",
    title="networks made of each other",
    message="these networks are made of each other: {way}",
    label="this closes the circle",
    fix="one of them has to be written out: `network NAME {{ … }}`",
    default=Default.ERROR,
    explanation="""\
`network A = B(…)` makes a network of another one. In a circle of these, none is ever written out.
One of them has to say its rows: `network NAME { … }`.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Small(width = 1.0) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 32 * width }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}

network Wide = Wider(width = 2)
network Wider = Wide(width = 3)
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Small(width = 1.0) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 32 * width }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}

network Wide = Small(width = 2)
network Wider = Small(width = 3)
""",
)
