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
    block b3: residual level 4 after n
    output P4: b3
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
    block b3: residual level 3 after n.P3
    output P2: n.P2
    output P3: b3
}
""",
)
