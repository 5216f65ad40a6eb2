"""E1205: level out of reach."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1205",
    title="level out of reach",
    message="{what}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
`level_shift b2..b4: -1..2` lets the level of each block change by -1 to 2. A level has to be one that
the network can have: not below its stem, with a width where the block's channels come from `widths`,
and one by which the input's size divides. `within 2..5` says where the levels end: a shift that leads
outside ends at the nearest of them.
""",
    wrong="""\
spine 1
import std.blocks
import std.resample
import std.stems
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    block b2: residual  level 4  from b0, b1
    block b3: residual  level 3  from b1, b2
    block b4: residual  level 4  from b2, b3
    output P4: b4
}

space Small of Net {
    level_shift b2..b3: -1..2
}
""",
    right="""\
spine 1
import std.blocks
import std.resample
import std.stems
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    block b2: residual  level 4  from b0, b1
    block b3: residual  level 3  from b1, b2
    block b4: residual  level 4  from b2, b3
    output P4: b4
}

space Small of Net {
    level_shift b2..b3: -1..2 within 2..5
}
""",
)
