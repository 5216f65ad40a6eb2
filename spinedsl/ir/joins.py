"""The joins that are operations: `join concat` and `join sum` take the list of what arrives as it is."""

from __future__ import annotations

from functools import cache

from spinedsl.ir.library import Defined, Unit
from spinedsl.source import Source
from spinedsl.syntax.parse import parse

OPERATIONS = ("concat", "sum")


@cache
def joining(name: str) -> Defined | None:
    """The join type that an operation stands for; None of any other name."""
    if name not in OPERATIONS:
        return None
    text = f"spine 1\njoin_type {name}(inputs) {{\n    return {name}(inputs)\n}}\n"
    file = parse(Source.from_text(text, "std/join.spine")).value
    assert file is not None
    return Defined(file.definitions[0], Unit(file))
