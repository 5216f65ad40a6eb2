"""E0331: map that does not fit a part."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0331",
    title="map that does not fit a part",
    message="`{source}` does not fit `{input}` of part `{part}`: expected {expected}, got {got}",
    label="given here",
    fix="give it a map of that level and those channels, or say another level in its `input`",
    default=Default.ERROR,
    explanation="""\
A network that is a part of others says of which level each map is that it takes, and perhaps how many
channels it has. What it is given has to be so: nothing resamples a map on its way into a part.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input p2, p3: level 2
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
