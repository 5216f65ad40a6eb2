"""COCO's JSON: `images`, `categories` and `annotations`, whose `bbox` is left, top, width and height in pixels.

In: the file. Out: a `BoxSet`, and every mistake. Categories are numbered anew from 0, in the order of their ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl.brief import brief, short_path
from spinedsl.data.boxes.kept import Box, BoxSet, Picture, kept, no_picture, notes
from spinedsl.data.dataset import nowhere, unknown_class
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.reading import legible
from spinedsl.record import Record, field
from spinedsl.settings import is_number

LISTS = ("images", "categories", "annotations")


def read_coco(path: Path, images: Path | None, classes: tuple[str, ...]) -> Outcome[BoxSet]:
    """The pictures and boxes of a file."""
    name = legible(str(path))
    place = nowhere(name)
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        what = f"{short_path(name)} is no JSON: {error}"
        return Outcome(None, (say.ANNOTATION_FORM.at(place, what=what),))
    lacking = [key for key in LISTS if not isinstance(data, dict) or not isinstance(data.get(key), list)]
    if lacking:
        what = f"{short_path(name)} has no list `{lacking[0]}`: COCO's form has {', '.join(LISTS)}"
        found = say.ANNOTATION_FORM.at(place, what=what)
        results = isinstance(data, list)
        return Outcome(None, (found.with_fix("these seem to be results, not annotations") if results else found,))
    reader = _Reader(name, images or _beside(path, data["images"]), classes)
    reader.categories(data["categories"])
    reader.images(data["images"])
    reader.annotations(data["annotations"])
    found_set = reader.whole()
    return Outcome(found_set, (*reader.reported, *notes(found_set)))


def _beside(path: Path, images: Sequence[Any]) -> Path:
    """Where pictures are: in `images` beside the file, where it stands, or as COCO itself has them.

    That is `train2017` beside `annotations/instances_train2017.json`. Of several the one that has the first picture.
    """
    beside = path.parent / "images"
    places = [beside, path.parent, path.parent.parent / path.stem.partition("_")[2], path.parent.parent / "images"]
    first = images[0].get("file_name") if images and isinstance(images[0], dict) else None
    if isinstance(first, str):
        there = next((place for place in places if (place / first).is_file()), None)
        if there is not None:
            return there
    return beside if beside.is_dir() else path.parent


class _Reader(Record, frozen=False):
    name: str
    folder: Path
    wanted: tuple[str, ...]
    labels: dict[int, int] = field(default_factory=dict)  # of category ids
    unknown: set[int] = field(default_factory=set)  # category ids of none of the classes: reported once
    known: tuple[str, ...] = ()
    sizes: dict[int, tuple[str, int, int]] = field(default_factory=dict)  # path, height, width by image id
    boxes: dict[int, list[Box]] = field(default_factory=dict)
    reported: list[Diagnostic] = field(default_factory=list)

    def say(self, what: str) -> None:
        """Something has another form."""
        self.reported.append(say.ANNOTATION_FORM.at(nowhere(self.name), what=f"{short_path(self.name)}: {what}"))

    def items(self, items: Sequence[Any], what: str, keys: Mapping[str, type]) -> Iterator[dict[str, Any]]:
        """Those that have the keys, with values of these types."""
        for number, item in enumerate(items):
            about = item if isinstance(item, dict) else {}
            wrong = [key for key, kind in keys.items() if not _is(about.get(key), kind)]
            if not wrong:
                yield about
                continue
            got = f", got {brief(about[wrong[0]])}" if wrong[0] in about else ""
            words = {int: "a whole number", str: "a text", list: "a list"}[keys[wrong[0]]]
            self.say(f"{what} {about.get('id', f'number {number + 1}')} needs `{wrong[0]}`, {words}{got}")

    def categories(self, items: Sequence[Any]) -> None:
        """The classes, in the order of their ids, or those that are wanted."""
        there = sorted(self.items(items, "category", {"id": int, "name": str}), key=lambda item: item["id"])
        self.known = self.wanted or tuple(item["name"] for item in there)
        for item in there:
            if item["id"] in self.labels:
                self.say(f"two categories have the id {item['id']}")
            elif item["name"] in self.known:
                self.labels[item["id"]] = self.known.index(item["name"])
            else:
                self.unknown.add(item["id"])
                what = f"category {item['id']} of {short_path(self.name)}"
                self.reported.append(unknown_class(nowhere(self.name), item["name"], self.known, what=what))

    def images(self, items: Sequence[Any]) -> None:
        """The pictures, with their sizes."""
        for item in self.items(items, "image", {"id": int, "file_name": str, "height": int, "width": int}):
            path = str(self.folder / item["file_name"])
            if item["id"] in self.sizes:
                self.say(f"two images have the id {item['id']}")
            elif item["height"] < 1 or item["width"] < 1:
                self.say(f"image {item['id']} is {item['width']}x{item['height']} pixels")
            else:
                if not Path(path).is_file():
                    self.reported.append(no_picture(path, nowhere(self.name)))
                self.sizes[item["id"]] = path, item["height"], item["width"]

    def annotations(self, items: Sequence[Any]) -> None:
        """The boxes of each picture."""
        for item in self.items(items, "annotation", {"image_id": int, "category_id": int, "bbox": list}):
            what = f"annotation {item.get('id', '')}".strip()
            if item["image_id"] not in self.sizes:
                self.say(f"{what} is of image {item['image_id']}, which is not among the images")
            elif item["category_id"] in self.unknown:
                continue
            elif item["category_id"] not in self.labels:
                self.say(f"{what} is of category {item['category_id']}, which is not among the categories")
            elif len(item["bbox"]) != 4 or not all(map(is_number, item["bbox"])):
                self.say(f"the `bbox` of {what} is {brief(item['bbox'])}, expected left, top, width and height")
            else:
                self.box(item, what)

    def box(self, item: dict[str, Any], what: str) -> None:
        """One box, if it is sound."""
        path, height, width = self.sizes[item["image_id"]]
        left, top, across, down = map(float, item["bbox"])
        area = float(item["area"]) if is_number(item.get("area")) else None
        made = kept(
            (left, top, left + across, top + down), (height, width), self.labels[item["category_id"]],
            f"{short_path(self.name)}: the box of {what}, of {legible(Path(path).name)},", nowhere(self.name),
            crowd=bool(item.get("iscrowd", 0)), area=area,
        )  # fmt: skip
        if isinstance(made, Diagnostic):
            self.reported.append(made)
        else:
            self.boxes.setdefault(item["image_id"], []).append(made)

    def whole(self) -> BoxSet:
        """All that could be read."""
        pictures = tuple(
            Picture(path, height, width, tuple(self.boxes.get(number, ())))
            for number, (path, height, width) in self.sizes.items()
        )
        return BoxSet("coco", self.name, self.known, pictures, not self.reported)


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
