"""Figures of a detector on pictures: COCO's average precision, each with its interval over pictures, and its curves.

In: what was found in each picture and what is there, in the pictures' own pixels. Out: figures by name, by class, and
precision over recall. Pictures are drawn anew; what was found in one is compared with its objects once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from spinedsl.data.dataset import of_classes
from spinedsl.data.sample import Truth
from spinedsl.inference.boxes import Boxes
from spinedsl.record import Record
from spinedsl.tasks.detection.precision import Judged, Objects, Precision, words
from spinedsl.tasks.detection.suppression import Candidates
from spinedsl.tasks.intervals import Interval

LEVEL = 0.95
MOST, LEAST = 1000, 100  # resamples
WORK = 4_000_000  # what all resamples together may cost, in parts of `Judged`
RECALLS = 101


class OfClass(Record):
    """A class: how many objects it has, crowds not counted, its average precision, and its precision at each recall."""

    name: str
    objects: int
    ap: Interval
    curve: tuple[float, ...]


class Detected(Record, eq=False):
    """Figures by name, and by class; `resamples` is how often pictures were drawn anew."""

    figures: dict[str, Interval]
    classes: tuple[OfClass, ...]
    objects: int
    found: int
    resamples: int
    notes: tuple[str, ...]

    @property
    def curve(self) -> list[float]:
        """The mean precision, over classes that have objects, at recalls of 0, 0.01, …, 1 and an overlap of 0.50."""
        there = [one.curve for one in self.classes if one.curve]
        return [sum(values) / len(there) for values in zip(*there, strict=True)]


def detected(found: Sequence[Boxes], there: Sequence[Truth], names: Sequence[str], seed: int = 0) -> Detected:
    """The figures.

    Args:
        found: of each picture.
        there: of the same pictures.
        names: of the classes.
        seed: of the drawing.

    Raises:
        MissingPackage: faster-coco-eval is not installed.
    """
    judged = Judged([_candidates(one) for one in found], [_objects(one) for one in there], len(names))
    whole = judged.precision()
    resamples = max(LEAST, min(MOST, WORK // max(1, judged.cost)))
    draw = np.random.default_rng(seed)
    drawn: list[Precision] = []
    if judged.cost:
        drawn = [judged.precision(draw.integers(0, len(there), len(there)).tolist()) for _ in range(resamples)]
    figures = {
        name: _interval(value, [words(one)[name] for one in drawn])
        for name, value in words(whole).items()
        if math.isfinite(value)
    }
    counts = _counts(there, len(names))
    curves = judged.curves()
    classes = tuple(
        OfClass(
            name, int(counts[number]), _interval(whole.by_class[number], [one.by_class[number] for one in drawn]),
            tuple(curves[number]),
        )
        for number, name in enumerate(names)
    )  # fmt: skip
    return Detected(
        figures, classes, int(counts.sum()), sum(map(len, found)), resamples if drawn else 0, _notes(figures, counts)
    )


def _candidates(one: Boxes) -> Candidates:
    sides, scores, labels = (torch.from_numpy(np.ascontiguousarray(v)) for v in (one.sides, one.scores, one.labels))
    return Candidates(sides, scores, labels)


def _objects(one: Truth) -> Objects:
    held = (one.sides, one.labels, one.crowds, one.areas)
    sides, labels, crowds, areas = (torch.from_numpy(np.ascontiguousarray(values)) for values in held)
    return Objects(sides.reshape(-1, 4), labels, crowds, areas)


def _interval(value: float, drawn: Sequence[float]) -> Interval:
    """A figure with what lies between the ends of its resamples; of those without objects there is no figure."""
    known = [one for one in drawn if math.isfinite(one)]
    if not known or not math.isfinite(value):
        return Interval(value, math.nan, math.nan, LEVEL)
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high), LEVEL)


def _counts(there: Sequence[Truth], classes: int) -> NDArray[np.int64]:
    """How many objects each class has."""
    counts = np.zeros(classes, dtype=np.int64)
    for one in there:
        counts += np.bincount(one.labels[~np.asarray(one.crowds, dtype=bool)], minlength=classes)
    return counts


def _notes(figures: dict[str, Interval], counts: NDArray[np.int64]) -> tuple[str, ...]:
    """What there is no figure of."""
    if not counts.sum():
        return ("no figures: there are no objects in the images",)
    notes = []
    sizes = [name for name in ("small", "medium", "large") if name not in figures]
    if sizes:
        notes.append(f"no figure for {' and '.join(sizes)} objects: there are none")
    missing = int((counts == 0).sum())
    if missing:
        notes.append(f"{of_classes(missing)} without objects: the figures are those of the others")
    return tuple(notes)
