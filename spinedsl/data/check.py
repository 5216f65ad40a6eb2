"""Every mistake in data, before the first step, with its file, and its line where a list names it.

In: the training images, perhaps those for validation, and what the run expects of them. Out: diagnostics, all at once.
Every picture is decoded, in several processes.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.boxes import BoxSet, json_in
from spinedsl.data.boxes.check import check_boxes
from spinedsl.data.dataset import Dataset, nowhere, of_classes
from spinedsl.data.idx import pictures_of
from spinedsl.data.pictures import MissingPicture
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.seen import Hear, Seen, decoded, digest_of_pixels, in_both
from spinedsl.data.workers import usual_workers
from spinedsl.diagnostics import Diagnostic, Diagnostics, Nearest
from spinedsl.reading import legible
from spinedsl.record import replace
from spinedsl.source import Span


def check(
    train: Dataset | BoxSet,
    validation: Dataset | BoxSet | None = None,
    *,
    outputs: int | None = None,
    batch: int | None = None,
    workers: int | None = None,
    place: Span | None = None,
    hear: Hear | None = None,
    preprocessing: Preprocessing | None = None,
) -> Diagnostics:
    """All that is wrong with data sets; `open_data` reports what is wrong with their lists, and their boxes.

    * `outputs`: how many classes the network tells apart, where it tells any.
    * `batch`: how many pictures a step takes.
    * `place`: where a configuration names the network's head, for what is wrong with both together.
    * `preprocessing`: by which boxes get into the network's image, which some are too small for.
    """
    workers = usual_workers() if workers is None else workers
    if isinstance(train, BoxSet):
        others = validation if isinstance(validation, BoxSet) else None
        found = list(check_boxes(train, others, workers=workers, hear=hear, preprocessing=preprocessing))
        return Diagnostics([*(_fits(train, outputs, batch, place) if train.is_whole else ()), *found])
    if isinstance(validation, BoxSet):
        validation = None
    return Diagnostics(_labelled(train, validation, outputs, batch, workers, place, hear))


def _labelled(
    train: Dataset, validation: Dataset | None, outputs: int | None, batch: int | None, workers: int,
    place: Span | None, hear: Hear | None,
) -> list[Diagnostic]:  # fmt: skip
    """What is wrong with pictures that have a class each."""
    sets = [train] if validation is None else [train, validation]
    found = [*_numbers(train, outputs, batch, place)] if train.is_whole else []
    if validation is not None and validation.kind != "persons" and validation.is_whole:
        found += _classes_of(validation)
    seen = _looked_at(sets, workers, hear)
    for dataset, results in zip(sets, seen, strict=True):
        found += _pictures(dataset, results)
        found += _two_classes(dataset, results)
    if validation is not None:
        found += in_both(train, seen[0], validation, seen[1])
    return found


# ---- numbers ----


def _numbers(train: Dataset, outputs: int | None, batch: int | None, place: Span | None) -> Iterator[Diagnostic]:
    whole = nowhere(train.name)
    if len(train.classes) < 2:
        got = of_classes(len(train.classes))
        few = say.FEW_CLASSES.at(whole, path=train.name, got=got, reason="nothing can be told apart")
        boxes = json_in(Path(train.name)) if train.kind == "folder" else None
        fixes = {"csv": "see that the column of the classes is the right one"}
        other = f"name the file of the boxes, if it is that: `{legible(str(boxes))}`" if boxes else ""
        yield few.with_fix(other or fixes.get(train.kind, "name the folder that has one for each class"))
    elif not len(train):
        yield say.FEW_CLASSES.at(whole, path=train.name, got="no pictures", reason="nothing can be learned")
    else:
        yield from _classes_of(train)
    yield from _fits(train, outputs, batch, place)


def _fits(train: Dataset | BoxSet, outputs: int | None, batch: int | None, place: Span | None) -> Iterator[Diagnostic]:
    """Whether there are as many classes as outputs, and pictures for a batch."""
    whole = nowhere(train.name)
    if outputs is not None and outputs != len(train.classes):
        heads, classes = counted(outputs, "output"), of_classes(len(train.classes))
        wrong = say.HEAD_MISFIT.at(place or whole, outputs=heads, path=train.name, classes=classes)
        yield wrong.with_fix(f"let the network's head have {counted(len(train.classes), 'output')}")
    if batch is not None and 0 < len(train) < batch:
        few = say.FEW_PICTURES.at(whole, path=train.name, pictures=counted(len(train), "picture"), batch=batch)
        yield few.with_fix(f"let `batch` be {len(train)} or less")


def _classes_of(dataset: Dataset) -> Iterator[Diagnostic]:
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    for name, count in zip(dataset.classes, counts, strict=True):
        if not count:
            yield say.EMPTY_CLASS.at(nowhere(dataset.name), name=name, what="pictures", path=dataset.name)


# ---- pictures ----


def _looked_at(sets: Sequence[Dataset], workers: int, hear: Hear | None) -> list[list[Seen]]:
    """What is found in each sample of each data set; a file that several name is decoded once."""
    paths = list(dict.fromkeys(sample.path for one in sets if one.kind != "idx" for sample in one.samples))
    known = dict(zip(paths, decoded(paths, workers, hear), strict=True))
    return [
        [Seen(digest_of_pixels(pixels)) for pixels in pictures_of(one.samples[0].path)]
        if one.kind == "idx" and one.samples
        else [known[sample.path] for sample in one.samples]
        for one in sets
    ]  # fmt: skip


def _pictures(dataset: Dataset, results: Sequence[Seen]) -> Iterator[Diagnostic]:
    reported: set[str] = set()
    folders = Folders()
    for index, seen in enumerate(results):
        path = dataset.samples[index].path
        if dataset.kind != "idx" and path in reported:
            continue
        reported.add(path)
        if isinstance(seen.error, MissingPicture):
            yield missing_picture(path, dataset.place(index), folders)
        elif seen.error is not None:
            label = "named here" if dataset.samples[index].line else ""
            error = seen.error
            wrong = say.BAD_PICTURE.at(dataset.place(index), path=error.path, reason=error.reason, label=label)
            yield wrong.with_fix(error.fix)
        elif seen.frames > 1:
            yield say.SEVERAL_FRAMES.at(dataset.place(index), path=dataset.called(index), frames=seen.frames)


def missing_picture(path: str, place: Span, folders: Folders | None = None) -> Diagnostic:
    """There is no such file, which is named at `place`; what is like it. `folders` keeps those that were listed."""
    wrong: Diagnostic = say.MISSING_PICTURE.at(place, path=legible(path))
    wrong = wrong if place.source.text else replace(wrong, label="")
    folder, name = os.path.split(path)
    if os.path.islink(path):  # noqa: PTH114
        return wrong.with_fix(f"it is a link to `{legible(os.readlink(path))}`, which is not there")  # noqa: PTH115
    if os.sep == "/" and "\\" in path and os.path.exists(path.replace("\\", "/")):  # noqa: PTH110
        return wrong.with_fix("write `/` between folders: it is there by that name")
    there = (folders or Folders()).listed(folder)
    if there is None:
        begin = ": paths begin where the list stands" if place.source.text else ""
        return wrong.with_fix(f"there is no folder `{legible(folder)}`{begin}")
    alike = there.folded.get(_folded(name))
    if alike is not None and unicodedata.normalize("NFC", alike) == unicodedata.normalize("NFC", name):
        return wrong.with_fix("a file has a name that looks the same and spells its accents otherwise: rename one")
    near = alike or there.near(name)
    return wrong.with_fix(f"did you mean `{legible(os.path.join(folder, near))}`?") if near else wrong  # noqa: PTH118


class Listed:
    """The files of a folder, by what their names are compared by."""

    def __init__(self, names: Sequence[str]) -> None:
        self.folded = {_folded(name): name for name in reversed(names)}  # of equal ones the first
        self.stems = {os.path.splitext(name)[0]: name for name in names}  # noqa: PTH122
        self._like = Nearest(self.stems)

    def near(self, name: str) -> str | None:
        """A file of the same name with another ending, or one of a name that is much like it."""
        stem = os.path.splitext(name)[0]  # noqa: PTH122
        near = stem if stem in self.stems else self._like(stem)
        return None if near is None else self.stems[near]


class Folders:
    """Folders, each listed once: a list may name thousands of files that are not there."""

    def __init__(self) -> None:
        self._listed: dict[str, Listed | None] = {}

    def listed(self, folder: str) -> Listed | None:
        """What is in a folder; nothing where there is none."""
        if folder not in self._listed:
            try:
                self._listed[folder] = Listed(os.listdir(folder or "."))  # noqa: PTH208
            except (OSError, ValueError):
                self._listed[folder] = None
        return self._listed[folder]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _two_classes(dataset: Dataset, results: Sequence[Seen]) -> Iterator[Diagnostic]:
    """Files with the same pixels and other classes."""
    first: dict[bytes, int] = {}
    for index, seen in enumerate(results):
        before = first.setdefault(seen.digest, index) if seen.digest else index
        one, other = dataset.samples[before], dataset.samples[index]
        if one.label != other.label and (dataset.kind == "idx" or one.path != other.path):
            yield say.SAME_PICTURE.at(
                dataset.place(index), path=dataset.called(index), other=dataset.called(before),
                first=dataset.classes[one.label], second=dataset.classes[other.label],
                label="one of two classes" if other.line else "",
            )  # fmt: skip
