"""E0409: width given twice."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0409",
    title="width given twice",
    message="level {level} has two widths",
    label="given again here",
    fix="keep one of the two for level {level}",
    default=Default.ERROR,
    explanation="""\
Each level has one width, and the ranges must not overlap: `level 2..4` covers 2, 3 and 4. Otherwise
the order of the entries would decide silently. A single block can differ by `channels` in its row.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 32, level 2..4: 64 }
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
    widths { level 2: 32, level 3..4: 64 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
