"""`absorb` adds a map to a join, so it goes with `from`. That it fits is known when the row is typed."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork


def absorbed(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Rows with `absorb` and no join."""
    for row in typed.rows.values():
        clause = row.declared.clauses.get("absorb")
        if clause is not None and row.declared.direct and row.declared.sources:
            yield say.ABSORB_NEEDS_JOIN.at(clause.span, name=row.name).with_fix(
                "feed the block by `from`, or absorb into another one"
            )
