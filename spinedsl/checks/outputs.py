"""At least one output, and one a level: a pyramid names each scale once."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork, TypedRow


def outputs(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """A network without outputs, and outputs that share a level."""
    rows = [row for row in typed.rows.values() if row.declared.row.kind == "output"]
    declared = typed.network.declared
    if not rows and typed.rows and typed.network.sound_text:
        yield say.NO_OUTPUT.at(declared.name.span, name=declared.name.text).with_fix(
            "name what the network gives, as in `output P3: endpoint from b13 channels 256`"
        )
    by_level: dict[int, TypedRow] = {}
    for row in rows:
        level = row.type.level if row.type is not None else None
        if level is None:
            continue
        if level in by_level:
            first = by_level[level]
            found = say.OUTPUT_LEVEL_TWICE.at(row.span, first=first.name, second=row.name, level=level)
            yield found.with_others(Label(first.span, f"level {level} here first")).with_fix("take one of them away")
        by_level.setdefault(level, row)
