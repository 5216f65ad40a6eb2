"""YOLO's text files: a row for each box, `class x y width height`, the centre and sides as shares of the picture.

In: a folder with `labels` and `images`, one with both kinds of files, or `images/train` beside `labels/train`. Out: a
`BoxSet`, and every mistake, with its line. A picture without a text file, or with an empty one, has no boxes.
"""

from __future__ import annotations

import re
from pathlib import Path

from spinedsl import checks as say
from spinedsl.data.boxes.kept import Box, BoxSet, Picture, kept, notes
from spinedsl.data.dataset import line_of, nowhere
from spinedsl.data.listing import read_listing
from spinedsl.data.pictures import ENDINGS
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.reading import legible
from spinedsl.source import Source

NAMES = ("classes.txt", "obj.names")
FIELDS = "class x y width height"


def read_yolo(path: Path, images: Path | None, classes: tuple[str, ...]) -> Outcome[BoxSet]:
    """The pictures and boxes of a folder."""
    name = legible(str(path))
    labels = labels_of(path)
    folder = images or (path / "images" if (path / "images").is_dir() else path)
    known = classes or names_at(path)
    if not known:
        what = f"nothing says what the classes of {name} are called"
        wrong = say.ANNOTATION_FORM.at(nowhere(name), what=what)
        fix = f"give them, or write them into `{NAMES[0]}`, one in each line, that of number 0 first"
        return Outcome(None, (wrong.with_fix(fix),))
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
    if not files:
        wrong = say.NO_DATASET.at(nowhere(name), path=name, reason="it has no pictures")
        return Outcome(None, (wrong.with_fix("see that `images` names the folder of the pictures"),))
    reported: list[Diagnostic] = []
    pictures: list[Picture] = []
    for file in files:
        text = labels / file.relative_to(folder).with_suffix(".txt")
        size = _size(file, reported)
        if size is None:
            continue
        boxes: tuple[Box, ...] = ()
        if text.is_file():
            listing = read_listing(text, settable=False)
            reported += listing.diagnostics
            boxes = _boxes(listing.value, size, known, reported) if listing.value is not None else ()
        pictures.append(Picture(str(file), *size, boxes))
    there = {file.relative_to(folder).with_suffix("") for file in files}
    for text in sorted(labels.rglob("*.txt")):
        if text.name not in NAMES and text.relative_to(labels).with_suffix("") not in there:
            what = f"{legible(str(text))} is of no picture in {legible(str(folder))}"
            reported.append(say.ANNOTATION_FORM.at(nowhere(str(text)), what=what))
    found = BoxSet("yolo", name, known, tuple(pictures), not reported)
    return Outcome(found, (*reported, *notes(found)))


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


def names_at(path: Path) -> tuple[str, ...]:
    """The classes that a folder, its `labels` or one of the two folders around it names."""
    around = path.absolute().parents[:2]
    return next((found for folder in (path, labels_of(path), *around) if (found := names_of(folder))), ())


def names_of(folder: Path) -> tuple[str, ...]:
    """The classes that a folder names: a line each, or the `names` of its `data.yaml`, as a list or by number."""
    for name in NAMES:
        if (folder / name).is_file():
            lines = (folder / name).read_text("utf-8", "replace").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    if not (folder / "data.yaml").is_file():
        return ()
    text = (folder / "data.yaml").read_text("utf-8", "replace")
    inline = re.search(r"^names:\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if inline:
        return tuple(part.strip().strip("'\"") for part in inline[1].split(",") if part.strip())
    block = re.search(r"^names:[ \t]*\n((?:[ \t]*(?:-|\d+:)[^\n]*\n?)+)", text, re.MULTILINE)
    rows = block[1].splitlines() if block else []
    return tuple(re.sub(r"^\s*(?:-|\d+:)\s*", "", line).strip().strip("'\"") for line in rows)


def _size(file: Path, reported: list[Diagnostic]) -> tuple[int, int] | None:
    """Height and width of a picture, of its beginning alone; as it is shown, where it says that it lies on its side."""
    from PIL import Image  # noqa: PLC0415 - who reads other kinds needs none

    try:
        with Image.open(file) as image:
            turned = image.getexif().get(0x0112, 1) >= 5
            return (image.width, image.height) if turned else (image.height, image.width)
    except Exception:  # noqa: BLE001 - a damaged file raises whatever its reader does
        name = legible(str(file))
        reported.append(say.BAD_PICTURE.at(nowhere(name), path=name, reason="its size cannot be read", label=""))
        return None


def _boxes(
    source: Source, size: tuple[int, int], known: tuple[str, ...], reported: list[Diagnostic]
) -> tuple[Box, ...]:
    """The boxes of one file."""
    boxes: list[Box] = []
    height, width = size
    for number, line in enumerate(source.text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        place = line_of(source, number)
        try:
            label, (x, y, across, down) = int(fields[0]), map(float, fields[1:])
        except ValueError:
            what = f"this row is not of the form `{FIELDS}`"
            many = " It has more fields: outlines are not read" if len(fields) > 5 else ""
            reported.append(say.ANNOTATION_FORM.at(place, what=what + ("." + many if many else "")))
            continue
        if not 0 <= label < len(known):
            what = f"there is no class number {label}: they are 0 to {len(known) - 1}"
            reported.append(say.ANNOTATION_FORM.at(place, what=what))
            continue
        sides = (x - across / 2) * width, (y - down / 2) * height, (x + across / 2) * width, (y + down / 2) * height
        made = kept(sides, size, label, "the box", place)
        if isinstance(made, Diagnostic):
            pixels = max(x, y, across, down) > 2
            reported.append(made.with_fix("these seem to be pixels: YOLO's are shares from 0 to 1") if pixels else made)
        else:
            boxes.append(made)
    return tuple(boxes)
