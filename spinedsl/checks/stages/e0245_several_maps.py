"""E0245: part where one map is read."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0245",
    title="part where one map is read",
    message="`{name}` gives {gives}, and one is read here",
    label="expected the name of one of its outputs",
    fix="say which one, as in `{one}`",
    default=Default.ERROR,
    explanation="""\
The name of a part stands for all that it gives, in its order: for rows that read several maps, such as
`from`, another part or a head. An output is one map, so it names that: `output P3: neck.P3`.
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
    output P2: n
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
    output P2: n.P2
    output P3: n.P3
}
""",
)
