"""E0202: defined twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0202",
    title="defined twice",
    message="`{name}` is defined twice",
    label="{what} cannot take a name that is in use",
    default=Default.ERROR,
    explanation="""\
Nothing is shadowed: in one place a name means one thing. Names of rows and of `let`s are the names
of parameters in checkpoints (`b5.squeeze.conv.weight`), so two things of one name would fight for
the same weights. An import counts too: what it brings keeps its name here.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b0: residual  level 2  after s
    output C2: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 2  after b0
    output C2: b1
}
""",
)
