"""Route: the way of each arrow through a grid of columns and tiers, before anything has a place in pixels.

Each block has a column of its own, so the space above and below it is free for its own arrows; tiers are rows of blocks
of one level. An arrow runs in a tier's row where no other block stands between its ends, else across the corridor
between two tiers, in a lane that it shares with no arrow beside it. Every stretch has a port or lane of its own: arrows
cross, but none runs through a block and none lies upon another. Equal networks get equal routes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from spinedsl.record import Record, field

PORT = 7.0  # between two arrows above or below a block
APART, GAP = 10.0, 20.0  # between two arrows at its left or right, and between the outermost of them
MOST_IN_A_GAP = 4  # arrows that run side by side in a row


class Link(Record):
    """A connection between two columns; `number` tells links with the same ends apart."""

    source: int
    target: int
    number: int


class Route(Record, frozen=False):
    """Where a link runs.

    `way` is `row` (straight to the right), `rise` (up or down from the source, then along the target's row), `run`
    (along the source's row, then up or down into the target) or `lane` (through a corridor). `leave` and `enter` are
    distances from the middle of the two blocks: to the right, or down, as the way begins and ends.
    """

    link: Link
    way: str = "lane"
    corridor: int = 0  # the tier below it
    low: bool = True  # its lane is counted from the tier below the corridor, else from the one above
    lane: int = 0
    leave: float = 0.0
    enter: float = 0.0

    @property
    def span(self) -> int:
        """How many columns it covers."""
        return self.link.target - self.link.source


class Routes(Record, frozen=False):
    """All routes of one network, and the lanes in each corridor: counted from below and from above."""

    routes: list[Route]
    low_lanes: dict[int, int] = field(default_factory=dict)
    high_lanes: dict[int, int] = field(default_factory=dict)
    spread: list[float] = field(default_factory=list)  # of each column: how far from its middle arrows run


class _Lane:
    """Intervals that do not overlap, from left to right."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def free(self, span: tuple[int, int]) -> bool:
        """Nothing in it overlaps `span`: what begins before its end has ended when it begins."""
        before = bisect_left(self.starts, span[1])
        return not before or self.ends[before - 1] <= span[0]

    def take(self, span: tuple[int, int]) -> None:
        at = bisect_left(self.starts, span[0])
        self.starts.insert(at, span[0])
        self.ends.insert(at, span[1])


class _Corridors:
    """Lanes of all corridors: an interval gets the first lane that is free over its whole length."""

    def __init__(self) -> None:
        self.taken: dict[tuple[int, bool], list[_Lane]] = {}

    def crowd(self, corridor: int, span: tuple[int, int]) -> int:
        """How many lanes are in use somewhere along `span`, from either side."""
        return sum(not lane.free(span) for low in (True, False) for lane in self.taken.get((corridor, low), []))

    def place(self, corridor: int, low: bool, span: tuple[int, int]) -> int:
        lanes = self.taken.setdefault((corridor, low), [])
        number = next((number for number, lane in enumerate(lanes) if lane.free(span)), len(lanes))
        if number == len(lanes):
            lanes.append(_Lane())
        lanes[number].take(span)
        return number


def route(tiers: Sequence[int], links: Iterable[Link], last: int) -> Routes:
    """Route all links. `tiers` has the tier of each column; into `last`, that of the heads, arrows come from below."""
    routes = [
        Route(link) for link in sorted(links, key=lambda link: (link.target - link.source, link.source, link.number))
    ]
    gaps = _ways(tiers, routes, last)
    corridors = _Corridors()
    for one in routes:
        if one.way == "lane":
            _take_lane(one, tiers, corridors)
    for gap in gaps.values():
        _spread_gap(gap, tiers)
    made = Routes(routes)
    for (corridor, low), lanes in corridors.taken.items():
        (made.low_lanes if low else made.high_lanes)[corridor] = len(lanes)
    entering: list[list[Route]] = [[] for _ in tiers]
    leaving: list[list[Route]] = [[] for _ in tiers]
    for one in routes:
        if one.way in ("run", "lane"):
            entering[one.link.target].append(one)
        if one.way in ("rise", "lane"):
            leaving[one.link.source].append(one)
    made.spread += [_spread_ports(tiers, *column) for column in zip(tiers, entering, leaving, strict=True)]
    return made


# ---- which way ----


def _ways(tiers: Sequence[int], routes: Sequence[Route], last: int) -> dict[tuple[int, int], list[Route]]:
    """Choose ways along rows where these are free; the routes in each gap between two blocks of a row."""
    gaps: dict[tuple[int, int], list[Route]] = {}
    before_it, after_it = _neighbours(tiers)
    for one in routes:
        source, target = one.link.source, one.link.target
        options: list[tuple[int, str, tuple[int, int]]] = []
        before, after = before_it[target], after_it[source]
        if before <= source and tiers[source] != tiers[target]:
            options.append((2 if tiers[target] == last else 0, "rise", (tiers[target], before)))
        if after >= target:
            options.append((1, "row" if tiers[source] == tiers[target] else "run", (tiers[source], source)))
        free = [
            (len(gaps.get(gap, ())), rank, way, gap)
            for rank, way, gap in options
            if len(gaps.get(gap, ())) < MOST_IN_A_GAP
        ]
        if free:
            _, _, one.way, gap = min(free, key=lambda option: (option[1] == 2, option[0], option[1]))
            gaps.setdefault(gap, []).append(one)
    return gaps


def _neighbours(tiers: Sequence[int]) -> tuple[list[int], list[int]]:
    """Of each column, the last one before it and the first one after it in its tier; -1 and the number of columns."""
    before, after = [-1] * len(tiers), [len(tiers)] * len(tiers)
    last: dict[int, int] = {}
    for column, tier in enumerate(tiers):
        if tier in last:
            before[column] = last[tier]
            after[last[tier]] = column
        last[tier] = column
    return before, after


def _take_lane(one: Route, tiers: Sequence[int], corridors: _Corridors) -> None:
    """A lane beside the target's tier or beside the source's, whichever is less crowded."""
    source, target = tiers[one.link.source], tiers[one.link.target]
    if source == target:
        options = [(source, True), (source - 1, False)]
    elif source < target:
        options = [(target - 1, False), (source, True)]
    else:
        options = [(target, True), (source - 1, False)]
    span = (one.link.source, one.link.target)
    one.corridor, one.low = min(options, key=lambda option: corridors.crowd(option[0], span))
    one.lane = corridors.place(one.corridor, one.low, span)


# ---- ports ----


def _spread_gap(gap: Sequence[Route], tiers: Sequence[int]) -> None:
    """Heights of the routes in one gap of a row, so that none crosses another needlessly.

    From top to bottom: those that come from or go to tiers above, the short ones outside; straight ones; those below.
    """

    def order(one: Route) -> tuple[int, int]:
        source, target = tiers[one.link.source], tiers[one.link.target]
        other = source if one.way == "rise" else target
        row = target if one.way == "rise" else source
        up = (other > row) - (other < row)
        return -up, one.span * up

    step = min(APART, GAP / max(len(gap) - 1, 1))
    for index, one in enumerate(sorted(gap, key=order)):
        offset = (index - (len(gap) - 1) / 2) * step
        if one.way in ("row", "run"):
            one.leave = offset
        if one.way in ("row", "rise"):
            one.enter = offset


def _turn(one: Route, tiers: Sequence[int]) -> float:
    """How high a route turns from or to a column's vertical, in tiers and fractions of one."""
    if one.way == "lane":
        return one.corridor + (0.3 + one.lane / 1000 if one.low else 0.7 - one.lane / 1000)
    if one.way == "rise":
        return tiers[one.link.target] - one.enter / 1000
    return tiers[one.link.source] - one.leave / 1000


def _spread_ports(
    tiers: Sequence[int], tier: int, all_entering: Sequence[Route], all_leaving: Sequence[Route]
) -> float:
    """Places of the verticals above and below one block, entering ones left, leaving ones right; the outermost."""
    widest = 0.0
    for above in (True, False):
        sign = 1 if above else -1
        entering = [one for one in all_entering if (_turn(one, tiers) > tier) == above]
        leaving = [one for one in all_leaving if (_turn(one, tiers) > tier) == above]
        entering.sort(key=lambda one: sign * _turn(one, tiers))
        leaving.sort(key=lambda one: -sign * _turn(one, tiers))
        count = len(entering) + len(leaving)
        for index, one in enumerate([*entering, *leaving]):
            offset = (index - (count - 1) / 2) * PORT
            if index < len(entering):
                one.enter = offset
            else:
                one.leave = offset
            widest = max(widest, abs(offset))
    return widest
