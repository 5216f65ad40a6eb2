"""The `[data]` section of a configuration: which data sets, how pictures get into a network, and how they are changed.

In: a `Document`, and the folder that its paths begin in. Out: a `Section`, and every mistake in it, with places; from a
`Section`, the data sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl.brief import brief, short_path
from spinedsl.data import augment, preprocessing
from spinedsl.data.augment import Augmentation
from spinedsl.data.boxes import KINDS as BOXES
from spinedsl.data.boxes import BoxSet
from spinedsl.data.boxes.yolo import names_at
from spinedsl.data.dataset import KINDS, Dataset, nowhere, unknown_class
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sources import Options, open_data
from spinedsl.data.steps import AUGMENTS
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.reading import expanded
from spinedsl.record import Record, replace
from spinedsl.settings import Odd, Setting, Table, dotted, read_table
from spinedsl.source import Span
from spinedsl.toml import Document
from spinedsl.toml import Path as Keys

SHOWN = 12  # classes in a message
PREFIX = "data.preprocessing."  # before the names of its settings, in words
TABLE = Table(
    (
        Setting("train", "path", None, "the training images", needed=True, elsewhere=("train_dir", "train_path")),
        Setting(
            "validation",
            "path",
            None,
            "the images that figures are computed on",
            elsewhere=("val", "valid", "val_dir", "validation_path"),
        ),
        Setting("kind", "text", "auto", "how images and labels are kept", choices=("auto", *KINDS, *BOXES)),
        Setting(
            "classes",
            "names",
            [],
            "in the order of the network's outputs; else those of the training images",
            elsewhere=("class_names", "names"),
        ),
        Setting("images", "path", "", "the folder of the images that have boxes, if it is not where their kind has it"),
        Setting("validation_images", "path", "", "the same of those for validation, if it is another"),
        Setting("encoding", "text", "", "of lists, if not UTF-8"),
        Setting("delimiter", "text", "", "what stands between the fields of a list"),
        Setting("path_column", "text", "", "the column of the paths in a list"),
        Setting("label_column", "text", "", "the column of the classes in a list"),
        Setting("labels", "path", "", "the idx file of the training labels, if it is not beside that of the images"),
        Setting("pairs", "path", "", "the list of pairs of the images for validation, if it is not their pairs.txt"),
        Setting("landmarks", "path", "", "the list of five points for each image, by which faces are aligned"),
    ),
    {"preprocessing": preprocessing.TABLE, "augment": augment.TABLE},
)


class Section(Record):
    """What `[data]` says. `preprocessing` may have no size and no channels: the network knows them."""

    train: Path
    validation: Path | None
    kind: str
    options: Options
    preprocessing: Mapping[str, Any]
    augmentation: Augmentation
    validation_images: str = ""
    written: Mapping[str, Span] = {}  # where the section has each of its settings, `augment.flip` among them

    def preprocessing_of(self, channels: int, height: int, width: int) -> Preprocessing | tuple[Odd, ...]:
        """The preprocessing of a network whose input has this size, where the section says no other.

        Or what of the section is wrong for this network.
        """
        values = {"channels": channels, "height": height, "width": width, **self.preprocessing}
        return tuple(preprocessing.odds(values, PREFIX)) or Preprocessing.from_json(values)


class Sets(Record):
    """The data sets of a run."""

    train: Dataset | BoxSet
    validation: Dataset | BoxSet | None


def read_section(
    document: Document, folder: Path, keys: Keys = ("data",), whole: tuple[Table, Keys] | None = None
) -> Outcome[Section]:
    """What a document says of data; paths begin in `folder`. `whole` is the table around, and where it stands."""
    held: Any = document.values
    for key in keys:
        held = held.get(key, {}) if isinstance(held, Mapping) else {}
    held = held if isinstance(held, Mapping) else {}
    values, found = read_table(document, TABLE, keys, whole)
    given = {name: value for name, value in values["preprocessing"].items() if value is not None}
    twice = next((name for name, count in Counter(values["classes"]).items() if count > 1), None)
    if twice is not None:
        found.append(of_odd(document, keys, Odd("classes", f"`data.classes` names {brief(twice)} twice")))
    if values["delimiter"] in ("\n", "\r", '"') or len(values["delimiter"]) > 1:
        what = f"`data.delimiter` is one character, got {brief(values['delimiter'])}"
        found.append(of_odd(document, keys, Odd("delimiter", what, 'a tab is `"\\t"`, in double quotes')))
    found += [of_odd(document, (*keys, "preprocessing"), one) for one in preprocessing.odds(given, PREFIX)]
    if found or not held.get("train"):
        return Outcome(None, tuple(found))
    paths = {name: str(folder / expanded(values[name])) if values[name] else "" for name in _PATHS}
    named = {name: values[name] for name in ("encoding", "delimiter", "path_column", "label_column")}
    background = tuple(given["background"])
    options = Options(tuple(values["classes"]), **named, background=background)
    section = Section(
        Path(paths["train"]), Path(paths["validation"]) if paths["validation"] else None, values["kind"],
        replace(options, **{name: paths[name] for name in ("labels", "pairs", "landmarks", "images")}),
        given, augment.augmentation(held.get("augment", {})), paths["validation_images"],
        {dotted(path[len(keys) :]): span for path, span in document.keys.items() if path[: len(keys)] == keys},
    )  # fmt: skip
    return Outcome(section)


_PATHS = ("train", "validation", "labels", "pairs", "landmarks", "images", "validation_images")


def of_odd(document: Document, keys: Keys, odd: Odd) -> Diagnostic:
    """Settings of a table that do not go together, reported at one of them."""
    found: Diagnostic = say.SETTINGS_AT_ODDS.at(document.value((*keys, odd.setting)), what=odd.what)
    return found.with_fix(odd.fix) if odd.fix else found


def open_sets(section: Section) -> Outcome[Sets]:
    """The data sets of a section; those for validation have the classes of those for training."""
    options = section.options
    train = open_data(section.train, section.kind, replace(options, pairs=""))
    found = [*train.diagnostics]
    validation: Dataset | BoxSet | None = None
    if section.validation is not None:
        opened = open_data(section.validation, section.kind, _of_validation(section, train.value))
        validation = opened.value
        found += opened.diagnostics
    if train.value is None:
        return Outcome(None, tuple(found))
    found += at_odds(section, boxes=isinstance(train.value, BoxSet))
    if isinstance(train.value, Dataset):
        found += _unread(section, {train.value.kind} | ({validation.kind} if validation is not None else set()))
    if validation is not None:
        found += _apart(section, train.value, validation)
    return Outcome(Sets(train.value, validation), tuple(found))


def _of_validation(section: Section, train: Dataset | BoxSet | None) -> Options:
    """What is given of the images for validation: the classes of those for training, unless they are persons.

    Files of YOLO have numbers for classes: where they have names of their own, these are compared instead.
    """
    options = replace(section.options, labels="", images=section.validation_images or section.options.images)
    own = options.classes
    if train is not None and train.kind == "yolo" and section.validation is not None:
        named = names_at(section.validation)
        own = own or (train.classes if named.value == () else named.value or ())  # what is wrong, its reader says
    elif train is not None and train.kind != "persons":
        own = train.classes
    return replace(options, classes=own)


OF_CLASSES = ("encoding", "delimiter", "path_column", "label_column", "labels", "pairs", "landmarks")
OF_BOXES = ("images", "validation_images")
# Kinds of data sets that read a setting, and what they are called.
READ_BY: Mapping[str, tuple[tuple[str, ...], str]] = {
    "delimiter": (("csv",), "lists"),
    "path_column": (("csv",), "lists"),
    "label_column": (("csv",), "lists"),
    "labels": (("idx",), "idx files"),
    "pairs": (("persons",), 'persons (`kind = "persons"`)'),
    "encoding": (("csv", "persons"), "lists"),
}


def at_odds(section: Section, *, boxes: bool) -> Iterator[Diagnostic]:
    """Settings that make no sense for images with boxes, or for those with a class each."""
    have = "boxes" if boxes else "a class each"
    for name in OF_CLASSES if boxes else OF_BOXES:
        if name in section.written:
            others = "images with a class each" if boxes else "images with boxes"
            yield _odd(section, name, f"`data.{name}` is for {others}, and the training images have {have}")
    yield from steps_at_odds(section, boxes=boxes)
    if boxes and section.preprocessing.get("resize") == "crop":
        what = '`resize = "crop"` cuts objects off that are to be found'
        fix = '`resize = "letterbox"` keeps the whole image and its shape, "stretch" the whole image'
        yield _odd(section, "preprocessing.resize", what).with_fix(fix)


def _unread(section: Section, kinds: set[str]) -> Iterator[Diagnostic]:
    """Settings that these kinds of data sets do not read."""
    for name, (read_by, words) in READ_BY.items():
        points = name == "encoding" and "landmarks" in section.written
        if name in section.written and not points and not kinds & set(read_by):
            what = (
                f"`data.{name}` is for {words}, and the images are {' and '.join(_KINDS[one] for one in sorted(kinds))}"
            )
            yield _odd(section, name, what).with_fix("take it out")


_KINDS = {
    "folder": "in a folder for each class", "csv": "in a list", "idx": "in idx files", "persons": "those of persons",
}  # fmt: skip


def steps_at_odds(section: Section, *, boxes: bool) -> Iterator[Diagnostic]:
    """Random changes that cannot carry boxes, or that need them."""
    for step in section.augmentation.steps:
        name = next(name for name, kind in AUGMENTS.items() if type(step) is kind)
        if boxes and not step.carries_boxes:
            what = f"`data.augment.{name}` cannot carry boxes: {step.why}"
            able = ", ".join(name for name, kind in AUGMENTS.items() if kind.carries_boxes)
            yield _odd(section, f"augment.{name}", what).with_fix(f"leave it out: {able} do carry them")
        elif not boxes and step.needs_boxes:
            yield _odd(section, f"augment.{name}", f"`data.augment.{name}` is for images with boxes: {step.why}")


def _odd(section: Section, name: str, what: str) -> Diagnostic:
    """A setting does not go together with the data."""
    place = section.written.get(name) or section.written.get("train") or nowhere(str(section.train))
    found: Diagnostic = say.SETTINGS_AT_ODDS.at(place, what=what)
    return found if place.source.text else replace(found, label="")


def _apart(section: Section, train: Dataset | BoxSet, validation: Dataset | BoxSet) -> Iterator[Diagnostic]:
    """How the images for validation are of another kind than those for training, or of other classes."""
    have = [("boxes" if isinstance(one, BoxSet) else "a class each") for one in (train, validation)]
    if have[0] != have[1]:
        yield _odd(section, "validation", f"the training images have {have[0]}, and those for validation {have[1]}")
    elif validation.kind == "yolo" and validation.classes != train.classes:
        place, name = nowhere(validation.name), short_path(validation.name)
        others = [one for one in validation.classes if one not in train.classes]
        for one in others:
            number = validation.classes.index(one)
            yield unknown_class(place, one, train.classes, what=f"number {number} in {name}")
        if not others:
            what = f"numbers stand for other classes in {name} than in {short_path(train.name)}"
            orders = [f"{short_path(one.name)}: {', '.join(one.classes[:SHOWN])}" for one in (train, validation)]
            yield _odd(section, "validation", what).with_notes(*orders)
