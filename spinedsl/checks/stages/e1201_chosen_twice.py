"""E1201: choice made twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1201",
    title="choice made twice",
    message="`{name}` stands twice in `{word}`",
    label="chosen again here",
    default=Default.ERROR,
    explanation="""\
A row of a space says of blocks, or of the whole network, what may be chosen: in which order, from
which parents, of which level or type. Given twice for one block, the two would contradict each other,
or the second would be left over from a change.
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
    permute b2..b4
    permute b3
    parents b2..b4: 2 of all
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
    permute b2..b4
    parents b2..b4: 2 of all
}
""",
)
