"""E0224: edit of a dropped row."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0224",
    title="edit of a dropped row",
    message="`{name}` is dropped, so nothing else can be done with it",
    label="dropped before this",
    default=Default.ERROR,
    explanation="""\
Edits are made one after the other, and an earlier one has taken this row away: a row is changed or
dropped, not both. A new row may take the name again; it begins with `add`.
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
    drop C3
    drop b1
    block b1 channels 64
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
    drop C3
    drop b1
}
""",
)
