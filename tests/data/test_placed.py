"""Boxes in the network's image, found again in its pixels: each object is painted as a rectangle of its own colour."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.data.augment import Augmentation
from spinedsl.data.boxes.kept import Box, Picture
from spinedsl.data.boxes.placed import VISIBLE, Placed
from spinedsl.data.loader import Loader, Recipe
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.record import Record

COLOURS = ((250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (250, 0, 250), (0, 250, 250))
GROUND = (90, 90, 90)


class Painted(Record, eq=False):
    """A data set whose objects are rectangles of one colour each, of the class of their colour."""

    pictures: tuple[Picture, ...]

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> tuple[Pixels, Picture]:
        picture = self.pictures[index]
        pixels = np.full((picture.height, picture.width, 3), GROUND, dtype=np.uint8)
        for box in picture.boxes:
            left, top, right, bottom = map(int, box.sides)
            pixels[top:bottom, left:right] = COLOURS[box.label]
        return pixels, picture


@st.composite
def painted(draw: st.DrawFn, colours: tuple[int, ...] = (0, 1)) -> Picture:
    """A picture with an object of each of these colours, side by side in bands, so that none covers another."""
    height, band = draw(st.integers(24, 90)), draw(st.integers(16, 60))
    boxes = []
    for number, colour in enumerate(colours):
        left = number * band + draw(st.integers(0, band - 9))
        right = draw(st.integers(left + 8, (number + 1) * band))
        top = draw(st.integers(0, height - 8))
        bottom = draw(st.integers(top + 8, height))
        boxes.append(Box((left, top, right, bottom), colour, False, float(right - left) * (bottom - top)))
    return Picture("", height, band * len(colours), tuple(boxes))


def found(pixels: Pixels, colour: int) -> tuple[float, ...] | None:
    """Where the pixels of a colour are: left, top, right and bottom, of pixels that are that colour for the most."""
    want, rest = np.array(COLOURS[colour], dtype=float), np.array(GROUND, dtype=float)
    near = np.abs(pixels - want).sum(2) < np.abs(want - rest).sum() / 2
    rows, columns = np.nonzero(near.any(1))[0], np.nonzero(near.any(0))[0]
    if not len(rows):
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def batch_of(
    dataset: Painted, preprocessing: Preprocessing, changes: Augmentation
) -> tuple[Pixels, tuple[Placed, ...]]:
    with Loader(Recipe(dataset, preprocessing, changes, seed=3)) as loader:
        (batch,) = loader.batches([(0, 1, np.arange(len(dataset), dtype=np.int64))])
    assert batch.labels.tolist() == [0] * len(dataset)
    return batch.pictures, batch.objects


def agree(pixels: Pixels, objects: Placed, within: float = 1.0) -> None:
    """The boxes are where their colours are."""
    for sides, label in zip(objects.sides, objects.labels, strict=True):
        seen = found(pixels, int(label))
        assert seen is not None, (label, sides)
        assert np.abs(np.array(seen) - sides).max() <= within, (label, sides, seen)


RESIZES = st.sampled_from(["letterbox", "stretch"])


@given(painted(), RESIZES, st.integers(32, 96), st.integers(32, 96))
def test_boxes_go_where_their_pixels_go_and_come_back(picture: Picture, resize: str, height: int, width: int) -> None:
    pre = Preprocessing(height, width, resize=resize, interpolation="nearest")
    (pixels,), (objects,) = batch_of(Painted((picture,)), pre, Augmentation())
    assert len(objects) == len(picture.boxes)
    agree(pixels, objects)
    scale, shift = (np.array(numbers) for numbers in objects.placement.affine())
    assert np.allclose((objects.sides - shift) / scale, picture.sides, atol=1e-3), "the way back"
    assert np.array_equal(objects.original, picture.sides)
    assert np.array_equal(objects.areas, picture.areas)


def test_what_a_part_of_a_picture_has_lost_is_no_object() -> None:
    """Of the middle 50 of 100 pixels three in ten of the one box are in it, and two in ten of the other."""
    near = Picture("", 100, 100, (Box((72, 40, 82, 50), 0, True, 7.0), Box((73, 40, 83, 50), 1, False, 9.0)))
    pre = Preprocessing(50, 50, resize="crop", crop=0.5)
    _, (objects,) = batch_of(Painted((near,)), pre, Augmentation())
    assert VISIBLE == 0.25
    assert objects.labels.tolist() == [0]
    assert objects.sides.tolist() == [[47, 15, 50, 25]]
    assert objects.original.tolist() == [[72, 40, 82, 50]]
    assert (objects.crowds.tolist(), objects.areas.tolist()) == ([True], [7.0])


def test_a_picture_may_have_no_objects() -> None:
    _, (objects,) = batch_of(Painted((Picture("", 9, 9, ()),)), Preprocessing(8, 8), Augmentation())
    assert objects.sides.shape == objects.original.shape == (0, 4)
    assert len(objects) == 0
