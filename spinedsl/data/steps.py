"""Random changes to pictures, each as a function of what is drawn for it.

In: `uint8` pixels, height x width x channels, draws, and the colour of what comes in from outside. Out: pixels of the
same kind. `Crop`, `Scale` and `Mosaic` say which part of which picture goes where in the network's image; all others
work on that image.

Where pictures have boxes, these move as the pixels do: `moved` says how, and `boxes.changed` puts both together.
"""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from spinedsl.data.changes import OPERATIONS, enhanced, hue_turned, of_channels, rotated
from spinedsl.data.draws import Draws
from spinedsl.data.pictures import Colour, Pixels
from spinedsl.data.preprocessing import Placement
from spinedsl.record import Record

Range = tuple[float, float]
Sides = NDArray[np.float64]  # (boxes, 4): left, top, right, bottom
Window = tuple[int, int, int, int]  # the same of a rectangle
TRIES = 10  # of a random part, before the largest centred one is taken


class Augment(Record):
    """One random change. `apply` is given pixels of the network's size, draws, and the colour of what comes in."""

    carries_boxes = True  # where an object is afterwards is a box
    needs_boxes = False  # what it makes has no class
    why = ""  # either is otherwise

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The changed picture."""
        return pixels

    def moved(self, sides: Sides, height: int, width: int, draws: Draws) -> Sides:
        """Where boxes are after it, (boxes, 4), in a picture of this size, with the same draws; not cut off."""
        return sides

    def hidden(self, height: int, width: int, draws: Draws) -> Window | None:
        """A rectangle in which nothing can be seen any more, with the same draws."""
        return None


class Crop(Augment):
    """A random part of the picture: `area` of it, with sides as `ratio` (width to height), stretched to full size."""

    area: Range = (0.08, 1.0)
    ratio: Range = (3 / 4, 4 / 3)

    def box(self, height: int, width: int, draws: Draws) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the part."""
        for _ in range(TRIES):
            area = height * width * draws.between(*self.area)
            ratio = math.exp(draws.between(math.log(self.ratio[0]), math.log(self.ratio[1])))
            wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < wide <= width and 0 < high <= height:
                left, top = draws.below(width - wide + 1), draws.below(height - high + 1)
                return left, top, left + wide, top + high
        ratio = min(max(width / height, self.ratio[0]), self.ratio[1])
        wide, high = min(width, max(1, round(height * ratio))), min(height, max(1, round(width / ratio)))
        left, top = (width - wide) // 2, (height - high) // 2
        return left, top, left + wide, top + high


class Flip(Augment):
    """Left and right change places."""

    chance: float = 0.5

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The picture, or its mirror image."""
        return pixels[:, ::-1] if draws.chance(self.chance) else pixels

    def moved(self, sides: Sides, height: int, width: int, draws: Draws) -> Sides:
        """Boxes, or their mirror images."""
        return _mirrored(sides, width, 0) if draws.chance(self.chance) else sides


class Upturn(Augment):
    """Top and bottom change places."""

    chance: float = 0.5

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The picture, or its mirror image."""
        return pixels[::-1] if draws.chance(self.chance) else pixels

    def moved(self, sides: Sides, height: int, width: int, draws: Draws) -> Sides:
        """Boxes, or their mirror images."""
        return _mirrored(sides, height, 1) if draws.chance(self.chance) else sides


class Turn(Augment):
    """A quarter, a half or three quarters of a turn, or none; only half turns where the picture is not square."""

    chance: float = 1.0

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The turned picture."""
        height, width = pixels.shape[:2]
        return np.rot90(pixels, self._turns(height, width, draws))

    def moved(self, sides: Sides, height: int, width: int, draws: Draws) -> Sides:
        """Boxes, each quarter of a turn by itself."""
        for _ in range(self._turns(height, width, draws)):
            left, top, right, bottom = sides.T
            sides = np.stack([top, width - right, bottom, width - left], 1)
            height, width = width, height
        return sides

    def _turns(self, height: int, width: int, draws: Draws) -> int:
        """How many quarters, counterclockwise."""
        turns = draws.below(4) if height == width else 2 * draws.below(2)
        return turns if draws.chance(self.chance) else 0


class Rotate(Augment):
    """A turn by up to `degrees` to either side."""

    carries_boxes = False
    why = "the box around a turned box is larger than its object"
    degrees: float = 10.0

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The turned picture, of the same size."""
        return rotated(pixels, draws.between(-self.degrees, self.degrees), fill)


class Shift(Augment):
    """Up to `pixels` up or down and to the left or right; what comes in repeats the border."""

    pixels: int = 2

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The moved picture, of the same size."""
        height, width = pixels.shape[:2]
        down, right = self.by(draws)
        rows = np.clip(np.arange(height) + down, 0, height - 1)
        columns = np.clip(np.arange(width) + right, 0, width - 1)
        return pixels[rows[:, None], columns]

    def moved(self, sides: Sides, height: int, width: int, draws: Draws) -> Sides:
        """Boxes; they do not grow by what is repeated."""
        down, right = self.by(draws)
        return sides - (right, down, right, down)

    def by(self, draws: Draws) -> tuple[int, int]:
        """How far down and to the right the pixels are that come here."""
        down, right = draws.below(2 * self.pixels + 1), draws.below(2 * self.pixels + 1)
        return down - self.pixels, right - self.pixels


class Jitter(Augment):
    """Brightness, contrast and saturation by factors up to so much from 1, and the hue by a share of the circle."""

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.0

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The picture in other colours."""
        names = ("Brightness", "Contrast", "Color")
        factors = [draws.between(1 - most, 1 + most) for most in (self.brightness, self.contrast, self.saturation)]
        for name, factor in zip(names, factors, strict=True):
            if factor != 1:
                pixels = enhanced(pixels, name, factor)
        turn = round(256 * draws.between(-self.hue, self.hue))
        return hue_turned(pixels, turn) if turn and pixels.shape[2] == 3 else pixels


class Rand(Augment):
    """RandAugment, in part: so many of `OPERATIONS`, drawn with repetition, all of one `magnitude` from 0 to 10."""

    carries_boxes = False
    why = "some of its operations turn and shear"
    operations: int = 2
    magnitude: float = 9.0

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The picture after each operation."""
        table = list(OPERATIONS.values())
        for _ in range(self.operations):
            operation = table[draws.below(len(table))]
            level = self.magnitude / 10 * (1 if draws.chance(0.5) else -1)
            pixels = operation(pixels, level, fill)
        return pixels


class Erase(Augment):
    """A rectangle of one colour: `area` of the picture, with sides as `ratio` (width to height)."""

    chance: float = 0.25
    area: Range = (0.02, 0.33)
    ratio: Range = (0.3, 3.3)

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The picture, perhaps with a rectangle of the fill colour on it."""
        height, width = pixels.shape[:2]
        window = self.hidden(height, width, draws)
        if window is None:
            return pixels
        left, top, right, bottom = window
        erased = pixels.copy()
        erased[top:bottom, left:right] = of_channels(fill, pixels.shape[2])
        return erased

    def hidden(self, height: int, width: int, draws: Draws) -> Window | None:
        """The rectangle, if there is one."""
        return Crop(self.area, self.ratio).box(height, width, draws) if draws.chance(self.chance) else None


class NewClasses(Augment):
    """All pictures of a class, turned, mirrored and their colours swapped alike in an epoch: a class of its own."""

    carries_boxes = False
    why = "a picture with boxes has no class that could become another one"
    chance: float = 0.6

    def changed(self, pixels: Pixels, draws: Draws) -> tuple[int, Pixels]:
        """Which kind its class became, 0 for none, and the picture: of another shape or grey, as far as that goes."""
        height, width, channels = pixels.shape
        laid = draws.below(8) if draws.chance(self.chance) else 0
        order = draws.below(len(ORDERS)) if draws.chance(self.chance) else 0
        turned = laid if height == width else laid & ~1  # only half turns where the picture is not square
        pixels = np.rot90(pixels, turned % 4)
        pixels = pixels[:, ::-1] if turned >= 4 else pixels
        return laid * len(ORDERS) + order, pixels[:, :, list(ORDERS[order])] if order and channels == 3 else pixels


class Scale(Augment):
    """The picture larger or smaller by a factor, each in the range as likely, at a random place: cut off or padded."""

    factor: Range = (0.8, 1.2)

    def placement(self, usual: Placement, height: int, width: int, draws: Draws) -> Placement:
        """Where the picture goes in an image of this size, where it went as `usual` says."""
        factor = draws.between(*self.factor)
        wide, high = max(1, round(usual.width * factor)), max(1, round(usual.height * factor))
        left, top = _anywhere(width - wide, draws), _anywhere(height - high, draws)
        return usual.resized(left, top, wide, high, (0, 0, width, height))


class Mosaic(Augment):
    """Four pictures around a point, each with half its sides: this one, and three that are drawn from all."""

    needs_boxes = True
    why = "what shows four pictures has no class"
    chance: float = 0.5

    def middle(self, height: int, width: int, draws: Draws) -> tuple[int, int] | None:
        """The point, from the left and the top, in the middle half each way; nothing where one picture is shown."""
        if not draws.chance(self.chance):
            return None
        return round(width * draws.between(0.25, 0.75)), round(height * draws.between(0.25, 0.75))


def _mirrored(sides: Sides, length: int, axis: int) -> Sides:
    """Boxes from the other end of an axis: 0 from the right, 1 from below."""
    found = sides.copy()
    found[:, axis], found[:, axis + 2] = length - sides[:, axis + 2], length - sides[:, axis]
    return found


def _anywhere(room: int, draws: Draws) -> int:
    """A place in the room that there is; where there is none, how far what is too long begins before it."""
    return draws.below(room + 1) if room >= 0 else -draws.below(1 - room)


ORDERS = tuple(permutations(range(3)))
NEW_CLASSES = 8 * len(ORDERS)  # that one can become: eight ways to lay a square, and the orders of three colours
AUGMENTS: dict[str, type[Augment]] = {
    "crop": Crop,
    "flip": Flip,
    "upturn": Upturn,
    "turn": Turn,
    "rotate": Rotate,
    "shift": Shift,
    "jitter": Jitter,
    "rand": Rand,
    "erase": Erase,
    "new_classes": NewClasses,
    "scale": Scale,
    "mosaic": Mosaic,
}  # as a file of settings names them, in the order in which they are applied: the number of each is that of its draws
