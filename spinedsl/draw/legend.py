"""The legend: what stands below a figure, in as many lines as its width asks for."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.draw.colours import STEPS
from spinedsl.draw.figure import WIDEST_BY_CHANNELS, Figure
from spinedsl.draw.glyphs import TIMES, shortened, text_width
from spinedsl.draw.marks import DROPPED, KINDS
from spinedsl.draw.paths import outline_path, short
from spinedsl.draw.words import mebibytes, rounded
from spinedsl.record import Record

LEGEND_TEXT = 11.0  # font size
LINE, MARGIN, SYMBOL, APART = 22.0, 16.0, 22.0, 18.0


class Part(Record):
    """A piece of a symbol: a path, and how it is painted; `line` for one that is not filled."""

    path: str
    style: str
    line: bool = False
    dashed: bool = False


class Entry(Record):
    """A symbol with its words."""

    parts: tuple[Part, ...]
    words: str
    x: str
    y: str


class _Symbol(Record):
    """An entry before it has a place: its kind, what that needs to know, how wide its symbol is, its words."""

    kind: str
    what: str
    width: float
    words: str


def legend(figure: Figure, colour: str, most: int, *, hotter: bool) -> tuple[list[Entry], float]:
    """All entries, placed below the figure, and the height of the whole.

    `most` is the hot end of the heat scale, and `hotter` whether something stands beyond it.
    """
    entries: list[Entry] = []
    x, y = MARGIN, figure.height + 24
    for symbol in _symbols(figure, colour, most, hotter=hotter):
        words = shortened(symbol.words, LEGEND_TEXT, figure.width - 2 * MARGIN - symbol.width - 6)
        room = symbol.width + 6 + text_width(words, LEGEND_TEXT)
        if x > MARGIN and x + room > figure.width - MARGIN:
            x, y = MARGIN, y + LINE
        parts = tuple(_parts(symbol, x, y))
        entries.append(Entry(parts, words, short(x + symbol.width + 6), short(y + LEGEND_TEXT * 0.36)))
        x += room + APART
    return entries, y + 20


def _symbols(figure: Figure, colour: str, most: int, *, hotter: bool) -> Iterator[_Symbol]:
    """The symbols that this figure needs an explanation of, in order."""
    boxes = [box for panel in figure.panels for box in panel.boxes.values()]
    marked = any(panel.marked for panel in figure.panels)
    for name, shape in figure.shapes.items():
        yield _Symbol("stem" if shape == "trapezoid" and not most else "block", shape, SYMBOL, name)
    if not most and any(box.role == "stem" and box.row.kind != "stem" for box in boxes):
        yield _Symbol("stem", "rectangle", SYMBOL, "stem")
    if not marked and any(box.role == "output" for box in boxes):
        yield _Symbol("output", "rectangle", SYMBOL, "output")
    words = {
        "below a head: its task": any(panel.program.tasks for panel in figure.panels),
        f"{TIMES}n: repeated n times": any(len(box.row.calls) > 1 for box in boxes),
    }
    yield from (_Symbol("none", "", -6, text) for text, there in words.items() if there)
    absorbed = {
        panel.boxes[arrow.feed.source].role
        for panel in figure.panels
        for arrow in panel.arrows
        if arrow.feed.kind == "absorbed"
    }
    if "orphan" in absorbed:
        yield _Symbol("orphan", "rectangle", SYMBOL, "orphan, absorbed as it is")
    if absorbed - {"orphan"}:
        yield _Symbol("absorbed", "", SYMBOL, "absorbed as it is")
    if marked:
        marks = [
            mark for panel in figure.panels for of in (panel.marks.rows, panel.marks.arrows) for mark in of.values()
        ]
        for kind in (kind for kind in KINDS if any(mark.kind == kind for mark in marks)):
            yield _Symbol("mark", kind, SYMBOL, kind)
    elif not most:
        coarsest = next((tier for tier in figure.bands if tier != figure.beyond), figure.beyond)
        yield _Symbol("arrow", str(coarsest), SYMBOL, "arrow: level of its source")
    if figure.widths == "channels":
        channels = [box.row.type.channels for box in boxes if box.row.kind != "head"]
        for count in sorted({min(channels), max(channels)}):
            width = figure.spacing.narrowest + WIDEST_BY_CHANNELS * count / max(channels)
            yield _Symbol("width", short(width), width, f"{count} channels")
    if most:
        end = mebibytes(most) if colour == "memory" else rounded(most)
        yield _Symbol("heat", "", 9.0 * STEPS, f"{colour}, 0 to {end}{'; heads more' if hotter else ''}")


def _parts(symbol: _Symbol, x: float, y: float) -> Iterator[Part]:
    """The shapes that draw a symbol, from x on, around the height y."""
    middle = x + symbol.width / 2
    if symbol.kind in ("block", "stem", "output", "orphan"):
        yield Part(outline_path(symbol.what, middle, y, SYMBOL, 15), symbol.kind)
    elif symbol.kind == "mark":
        yield Part(outline_path("rectangle", middle, y, SYMBOL, 15), symbol.what, dashed=symbol.what == DROPPED)
    elif symbol.kind == "width":
        yield Part(outline_path("rectangle", middle, y, symbol.width, 15), "block")
    elif symbol.kind == "absorbed":
        yield Part(f"M{short(x)} {short(y)}L{short(x + SYMBOL)} {short(y)}", "rule", line=True, dashed=True)
    elif symbol.kind == "arrow":
        yield Part(f"M{short(x)} {short(y)}L{short(x + SYMBOL - 5)} {short(y)}", f"line-{symbol.what}", line=True)
        tip = x + SYMBOL
        yield Part(
            f"M{short(tip)} {short(y)}L{short(tip - 6)} {short(y - 3)}L{short(tip - 6)} {short(y + 3)}Z",
            f"fill-{symbol.what}",
        )
    elif symbol.kind == "heat":
        for step in range(STEPS):
            yield Part(outline_path("rectangle", x + 9 * step + 4.5, y, 9, 13), f"heat-{step}")
        yield Part(outline_path("rectangle", middle, y, symbol.width, 13), "rule", line=True)
