"""A sheet of validation images, each with what was predicted: green where it is right, red where it is not.

In: pixels and what was made of them. Out: a line of words for each, and a PNG with them, also as pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spinedsl.tasks.embedding import nearest_in

RIGHT, WRONG, PAPER, INK = (46, 140, 70), (190, 50, 50), (255, 255, 255), (30, 30, 30)
SIDE, LINE, MARGIN, COLUMNS = 128, 16, 6, 8  # pixels, but for the columns
ROOM = SIDE - 4  # within the frame


def captions(decoded: Tensor, labels: Tensor, count: int, names: Sequence[str] | None) -> tuple[list[str], list[bool]]:
    """What was predicted for the first `count` images, and whether it is right.

    Args:
        decoded: shares of classes, or vectors of unit length where there are no `names`: (images, numbers).
        labels: (images,).
        count: how many captions.
        names: of classes; without them the nearest other image is meant.
    """
    if names is not None:
        guessed = decoded[:count].argmax(1)
        words = [names[int(one)] if int(one) < len(names) else str(int(one)) for one in guessed]
        return words, (guessed == labels[:count]).tolist()
    best, at = nearest_in(decoded, decoded, but_itself=True)
    right = (labels[at[:count]] == labels[:count]).tolist()
    return [f"nearest {float(one):.2f}" for one in best[:count]], right


def sheet(pictures: NDArray[np.uint8], words: Sequence[str], right: Sequence[bool]) -> tuple[bytes, NDArray[np.uint8]]:
    """The sheet of `uint8` pictures (pictures, height, width, 1 or 3)."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  a run without pictures needs none

    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    cell = SIDE + MARGIN
    whole = Image.new("RGB", (columns * cell + MARGIN, rows * (cell + LINE) + MARGIN), PAPER)
    pen = ImageDraw.Draw(whole)
    for number, (pixels, text, fine) in enumerate(zip(pictures, words, right, strict=True)):
        left, top = MARGIN + number % columns * cell, MARGIN + number // columns * (cell + LINE)
        image: Any = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
        image.thumbnail((ROOM, ROOM))
        image = _enlarged(image)
        pen.rectangle(
            (left, top, left + image.width + 3, top + image.height + 3), outline=RIGHT if fine else WRONG, width=2
        )
        whole.paste(image, (left + 2, top + 2))
        pen.text((left, top + SIDE), text[:20].encode("latin-1", "replace").decode("latin-1"), fill=INK)
    file = BytesIO()
    whole.save(file, "PNG")
    return file.getvalue(), np.asarray(whole)


def _enlarged(image: Any) -> Any:
    """A picture as large as there is room: by whole pixels where it is small, so that they are seen as they are."""
    from PIL import Image  # noqa: PLC0415  as above

    times = ROOM / max(image.size)
    whole = int(times) if times >= 2 else times
    size = tuple(max(1, round(side * whole)) for side in image.size)
    return image.resize(size, Image.Resampling.NEAREST if times >= 2 else Image.Resampling.BICUBIC)
