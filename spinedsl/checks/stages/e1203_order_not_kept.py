"""E1203: order that is not kept."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1203",
    title="order that is not kept",
    message="`{user}` reads `{name}`, and `permute` may put it below",
    label="the order is chosen here",
    default=Default.ERROR,
    explanation="""\
A block reads blocks above it. Where `permute` lets blocks change places, what reads one of them has
to stand below all the places that it may have, or have parents that are chosen too: those are
chosen by where a block stands, so that whatever comes out is a network.
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
    parents b2..b4: 2 of last 3
}
""",
)
