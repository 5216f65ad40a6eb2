"""E1204: parents that differ among permuted blocks."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1204",
    title="parents that differ among permuted blocks",
    message="`{one}` and `{other}` change places, but do not choose their parents alike",
    label="expected one choice of parents for all of these",
    default=Default.ERROR,
    explanation="""\
Parents are chosen for a place, not for a block: a search learns what a place reads, and an order of
blocks is chosen apart from that. So all blocks of one `permute` choose their parents in the same way.
Two kinds of blocks, such as those that outputs read and those that they do not, are two rows of
`permute`, each with parents of its own.
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
    parents b2..b3: 2 of last 3
    parents b4: 2 of all
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
    permute b2..b3
    parents b2..b3: 2 of last 3
    parents b4: 2 of all
}
""",
)
