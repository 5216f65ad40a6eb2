"""E0315: no stem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0315",
    title="no stem",
    message="network `{name}` has no stem",
    label="expected a `stem` row above the blocks",
    fix="begin with one, as in `stem s: resnet_stem channels 64`",
    default=Default.ERROR,
    explanation="""\
The first row is a stem: it takes the image to the level where the blocks begin, and the first block
reads from it. The image itself cannot feed a block. ResNet's stem, a 7x7 convolution of stride 2
and a max pool, is `resnet_stem` in `std.stems`, and ends at level 2.
""",
    wrong="""\
spine 1
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
}
""",
    right="""\
spine 1
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    output C2: s
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Networks without a row."""
    declared = network.network.declared
    if network.network.sound_text and not network.rows:
        yield RULE.at(declared.name.span, name=declared.name.text).repaired()
