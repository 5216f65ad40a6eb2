"""Lint: the outputs leave out a level between their finest and coarsest."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork


def skipped_level(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Gaps in the pyramid."""
    outputs = [row for row in typed.rows.values() if row.declared.row.kind == "output"]
    if any(row.type is None for row in outputs):
        return  # the missing level may be the one that is not known
    rows = {row.type.level: row for row in outputs if row.type is not None and row.type.level is not None}
    for below, above in pairwise(sorted(rows)):
        if above - below < 2:
            continue
        missing = " and ".join(str(level) for level in range(below + 1, above))
        yield (
            say.SKIPPED_LEVEL.at(rows[above].span, levels=missing, below=rows[below].name, above=rows[above].name)
            .with_others(Label(rows[below].span, f"level {below} here"))
            .with_fix(*accept(typed, "add an output there", "W0701"))
        )
