"""E0320: output without a level."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0320",
    title="output without a level",
    message="output `{name}` gives {got}, which has no level",
    label="expected a map with a level",
    fix="let a `head` give it",
    default=Default.ERROR,
    explanation="""\
The `output` rows are the feature pyramid: maps with a level each, which a detector reads by their
stride. A map that was pooled to 1x1, or a vector, has no level. What ends in one, as a classifier
does, is a head.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

output_type pooled(x) { return global_average_pool(x) }

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    output P3:   b3
    output pool: pooled  from b3
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

head_type pooled(features) { return global_average_pool(first(features)) }

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    output P3: b3
    head pool: pooled from P3
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Outputs that are vectors, or maps between the levels."""
    for row in network.rows.values():
        if row.kind == "output" and row.type is not None and row.type.level is None:
            got = "a vector" if row.type.is_vector else "a map pooled to 1x1"
            got = f"a map of {row.type.where}" if row.type.stride else got
            yield RULE.at(row.span, name=row.name, got=got).repaired()
