"""E0218: unknown entry."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0218",
    title="unknown entry",
    message="{what} has no entry `{name}`",
    label="expected {known}",
    default=Default.ERROR,
    explanation="""\
`defaults`, `rules` and `allow` each know a few entries, and this is none of them. `defaults` say
what `act` and `norm` mean and what primitives default to, `rules` how many inputs a block may have,
what sizes and outputs there may be and how channels are rounded, and `allow` takes the code of a
warning, with the reason for accepting it.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, nrom batch_norm }
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
