"""E1217: bounds that exclude each other."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1217",
    title="bounds that exclude each other",
    message="no network keeps both `{one}` and `{other}`",
    label="nothing is left by this bound",
    fix="keep one of the two, or let them leave room: a lower one by `>=`, an upper one by `<=`",
    default=Default.ERROR,
    explanation="""\
Every `keep` row of a space holds for every candidate. A lower bound that lies above an upper one
leaves none: a search would draw ten thousand candidates and find that out at the end. Two bounds of
one direction may stand together; the narrower one counts.
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
    types b2..b4: residual, bottleneck
    keep parameters >= 5M
    keep parameters <= 500K
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
    types b2..b4: residual, bottleneck
    keep parameters >= 20K
    keep parameters <= 500K
}
""",
)
