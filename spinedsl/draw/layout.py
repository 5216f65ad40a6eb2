"""Lay out: from a program to boxes and routed arrows, in pixels.

The place of a block is given by the network: its column by the order of the rows, its height by its level. Arrows run
between the rows of levels and between the columns, each in a lane of its own, so that none runs through a block and
none lies upon another; they only cross. Lanes are handed out greedily, in order: equal networks give equal figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from spinedsl.ops.program import Program, Row
from spinedsl.record import Record, field

BOX_WIDTH, BOX_HEIGHT = 44, 30
LANE = 6  # between the lanes of two arrows
GUTTER = 14  # between columns, beside the lanes
BAND = 16  # above and below the lanes between two levels
MARGIN_LEFT, MARGIN_TOP = 92, 56
OUTPUT_TAG = 17  # room above a block for the name of its output


class Box(Record):
    """A block: `x` and `y` are its middle."""

    row: Row
    x: float
    y: float
    role: str  # `stem`, `output` or `block`
    outputs: tuple[str, ...]


class Arrow(Record):
    """A connection: the corners of its way, from the right side of one box to the left side of another."""

    source: str
    target: str
    kind: str  # `resampled`, `direct` or `absorbed`
    level: int
    points: tuple[tuple[float, float], ...]


class Figure(Record):
    """Everything that is drawn, and how large it is."""

    program: Program
    width: float
    height: float
    bands: Mapping[int, tuple[float, float]]  # of each level: top and bottom
    boxes: Mapping[str, Box]
    arrows: tuple[Arrow, ...]


class _Edge(Record, frozen=False):
    source: str
    target: str
    kind: str
    level: int
    start: int  # columns
    end: int
    port: float = 0.0  # where it enters, from the middle of the target
    leave: float = 0.0  # where it leaves, from the middle of the source
    between: int = 0  # the level above whose row it runs; 0 where it needs no lane across
    across: int = 0
    out: int = 0
    into: int = 0


class _Lanes(Record, frozen=False):
    """Lanes of one corridor: an interval gets the first lane that is free over its whole length."""

    taken: list[list[tuple[float, float]]] = field(default_factory=list)

    def place(self, low: float, high: float) -> int:
        for number, lane in enumerate(self.taken):
            if all(high < other_low or low > other_high for other_low, other_high in lane):
                lane.append((low, high))
                return number
        self.taken.append([(low, high)])
        return len(self.taken) - 1

    @property
    def width(self) -> float:
        """Pixels across all lanes."""
        return len(self.taken) * LANE


class _Gutter(Record, frozen=False):
    """What stands between two columns, from left to right: lanes of arrows that leave, that only step over, that enter.

    In this order no stretch along the side of one box can lie upon one along the side of the next.
    """

    leaving: _Lanes = field(default_factory=_Lanes)
    stepping: _Lanes = field(default_factory=_Lanes)
    entering: _Lanes = field(default_factory=_Lanes)

    @property
    def width(self) -> float:
        """Pixels across all lanes."""
        return self.leaving.width + self.stepping.width + self.entering.width


def lay_out(program: Program) -> Figure:
    """Place every stem and block of a program and route every connection. Outputs mark the blocks that they read."""
    rows = [row for row in program.rows if row.kind in ("stem", "block")]
    columns = {row.name: index for index, row in enumerate(rows)}
    edges = list(_edges(rows, columns, program.input_name))
    at_level = {row.name: level_of(row) for row in rows}
    _ports(edges, columns, at_level)
    across, gutters = _lanes(edges, at_level, len(rows))
    xs = _column_positions(gutters)
    levels = sorted(set(at_level.values()))
    bands = _level_positions(range(levels[0], levels[-1] + 1), across)
    outputs: dict[str, list[str]] = {}
    for row in program.rows:
        if row.kind == "output":
            outputs.setdefault(row.inputs[0].source, []).append(row.name)
    stem = _stem_names(rows)
    boxes = {
        row.name: Box(
            row,
            xs[index],
            _middle(bands, at_level[row.name]),
            _role(row, stem, outputs),
            tuple(outputs.get(row.name, ())),
        )
        for index, row in enumerate(rows)
    }
    arrows = tuple(_route(edge, boxes, bands, gutters) for edge in edges)
    width = xs[-1] + BOX_WIDTH / 2 + GUTTER * 2
    height = max(bottom for _, bottom in bands.values())
    return Figure(program, width, height, bands, boxes, arrows)


def level_of(row: Row) -> int:
    """Level of a stem or block, which has one; 0 of one that pools to 1x1."""
    return row.level or 0


def _role(row: Row, stem: set[str], outputs: Mapping[str, object]) -> str:
    return "output" if row.name in outputs else "stem" if row.name in stem else "block"


def _stem_names(rows: Sequence[Row]) -> set[str]:
    """The stem, and the blocks that follow it directly before any connection is resampled."""
    names: set[str] = set()
    for row in rows:
        if row.join is not None:
            break
        names.add(row.name)
    return names if len(names) < len(rows) else {row.name for row in rows if row.kind == "stem"}


def _edges(rows: Iterable[Row], columns: Mapping[str, int], input_name: str) -> Iterator[_Edge]:
    levels: dict[str, int] = {}
    for row in rows:
        levels[row.name] = level_of(row)
        kind = "direct" if row.join is None else "resampled"
        pairs = [(connection.source, kind) for connection in row.inputs if connection.source != input_name]
        pairs += [(name, "absorbed") for name in row.absorbed]
        for source, how in pairs:
            yield _Edge(source, row.name, how, levels[source], columns[source], columns[row.name])


def _ports(edges: Sequence[_Edge], columns: Mapping[str, int], levels: Mapping[str, int]) -> None:
    """Where arrows leave and enter: spread over the sides of the boxes, by where they come from and go to."""
    for name in columns:
        entering = sorted((edge for edge in edges if edge.target == name), key=lambda e: (-levels[e.source], e.start))
        leaving = sorted((edge for edge in edges if edge.source == name), key=lambda e: (-levels[e.target], e.end))
        for index, edge in enumerate(entering):
            edge.port = _spread(index, len(entering))
        for index, edge in enumerate(leaving):
            edge.leave = _spread(index, len(leaving))


def _spread(index: int, count: int) -> float:
    step = min(7.0, (BOX_HEIGHT - 14) / max(count - 1, 1))
    return (index - (count - 1) / 2) * step


def _lanes(edges: Sequence[_Edge], levels: Mapping[str, int], count: int) -> tuple[dict[int, _Lanes], list[_Gutter]]:
    """A lane for each stretch of each arrow: across between two levels, and up or down between two columns."""
    across: dict[int, _Lanes] = {}
    gutters = [_Gutter() for _ in range(count + 1)]
    for edge in sorted(edges, key=lambda edge: (edge.end - edge.start, edge.start, edge.source)):
        low, high = sorted((levels[edge.source], levels[edge.target]))
        if edge.end == edge.start + 1:
            if low == high and edge.port == edge.leave == 0:
                continue  # a straight line
            edge.out = gutters[edge.end].stepping.place(low - 0.5, high + 0.5)
            continue
        # Beside the target's level, on the side that it comes from: the long way is then across empty space.
        edge.between = levels[edge.target] if levels[edge.source] >= levels[edge.target] else levels[edge.target] - 1
        edge.across = across.setdefault(edge.between, _Lanes()).place(edge.start + 0.5, edge.end - 0.5)
        place = edge.between + 0.5
        edge.out = gutters[edge.start + 1].leaving.place(*sorted((levels[edge.source] - 0.4, place)))
        edge.into = gutters[edge.end].entering.place(*sorted((levels[edge.target] - 0.4, place)))
    return across, gutters


def _column_positions(gutters: Sequence[_Gutter]) -> list[float]:
    xs: list[float] = []
    x = float(MARGIN_LEFT)
    for index in range(len(gutters) - 1):
        x += (gutters[index].width + GUTTER * 2 if index else 0) + BOX_WIDTH / 2
        xs.append(x)
        x += BOX_WIDTH / 2
    return xs


def _level_positions(levels: range, across: Mapping[int, _Lanes]) -> dict[int, tuple[float, float]]:
    """Top and bottom of each level's band, the coarsest on top; the lanes above a level's boxes belong to its band."""
    bands: dict[int, tuple[float, float]] = {}
    y = float(MARGIN_TOP)
    for level in reversed(levels):
        lanes = len(across[level].taken) if level in across else 0
        bottom = y + lanes * LANE + OUTPUT_TAG + BOX_HEIGHT + BAND * 2
        bands[level] = (y, bottom)
        y = bottom
    return bands


def _middle(bands: Mapping[int, tuple[float, float]], level: int) -> float:
    return bands[level][1] - BAND - BOX_HEIGHT / 2


def _route(
    edge: _Edge, boxes: Mapping[str, Box], bands: Mapping[int, tuple[float, float]], gutters: Sequence[_Gutter]
) -> Arrow:
    source, target = boxes[edge.source], boxes[edge.target]
    start = (source.x + BOX_WIDTH / 2, source.y + edge.leave)
    end = (target.x - BOX_WIDTH / 2, target.y + edge.port)
    points = [start]
    if edge.end == edge.start + 1:
        if start[1] != end[1]:
            x = start[0] + GUTTER + gutters[edge.end].leaving.width + edge.out * LANE
            points += [(x, start[1]), (x, end[1])]
    else:
        y = bands[edge.between][0] + BAND + edge.across * LANE
        out = start[0] + GUTTER + edge.out * LANE
        into = end[0] - GUTTER - (edge.into + 1) * LANE
        points += [(out, start[1]), (out, y), (into, y), (into, end[1])]
    points.append(end)
    return Arrow(edge.source, edge.target, edge.kind, edge.level, tuple(points))
