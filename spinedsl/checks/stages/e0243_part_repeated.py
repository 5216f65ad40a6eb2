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
import std.resample

network Cell(channels = 32) {
    input p2, p3: level 2..3 channels channels
    widths { level 2..3: channels }
    resample spinenet
    join activated_sum
    defaults { act relu, norm batch_norm }
    block P3: residual level 3 from p2, p3
    block P2: residual level 2 from p2, P3
    output P2
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b1: residual level 2 after s
    block b2: residual level 3 after b1
    part n: Cell from b1, b2 repeat 2
    output P2: n
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
    part n: Cell from b1, b2 repeat 2
    output P2, P3: n
}
""",
)
