"""E0324: clause of a joined block."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0324",
    title="clause of a joined block",
    message="`{type}` takes its maps one by one, so there is nothing to {clause}",
    label="`{clause}` goes with one map",
    default=Default.ERROR,
    explanation="""\
Nothing joins the inputs of a block type that takes its maps one by one, so its row has no `join`,
and no join to `absorb` a map into. Nor does it `repeat`: it gives one map, and takes several.
Combine the maps, and repeat, in the body of the type.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

block_type pair(x, y, channels) -> channels {
    return act(norm(conv(concat(x, y), channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: pair      level 2  after b0, s  repeat 2
    output C2: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

block_type pair(x, y, channels, n = 1) -> channels {
    var z = concat(x, y)
    repeat n { z = act(norm(conv(z, channels, kernel = 3))) }
    return z
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual     level 2  after s
    block b1: pair(n = 2)  level 2  after b0, s
    output C2: b1
}
""",
)
