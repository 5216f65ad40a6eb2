"""E0243: part that cannot repeat."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0243",
    title="part that cannot repeat",
    message="`{name}` takes {takes} and gives {gives}, so it cannot repeat",
    label="repeated here",
    fix="let it give one output for each map that it takes, in the same order",
    default=Default.ERROR,
    explanation="""\
Where a part says `repeat`, each copy takes what the one before gives: its first map is the first
output, and so on. So its network has to give as many maps as it takes.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input p2: level 2
    block P2: residual  level 2  after p2
    block P3: residual  level 3  after P2
    output P2, P3
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 32 }
    stem s: resnet_stem channels 32
    block b2: residual level 2 after s
    part n: Cell from b2 repeat 2
    output P2, P3: n
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input p2: level 2
    block P2: residual  level 2  after p2
    block P3: residual  level 3  after P2
    output P2, P3
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 32 }
    stem s: resnet_stem channels 32
    block b2: residual level 2 after s
    part n: Cell from b2
    output P2, P3: n
}
""",
)
