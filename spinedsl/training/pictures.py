"""A sheet of validation images, each with what was predicted: green where it is right, red where it is not.

In: pixels and what was made of them. Out: a PNG, also as pixels. Boxes of objects are yellow, and those that were found
are drawn over them in magenta, with what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.tasks import Shown

RIGHT, WRONG, PAPER, INK = (46, 140, 70), (190, 50, 50), (255, 255, 255), (30, 30, 30)
THERE, FOUND = (255, 210, 0), (230, 0, 120)
LINE, MARGIN, FRAME = 16, 6, 2  # pixels
PLAIN, BOXED = (128, 8), (256, 4)  # how large a picture may be with its frame, and how many stand in a row
LETTERS = 20  # below a picture of 128 pixels


def sheet(pictures: NDArray[np.uint8], shown: Sequence[Shown]) -> tuple[bytes, NDArray[np.uint8]]:
    """The sheet of `uint8` pictures (pictures, height, width, 1 or 3); there is more room for those with boxes."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  a run without pictures needs none

    side, most = BOXED if any(one.boxes for one in shown) else PLAIN
    columns = min(most, len(pictures))
    rows = -(-len(pictures) // columns)
    cell = side + MARGIN
    whole = Image.new("RGB", (columns * cell + MARGIN, rows * (cell + LINE) + MARGIN), PAPER)
    pen = ImageDraw.Draw(whole)
    for number, (pixels, one) in enumerate(zip(pictures, shown, strict=True)):
        left, top = MARGIN + number % columns * cell, MARGIN + number // columns * (cell + LINE)
        image = _drawn(pixels, one, side - 2 * FRAME)
        pen.rectangle(
            (left, top, left + image.width + 3, top + image.height + 3),
            outline=RIGHT if one.right else WRONG, width=FRAME,
        )  # fmt: skip
        whole.paste(image, (left + FRAME, top + FRAME))
        pen.text((left, top + side), _letters(one.words, LETTERS * side // PLAIN[0]), fill=INK)
    file = BytesIO()
    whole.save(file, "PNG")
    return file.getvalue(), np.asarray(whole)


def _drawn(pixels: NDArray[np.uint8], one: Shown, room: int) -> Any:
    """A picture that fits into so much room, with its boxes."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  as above

    image: Any = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    width = image.width
    image.thumbnail((room, room))
    image = _enlarged(image, room)
    pen, scale = ImageDraw.Draw(image), image.width / width
    for sides, found, words in one.boxes:
        left, top, right, bottom = (side * scale for side in sides)
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=FOUND if found else THERE)
        if words:
            pen.text((left + 2, max(0, top - 11)), _letters(words, 12), fill=FOUND)
    return image


def _letters(words: str, most: int) -> str:
    """Words in letters that Pillow's own font has."""
    return words[:most].encode("latin-1", "replace").decode("latin-1")


def _enlarged(image: Any, room: int) -> Any:
    """A picture as large as there is room: by whole pixels where it is small, so that they are seen as they are."""
    from PIL import Image  # noqa: PLC0415  as above

    times = room / max(image.size)
    whole = int(times) if times >= 2 else times
    size = tuple(max(1, round(side * whole)) for side in image.size)
    return image.resize(size, Image.Resampling.NEAREST if times >= 2 else Image.Resampling.BICUBIC)
