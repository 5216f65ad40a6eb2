"""Fronts of points, of which more is better in each direction: which no other dominates, and how much they cover.

A point dominates another if it is at least as good in every direction, and they are not equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scores: TypeAlias = "tuple[float, ...]"


def undominated(points: Iterable[Scores]) -> list[Scores]:
    """Points that no other dominates, each once, the highest first."""
    import numpy as np

    ordered = sorted(set(points), reverse=True)
    return [ordered[at] for at in _front(np.array(ordered), np.arange(len(ordered)))]


def joined(front: Sequence[Scores], point: Scores) -> list[Scores]:
    """A front with one point more: without it where one is at least as good, else without what it dominates."""
    if any(all(a >= b for a, b in zip(one, point, strict=True)) for one in front):
        return [*front]
    return [*(one for one in front if any(a > b for a, b in zip(one, point, strict=True))), point]


def fronts(points: Sequence[Scores]) -> list[list[int]]:
    """Numbers of points, front by front: those that no other dominates, then those that only these do, and so on."""
    import numpy as np

    ordered = sorted(set(points), reverse=True)
    place = {point: at for at, point in enumerate(ordered)}
    scores, rank = np.array(ordered), np.empty(len(ordered), dtype=np.intp)
    left, count = np.arange(len(ordered)), 0
    while left.size:
        front = _front(scores, left)
        rank[front] = count
        left, count = np.setdiff1d(left, front, assume_unique=True), count + 1
    found: list[list[int]] = [[] for _ in range(count)]
    for at, point in enumerate(points):
        found[rank[place[point]]].append(at)
    return found


def _front(scores: NDArray[Any], left: NDArray[Any]) -> NDArray[Any]:
    """Of points that are left, each once and the highest first, those that no other of them dominates.

    None that stands further down dominates the first; and what the first does not dominate is better somewhere. So it
    takes the size of the front times as many points as are left, each time all of them at once.
    """
    import numpy as np

    front = []
    while left.size:
        front.append(left[0])
        left = left[(scores[left] > scores[left[0]]).any(axis=1)]
    return np.array(front, dtype=np.intp)


def hypervolume(points: Iterable[Scores]) -> float:
    """The volume between the origin and the points, none of which is below 0: of all that one of them dominates."""
    return _volume(sorted(set(points), reverse=True))


def _volume(ordered: Sequence[Scores]) -> float:
    """The same of points of which the highest come first."""
    if not ordered:
        return 0.0
    if len(ordered[0]) == 1:
        return ordered[0][0]
    total, below = 0.0, 0.0
    if len(ordered[0]) == 2:
        for width, height in ordered:
            if height > below:
                total += width * (height - below)
                below = height
        return total
    for height in sorted({point[-1] for point in ordered}):  # slices, each of the points that reach it
        total += (height - below) * _volume([point[:-1] for point in ordered if point[-1] >= height])
        below = height
    return total
