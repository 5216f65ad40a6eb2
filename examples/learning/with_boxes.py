"""Pictures with boxes, made of the files of packages: objects of many sizes on photographs, and tree crowns.

In: files by their paths in the packages, an empty folder. Out: JPEG or PNG files there, and COCO's JSON for each set.
`get_data.py` fetches the packages.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

Files = Mapping[str, bytes]  # by their path in a package
SETS = ("train", "validation", "test")


class Object(NamedTuple):
    """Left, top, width and height in pixels; the number of the class, from 1; the object's area; many at once."""

    box: tuple[float, float, float, float]
    category: int
    area: float
    crowd: bool = False


class Labelled(NamedTuple):
    """A picture, from the folder `images`, its size, and what lies in it."""

    name: str
    width: int
    height: int
    objects: Sequence[Object]


def coco(pictures: Sequence[Labelled], classes: Sequence[str]) -> str:
    """COCO's JSON."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, start=1):
        images.append({"id": number, "file_name": picture.name, "width": picture.width, "height": picture.height})
        for one in picture.objects:
            about = {"id": len(annotations) + 1, "image_id": number, "category_id": one.category}
            annotations.append({**about, "bbox": one.box, "area": one.area, "iscrowd": int(one.crowd)})
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, start=1)]
    return json.dumps({"images": images, "categories": categories, "annotations": annotations})


# ---- objects of many sizes: emoji on photographs, both held out ----

STYLES = ("google", "twitter")
SIDE = 256  # of a picture, in pixels
SIZES = (12.0, 200.0)  # of the longer side of an object, in pixels: every octave has as many
MOST, TURN, COVERED, TRIES = 6, 20.0, 0.15, 20  # objects, degrees, the share of an object under another one
COUNTS = {"train": 4000, "validation": 300, "test": 600}  # pictures
HELD_OUT = {"test": 0.22, "validation": 0.08}  # of the things of each category, at most: groups stay whole
PHOTOGRAPHS = {
    "train": (
        "alphamat/input_images/plant.jpg", "data/aloeL.jpg", "data/apple.jpg", "data/baboon.jpg", "data/board.jpg",
        "data/butterfly.jpg", "data/chicky_512.png", "data/graf1.png", "data/home.jpg", "data/left.jpg",
        "data/orange.jpg", "data/rubberwhale1.png", "data/starry_night.jpg", "data/stuff.jpg", "hfs/data/000.jpg",
        "hfs/data/001.jpg", "text/scenetext02.jpg", "text/scenetext03.jpg", "text/scenetext04.jpg",
        "text/scenetext_segmented_word01.jpg", "text/scenetext_segmented_word05.jpg", "astronaut.png", "brick.png",
        "chelsea.png", "gravel.png", "motorcycle_left.png",
    ),
    "validation": ("data/ela_original.jpg", "data/squirrel_cls.jpg", "text/scenetext06.jpg", "rocket.jpg"),
    "test": (
        "data/aero1.jpg", "data/building.jpg", "data/fruits.jpg", "data/leuvenA.jpg", "data/messi5.jpg",
        "hfs/data/002.jpg", "text/scenetext01.jpg", "text/scenetext05.jpg", "text/scenetext_segmented_word02.jpg",
        "coffee.png", "grass.png",
    ),
}  # fmt: skip


def place_of(photograph: str) -> str:
    """Where a photograph stands in the packages: the first in Debian's opencv-doc, those without a folder in PyPI's."""
    return f"usr/share/doc/opencv-doc/examples/{photograph}" if "/" in photograph else f"skimage/data/{photograph}"


def many_sizes(files: Files, folder: Path, seed: int = 0, groups: bool = False) -> str:
    """Write pictures of 256 x 256 for each set; with `groups` the objects are of nine classes, else of one."""
    things = _things(files)
    classes = sorted({category for _, category in things["train"]}) if groups else ["emoji"]
    told = []
    for number, (name, count) in enumerate(COUNTS.items()):
        draw = np.random.default_rng([seed, number])
        backgrounds = [_opened(files[place_of(one)], "RGB") for one in PHOTOGRAPHS[name]]
        objects = [
            (_cut_out(files[f"package/img/{style}/64/{file}"]), classes.index(category) + 1 if groups else 1)
            for file, category in things[name]
            for style in STYLES
        ]
        (folder / "images" / name).mkdir(parents=True)
        made = []
        for index in range(count):
            picture, placed = _composed(draw, backgrounds, objects)
            file = f"{name}/{index:04}.jpg"
            picture.save(folder / "images" / file, quality=92)
            made.append(Labelled(file, SIDE, SIDE, placed))
        (folder / f"{name}.json").write_text(coco(made, classes), encoding="utf-8")
        told.append(f"{count:,} pictures with {sum(len(one.objects) for one in made):,} objects for {name}")
    return ", ".join(told)


def _things(files: Files) -> dict[str, list[tuple[str, str]]]:
    """The file and the category of each thing, by set. Near twins, such as flags or clocks, are of one set."""
    seen: set[bytes] = set()
    categories: dict[str, dict[str, list[str]]] = {}
    for thing in sorted(json.loads(files["package/emoji.json"]), key=lambda thing: thing["sort_order"]):
        looks = {hashlib.sha256(files[f"package/img/{style}/64/{thing['image']}"]).digest() for style in STYLES}
        if thing["category"] != "Component" and not looks & seen:  # those are mere colours
            categories.setdefault(thing["category"], {}).setdefault(thing["subcategory"], []).append(thing["image"])
        seen |= looks
    sets: dict[str, list[tuple[str, str]]] = {name: [] for name in SETS}
    for category, groups in categories.items():
        every, held = sum(map(len, groups.values())), dict.fromkeys(HELD_OUT, 0)
        for group in sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
            count = len(groups[group])
            room = (name for name, share in HELD_OUT.items() if held[name] + count <= max(share * every, 1))
            where = next(room, "train")
            if where != "train":
                held[where] += count
            sets[where] += [(file, category) for file in groups[group]]
    return sets


def _opened(data: bytes, mode: str) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert(mode)


def _cut_out(png: bytes) -> Image.Image:
    """What a drawing shows, without what is transparent around it."""
    drawn = _opened(png, "RGBA")
    return drawn.crop(drawn.getchannel("A").getbbox())


def _composed(
    draw: np.random.Generator, backgrounds: Sequence[Image.Image], objects: Sequence[tuple[Image.Image, int]]
) -> tuple[Image.Image, list[Object]]:
    """A photograph with objects on it, the larger ones below, and each where its mask is."""
    picture = _background(draw, backgrounds[int(draw.integers(len(backgrounds)))])
    sizes = np.exp(draw.uniform(math.log(SIZES[0]), math.log(SIZES[1]), draw.integers(1, MOST + 1)))
    placed: list[Object] = []
    for size in sorted(sizes, reverse=True):
        drawn, category = objects[int(draw.integers(len(objects)))]
        scaled = _scaled(drawn, size, draw.uniform(-TURN, TURN))
        mask = np.asarray(scaled.getchannel("A")) >= 128
        inside = _bounds(mask)
        for _ in range(TRIES):
            left, top = (int(draw.integers(max(SIDE - side, 0) + 1)) for side in scaled.size)
            box = (left + inside[0], top + inside[1], inside[2], inside[3])
            fits = min(box[2:]) > 0 and box[0] + box[2] <= SIDE and box[1] + box[3] <= SIDE
            if fits and all(_covered(box, other.box) <= COVERED for other in placed):
                picture.paste(scaled, (left, top), scaled)
                placed.append(Object(box, category, float(mask.sum())))
                break
    return picture, placed


def _background(draw: np.random.Generator, photograph: Image.Image) -> Image.Image:
    """A part of a photograph, of a third of its shorter side or more, perhaps mirrored."""
    shorter = min(photograph.size)
    side = round(shorter * math.exp(draw.uniform(math.log(1 / 3), 0.0)))
    left, top = (int(draw.integers(whole - side + 1)) for whole in photograph.size)
    part = photograph.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if draw.random() < 0.5 else part


def _scaled(drawn: Image.Image, size: float, turned: float) -> Image.Image:
    """A drawing, turned, then with its longer side of that many pixels."""
    whole = drawn.rotate(turned, Image.Resampling.BICUBIC, expand=True)
    whole = whole.crop(whole.getchannel("A").getbbox())
    scale = size / max(whole.size)
    return whole.resize(
        (max(round(whole.width * scale), 1), max(round(whole.height * scale), 1)), Image.Resampling.BICUBIC
    )


def _bounds(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is true; of no width where nothing is."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1


def _covered(one: Sequence[float], other: Sequence[float]) -> float:
    """The share of the smaller of two boxes that lies in the other."""
    across, down = (min(one[k] + one[k + 2], other[k] + other[k + 2]) - max(one[k], other[k]) for k in (0, 1))
    return max(across, 0) * max(down, 0) / min(one[2] * one[3], other[2] * other[3])


# ---- tree crowns: one picture is held out at a time ----

CROWNS = "deepforest/data/"
AERIAL = {  # pictures from above, a tenth of a metre a pixel, with the boxes of their crowns
    "yellowstone_1": "2019_YELL_2_528000_4978000_image_crop2",
    "yellowstone_2": "2019_YELL_2_541000_4977000_image_crop",
    "ordway": "OSBS_029",
    "soaproot": "SOAP_061",
}
TILE = 200  # pixels, or a few more: as many of each picture as fit


def tree_crowns(files: Files, folder: Path) -> str:
    """Write tiles of each picture, and for each the JSON of its own tiles and of those of all others."""
    (folder / "images").mkdir()
    tiles = {name: list(_tiles(files, name, folder / "images")) for name in AERIAL}
    for name, own in tiles.items():
        others = [tile for other in tiles if other != name for tile in tiles[other]]
        (folder / f"{name}.json").write_text(coco(own, ["tree"]), encoding="utf-8")
        (folder / f"without_{name}.json").write_text(coco(others, ["tree"]), encoding="utf-8")
    return ", ".join(
        f"{len(own)} tiles with {sum(not one.crowd for tile in own for one in tile.objects)} crowns of {name}"
        for name, own in tiles.items()
    )


def _tiles(files: Files, name: str, folder: Path) -> Iterator[Labelled]:
    """The tiles of a picture, written; a crown that lies less than half in a tile is neither right nor wrong there."""
    stem = f"{CROWNS}{AERIAL[name]}"
    picture = _opened(files[f"{stem}.png"], "RGB")
    crowns = _crowns(files[f"{stem}.xml"])
    columns, rows = (_parts(side) for side in picture.size)
    for top, bottom in rows:
        for left, right in columns:
            objects = []
            for crown in crowns:
                box = (max(crown[0], left), max(crown[1], top), min(crown[2], right), min(crown[3], bottom))
                if box[0] < box[2] and box[1] < box[3]:
                    area = (box[2] - box[0]) * (box[3] - box[1])
                    whole = (crown[2] - crown[0]) * (crown[3] - crown[1])
                    sides = (box[0] - left, box[1] - top, box[2] - box[0], box[3] - box[1])
                    objects.append(Object(sides, 1, area, crowd=2 * area < whole))
            file = f"{name}_{top:04}_{left:04}.png"
            picture.crop((left, top, right, bottom)).save(folder / file)
            yield Labelled(file, right - left, bottom - top, objects)


def _parts(side: int) -> list[tuple[int, int]]:
    """A side in equal parts, from pixel to pixel."""
    count = max(side // TILE, 1)
    edges = [side * number // count for number in range(count + 1)]
    return list(pairwise(edges))


SIDE_OF_BOX = re.compile(rb"<(xmin|ymin|xmax|ymax)>\s*([\d.]+)\s*</")


def _crowns(xml: bytes) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each. The files count pixels from 1, first and last."""
    found = [(name.decode(), float(value)) for name, value in SIDE_OF_BOX.findall(xml)]
    boxes = [dict(found[start : start + 4]) for start in range(0, len(found), 4)]
    return [(box["xmin"] - 1, box["ymin"] - 1, box["xmax"], box["ymax"]) for box in boxes]
