"""Boxes that are kept: a set of pictures with them, and what is wrong with one.

In: boxes as their files have them, made pixels. Out: records, and diagnostics. A box that hangs over an edge by at most
a pixel, as rounding makes it, is cut off there; any other that lies outside is a mistake, and left out. One that is 0
pixels wide or high is kept: figures count its object, and training does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.brief import counted, short_path
from spinedsl.data.dataset import nowhere, of_classes
from spinedsl.data.pictures import WHITE, BadPicture, Colour, Pixels, read_pixels
from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible
from spinedsl.record import Record
from spinedsl.source import Span

OVER = 1.0  # pixels by which a box may hang over an edge
SHOWN = 3  # names in a warning about many


class Box(Record):
    """Left, top, right and bottom in pixels, the number of the class, whether it is a crowd, and the object's area."""

    sides: tuple[float, float, float, float]
    label: int
    crowd: bool
    area: float

    @property
    def is_flat(self) -> bool:
        """It is 0 pixels wide or high."""
        left, top, right, bottom = self.sides
        return right <= left or bottom <= top


class Picture(Record):
    """A picture, its size in pixels, its boxes, and its id in COCO's file."""

    path: str
    height: int
    width: int
    boxes: tuple[Box, ...]
    id: int | str | None = None

    @property
    def sides(self) -> NDArray[np.float32]:
        """Its boxes, (boxes, 4)."""
        return np.array([box.sides for box in self.boxes], dtype=np.float32).reshape(-1, 4)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Their classes, (boxes,)."""
        return np.array([box.label for box in self.boxes], dtype=np.int64)

    @property
    def crowds(self) -> NDArray[np.bool_]:
        """Whether they are crowds, (boxes,)."""
        return np.array([box.crowd for box in self.boxes], dtype=np.bool_)

    @property
    def areas(self) -> NDArray[np.float32]:
        """The areas of their objects, (boxes,), in pixels of the picture."""
        return np.array([box.area for box in self.boxes], dtype=np.float32)


class BoxSet(Record, eq=False):
    """Pictures with boxes of classes. It is immutable, and can be sent to another process."""

    kind: str
    name: str
    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    is_whole: bool = True  # nothing was left out because of a mistake
    background: Colour = WHITE  # what transparent pictures lie on

    def __brief__(self) -> str:
        boxes = sum(len(picture.boxes) for picture in self.pictures)
        held = f"{counted(len(self.pictures), 'picture')} with {boxes:,} boxes of {of_classes(len(self.classes))}"
        return f"{self.kind} {short_path(self.name)}: {held}"

    def __len__(self) -> int:
        return len(self.pictures)

    def __reduce__(self) -> tuple[Any, ...]:
        """As a few arrays, since one goes to each worker: ten thousand pictures have many boxes."""
        counts = np.array([(len(one.boxes), one.height, one.width) for one in self.pictures], dtype=np.int64)
        boxes = [box for picture in self.pictures for box in picture.boxes]
        sides = np.array([(*box.sides, box.area) for box in boxes], dtype=np.float64).reshape(-1, 5)
        marks = np.array([(box.label, box.crowd) for box in boxes], dtype=np.int32).reshape(-1, 2)
        about = (self.kind, self.name, self.classes, self.is_whole, self.background)
        return _unpacked, (about, [(one.path, one.id) for one in self.pictures], counts, sides, marks)

    def called(self, index: int) -> str:
        """A picture as messages name it."""
        return legible(self.pictures[index].path)

    def place(self, index: int) -> Span:
        """The picture's own file."""
        return nowhere(self.called(index))

    def read(self, index: int) -> tuple[Pixels, Picture]:
        """The pixels of a picture, and its boxes.

        Raises:
            BadPicture: its file cannot be read, or has another size than its boxes are of.
        """
        picture = self.pictures[index]
        pixels = read_pixels(picture.path, self.background)
        if pixels.shape[:2] != (picture.height, picture.width):
            raise other_size(picture, *pixels.shape[:2])
        return pixels, picture


def _unpacked(
    about: tuple[Any, ...], called: list[tuple[str, int | str | None]], counts: NDArray[np.int64],
    sides: NDArray[np.float64], marks: NDArray[np.int32],
) -> BoxSet:  # fmt: skip
    """What was sent to another process."""
    boxes = iter(
        [
            Box((left, top, right, bottom), label, bool(crowd), area)
            for (left, top, right, bottom, area), (label, crowd) in zip(sides.tolist(), marks.tolist(), strict=True)
        ]
    )
    rows = zip(called, counts.tolist(), strict=True)
    pictures = (
        Picture(path, height, width, tuple(islice(boxes, count)), number)
        for (path, number), (count, height, width) in rows
    )
    kind, name, classes, is_whole, background = about
    return BoxSet(kind, name, classes, tuple(pictures), is_whole, background)


def other_size(picture: Picture, height: int, width: int) -> BadPicture:
    """A picture has not the size in pixels that its boxes are of."""
    reason = f"it is {width}x{height} pixels, and its boxes are of {picture.width}x{picture.height}"
    on_side = (height, width) == (picture.width, picture.height)
    turned = (
        "height and width are exchanged in the labels, or it is shown lying on its side, as its EXIF orientation says: "
        "make boxes of what is shown"
    )
    fix = turned if on_side else "make boxes for the picture at this size, or fetch the one that they were made for"
    return BadPicture(legible(picture.path), reason, fix)


def kept(
    sides: Sequence[float], size: tuple[int, int], label: int, what: str, place: Span,
    *, crowd: bool = False, area: float | None = None,
) -> Box | Diagnostic:  # fmt: skip
    """A box that is sound, cut off at the edges; else what is wrong with it.

    Args:
        sides: left, top, right, bottom, in pixels.
        size: height and width of the picture.
        label: the number of its class.
        what: the box in words.
        place: of the box.
        crowd: it is one of many objects that nobody told apart.
        area: of the object, where its file has it; otherwise that of the box.
    """
    height, width = size
    left, top, right, bottom = sides
    shown = f"{what} ({', '.join(f'{side:g}' for side in sides)})"
    if not all(map(math.isfinite, sides)):
        return say.BAD_BOX.at(place, what=shown, reason="is no numbers").with_fix("take it out")
    if right < left or bottom < top:
        reason = f"is {right - left:g} wide and {bottom - top:g} high"
        fix = "see that the numbers are in the order of this form, and no sides where corners are expected"
        return say.BAD_BOX.at(place, what=shown, reason=reason).with_fix(fix)
    over = max(-left, -top, right - width, bottom - height)
    cut = (_within(left, width), _within(top, height), _within(right, width), _within(bottom, height))
    empty = (cut[2] <= cut[0] and left < right) or (cut[3] <= cut[1] and top < bottom)
    if over > OVER or empty:
        reason = f"lies {'outside' if empty else 'partly outside'} its picture of {width}x{height} pixels"
        fix = "see that the boxes are of this picture, at this size, and in this form"
        return say.BAD_BOX.at(place, what=shown, reason=reason).with_fix(fix)
    return Box(cut, label, crowd, (cut[2] - cut[0]) * (cut[3] - cut[1]) if area is None else area)


def _within(side: float, length: int) -> float:
    """A side, cut off at the edges of a picture of this length."""
    return min(max(side, 0.0), float(length))


def notes(found: BoxSet) -> Iterator[Diagnostic]:
    """What may not be meant: pictures without boxes, crowds, and boxes without area."""
    name = found.name
    empty = [legible(picture.path) for picture in found.pictures if not picture.boxes]
    if empty:
        what = f"{len(empty)} of {counted(len(found), 'picture')}"
        yield say.NO_BOXES.at(nowhere(name), what=what, path=name).with_notes(f"they are {_first(empty)}")
    crowds = sum(box.crowd for picture in found.pictures for box in picture.boxes)
    if crowds:
        yield say.CROWDS.at(nowhere(name), count=f"{crowds:,} box{'es' * (crowds != 1)}", path=name)
    flat = [legible(picture.path) for picture in found.pictures for box in picture.boxes if box.is_flat]
    if flat:
        count, are, have = (f"{len(flat)} boxes", "are", "have") if len(flat) > 1 else ("1 box", "is", "has")
        files = list(dict.fromkeys(flat))
        warning = say.FLAT_BOXES.at(nowhere(name), count=count, path=name, are=are, have=have)
        yield warning.with_notes(f"of {_first(files)}")


def _first(names: Sequence[str]) -> str:
    """Some names, as messages have them."""
    return ", ".join(map(one_line, names[:SHOWN])) + ", …" * (len(names) > SHOWN)
