"""Random changes to pictures of training, as functions of (seed, epoch, index): nothing is kept from one to the next.

In: `uint8` pixels, height x width x channels, and what is drawn for them. Out: pixels of the same kind. `Crop` takes a
part of the picture before it gets the network's size; all others work on pictures of that size, in the order of
`AUGMENTS`. Each draws from a stream of its own, so that to switch one off changes nothing of what the others do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

import numpy as np

from spinedsl.brief import brief
from spinedsl.data.changes import OPERATIONS, enhanced, hue_turned, of_channels, rotated
from spinedsl.data.draws import Draws, Purpose
from spinedsl.data.pictures import Colour, Pixels
from spinedsl.data.preprocessing import Placement, Preprocessing, Wrong
from spinedsl.diagnostics.suggest import nearest
from spinedsl.record import Record, asdict
from spinedsl.settings import is_number

Range = tuple[float, float]
TRIES = 10  # of a random part, before the largest centred one is taken


class Augment(Record):
    """One random change. `apply` is given pixels of the network's size, draws, and the colour of what comes in."""

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The changed picture."""
        raise NotImplementedError


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


class Upturn(Augment):
    """Top and bottom change places."""

    chance: float = 0.5

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The picture, or its mirror image."""
        return pixels[::-1] if draws.chance(self.chance) else pixels


class Turn(Augment):
    """A quarter, a half or three quarters of a turn, or none; only half turns where the picture is not square."""

    chance: float = 1.0

    def apply(self, pixels: Pixels, draws: Draws, fill: Colour) -> Pixels:
        """The turned picture."""
        turns = draws.below(4) if pixels.shape[0] == pixels.shape[1] else 2 * draws.below(2)
        return np.rot90(pixels, turns) if draws.chance(self.chance) else pixels


class Rotate(Augment):
    """A turn by up to `degrees` to either side."""

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
        down, right = draws.below(2 * self.pixels + 1), draws.below(2 * self.pixels + 1)
        rows = np.clip(np.arange(height) + down - self.pixels, 0, height - 1)
        columns = np.clip(np.arange(width) + right - self.pixels, 0, width - 1)
        return pixels[rows[:, None], columns]


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
        if not draws.chance(self.chance):
            return pixels
        height, width = pixels.shape[:2]
        left, top, right, bottom = Crop(self.area, self.ratio).box(height, width, draws)
        erased = pixels.copy()
        erased[top:bottom, left:right] = of_channels(fill, pixels.shape[2])
        return erased


class NewClasses(Augment):
    """All pictures of a class, turned, mirrored and their colours swapped alike in an epoch: a class of its own."""

    chance: float = 0.6

    def changed(self, pixels: Pixels, draws: Draws) -> tuple[int, Pixels]:
        """Which kind it became, 0 for none, and the picture."""
        height, width, channels = pixels.shape
        laid = draws.below(8) if draws.chance(self.chance) else 0
        laid = laid if height == width else laid & ~1  # only half turns where the picture is not square
        order = draws.below(len(ORDERS)) if draws.chance(self.chance) and channels == 3 else 0
        pixels = np.rot90(pixels, laid % 4)
        pixels = pixels[:, ::-1] if laid >= 4 else pixels
        return laid * len(ORDERS) + order, pixels[:, :, list(ORDERS[order])] if order else pixels


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
}  # as a file of settings names them, in the order in which they are applied
LIMITS: dict[str, Range] = {
    "chance": (0.0, 1.0),
    "area": (1e-6, 1.0),
    "ratio": (0.01, 100.0),
    "degrees": (0.0, 180.0),
    "pixels": (0, 1024),
    "brightness": (0.0, 1.0),
    "contrast": (0.0, 1.0),
    "saturation": (0.0, 1.0),
    "hue": (0.0, 0.5),
    "operations": (0, 16),
    "magnitude": (0.0, 10.0),
}  # the least and the most of each setting; the two of a range stand in order


class Augmentation(Record):
    """What is done to each picture of training. Without steps, pictures are as in evaluation."""

    steps: tuple[Augment, ...] = ()

    @property
    def makes_classes(self) -> bool:
        """Labels are those of other classes too."""
        return any(isinstance(step, NewClasses) for step in self.steps)

    def relabelled(self, pixels: Pixels, label: int, seed: int, epoch: int) -> tuple[Pixels, int]:
        """A picture of a class and its label; those of another class where this epoch makes one of it."""
        for step in self.steps:
            if isinstance(step, NewClasses):
                number, pixels = step.changed(pixels, Draws(seed, epoch, label, Purpose.CLASS))
                label = label * NEW_CLASSES + number
        return pixels, label

    def prepared(self, pixels: Pixels, preprocessing: Preprocessing, seed: int, epoch: int, index: int) -> Pixels:
        """A picture of any size as one of the network's size, `uint8`, changed as (seed, epoch, index) say.

        `index` is that of the sample in its data set.
        """
        fill = _fill(preprocessing)
        height, width = pixels.shape[:2]
        placement = preprocessing.placement(height, width)
        numbers = {kind: number for number, kind in enumerate(AUGMENTS.values(), start=1)}
        for step in self.steps:
            if isinstance(step, Crop):
                left, top, right, bottom = step.box(height, width, Draws(seed, epoch, index, branch=numbers[Crop]))
                box = (float(left), float(top), float(right), float(bottom))
                placement = Placement(box, 0, 0, preprocessing.width, preprocessing.height)
        pixels = preprocessing.placed(pixels, placement)
        for step in self.steps:
            if not isinstance(step, Crop | NewClasses):
                pixels = step.apply(pixels, Draws(seed, epoch, index, branch=numbers[type(step)]), fill)
        return np.ascontiguousarray(pixels)


def augmentation(values: Mapping[str, Any]) -> Augmentation:
    """The steps that settings name: `{"flip": True, "crop": {"area": [0.3, 1]}}`; `False` is as if it were not there.

    Raises:
        ValueError: settings that cannot be; it names all of them.
    """
    if wrong := mistakes(values):
        raise ValueError("; ".join(map(str, wrong)))
    steps = []
    for name, kind in AUGMENTS.items():
        given = values.get(name, False)
        if given is not False:
            settings = {} if given is True else given
            steps.append(kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}))
    return Augmentation(tuple(steps))


def about() -> dict[str, str]:
    """Each change in words, with what it does if a file says `true`."""
    found = {}
    for name, kind in AUGMENTS.items():
        text = str(kind.__doc__).strip().rstrip(".")
        usual = ", ".join(f"{setting} = {_written(value)}" for setting, value in asdict(kind()).items())
        found[name] = f"{text[0].lower()}{text[1:]} (true, or {{ {usual} }})".replace("`", "")
    return found


def _written(value: float | list[float]) -> str:
    return f"[{', '.join(f'{one:.3g}' for one in value)}]" if isinstance(value, list) else f"{value:g}"


def mistakes(values: Mapping[str, Any]) -> tuple[Wrong, ...]:
    """All that is wrong with settings of augmentation. Of what is in a table, the key is `crop.area`."""
    return tuple(_mistakes(values))


def _mistakes(values: Mapping[str, Any]) -> Iterator[Wrong]:
    for name, given in values.items():
        if name not in AUGMENTS:
            unread = "a key that nothing reads"
            yield Wrong(name, ", ".join(AUGMENTS), unread, nearest(name, AUGMENTS), is_unknown=True)
        elif isinstance(given, Mapping):
            yield from _mistakes_of(name, given)
        elif not isinstance(given, bool):
            yield Wrong(name, "true, false, or a table of settings", brief(given))


def _mistakes_of(name: str, given: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong with the settings of one augmentation."""
    usual = AUGMENTS[name]()
    known = type(usual).__match_args__
    for setting, value in given.items():
        key = f"{name}.{setting}"
        if setting not in known:
            near = nearest(setting, known)
            meant = near and f"{name}.{near}"
            yield Wrong(key, ", ".join(known), "a key that nothing reads", meant, is_unknown=True)
            continue
        low, high = LIMITS[setting]
        default = getattr(usual, setting)
        if isinstance(default, tuple):
            if not (isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value))):
                yield Wrong(key, "two numbers, the least and the most", brief(value))
            elif not low <= value[0] <= value[1] <= high:
                yield Wrong(key, f"two numbers in order, from {low:g} to {high:g}", brief(value))
        elif not is_number(value) or (isinstance(default, int) and not isinstance(value, int)):
            yield Wrong(key, "a whole number" if isinstance(default, int) else "a number", brief(value))
        elif not low <= value <= high:
            yield Wrong(key, f"a number from {low:g} to {high:g}", brief(value))


def _fill(preprocessing: Preprocessing) -> Colour:
    """The colour that becomes zero in the network, as red, green and blue."""
    mean = preprocessing.mean if preprocessing.order == "rgb" else preprocessing.mean[::-1]
    red, green, blue = (round(255 * value) for value in (mean * 3)[:3])
    return red, green, blue
