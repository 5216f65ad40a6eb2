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
