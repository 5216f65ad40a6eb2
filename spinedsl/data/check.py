"""Every mistake in data, before the first step, with its file, and its line where a list names it.

In: the training images, perhaps those for validation, and what the run expects of them. Out: diagnostics, all at once.
Every picture is decoded, in several processes.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

import numpy as np

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.dataset import Dataset, nowhere, of_classes
from spinedsl.data.idx import pictures_of
from spinedsl.data.pictures import BadPicture, MissingPicture, Pixels, inspect_picture
from spinedsl.data.workers import Workers, usual_workers
from spinedsl.diagnostics import Diagnostic, Diagnostics, Nearest
from spinedsl.reading import legible
from spinedsl.record import Record, replace
from spinedsl.source import Span

CHUNK = 32  # pictures that a worker decodes between two answers
SHOWN = 5  # of pictures that are in both
AHEAD = 2  # such parts that a worker is given before it answers
FEW = 64  # pictures for which no worker is worth starting

Hear = Callable[[int, int], None]  # told how many pictures of how many are done


class Seen(Record):
    """What was found in a file: why it cannot be read, else a digest of its pixels and how many pictures it holds."""

    digest: bytes = b""
    frames: int = 1
    error: BadPicture | None = None


def check(
    train: Dataset,
    validation: Dataset | None = None,
    *,
    outputs: int | None = None,
    batch: int | None = None,
    workers: int | None = None,
    place: Span | None = None,
    hear: Hear | None = None,
) -> Diagnostics:
    """All that is wrong with data sets; `open_dataset` reports what is wrong with their lists.

    * `outputs`: how many classes the network tells apart, where it is a classifier.
    * `batch`: how many pictures a step takes.
    * `place`: where a configuration names the network's head, for what is wrong with both together.
    """
    sets = [train] if validation is None else [train, validation]
    found = [*_numbers(train, outputs, batch, place)] if train.is_whole else []
    if validation is not None and validation.kind != "persons" and validation.is_whole:
        found += _classes_of(validation)
    seen = _looked_at(sets, usual_workers() if workers is None else workers, hear)
    for dataset, results in zip(sets, seen, strict=True):
        found += _pictures(dataset, results)
        found += _two_classes(dataset, results)
    if validation is not None:
        found += _in_both(train, seen[0], validation, seen[1])
    return Diagnostics(found)


# ---- numbers ----


def _numbers(train: Dataset, outputs: int | None, batch: int | None, place: Span | None) -> Iterator[Diagnostic]:
    whole = nowhere(train.name)
    if len(train.classes) < 2:
        got = of_classes(len(train.classes))
        few = say.FEW_CLASSES.at(whole, path=train.name, got=got, reason="nothing can be told apart")
        columns = "see that the column of the classes is the right one"
        yield few.with_fix(columns if train.kind == "csv" else "name the folder that has one for each class")
    elif not len(train):
        yield say.FEW_CLASSES.at(whole, path=train.name, got="no pictures", reason="nothing can be learned")
    else:
        yield from _classes_of(train)
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
            yield say.EMPTY_CLASS.at(nowhere(dataset.name), name=name, path=dataset.name)


# ---- pictures ----


def look(paths: Sequence[str]) -> list[Seen]:
    """Decode files; what a worker does."""
    return [_look(path) for path in paths]


def _look(path: str) -> Seen:
    try:
        picture = inspect_picture(path)
    except BadPicture as error:
        return Seen(error=error)
    except MemoryError:
        reason = "there is not enough memory for it"
        return Seen(error=BadPicture(legible(path), reason, "make it smaller, or take it out"))
    return Seen(digest_of_pixels(picture.pixels), picture.frames)


def digest_of_pixels(pixels: Pixels) -> bytes:
    """What tells pictures apart: 128 bits of their sizes and pixels."""
    return blake2b(np.ascontiguousarray(pixels).data, digest_size=16, person=repr(pixels.shape).encode()[:16]).digest()


def _looked_at(sets: Sequence[Dataset], workers: int, hear: Hear | None) -> list[list[Seen]]:
    """What is found in each sample of each data set; a file that several name is decoded once."""
    paths = list(dict.fromkeys(sample.path for one in sets if one.kind != "idx" for sample in one.samples))
    known = dict(zip(paths, _decoded(paths, workers, hear), strict=True))
    return [
        [Seen(digest_of_pixels(pixels)) for pixels in pictures_of(one.samples[0].path)]
        if one.kind == "idx" and one.samples
        else [known[sample.path] for sample in one.samples]
        for one in sets
    ]  # fmt: skip


def _decoded(paths: Sequence[str], workers: int, hear: Hear | None) -> list[Seen]:
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    hear = hear or _nobody
    if workers < 2 or len(paths) <= FEW:
        found: list[Seen] = []
        for chunk in chunks:
            found += look(chunk)
            hear(len(found), len(paths))
        return found
    made: dict[int, list[Seen]] = {}
    with Workers(look, min(workers, len(chunks))) as crew:
        waiting = list(enumerate(chunks))[::-1]
        while waiting or crew.pending:
            while waiting and crew.pending < AHEAD * len(crew.pids):
                crew.give(*waiting.pop())
            made.update(crew.answers())
            hear(sum(map(len, made.values())), len(paths))
    return [one for number in range(len(chunks)) for one in made[number]]


def _nobody(done: int, whole: int) -> None:
    """Nobody listens."""


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


def _in_both(train: Dataset, seen: Sequence[Seen], validation: Dataset, others: Sequence[Seen]) -> Iterator[Diagnostic]:
    """Pictures for validation that are those of training too: the first of them, and how many more there are."""
    digests = {one.digest: index for index, one in enumerate(seen) if one.digest}
    both = [(index, digests[one.digest]) for index, one in enumerate(others) if one.digest in digests]
    for index, other in both[:1]:
        more = f", and so are {counted(len(both) - 1, 'other picture')}" if len(both) > 1 else ""
        label = f"the same pixels as {train.called(other)}"
        found = say.IN_BOTH_SETS.at(
            validation.place(index), path=validation.called(index), more=more,
            label=label if validation.samples[index].line else "",
        )  # fmt: skip
        shown = [f"{validation.called(index)} is {train.called(other)}" for index, other in both[:SHOWN]]
        yield found.with_notes(*shown).with_fix("take them out of one of the two")
