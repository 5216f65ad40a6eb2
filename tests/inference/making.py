"""Persons and classes as pictures on a disk, and networks that were trained on them for a few steps."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spinedsl import train
from spinedsl.data.align import TEMPLATE
from spinedsl.inference.evaluation import evaluate
from spinedsl.inference.gallery import make_gallery
from tests.training.running import Squares, settings

FACES = """\
spine 1
import std.blocks
import std.heads
import std.stems

network Faces(numbers = 8) {
    input image: 3 x 16 x 16
    defaults { act relu, norm batch_norm(momentum = 0.9) }
    widths { level 2: 8 }
    stem s: resnet_stem channels 8
    block b: residual  level 2  after s
    output C2: b
    head id: embedding(dimension = numbers) from C2
}
"""
NAMES = ("Ada Lovelace", "Jürgen Groß", "Mary", "Nils", "Olga", "Paul", "Rosa", "Zoë")


def face(person: int, number: int) -> Image.Image:
    """A person: a colour and where it is; each picture has other noise."""
    draw = np.random.default_rng([person, number])
    pixels = draw.integers(0, 60, (18, 16, 3))
    top, left = divmod(person, 3)
    pixels[2 + 4 * top : 7 + 4 * top, 1 + 5 * left : 5 + 5 * left, person % 3] += 180
    return Image.fromarray(pixels.astype(np.uint8))


def persons(folder: Path, names: tuple[str, ...] = NAMES, count: int = 4, first: int = 1) -> Path:
    """A folder for each person, with pictures called as LFW's are."""
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            person = NAMES.index(name) if name in NAMES else len(name)
            face(person, number).save(folder / name / f"{name}_{number:04}.png")
    return folder


def squares(folder: Path, images: Squares) -> Path:
    """A folder for each class."""
    for index in range(len(images)):
        pixels, label = images.read(index)
        (folder / images.classes[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / images.classes[label] / f"picture {index}.png")
    return folder


def pairs(folder: Path, lines: list[str]) -> None:
    """The list of pairs of a folder of persons."""
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def of_faces(folder: Path, **sections: Any) -> dict[str, Any]:
    """Settings of a run on persons."""
    folder.mkdir(exist_ok=True)
    (folder / "faces.spine").write_text(FACES, encoding="utf-8")
    usual: dict[str, Any] = {
        "network": {"file": str(folder / "faces.spine")},
        "task": {"kind": "embedding", "scale": 16.0, "margin_warm_up": 10},
        "data": {"train": str(folder / "train"), "kind": "persons", "augment": {}},
    }
    return settings(folder, **{**usual, **sections})


def points_of(number: int) -> tuple[float, ...]:
    """Points of a face that is turned and moved a little, each time otherwise, in a picture of 16 x 18."""
    turn = 0.1 * number
    points = np.array(TEMPLATE).reshape(-1, 2) / 8
    rotated = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return tuple(map(float, (rotated + np.array([1 + number / 8, 2])).reshape(-1)))


def listed(path: Path, points: Mapping[str, tuple[float, ...]]) -> None:
    """The list of five points for each image."""
    lines = [",".join([name, *map(repr, own)]) for name, own in points.items()]
    path.write_text("\n".join(["path,lx,ly,rx,ry,nx,ny,mlx,mly,mrx,mry", *lines]) + "\n", encoding="utf-8")


@cache
def trained_models() -> Path:
    """A folder with `sizes.safetensors`, a classifier of three colours, and `faces.safetensors`; after a few steps."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    persons(folder / "train", count=3)
    data = {"train": str(folder / "train"), "kind": "persons"}
    (folder / "sizes").mkdir()
    shutil.copy(train(settings(folder / "sizes"), data=Squares()).last, folder / "sizes.safetensors")
    run = {"steps": 2, "output": str(folder / "faces-run")}
    shutil.copy(train(of_faces(folder, data=data, run=run)).last, folder / "faces.safetensors")
    return folder


def used(folder: Path) -> None:
    """What commands that use trained networks read: models, images of classes and persons, a gallery, a threshold."""
    for name in ("sizes", "faces"):
        shutil.copy(trained_models() / f"{name}.safetensors", folder)
    squares(folder / "colours", Squares(9, seed=1))
    persons(folder / "people", NAMES[:4], count=3, first=10)
    persons(folder / "people", ("Xaver",), count=3, first=100)
    persons(folder / "known", NAMES[:3], count=2)
    make_gallery(folder / "faces.safetensors", folder / "known").save(folder / "gallery.safetensors")
    found = evaluate(folder / "faces.safetensors", folder / "people")
    (folder / "chosen.json").write_text(json.dumps(found.to_json(), indent=2), encoding="utf-8")
    faces = sorted(file for name in ("people", "known") for file in (folder / name).rglob("*.png"))
    listed(folder / "points.csv", {str(file.relative_to(folder)): points_of(n) for n, file in enumerate(faces)})
    lines = ["Mary\t10\t11", "Ada Lovelace\t10\t11", "Mary\t10\tAda Lovelace\t10", "Mary\t11\tAda Lovelace\t11"]
    (folder / "pairs.txt").write_text(
        "\n".join(["2\t1", lines[0], lines[2], lines[1], lines[3]]) + "\n", encoding="utf-8"
    )
    (folder / "theirs").mkdir()
    for name in ("eval.json", "predictions.json"):
        (folder / "theirs" / name).write_text("mine\n", encoding="utf-8")
