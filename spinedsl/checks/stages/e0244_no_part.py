"""E0244: network that is no part."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0244",
    title="network that is no part",
    message="`{name}` cannot be a part: {why}",
    label="named as a part here",
    fix="let it take maps, as in `input p3: level 3`, and leave stems and heads to the network around it",
    default=Default.ERROR,
    explanation="""\
A part takes feature maps, `input p3, p4: level 3..4`, and gives some: it has blocks and outputs. An
image, stems and heads belong to the network that the parts are put into.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    output C2: s
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
