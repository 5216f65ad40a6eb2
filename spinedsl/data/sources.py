"""Data sets from what people have: folders of classes, lists, persons with pairs, idx files, and pictures with boxes.

In: a path, and what the configuration says of it. Out: a `Dataset` or, of pictures with boxes, a `BoxSet`, and every
mistake in its list; no picture is opened here. What kind of data it is follows from what stands there, unless it is
given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data import idx
from spinedsl.data.boxes import KINDS as BOXES
from spinedsl.data.boxes import BoxSet, boxes_at, folder_of_boxes, json_in, open_boxes
from spinedsl.data.dataset import KINDS, Dataset, Sample, line_of, nowhere, of_classes, unknown_class
from spinedsl.data.listing import Row, column, cut_short, read_listing, read_rows
from spinedsl.data.persons import pairs_of, points_of
from spinedsl.data.pictures import ENDINGS, WHITE, Colour
from spinedsl.diagnostics import Diagnostic, Nearest, Outcome, one_of
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible, reason_of
from spinedsl.record import Record, replace
from spinedsl.source import Source

PATHS = ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "img", "picture")
LABELS = ("label", "class", "class_name", "target", "category", "identity", "name", "y")
SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
T = TypeVar("T")
PAIRS, CLASSES = "pairs.txt", "classes.txt"


class Options(Record):
    """What may be given of a data set beyond its path. Nothing is what an empty one says."""

    classes: tuple[str, ...] = ()  # in the order of the network's outputs
    encoding: str = ""  # of lists; UTF-8
    delimiter: str = ""  # between the fields of a list
    path_column: str = ""
    label_column: str = ""
    labels: str = ""  # the idx file of the labels
    pairs: str = ""  # the list of pairs, of persons
    landmarks: str = ""  # the list of five points for each picture: faces are aligned by them
    images: str = ""  # the folder of the pictures, of those with boxes
    background: Colour = WHITE


def open_data(path: str | Path, kind: str = "auto", options: Options | None = None) -> Outcome[Dataset | BoxSet]:
    """What is at a path: pictures with a class each, or pictures with boxes.

    Raises:
        ValueError: there is no such kind.
    """
    path, options = Path(path), options or Options()
    boxes = boxes_at(path) if kind == "auto" else kind
    if boxes in BOXES:
        opened = open_boxes(path, boxes, images=options.images or None, classes=options.classes)
        return opened.then(lambda found: Outcome(replace(found, background=options.background)))
    labelled = open_dataset(path, kind, options)
    return Outcome(labelled.value, labelled.diagnostics)


def open_dataset(path: str | Path, kind: str = "auto", options: Options | None = None) -> Outcome[Dataset]:
    """The data set at a path, pictures with a class each; `kind` is one of `KINDS`, or `auto`.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in (*KINDS, *BOXES, "auto"):
        raise ValueError(f"a data set is one of {', '.join(KINDS)}, or auto; got {kind!r}")
    path, options = Path(path), options or Options()
    try:
        found = kind_of(path) if kind == "auto" else kind
        if found in BOXES:
            fix = "give pictures with a class each: a folder for each class, or a list"
            return _none(path, "its pictures have boxes, and no class each", fix)
        if not path.exists():
            return _none(
                path,
                "there is no such file or folder",
                "see that the path is right: in a configuration it begins where that file stands",
            )
        opened = {"folder": _folder, "persons": _persons, "csv": _csv, "idx": _idx}[found](path, options)
    except OSError as error:
        name = legible(str(error.filename or path))
        return Outcome(None, (say.CANNOT_READ.at(nowhere(name), path=name, reason=reason_of(error)),))
    if opened.value is None or not options.landmarks:
        return opened
    return opened.then(lambda dataset: points_of(dataset, Path(options.landmarks), options.encoding))


def kind_of(path: Path) -> str:
    """What kind of data set stands at a path: a list and an idx file by their beginning, persons by their pairs.

    Of pictures with boxes it is one of `boxes.KINDS`.
    """
    boxes = boxes_at(path)
    if boxes is not None:
        return boxes
    if path.is_dir():
        names = os.listdir(path)  # noqa: PTH208
        return "persons" if PAIRS in names else "idx" if _idx_in(names) else "folder"
    if not path.is_file():
        return "folder"
    with path.open("rb") as file:
        start = file.read(2)
    return "idx" if start in (b"\0\0", b"\x1f\x8b") else "csv"


def _none(path: Path, reason: str, fix: str, *more: Diagnostic) -> Outcome[Dataset]:
    name = legible(str(path))
    return Outcome(None, (*more, say.NO_DATASET.at(nowhere(name), path=name, reason=reason).with_fix(fix)))


# ---- folders ----


def _folder(path: Path, options: Options) -> Outcome[Dataset]:
    """A folder for each class. Classes are in the order of their names, as torchvision has them."""
    if not path.is_dir():
        return _none(path, "it is no folder", 'name the folder that has one for each class, or write `kind = "csv"`')
    entries = sorted(entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith("."))
    if not entries:
        loose = any(Path(name).suffix.lower() in ENDINGS for name in os.listdir(path))  # noqa: PTH208
        reason = "it has pictures, and no folder for each class" if loose else "it has no folder for each class"
        boxes = json_in(path) or folder_of_boxes(path)
        if boxes is not None:
            what = "folder" if boxes.is_dir() else "file"
            return _none(path, reason, f"name the {what} of the boxes, if it is that: `{legible(str(boxes))}`")
        return _none(path, reason, "put the pictures of each class into a folder that is called as the class is")
    if len(entries) > 1 and SPLITS.issuperset(name.lower() for name in entries):
        are = f"its folders are {one_of(entries, conjunction='and')}"
        return _none(path, are, f"name one of them: `{path / entries[0]}`")
    return _of_folders(path, entries, options, "folder")


def _of_folders(path: Path, entries: Sequence[str], options: Options, kind: str) -> Outcome[Dataset]:
    known = options.classes or tuple(legible(entry) for entry in entries)
    numbers = {name: number for number, name in enumerate(known)}
    like = Nearest(known)
    samples: list[Sample] = []
    found: list[Diagnostic] = []
    whole = True
    for entry in entries:
        name = legible(entry)
        files, others = pictures_below(path / entry)
        if name not in numbers:
            found.append(unknown_class(nowhere(str(path / entry)), name, known, like))
            whole = False
            continue
        samples += (Sample(file, numbers[name]) for file in files)
        if others:
            found.append(_left_out(others, "is not called as pictures are"))
    loose = sorted(entry.path for entry in os.scandir(path) if _is_picture(entry))
    if loose:
        found.append(_left_out(loose, "stands beside the folders, and so has no class"))
    dataset = Dataset(kind, legible(str(path)), known, tuple(samples), background=options.background, is_whole=whole)
    return Outcome(dataset, tuple(found))


def _left_out(files: Sequence[str], reason: str) -> Diagnostic:
    first = legible(files[0])
    more = f" and {counted(len(files) - 1, 'other file')}" if len(files) > 1 else ""
    found: Diagnostic = say.LEFT_OUT.at(nowhere(first), path=first, more=more, reason=reason)
    return found


def _is_picture(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    return not name.startswith(".") and Path(name).suffix.lower() in ENDINGS and not entry.is_dir()


def pictures_below(folder: Path) -> tuple[list[str], list[str]]:
    """Files that are called as pictures are, in order, and the others; what begins with a dot is left out."""
    files: list[str] = []
    others: list[str] = []
    seen: set[tuple[int, int]] = set()  # a linked folder may hold itself
    for where, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        there = os.stat(where)  # noqa: PTH116
        if (there.st_dev, there.st_ino) in seen:
            folders.clear()
            continue
        seen.add((there.st_dev, there.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or name in ("Thumbs.db", "desktop.ini"):
                continue
            kind = files if os.path.splitext(name)[1].lower() in ENDINGS else others  # noqa: PTH122
            kind.append(os.path.join(where, name))  # noqa: PTH118
    return files, others


def _raise(error: OSError) -> None:
    raise error


# ---- persons ----


def _persons(path: Path, options: Options) -> Outcome[Dataset]:
    """A folder for each person, and a list of pairs where there is one, as LFW has them."""
    if not path.is_dir():
        return _none(path, "it is no folder", "name the folder that has one for each person")
    entries = sorted(entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith("."))
    if not entries:
        return _none(path, "it has no folder for each person", "put the pictures of each person into a folder")
    opened = _of_folders(path, entries, options, "persons")
    pairs = Path(options.pairs) if options.pairs else path / PAIRS
    if not options.pairs and not pairs.exists():
        return opened
    return opened.then(lambda dataset: pairs_of(dataset, pairs, options.encoding))


# ---- lists ----


def _csv(path: Path, options: Options) -> Outcome[Dataset]:
    """A list of pictures and their classes; paths are those from where the list stands."""
    if path.is_dir():
        return _none(path, "it is a folder", "name the list in it")
    listing = read_listing(path, options.encoding)
    if listing.value is None:
        return Outcome(None, listing.diagnostics)
    source = listing.value
    rows = read_rows(source, options.delimiter)
    found = [*listing.diagnostics, *rows.diagnostics]
    if not rows.value:
        fix = "write a first line of `path,label`, and a line for each picture"
        return _none(path, "it names no pictures", fix, *found)
    header, *body = rows.value
    if not body and not found and not _is_headless(header, path):
        return _none(path, "it has a first line alone, and names no pictures", "write a line for each picture", *found)
    if _is_headless(header, path):
        place = line_of(source, header.line)
        wrong_head = say.LABEL_FORM.at(place, what="the first line names no columns", label="a picture")
        if len(header.fields) == 1:  # a list of pictures alone, as those of YOLO
            return Outcome(None, (*found, wrong_head.with_fix("if its pictures have boxes, name their folder")))
        return Outcome(None, (*found, wrong_head.with_fix("write a line `path,label` above it")))
    columns = [column(header, source, options.path_column, PATHS), column(header, source, options.label_column, LABELS)]
    wrong = [one for one in columns if not isinstance(one, int)]
    if wrong:
        return Outcome(None, (*found, *wrong))
    at_path, at_label = (one for one in columns if isinstance(one, int))
    found += cut_short(source, body, len(header.fields))
    whole = [row for row in body if len(row.fields) == len(header.fields)]
    return _of_rows(path, source, whole, (at_path, at_label), options, found)


def _is_headless(header: Row, path: Path) -> bool:
    """The first line is a picture and no names of columns."""
    return any(
        Path(field).suffix.lower() in ENDINGS and (path.parent / field).is_file() for field in header.fields if field
    )


def _of_rows(
    path: Path, source: Source, rows: Sequence[Row], at: tuple[int, int], options: Options, found: list[Diagnostic]
) -> Outcome[Dataset]:
    whole: list[Row] = []
    for row in rows:
        blank = [name for name, where in zip(("path", "label"), at, strict=True) if not row.fields[where]]
        if blank:
            place = line_of(source, row.line)
            found.append(say.LABEL_FORM.at(place, what=f"the {' and the '.join(blank)} of this row is empty", label=""))
        else:
            whole.append(row)
    known = options.classes or sorted_classes({row.fields[at[1]] for row in whole})
    numbers = {name: number for number, name in enumerate(known)}
    like = Nearest(known)
    samples: list[Sample] = []
    for row in whole:
        name = row.fields[at[1]]
        if name in numbers:
            samples.append(Sample(str(path.parent / row.fields[at[0]]), numbers[name], row.line))
        else:
            found.append(unknown_class(line_of(source, row.line), name, known, like))
    name = legible(str(path))
    dataset = Dataset(
        "csv", name, known, tuple(samples), background=options.background, listing=source, is_whole=not found
    )
    return Outcome(dataset, (*found, *_listed_twice(dataset)))


def sorted_classes(names: set[str]) -> tuple[str, ...]:
    """Classes in the order of the network's outputs: by number where all are whole numbers, else by name."""
    numbers = all(re.fullmatch(r"[0-9]{1,18}", name) for name in names)
    return tuple(sorted(names, key=lambda name: (int(name) if numbers else 0, name)))


def _listed_twice(dataset: Dataset) -> Iterator[Diagnostic]:
    """Rows of one file: an error if they are of two classes."""
    first: dict[str, int] = {}
    for index, sample in enumerate(dataset.samples):
        before = first.setdefault(os.path.normpath(sample.path), index)
        if before == index:
            continue
        line, path = dataset.samples[before].line, dataset.called(index)
        names = dataset.classes[dataset.samples[before].label], dataset.classes[sample.label]
        if names[0] == names[1]:
            yield say.LISTED_TWICE.at(dataset.place(index), path=path, line=line)
        else:
            yield say.TWO_LABELS.at(dataset.place(index), path=path, first=names[0], second=names[1], line=line)


# ---- idx ----


def _idx_in(names: Sequence[str]) -> list[str]:
    return sorted(name for name in names if re.search(r"images[-.]idx[34]-ubyte(\.gz)?$", name))


def _idx(path: Path, options: Options) -> Outcome[Dataset]:
    """An idx file of pictures, and the one of their labels beside it, called `labels` where the other says `images`."""
    if path.is_dir():
        files = _idx_in(os.listdir(path))  # noqa: PTH208
        if len(files) != 1:
            has = f"it has {one_of(files, conjunction='and')}" if files else "it has no idx file of images"
            return _none(path, has, "name the file of images")
        path /= files[0]
    labels = Path(options.labels) if options.labels else _labels_beside(path)
    if labels is None:
        return _none(path, "there is no idx file of its labels beside it", 'name it: `labels = "…"`')
    found: list[Diagnostic] = []
    pictures, numbers = _tried(idx.pictures_of, path, found), _tried(idx.labels_of, labels, found)
    if pictures is None or numbers is None:
        return Outcome(None, tuple(found))
    if len(pictures) != len(numbers):
        has = f"it has {counted(len(numbers), 'label')} for {counted(len(pictures), 'picture')}"
        return _none(labels, has, "fetch both again")
    known = options.classes or _named_classes(path) or tuple(map(str, range(int(numbers.max(initial=-1)) + 1)))
    name = legible(str(path))
    samples = tuple(Sample(str(path), int(number)) for number in numbers)
    beyond = sorted({int(number) for number in numbers if number >= len(known)})
    if beyond:
        name = legible(str(labels))
        wrong = say.UNKNOWN_CLASS.at(
            nowhere(name), name=", ".join(map(str, beyond[:8])), where=f", which {name} has", known=""
        )
        wrong = wrong.with_notes(f"there is {one_of(known, conjunction='and', limit=8)}")
        return Outcome(None, (wrong.with_fix(f"{of_classes(len(known))} count from 0 to {len(known) - 1}"),))
    return Outcome(Dataset("idx", name, known, samples, background=options.background))


def _tried(read: Callable[[str], T], file: Path, found: list[Diagnostic]) -> T | None:
    """What is read of an idx file; where it cannot be, that is reported."""
    try:
        return read(str(file))
    except idx.BadIdx as error:
        name = legible(str(file))
        found.append(say.DAMAGED_IDX.at(nowhere(name), path=name, reason=one_line(error.reason)))
        return None


def _labels_beside(path: Path) -> Path | None:
    stem = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    there = [path.with_name(name) for name in (stem, f"{stem}.gz")]
    return next((file for file in there if file.is_file() and file != path), None)


def _named_classes(path: Path) -> tuple[str, ...]:
    """The names in `classes.txt` beside idx files, one a line, if there is such a file."""
    try:
        text = path.with_name(CLASSES).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())
