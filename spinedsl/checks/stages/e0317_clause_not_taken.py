"""E0317: clause that the type does not take."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0317",
    title="clause that the type does not take",
    message="`{type}` has no parameter `{name}`",
    label="not taken",
    fix="take the clause away: the type decides its channels",
    default=Default.ERROR,
    explanation="""\
`channels` and `stride` reach a block through parameters of these names, and this type has no such
parameter: it decides for itself. The clause could not have any effect. Give the type the parameter,
or take the clause away.
""",
    wrong="""\
spine 1
import std.stems

block_type keep(x) {
    return act(norm(conv(x, x.channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: keep level 2 after s channels 64
    output C2: b0
}
""",
    right="""\
spine 1
import std.stems

block_type keep(x, channels) {
    return act(norm(conv(x, channels, kernel = 3)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: keep level 2 after s channels 64
    output C2: b0
}
""",
)
