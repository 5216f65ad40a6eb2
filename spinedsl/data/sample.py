"""A sample as its data set gives it, looked at before it is used.

In: a data set, perhaps an object of somebody's own, and the number of a sample. Out: its pixels and what they show; or
`BadSample`, which says what `read` gave, and what it should.
"""

from __future__ import annotations

import math
import operator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spinedsl.brief import brief, cut
from spinedsl.data.pictures import Pixels
from spinedsl.record import Record

_OF_BOXES = ("sides", "labels", "crowds", "areas")
_BOXES = "give a record with `sides` (objects, 4), `labels`, `crowds` and `areas` (objects,)"
PIXELS = "`uint8` pixels as a NumPy array, height x width x 3, or x 1 for grey"


@runtime_checkable
class Truth(Protocol):
    """What lies in one picture, in its pixels; what `read` of a data set with boxes gives beside the pixels."""

    @property
    def sides(self) -> NDArray[np.float32]:
        """Left, top, right and bottom of each object, (objects, 4)."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """The number of its class, (objects,)."""

    @property
    def crowds(self) -> NDArray[np.bool_]:
        """Whether it is many objects that nobody told apart, (objects,)."""

    @property
    def areas(self) -> NDArray[np.float32]:
        """Its area, (objects,), which may be smaller than that of its box."""


class Readable(Protocol):
    """What is needed of a data set: how many samples there are, and the pixels of each, with what they show."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> tuple[Pixels, int | Truth]:
        """The `uint8` pixels of a sample, height x width x 1 or 3, and its label, or the objects in it."""


class BadSample(ValueError):
    """`read` gives what cannot be used. `index`, `got` and `fix` are what a message needs."""

    def __init__(self, index: int, got: str, fix: str) -> None:
        self.index, self.got, self.fix = index, got, fix
        super().__init__(f"`read({index})` gives {got}: {fix}")

    def __reduce__(self) -> tuple[type[BadSample], tuple[int, str, str]]:
        return type(self), (self.index, self.got, self.fix)


class Objects(Record, eq=False):
    """What lies in a picture, as `Truth` has it, in arrays whatever the data set has."""

    sides: NDArray[np.float32]
    labels: NDArray[np.int64]
    crowds: NDArray[np.bool_]
    areas: NDArray[np.float32]


def sample(dataset: Readable, index: int, classes: int = 0) -> tuple[Pixels, int | Truth]:
    """The pixels of a sample and its label, or the objects in it.

    Args:
        dataset: which one.
        index: of the sample, from 0.
        classes: how many labels there are, from 0 on; 0 where a label may be any whole number.

    Raises:
        BadSample: it gives anything else.
        Exception: whatever its `read` raises.
    """
    given: Any = dataset.read(index)
    if not isinstance(given, tuple | list) or len(given) != 2:
        what = brief(given) if not isinstance(given, tuple | list) else f"{len(given)} things"
        raise BadSample(index, cut(what, 80), f"give {PIXELS}, and the label")
    pixels, truth = given
    if wrong := _pixels(pixels):
        raise BadSample(index, *wrong)
    return pixels, _objects(index, truth, classes) if isinstance(truth, Truth) else _label(
        index, truth, classes, dataset
    )


def _pixels(pixels: Any) -> tuple[str, str] | None:
    """What is wrong with pixels, and what to do."""
    kind = type(pixels).__name__
    if not isinstance(pixels, np.ndarray):
        if hasattr(pixels, "detach"):
            return f"a tensor ({kind}) as pixels", f"give {PIXELS}: `.numpy()` makes one"
        if hasattr(pixels, "convert"):
            return f"a picture of Pillow ({kind}) as pixels", 'give `numpy.asarray(picture.convert("RGB"))`'
        return f"{cut(brief(pixels), 60)} as pixels", f"give {PIXELS}"
    shape = " x ".join(map(str, pixels.shape)) or "no axes"
    got = f"pixels of `{pixels.dtype}`, {shape}"
    if pixels.dtype != np.uint8:
        if pixels.dtype.kind == "f":
            return got, "give `uint8`: of numbers from 0 to 1, `(255 * pixels).round().astype(numpy.uint8)`"
        return got, "give `uint8`, from 0 to 255"
    if pixels.ndim == 2:
        return got, "give grey pixels a last axis: `pixels[:, :, None]`"
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3) and pixels.shape[0] in (1, 3):
        return got, "let the channels stand last: `pixels.transpose(1, 2, 0)`"
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        return got, "give height x width x 3, or x 1 for grey"
    return None if pixels.size else (got, "leave out pictures without pixels")


def _objects(index: int, truth: Truth, classes: int) -> Objects:
    """The objects in a picture, if they can be ones."""
    held = [_numbers(index, name, getattr(truth, name)) for name in _OF_BOXES]
    sides, labels, crowds, areas = held
    sides = sides.reshape(0, 4) if not sides.size else sides
    if sides.ndim != 2 or sides.shape[1] != 4:
        raise BadSample(index, f"`sides` of {_shape(sides)}", "give left, top, right and bottom of each: (objects, 4)")
    for name, values in zip(_OF_BOXES[1:], held[1:], strict=True):
        if values.shape != (len(sides),):
            got = f"`{name}` of {_shape(values)} for {len(sides)} box{'es' * (len(sides) != 1)}"
            raise BadSample(index, got, f"give one of each box: ({len(sides)},)")
    for row, (box, label, crowd, area) in enumerate(zip(sides, labels, crowds, areas, strict=True)):
        if wrong := _wrong(box.tolist(), label.item(), crowd.item(), area.item(), classes):
            got, fix = wrong
            raise BadSample(index, f"{got} of box {row}", fix)
    return Objects(
        sides.astype(np.float32), labels.astype(np.int64), crowds.astype(np.bool_), areas.astype(np.float32)
    )  # fmt: skip


def _numbers(index: int, name: str, given: Any) -> NDArray[Any]:
    """An array of what stands in a field."""
    try:
        found = np.asarray(given)
    except (TypeError, ValueError, RuntimeError):
        found = np.empty(0, object)
    if found.dtype.kind not in "buif":
        raise BadSample(index, f"{cut(brief(given), 60)} as `{name}`", _BOXES)
    return found


def _wrong(box: list[float], label: float, crowd: float, area: float, classes: int) -> tuple[str, str] | None:
    """What is wrong with an object, and what to do."""
    left, top, right, bottom = box
    if not all(map(math.isfinite, box)):
        return f"{_row(box)} as the sides", "give pixels of the picture, or leave the box out"
    if right < left or bottom < top:
        return f"{_row(box)} as the sides", "give left, top, right and bottom: right is left + width"
    if label != label // 1 or label < 0:
        return f"{label:g} as the label", "give the number of its class, from 0 on"
    if classes and label >= classes:
        return f"{label:g} as the label", f"there are {classes} classes, from 0 to {classes - 1}"
    if crowd not in (0, 1):
        return f"{crowd:g} as `crowds`", "give whether it is many objects that nobody told apart: true or false"
    if not (math.isfinite(area) and area >= 0):
        return f"{area:g} as the area", "give square pixels: those of the box, if nothing else is known"
    return None


def _row(box: list[float]) -> str:
    return f"({', '.join(f'{side:g}' for side in box)})"


def _shape(values: NDArray[Any]) -> str:
    return " x ".join(map(str, values.shape)) or "one number"


def _label(index: int, truth: Any, classes: int, dataset: Readable) -> int:
    try:
        label = operator.index(truth)
    except TypeError:
        names = list(getattr(dataset, "classes", ()))
        if hasattr(truth, "sides"):
            lacks = [name for name in _OF_BOXES if not hasattr(truth, name)]
            raise BadSample(index, f"boxes without {' and '.join(lacks)}", _BOXES) from None
        fix = "give its number: `classes.index(label)`" if truth in names else "give a whole number, from 0 on"
        raise BadSample(index, f"{cut(brief(truth), 60)} as its label", fix) from None
    if classes and not 0 <= label < classes:
        raise BadSample(index, f"{label} as its label", f"there are {classes} classes, from 0 to {classes - 1}")
    return label
