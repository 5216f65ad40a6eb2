"""Rows of YOLO that may be outlines or boxes with points: which of the two a whole data set seems to have.

In: the numbers of each row that was read as an outline. Out: how many points stand behind each box, and how many
numbers each has, if that is what they seem to be. Any outline of an object that is small enough fits a box that its
first two corners make, so that alone tells nothing: a corner also stands near the others, and a width and a height do
not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROWS = 10_000  # that are looked at
MARKS = (0, 1, 2)  # of a point: not there, hidden, seen
MOST = 0.9  # of the points lie in their box: some stand beside it
SOME = 0.25  # of the rows have their second pair far away: by chance it may be near
Numbers = NDArray[np.float64]


class Outlines:
    """The rows of a data set that were read as outlines: the first ones, and how long all are."""

    def __init__(self) -> None:
        self._rows: list[Sequence[float]] = []
        self._lengths: set[int] = set()

    def add(self, row: Sequence[float]) -> None:
        """Another one."""
        self._lengths.add(len(row))
        if len(self._rows) < ROWS:
            self._rows.append(row)

    def points(self) -> tuple[int, int] | None:
        """How many points the rows seem to have behind a box, and how many numbers each; None if they are outlines."""
        return _points(np.array(self._rows)) if len(self._lengths) == 1 else None


def _points(numbers: Numbers) -> tuple[int, int] | None:
    """The same of some rows of one length."""
    if not np.all(abs(numbers) <= MARKS[-1]):
        return None  # shares of a picture are less
    for each in (3, 2):
        count, rest = divmod(numbers.shape[1] - 4, each)
        if count < 2 or rest:
            continue
        points = numbers[:, 4:].reshape(len(numbers), count, each)
        marked = each == 3 and bool(np.isin(points[:, :, 2], MARKS).all())
        seen = points[:, :, :2].copy()
        seen[np.all(seen == 0, axis=2)] = np.nan  # 0 0 is a point that is not there
        if _are_inside(numbers, seen) and (marked or (each == 2 and _are_far(numbers, seen))):
            return count, each
    return None


def _are_inside(numbers: Numbers, points: Numbers) -> bool:
    """The points lie in the box whose centre and sides the first four numbers are."""
    centre, sides = numbers[:, None, :2], numbers[:, None, 2:4]
    there = ~np.any(np.isnan(points), axis=2)
    inside = np.all(abs(points - centre) <= sides / 2 + 1e-3, axis=2)
    return bool(np.any(there)) and float(np.mean(inside[there])) >= MOST


def _are_far(numbers: Numbers, points: Numbers) -> bool:
    """The second pair lies beyond the others by more than they are apart, which no corner of a parallelogram does."""
    others = np.concatenate([numbers[:, None, :2], points], 1)
    low, high = np.nanmin(others, 1), np.nanmax(others, 1)
    apart, second = 1.1 * (high - low), numbers[:, 2:4]
    far = np.any((second < low - apart) | (second > high + apart), axis=1)
    return float(np.mean(far)) >= SOME
