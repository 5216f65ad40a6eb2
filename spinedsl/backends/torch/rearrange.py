"""What moves numbers and computes none, in PyTorch: functions, none of which asks for the size of a map.

In: a `Place` and what goes in. Out: expressions of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import cast

from spinedsl.backends.torch.body import ManyAt, OperandAt, Scalar
from spinedsl.backends.torch.expressions import ATOM, SUM, literal
from spinedsl.backends.torch.layout import Bracket, Doc, Joined, call, flat, named
from spinedsl.backends.torch.place import Code, Place
from spinedsl.ops.rearrange import SIDES
from spinedsl.ops.types import Operation, Value

THEIRS = {"edge": "replicate"}  # what PyTorch calls a mode of padding


def concat(place: Place, inputs: Sequence[Code]) -> Code:
    """Along the channels. What does not depend on the input has to be spread over the batch first."""
    maps = _all_of(inputs, [is_list for operand in place.op.inputs for is_list in _lists(operand)])
    if any(len({type_.batched for type_ in types}) > 1 for types in place.op.types.values()):
        batched = {use: [type_.batched for type_ in types] for use, types in place.op.types.items()}
        varying = Scalar({use: found.index(True) if any(found) else 0 for use, found in batched.items()})
        return Code(call("concat", maps, place.write(varying, "varying")))
    return Code(call("torch.cat", maps, "1"))


def _all_of(inputs: Sequence[Code], lists: Sequence[bool]) -> Doc:
    """One list: of lists, and of single maps beside them."""
    parts: list[Doc] = []
    for is_list, found in groupby(zip(inputs, lists, strict=True), key=lambda pair: pair[1]):
        docs = [code.doc for code, _ in found]
        parts += docs if is_list else [Bracket("[", tuple(docs), "]")]
    first, *rest = parts
    return Joined(first, tuple(("+", part) for part in rest)) if rest else first


def _lists(operand: OperandAt) -> list[bool]:
    """Of each expression that an operand is written as, whether it is a list."""
    if not isinstance(operand, ManyAt):
        return [False]
    return [True] if operand.name else [False] * len(operand.items)


def slice_(place: Place, inputs: Sequence[Code]) -> Code:
    """Some of the channels."""
    return Code(call("torch.narrow", inputs[0].doc, "1", place.number("start"), place.number("channels")))


def pad(place: Place, inputs: Sequence[Code]) -> Code:
    """The map with rows and columns put around it."""
    if _nowhere(place):
        return inputs[0]
    sides = Bracket("(", tuple(place.number(side) for side in ("left", "right", "top", "bottom")))
    numbers, modes = place.scalar("value"), place.scalar("mode")
    filled = {use: value if modes.values[use] == "constant" else 0 for use, value in numbers.values.items()}
    filling = Scalar(filled, numbers.exprs)
    theirs = {use: THEIRS.get(cast(str, mode), mode) for use, mode in modes.values.items()}
    mode = Scalar(theirs, modes.exprs if theirs == modes.values else ())
    given = [] if mode.constant == "constant" else [named("mode", place.write(mode, "mode"))]
    given += [] if filling.constant == 0 else [named("value", place.reals(filling, "value"))]
    return Code(call("F.pad", inputs[0].doc, sides, *given))


def _nowhere(place: Place) -> bool:
    """Nothing is put around the map, or cut off, in any use."""
    return all(place.constant(side) == 0 for side in SIDES)


def crop(place: Place, inputs: Sequence[Code]) -> Code:
    """The map without its outermost rows and columns."""
    if _nowhere(place):
        return inputs[0]
    return Code(call("crop", inputs[0].doc, *(place.number(side) for side in SIDES)))


def reshape(place: Place, inputs: Sequence[Code]) -> Code:
    """By axes, never by whole shapes: then one module runs every size. The last axis is what is left."""
    if len(inputs) > 1:
        like = flat(inputs[1].within(ATOM))
        return Code(call("torch.unflatten", inputs[0].doc, "1", f"(-1, {like}.shape[2], {like}.shape[3])"))
    (before,) = {len(types[0].axes) for types in place.op.types.values()}
    doc = inputs[0].doc if before == 0 else call("torch.flatten", inputs[0].doc, "1", str(before))
    sizes = each_of(place.scalar("sizes"))
    if len(sizes) == 1:
        return Code(doc)
    last = [literal(sizes[-1].constant)] if sizes[-1].constant is not None else ["-1"]
    texts = [place.write(size, f"size_{position}") for position, size in enumerate(sizes[:-1])]
    return Code(call("torch.unflatten", doc, "1", Bracket("(", (*texts, *last))))


def each_of(scalar: Scalar) -> list[Scalar]:
    """The values of an attribute that holds many, one by one."""
    tuples = {use: cast("tuple[Value, ...]", values) for use, values in scalar.values.items()}
    count = len(next(iter(tuples.values())))
    written = [expr.operands for expr in scalar.exprs if isinstance(expr, Operation)]
    return [
        Scalar({use: values[i] for use, values in tuples.items()}, tuple(operands[i] for operands in written))
        for i in range(count)
    ]


def transpose(place: Place, inputs: Sequence[Code]) -> Code:
    """Two axes change places; the batch is none of them."""
    axes = [place.constant(name) for name in ("first", "second")]
    if all(isinstance(axis, int) for axis in axes):
        return Code(call("torch.transpose", inputs[0].doc, *(str(cast(int, axis) + 1) for axis in axes)))
    texts = [f"{place.number(name, SUM)} + 1" for name in ("first", "second")]
    return Code(call("torch.transpose", inputs[0].doc, *texts))
