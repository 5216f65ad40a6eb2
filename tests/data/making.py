"""Small pictures and data sets for the tests of `spinedsl.data`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

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
