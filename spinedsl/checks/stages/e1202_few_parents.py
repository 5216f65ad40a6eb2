"""E1202: parents that cannot be chosen."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E1202",
    title="parents that cannot be chosen",
    message="`{name}` cannot have its parents by `{what}`",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
`parents b5: 2 of last 4` lets a block read any two of the last four block rows above the slot in
which it stands; `of all` means every block row above. There must be as many as are chosen, and the
network's rule of inputs, one or two unless `rules` say otherwise, must allow the number.
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
    parents b1..b4: 2 of last 3
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
    parents b2..b4: 2 of last 3
}
""",
)
