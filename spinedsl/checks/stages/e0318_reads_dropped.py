"""E0318: reads a dropped row."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0318",
    title="reads a dropped row",
    message="`{user}` reads `{name}`, which an edit drops",
    label="read here",
    default=Default.ERROR,
    explanation="""\
An edit changes one row. What reads a dropped row stays as it was written, in the network that is
edited, and now reads something that is gone; to guess another block for it would be another
network. Edit or drop what reads it too.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Base {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output C2: b0
    output C3: b1
}

network Variant = Base with {
    drop b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Base {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output C2: b0
    output C3: b1
}

network Variant = Base with {
    drop b1
    drop C3
}
""",
)
