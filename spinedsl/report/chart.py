"""A chart as SVG that is a part of a page: axes, dots, lines and bands, in the classes of the page's style sheet.

Series differ by hue, by dashes and by the shape of their marks, so that a chart can be read without colours. Every
word passes `markupsafe.escape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from spinedsl.record import Record
from spinedsl.report.scale import Axis, told_apart

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH, HEIGHT = 640, 380
LEFT, TOP, BOTTOM, RIGHT = 72, 14, 50, 20
LINE = 15  # pixels between the names of two lines
Point: TypeAlias = tuple[float, float]

SHAPES = {
    "circle": "M{x0} {y}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z",
    "square": "M{x0} {y0}h10v10h-10Z",
    "triangle": "M{x} {y00}l6 11h-12Z",
    "diamond": "M{x} {y00}l6.5 6.5l-6.5 6.5l-6.5 -6.5Z",
    "cross": "M{x0} {y0}l10 10m0 -10l-10 10",
}


class Series(Record):
    """What tells a series from others: a name, a hue's number, dashes, and the shape of its marks."""

    name: str
    hue: int
    dashes: str
    shape: str


STYLES = (
    (0, "", "circle"),
    (1, "7 3", "square"),
    (2, "2 3", "triangle"),
    (3, "10 3 2 3", "diamond"),
    (4, "4 2", "cross"),
)


def series(names: Iterable[str]) -> dict[str, Series]:
    """A style for each name, in their order."""
    return {name: Series(name, *STYLES[at % len(STYLES)]) for at, name in enumerate(dict.fromkeys(names))}


def sample(style: Series) -> Markup:
    """The line and the mark of a series, for a legend."""
    from markupsafe import Markup  # noqa: PLC0415

    mark = SHAPES[style.shape].format(x="23", y="7", x0="18", y0="2", y00="0.5")
    dashes = f' stroke-dasharray="{style.dashes}"' if style.dashes else ""
    return Markup(  # noqa: S704  nothing in it is from a file
        f'<svg viewBox="0 0 46 14" aria-hidden="true"><path class="line{_hue(style.hue)}"{dashes} d="M0 7H46"/>'
        f'<path class="mark{_hue(style.hue)}" d="{mark}"/></svg>'
    )


class Chart:
    """A chart that is filled from back to front. `room` is for words at the right of it."""

    def __init__(self, title: str, x: Axis, y: Axis, room: float = 0) -> None:
        from markupsafe import escape  # noqa: PLC0415  not needed for anything else

        self.escape = escape
        self.title, self.x, self.y = title, x, y
        self.left, self.right = LEFT, WIDTH - RIGHT - room
        self.parts: list[Markup | str] = []
        self.named: list[tuple[float, float, Series]] = []
        self.labels: list[Point] = []

    def place(self, point: Point) -> Point:
        """Where a point is, in pixels."""
        x = self.left + self.x.share(point[0]) * (self.right - self.left)
        return round(x, 1), round(HEIGHT - BOTTOM - self.y.share(point[1]) * (HEIGHT - BOTTOM - TOP), 1)

    def dots(self, points: Iterable[Point], hue: int | None = None) -> None:
        """Many small dots, as one path: of a series, or of nothing in particular."""
        path = "".join(f"M{x:g} {y:g}h0" for x, y in map(self.place, points))
        if path:
            self.parts.append(f'<path class="dots{_hue(hue)}" d="{path}"/>')

    def line(self, points: Sequence[Point], kind: str = "line", hue: int | None = None, dashes: str = "") -> None:
        """A line through points."""
        if len(points) > 1:
            path = "M" + "L".join(f"{x:g} {y:g}" for x, y in map(self.place, points))
            dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
            self.parts.append(f'<path class="{kind}{_hue(hue)}"{dashed} d="{path}"/>')

    def steps(self, points: Sequence[Point], kind: str = "front") -> None:
        """A line that goes across, then up or down: what is reached by each place."""
        stairs = [points[0]] if points else []
        for (_, y), (x, other) in pairwise(points):
            stairs += [(x, y), (x, other)]
        self.line(stairs, kind)

    def band(self, low: Sequence[Point], high: Sequence[Point], hue: int) -> None:
        """The surface between two lines."""
        if len(low) > 1:
            around = [*map(self.place, low), *map(self.place, reversed(high))]
            path = "M" + "L".join(f"{x:g} {y:g}" for x, y in around) + "Z"
            self.parts.append(f'<path class="band{_hue(hue)}" d="{path}"/>')

    def mark(
        self, point: Point, words: str, shape: str = "circle", hue: int | None = None, label: str = "", link: str = ""
    ) -> None:
        """A mark that says what it is where a pointer rests on it; with a label, and a part of the page it leads to."""
        x, y = self.place(point)
        path = SHAPES[shape].format(x=f"{x:g}", y=f"{y:g}", x0=f"{x - 5:g}", y0=f"{y - 5:g}", y00=f"{y - 6.5:g}")
        inside = f'<title>{self.escape(words)}</title><path class="mark{_hue(hue)}" d="{path}"/>'
        if label and all(abs(x - left) > 10 * len(label) or abs(y - top) > LINE for left, top in self.labels):
            self.labels.append((x, y))
            end = x > self.right - 40
            anchor, at = ("end", x - 8) if end else ("start", x + 8)
            inside += f'<text class="label" x="{at:g}" y="{y - 7:g}" text-anchor="{anchor}">{self.escape(label)}</text>'
        self.parts.append(f'<a href="#{self.escape(link)}">{inside}</a>' if link else f"<g>{inside}</g>")

    def name(self, point: Point, style: Series) -> None:
        """Write the name of a series at the right end of its line."""
        x, y = self.place(point)
        self.named.append((y, x, style))

    def svg(self) -> Markup:
        """The whole."""
        from markupsafe import Markup  # noqa: PLC0415

        parts = [*self._axes(), *self.parts, *self._names()]
        return Markup(  # noqa: S704  words were escaped where they came in
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{self.escape(self.title)}">'
            + "\n".join(map(str, parts))
            + "</svg>"
        )

    def _axes(self) -> Iterable[str]:
        bottom = HEIGHT - BOTTOM
        for value, words in zip(self.y.ticks, told_apart(self.y.ticks), strict=True):
            _, y = self.place((self.x.low, value))
            yield f'<path class="grid" d="M{self.left} {y:g}H{self.right:g}"/>'
            yield f'<text class="tick" x="{self.left - 8}" y="{y + 4:g}" text-anchor="end">{words}</text>'
        for value, words in zip(self.x.ticks, told_apart(self.x.ticks), strict=True):
            x, _ = self.place((value, self.y.low))
            yield f'<path class="grid" d="M{x:g} {TOP}V{bottom}"/>'
            yield f'<text class="tick" x="{x:g}" y="{bottom + 17}" text-anchor="middle">{words}</text>'
        yield f'<path class="axis" d="M{self.left} {TOP}V{bottom}H{self.right:g}"/>'
        middle = (self.left + self.right) / 2
        across = f'x="{middle:g}" y="{HEIGHT - 10}" text-anchor="middle"'
        yield f'<text class="words" {across}>{self.escape(self.x.words)}</text>'
        height = (TOP + bottom) / 2
        yield (
            f'<text class="words" x="20" y="{height:g}" text-anchor="middle" transform="rotate(-90 20 {height:g})">'
            f"{self.escape(self.y.words)}</text>"
        )

    def _names(self) -> Iterable[str]:
        """The names of lines, apart from each other, in the order of their ends."""
        before = float("-inf")
        for y, x, style in sorted(self.named, key=lambda one: one[0]):
            before = max(y + 4, before + LINE)
            yield (f'<text class="name{_hue(style.hue)}" x="{x + 8:g}" y="{before:g}">{self.escape(style.name)}</text>')


def _hue(hue: int | None) -> str:
    return "" if hue is None else f" hue-{hue}"
