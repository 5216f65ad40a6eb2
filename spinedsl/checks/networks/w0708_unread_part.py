"""W0708: part that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "W0708",
    title="part that nothing reads",
    message="nothing reads part `{name}`",
    label="its maps reach no output",
    default=Default.WARNING,
    explanation="""\
No output depends on what this part gives, so that all of its rows are left out. Often the row below
still reads what the part was put in front of. Read its outputs, `n.P4` or all of them by `n`, or
take it away. Of a part that something reads, the rows that are not needed are left out silently.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input x: level 3 channels 8
    defaults { act relu, norm batch_norm }
    block a: residual level 3 after x channels 8
    output P3: a
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    part n: Cell from b3
    output C3: b3
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Cell {
    input x: level 3 channels 8
    defaults { act relu, norm batch_norm }
    block a: residual level 3 after x channels 8
    output P3: a
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b3: residual level 3 after s channels 8
    part n: Cell from b3
    output C3: n.P3
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Parts of which no row outside is read by one. What only they read follows from them, and is not reported."""
    parts, rows = network.network.parts, network.rows.values()
    if not parts or not any(row.is_end for row in rows):
        return
    made = {_part(row.name) for row in rows}
    read = {_part(name) for name in network.network.mentioned}
    read |= {
        _part(name.text)
        for row in rows
        for name in (*row.declared.sources, *row.declared.absorbed)
        if _part(name.text) != _part(row.name)
    }
    for part in parts:
        if part.name.text in made - read:
            found = RULE.at(part.name.span, name=part.name.text)
            yield accept(network, found, "take the row away, or read what it gives")


def _part(row: str) -> str:
    return row.partition(".")[0]
