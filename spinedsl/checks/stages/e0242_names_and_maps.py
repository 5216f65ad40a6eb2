"""E0242: names and maps that do not match."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0242",
    title="names and maps that do not match",
    message="here are {got}",
    label="as many of one as of the other",
    fix="give each name its map",
    default=Default.ERROR,
    explanation="""\
`output P3, P4: b3, b4` makes an output of each row. The name of a part stands for all that it gives,
in its order, so `output P3, P4: neck` needs as many names as the part has outputs. What a part takes
has a level for each name, as in `input p3, p4: level 3..4`, or one level for all of them.
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
    part n: Cell from b2, b3
    output P2, P3, P4: n
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
