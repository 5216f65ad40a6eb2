"""E0219: reserved name."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0219",
    title="reserved name",
    message="`{name}` cannot name {what}",
    label="{why}",
    fix="choose another name, say `{other}`",
    default=Default.ERROR,
    explanation="""\
Names of rows, of definitions and of what `let` binds become attributes and classes of the PyTorch
module. There some are taken: Python's keywords, what every `torch.nn.Module` has (`forward`,
`train`, `half`), and names that begin with `_`. Renaming them behind your back would make
checkpoints hard to read, so the file has to choose.
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
    block forward: residual level 2 after s
    output C2: forward
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
    block forward_: residual level 2 after s
    output C2: forward_
}
""",
)
