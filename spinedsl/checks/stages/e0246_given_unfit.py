"""E0246: definition that does not fit its call."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0246",
    title="definition that does not fit its call",
    message="`{given}` {problem}",
    label="given here, and called as `{name}`",
    default=Default.ERROR,
    explanation="""\
A parameter may be given the name of a definition, and the body calls it: `cell(op = separable)`. What it
is called with is written once, in the body, so every definition that is given takes the same arguments. One
that needs less takes the others all the same, with defaults: `def pool(x, channels, stride = 1)`.
""",
    wrong="""\
spine 1
import std.stems

def plain(x, channels) {
    return act(norm(conv(x, channels, kernel = 3)))
}

block_type cell(x, channels, stride = 1, op = plain) -> channels {
    return op(x, channels, stride = stride)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b3: cell level 3 after s channels 64
    output C3: b3
}
""",
    right="""\
spine 1
import std.stems

def plain(x, channels, stride = 1) {
    return act(norm(conv(x, channels, kernel = 3, stride = stride)))
}

block_type cell(x, channels, stride = 1, op = plain) -> channels {
    return op(x, channels, stride = stride)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b3: cell level 3 after s channels 64
    output C3: b3
}
""",
)
