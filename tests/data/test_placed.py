"""Boxes in the network's image, found again in its pixels.

Each pixel of a picture has its own place for a colour: red is how far it is from the left, green from the top, and blue
the number of the reading. So each pixel of the network's image tells where it comes from, whatever was done in between,
and an object is where the pixels are that come from its box.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.data.augment import augmentation
from spinedsl.data.boxes.changed import Change
from spinedsl.data.boxes.kept import Box, Picture
from spinedsl.data.boxes.placed import VISIBLE, Placed
from spinedsl.data.loader import Loader, Recipe
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.steps import Shift
from spinedsl.record import Record

FIRST, MANY = 200, 16  # blue of what is read first; labels that each reading has for its objects
SIDES = ("letterbox", "stretch")


class Places(Record, eq=False, frozen=False):
    """A data set of such pictures. What is read has labels of its own, so that two readings of one picture differ."""

    pictures: tuple[Picture, ...]
    reads: list[Picture]

    def __len__(self) -> int:
        return len(self.pictures)

    def read(self, index: int) -> tuple[Pixels, Picture]:
        picture = self.pictures[index]
        rows, columns = np.mgrid[: picture.height, : picture.width]
        pixels = np.stack([columns, rows, np.full_like(rows, FIRST + len(self.reads))], 2).astype(np.uint8)
        boxes = (
            Box(box.sides, MANY * len(self.reads) + number, box.crowd, box.area)
            for number, box in enumerate(picture.boxes)
        )
        self.reads.append(Picture("", picture.height, picture.width, tuple(boxes)))
        return pixels, self.reads[-1]


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """A picture with up to four objects, which may cover each other, and touch the edges."""
    height, width = draw(st.integers(12, 120)), draw(st.integers(12, 120))
    boxes = []
    for _ in range(draw(st.integers(0, 4))):
        left, top = draw(st.integers(0, width - 6)), draw(st.integers(0, height - 6))
        right, bottom = draw(st.integers(left + 6, width)), draw(st.integers(top + 6, height))
        crowd = draw(st.booleans())
        boxes.append(Box((left, top, right, bottom), 0, crowd, (right - left) * (bottom - top) / 2))
    return Picture("", height, width, tuple(boxes))


class Seen(Record):
    """Where pixels of a box are in an image: its sides there, and from and up to which share of the box is seen."""

    sides: tuple[float, ...] = ()
    least: float = 0.0
    most: float = 0.0


def seen(pixels: Pixels, reading: int, box: Box) -> Seen:
    """What is to be seen of an object."""
    left, top, right, bottom = box.sides
    x, y, blue = (pixels[:, :, channel].astype(int) for channel in range(3))
    own = (blue == FIRST + reading) & (x >= left) & (x < right) & (y >= top) & (y < bottom)
    if not own.any():
        return Seen()
    rows, columns = (np.nonzero(own.any(axis))[0] for axis in (1, 0))
    least = most = 1.0
    for places, count, whole in ((x[own], columns, right - left), (y[own], rows, bottom - top)):
        lowest, highest = int(places.min()), int(places.max())
        step = 1 + (highest - lowest + 1) / (len(count) - 1) if len(count) > 1 else whole  # to the next pixel, and one
        least *= max(0.0, highest - lowest - 1) / whole
        most *= min(1.0, (highest - lowest + 2 * step) / whole)
    return Seen((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), least, most)


def agree(pixels: Pixels, objects: Placed, reads: list[Picture]) -> None:
    """Objects are where their pixels are, and what is no object can hardly be seen."""
    size = [pixels.shape[1], pixels.shape[0]] * 2
    assert (objects.sides >= 0).all()
    assert (objects.sides <= size).all()
    rows = {int(label): row for row, label in enumerate(objects.labels)}
    assert len(rows) == len(objects)
    for reading, picture in enumerate(reads):
        for box in picture.boxes:
            found, row = seen(pixels, reading, box), rows.pop(box.label, None)
            if row is None:
                assert found.least <= VISIBLE, (box, found)
                continue
            sides = objects.sides[row]
            assert (objects.crowds[row], objects.areas[row]) == (box.crowd, np.float32(box.area))
            assert objects.original[row].tolist() == list(box.sides)
            if found.sides:
                assert np.abs(np.array(found.sides) - sides).max() <= 1, (box, sides, found)
                assert found.most >= VISIBLE, (box, sides, found)
            else:
                assert min(sides[2] - sides[0], sides[3] - sides[1]) < 1, "between two pixels"
    assert rows == {}, "no other objects"


# ---- as in evaluation ----


@given(pictures(), st.sampled_from(SIDES), st.integers(16, 96), st.integers(16, 96))
def test_boxes_go_where_their_pixels_go_and_come_back(picture: Picture, resize: str, height: int, width: int) -> None:
    pre = Preprocessing(height, width, resize=resize, interpolation="nearest")
    dataset = Places((picture,), [])
    with Loader(Recipe(dataset, pre)) as loader:
        (batch,) = loader.batches([(0, 1, np.array([0]))])
    (objects,) = batch.objects
    assert batch.labels.tolist() == [0]
    assert len(objects) == len(picture.boxes)
    agree(batch.pictures[0], objects, dataset.reads)
    scale, shift = (np.array(numbers) for numbers in objects.placement.affine())
    assert np.allclose((objects.sides - shift) / scale, picture.sides, atol=1e-3), "the way back"
    assert objects.placement == pre.placement(picture.height, picture.width)


def test_what_a_part_of_a_picture_has_lost_is_no_object() -> None:
    """Of the middle 50 of 100 pixels three in ten of the one box are in it, and two in ten of the other."""
    near = Picture("", 100, 100, (Box((72, 40, 82, 50), 0, True, 7.0), Box((73, 40, 83, 50), 1, False, 9.0)))
    pre = Preprocessing(50, 50, resize="crop", crop=0.5)
    with Loader(Recipe(Places((near,), []), pre)) as loader:
        (batch,) = loader.batches([(0, 0, np.array([0]))])
    (objects,) = batch.objects
    assert VISIBLE == 0.25
    assert objects.labels.tolist() == [0]
    assert objects.sides.tolist() == [[47, 15, 50, 25]]
    assert objects.original.tolist() == [[72, 40, 82, 50]]
    assert (objects.crowds.tolist(), objects.areas.tolist()) == ([True], [7.0])


# ---- random changes ----

CARRY: dict[str, dict[str, Any]] = {
    "crop": {"crop": {"area": [0.3, 1.0]}},
    "flip": {"flip": True},
    "upturn": {"upturn": True},
    "turn": {"turn": True},
    "shift": {"shift": {"pixels": 6}},
    "scale": {"scale": [0.5, 2.0]},
    "smaller": {"scale": [0.1, 0.9]},
    "larger": {"scale": [1.1, 3.0]},
    "mosaic": {"mosaic": 1.0},
    "mosaic of parts": {"mosaic": 1.0, "crop": {"area": [0.4, 1.0]}, "scale": [0.7, 2.5]},
    "all": {
        "crop": {"area": [0.3, 1.0]},
        "flip": True,
        "upturn": True,
        "turn": True,
        "shift": {"pixels": 4},
        "scale": [0.6, 2.0],
        "mosaic": 0.5,
    },
}  # fmt: skip  (all that move boxes, one by one and together)
SIZES = st.sampled_from([(64, 64), (96, 64), (47, 81)])


def changed(
    settings: dict[str, Any], dataset: Places, resize: str, size: tuple[int, int], epoch: int
) -> tuple[Pixels, Placed]:
    pre = Preprocessing(*size, resize=resize, interpolation="nearest")
    dataset.reads.clear()
    steps = augmentation(settings)
    pixels, objects = Change(steps, pre, 3, epoch, 0).picture(*dataset.read(0), dataset)
    shift = steps.of(Shift)
    if shift is not None:  # what is repeated at the edges is no part of any object
        down, right = shift.by(steps.draws(shift, 3, epoch, 0))
        height, width = size
        pixels[: max(0, -down)] = pixels[height - max(0, down) :] = 0
        pixels[:, : max(0, -right)] = pixels[:, width - max(0, right) :] = 0
    return pixels, objects


@pytest.mark.parametrize("name", CARRY)
@given(st.lists(pictures(), min_size=1, max_size=4), st.sampled_from(SIDES), SIZES, st.integers(0, 30))
def test_boxes_go_where_random_changes_take_their_pixels(
    name: str, made: list[Picture], resize: str, size: tuple[int, int], epoch: int
) -> None:
    dataset = Places(tuple(made), [])
    pixels, objects = changed(CARRY[name], dataset, resize, size, epoch)
    agree(pixels, objects, dataset.reads)
    again, others = changed(CARRY[name], dataset, resize, size, epoch)
    assert np.array_equal(again, pixels)
    assert np.array_equal(others.sides, objects.sides)


def test_each_change_does_change_boxes_and_a_mosaic_shows_four_pictures() -> None:
    """So that the law above says something."""
    box = Box((4, 6, 50, 40), 0, False, 1.0)
    dataset = Places((Picture("", 60, 80, (box,)),) * 5, [])
    for name, settings in CARRY.items():
        made = [changed(settings, dataset, "stretch", (64, 64), epoch) for epoch in range(12)]
        assert len({objects.sides.tobytes() for _, objects in made}) > 1, name
        if name == "mosaic":
            shown = [set(np.unique(pixels[:, :, 2]).tolist()) for pixels, _ in made]
            assert all({FIRST + number for number in range(4)} <= blue for blue in shown)
            assert max(len(objects) for _, objects in made) == 4


def test_pixels_are_what_they_are_without_boxes() -> None:
    """A data set of classes and one of boxes show the same, for the same settings."""
    steps = augmentation({**CARRY["all"], "mosaic": False, "jitter": True, "erase": True})
    dataset = Places((Picture("", 60, 80, (Box((4, 6, 50, 40), 0, False, 1.0),)),), [])
    pre = Preprocessing(32, 48)
    for index in range(10):
        dataset.reads.clear()
        pixels, truth = dataset.read(0)
        found, _ = Change(steps, pre, 1, 2, index).picture(pixels, truth, dataset)
        assert np.array_equal(found, steps.prepared(pixels, pre, 1, 2, index))


@given(pictures(), st.integers(0, 50))
def test_what_is_erased_is_no_object(picture: Picture, epoch: int) -> None:
    """One whose box is hidden for more than three quarters; others keep their boxes."""
    settings = {"erase": {"chance": 1.0, "area": [0.2, 0.9], "ratio": [0.5, 2.0]}}
    size, dataset = (picture.height, picture.width), Places((picture,), [])
    pixels, objects = changed(settings, dataset, "stretch", size, epoch)
    for box in dataset.reads[0].boxes:
        left, top, right, bottom = map(int, box.sides)
        share = (pixels[top:bottom, left:right, 2] == FIRST).mean()
        assert (box.label in objects.labels) == (share >= VISIBLE)
    assert all(row in picture.sides.tolist() for row in objects.sides.tolist())


@pytest.mark.parametrize("name", ["rotate", "rand"])
def test_what_cannot_carry_boxes_is_refused(name: str) -> None:
    dataset = Places((Picture("", 9, 9, ()),), [])
    with pytest.raises(ValueError, match=f"{name.title()} cannot carry boxes: "):
        changed({name: True}, dataset, "stretch", (8, 8), 0)


def test_a_picture_may_have_no_objects_and_be_one_pixel() -> None:
    dataset = Places((Picture("", 1, 1, ()),), [])
    for name, settings in CARRY.items():
        for size in ((1, 1), (1, 7), (8, 8)):
            pixels, objects = changed(settings, dataset, "letterbox", size, 1)
            assert pixels.shape == (*size, 3), name
            assert objects.sides.shape == objects.original.shape == (0, 4)
            assert len(objects) == 0
