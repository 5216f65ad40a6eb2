"""A picture with what was predicted below it.

In: pixels, and lines of words and numbers. Out: a PNG that says who made it, so that it may be replaced.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from spinedsl.data.pictures import Pixels
from spinedsl.draw.png import font_files
from spinedsl.record import Record

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDEST, NARROWEST = 512, 240  # pixels of what is drawn
LINE, MARGIN, NUMBER = 22, 8, 58
PAPER, INK, FAINT = (255, 255, 255), (27, 31, 36), (91, 103, 112)
FOUND, OTHER = (0, 104, 168), (196, 205, 212)
WIDE, ROOMY = 1024, 640  # pixels of a picture with boxes, and those up to which a small one is made larger
LABEL, BESIDE = LINE - 2, 3  # how high the words of a box are, and what is left and right of them
AWAY = 2  # how many lines further away than next to it they may stand
COLOURS = ((0, 104, 168), (176, 38, 44), (22, 115, 58), (120, 60, 160), (160, 84, 0), (0, 110, 115), (150, 30, 110))


class Mark(Record):
    """A box in pixels of the picture: left, top, right, bottom; words, and the number of what has its colour."""

    sides: tuple[float, float, float, float]
    words: str
    colour: int


def drawn(pixels: Pixels, lines: Sequence[tuple[str, float, bool]], *, shares: bool) -> bytes:
    """The picture, of at most 512 pixels a side, and a line for each of the words; of shares, a bar too."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  only pictures need it

    image = _sized(pixels, WIDEST)
    width = max(image.width, NARROWEST) + 2 * MARGIN
    whole = Image.new("RGB", (width, image.height + 2 * MARGIN + LINE * len(lines) + MARGIN), PAPER)
    whole.paste(image, ((width - image.width) // 2, MARGIN))
    pen, font = ImageDraw.Draw(whole), _font()
    for number, (words, value, found) in enumerate(lines):
        top = image.height + 2 * MARGIN + LINE * number
        room = width - 2 * MARGIN - NUMBER
        if shares:
            length = max(1, round(room * min(1.0, max(0.0, value))))
            pen.rectangle((MARGIN, top + LINE - 5, MARGIN + length, top + LINE - 3), fill=FOUND if found else OTHER)
        ink = INK if found else FAINT
        pen.text((MARGIN, top), _fitted(words, room, pen, font), fill=ink, font=font)
        text = f"{value:.1%}" if shares else f"{value:.3f}"
        pen.text((width - MARGIN - pen.textlength(text, font=font), top), text, fill=ink, font=font)
    return _saved(whole)


def drawn_boxes(pixels: Pixels, marks: Sequence[Mark]) -> bytes:
    """The picture, of at most 1024 pixels a side, with boxes and their words; the first mark is drawn last, on top.

    A box has a dark colour between two white lines, so that it is seen on light and on dark pictures. Words stand where
    they cover no others; those of the last marks, for which there is no room any more, are left out.
    """
    from PIL import ImageDraw  # noqa: PLC0415  only pictures need it

    image = _sized(pixels, WIDE, ROOMY)
    across, down = image.width / pixels.shape[1], image.height / pixels.shape[0]
    pen, font = ImageDraw.Draw(image), _font()
    for mark in reversed(marks):
        colour = COLOURS[mark.colour % len(COLOURS)]
        left, top, right, bottom = (round(side * by) for side, by in zip(mark.sides, (across, down) * 2, strict=True))
        for outset, ink in ((1, PAPER), (0, colour), (-1, colour), (-2, PAPER)):
            ends = (left - outset, top - outset, right + outset, bottom + outset)
            if ends[0] <= ends[2] and ends[1] <= ends[3]:
                pen.rectangle(ends, outline=ink)
    texts = [_fitted(mark.words, image.width - 2 * BESIDE, pen, font) for mark in marks]
    widths = [math.ceil(pen.textlength(text, font=font)) + 2 * BESIDE for text in texts]
    sides = [[side * by for side, by in zip(mark.sides, (across, down) * 2, strict=True)] for mark in marks]
    for mark, text, width, place in zip(marks, texts, widths, label_places(sides, widths, image.size), strict=True):
        if place is not None:
            left, top = place
            colour = COLOURS[mark.colour % len(COLOURS)]
            pen.rectangle((left, top, left + width - 1, top + LABEL - 1), fill=colour)
            pen.text((left + BESIDE, top), text, fill=PAPER, font=font)
    return _saved(image)


def label_places(
    boxes: Sequence[Sequence[float]], widths: Sequence[int], size: tuple[int, int]
) -> list[tuple[int, int] | None]:
    """Left and top of the words of each box, in a picture of this width and height: near it, and over no others'.

    Words are above the box or, in this order, in it, below it and further away. Those of earlier boxes come first; for
    which there is no room, there is no place.
    """
    taken: list[tuple[int, int, int]] = []
    found: list[tuple[int, int] | None] = []
    for sides, width in zip(boxes, widths, strict=True):
        free = (
            (left, top)
            for left, top in _near(sides, width, size)
            if all(top + LABEL <= y or y + LABEL <= top or left + width <= x or x + w <= left for x, y, w in taken)
        )
        place = next(free, None)
        found.append(place)
        if place is not None:
            taken.append((*place, width))
    return found


def _near(sides: Sequence[float], width: int, size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Places of words in a picture, the best first: left and top."""
    left, top, right, bottom = map(round, sides)
    farthest = (max(0, size[0] - width), max(0, size[1] - LABEL))
    rows = [top - LABEL, top, bottom, bottom - LABEL]
    rows += [row for step in range(1, AWAY + 1) for row in (top - (1 + step) * LABEL, bottom + step * LABEL)]
    for row in rows:
        for column in (left, right - width):
            yield min(max(0, column), farthest[0]), min(max(0, row), farthest[1])


def _sized(pixels: Pixels, widest: int, narrowest: int = NARROWEST) -> Any:
    """The picture, made smaller where it is larger than that, and larger in whole steps where it is small."""
    from PIL import Image  # noqa: PLC0415  as above

    image: Any = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    if max(image.size) > widest:
        image.thumbnail((widest, widest))
    elif max(image.size) < narrowest:
        times = narrowest // max(image.size)
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    return image


def _saved(image: Any) -> bytes:
    """The PNG, which says who made it."""
    from PIL import PngImagePlugin  # noqa: PLC0415  as above

    note = PngImagePlugin.PngInfo()
    note.add_text("Software", "spinedsl")
    file = BytesIO()
    image.save(file, "PNG", pnginfo=note)
    return file.getvalue()


def _font() -> FreeTypeFont | ImageFont:
    """The font of the extra `draw`; without it, Pillow's own."""
    from PIL import ImageFont  # noqa: PLC0415  as above

    files = font_files()
    try:
        return ImageFont.truetype(files[0], 15) if files else ImageFont.load_default(15)
    except (OSError, TypeError, ImportError):
        return ImageFont.load_default()


def _fitted(words: str, room: float, pen: Any, font: Any) -> str:
    """The words, or as many of their letters as there is room for: of a path, its end."""
    try:
        pen.textlength(words, font=font)
    except UnicodeEncodeError:  # Pillow's font of dots knows Latin alone
        words = words.encode("latin-1", "replace").decode("latin-1")
    if pen.textlength(words, font=font) <= room:
        return words
    while len(words) > 1 and pen.textlength(f"…{words}", font=font) > room:
        words = words[max(1, len(words) // 16) :]
    return f"…{words}"
