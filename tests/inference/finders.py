"""Trained detectors to export, with every kind of preprocessing, of points and of anchors, trained for a moment."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spinedsl import train
from spinedsl.data.pictures import Pixels
from tests.inference.opened import Opened
from tests.training.finding import NETWORKS, Shapes, settings

GREY = NETWORKS["points"].replace("3 x 64 x 64", "1 x 64 x 64")
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "letterbox": ("points", {"resize": "letterbox", "background": [9, 90, 200]}),
    "stretch": ("anchors", {"width": 96}),
    "crop": ("anchors", {"resize": "crop", "crop": 0.8, "interpolation": "bicubic", "order": "bgr"}),
    "grey": (GREY, {"resize": "letterbox", "interpolation": "lanczos", "width": 32}),
    "nearest": ("points", {"resize": "crop", "interpolation": "nearest"}),
}  # the network, and its preprocessing
SIZES = ((64, 64, 3), (200, 90, 3), (33, 170, 3), (70, 70, 1), (64, 64, 3), (1, 1, 3), (300, 12, 3))


def _train(kind: str) -> Path:
    """The checkpoint of a kind."""
    network, preprocessing = KINDS[kind]
    folder = Path(tempfile.mkdtemp(prefix="spinedsl-finders-"))
    given = settings(
        folder, network, data={"preprocessing": preprocessing}, task={"score": 0.02, "most": 30},
        run={"steps": 20 if kind == "letterbox" else 4},
    )  # fmt: skip
    return train(given, data=Shapes(8)).last


_opened = Opened(_train)
checkpoint, trained, model_of, engine = _opened.checkpoint, _opened.trained, _opened.model_of, _opened.engine


def pictures() -> list[Pixels]:
    """Shapes on noise at odd sizes, in colours and grey; some of one size."""
    found = []
    for number, (height, width, channels) in enumerate(SIZES):
        pixels, _ = Shapes(len(SIZES), seed=7).read(number)
        image = Image.fromarray(pixels).resize((width, height))
        found.append(np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(height, width, channels))
    return found
