"""Boxes that a detector found in a picture, whatever ran it: NumPy alone.

In: boxes in pixels of the network's image, and how the picture came to be that image. Out: boxes in the picture's own
pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.data.preprocessing import Placement
from spinedsl.record import Record, replace


class Boxes(Record, eq=False):
    """What was found in one picture, with falling scores.

    `sides` (boxes, 4) are left, top, right and bottom in pixels, `scores` (boxes,) float32, `labels` (boxes,) int64.
    """

    sides: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    def __brief__(self) -> str:
        return f"{len(self):,} box{'es' * (len(self) != 1)}"

    @property
    def are_finite(self) -> bool:
        """All of its numbers are."""
        return bool(np.isfinite(self.sides).all() and np.isfinite(self.scores).all())

    def kept(self, score: float, most: int | None = None) -> Boxes:
        """Those above a score, and the first of them."""
        there = slice(0, min(int((self.scores > score).sum()), len(self) if most is None else most))
        return Boxes(self.sides[there], self.scores[there], self.labels[there])

    def in_picture(self, placement: Placement | None) -> Boxes:
        """The same in the picture's own pixels, cut off where the network's image ended; without one they are already.

        What has no area there goes, as what was found in the margins of a letterbox; what is no number stays.
        """
        if placement is None:
            return self.with_area()
        scale, shift = (np.array(values, dtype=np.float32) for values in placement.affine())
        left, top, right, bottom = placement.box
        least, most = (np.array(ends, dtype=np.float32) for ends in ((left, top, left, top), (right, bottom) * 2))
        return replace(self, sides=np.minimum(np.maximum((self.sides - shift) / scale, least), most)).with_area()

    def with_area(self) -> Boxes:
        """Without those that are 0 pixels wide or high; what is no number stays."""
        flat = (self.sides[:, 2:] <= self.sides[:, :2]).any(1)
        return Boxes(self.sides[~flat], self.scores[~flat], self.labels[~flat]) if flat.any() else self


def of_arrays(boxes: Any, scores: Any, labels: Any, count: Any) -> list[Boxes]:
    """What a model found in each image of a batch, without what stands behind the `count` of each."""
    each = [slice(int(many)) for many in count]
    return [Boxes(*(np.array(part[n][there]) for part in (boxes, scores, labels))) for n, there in enumerate(each)]


NOT_FINITE = Boxes(np.full((1, 4), np.nan, np.float32), np.full(1, np.nan, np.float32), np.zeros(1, np.int64))
