"""Pictures with boxes: COCO's JSON, VOC's XML and YOLO's text files as one kind of data.

In: a path. Out: a `BoxSet`, and every mistake in its files, at once; no picture is opened, but for its size where
YOLO's shares of it are to become pixels. What kind of data it is follows from what stands there, unless it is given.
"""

from __future__ import annotations

from pathlib import Path

from spinedsl import checks as say
from spinedsl.data.boxes.coco import read_coco
from spinedsl.data.boxes.kept import BoxSet, Picture
from spinedsl.data.boxes.voc import read_voc
from spinedsl.data.boxes.yolo import read_yolo
from spinedsl.data.dataset import nowhere
from spinedsl.diagnostics import Outcome
from spinedsl.reading import legible, reason_of

__all__ = ["KINDS", "BoxSet", "Picture", "kind_of", "open_boxes"]

READERS = {"coco": read_coco, "voc": read_voc, "yolo": read_yolo}
KINDS = tuple(READERS)


def open_boxes(
    path: str | Path, kind: str = "auto", *, images: str | Path | None = None, classes: tuple[str, ...] = ()
) -> Outcome[BoxSet]:
    """The pictures and boxes at a path.

    Args:
        path: of COCO, the JSON file; of VOC, the folder of XML files, or one that holds `Annotations`; of YOLO, the
            folder that holds `labels` and `images`, or that of the text files.
        kind: one of `KINDS`, or `auto`.
        images: the folder of the pictures, where it is not where the kind has it: beside the JSON file or in `images`
            there; `JPEGImages` or that of the XML files; `images` or that of the text files.
        classes: in the order of the network's outputs; by default those of the files: of COCO by their numbers, of VOC
            by their names, of YOLO by `classes.txt`, `obj.names` or the `names` of `data.yaml`.

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
    """What stands at a path: a file is COCO's, a folder with XML files VOC's, any other YOLO's."""
    if path.is_file():
        return "coco"
    return "voc" if (path / "Annotations").is_dir() or next(path.glob("*.xml"), None) else "yolo"
