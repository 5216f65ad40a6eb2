"""Operations that give a map another size in ONNX: by a factor, or to the size of another map or of a level.

In: a `Step`. Out: nodes in its sketch.
"""

from __future__ import annotations

from typing import cast

from onnx import TensorProto

from spinedsl.backends.onnx.sketch import Argument, Dimension, Step, Tensor


def _mode(step: Step) -> dict[str, Argument]:
    """Of all nearest modes, only asymmetric with floor keeps ONNX Runtime in its blocked layout."""
    if step.attributes["mode"] == "bilinear":
        return {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    return {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def upsample(step: Step) -> None:
    """By powers of two."""
    times = float(1 << step.count("levels"))
    no_region = ""
    step.last("Resize", *step.inputs, no_region, step.singles(1.0, 1.0, times, times), **_mode(step))


def resize(step: Step) -> None:
    """To the size that the other map has when it runs."""
    x, like = step.inputs
    kept = step.shape_of("kept", x, 0, 2)
    size = step.shape_of("size", like, 2, 4)
    shape = step.part("shape", "Concat", kept, size, tensor=Tensor((4,), TensorProto.INT64), axis=0)
    step.last("Resize", x, "", "", shape, **_mode(step))


def _level_size(step: Step) -> str:
    """Height and width of a level's maps, as a value: those of the network's input by 2^level, rounded up."""
    sides = step.shape[2:]
    if all(isinstance(side, int) for side in sides):
        return step.numbers(*cast(tuple[int, int], sides))
    two, level = Tensor((2,), TensorProto.INT64), step.count("level")
    whole = step.shape_of("whole", step.inputs[1], 2, 4)
    if level == 0:
        return whole
    more = step.part("more", "Add", whole, step.numbers((1 << level) - 1), tensor=two)
    return step.part("size", "Div", more, step.numbers(1 << level), tensor=two)


def crop_to_level(step: Step) -> None:
    """Cut off below and on the right."""
    step.last("Slice", step.inputs[0], step.numbers(0, 0), _level_size(step), step.numbers(2, 3))


def resize_to_level(step: Step) -> None:
    """To a size that need not be a multiple. Nearest is spelled out, for a Resize takes some positions' neighbours."""
    x, sides = step.inputs[0], step.given[0][2:]
    size = _level_size(step)
    four = Tensor((4,), TensorProto.INT64)
    if step.attributes["mode"] == "bilinear":
        kept = step.shape_of("kept", x, 0, 2)
        step.last("Resize", x, "", "", step.part("shape", "Concat", kept, size, tensor=four, axis=0), **_mode(step))
        return
    known = all(isinstance(side, int) for side in sides)
    old = step.numbers(*cast(tuple[int, int], sides)) if known else step.shape_of("old", x, 2, 4)
    rows = _positions(step, "rows", step.shape[2], size, old, 0)
    between = Tensor((*step.shape[:2], step.shape[2], sides[1]))
    y = step.part("by_rows", "Gather", x, rows, tensor=between, axis=2)
    step.last("Gather", y, _positions(step, "columns", step.shape[3], size, old, 1), axis=3)


def _positions(step: Step, name: str, new: Dimension, size: str, old: str, axis: int) -> str:
    """Where each of `new` positions of an axis takes from: position i from i * old / new, rounded down."""
    one, many = Tensor((), TensorProto.INT64), Tensor((new,), TensorProto.INT64)
    after = step.part(f"{name}.new", "Gather", size, step.whole(axis), tensor=one, axis=0)
    before = step.part(f"{name}.old", "Gather", old, step.whole(axis), tensor=one, axis=0)
    places = step.part(f"{name}.places", "Range", step.whole(0), after, step.whole(1), tensor=many)
    times = step.part(f"{name}.times", "Mul", places, before, tensor=many)
    return step.part(name, "Div", times, after, tensor=many)
