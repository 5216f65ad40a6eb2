"""Coloured shapes on noise as COCO has them, tiny detectors, and how they are trained in a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinedsl.record import Record

CLASSES = ("oblong", "round")
HEAD = """\
spine 1
import std.blocks
import std.heads
import std.stems

network Finder(classes = 2, width = 16) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm(momentum = 0.9) }
    stem s: resnet_stem channels 16
    block a: residual  level 3  after s  channels 16
    block b: residual  level 4  after a  channels 16
    output P3: a
    output P4: b
"""
POINTS = """\
    head f: fcos(classes = classes, depth = 1, groups = 4, start = -2) from P3, P4 channels width
    task find: detection(classes = classes) classes f.scores boxes f.boxes quality f.centreness
}
"""
ANCHORS = """\
    head scores: retina_tower(outputs = 2 * 3, depth = 1, start = -2) from P3, P4 channels width
    head boxes: retina_tower(outputs = 4 * 3, depth = 1) from P3, P4 channels width
    task find: detection(classes = 2, ratios = [1], scales = 3, size = 3) classes scores boxes boxes
}
"""
NETWORKS = {"points": HEAD + POINTS, "anchors": HEAD + ANCHORS}


class Truth(Record):
    """What lies in a picture."""

    sides: NDArray[np.float32]
    labels: NDArray[np.int64]
    crowds: NDArray[np.bool_]
    areas: NDArray[np.float32]


class Shapes(Record):
    """Pictures in memory: oblongs and rounds of two colours on noise; `empty` ones have none."""

    count: int = 16
    seed: int = 0
    size: int = 64
    empty: bool = False
    classes: tuple[str, ...] = CLASSES
    digest: str = "shapes"

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[NDArray[np.uint8], Truth]:
        """Pixels of a picture, and what lies in it."""
        draw = np.random.default_rng([self.seed, index])
        pixels = draw.integers(0, 60, (self.size, self.size, 3)).astype(np.uint8)
        sides: list[tuple[int, int, int, int]] = []
        labels: list[int] = []
        for _ in range(0 if self.empty else draw.integers(1, 4)):
            width, height = draw.integers(self.size // 6, self.size // 2, 2)
            left, top = draw.integers(0, self.size - width), draw.integers(0, self.size - height)
            box = (left, top, left + width, top + height)
            if any(min(box[2], o[2]) > max(box[0], o[0]) and min(box[3], o[3]) > max(box[1], o[1]) for o in sides):
                continue
            label = int(draw.integers(2))
            _paint(pixels, box, label)
            sides.append(box)
            labels.append(label)
        boxes = np.array(sides, dtype=np.float32).reshape(-1, 4)
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return pixels, Truth(boxes, np.array(labels, dtype=np.int64), np.zeros(len(boxes), dtype=np.bool_), areas)


def _paint(pixels: NDArray[np.uint8], box: tuple[int, int, int, int], label: int) -> None:
    left, top, right, bottom = box
    y, x = np.mgrid[top:bottom, left:right] + 0.5
    inside = np.ones(x.shape, dtype=bool)
    if label:
        across, down = (right - left) / 2, (bottom - top) / 2
        inside = ((x - left - across) / across) ** 2 + ((y - top - down) / down) ** 2 <= 1
    pixels[top:bottom, left:right][inside] = ((230, 60, 40), (40, 120, 240))[label]


def as_coco(folder: Path, shapes: Shapes, name: str = "boxes.json") -> Path:
    """The same as a file of COCO's form beside its pictures; categories are numbered 3 and 7."""
    pictures = folder / "images"
    pictures.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(len(shapes)):
        pixels, truth = shapes.read(index)
        file = f"{Path(name).stem}-{index}.png"
        Image.fromarray(pixels).save(pictures / file)
        images.append({"id": 100 + index, "file_name": file, "height": pixels.shape[0], "width": pixels.shape[1]})
        for sides, label in zip(truth.sides.tolist(), truth.labels.tolist(), strict=True):
            left, top, right, bottom = sides
            box = [left, top, right - left, bottom - top]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": 100 + index, "category_id": (3, 7)[label], "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
    categories = [{"id": number, "name": name} for number, name in zip((3, 7), shapes.classes, strict=True)]
    path = folder / name
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}))
    return path


def settings(folder: Path, kind: str = "points", **sections: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a small run of a detector in a folder, which gets the network's file."""
    path = folder / "net.spine"
    if not path.exists():
        path.write_text(NETWORKS.get(kind, kind), encoding="utf-8")
    usual: dict[str, dict[str, Any]] = {
        "network": {"file": str(path)},
        "data": {"train": "in memory"},
        "optimizer": {"name": "adamw", "rate": 0.003, "clip": 5.0},
        "run": {
            "steps": 4, "batch": 4, "output": str(folder / "run"), "log_every": 1, "device": "cpu", "threads": 1,
            "pictures": 0,
        },
    }  # fmt: skip
    return {name: {**usual.get(name, {}), **sections.get(name, {})} for name in (*usual, *sections)}
