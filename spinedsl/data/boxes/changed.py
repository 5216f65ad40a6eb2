"""Pictures of training with their boxes: changed at random together.

In: a picture, what lies in it, and the numbers that all random changes follow from. Out: pixels of the network's image,
and what lies there.
"""

from __future__ import annotations

from spinedsl.data.augment import Augmentation
from spinedsl.data.boxes.placed import Placed, Truth, moving
from spinedsl.data.pictures import Pixels
from spinedsl.data.preprocessing import Preprocessing


def changed(
    pixels: Pixels, truth: Truth, augmentation: Augmentation, preprocessing: Preprocessing,
    seed: int, epoch: int, index: int,
) -> tuple[Pixels, Placed]:  # fmt: skip
    """A picture of any size and its objects, in the network's image, changed as (seed, epoch, index) say."""
    placement = preprocessing.placement(*pixels.shape[:2])
    return preprocessing.placed(pixels, placement), moving(truth, placement).placed(placement)
