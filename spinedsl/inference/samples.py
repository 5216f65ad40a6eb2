"""The images that a network is evaluated on: those that are named, or those that its checkpoint remembers.

In: an engine, and a path, a data set, or nothing. Out: a data set whose labels are the numbers that the network has for
their classes, by name; of a network that embeds, the data set's own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from spinedsl import checks as say
from spinedsl import reading
from spinedsl.data.boxes import BoxSet
from spinedsl.data.dataset import Dataset, Sample, nowhere, unknown_class
from spinedsl.data.pictures import Pixels
from spinedsl.data.sample import sample
from spinedsl.data.section import Section, read_section
from spinedsl.data.sources import Options, open_data, open_dataset
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.inference.engine import Engine
from spinedsl.reading import legible
from spinedsl.record import Record, replace
from spinedsl.source import Source
from spinedsl.tasks import BOXES, TASKS
from spinedsl.toml import read_toml

SHOWN = 12  # classes in a message


class Images(Protocol):
    """What an evaluation needs of a data set; `name` and `pairs` are taken where it has them."""

    @property
    def classes(self) -> Sequence[str]:
        """The names of the labels."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> tuple[Pixels, Any]:
        """Pixels of a sample, and its label or what lies in it."""


def images_of(engine: Engine, given: object, lists: Mapping[str, str] | None = None) -> Outcome[Any]:
    """The images to evaluate on.

    Args:
        engine: for what.
        given: a folder, a list, idx files, a configuration whose validation images are meant, or a data set; of
            nothing, the validation images of the configuration that a checkpoint holds.
        lists: those of `pairs` and `landmarks`, instead of the data's own.

    Raises:
        TypeError: it is none of these.
    """
    lists = lists or {}
    if given is None:
        return _remembered(engine, lists)
    if isinstance(given, str | os.PathLike):
        path = Path(os.fspath(given))
        if path.suffix.lower() == ".toml":
            return reading.read(path).then(read_toml).then(
                lambda document: read_section(document, path.resolve().parent)
            ).then(lambda section: _of_section(engine, section, str(path), lists))  # fmt: skip
        return _opened(engine, path, "auto", replace(Options(), **lists))
    if not (hasattr(given, "classes") and hasattr(given, "read") and hasattr(given, "__len__")):
        what = "a folder, a list, a configuration, or a data set with `classes`, `__len__` and `read(index)`"
        raise TypeError(f"data must be {what}; got {type(given).__name__}")
    if lists:
        raise TypeError(f"{' and '.join(lists)} are of images that have paths; a data set has its own")
    return _by_name(engine, given)


# ---- what a configuration says ----


def sections_of(about: Mapping[str, Any], path: Path) -> list[Section]:
    """What the configuration in a checkpoint says of data, from where it stood, and from the folder at hand."""
    source = Source.from_text(about["config"], f"<configuration of {legible(str(path))}>")
    folders = [(path.resolve().parent / about.get("folder", ".")).resolve(), Path.cwd()]
    read = [read_toml(source).then(lambda document, at=folder: read_section(document, at)) for folder in folders]  # type: ignore[misc]
    return [one.value for one in read if one.value is not None]


def _remembered(engine: Engine, lists: Mapping[str, str]) -> Outcome[Any]:
    """The validation images of the configuration in a checkpoint, whose paths begin where it stood."""
    if "config" not in engine.about:
        return _nothing(engine, "an exported model keeps no configuration")
    sections = sections_of(engine.about, Path(engine.path))
    if not sections or sections[0].validation is None:
        return _nothing(engine, "its configuration names no validation images")
    there = [one for one in sections if one.validation is not None and one.validation.exists()]
    if not there:
        gone = f"`{legible(str(sections[0].validation))}`, the validation images of its configuration, is not there"
        return _nothing(engine, gone)
    return _of_section(engine, there[0], engine.path, lists)


def _of_section(engine: Engine, section: Section, name: str, lists: Mapping[str, str]) -> Outcome[Any]:
    if section.validation is None:
        return _nothing(engine, f"`{legible(name)}` names no validation images")
    images = section.validation_images or section.options.images
    options = replace(section.options, labels="", images=images, **lists)
    return _opened(engine, section.validation, section.kind, options)


def _nothing(engine: Engine, reason: str) -> Outcome[Any]:
    name = legible(engine.path)
    found = say.NO_EVALUATION_DATA.at(nowhere(name), path=name, reason=reason)
    return Outcome(None, (found.with_fix("name the images: `--data FOLDER`, a list, or a configuration"),))


# ---- opened, with the classes of the network ----


def _opened(engine: Engine, path: Path, kind: str, options: Options) -> Outcome[Any]:
    options = replace(options, background=engine.preprocessing.background)
    if TASKS[engine.kind].truth == BOXES:
        # The classes of the network here too.
        return _filled(_with_boxes(open_data(path, kind, replace(options, classes=engine.classes)), path), path)
    if not TASKS[engine.kind].by_class:
        kind = "persons" if options.pairs and kind in ("auto", "folder") else kind
        outcome = open_dataset(path, kind, replace(options, classes=()))
        return _filled(outcome, path)
    first = open_dataset(path, kind, options)
    if first.value is not None and first.value.kind == "idx":
        return _filled(first.then(lambda dataset: _by_number(engine, dataset)), path)
    # The classes of the network, so that what is none of them is reported at its place.
    return _filled(open_dataset(path, kind, replace(options, classes=engine.classes)), path)


def _with_boxes(outcome: Outcome[Any], path: Path) -> Outcome[Any]:
    """The same, unless its images have no boxes."""
    if outcome.value is None or isinstance(outcome.value, BoxSet):
        return outcome
    reason = f"the images of `{legible(str(path))}` have a class each, and a detector needs boxes"
    found = say.NO_IMAGES.at(nowhere(str(path)), reason=reason)
    return Outcome(None, (found.with_fix("name COCO's JSON, a folder of VOC's XML files, or one of YOLO's labels"),))


def _filled(outcome: Outcome[Any], path: Path) -> Outcome[Any]:
    """The same, unless it has no pictures."""
    if outcome.value is None or not outcome.ok or len(outcome.value):
        return outcome
    found = say.NO_IMAGES.at(nowhere(str(path)), reason=f"`{legible(str(path))}` has none that is called as one")
    return Outcome(None, (*outcome.diagnostics, found))


def _by_number(engine: Engine, dataset: Dataset) -> Outcome[Dataset]:
    """Of idx files, whose labels are numbers: they are the network's where nothing gives names to them."""
    if dataset.classes != tuple(map(str, range(len(dataset.classes)))):
        return _by_name(engine, dataset)
    beyond = [name for name in dataset.classes if int(name) >= len(engine.classes)]
    if beyond:
        return Outcome(None, tuple(_unknown(engine, dataset.name, name) for name in beyond[-1:]))
    return Outcome(replace(dataset, classes=engine.classes))


class _Mapped(Record, eq=False):
    """Images whose labels are those of a network."""

    inner: Any
    classes: tuple[str, ...]
    labels: tuple[int, ...]  # of the network, for each of theirs

    def __len__(self) -> int:
        return len(self.inner)

    def read(self, index: int) -> tuple[Pixels, int]:
        """Pixels, and the network's label."""
        pixels, label = sample(self.inner, index, len(self.labels))
        assert isinstance(label, int)
        return pixels, self.labels[label]


def _by_name(engine: Engine, images: Any) -> Outcome[Any]:
    """The same images with the network's labels, by the names of their classes; of an embedder as they are."""
    names = tuple(map(str, images.classes))
    if not len(images):
        return Outcome(None, (say.NO_IMAGES.at(nowhere("<data>"), reason="the data set is empty"),))
    if not TASKS[engine.kind].by_class or engine.classes in ((), names):
        return Outcome(images)
    task = TASKS[engine.kind]
    if task.truth == BOXES:
        what = f"its classes are {', '.join(names[:SHOWN])}, and the network's {', '.join(engine.classes[:SHOWN])}"
        return Outcome(None, (say.NO_IMAGES.at(nowhere("<data>"), reason=what),))
    numbers = {name: number for number, name in enumerate(engine.classes)}
    unknown = [name for name in names if name not in numbers]
    if unknown:
        where = getattr(images, "name", "<data>")
        return Outcome(None, tuple(_unknown(engine, where, name) for name in unknown))
    labels = tuple(numbers[name] for name in names)
    if isinstance(images, Dataset):
        moved = tuple(Sample(one.path, labels[one.label], one.line) for one in images.samples)
        return Outcome(replace(images, classes=engine.classes, samples=moved))
    return Outcome(_Mapped(images, engine.classes, labels))


def _unknown(engine: Engine, where: str, name: str) -> Diagnostic:
    return unknown_class(nowhere(where), name, engine.classes)
