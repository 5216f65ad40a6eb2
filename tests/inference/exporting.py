"""Trained networks to export: classifiers and an embedder, with every kind of preprocessing, trained for two steps."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from spinedsl import train
from spinedsl.data.pictures import Pixels
from tests.inference.opened import Opened
from tests.training.running import NET, Squares, settings

FACES = NET.replace(
    "head logits: pooled_classifier(classes = classes) from C2", "head id: embedding(dimension = 5) from C2"
)
GREY = NET.replace("3 x 16 x 16", "1 x 16 x 16")
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "stretch": (NET, {}),
    "crop": (NET, {"resize": "crop", "crop": 0.8, "interpolation": "bicubic", "height": 24, "width": 16}),
    "letterbox": (NET, {"resize": "letterbox", "order": "bgr", "background": [12, 200, 99]}),
    "grey": (GREY, {"resize": "letterbox", "interpolation": "lanczos", "background": [255, 0, 9], "width": 32}),
    "nearest": (NET, {"resize": "crop", "interpolation": "nearest", "mean": [0.0, 0.1, 0.9], "std": [1.0, 0.5, 0.1]}),
    "faces": (FACES, {"interpolation": "box"}),
}  # the network's text, and its preprocessing
SIZES = ((1, 1, 3), (16, 16, 3), (3, 190, 3), (190, 3, 1), (33, 47, 3), (90, 70, 3), (16, 16, 1), (40, 21, 1))


def _train(kind: str) -> Path:
    """The checkpoint of a kind."""
    text, preprocessing = KINDS[kind]
    folder = Path(tempfile.mkdtemp(prefix="spinedsl-exported-"))
    (folder / "net.spine").write_text(text, encoding="utf-8")
    task = {"kind": "embedding", "margin_warm_up": 4} if text is FACES else {}
    given = settings(
        folder,
        data={"preprocessing": preprocessing, "augment": {}},
        run={"steps": 2},
        task=task,
        optimizer={"rate": 0.01},
    )
    return train(given, data=Squares()).last


_opened = Opened(_train)
checkpoint, trained, model_of, engine = _opened.checkpoint, _opened.trained, _opened.model_of, _opened.engine


def pictures(seed: int = 0) -> list[Pixels]:
    """Pictures of odd sizes, in colours and grey."""
    draw = np.random.default_rng(seed)
    return [draw.integers(0, 256, size, dtype=np.uint8) for size in SIZES]
