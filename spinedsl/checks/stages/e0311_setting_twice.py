"""E0311: setting given twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0311",
    title="setting given twice",
    message="`{what}` is set twice in {where} `{name}`",
    label="set again here",
    fix="take one of them away",
    default=Default.ERROR,
    explanation="""\
A network says each setting once, so that nobody has to know which of two wins. All widths stand in
one `widths { … }`, all defaults in one `defaults { … }`. A single block can differ from its
network: `resample` and `join` may stand in its row.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    widths { level 8: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
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
    widths { level 2..8: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
