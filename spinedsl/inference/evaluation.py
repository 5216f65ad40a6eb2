"""Evaluation: how good a trained network is on images, with intervals, and the threshold that it is used with.

In: a trained network and images of known classes or persons; perhaps a gallery. Out: an `Evaluation`, which says its
figures as text, as JSON and as a picture.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import torch

from spinedsl import api, extras
from spinedsl import checks as say
from spinedsl.brief import brief, html_table, short_path
from spinedsl.data.dataset import Dataset, nowhere
from spinedsl.diagnostics import Diagnostic, Diagnostics
from spinedsl.given import whole
from spinedsl.inference import curves
from spinedsl.inference.detected import RECALLS, Detected, detected
from spinedsl.inference.engine import Engine
from spinedsl.inference.evaluated import FORMAT, VERSION
from spinedsl.inference.gallery import Gallery, gallery_of, in_gallery
from spinedsl.inference.measure import FARS, FPIRS, Measured, TooFew, of_classes, of_gallery, of_persons
from spinedsl.inference.results import coco_results
from spinedsl.inference.running import Computed, Hear, Located, find_over, run_over
from spinedsl.inference.samples import images_of
from spinedsl.inference.threshold import Threshold
from spinedsl.inference.using import engine_of, limits_of, need_embedder, need_faces, not_aligned
from spinedsl.reading import legible
from spinedsl.record import Record, field
from spinedsl.settings import is_number
from spinedsl.tasks import TASKS
from spinedsl.tasks.intervals import Interval

POINTS = 400  # of a curve in a file
LEVEL = 0.95


class Evaluation(Record, eq=False):
    """Figures of a network on images. A notebook shows them and their picture."""

    engine: Engine
    data: str  # what it was evaluated on
    images: int
    classes: tuple[str, ...]
    figures: Mapping[str, Interval]
    threshold: Threshold | None
    notes: tuple[str, ...]
    measured: Measured = field(repr=False)
    gallery: Gallery | None = None
    reported: Diagnostics = field(default_factory=Diagnostics, repr=False)
    limits: Mapping[str, Any] = {}  # of a detector, as it was run
    looked_at: Located | None = field(default=None, repr=False)  # what it found in each image
    data_set: Any = field(default=None, repr=False)

    def __brief__(self) -> str:
        shown = ", ".join(f"{name} {one.value:.4f}" for name, one in self.figures.items())
        return f"of {self.engine.network} on {self.images:,} images of {short_path(self.data)}: {shown or 'no figures'}"

    @property
    def results(self) -> list[dict[str, Any]]:
        """What a detector found, as COCO's results, with the ids of the data's own file.

        Raises:
            Mistakes: the file is no longer that of the images.
        """
        if self.looked_at is None:
            return []
        return coco_results(self.looked_at.found, self.data_set, self.looked_at.at.tolist())

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON can hold it: what is no number is null."""
        engine, measured = self.engine, self.measured
        found: dict[str, Any] = {
            FORMAT: VERSION, "task": engine.kind, "network": engine.network, "digest": engine.digest,
            "step": engine.step, "model": legible(engine.path), "runtime": engine.runtime, "data": legible(self.data),
            "images": self.images, "level": LEVEL,
            "resampled": "images" if TASKS[engine.kind].by_class else "persons",
            "figures": {name: interval_json(one) for name, one in self.figures.items()},
        }  # fmt: skip
        if measured.confusion is not None:
            found |= {"classes": list(self.classes), "confusion": measured.confusion.tolist()}
        if measured.detected is not None:
            found |= _detected_json(measured.detected, self.limits)
        if measured.verification is not None:
            held = measured.verification
            found["verification"] = {
                "folds": len(held.accuracies), "pairs": measured.pairs, "accuracies": list(held.accuracies),
                "deviation": held.deviation, "thresholds": [number(one) for one in held.thresholds],
            }  # fmt: skip
        if measured.operating:
            found["operating"] = [
                {"far": far, "tar": one.rate, "measured_far": one.false_rate, "threshold": number(one.threshold)}
                for far, one in measured.operating
            ]
        if measured.curve:
            found["curve"] = [[one.false_rate, one.rate, number(one.threshold)] for one in thinned(measured.curve)]
        if self.gallery is not None:
            found["gallery"] = {"path": legible(self.gallery.path), "persons": len(self.gallery)}
        if self.threshold is not None:
            found["threshold"] = {"value": self.threshold.value, "how": self.threshold.how}
        return found | {"notes": list(self.notes)}

    def to_svg(self) -> str | None:
        """The confusion of classes, or the curve of verification or precision; None where there is none."""
        title = f"{self.engine.network} on {short_path(legible(self.data))}"
        if self.measured.confusion is not None:
            return curves.confusion(self.measured.confusion.tolist(), self.classes, title, _figures(self.figures))
        if self.measured.detected is not None and self.measured.detected.curve:
            each = [(one.name, one.ap.value, one.curve) for one in self.measured.detected.classes if one.curve]
            return curves.precision(self.measured.detected.curve, each, title, _figures(self.figures))
        if self.measured.curve:
            points = thinned(self.measured.curve)
            return curves.verification(points, self.measured.operating, title, _figures(self.figures))
        return None

    def _repr_html_(self) -> str:
        rows = html_table((name, str(one)) for name, one in self.figures.items())
        return f"<p>{escape(self.__brief__())}</p>{rows}{self.to_svg() or ''}"


def _detected_json(found: Detected, limits: Mapping[str, Any]) -> dict[str, Any]:
    """What a detector has beside its figures. Curves are of an overlap of 0.50, at recalls of 0, 0.01, …, 1."""
    return {
        "limits": dict(limits), "objects": found.objects, "found": found.found, "resamples": found.resamples,
        "classes": [one.name for one in found.classes],
        "by_class": [
            {"name": one.name, "objects": one.objects, "ap": interval_json(one.ap)} for one in found.classes
        ],
        "curve": {
            "overlap": 0.5, "recall": [number / (RECALLS - 1) for number in range(RECALLS)],
            "precision": found.curve, "by_class": [list(one.curve) for one in found.classes],
        },
    }  # fmt: skip


def _figures(figures: Mapping[str, Interval]) -> str:
    shown = (f"{name} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for name, one in list(figures.items())[:2])
    return ", ".join(shown)


def number(value: float) -> float | None:
    """A number as JSON can hold it."""
    return value if math.isfinite(value) else None


def interval_json(one: Interval) -> dict[str, float | None]:
    """A figure and the ends of its interval."""
    return {"value": number(one.value), "low": number(one.low), "high": number(one.high)}


def thinned(curve: Sequence[Any], most: int = POINTS) -> list[Any]:
    """The points of a curve that are seen: those where both rates have changed, or some of them, dense at its start."""
    corners = [
        one
        for n, one in enumerate(curve)
        if n in (0, len(curve) - 1) or not curve[n - 1].rate == one.rate == curve[n + 1].rate
    ]
    corners = [
        one
        for n, one in enumerate(corners)
        if n in (0, len(corners) - 1) or not corners[n - 1].false_rate == one.false_rate == corners[n + 1].false_rate
    ]
    if len(corners) <= most:
        return corners
    steps = {round((len(corners) - 1) * (n / (most - 1)) ** 2) for n in range(most)}
    return [corners[at] for at in sorted(steps)]


# ---- made ----


def evaluate(
    model: Any,
    data: Any = None,
    *,
    gallery: Any = None,
    pairs: str | os.PathLike[str] | None = None,
    landmarks: str | os.PathLike[str] | None = None,
    folds: int | None = None,
    far: Sequence[float] | None = None,
    fpir: Sequence[float] | None = None,
    limits: Mapping[str, Any] | None = None,
    device: str = "auto",
    seed: int = 0,
    hear: Hear | None = None,
) -> Evaluation:
    """Evaluate a trained network.

    Args:
        model: a checkpoint, an exported model, the folder of a run, or an `Engine`.
        data: a folder, a list, idx files, a configuration whose validation images are taken, or a data set with
            `classes`, `__len__` and `read(index)`; if not given, what the checkpoint's configuration validates on.
        gallery: of known persons, or its path: images of others are of unknown persons then.
        pairs: the list of pairs for verification, if it is not the data's own.
        landmarks: the list of five points for each image, by which faces are aligned, if it is not the data's own.
        folds: over how many, for verification; as many as there can be up to 10 if not given, or those of the list.
        far: shares of pairs of two persons that may be accepted; 0.1, 0.01 and 0.001 if not given.
        fpir: shares of images of persons that are not in the gallery that may be named; 0.1 and 0.01 if not given.
        limits: of a detector, instead of those that it was trained with: `score`, `overlap`, `top` and `most`.
        device: where the network runs, `auto`, `cpu` or `cuda`.
        seed: of pairs and intervals.
        hear: is told how many images of how many are done.

    Raises:
        Mistakes: something is wrong with the network, the images or the gallery; of images, all of it.
        MissingPackage: a package is not installed that this needs.
        TypeError: an argument is of another kind.
        ValueError: a share that is none, fewer than two folds, or `fpir` without a gallery.
    """
    shares = {"far": shares_of(far, "far", FARS), "fpir": shares_of(fpir, "fpir", FPIRS)}
    if fpir is not None and gallery is None:
        raise ValueError("fpir is a share of those who are not in a gallery: gallery must be given too")
    if folds is not None and whole(folds, "folds") < 2:
        raise ValueError(f"folds must be 2 or more; got {folds}")
    engine = engine_of(model, device)
    by_class = TASKS[engine.kind].by_class
    if gallery is not None:
        need_embedder(engine, "a gallery holds vectors")
    if pairs is not None or folds is not None or far is not None:
        need_embedder(engine, "verification compares vectors")
    if limits:
        limits = limits_of(engine.kind, engine.path, limits)
    known = None if gallery is None else gallery_of(gallery, engine)
    if landmarks is not None:
        need_faces(engine)
    lists = {name: os.fspath(one) for name, one in (("pairs", pairs), ("landmarks", landmarks)) if one is not None}
    opened = images_of(engine, data, lists)
    images = api.valued(opened)
    if engine.find is not None:
        return _detector(engine, images, opened.diagnostics, limits or {}, seed, hear)
    computed = run_over(engine, images, hear)
    if computed.unread:
        raise api.Mistakes([*opened.diagnostics, *computed.unread])
    name = str(getattr(images, "name", "<data>"))
    reported = [*opened.diagnostics]
    if isinstance(images, Dataset):
        reported += not_aligned(engine, aligned=bool(images.landmarks))
    classes = tuple(map(str, images.classes))
    values, labels = torch.from_numpy(computed.values), torch.from_numpy(computed.labels)
    if by_class:
        classes = _outputs(engine.classes, values.shape[1])
        measured = of_classes(values, labels, seed)
        reported += _one_class(name, classes, computed)
    else:
        measured = _of_persons(name, images, computed, classes, folds, seed, known, shares)
        if known is not None:
            called = [_called(images, index) for index in computed.at.tolist()]
            reported += in_gallery(known, computed.digests, called)
    return Evaluation(
        engine, name, len(labels), classes, measured.figures, measured.threshold, measured.notes, measured, known,
        Diagnostics(reported),
    )  # fmt: skip


def _detector(
    engine: Engine, images: Any, reported: Sequence[Diagnostic], limits: Mapping[str, Any], seed: int, hear: Hear | None
) -> Evaluation:
    """Evaluate what finds boxes."""
    extras.require(*TASKS[engine.kind].needs)
    located = find_over(engine, images, hear, limits)
    if located.unread:
        raise api.Mistakes([*reported, *located.unread])
    name = str(getattr(images, "name", "<data>"))
    highest = max((int(one.labels.max()) for one in located.found if len(one)), default=-1)
    names = engine.classes or tuple(map(str, images.classes))  # a compiled model need not say what they are called
    classes = _outputs(names, max(len(names), 1 + highest))
    found = detected(located.found, located.there, classes, seed)
    return Evaluation(
        engine, name, len(located.found), classes, found.figures, None, found.notes,
        Measured(found.figures, found.notes, detected=found), None, Diagnostics(reported),
        {**engine.limits, **limits}, located, images,
    )  # fmt: skip


def shares_of(given: Any, name: str, usual: tuple[float, ...]) -> tuple[float, ...]:
    """Shares above 0 and below 1, the largest first.

    Raises:
        TypeError: they are no numbers in a list.
        ValueError: one is no such share, or there is none.
    """
    if given is None:
        return usual
    form = f"{name} must be shares above 0 and below 1 in a list, as in {name}=[0.01, 0.001]"
    several = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    if not several or not all(is_number(one) for one in given):
        raise TypeError(f"{form}; got {brief(given)}")
    if not given or not all(0 < one < 1 for one in given):
        raise ValueError(f"{form}; got {brief(given)}")
    return tuple(sorted({float(one) for one in given}, reverse=True))


def _called(images: Any, index: int) -> str:
    return str(images.called(index)) if hasattr(images, "called") else f"image {index}"


def _outputs(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    """The names of all outputs: of one that no class is taught, its number."""
    return (*names, *(f"output {number}" for number in range(len(names), count)))


def _one_class(name: str, classes: Sequence[str], computed: Computed) -> list[Diagnostic]:
    there = set(computed.labels.tolist())
    if len(there) != 1:
        return []
    found: Diagnostic = say.ONE_CLASS.at(nowhere(name), path=legible(name), name=classes[there.pop()])
    return [found.with_fix("name the folder that has one for each class")]


def _of_persons(
    name: str, images: Any, computed: Computed, classes: Sequence[str], folds: int | None, seed: int,
    known: Gallery | None, shares: Mapping[str, tuple[float, ...]],
) -> Measured:  # fmt: skip
    """Figures of verification, and where there is a gallery, those of identification too, and its threshold."""
    vectors, labels = torch.from_numpy(computed.values), torch.from_numpy(computed.labels)
    found: Measured | None = None
    try:
        found = of_persons(vectors, labels, getattr(images, "pairs", ()), folds, shares["far"], seed)
    except TooFew as error:
        if known is None or folds is not None:
            raise api.Mistakes([_too_few(name, error)]) from None
    if known is None:
        assert found is not None
        return found
    try:
        called = [classes[label] for label in labels.tolist()]
        other = of_gallery(torch.from_numpy(known.vectors), known.names, vectors, called, shares["fpir"], seed)
    except TooFew as error:
        raise api.Mistakes([_too_few(name, error, "call the folders of known persons as the gallery does")]) from None
    if found is None:
        return other
    return Measured(
        {**found.figures, **other.figures}, (*found.notes, *other.notes), None, found.verification, found.pairs,
        found.curve, found.operating, other.threshold or found.threshold,
    )  # fmt: skip


def _too_few(
    name: str, error: TooFew, fix: str = "give it images of more persons, or ask for fewer `--folds`"
) -> Diagnostic:
    found: Diagnostic = say.FEW_TO_COMPARE.at(nowhere(name), what=f"`{legible(name)}`: {error}")
    return found.with_fix(fix)
