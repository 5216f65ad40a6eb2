"""Write a figure as SVG: one text, the same for the same network, that needs no font, script or other file.

Every name from a file reaches the text through the template's escaping. Hovering a block or an arrow shows what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from spinedsl.analysis import Costs, costs_by_row, receptive_fields
from spinedsl.draw.layout import BOX_HEIGHT, BOX_WIDTH, Arrow, Box, Figure
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Row
from spinedsl.record import Record

RADIUS = 4.0  # of the corners of arrows
LEGEND = 46  # room below the figure
# Level colours: hues that stay apart for colour-blind readers (after Okabe and Ito), tinted for the bands.
HUES = {
    "light": ("#7a5195", "#0072b2", "#009e73", "#b8860b", "#d55e00", "#cc4b7c", "#5b6770"),
    "dark": ("#b996d6", "#56b4e9", "#3fd0a3", "#e9c46a", "#f4935a", "#ef8fb5", "#a9b4bd"),
}
THEMES = {
    "light": {
        "paper": "#ffffff",
        "ink": "#1b1f24",
        "faint": "#5b6770",
        "fill": "#ffffff",
        "stem": "#d9dde1",
        "red": "#d40000",
    },
    "dark": {
        "paper": "#14181d",
        "ink": "#eceff2",
        "faint": "#a9b4bd",
        "fill": "#242a31",
        "stem": "#4a535c",
        "red": "#ff6b6b",
    },
}
STEM_SHAPE = "trapezoid"
SHAPES = ("rectangle", "diamond", "hexagon", "octagon", "ellipse", STEM_SHAPE)
KNOWN_SHAPES = {"bottleneck": "rectangle", "residual": "diamond"}


class Drawn(Record):
    """A shape with its colours and the words that hovering shows."""

    markup: str
    label: str
    x: float
    y: float
    fill: str
    stroke: str
    width: float
    words: str
    tag: str


def to_svg(figure: Figure, theme: str = "light") -> str:
    """The figure as SVG. `theme` is `light` or `dark`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("spinedsl.draw"), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    colours = THEMES[theme]
    shapes = _shapes(figure)
    hues = {level: HUES[theme][level % len(HUES[theme])] for level in figure.bands}
    legend = _legend(figure, shapes)
    width = max(figure.width, 150 + sum(step for *_, step in legend), 360)
    program = figure.program
    words = _box_words(figure)
    return environment.get_template("figure.svg.jinja").render(
        name=program.name,
        title=f"{program.name}, {program.input_type.height} x {program.input_type.width}",
        colours=colours,
        width=_short(width),
        height=_short(figure.height + LEGEND),
        bands=[
            (level, _short(top), _short(bottom - top), hues[level], _size_of(figure, level))
            for level, (top, bottom) in figure.bands.items()
        ],
        boxes=[_drawn(box, shapes, colours, words[box.row.name]) for box in figure.boxes.values()],
        arrows=[
            (_path(arrow, shapes, figure), hues[arrow.level], arrow.level, arrow.kind, _arrow_words(arrow, figure))
            for arrow in figure.arrows
        ],
        hues=hues,
        legend=_placed(legend, figure.height + 26),
    )


def _short(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def _size_of(figure: Figure, level: int) -> str:
    type_ = figure.program.input_type
    return f"{type_.height >> level} x {type_.width >> level}"


# ---- shapes ----


def _shapes(figure: Figure) -> dict[str, str]:
    """A shape for each type in use: the paper's for its two, the others in order of appearance."""
    free = iter(shape for shape in SHAPES if shape not in (*KNOWN_SHAPES.values(), STEM_SHAPE))
    shapes: dict[str, str] = {}
    for box in figure.boxes.values():
        if box.row.kind == "stem":
            shapes.setdefault(box.row.type_name, STEM_SHAPE)
        else:
            name = box.row.type_name
            shapes.setdefault(name, KNOWN_SHAPES.get(name) or next(free, "rectangle"))
    return shapes


def outline(shape: str, x: float, y: float, width: float = BOX_WIDTH, height: float = BOX_HEIGHT) -> str:
    """A shape around a middle, as an SVG path."""
    w, h = width / 2, height / 2
    corners: Sequence[tuple[float, float]]
    if shape == "ellipse":
        corners = [(w * cos(pi * i / 16), h * sin(pi * i / 16)) for i in range(32)]
    else:
        cut = w * 0.4
        corners = {
            "rectangle": [(-w, -h), (w, -h), (w, h), (-w, h)],
            "diamond": [(-w, 0), (0, -h), (w, 0), (0, h)],
            "hexagon": [(-w, 0), (-w + cut, -h), (w - cut, -h), (w, 0), (w - cut, h), (-w + cut, h)],
            "octagon": [
                (-w, -h / 2), (-w + cut, -h), (w - cut, -h), (w, -h / 2),
                (w, h / 2), (w - cut, h), (-w + cut, h), (-w, h / 2),
            ],
            "trapezoid": [(-w, -h * 0.6), (w, -h), (w, h), (-w, h * 0.6)],
        }[shape]  # fmt: skip
    points = [f"{_short(x + dx)} {_short(y + dy)}" for dx, dy in corners]
    return "M" + "L".join(points) + "Z"


def _drawn(box: Box, shapes: dict[str, str], colours: dict[str, str], words: str) -> Drawn:
    output = box.role == "output"
    return Drawn(
        markup=outline(shapes[box.row.type_name], box.x, box.y),
        label=box.row.name,
        x=box.x,
        y=box.y,
        fill=colours["stem"] if box.role == "stem" else colours["fill"],
        stroke=colours["red"] if output else colours["ink"],
        width=2.2 if output else 1.2,
        words=words,
        tag=" ".join(box.outputs),
    )


def _box_words(figure: Figure) -> dict[str, str]:
    """What hovering each block shows."""
    graph = flatten(figure.program)
    costs, fields = costs_by_row(graph), receptive_fields(graph)
    return {name: _words_of(box.row, costs[name], fields[name]) for name, box in figure.boxes.items()}


def _words_of(row: Row, cost: Costs, field: int | None) -> str:
    type_ = row.type
    lines = [
        f"{row.name}: {row.type_name}" + (f" x {len(row.calls)}" if len(row.calls) > 1 else ""),
        f"level {row.level}, {type_.channels} x {type_.height} x {type_.width}",
        f"{cost.parameters:,} parameters, {cost.multiply_adds:,} multiply-adds",
        f"receptive field {field:,} pixels" if field is not None else "sees the whole image",
    ]
    return "\n".join(lines)


def _arrow_words(arrow: Arrow, figure: Figure) -> str:
    source, target = figure.boxes[arrow.source].row, figure.boxes[arrow.target].row
    how = {"absorbed": "absorbed as it is", "direct": "directly"}.get(arrow.kind, "")
    if not how:
        connection = next(c for c in target.inputs if c.source == arrow.source)
        definition = connection.resample.module.definition if connection.resample is not None else ""
        how = f"resampled by {definition}, level {source.level} to {target.level}"
    return f"{arrow.source} to {arrow.target}, {how}"


# ---- arrows ----


def _path(arrow: Arrow, shapes: dict[str, str], figure: Figure) -> str:
    """From outline to outline, corners rounded, and the end drawn back by the length of the head."""
    source, target = figure.boxes[arrow.source], figure.boxes[arrow.target]
    (x0, y0), *corners, (x1, y1) = arrow.points
    start = (x0 - _inset(shapes[source.row.type_name], y0 - source.y), y0)
    end = (x1 + _inset(shapes[target.row.type_name], y1 - target.y) - 4.5, y1)
    points = [start, *corners, end]
    out = f"M{_short(points[0][0])} {_short(points[0][1])}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(RADIUS, _distance(before, corner) / 2, _distance(corner, after) / 2)
        (x1, y1), (x2, y2) = _toward(corner, before, radius), _toward(corner, after, radius)
        out += f"L{_short(x1)} {_short(y1)}Q{_short(corner[0])} {_short(corner[1])} {_short(x2)} {_short(y2)}"
    return out + f"L{_short(points[-1][0])} {_short(points[-1][1])}"


def _inset(shape: str, dy: float) -> float:
    """How far inside its box a shape begins, `dy` above or below its middle."""
    w, h = BOX_WIDTH / 2, BOX_HEIGHT / 2
    share = min(abs(dy) / h, 1.0)
    if shape == "diamond":
        return w * share
    if shape == "ellipse":
        return w - w * float((1 - share * share) ** 0.5)
    if shape == "hexagon":
        return w * 0.4 * share
    return 0.0


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _toward(start: tuple[float, float], goal: tuple[float, float], by: float) -> tuple[float, float]:
    far = _distance(start, goal)
    share = by / far if far else 0.0
    return start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share


# ---- legend ----


def _legend(figure: Figure, shapes: dict[str, str]) -> list[tuple[str, str, float]]:
    """What stands below the figure: symbol, words, and the room that both take."""
    entries = [(shape, name) for name, shape in shapes.items()]
    if any(box.role == "output" for box in figure.boxes.values()):
        entries.append(("output", "output"))
    if any(arrow.kind == "absorbed" for arrow in figure.arrows):
        entries.append(("absorbed", "absorbed"))
    return [(symbol, words, 38 + 6.6 * len(words)) for symbol, words in entries]


def _placed(entries: list[tuple[str, str, float]], y: float) -> list[tuple[str, str, str, str]]:
    placed = []
    x = 92.0
    for symbol, words, step in entries:
        shape = outline(symbol if symbol in SHAPES else "rectangle", x, y, 18, 13)
        line = f"M{_short(x - 10)} {_short(y)}L{_short(x + 10)} {_short(y)}"
        placed.append((symbol, line if symbol == "absorbed" else shape, words, _short(x + 15)))
        x += step
    return placed
