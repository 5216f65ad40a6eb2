"""E0241: another number of maps than a part takes."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0241",
    title="another number of maps than a part takes",
    message="`{name}` takes {takes}, got {got}",
    label="of this part",
    fix="give it a map for each of {names}",
    default=Default.ERROR,
    explanation="""\
A network that is a part of another says by `input NAME: level …` which feature maps it takes. The
row of the part names as many rows above, in the same order. The name of another part stands for all
that it gives.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input p2, p3: level 2..3
    block P2: residual  level 2  after p2  channels 32
    block P3: residual  level 3  after p3  channels 32
    output P2, P3
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 32 }
    stem s: resnet_stem channels 32
    block b2: residual  level 2  after s
    block b3: residual  level 3  after b2
    part n: Cell from b2, b3, b2
    output P2, P3: n
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input p2, p3: level 2..3
    block P2: residual  level 2  after p2  channels 32
    block P3: residual  level 3  after p3  channels 32
    output P2, P3
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 32 }
    stem s: resnet_stem channels 32
    block b2: residual  level 2  after s
    block b3: residual  level 3  after b2
    part n: Cell from b2, b3
    output P2, P3: n
}
""",
)
