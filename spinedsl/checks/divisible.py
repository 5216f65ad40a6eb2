"""The input divides by 2 to the highest level, so that every map's size is whole."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Edit
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork
from spinedsl.syntax import tree


def divisible(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Height and width that do not divide, with the nearest sizes that do; said once where they are the same."""
    declared, input_type = typed.network.input, typed.input_type
    if declared is None or input_type is None:
        return
    _, height, width = declared.sizes
    axes: list[tuple[str, int, tuple[tree.Expr, ...]]]
    if input_type.height == input_type.width:
        axes = [(f"an input of {input_type.size}", input_type.height, (height, width))]
    else:
        axes = [
            (f"an input height of {input_type.height}", input_type.height, (height,)),
            (f"an input width of {input_type.width}", input_type.width, (width,)),
        ]
    for what, got, exprs in axes:
        if got % typed.divisor:
            yield _not_divisible(typed, what, got, exprs)


def _not_divisible(typed: TypedNetwork, what: str, got: int, exprs: tuple[tree.Expr, ...]) -> Diagnostic:
    divisor, level = typed.divisor, typed.divisor.bit_length() - 1
    declared = typed.network.input
    assert declared is not None
    outside = typed.given_size is not None
    place = declared.span if outside else exprs[0].span.to(exprs[-1].span)
    found = say.NOT_DIVISIBLE.at(place, what=what, got=got, divisor=divisor, level=level)
    if outside:
        found = found.with_notes("the size was given on the command line")
    found = found.with_notes("`rules { sizes any }` in the network would round sizes up")
    down, up = got // divisor * divisor, -(-got // divisor) * divisor
    sizes = [size for size in ((down, up) if got - down <= up - got else (up, down)) if size]
    edits = [Edit(expr.span, str(sizes[0])) for expr in exprs if isinstance(expr, tree.Number)]
    if outside or len(edits) < len(exprs):
        edits = []
    return found.with_fix(f"the nearest sizes that divide: {' or '.join(str(size) for size in sizes)}", *edits)
