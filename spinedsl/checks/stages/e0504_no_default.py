"""E0504: no default."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0504",
    title="no default",
    message="`{role}` is used, but network `{network}` has no default for it",
    label="used here",
    fix="say it in the network: `defaults {{ {entry} }}`",
    default=Default.ERROR,
    explanation="""\
`act` and `norm` in a definition mean what the network's `defaults` say, so that one `bottleneck`
serves ReLU and swish, batch norm and group norm. This network does not say. There is no hidden
default, because papers differ, and the momentum and the epsilon of a batch norm decide whether
results can be reproduced.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu }
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
