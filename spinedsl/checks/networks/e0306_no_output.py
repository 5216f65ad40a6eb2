"""E0306: no output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0306",
    title="no output",
    message="network `{name}` has no output",
    label="expected at least one `output` row",
    fix="name what the network gives, as in `output P3: endpoint from b13 channels 256`",
    default=Default.ERROR,
    explanation="""\
A network gives the feature maps that its `output` rows name, and without one it would give nothing.
`output C2: b0` gives a map as it is; `output P2: endpoint from b0 channels 256` passes it through a
definition, as SpineNet does for its detector.
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
    block b0: residual level 2 after s
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


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Networks with rows, of which none is an output or a head."""
    declared = network.network.declared
    if network.rows and network.network.sound_text and not any(row.is_end for row in network.rows.values()):
        yield RULE.at(declared.name.span, name=declared.name.text).repaired()
