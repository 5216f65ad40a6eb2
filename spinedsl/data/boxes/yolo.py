"""YOLO's text files: a row for each box, `class x y width height`, the centre and sides as shares of the picture.

In: a folder with `labels` and `images`, one with both kinds of files, or `images/train` beside `labels/train`. Out: a
`BoxSet`, and every mistake, with its line. A picture without a text file, or with an empty one, has no boxes. A row of
more corners is an outline, `class x y x y x y …`: its box is the smallest one around them. Where `kpt_shape` in the
YAML says that points stand behind each box, they are passed over; rows that seem to have some are reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.boxes.classes import TEXTS, Names, folders_of, is_yaml, names_of, points_of
from spinedsl.data.boxes.kept import Box, BoxSet, Picture, kept, notes
from spinedsl.data.boxes.named import is_hidden, no_size, size_of
from spinedsl.data.boxes.posed import Outlines
from spinedsl.data.dataset import line_of, lines_of, nowhere
from spinedsl.data.listing import read_listing
from spinedsl.data.pictures import ENDINGS
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.reading import legible
from spinedsl.record import replace
from spinedsl.source import Source, Span

FIELDS = "class x y width height"
TRACKED = "what follows the fifth number is how sure a network was, and the number of a track: labels have five"


def read_yolo(path: Path, images: Path | None, classes: tuple[str, ...]) -> Outcome[BoxSet]:
    """The pictures and boxes of a folder."""
    name = legible(str(path))
    if not path.is_dir():
        return Outcome(None, (_no_folder(path, name),))
    labels = labels_of(path)
    folder = images or (path / "images" if (path / "images").is_dir() else path)
    named = Outcome(classes) if classes else names_at(path)
    if named.value is None:
        return Outcome(None, named.diagnostics)
    known, points = named.value, points_at(path)
    if not known:
        what = f"nothing says what the classes of {name} are called"
        wrong = say.ANNOTATION_FORM.at(nowhere(name), what=what)
        fix = (
            f"write them into `{TEXTS[0]}` there, one in each line, that of number 0 first; or as `names` into "
            "`data.yaml`, or as `classes` into [data] of a configuration"
        )
        return Outcome(None, (wrong.with_fix(fix),))
    below = (file for file in folder.rglob("*") if not is_hidden(file, folder))
    files = sorted(file for file in below if file.suffix.lower() in ENDINGS)
    if not files:
        wrong = say.NO_DATASET.at(nowhere(name), path=name, reason="it has no pictures")
        return Outcome(None, (wrong.with_fix("see that `images` names the folder of the pictures"),))
    reported: list[Diagnostic] = []
    pictures: list[Picture] = []
    outlines = Outlines()
    for file in files:
        text = labels / file.relative_to(folder).with_suffix(".txt")
        size = size_of(file)
        if size is None:
            reported.append(no_size(file))
            continue
        boxes: tuple[Box, ...] = ()
        if text.is_file():
            listing = read_listing(text, settable=False)
            reported += listing.diagnostics
            if listing.value is not None:
                boxes = _boxes(listing.value, size, known, points, reported, outlines)
        pictures.append(Picture(str(file), *size, boxes))
    there = {file.relative_to(folder).with_suffix("") for file in files}
    for text in sorted(labels.rglob("*.txt")):
        is_label = text.name not in TEXTS and not is_hidden(text, labels)
        if is_label and text.relative_to(labels).with_suffix("") not in there:
            what = f"{legible(str(text))} is of no picture in {legible(str(folder))}"
            reported.append(say.ANNOTATION_FORM.at(nowhere(str(text)), what=what))
    found = BoxSet("yolo", name, known, tuple(pictures), not reported)
    return Outcome(found, (*_points_of(outlines, name), *reported, *notes(found)))


def _points_of(outlines: Outlines, name: str) -> Iterator[Diagnostic]:
    """A word about outlines that seem to be boxes with points."""
    posed = outlines.points()
    if posed is not None:
        count, each = posed
        found = say.POINTS_AS_OUTLINES.at(nowhere(name), path=name, points=counted(count, "point"))
        yield found.repaired(count=count, each=each)


def labels_of(path: Path) -> Path:
    """The folder of the text files: `labels` there, `labels/train` of `images/train`, or the folder itself."""
    if (path / "labels").is_dir():
        return path / "labels"
    parts = path.absolute().parts
    if "images" in parts:
        last = len(parts) - 1 - parts[::-1].index("images")
        beside = Path(*parts[:last], "labels", *parts[last + 1 :])
        if beside.is_dir():
            return beside
    return path


def names_at(path: Path) -> Names:
    """The classes that a folder, its `labels` or one of the two folders around it names."""
    for folder in _around(path):
        found = names_of(folder)
        if found.value is None or found.value:
            return found
    return Outcome(())


def points_at(path: Path) -> int:
    """How many numbers stand behind each box, as a YAML in one of these folders says."""
    return next((count for count in map(points_of, _around(path)) if count), 0)


def _around(path: Path) -> Iterable[Path]:
    """A folder, its `labels` and the two folders around it."""
    return dict.fromkeys((path, labels_of(path), *path.absolute().parents[:2]))


def _no_folder(path: Path, name: str) -> Diagnostic:
    """What is given is a file: what to name instead."""
    found: Diagnostic = say.NO_DATASET.at(nowhere(name), path=name, reason="it is a file, and YOLO has folders")
    folders = folders_of(path) if is_yaml(path) else []
    if not folders:
        return found.with_fix("name the folder of the pictures, such as `images/train`")
    named = " or ".join(f"`{legible(str(folder))}`" for _, folder in folders)
    return found.with_fix(f"name one of its folders: {named}")


def _whole(text: str) -> int:
    """A class, which NumPy may have written as 3.0.

    Raises:
        ValueError: it is no whole number.
    """
    number = float(text)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _sides(numbers: list[float], points: int) -> tuple[float, float, float, float]:
    """Centre and sides: as given, perhaps with so many numbers of points behind, or of an outline, around its corners.

    Raises:
        ValueError: they are none of these.
    """
    if points and len(numbers) == 4 + points:
        numbers = numbers[:4]
    elif not points and len(numbers) >= 6 and len(numbers) % 2 == 0:
        xs, ys = numbers[::2], numbers[1::2]
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    x, y, across, down = numbers
    return x, y, across, down


def _are_tracked(rows: Iterable[list[str]]) -> bool:
    """The rows of a file that seem to be outlines are boxes with a score and the number of a track."""
    longer = [row for row in rows if len(row) > 5]
    return bool(longer) and all(len(row) == 7 and row[6].isascii() and row[6].strip("0").isdigit() for row in longer)


def _misfit(place: Span, fields: list[str], points: int) -> Diagnostic:
    """A row of another form."""
    form = f"{FIELDS}, and {points} numbers of points" if points else FIELDS
    wrong: Diagnostic = say.ANNOTATION_FORM.at(place, what=f"this row is not of the form `{form}`")
    if len(fields) == 6:
        return wrong.with_fix("a sixth number is how sure a network was: labels have five")
    if points:
        return wrong.with_fix("`kpt_shape` in the YAML says how many points there are")
    if len(fields) > 7 and (len(fields) - 5) % 3 == 0:
        shape = f"`kpt_shape: [{(len(fields) - 5) // 3}, 3]`"
        return wrong.with_fix(f"if points stand behind the box, write {shape} into `data.yaml` there")
    return wrong


def _boxes(
    source: Source,
    size: tuple[int, int],
    known: tuple[str, ...],
    points: int,
    reported: list[Diagnostic],
    outlines: Outlines,
) -> tuple[Box, ...]:
    """The boxes of one file. `outlines` gets the numbers of those that are read as one."""
    boxes: list[Box] = []
    height, width = size
    rows = [(number, fields) for number, line in lines_of(source) if (fields := line.split())]
    are_tracked = not points and _are_tracked(fields for _, fields in rows)
    for number, fields in rows:
        place = line_of(source, number)
        try:
            label, numbers = _whole(fields[0]), list(map(float, fields[1:]))
            x, y, across, down = _sides(numbers, points)
        except ValueError:
            reported.append(_misfit(place, fields, points))
            continue
        if are_tracked and len(fields) == 7:
            reported.append(_misfit(place, fields, points).with_fix(TRACKED))
            continue
        if not points and len(numbers) > 4:
            outlines.add(numbers)
        if not 0 <= label < len(known):
            what = f"there is no class number {label}: they are 0 to {len(known) - 1}"
            reported.append(say.ANNOTATION_FORM.at(place, what=what))
            continue
        sides = (x - across / 2) * width, (y - down / 2) * height, (x + across / 2) * width, (y + down / 2) * height
        made = kept(sides, size, label, "the box", place)
        if isinstance(made, Diagnostic):
            pixels = replace(made, fixes=()).with_fix("these seem to be pixels: YOLO's are shares from 0 to 1")
            reported.append(pixels if max(x, y, across, down) > 2 else made)
        else:
            boxes.append(made)
    return tuple(boxes)
