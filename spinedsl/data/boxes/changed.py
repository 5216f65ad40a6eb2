"""Pictures of training with their boxes: changed at random together.

In: a data set, a sample of it, and the numbers that all random changes follow from. Out: pixels of the network's image,
and what lies there. Pixels are what they would be without boxes; a mosaic alone needs them.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from spinedsl.data.augment import Augmentation, fill_of
from spinedsl.data.boxes.placed import Moving, Placed, moving, together
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Placement, Preprocessing
from spinedsl.data.sample import Truth, sample
from spinedsl.data.steps import Mosaic
from spinedsl.record import Record


class Pictures(Protocol):
    """A data set; a mosaic takes three more of its pictures."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> tuple[Pixels, int | Truth]:
        """The pixels of a sample, and the objects in it."""


class Change(Record):
    """What is done to one sample: all of it follows from these."""

    augmentation: Augmentation
    preprocessing: Preprocessing
    seed: int
    epoch: int
    index: int
    classes: int = 0  # how many labels there are; 0 where it may be any number

    def picture(self, pixels: Pixels, truth: Truth, others: Pictures) -> tuple[Pixels, Placed]:
        """A picture of any size and its objects, in the network's image.

        Raises:
            ValueError: a step cannot carry boxes.
            BadPicture: one of the `others` that a mosaic takes cannot be read.
            BadSample: it gives something else.
        """
        bad = next((step for step in self.augmentation.steps if not step.carries_boxes), None)
        if bad is not None:
            raise ValueError(f"{type(bad).__name__} cannot carry boxes: {bad.why}")
        pre = self.preprocessing
        mosaic = self.augmentation.of(Mosaic)
        draws = None if mosaic is None else self.augmentation.draws(mosaic, self.seed, self.epoch, self.index)
        middle = None if mosaic is None or draws is None else mosaic.middle(pre.height, pre.width, draws)
        placement = self._placement(pixels, 0)
        if middle is None or draws is None:
            pixels, objects = self._placed(pixels, truth, placement)
        else:
            drawn = [sample(others, draws.below(len(others)), self.classes) for _ in range(3)]
            pixels, objects = self._around(middle, [(pixels, truth), *drawn])
        pixels, objects = self._moved(pixels, objects)
        return np.ascontiguousarray(pixels), objects.placed(placement)

    def _placement(self, pixels: Pixels, tile: int) -> Placement:
        height, width = pixels.shape[:2]
        return self.augmentation.placement(
            height, width, self.preprocessing, self.seed, self.epoch, self.index, tile
        )  # fmt: skip

    def _placed(self, pixels: Pixels, truth: Truth, placement: Placement) -> tuple[Pixels, Moving]:
        around = self.augmentation.around(self.preprocessing)
        return self.preprocessing.placed(pixels, placement, around), moving(truth, placement)

    def _around(self, middle: tuple[int, int], samples: list[tuple[Pixels, int | Truth]]) -> tuple[Pixels, Moving]:
        """Four pictures with half their sides, one corner of each at a point, each cut off at its quarter."""
        x, y = middle
        pre = self.preprocessing
        whole = np.empty((pre.height, pre.width, pre.channels), dtype=np.uint8)
        objects: list[Moving] = []
        for tile, (pixels, truth) in enumerate(samples):
            assert isinstance(truth, Truth)
            usual = self._placement(pixels, tile)
            wide, high = max(1, round(usual.width / 2)), max(1, round(usual.height / 2))
            left, right = (0, x) if tile in (0, 2) else (x, pre.width)
            top, bottom = (0, y) if tile in (0, 1) else (y, pre.height)
            if left == right or top == bottom:  # of an image of one pixel
                continue
            at = (x - wide if tile in (0, 2) else x, y - high if tile in (0, 1) else y)
            placement = usual.resized(*at, wide, high, (left, top, right, bottom))
            placed, found = self._placed(pixels, truth, placement)
            whole[top:bottom, left:right] = placed[top:bottom, left:right]
            objects.append(found)
        return whole, together(objects)

    def _moved(self, pixels: Pixels, objects: Moving) -> tuple[Pixels, Moving]:
        """The same after all steps that work on the network's image."""
        fill = fill_of(self.preprocessing)
        for step in self.augmentation.steps:
            height, width = pixels.shape[:2]
            first, second, third = (
                self.augmentation.draws(step, self.seed, self.epoch, self.index) for _ in range(3)
            )  # the same numbers for each
            objects = objects.moved(step.moved(objects.sides, height, width, first), (0, 0, width, height))
            hidden = step.hidden(height, width, second)
            objects = objects if hidden is None else objects.behind(hidden)
            pixels = step.apply(pixels, third, fill)
        return pixels, objects
