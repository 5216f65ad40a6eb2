"""E0404: no channels."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0404",
    title="no channels",
    message="{row} `{name}` has no channels",
    label="{label}",
    default=Default.ERROR,
    explanation="""\
A block has the channels that `widths` gives its level, so that they move along when a search
changes the level, as in the SpineNet paper. Or its row says its own: `channels 256`. This block has
neither. An output always says its own.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 64 }
    stem s: resnet_stem channels 32
    block b0: residual level 3 after s
    output C3: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 64 }
    stem s: resnet_stem channels 32
    block b0: residual level 3 after s
    output C3: b0
}
""",
)
