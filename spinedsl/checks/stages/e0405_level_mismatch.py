"""E0405: level not reached."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0405",
    title="level not reached",
    message="{what} `{name}` declares level {expected}, but its result is at {got}",
    label="declared level {expected}",
    default=Default.ERROR,
    explanation="""\
A row says a level, and the definition's strides decide at which level its map really comes out;
here they disagree. The levels of the rows are what a reader of the network relies on, so they have
to be true. Either the definition has a stride of its own that the row does not count, or the row
has the wrong level.
""",
    wrong="""\
spine 1
import std.stems

block_type halve(x, channels) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = 2)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: halve level 2 after s
    output top: b0
}
""",
    right="""\
spine 1
import std.stems

block_type halve(x, channels) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = 2)))
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: halve level 3 after s
    output top: b0
}
""",
)
