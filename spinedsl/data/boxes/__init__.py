"""Pictures with boxes: COCO's JSON, VOC's XML and YOLO's text files as one kind of data.

In: a path. Out: a `BoxSet`, and every mistake in its files, at once; no picture is opened, but for its size where
YOLO's shares of it are to become pixels. What kind of data it is follows from what stands there, unless it is given.
"""

from __future__ import annotations

import os
from pathlib import Path

from spinedsl import checks as say
from spinedsl.data.boxes.classes import is_yaml
from spinedsl.data.boxes.coco import read_coco
from spinedsl.data.boxes.kept import BoxSet, Picture
from spinedsl.data.boxes.listed import ANNOTATIONS, JPEGS, is_list
from spinedsl.data.boxes.named import is_hidden
from spinedsl.data.boxes.voc import read_voc
from spinedsl.data.boxes.yolo import labels_of, read_yolo
from spinedsl.data.dataset import nowhere
from spinedsl.data.pictures import ENDINGS
from spinedsl.diagnostics import Outcome
from spinedsl.reading import legible, reason_of

__all__ = ["KINDS", "BoxSet", "Picture", "boxes_at", "folder_of_boxes", "json_in", "kind_of", "open_boxes"]

READERS = {"coco": read_coco, "voc": read_voc, "yolo": read_yolo}
KINDS = tuple(READERS)


def open_boxes(
    path: str | Path, kind: str = "auto", *, images: str | Path | None = None, classes: tuple[str, ...] = ()
) -> Outcome[BoxSet]:
    """The pictures and boxes at a path.

    Args:
        path: of COCO, the JSON file; of VOC, the folder of XML files, one that holds `Annotations`, or a list below
            that, as `ImageSets/Main/train.txt`; of YOLO, the folder that holds `labels` and `images`, that of the text
            files, or `images/train` beside `labels/train`.
        kind: one of `KINDS`, or `auto`.
        images: the folder of the pictures, where it is not where the kind has it: beside the JSON file, in `images`
            there or as COCO has it; `JPEGImages` or that of the XML files; `images` or that of the text files.
        classes: in the order of the network's outputs; by default those of the files: of COCO by their numbers, of VOC
            by their names, of YOLO by `classes.txt`, `obj.names` or the `names` of a YAML.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in (*KINDS, "auto"):
        raise ValueError(f"boxes are one of {', '.join(KINDS)}, or auto; got {kind!r}")
    path = Path(path)
    try:
        if not path.exists():
            name = legible(str(path))
            missing = say.NO_DATASET.at(nowhere(name), path=name, reason="there is no such file or folder")
            return Outcome(None, (missing.with_fix("see that the path is right"),))
        found = kind_of(path) if kind == "auto" else kind
        return READERS[found](path, Path(images) if images is not None else None, classes)
    except OSError as error:
        name = legible(str(error.filename or path))
        return Outcome(None, (say.CANNOT_READ.at(nowhere(name), path=name, reason=reason_of(error)),))


def kind_of(path: Path) -> str:
    """What stands at a path: a list of VOC's, YOLO's YAML, or else a file, is COCO's; a folder with XML files VOC's."""
    if path.is_file():
        return "voc" if is_list(path) else "yolo" if is_yaml(path) else "coco"
    return "voc" if (path / ANNOTATIONS).is_dir() or next(path.glob("[!.]*.xml"), None) else "yolo"


def boxes_at(path: Path) -> str | None:
    """Which of `KINDS` stands at a path beyond doubt; nothing where it may be pictures with a class each.

    A file called as JSON or YAML is; a list in `ImageSets`; `Annotations` with XML files or beside `JPEGImages`, or XML
    files and no folders; `labels` with text files and no pictures; pictures and text files of the same names, or of
    `images/…` in `labels/…`, and no folders.
    """
    try:
        if is_list(path) and path.is_file():
            return "voc"
        if path.is_file():
            return "coco" if path.suffix.lower() == ".json" else "yolo" if is_yaml(path) else None
        if not path.is_dir():
            return None
        folders, files = _entries(path)
        if next((path / ANNOTATIONS).glob("[!.]*.xml"), None):
            return "voc"
        if {ANNOTATIONS, JPEGS} <= set(folders) and not _endings(path / ANNOTATIONS) & ENDINGS:
            return "voc"
        if "labels" in folders:
            endings = _endings(path / "labels")
            return "yolo" if ".txt" in endings and not endings & ENDINGS else None
        if folders:
            return None
        stems = {Path(name).stem for name in files if Path(name).suffix.lower() in ENDINGS}
        if not stems:
            return "voc" if any(name.lower().endswith(".xml") for name in files) else None
        texts = _entries(labels_of(path))[1]
        if any(name.lower().endswith(".xml") and Path(name).stem in stems for name in files):
            return "voc"
        return "yolo" if any(name.endswith(".txt") and Path(name).stem in stems for name in texts) else None
    except OSError:
        return None


def json_in(path: Path) -> Path | None:
    """The file in a folder that seems to hold its boxes, if it is the only one."""
    try:
        found = [file for file in sorted(path.glob("[!.]*.json")) if _begins(file) in (b"{", b"[")]
    except OSError:
        return None
    return found[0] if len(found) == 1 else None


def folder_of_boxes(path: Path) -> Path | None:
    """What to name instead of the pictures of VOC, or of the text files of YOLO: the folder above, or `images/…`."""
    if path.name == JPEGS and (path.parent / ANNOTATIONS).is_dir():
        return path.parent
    parts = path.absolute().parts
    if "labels" not in parts:
        return None
    last = len(parts) - 1 - parts[::-1].index("labels")
    found = Path(*path.parts[: len(path.parts) - len(parts) + last], "images", *parts[last + 1 :])
    return found if found.is_dir() else None


def _begins(path: Path) -> bytes:
    """The first byte of a file that is no blank."""
    with path.open("rb") as file:
        return file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]


def _endings(path: Path) -> set[str]:
    """The endings of all files in and below a folder; what begins with a dot is left out."""
    files = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    return {file.suffix.lower() for file in files if not is_hidden(file, path)}


def _entries(path: Path) -> tuple[list[str], list[str]]:
    """The folders and the files in a folder; what begins with a dot is left out."""
    found: tuple[list[str], list[str]] = ([], [])
    for entry in os.scandir(path):
        if not entry.name.startswith("."):
            found[not entry.is_dir()].append(entry.name)
    return found
