"""E0313: nothing to absorb into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0313",
    title="nothing to absorb into",
    message="block `{name}` has no join to absorb into",
    label="`absorb` goes with `from`",
    fix="feed the block by `from`, or absorb into another one",
    default=Default.ERROR,
    explanation="""\
`absorb` adds a map in the block's join, and a block that is fed by `after` has none: its one input
goes straight in. Feed the block by `from`, or let another block of that level absorb the map.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 2  after b0  absorb s
    output C2: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 2  from b0  absorb s
    output C2: b1
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Rows with `absorb` and no join. That what is absorbed fits is known when the row is typed."""
    for row in network.rows.values():
        clause = row.declared.clauses.get("absorb")
        if clause is not None and row.declared.direct and row.declared.sources:
            yield RULE.at(clause.span, name=row.name).repaired()
