"""Paths as SVG writes them: outlines, arrows with rounded corners, and their heads."""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl.draw.shapes import Point, outline

RADIUS = 4.0  # of the corners of arrows
HEAD = 6.0  # length of an arrow's head
OFF = 1.0  # between an arrow's tip and the outline, which has a width


def short(value: float) -> str:
    """A coordinate with at most one decimal."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def outline_path(shape: str, x: float, y: float, width: float, height: float) -> str:
    """A shape around a middle."""
    return "M" + "L".join(_at((x + dx, y + dy)) for dx, dy in outline(shape, width, height)) + "Z"


def arrow_path(points: Sequence[Point]) -> str:
    """The line of an arrow, as far as the back of its head, corners rounded."""
    points = [*points[:-1], _toward(points[-1], points[-2], HEAD - 1 + OFF)]
    path = f"M{_at(points[0])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(RADIUS, _distance(before, corner) / 2, _distance(corner, after) / 2)
        path += f"L{_at(_toward(corner, before, radius))}Q{_at(corner)} {_at(_toward(corner, after, radius))}"
    return f"{path}L{_at(points[-1])}"


def arrow_head(points: Sequence[Point]) -> str:
    """The head of an arrow: a triangle whose tip touches the outline."""
    tip = _toward(points[-1], points[-2], OFF)
    back = _toward(points[-1], points[-2], OFF + HEAD)
    across = (back[1] - tip[1]) / 2, (tip[0] - back[0]) / 2
    left, right = (back[0] + across[0], back[1] + across[1]), (back[0] - across[0], back[1] - across[1])
    return f"M{_at(tip)}L{_at(left)}L{_at(right)}Z"


def _at(point: Point) -> str:
    return f"{short(point[0])} {short(point[1])}"


def _distance(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _toward(start: Point, goal: Point, by: float) -> Point:
    far = _distance(start, goal)
    share = by / far if far else 0.0
    return start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share
