"""Write a figure as SVG: one text, the same for the same networks, that needs no font, script or other file.

Every word reaches the text through the template's escaping. Hovering a block or an arrow shows what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.draw.colours import step_of, style_sheet, switched_sheet
from spinedsl.draw.figure import (
    LABEL,
    SUBTITLE,
    TAG,
    TITLE,
    Arrow,
    Band,
    Box,
    Figure,
    Panel,
)
from spinedsl.draw.glyphs import FONTS, shortened
from spinedsl.draw.legend import LEGEND_TEXT, legend
from spinedsl.draw.paths import arrow_head, arrow_path, outline_path, short
from spinedsl.draw.words import arrow_words, block_words
from spinedsl.ops.program import Program
from spinedsl.ops.types import at_level
from spinedsl.record import Record

if TYPE_CHECKING:
    from jinja2 import Environment

NAME, SIZE, BAND_ROOM = 12.0, 10.0, 72.0  # of a band: font sizes, and how wide its words may be
LEVEL = "level"  # how blocks and arrows are coloured: by level, or by one of `words.COSTS`


class Text(Record):
    """A line of text: `x` is its left end, or its middle where `anchor` says so, `y` its baseline."""

    text: str
    x: str
    y: str
    size: float
    style: str
    bold: bool = False
    anchor: str = "start"


class Shape(Record):
    """A block with its lines of text. `key` is unique in the figure."""

    key: str
    path: str
    style: str
    dashed: bool
    texts: tuple[Text, ...]
    words: str


class Line(Record):
    """An arrow between two shapes, named by their keys."""

    source: str
    target: str
    path: str
    head: str
    line_style: str
    head_style: str
    dashed: bool
    words: str


class Stripe(Record):
    """The band of a tier."""

    y: str
    height: str
    style: str


def environment(package: str = "spinedsl.draw") -> Environment:
    """The templates of a package: whatever is missing is a fault, whatever they are given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def to_svg(figure: Figure, theme: str = "auto", colour: str = LEVEL, *, in_page: bool = False) -> str:
    """The figure as SVG.

    `theme` is `light`, `dark`, or `auto` for what the reader's system asks for. `colour` is `level`, or one of
    `words.COSTS` for a heat map. `in_page` makes a part of an HTML page, whose blocks take the keyboard's focus.
    """
    most, hotter = _hot_end(figure, colour) if colour != LEVEL else (0, False)
    entries, bottom = legend(figure, colour, most, hotter=hotter)
    sheet = switched_sheet(figure.bands, figure.beyond) if in_page else style_sheet(theme, figure.bands, figure.beyond)
    return environment().get_template("figure.svg.jinja").render(
        title=", ".join(panel.title for panel in figure.panels),
        width=short(figure.width),
        height=short(bottom),
        fonts=FONTS,
        sheet=sheet,
        in_page=in_page,
        stripes=[_stripe(tier, band) for tier, band in figure.bands.items()],
        texts=[*_titles(figure), *_band_texts(figure)],
        rules=[short(panel.left - 20) for panel in figure.panels[1:]],
        bottom=short(figure.height),
        lines=[
            _line(arrow, panel, index, grey=panel.marked or colour != LEVEL)
            for index, panel in enumerate(figure.panels)
            for arrow in panel.arrows
        ],
        shapes=[
            _shape(box, panel, index, colour, most)
            for index, panel in enumerate(figure.panels)
            for box in panel.boxes.values()
        ],
        legend=entries,
        legend_text=LEGEND_TEXT,
    )  # fmt: skip


def _hot_end(figure: Figure, colour: str) -> tuple[int, bool]:
    """The hot end of the heat scale, and whether a head is hotter: beside one, a backbone would look cold all over."""
    costs = [
        (panel.facts.cost(name, colour), box.row.kind == "head")
        for panel in figure.panels
        for name, box in panel.boxes.items()
    ]
    hottest = max(cost for cost, _ in costs)
    most = max((cost for cost, head in costs if not head), default=0) or hottest
    return most, hottest > most


def _stripe(tier: int, band: Band) -> Stripe:
    return Stripe(short(band.top), short(band.bottom - band.top), f"fill-{tier}")


def _titles(figure: Figure) -> list[Text]:
    texts = []
    for index, panel in enumerate(figure.panels):
        x = "16" if not index and len(figure.panels) == 1 else short(panel.left)
        texts.append(Text(panel.title, x, "27", TITLE, "ink", bold=True))
        texts.append(Text(panel.subtitle, x, "45", SUBTITLE, "faint"))
    return texts


def _band_texts(figure: Figure) -> list[Text]:
    """What stands at the left of each band: its level, and how large maps are there if that is one size."""
    texts = []
    for tier, band in figure.bands.items():
        if tier == figure.beyond:
            name = (
                "heads"
                if any(box.row.kind == "head" for panel in figure.panels for box in panel.boxes.values())
                else "pooled"
            )
            texts.append(Text(name, "16", short(band.middle + 4), NAME, f"fill-{tier}", bold=True))
            continue
        texts.append(Text(f"level {tier}", "16", short(band.middle - 2), NAME, f"fill-{tier}", bold=True))
        sizes = {size for panel in figure.panels for size in _sizes(panel.program, tier)}
        if len(sizes) == 1:
            ((height, width),) = sizes
            size = shortened(f"{height} x {width}", SIZE, BAND_ROOM)
            texts.append(Text(size, "16", short(band.middle + 12), SIZE, "faint"))
    return texts


def _sizes(program: Program, level: int) -> Iterator[tuple[int, int]]:
    """Heights and widths of the maps of a level: one, but where a network takes inputs of one size."""
    image = program.input_type
    if not program.one_size:
        yield at_level(image.height, level), at_level(image.width, level)
        return
    maps = (type_ for row in program.rows for type_ in row.values.values())
    yield from ((type_.height, type_.width) for type_ in maps if type_.level == level)


def _shape(box: Box, panel: Panel, index: int, colour: str, most: int) -> Shape:
    """The outline of a box with its style, by its role, its mark or its cost."""
    mark = panel.mark_of(box)
    style = (
        mark.kind if mark is not None else box.role if not panel.marked or box.role in ("stem", "orphan") else "block"
    )
    if colour != LEVEL:
        style += f" heat-{step_of(panel.facts.cost(box.row.name, colour), most)}"
    return Shape(
        f"{index}-{box.row.name}",
        outline_path(box.shape, box.x, box.y, box.width, box.height),
        style,
        mark is not None and mark.kind == "dropped",
        _labels(box, plain=colour == LEVEL and not panel.marked),
        block_words(box.row, box.outputs, panel.facts, panel.marks),
    )


def _labels(box: Box, *, plain: bool) -> tuple[Text, ...]:
    x = short(box.x)
    if not box.tag:
        return (Text(box.words, x, short(box.y + LABEL * 0.36), LABEL, "ink", anchor="middle"),)
    style = "ink" if not plain or (box.role == "stem" and not box.outputs) else "red" if box.outputs else "faint"
    return (
        Text(box.words, x, short(box.y + box.middles[0] + LABEL * 0.36), LABEL, "ink", anchor="middle"),
        Text(box.tag, x, short(box.y + box.middles[1] + TAG * 0.36), TAG, style, bold=True, anchor="middle"),
    )


def _line(arrow: Arrow, panel: Panel, index: int, *, grey: bool) -> Line:
    """An arrow with its style, by its mark or the tier of its source."""
    feed = arrow.feed
    mark = panel.marks.arrows.get((feed.source, feed.target))
    end = mark.kind if mark is not None else "" if grey else str(arrow.tier)
    return Line(
        f"{index}-{feed.source}",
        f"{index}-{feed.target}",
        arrow_path(arrow.points),
        arrow_head(arrow.points),
        f"line-{end}" if end else "line",
        f"fill-{end}" if end else "head",
        feed.kind == "absorbed" or (mark is not None and mark.kind == "dropped"),
        arrow_words(feed, panel.facts, panel.marks),
    )
