"""The `[data]` section of a configuration: which data sets, how pictures get into a network, and how they are changed.

In: a `Document`, and the folder that its paths begin in. Out: a `Section`, and every mistake in it, with places; from a
`Section`, the data sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl.data import augment, preprocessing
from spinedsl.data.augment import Augmentation
from spinedsl.data.dataset import KINDS, Dataset
from spinedsl.data.pictures import WHITE
from spinedsl.data.preprocessing import Preprocessing, Wrong
from spinedsl.data.sources import Options, open_dataset
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.record import Record, replace
from spinedsl.settings import Setting, Table, dotted, read_table
from spinedsl.toml import Document
from spinedsl.toml import Path as Keys

OF_OTHERS = ("preprocessing", "augment")  # tables whose settings are known where they are used
TABLE = Table(
    (
        Setting("train", "path", None, "the training images", needed=True),
        Setting("validation", "path", None, "the images that figures are computed on"),
        Setting("kind", "text", "auto", "how images and labels are kept", choices=("auto", *KINDS)),
        Setting("classes", "names", [], "in the order of the network's outputs; else those of the training images"),
        Setting("encoding", "text", "", "of lists, if not UTF-8"),
        Setting("delimiter", "text", "", "what stands between the fields of a list"),
        Setting("path_column", "text", "", "the column of the paths in a list"),
        Setting("label_column", "text", "", "the column of the classes in a list"),
        Setting("labels", "path", "", "the idx file of the training labels, if it is not beside that of the images"),
        Setting("pairs", "path", "", "the list of pairs of the images for validation, if it is not their pairs.txt"),
        Setting("landmarks", "path", "", "the list of five points for each image, by which faces are aligned"),
    )
)


def about() -> dict[str, dict[str, str]]:
    """The settings of the tables in `[data]`, in words."""
    return {"preprocessing": dict(preprocessing.ABOUT), "augment": augment.about()}


class Section(Record):
    """What `[data]` says. `preprocessing` is as it is written: the network may know the size."""

    train: Path
    validation: Path | None
    kind: str
    options: Options
    preprocessing: Mapping[str, Any]
    augmentation: Augmentation

    def preprocessing_of(self, channels: int, height: int, width: int) -> Preprocessing | tuple[Wrong, ...]:
        """The preprocessing of a network whose input has this size, where the section says no other.

        Or what of the section is wrong for this network.
        """
        values = {"channels": channels, "height": height, "width": width, **self.preprocessing}
        return preprocessing.mistakes(values) or Preprocessing.from_json(values)


class Sets(Record):
    """The data sets of a run."""

    train: Dataset
    validation: Dataset | None


def read_section(document: Document, folder: Path, keys: Keys = ("data",)) -> Outcome[Section]:
    """What a document says of data; paths begin in `folder`."""
    held: Any = document.values
    for key in keys:
        held = held.get(key, {}) if isinstance(held, Mapping) else {}
    held = held if isinstance(held, Mapping) else {}
    own = {name: value for name, value in held.items() if name not in OF_OTHERS}
    values, found = read_table(
        Document(document.source, _within(keys, own), document.keys, document.places), TABLE, keys
    )
    found += _of_others(document, held, keys)
    if found or not held.get("train"):
        return Outcome(None, tuple(found))
    given = held.get("preprocessing", {})
    paths = {name: str(folder / Path(values[name]).expanduser()) if values[name] else "" for name in _PATHS}
    named = {name: values[name] for name in ("encoding", "delimiter", "path_column", "label_column")}
    background = tuple(given.get("background", WHITE))
    options = Options(tuple(values["classes"]), **named, background=background)
    section = Section(
        Path(paths["train"]), Path(paths["validation"]) if paths["validation"] else None, values["kind"],
        replace(options, labels=paths["labels"], pairs=paths["pairs"], landmarks=paths["landmarks"]),
        given, augment.augmentation(held.get("augment", {})),
    )  # fmt: skip
    return Outcome(section)


_PATHS = ("train", "validation", "labels", "pairs", "landmarks")


def _within(keys: Keys, values: Mapping[str, Any]) -> dict[str, Any]:
    """A table that has other values at a path, and nothing else."""
    found: Any = values
    for key in reversed(keys):
        found = {key: found}
    return dict(found)


def _of_others(document: Document, held: Mapping[str, Any], keys: Keys) -> list[Diagnostic]:
    """What is wrong with preprocessing and augmentation."""
    found: list[Diagnostic] = []
    for name, mistakes in (("preprocessing", _of_preprocessing), ("augment", augment.mistakes)):
        given = held.get(name, {})
        place = (*keys, name)
        if not isinstance(given, Mapping):
            got = "no table"
            found.append(
                say.KEY_OF_ANOTHER_KIND.at(
                    document.value(place), name=dotted(place), expected="a table of settings", got=got
                )
            )
        else:
            found += of_wrong(document, place, mistakes(given))
    return found


def _of_preprocessing(values: Mapping[str, Any]) -> tuple[Wrong, ...]:
    """Size and channels may be missing: the network has them. What is wrong then is wrong for any channels."""
    found = min((preprocessing.mistakes({"channels": count, **values}) for count in (3, 1)), key=len)
    return tuple(one for one in found if one.got != "nothing")


def of_wrong(document: Document, keys: Keys, mistakes: Iterable[Wrong]) -> list[Diagnostic]:
    """Mistakes in the settings of a table, at their places."""
    found: list[Diagnostic] = []
    for wrong in mistakes:
        place = (*keys, *wrong.key.split("."))
        if wrong.is_unknown:
            diagnostic = say.UNKNOWN_KEY.at(document.key(place), name=dotted(place), where=f"there is {wrong.expected}")
        else:
            diagnostic = say.KEY_OUT_OF_RANGE.at(
                document.value(place), name=dotted(place), expected=wrong.expected, got=wrong.got
            )
        found.append(diagnostic.with_fix(f"did you mean `{wrong.meant}`?") if wrong.meant else diagnostic)
    return found


def open_sets(section: Section) -> Outcome[Sets]:
    """The data sets of a section; those for validation have the classes of those for training."""
    options = section.options
    train = open_dataset(section.train, section.kind, replace(options, pairs=""))
    found = train.diagnostics
    validation: Dataset | None = None
    if section.validation is not None:
        persons = train.value is None or train.value.kind == "persons"
        classes = options.classes if persons or train.value is None else train.value.classes
        opened = open_dataset(section.validation, section.kind, replace(options, classes=classes, labels=""))
        validation, found = opened.value, found + opened.diagnostics
    return Outcome(None if train.value is None else Sets(train.value, validation), found)
