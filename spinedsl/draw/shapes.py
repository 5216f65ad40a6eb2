"""Shapes of blocks: outlines as polygons around a middle, where a line meets them, and how wide text makes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from math import cos, pi, sin
from typing import TypeAlias

from spinedsl.draw.glyphs import shortened, text_width
from spinedsl.ops.program import Row

Point: TypeAlias = tuple[float, float]
Line: TypeAlias = tuple[str, float, float, bool]  # of text: the text, font size, middle below the shape's, bold

HEIGHT, TALL = 32.0, 42.0  # of a block, and of a diamond
WIDEST, WIDEST_MARKED = 110.0, 170.0  # of a block, and of one that says what it was or what part it is of
TWO_LINES = (-5.5, 6.5)  # middles of two lines of text, below that of the block
BESIDE_TEXT = 5.0
KNOWN_SHAPES = {"bottleneck": "rectangle", "residual": "diamond"}  # as the paper draws them
KIND_SHAPES = {"stem": "trapezoid", "head": "pill"}
FREE_SHAPES = (
    "hexagon", "octagon", "ellipse", "parallelogram", "house", "tag", "rounded",
    "slanted", "shield", "flag", "waist", "ticket", "hat", "kite",
)  # fmt: skip


def shapes_of(rows: Iterable[Row]) -> dict[str, str]:
    """A shape for each type in use: the paper's for its two, one for stems and heads, the others as they appear."""
    free = iter(FREE_SHAPES)
    shapes: dict[str, str] = {}
    for row in rows:
        if row.type_name not in shapes:
            known = KIND_SHAPES.get(row.kind) or KNOWN_SHAPES.get(row.type_name)
            shapes[row.type_name] = known or next(free, FREE_SHAPES[-1])
    return shapes


def height_of(shape: str) -> float:
    """How high a block of that shape is."""
    return TALL if shape == "diamond" else HEIGHT


def middles(shape: str, above: float, below: float) -> tuple[float, float]:
    """Where two lines of text stand that are so wide: in a diamond, the wider one nearer to where that is widest."""
    if shape != "diamond":
        return TWO_LINES
    return (-7.5, 4.5) if below > above else (-4.5, 7.5)


@cache
def outline(shape: str, width: float, height: float) -> tuple[Point, ...]:
    """The corners of a shape whose middle is (0, 0), clockwise."""
    w, h = width / 2, height / 2
    cut = min(9.0, w * 0.4)
    corners: dict[str, Sequence[Point]] = {
        "rectangle": [(-w, -h), (w, -h), (w, h), (-w, h)],
        "diamond": [(-w, 0), (0, -h), (w, 0), (0, h)],
        "trapezoid": [(-w, -h * 0.62), (w, -h), (w, h), (-w, h * 0.62)],
        "hexagon": [(-w, 0), (-w + cut, -h), (w - cut, -h), (w, 0), (w - cut, h), (-w + cut, h)],
        "octagon": [
            (-w, -h * 0.45), (-w + cut, -h), (w - cut, -h), (w, -h * 0.45),
            (w, h * 0.45), (w - cut, h), (-w + cut, h), (-w, h * 0.45),
        ],
        "parallelogram": [(-w + cut, -h), (w, -h), (w - cut, h), (-w, h)],
        "house": [(-w, -h * 0.5), (0, -h), (w, -h * 0.5), (w, h), (-w, h)],
        "tag": [(-w, -h), (w - cut, -h), (w, 0), (w - cut, h), (-w, h)],
        "slanted": [(-w, -h), (w - cut, -h), (w, h), (-w + cut, h)],
        "shield": [(-w, -h), (w, -h), (w, h * 0.5), (0, h), (-w, h * 0.5)],
        "flag": [(-w, -h), (w, -h), (w - cut, 0), (w, h), (-w, h)],
        "waist": [(-w, -h), (w, -h), (w - cut * 0.7, 0), (w, h), (-w, h), (-w + cut * 0.7, 0)],
        "ticket": [
            (-w, -h * 0.55), (-w + cut * 0.8, -h * 0.55), (-w + cut * 0.8, -h), (w - cut * 0.8, -h),
            (w - cut * 0.8, -h * 0.55), (w, -h * 0.55), (w, h * 0.55), (w - cut * 0.8, h * 0.55),
            (w - cut * 0.8, h), (-w + cut * 0.8, h), (-w + cut * 0.8, h * 0.55), (-w, h * 0.55),
        ],
        "hat": [(-w + cut, -h), (w - cut, -h), (w, h), (-w, h)],
        "kite": [(-w, -h), (w - cut, -h), (w, -h + cut), (w, h), (-w, h)],
    }  # fmt: skip
    if shape in corners:
        return tuple(corners[shape])
    rx, ry = {"ellipse": (w, h), "pill": (h, h), "rounded": (min(w, 7.0), 7.0)}[shape]
    return tuple(_round(w, h, rx, ry))


def _round(w: float, h: float, rx: float, ry: float) -> Iterable[Point]:
    """A rectangle with elliptic corners."""
    for quarter, (sx, sy) in enumerate([(-1, -1), (1, -1), (1, 1), (-1, 1)]):
        for step in range(7):
            angle = pi * (1 + quarter / 2 + step / 12)
            yield sx * (w - rx) + rx * cos(angle), sy * (h - ry) + ry * sin(angle)


def side(shape: str, width: float, height: float, dy: float) -> tuple[float, float]:
    """Left and right end of a shape along the horizontal `dy` below its middle."""
    return _crossings([(y, x) for x, y in outline(shape, width, height)], dy)


def ends(shape: str, width: float, height: float, dx: float) -> tuple[float, float]:
    """Top and bottom end of a shape along the vertical `dx` right of its middle."""
    return _crossings(outline(shape, width, height), dx)


def _crossings(corners: Sequence[Point], at: float) -> tuple[float, float]:
    """The least and the greatest second coordinate at which the outline has `at` as the first."""
    found: list[float] = []
    for (a, b), (c, d) in pairwise([*corners, corners[0]]):
        if min(a, c) <= at <= max(a, c):
            found += [b, d] if a == c else [b + (d - b) * (at - a) / (c - a)]
    return (min(found), max(found)) if found else (0.0, 0.0)


def room(shape: str, width: float, line: Line) -> float:
    """Pixels that a line of text has inside a shape, centred."""
    _, size, middle, _ = line
    edges = [side(shape, width, height_of(shape), middle + dy) for dy in (-size * 0.36, size * 0.36)]
    return 2 * min(min(-left, right) for left, right in edges) - BESIDE_TEXT


@cache
def width_for(shape: str, lines: tuple[Line, ...], least: float, most: float = WIDEST) -> float:
    """The least width, from `least` up, that holds the lines of text; at most `most`, where text is shortened."""
    width = least
    while width < most and any(_wide(line) > room(shape, width, line) for line in lines):
        width += 2
    return width


def fitted(shape: str, width: float, line: Line) -> str:
    """The text of a line, shortened where the shape has no room for it; of rows of parts the end of the name stays."""
    text, size, _, bold = line
    return shortened(text, size, room(shape, width, line), bold=bold, end="." in text and not bold)


def _wide(line: Line) -> float:
    text, size, _, bold = line
    return text_width(text, size, bold=bold)
