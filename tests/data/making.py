"""Small pictures and data sets for the tests of `spinedsl.data`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from spinedsl.data.idx import write_idx
from spinedsl.data.pictures import Pixels, read_pixels
from spinedsl.record import Record


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> Pixels:
    """Random pixels in blocks of two by two, which lossy formats keep well enough."""
    drawn = np.random.default_rng(seed).integers(0, 256, (-(-height // 2), -(-width // 2), channels), dtype=np.uint8)
    return np.repeat(np.repeat(drawn, 2, 0), 2, 1)[:height, :width]


def image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


class Files(Record, eq=False):
    """The smallest data set: files, labelled by their number."""

    paths: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> tuple[Pixels, int]:
        return read_pixels(self.paths[index]), index % 3


def files(folder: Path, count: int, height: int = 20, width: int = 30) -> Files:
    paths = []
    for number in range(count):
        paths.append(str(folder / f"{number}.png"))
        image(noise(height, width, seed=number)).save(paths[-1])
    return Files(tuple(paths))


def put(path: Path, seed: int = 0, size: int = 6) -> None:
    """A picture at a path, whose folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image(noise(size, size, seed=seed)).save(path, "PNG")


def boxes(path: Path, name: str, size: tuple[int, int]) -> None:
    """A file as COCO's, of one picture with a box of 6 pixels."""
    data = {
        "images": [{"id": 1, "file_name": name, "height": size[0], "width": size[1]}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [2, 3, 6, 6]}],
    }
    path.write_text(json.dumps(data), encoding="utf-8")


def data_sets(folder: Path) -> None:
    """One of each kind, without mistakes: pictures, flowers, lfw, labels.csv, idx files, boxes, and a configuration."""
    for seed, name in enumerate(("pictures/cat/1", "pictures/cat/2", "pictures/dog/1")):
        put(folder / f"{name}.png", seed)
    for seed, name in enumerate(("train/rose/1", "train/lily/1", "test/rose/1", "test/lily/1")):
        put(folder / f"flowers/{name}.png", 10 + seed)
    for seed, name in enumerate(("Ada_Lovelace/Ada_Lovelace_0001", "Ada_Lovelace/Ada_Lovelace_0002", "Bob/Bob_0001")):
        put(folder / f"lfw/{name}.png", 20 + seed)
    pairs = "1\t1\nAda_Lovelace\t1\t2\nAda_Lovelace\t1\tBob\t1\n"
    (folder / "lfw/pairs.txt").write_text(pairs, encoding="utf-8")
    rows = "path,label\nflowers/train/rose/1.png,rose\nflowers/train/lily/1.png,lily\n"
    (folder / "labels.csv").write_text(rows, encoding="utf-8")
    write_idx(str(folder / "train-images-idx3-ubyte.gz"), np.stack([noise(4, 4, 1, seed)[..., 0] for seed in range(3)]))
    write_idx(str(folder / "train-labels-idx1-ubyte.gz"), np.array([0, 1, 2], dtype=np.uint8))
    for name in ("here", "there"):
        boxes(folder / f"{name}.json", f"photos/{name}.png", size=(24, 24))
        put(folder / f"photos/{name}.png", 30 + len(name), 24)
    settings = '[data]\ntrain = "flowers/train"\nvalidation = "flowers/test"\n'
    (folder / "training.toml").write_text(settings, encoding="utf-8")
