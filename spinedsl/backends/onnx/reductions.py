"""Reductions in ONNX, and what trades channels for positions.

In: a `Step`. Out: nodes in its sketch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from onnx import TensorProto

from spinedsl.backends.onnx.sketch import Dimension, Step, Tensor, product


def reduced(operator: str, *axes: int) -> Callable[[Step], None]:
    """Over these axes, which are kept with length 1."""

    def rule(step: Step) -> None:
        if operator == "ReduceSum" or step.opset >= 18:
            step.last(operator, *step.inputs, step.numbers(*axes))
        else:
            step.last(operator, *step.inputs, axes=list(axes))

    return rule


def pooled(operator: str, whole: str = "") -> Callable[[Step], None]:
    """Over the positions, or over one side of them; `whole` is an operator that does it over all, if there is one."""
    axes = {"both": (2, 3), "height": (2,), "width": (3,)}

    def rule(step: Step) -> None:
        over = cast(str, step.attributes["over"])
        if whole and over == "both":
            step.last(whole, *step.inputs)
        else:
            reduced(operator, *axes[over])(step)

    return rule


def adaptive_average_pool(step: Step) -> None:
    """Windows of one size where the size divides; else, or where it is open, a product with each side's shares."""
    count, sides = step.count("size"), step.given[0][2:]
    if all(isinstance(side, int) and side % count == 0 for side in sides):
        window = [cast(int, side) // count for side in sides]
        step.last("AveragePool", *step.inputs, kernel_shape=window, strides=window)
        return
    (x,), (batch, channels, _, width) = step.inputs, step.given[0]
    rows = step.part("rows", "MatMul", _shares(step, "high", 0), x, tensor=Tensor((batch, channels, count, width)))
    step.last("MatMul", rows, _shares(step, "wide", 1))


def _shares(step: Step, name: str, axis: int) -> str:
    """What each place of a side has of each position: 1 / n of the n that it is the mean of, and 0 of the others.

    Of the height in rows, of the width in columns.
    """
    count, size = step.count("size"), step.given[0][2 + axis]
    places, positions = Tensor((count,), TensorProto.INT64), Tensor((size,), TensorProto.INT64)
    whole = step.shape_of(f"{name}.sides", step.inputs[0], 2, 4)
    side = step.part(f"{name}.size", "Gather", whole, step.whole(axis), tensor=Tensor((), TensorProto.INT64), axis=0)
    scaled = step.part(f"{name}.scaled", "Mul", step.numbers(*range(count)), side, tensor=places)
    start = step.part(f"{name}.start", "Div", scaled, step.whole(count), tensor=places)
    ending = step.part(f"{name}.ending", "Mul", step.numbers(*range(1, count + 1)), side, tensor=places)
    up = step.part(f"{name}.up", "Add", ending, step.whole(count - 1), tensor=places)
    end = step.part(f"{name}.end", "Div", up, step.whole(count), tensor=places)
    number = step.part(f"{name}.number", "Sub", end, start, tensor=places)
    every = step.part(f"{name}.every", "Range", step.whole(0), side, step.whole(1), tensor=positions)

    def line(value: str, part: str, length: Dimension, across: int) -> str:
        shape = (1, length) if across == 0 else (length, 1)
        return step.part(
            f"{name}.{part}", "Unsqueeze", value, step.numbers(across), tensor=Tensor(shape, TensorProto.INT64)
        )

    grid = (count, size) if axis == 0 else (size, count)
    here = line(every, "positions", size, axis)
    first, last = line(start, "first", count, 1 - axis), line(end, "last", count, 1 - axis)
    truth = Tensor(grid, TensorProto.BOOL)
    after = step.part(f"{name}.after", "GreaterOrEqual", here, first, tensor=truth)
    before = step.part(f"{name}.before", "Less", here, last, tensor=truth)
    inside = step.part(f"{name}.inside", "And", after, before, tensor=truth)
    real = TensorProto.FLOAT16 if step.sketch.target.half else TensorProto.FLOAT
    ones = step.part(f"{name}.ones", "Cast", inside, tensor=Tensor(grid), to=real)
    counts = step.part(f"{name}.counts", "Cast", line(number, "numbers", count, 1 - axis), to=real,
                       tensor=Tensor((count, 1) if axis == 0 else (1, count)))  # fmt: skip
    return step.part(f"{name}.shares", "Div", ones, counts, tensor=Tensor(grid))


def pixel_shuffle(step: Step) -> None:
    """Channel by channel, as PyTorch has it."""
    step.last("DepthToSpace", *step.inputs, blocksize=step.count("factor"), mode="CRD")


def pixel_unshuffle(step: Step) -> None:
    """ONNX has the places of a square before the channels, so each channel is a map of its own meanwhile.

    A `Gather` that puts them in order would do, but OpenVINO mixes up the channels of a convolution behind it.
    """
    batch, channels, *sides = step.given[0]
    factor, (_, made, *small) = step.count("factor"), step.shape
    maps = product((batch, channels))
    alone = step.part("maps", "Reshape", *step.inputs, step.numbers(-1, 1, 0, 0), tensor=Tensor((maps, 1, *sides)))
    squares = Tensor((maps, factor * factor, *small))
    depth = step.part("depth", "SpaceToDepth", alone, tensor=squares, blocksize=factor)
    step.last("Reshape", depth, step.numbers(-1, cast(int, made), 0, 0))
