"""E0312: clauses that exclude each other."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0312",
    title="clauses that exclude each other",
    message="a row has `from` or `after`, not both",
    label="`after` connects directly; `from` resamples and joins",
    fix="take one of them away",
    default=Default.ERROR,
    explanation="""\
`after a` connects a block to one other directly, as in a ResNet: a difference of level becomes its
stride. `from a, c` passes each input through the network's resampling, even where level and
channels are equal, and then through the join. The two are different networks, so a row has to
choose. SpineNets use `after` for their first two blocks and `from` for all others.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual level 2 from s, b0 after b0
    output C2: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 2  from s, b0
    output C2: b1
}
""",
)
