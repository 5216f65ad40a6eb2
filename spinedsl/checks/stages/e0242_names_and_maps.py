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
in its order, so `output P3, P4: neck` needs as many names as the part has outputs.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Cell(channels = 32) {
    input p2, p3: level 2..3 channels channels
    widths { level 2..3: channels }
    resample spinenet
    join activated_sum
    defaults { act relu, norm batch_norm }
    block P3: residual level 3 from p2, p3
    block P2: residual level 2 from p2, P3
    output P2, P3
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b1: residual level 2 after s
    block b2: residual level 3 after b1
    part n: Cell from b1, b2
    output P2, P3, P4: n
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Cell(channels = 32) {
    input p2, p3: level 2..3 channels channels
    widths { level 2..3: channels }
    resample spinenet
    join activated_sum
    defaults { act relu, norm batch_norm }
    block P3: residual level 3 from p2, p3
    block P2: residual level 2 from p2, P3
    output P2, P3
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b1: residual level 2 after s
    block b2: residual level 3 after b1
    part n: Cell from b1, b2
    output P2, P3: n
}
""",
)
