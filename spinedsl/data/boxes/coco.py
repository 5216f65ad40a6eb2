"""COCO's JSON: `images`, `categories` and `annotations`, whose `bbox` is left, top, width and height in pixels.

In: the file. Out: a `BoxSet`, and every mistake. Categories are numbered anew from 0, in the order of their ids; one
that is not among the classes is a mistake where an annotation is of it. An image of which both sides are missing or 0
has the size of its file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl.brief import brief, short_path
from spinedsl.data.boxes.kept import Box, BoxSet, Picture, kept, notes
from spinedsl.data.boxes.named import is_there, no_picture, no_size, path_of, size_of
from spinedsl.data.dataset import nowhere, unknown_class
from spinedsl.data.listing import read_listing
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.reading import legible
from spinedsl.record import Record, field
from spinedsl.settings import is_number

LISTS = ("images", "categories", "annotations")
LARGEST = 2**31 - 1  # pixels of a side
ID, TEXT, LIST = "a whole number or a text", "a text", "a list"  # what a key has
Id = int | str


def read_coco(path: Path, images: Path | None, classes: tuple[str, ...]) -> Outcome[BoxSet]:
    """The pictures and boxes of a file."""
    name = legible(str(path))
    place = nowhere(name)
    reported: tuple[Diagnostic, ...] = ()
    try:
        try:
            data = json.loads(path.read_bytes())
        except UnicodeDecodeError:
            guessed = read_listing(path, settable=False)
            reported = guessed.diagnostics
            data = json.loads(guessed.value.text) if guessed.value is not None else None
    except (ValueError, RecursionError) as error:
        what = f"{short_path(name)} is no JSON: {error}"
        return Outcome(None, (*reported, say.ANNOTATION_FORM.at(place, what=what)))
    lacking = [key for key in LISTS if not isinstance(data, dict) or not isinstance(data.get(key), list)]
    if lacking:
        what = f"{short_path(name)} has no list `{lacking[0]}`: COCO's form has {', '.join(LISTS)}"
        found = say.ANNOTATION_FORM.at(place, what=what)
        results = isinstance(data, list)
        found = found.with_fix("these seem to be results, not annotations") if results else found
        return Outcome(None, (*reported, found))
    reader = _Reader(name, images or _beside(path, data["images"]), classes)
    reader.reported += reported
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
        there = next((place for place in places if is_there(path_of(place, first))), None)
        if there is not None:
            return there
    return beside if beside.is_dir() else path.parent


class _Reader(Record, frozen=False):
    name: str
    folder: Path
    wanted: tuple[str, ...]
    labels: dict[Id, int] = field(default_factory=dict)  # of category ids
    unknown: dict[Id, str] = field(default_factory=dict)  # categories of none of the classes, until one is met
    unsound: set[tuple[str, Id]] = field(default_factory=set)  # ids of what was reported: its boxes are passed over
    nameless: set[str] = field(default_factory=set)  # lists of which something has no id
    known: tuple[str, ...] = ()
    sizes: dict[Id, tuple[str, int, int]] = field(default_factory=dict)  # path, height, width by image id
    boxes: dict[Id, list[Box]] = field(default_factory=dict)
    shares: list[bool] = field(default_factory=list)  # of each box: all its numbers are from 0 to 1
    reported: list[Diagnostic] = field(default_factory=list)

    def say(self, what: str, fix: str = "") -> None:
        """Something has another form."""
        found = say.ANNOTATION_FORM.at(nowhere(self.name), what=f"{short_path(self.name)}: {what}")
        self.reported.append(found.with_fix(fix) if fix else found)

    def items(self, items: Sequence[Any], what: str, keys: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Those that have the keys, with values of these kinds; ids as they are compared, and `called` what each is."""
        for number, item in enumerate(items):
            about = dict(item) if isinstance(item, dict) else {}
            about |= {key: as_id(about[key]) for key, kind in keys.items() if kind == ID and key in about}
            own = as_id(about.get("id"))
            about["called"] = f"{what} number {number + 1} (from 1)" if own is None else f"{what} {own}"
            wrong = [key for key, kind in keys.items() if not _is(about.get(key), kind)]
            if not wrong:
                yield about
                continue
            given = item[wrong[0]] if wrong[0] in about else None
            got = f", got {brief(given)}" if wrong[0] in about else ""
            outlines = wrong[0] == "bbox" and about.get("segmentation")
            self.say(f"{about['called']} needs `{wrong[0]}`, {keys[wrong[0]]}{got}",
                     "boxes are read, not outlines" if outlines else "")  # fmt: skip
            if own is None:
                self.nameless.add(what)
            else:
                self.unsound.add((what, own))

    def categories(self, items: Sequence[Any]) -> None:
        """The classes, in the order of their ids, or those that are wanted."""
        there = sorted(
            self.items(items, "category", {"id": ID, "name": TEXT}),
            key=lambda item: (isinstance(item["id"], str), item["id"]),
        )
        self.known = self.wanted or tuple(dict.fromkeys(item["name"] for item in there))
        called: dict[str, Id] = {}
        for item in there:
            if item["id"] in self.labels or item["id"] in self.unknown:
                self.say(f"two categories have the id {item['id']}")
            elif (first := called.setdefault(item["name"], item["id"])) != item["id"]:
                what = f"categories {first} and {item['id']} are both called {brief(item['name'])}"
                self.say(what, "take out the one that no annotation is of, or call it otherwise")
                self.unsound.add(("category", item["id"]))
            elif item["name"] in self.known:
                self.labels[item["id"]] = self.known.index(item["name"])
            else:
                self.unknown[item["id"]] = item["name"]

    def images(self, items: Sequence[Any]) -> None:
        """The pictures, with their sizes."""
        files: dict[str, Id] = {}
        for item in self.items(items, "image", {"id": ID, "file_name": TEXT}):
            path = path_of(self.folder, item["file_name"])
            if item["id"] in self.sizes:
                self.say(f"two images have the id {item['id']}")
                continue
            if (first := files.setdefault(path, item["id"])) != item["id"]:
                self.say(f"images {first} and {item['id']} are both {legible(item['file_name'])}",
                         "let one image have the boxes of both")  # fmt: skip
                self.unsound.add(("image", item["id"]))
                continue
            missing = not is_there(path)
            if missing:
                self.reported.append(no_picture(path, nowhere(self.name), self.folder, item["file_name"]))
            size = self.size(item, path, missing=missing)
            if size is None:
                self.unsound.add(("image", item["id"]))
            else:
                self.sizes[item["id"]] = path, *size

    def size(self, item: dict[str, Any], path: str, *, missing: bool) -> tuple[int, int] | None:
        """Height and width of an image: those that are given, or of its file where both are missing or 0."""
        given = [item.get(key) for key in ("height", "width")]
        if all(value is None or _number(value) == 0 for value in given):
            size = None if missing else size_of(path)
            if size is None and not missing:
                self.reported.append(no_size(path))
            return size
        found = [_number(value) for value in given]
        for key, value, number in zip(("height", "width"), given, found, strict=True):
            if number is None:
                got = "" if value is None else f", got {brief(value)}"
                self.say(f"image {item['id']} needs `{key}`, a whole number{got}")
                return None
        height, width = (number or 0 for number in found)
        if not (0 < height <= LARGEST and 0 < width <= LARGEST):
            fix = "without `height` and `width` an image has the size of its file"
            self.say(f"image {item['id']} is {brief(width)}x{brief(height)} pixels", fix)
            return None
        return height, width

    def annotations(self, items: Sequence[Any]) -> None:
        """The boxes of each picture."""
        for item in self.items(items, "annotation", {"image_id": ID, "category_id": ID, "bbox": LIST}):
            what, image, category = item["called"], item["image_id"], item["category_id"]
            if ("image", image) in self.unsound or ("category", category) in self.unsound:
                continue
            if category in self.unknown:
                called = f"category {category} of {short_path(self.name)}"
                wrong = unknown_class(nowhere(self.name), self.unknown[category], self.known, what=called)
                self.reported.append(wrong)
                self.unsound.add(("category", category))
            elif image not in self.sizes:
                self.nothing("image", image, self.sizes, what, "images")
            elif category not in self.labels:
                self.nothing("category", category, self.labels, what, "categories")
            elif len(item["bbox"]) != 4 or not all(map(is_number, item["bbox"])):
                self.say(f"the `bbox` of {what} is {brief(item['bbox'])}, expected left, top, width and height")
            else:
                self.box(item, what)

    def nothing(self, kind: str, number: Id, there: Mapping[Id, object], what: str, among: str) -> None:
        """An annotation is of something that is not listed; unless something listed there has no id."""
        if kind in self.nameless:
            return
        other: Id | None = str(number)
        if isinstance(number, str):
            other = int(number) if number.isascii() and number.isdigit() and len(number) < 20 else None
        fix = "ids are compared as they are: both with quotes, or both without" if other in there else ""
        self.say(f"{what} is of {kind} {brief(number)}, which is not among the {among}", fix)

    def box(self, item: dict[str, Any], what: str) -> None:
        """One box, if it is sound."""
        path, height, width = self.sizes[item["image_id"]]
        left, top, across, down = map(float, item["bbox"])
        self.shares.append(max(map(abs, (left, top, across, down))) <= 1 and min(height, width) > 2)
        crowd, area = item.get("iscrowd"), item.get("area")
        if crowd is not None and crowd not in (0, 1):
            self.say(f"`iscrowd` of {what} is {brief(crowd)}, expected 0 or 1")
            return
        if area is not None and not (is_number(area) and area >= 0):
            self.say(f"`area` of {what} is {brief(area)}, expected pixels", "without `area` it is that of the box")
            return
        made = kept(
            (left, top, left + across, top + down), (height, width), self.labels[item["category_id"]],
            f"{short_path(self.name)}: the box of {what}, of {legible(Path(path).name)},", nowhere(self.name),
            crowd=bool(crowd), area=None if area is None else float(area),
        )  # fmt: skip
        if isinstance(made, Diagnostic):
            self.reported.append(made)
        else:
            self.boxes.setdefault(item["image_id"], []).append(made)

    def whole(self) -> BoxSet:
        """All that could be read."""
        if self.shares and all(self.shares):
            self.say("every `bbox` has numbers from 0 to 1 alone", "these seem to be shares: COCO's are pixels")
        pictures = tuple(
            Picture(path, height, width, tuple(self.boxes.get(number, ())), number)
            for number, (path, height, width) in self.sizes.items()
        )
        return BoxSet("coco", self.name, self.known, pictures, not self.reported)


def as_id(value: object) -> Id | None:
    """An id as it is compared: 3.0, as tables write it, is 3; nothing where it is none."""
    return (value if value.strip() else None) if isinstance(value, str) else _number(value)


def _number(value: object) -> int | None:
    """A whole number, perhaps written as 3.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def _is(value: object, kind: str) -> bool:
    if kind == LIST:
        return isinstance(value, list)
    return as_id(value) is not None if kind == ID else isinstance(value, str) and bool(value.strip())
