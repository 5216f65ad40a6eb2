"""Every block reaches an output. SpineNet's orphans are absorbed, explicitly, by an output's block."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Edit
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.source import Span

ENDS = ("output", "head")  # rows that the network gives


def unused(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks and stems that no row reads. What only they read follows from them, and is not said."""
    rows = list(typed.rows.values())
    if not any(row.declared.row.kind in ENDS for row in rows):
        return
    used = {name.text for row in rows for name in (*row.declared.sources, *row.declared.absorbed)}
    used |= typed.network.mentioned
    for position, row in enumerate(rows):
        if row.declared.row.kind in ENDS or row.name in used:
            continue
        found = say.UNUSED_BLOCK.at(row.span, name=row.name)
        host = _host(row, rows[position + 1 :])
        if host is not None:
            end = host.declared.row.span.end
            place = Span(host.declared.row.span.source, end, end)
            found = found.with_fix(
                f"let `{host.name}`, of the same level, absorb it", Edit(place, f" absorb {row.name}")
            )
        yield found.with_fix("take the row away, or read it in a block below")


def _host(row: TypedRow, below: list[TypedRow]) -> TypedRow | None:
    """A block further down whose join could add this one's map as it is."""
    for other in below:
        join = other.join
        if join is None or row.type is None or "absorb" in other.declared.clauses:
            continue
        if (join.type.level, join.type.channels) == (row.type.level, row.type.channels):
            return other
    return None
