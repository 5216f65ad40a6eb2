"""W0710: a repeat that changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork
    from spinedsl.ops.program import Call

RULE = Rule(
    "W0710",
    title="a repeat that changes nothing",
    message="`repeat` changes nothing in `{name}`: `{definition}` gives the map that it takes",
    label="{count} copies",
    fix="take `repeat` away",
    default=Default.WARNING,
    explanation="""\
Copies of a row run one after the other, each on what the one before it gives. A definition that gives
the map that it takes, as `merged` of `std.fpn` does, gives the same however often it runs. So does
one that gives it as it is where channels and level fit already: its first copy alone does something.
Most likely another type was meant, or the repeat belongs to another row.
""",
    wrong="""\
spine 1
import std.blocks
import std.fpn
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b2: residual  level 2  after s   channels 8
    block t2: merged    level 2  after b2  channels 8  repeat 3
    output P2: t2
}
""",
    right="""\
spine 1
import std.blocks
import std.fpn
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b2: residual  level 2  after s   channels 8  repeat 3
    block t2: merged    level 2  after b2  channels 8
    output P2: t2
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Rows of the network itself: those of a part are reported in its own."""
    for row in network.rows.values():
        clause, calls = row.declared.clauses.get("repeat"), row.calls
        if clause is None or row.is_inner or len(calls) < 2 or not all(map(_gives_its_map, calls[1:])):
            continue
        found = RULE.at(clause.span, name=row.name, definition=calls[-1].module.definition, count=len(calls))
        yield accept(network, found)


def _gives_its_map(call: Call) -> bool:
    """It computes nothing, and gives the first of the maps that it takes."""
    return not call.module.events and call.module.results == (0,)
