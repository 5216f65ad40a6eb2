"""A picture with what was predicted below it.

In: pixels, and lines of words and numbers. Out: a PNG that says who made it, so that it may be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from spinedsl.data.pictures import Pixels
from spinedsl.draw.png import font_files

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

WIDEST, NARROWEST = 512, 240  # pixels of what is drawn
LINE, MARGIN, NUMBER = 22, 8, 58
PAPER, INK, FAINT = (255, 255, 255), (27, 31, 36), (91, 103, 112)
FOUND, OTHER = (0, 104, 168), (196, 205, 212)


def drawn(pixels: Pixels, lines: Sequence[tuple[str, float, bool]], *, shares: bool) -> bytes:
    """The picture, of at most 512 pixels a side, and a line for each of the words; of shares, a bar too."""
    from PIL import Image, ImageDraw, PngImagePlugin  # noqa: PLC0415  only pictures need it

    image: Any = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    if max(image.size) > WIDEST:
        image.thumbnail((WIDEST, WIDEST))
    elif max(image.size) < NARROWEST:
        times = NARROWEST // max(image.size)
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
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
    note = PngImagePlugin.PngInfo()
    note.add_text("Software", "spinedsl")
    file = BytesIO()
    whole.save(file, "PNG", pnginfo=note)
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
