"""What is done to pictures of training, as functions of (seed, epoch, index): nothing is kept from one to the next.

In: the settings of [data.augment], and pictures. Out: `uint8` pixels of the network's size. Steps are applied in the
order of `AUGMENTS`. Each draws from a stream of its own, so that to switch one off changes nothing of what others do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from spinedsl.data.draws import Draws, Purpose
from spinedsl.data.pictures import Colour, Pixels
from spinedsl.data.preprocessing import Placement, Preprocessing
from spinedsl.data.steps import AUGMENTS, NEW_CLASSES, Augment, Crop, NewClasses, Range, Scale
from spinedsl.record import Record, asdict
from spinedsl.settings import Setting, Table, in_words, read_table
from spinedsl.source import Source
from spinedsl.toml import Document

A = TypeVar("A", bound=Augment)
TILES = 64  # numbers of draws that each picture of a mosaic has for itself
SHORT = {"scale": "factor", "mosaic": "chance"}  # the setting that stands alone in `scale = [0.5, 2]`, `mosaic = 0.3`
LIMITS: dict[str, Range] = {
    "chance": (0.0, 1.0),
    "factor": (0.01, 100.0),
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

        Raises:
            ValueError: a step is for pictures with boxes.
        """
        bad = next((step for step in self.steps if step.needs_boxes), None)
        if bad is not None:
            raise ValueError(f"{type(bad).__name__} is for pictures with boxes: {bad.why}")
        height, width = pixels.shape[:2]
        placement = self.placement(height, width, preprocessing, seed, epoch, index)
        pixels = preprocessing.placed(pixels, placement, self.around(preprocessing))
        for step in self.steps:
            pixels = step.apply(pixels, self.draws(step, seed, epoch, index), fill_of(preprocessing))
        return np.ascontiguousarray(pixels)

    def placement(
        self, height: int, width: int, preprocessing: Preprocessing, seed: int, epoch: int, index: int, tile: int = 0
    ) -> Placement:
        """Which part of a picture of this size goes where in the network's image; `tile` is its number in a mosaic."""
        found = preprocessing.placement(height, width)
        crop, scale = self.of(Crop), self.of(Scale)
        if crop is not None:
            left, top, right, bottom = crop.box(height, width, self.draws(crop, seed, epoch, index, tile))
            box = (float(left), float(top), float(right), float(bottom))
            found = Placement(box, 0, 0, preprocessing.width, preprocessing.height)
        if scale is not None:
            draws = self.draws(scale, seed, epoch, index, tile)
            found = scale.placement(found, preprocessing.height, preprocessing.width, draws)
        return found

    def of(self, kind: type[A]) -> A | None:
        """The step of a kind, if there is one."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

    def around(self, preprocessing: Preprocessing) -> Colour:
        """The colour around pictures: that of a letterbox; where there is none, what becomes zero in the network."""
        return preprocessing.background if preprocessing.resize == "letterbox" else fill_of(preprocessing)

    @staticmethod
    def draws(step: Augment, seed: int, epoch: int, index: int, tile: int = 0) -> Draws:
        """What is drawn for a step."""
        number = list(AUGMENTS.values()).index(type(step)) + 1
        return Draws(seed, epoch, index, branch=TILES * tile + number)


def augmentation(values: Mapping[str, Any]) -> Augmentation:
    """The steps that settings name: `{"flip": True, "crop": {"area": [0.3, 1]}}`; `False` is as if it were not there.

    Raises:
        ValueError: settings that cannot be; it names all of them.
    """
    read, wrong = read_table(Document(Source("", ""), values, {}, {}), TABLE)
    if wrong:
        raise ValueError(in_words(wrong))
    steps = []
    for name, kind in AUGMENTS.items():
        if read[name] is not None:
            steps.append(kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in read[name].items()}))
    return Augmentation(tuple(steps))


def _table(name: str, kind: type[Augment]) -> Table:
    """The settings of a step, each with its limits."""
    settings = []
    for key, usual in asdict(kind()).items():
        form = "range" if isinstance(usual, list) else "whole" if isinstance(usual, int) else "number"
        settings.append(Setting(key, form, usual, "", *LIMITS[key]))
    return Table(tuple(settings), switch=True, short=SHORT.get(name, ""))


TABLE = Table((), {name: _table(name, kind) for name, kind in AUGMENTS.items()})


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


def fill_of(preprocessing: Preprocessing) -> Colour:
    """The colour that becomes zero in the network, as red, green and blue."""
    mean = preprocessing.mean if preprocessing.order == "rgb" else preprocessing.mean[::-1]
    red, green, blue = (round(255 * value) for value in (mean * 3)[:3])
    return red, green, blue
