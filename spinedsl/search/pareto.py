"""Fronts of points, of which more is better in each direction: which no other dominates, and how much they cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Scores: TypeAlias = "tuple[float, ...]"


def undominated(points: Iterable[Scores]) -> list[Scores]:
    """Points that no other is at least as good as in every direction, each once, the highest first.

    It takes points times those that are kept; of two directions, next to nothing.
    """
    kept: list[Scores] = []
    for point in sorted(set(points), reverse=True):
        among = kept[-1:] if len(point) == 2 else kept  # the last one kept is the highest in the second direction
        if not any(all(a >= b for a, b in zip(other, point, strict=True)) for other in among):
            kept.append(point)
    return kept


def fronts(points: Sequence[Scores]) -> list[list[int]]:
    """Numbers of points, front by front: those that no other dominates, then those that only these do, and so on.

    Of two directions it takes points times the logarithm of the fronts; of more, the sizes of these besides (Zhang et
    al., "An Efficient Approach to Nondominated Sorting", IEEE TEC 2015).
    """
    found: list[list[int]] = []
    for at in sorted(range(len(points)), key=lambda at: points[at], reverse=True):
        low, high = 0, len(found)
        while low < high:  # what a front dominates, all before it do
            middle = (low + high) // 2
            low, high = (middle + 1, high) if _dominated(at, found[middle], points) else (low, middle)
        if low == len(found):
            found.append([])
        found[low].append(at)
    return [sorted(front) for front in found]


def _dominated(at: int, front: Sequence[int], points: Sequence[Scores]) -> bool:
    """Whether one of a front, which are higher in the first direction, is so in every other; equal ones are not."""
    point = points[at]
    among = front[-1:] if len(point) <= 2 else front  # the last one is the highest in the second direction
    return any(points[one] != point and all(a >= b for a, b in zip(points[one], point, strict=True)) for one in among)


def hypervolume(points: Sequence[Scores]) -> float:
    """The volume between the origin and the points: of all that at least one of them dominates."""
    if not points:
        return 0.0
    if len(points[0]) == 1:
        return max(point[0] for point in points)
    total, below = 0.0, 0.0
    for height in sorted({point[-1] for point in points}):  # slices, each of the points that reach it
        slice_ = undominated(point[:-1] for point in points if point[-1] >= height)
        total += (height - below) * hypervolume(slice_)
        below = height
    return total
