"""The operations that stand for a definition between rows: `join concat`, `join sum`, and `resample identity`."""

from __future__ import annotations

from functools import cache

from spinedsl.diagnostics import Label
from spinedsl.ir.library import Defined, Unit
from spinedsl.source import Source

OPERATIONS = {"concat": "join_type", "sum": "join_type", "identity": "resample_type"}
NOWHERE = "std/join.spine"  # which is no file
_TEXTS = {
    "join_type": "join_type {name}(inputs) {{\n    return {name}(inputs)\n}}\n",
    "resample_type": "resample_type {name}(x, source, target) -> x.channels {{\n    return {name}(x)\n}}\n",
}


@cache
def standing_for(name: str, kind: str) -> Defined | None:
    """The definition of that kind that an operation stands for; None of any other name."""
    if OPERATIONS.get(name) != kind:
        return None
    from spinedsl.syntax.parse import parse  # noqa: PLC0415  most files name definitions

    file = parse(Source.from_text("spine 1\n" + _TEXTS[kind].format(name=name), NOWHERE)).value
    assert file is not None
    return Defined(file.definitions[0], Unit(file))


def defined_here(defined: Defined) -> tuple[Label, ...]:
    """Where a definition stands, for a message; nowhere if an operation stands for it."""
    name = defined.definition.name
    return () if name.span.source.name == NOWHERE else (Label(name.span, f"`{name.text}` is defined here"),)
