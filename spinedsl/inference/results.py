"""What a detector found, as COCO's results have it: a list of boxes, each with its image, category and score.

In: boxes of pictures, and the data set that they are of. Out: the list. Of a data set in COCO's form, images and
categories have the ids of its file; of any other, images are numbered from 1 in their order, and categories likewise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spinedsl import api
from spinedsl import checks as say
from spinedsl.data.boxes import BoxSet
from spinedsl.data.boxes.coco import Id, as_id
from spinedsl.data.boxes.named import portable
from spinedsl.data.dataset import nowhere
from spinedsl.diagnostics import Diagnostic
from spinedsl.inference.boxes import Boxes
from spinedsl.reading import legible, reason_of
from spinedsl.record import Record


class Ids(Record):
    """The ids of images and of categories, by their numbers; of a file, which may lack one of the `classes`."""

    images: tuple[Id, ...]
    categories: tuple[Id | None, ...]
    path: str = ""
    classes: tuple[str, ...] = ()

    def category(self, label: int) -> Id:
        """The id of a class.

        Raises:
            Mistakes: the file lacks it.
        """
        found = self.categories[label] if label < len(self.categories) else None
        if found is None and self.path:
            name = self.classes[label] if label < len(self.classes) else f"output {label}"
            raise _unknown(self.path, f"it has no category `{legible(name)}`, of which there are boxes")
        return label + 1 if found is None else found


def coco_results(
    found: Sequence[Boxes], images: Any, at: Sequence[int], ids: Ids | None = None
) -> list[dict[str, Any]]:
    """The list; `at` are the numbers of the images in the data set, whose ids are its own unless others are given.

    Raises:
        Mistakes: the file of COCO's form is no longer that of these images.
    """
    ids = ids or ids_of(images)
    return [
        {
            "image_id": ids.images[index],
            "category_id": ids.category(int(label)),
            "bbox": [float(left), float(top), float(right) - float(left), float(bottom) - float(top)],
            "score": float(score),
        }
        for index, one in zip(at, found, strict=True)
        for (left, top, right, bottom), label, score in zip(one.sides, one.labels, one.scores, strict=True)
    ]


def to_text(results: Sequence[Mapping[str, Any]]) -> str:
    """The file, a box a line."""
    return "[\n" + ",\n".join(map(json.dumps, results)) + "\n]\n"


def ids_of(images: Any) -> Ids:
    """The ids of a data set's images and classes.

    Raises:
        Mistakes: the file of COCO's form is no longer that of these images.
    """
    if not (isinstance(images, BoxSet) and images.kind == "coco"):
        return Ids(tuple(range(1, len(images) + 1)), tuple(range(1, len(images.classes) + 1)))
    pictures, path = images.pictures, images.name
    if any(picture.id is None for picture in pictures):
        return ids_in(path, [picture.path for picture in pictures], images.classes)
    categories, listed = _lists(path)
    there = {(number, _last(file)) for file, number in listed}
    gone = next((picture.path for picture in pictures if (picture.id, _last(picture.path)) not in there), None)
    if gone is not None:
        raise _unknown(path, f"it has no image `{legible(gone)}`")
    numbers = tuple(picture.id for picture in pictures if picture.id is not None)
    return Ids(numbers, _of_classes(path, categories, images.classes), path, tuple(images.classes))


def ids_in(path: str, images: Sequence[str], classes: Sequence[str]) -> Ids:
    """The ids that a file of COCO's form has for images, by the ends of their paths, and for classes, by name.

    Raises:
        Mistakes: it is none, or lacks an image, or has something twice.
    """
    categories, listed = _lists(path)
    by_file: dict[str, list[tuple[tuple[str, ...], Id]]] = {}
    for file, number in listed:
        for parts in dict.fromkeys((Path(file).parts, Path(portable(file)).parts)):
            by_file.setdefault(parts[-1] if parts else "", []).append((parts, number))

    def of_image(image: str) -> Id:
        own = Path(image).parts
        found = [(len(parts), number) for parts, number in by_file.get(own[-1], []) if own[-len(parts) :] == parts]
        most = max((length for length, _ in found), default=0)
        longest = [number for length, number in found if length == most]
        return _only(path, "image", image, longest)

    return Ids(tuple(map(of_image, images)), _of_classes(path, categories, classes), path, tuple(classes))


def _lists(path: str) -> tuple[list[tuple[str, Id]], list[tuple[str, Id]]]:
    """The names and ids of a file's categories, and of its images.

    Raises:
        Mistakes: it has none.
    """
    try:
        held = json.loads(Path(path).read_bytes())
        categories = [(str(item["name"]), _id(item)) for item in held["categories"]]
        return categories, [(_file(item), _id(item)) for item in held["images"]]
    except OSError as error:
        raise _unknown(path, f"it cannot be read: {reason_of(error)}") from None
    except (KeyError, TypeError, ValueError, RecursionError):
        reason = "it is not JSON with `images` of `id` and `file_name`, and `categories` of `id` and `name`"
        raise _unknown(path, reason) from None


def _of_classes(path: str, categories: Sequence[tuple[str, Id]], classes: Sequence[str]) -> tuple[Id | None, ...]:
    """The ids of classes by name; nothing of those that the file lacks.

    Raises:
        Mistakes: it has one twice.
    """
    by_name: dict[str, list[Id]] = {}
    for name, number in categories:
        by_name.setdefault(name, []).append(number)
    return tuple(_only(path, "category", name, by_name[name]) if name in by_name else None for name in classes)


def _last(path: str) -> str:
    """The name of a file, in whatever folders of whatever system."""
    return portable(path).rpartition("/")[2]


def _file(item: Mapping[str, Any]) -> str:
    """The name of an image.

    Raises:
        TypeError: it is none.
    """
    found = item["file_name"]
    if not isinstance(found, str):
        raise TypeError
    return found


def _id(item: Mapping[str, Any]) -> Id:
    """The id of an item.

    Raises:
        TypeError: it is none.
    """
    found = as_id(item["id"])
    if found is None:
        raise TypeError
    return found


def _only(path: str, what: str, name: str, found: Sequence[Id]) -> Id:
    if len(found) == 1:
        return found[0]
    raise _unknown(path, f"it has {'no' if not found else 'more than one'} {what} `{legible(name)}`")


def _unknown(path: str, reason: str) -> api.Mistakes:
    found: Diagnostic = say.IDS_UNKNOWN.at(nowhere(path), path=legible(path), reason=reason)
    return api.Mistakes([found.with_fix("name the file that lists these images, as it was when they were looked at")])
