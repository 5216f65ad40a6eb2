"""What a detector found, as COCO's results have it: a list of boxes, each with its image, category and score.

In: boxes of pictures, and the data set that they are of. Out: the list. Of a data set in COCO's form, images and
categories have the ids of its file; of any other, images are numbered from 1 in their order, and categories likewise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spinedsl.data.boxes import BoxSet
from spinedsl.inference.boxes import Boxes
from spinedsl.record import Record


class Ids(Record):
    """The ids of images and of categories, by their numbers."""

    images: tuple[int, ...]
    categories: tuple[int, ...]


def coco_results(found: Sequence[Boxes], images: Any, at: Sequence[int]) -> list[dict[str, Any]]:
    """The list; `at` are the numbers of the images in the data set."""
    ids = ids_of(images)
    categories = ids.categories
    return [
        {
            "image_id": ids.images[index],
            "category_id": categories[int(label)] if label < len(categories) else int(label) + 1,
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
    """The ids of a data set's images and classes."""
    numbered = Ids(tuple(range(1, len(images) + 1)), tuple(range(1, len(images.classes) + 1)))
    if not (isinstance(images, BoxSet) and images.kind == "coco"):
        return numbered
    held = json.loads(Path(images.name).read_bytes())
    of_names = {item["name"]: item["id"] for item in held["categories"]}
    of_images = [(item["id"], Path(item["file_name"]).parts) for item in held["images"]]
    paths = [Path(picture.path).parts for picture in images.pictures]
    if len(paths) != len(of_images) or any(
        path[-len(parts) :] != parts for path, (_, parts) in zip(paths, of_images, strict=True)
    ):
        return numbered  # the file has changed since
    return Ids(
        tuple(number for number, _ in of_images),
        tuple(of_names.get(name, number) for number, name in enumerate(images.classes, 1)),
    )
