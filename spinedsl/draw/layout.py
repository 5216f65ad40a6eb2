"""Lay out: from programs to boxes and routed arrows, in pixels, side by side on one scale.

The place of a block is given by the network: its column by the order of the rows, its height by its level. Heads, and
what is pooled to 1x1, stand in a band of their own above the coarsest level. `routes` says where arrows run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from spinedsl.draw.feeds import Feed, drawn_rows, feeds, output_names
from spinedsl.draw.figure import (
    LABEL,
    SUBTITLE,
    TAG,
    TITLE,
    WIDEST_BY_CHANNELS,
    Arrow,
    Band,
    Box,
    Figure,
    Panel,
    Spacing,
)
from spinedsl.draw.glyphs import TIMES, text_width
from spinedsl.draw.marks import Marking
from spinedsl.draw.paths import HEAD
from spinedsl.draw.routes import Link, Route, Routes, route
from spinedsl.draw.shapes import (
    TALL,
    WIDEST,
    WIDEST_MARKED,
    Line,
    Point,
    ends,
    fitted,
    height_of,
    middles,
    shapes_of,
    side,
    width_for,
)
from spinedsl.draw.words import Facts, rounded
from spinedsl.ops.program import Program, Row
from spinedsl.record import Record

LANE = 6.0  # between the lanes of two arrows
PAD = 13.0  # between a block and the edge of its band, or the first lane
MARGIN_LEFT, MARGIN_TOP, MARGIN_RIGHT = 92.0, 60.0, 24.0
BETWEEN_PANELS = 40.0
AIRY, DENSE = Spacing(38.0, 22.0, 14.0), Spacing(28.0, 13.0, 12.0)
MANY = 30  # columns from which a figure is dense


class _Node(Record):
    """A box before it has a place."""

    row: Row
    tier: int
    shape: str
    role: str
    outputs: tuple[str, ...]
    lines: tuple[Line, ...]
    wider: float
    widest: float


def lay_out(
    *programs: Program, widths: str = "equal", titles: Sequence[str] = (), markings: Sequence[Marking] = ()
) -> Figure:
    """Place every stem, block and head of the programs and route every connection; outputs mark what they read.

    `widths` is `equal`, or `channels` for blocks that are wider the more channels they have. `titles` (else the
    networks' names) and `markings` have one for each program.
    """
    drawn = [row for program in programs for row in drawn_rows(program)]
    shapes = shapes_of(drawn)
    beyond = max((row.level for row in drawn if row.kind != "head" and row.level is not None), default=0) + 1
    most = max((row.type.channels for row in drawn if row.kind != "head"), default=1)
    marked: Sequence[Marking | None] = markings or [None] * len(programs)
    nodes = [
        list(_nodes(program, marking or Marking(), shapes, beyond, most if widths == "channels" else 0))
        for program, marking in zip(programs, marked, strict=True)
    ]
    routed = [
        route([node.tier for node in row_of], _links(program), beyond)
        for program, row_of in zip(programs, nodes, strict=True)
    ]
    bands = _bands({node.tier for node in chain(*nodes)}, routed)
    spacing = DENSE if sum(map(len, nodes)) >= MANY else AIRY
    panels = []
    left = MARGIN_LEFT
    for index, program in enumerate(programs):
        title = titles[index] if titles else program.name
        panels.append(_panel(program, title, marked[index], nodes[index], routed[index], bands, spacing, left))
        left += panels[-1].width + BETWEEN_PANELS
    height = max(band.bottom for band in bands.values())
    return Figure(tuple(panels), left - BETWEEN_PANELS + MARGIN_RIGHT, height, bands, beyond, shapes, widths, spacing)


# ---- what stands in the figure ----


def _nodes(program: Program, marking: Marking, shapes: Mapping[str, str], beyond: int, most: int) -> Iterator[_Node]:
    outputs, stem, orphans = output_names(program), stem_names(program), orphan_names(program)
    for row in drawn_rows(program):
        names = outputs.get(row.name, ())
        role = "output" if names or row.kind == "head" else "stem" if row.name in stem else "block"
        role = "orphan" if row.name in orphans else role
        tier = beyond if row.kind == "head" or row.level is None else row.level
        wider = WIDEST_BY_CHANNELS * row.type.channels / most if most and row.kind != "head" else 0.0
        long = "." in row.name or any(map(marking.label, (row.name, *names)))
        widest = WIDEST_MARKED if long else WIDEST
        kinds = ", ".join(dict.fromkeys(task.kind for task in program.tasks_of(row.name)))
        lines = _lines(row, names, kinds, shapes[row.type_name], marking)
        yield _Node(row, tier, shapes[row.type_name], role, names, lines, wider, widest)


def _lines(row: Row, outputs: Sequence[str], kinds: str, shape: str, marking: Marking) -> tuple[Line, ...]:
    """The name, and below it what it was, the outputs that read the row, how often it is repeated; a head's `kinds`."""
    times = f"{TIMES}{len(row.calls)}" if len(row.calls) > 1 else ""
    was = marking.label(row.name)
    read = chain.from_iterable((name, "" if was else marking.label(name)) for name in outputs)
    tag = " ".join(filter(None, (was, *read, times, kinds)))
    if not tag:
        return ((row.name, LABEL, 0.0, False),)
    above, below = middles(shape, text_width(row.name, LABEL), text_width(tag, TAG, bold=True))
    return ((row.name, LABEL, above, False), (tag, TAG, below, True))


def stem_names(program: Program) -> set[str]:
    """The stems, and the blocks of one type that follow them directly before any connection is resampled."""
    rows = [row for row in program.rows if row.kind in ("stem", "block")]
    stems = {row.name for row in rows if row.kind == "stem"}
    blocks = [row for row in rows if row.kind == "block"]
    direct: set[str] = set()
    for row in blocks:
        if row.join is not None or len(row.inputs) > 1 or row.type_name != blocks[0].type_name:
            return stems | direct
        direct.add(row.name)
    return stems  # every block is direct: a plain network


def orphan_names(program: Program) -> set[str]:
    """What nothing reads, and a block absorbs."""
    read = {connection.source for row in program.rows for connection in row.inputs}
    return {name for row in program.rows for name in row.absorbed} - read


def _links(program: Program) -> Iterator[Link]:
    columns = {row.name: column for column, row in enumerate(drawn_rows(program))}
    for number, feed in enumerate(feeds(program)):
        yield Link(columns[feed.source], columns[feed.target], number)


# ---- places ----


def _bands(tiers: set[int], routed: Sequence[Routes]) -> dict[int, Band]:
    """Each tier's band, the coarsest on top; the lanes beside a tier's boxes belong to its band."""
    bands: dict[int, Band] = {}
    y = MARGIN_TOP
    for tier in range(max(tiers), min(tiers) - 1, -1):
        above = max(routes.low_lanes.get(tier, 0) for routes in routed)
        below = max(routes.high_lanes.get(tier - 1, 0) for routes in routed)
        middle = y + above * LANE + PAD + TALL / 2
        bands[tier] = Band(y, middle, middle + TALL / 2 + PAD + below * LANE)
        y = bands[tier].bottom
    return bands


def _panel(
    program: Program,
    title: str,
    marking: Marking | None,
    nodes: Sequence[_Node],
    routes: Routes,
    bands: Mapping[int, Band],
    spacing: Spacing,
    left: float,
) -> Panel:
    """One network as boxes and arrows, its left edge at `left`."""
    widths = [
        width_for(node.shape, node.lines, max(spacing.narrowest, 2 * spread + 12), node.widest) + node.wider
        for node, spread in zip(nodes, routes.spread, strict=True)
    ]
    xs = _columns(nodes, widths, routes.spread, spacing, left)
    placed = [_box(node, x, bands[node.tier].middle, width) for node, x, width in zip(nodes, xs, widths, strict=True)]
    fed = tuple(feeds(program))
    arrows = tuple(
        _arrow(one, fed[one.link.number], placed, nodes, bands)
        for one in sorted(routes.routes, key=lambda one: one.link.number)
    )
    facts = Facts(program)
    subtitle = _subtitle(facts)
    room = max(
        max(box.x + box.width / 2 for box in placed) - left,
        text_width(title, TITLE, bold=True),
        text_width(subtitle, SUBTITLE),
    )
    return Panel(facts, left, room, title, subtitle, {box.row.name: box for box in placed}, arrows, marking)


def _subtitle(facts: Facts) -> str:
    total, image = facts.total, facts.program.input_type
    parameters, work = rounded(total.parameters), rounded(total.multiply_adds)
    return f"{image.height} x {image.width}, {parameters} parameters, {work} multiply-adds"


def _columns(
    nodes: Sequence[_Node], widths: Sequence[float], spread: Sequence[float], spacing: Spacing, left: float
) -> list[float]:
    """Middles of all boxes: in order, clear of each other in a row, and of each other's verticals across rows."""
    xs: list[float] = []
    widest, furthest = max(widths, default=0.0), max(spread, default=0.0)
    for j, node in enumerate(nodes):
        x = left + widths[j] / 2
        most = max(
            widest / 2 + spacing.gap + widths[j] / 2,
            spacing.clear + max(furthest + widths[j] / 2, widest / 2 + spread[j]),
        )
        for i in range(j - 1, -1, -1):
            if xs[i] + most <= x:
                break  # boxes further left are further away
            if nodes[i].tier == node.tier:
                apart = widths[i] / 2 + spacing.gap + widths[j] / 2
            else:
                apart = spacing.clear + max(spread[i] + widths[j] / 2, widths[i] / 2 + spread[j])
            x = max(x, xs[i] + apart)
        xs.append(x)
    return xs


def _box(node: _Node, x: float, y: float, width: float) -> Box:
    """The box of a node, its centre at (x, y), with the words that fit in it."""
    words, *tag = (fitted(node.shape, width, line) for line in node.lines)
    return Box(
        node.row,
        node.shape,
        x,
        y,
        width,
        height_of(node.shape),
        node.role,
        node.outputs,
        words,
        "".join(tag),
        tuple(middle for _, _, middle, _ in node.lines),
    )


def _arrow(one: Route, feed: Feed, boxes: Sequence[Box], nodes: Sequence[_Node], bands: Mapping[int, Band]) -> Arrow:
    """A route in pixels: the corners between the two outlines."""
    source, target = boxes[one.link.source], boxes[one.link.target]
    corners: list[Point]
    if one.way == "row":
        corners = []
    elif one.way == "rise":
        corners = [(source.x + one.leave, target.y + one.enter)]
    elif one.way == "run":
        corners = [(target.x + one.enter, source.y + one.leave)]
    else:
        y = _lane_height(one, bands)
        corners = [(source.x + one.leave, y), (target.x + one.enter, y)]
    start = _start(one, source, corners)
    end = _end(one, target, corners)
    tier = nodes[one.link.source].tier
    return Arrow(feed, tier, (start, *corners, end))


def _lane_height(one: Route, bands: Mapping[int, Band]) -> float:
    beside = TALL / 2 + PAD + one.lane * LANE
    return bands[one.corridor].middle - beside if one.low else bands[one.corridor + 1].middle + beside


def _start(one: Route, box: Box, corners: Sequence[Point]) -> Point:
    if one.way in ("row", "run"):
        return box.x + side(box.shape, box.width, box.height, one.leave)[1], box.y + one.leave
    top, bottom = ends(box.shape, box.width, box.height, one.leave)
    return box.x + one.leave, box.y + (bottom if corners[0][1] > box.y else top)


def _clear_of(box: Box, dy: float) -> float:
    """Where the tip of an arrow stands at a left side, so that the whole head is outside of a slanted outline."""
    corners = (side(box.shape, box.width, box.height, dy + across)[0] + HEAD - 2 for across in (-HEAD / 2, HEAD / 2))
    return min(side(box.shape, box.width, box.height, dy)[0], *corners)


def _end(one: Route, box: Box, corners: Sequence[Point]) -> Point:
    if one.way in ("row", "rise"):
        return box.x + _clear_of(box, one.enter), box.y + one.enter
    top, bottom = ends(box.shape, box.width, box.height, one.enter)
    return box.x + one.enter, box.y + (bottom if corners[-1][1] > box.y else top)
