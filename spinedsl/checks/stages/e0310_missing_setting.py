"""E0310: missing setting."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0310",
    title="missing setting",
    message="network `{name}` has no {what}",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
A network needs an `input`, and if a row has `from`, also a `resample` and a `join`: how a map
crosses levels, and how several become one. There is no hidden choice, because the two change what
the network computes; SpineNet's are `resample spinenet` and `join activated_sum`, after `import
std.resample`.
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
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  from s, b0
    output C3: b1
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
    block b1: residual  level 3  from s, b0
    output C3: b1
}
""",
)
