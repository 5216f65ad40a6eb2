"""E0205: import not found."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0205",
    title="import not found",
    message="cannot find `{path}`",
    label="{where}",
    default=Default.ERROR,
    explanation="""\
There is no file for this import. `import std.blocks` names a module of the prelude, which comes
with the compiler; `import "blocks/mine.spine"` names a file of yours, relative to the file that
imports it, with its ending. Nothing else is searched, neither the current folder nor the Python
path.
""",
    wrong="""\
spine 1
import std.block
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
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
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 2 after s
    output C2: b0
}
""",
)
