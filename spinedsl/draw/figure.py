"""What a figure holds: boxes, arrows, bands and panels with their places in pixels, as `lay_out` makes them."""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl.draw.feeds import Feed
from spinedsl.draw.marks import CHANGED, RENAMED, Mark, Marking
from spinedsl.draw.shapes import Point
from spinedsl.draw.words import Facts
from spinedsl.ops.program import Program, Row
from spinedsl.record import Record

LABEL, TAG, TITLE, SUBTITLE = 11.0, 9.5, 16.0, 11.0  # font sizes
WIDTHS = ("equal", "channels")
WIDEST_BY_CHANNELS = 64.0  # added to a block's width for the most channels in the figure


class Spacing(Record):
    """How close things stand: the least width of a block, the gap between two of a row, and that beside verticals."""

    narrowest: float
    gap: float
    clear: float  # room for an arrow's head and a corner


class Box(Record):
    """A stem, block or head: `x` and `y` are its middle, `words` and `tag` the two lines of text in it."""

    row: Row
    shape: str
    x: float
    y: float
    width: float
    height: float
    role: str  # `stem`, `output`, `orphan` or `block`
    outputs: tuple[str, ...]
    words: str
    tag: str
    middles: tuple[float, ...]  # of the lines of text, below `y`


class Arrow(Record):
    """A connection: the corners of its way, from the outline of one box to that of another."""

    feed: Feed
    tier: int
    points: tuple[Point, ...]


class Band(Record):
    """The band of a tier: its edges, and the middle of its boxes."""

    top: float
    middle: float
    bottom: float


class Panel(Record):
    """One network of the figure: its left edge and how wide it is, two lines above it, boxes by name, marks."""

    facts: Facts
    left: float
    width: float
    title: str
    subtitle: str
    boxes: Mapping[str, Box]
    arrows: tuple[Arrow, ...]
    marking: Marking | None

    @property
    def program(self) -> Program:
        """The network."""
        return self.facts.program

    @property
    def marked(self) -> bool:
        """It is compared with another network."""
        return self.marking is not None

    @property
    def marks(self) -> Marking:
        """What is marked; nothing in a network that is not compared."""
        return self.marking or Marking()

    def mark_of(self, box: Box) -> Mark | None:
        """The mark of a box: its row's, else that its outputs changed."""
        if box.row.name in self.marks.rows:
            return self.marks.rows[box.row.name]
        kinds = {self.marks.rows[name].kind for name in box.outputs if name in self.marks.rows}
        return Mark(RENAMED if kinds == {RENAMED} else CHANGED) if kinds else None


class Figure(Record):
    """Everything that has a place, and how large it is. `bands` has the tiers from the topmost down."""

    panels: tuple[Panel, ...]
    width: float
    height: float
    bands: Mapping[int, Band]
    beyond: int  # the tier of what has no level
    shapes: Mapping[str, str]
    widths: str
    spacing: Spacing
