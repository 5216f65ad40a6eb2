"""No block stands at a finer level than the stem that the network begins with."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork


def levels(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks below the level where the first stem ends, and networks that begin with no stem."""
    stems = [row for row in typed.rows.values() if row.declared.row.kind == "stem"]
    declared = typed.network.declared
    if not stems:
        if typed.network.sound_text and not typed.rows:
            yield say.NOT_ABOVE_INPUT.at(declared.name.span, name=declared.name.text).with_fix(
                "begin with one, as in `stem s: resnet_stem channels 64`"
            )
        return
    first = stems[0]
    least = first.type.level if first.type is not None else None
    if least is None:
        return
    for row in typed.rows.values():
        clause = row.declared.clauses.get("level")
        if clause is not None and row.level is not None and row.level < least:
            yield (
                say.LEVEL_RANGE.at(clause.span, got=row.level, expected=f"{least} or more")
                .with_others(Label(first.span, f"stem `{first.name}` ends at level {least}"))
                .with_fix(f"no block stands below the stem: say `level {least}` or more")
            )  # fmt: skip
