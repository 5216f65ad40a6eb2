"""E0104: bracket never closed."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0104",
    title="bracket never closed",
    message="`{bracket}` is never closed",
    label="opened here",
    default=Default.ERROR,
    explanation="""\
Each `{`, `(`, `[` and `"` needs its counterpart. Keywords that can only begin a statement, such as
`block`, show where an open bracket must have ended, so the message points at the one that was left
open and not at the end of the file. Where several braces could be meant, the indentation shows
which.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: bottleneck(expansion = 2 level 2 after s
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
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: bottleneck(expansion = 2) level 2 after s
    output C2: b0
}
""",
)
