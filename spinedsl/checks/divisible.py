"""The input divides by 2 to the highest level, so that every map's size is whole."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Edit
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork
from spinedsl.syntax import tree


def divisible(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Height and width that do not divide, with the nearest sizes that do."""
    declared = typed.network.input
    if declared is None or typed.input_type is None:
        return
    divisor, level = typed.divisor, typed.divisor.bit_length() - 1
    seen: set[tuple[int, int]] = set()
    axes = (("height", typed.input_type.height), ("width", typed.input_type.width))
    for (axis, got), expr in zip(axes, declared.sizes[1:], strict=True):
        place = expr.span if typed.given_size is None else declared.span
        if got % divisor == 0 or (got, place.start) in seen:
            continue
        seen.add((got, place.start))
        down, up = got // divisor * divisor, -(-got // divisor) * divisor
        nearest = [size for size in ((down, up) if got - down <= up - got else (up, down)) if size]
        words = " or ".join(str(size) for size in nearest)
        edits = [Edit(expr.span, str(nearest[0]))] if isinstance(expr, tree.Number) and typed.given_size is None else []
        found = say.NOT_DIVISIBLE.at(place, axis=axis, got=got, divisor=divisor, level=level)
        if typed.given_size is not None:
            found = found.with_notes("the size was given on the command line")
        yield found.with_fix(f"the nearest sizes that divide: {words}", *edits)
