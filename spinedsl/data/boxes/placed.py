"""Boxes on their way from a picture into the network's image: placed, moved with it, and cut off where it is.

In: what lies in a picture, and where parts of that picture go. Out: `Placed`, what lies in the network's image. An
object is cut off at the edge of what can be seen of its picture; one of whose box less than `VISIBLE` is left goes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinedsl.data.preprocessing import Placement
from spinedsl.data.sample import Truth
from spinedsl.record import Record, replace

VISIBLE = 0.25  # of the area of a box: what has less of it left is no longer an object
Sides = NDArray[np.float64]  # (objects, 4): left, top, right, bottom
Window = tuple[float, float, float, float]  # the same of a rectangle


class Placed(Record, eq=False):
    """What lies in one picture, as the network's image has it. All have a row for each object.

    `placement` is how the picture became that image: without random changes, boxes that a network finds go back by it.
    """

    sides: NDArray[np.float32]  # (objects, 4): left, top, right, bottom in pixels of the network's image
    labels: NDArray[np.int64]  # (objects,)
    crowds: NDArray[np.bool_]  # (objects,)
    areas: NDArray[np.float32]  # (objects,), in pixels of the picture, as its file has them
    placement: Placement
    original: NDArray[np.float32]  # (objects, 4): the same boxes in pixels of the picture itself

    def __len__(self) -> int:
        return len(self.labels)


class Moving(Record, eq=False):
    """Objects while their picture is changed: where each is now, and what it was."""

    sides: Sides  # (objects, 4), in the image, cut off at the edges so far
    whole: Sides  # (objects,): the area that each box would have there if nothing of it had been cut off
    labels: NDArray[np.int64]
    crowds: NDArray[np.bool_]
    areas: NDArray[np.float32]
    original: NDArray[np.float32]

    def moved(self, sides: Sides, window: Window) -> Moving:
        """Elsewhere, cut off at the edges of a rectangle; what lies outside of it has no area then, nor ever again."""
        there = area(self.sides) > 0
        return replace(self, sides=np.where(there[:, None], cut(sides, window), 0.0))

    def behind(self, window: Window) -> Moving:
        """Without those that a rectangle hides so far that too little of them is seen; the others are as they were."""
        hidden = cut(self.sides, window)
        gone = area(self.sides) - area(hidden) < VISIBLE * self.whole
        return replace(self, sides=np.where(gone[:, None], 0.0, self.sides))

    def placed(self, placement: Placement) -> Placed:
        """Those of which enough is left, and those that had no area before: figures count them too."""
        left = area(self.sides)
        stay = ((left > 0) & (left >= VISIBLE * self.whole)) | (area(self.original.astype(np.float64)) == 0)
        return Placed(
            self.sides[stay].astype(np.float32), self.labels[stay], self.crowds[stay], self.areas[stay], placement,
            self.original[stay],
        )  # fmt: skip


def moving(truth: Truth, placement: Placement) -> Moving:
    """The objects of a picture that is placed, cut off at the edges of what can be seen of it."""
    original = np.asarray(truth.sides, dtype=np.float32).reshape(-1, 4)
    scale, shift = placement.affine()
    sides = original.astype(np.float64) * np.array(scale) + np.array(shift)
    seen = placement.left, placement.top, placement.left + placement.width, placement.top + placement.height
    return Moving(
        cut(sides, seen), area(sides), np.asarray(truth.labels, dtype=np.int64),
        np.asarray(truth.crowds, dtype=np.bool_), np.asarray(truth.areas, dtype=np.float32), original,
    )  # fmt: skip


def together(parts: Sequence[Moving]) -> Moving:
    """The objects of several pictures in one image."""
    names = ("sides", "whole", "labels", "crowds", "areas", "original")
    return Moving(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def cut(sides: Sides, window: Window) -> Sides:
    """Boxes cut off at the edges of a rectangle."""
    left, top, right, bottom = window
    return np.clip(sides, (left, top, left, top), (right, bottom, right, bottom))


def area(sides: Sides) -> Sides:
    """The area of each box, (objects,)."""
    found: Sides = np.maximum(sides[:, 2] - sides[:, 0], 0) * np.maximum(sides[:, 3] - sides[:, 1], 0)
    return found
