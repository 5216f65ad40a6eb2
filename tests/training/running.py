"""A tiny network and tiny images, and how they are trained in a test."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.data.pictures import BadPicture
from spinedsl.record import Record

NET = """\
spine 1
import std.blocks
import std.heads
import std.stems

network Small(classes = 3, width = 8) {
    input image: 3 x 16 x 16
    defaults { act relu, norm batch_norm(momentum = 0.9) }
    widths { level 2: width }
    stem s: resnet_stem channels 8
    block b: residual  level 2  after s
    output C2: b
    head logits: pooled_classifier(classes = classes) from C2
}
"""


class Squares(Record):
    """Images in memory: noise, brighter in one of three colours, which is the label."""

    count: int = 24
    seed: int = 0
    classes: tuple[str, ...] = ("red", "green", "blue")
    digest: str = "squares"

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[NDArray[np.uint8], int]:
        """Pixels of 18x16 and the label."""
        label = index % len(self.classes)
        drawn = np.random.default_rng([self.seed, index]).integers(0, 160, (18, 16, 3))
        drawn[:, :, label % 3] += 60
        return drawn.astype(np.uint8), label


class Lost(Squares):
    """The same, of which one can no longer be read, or takes the process that reads it along."""

    at: int = 20
    deadly: bool = False

    def read(self, index: int) -> tuple[NDArray[np.uint8], int]:
        """Pixels and label of all others."""
        if index == self.at and self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == self.at:
            raise BadPicture("lost.png", "it is cut off")
        return super().read(index)


def settings(folder: Path, **sections: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a small run in a folder, which gets the network's file; sections stand over those here."""
    path = folder / "net.spine"
    if not path.exists():
        path.write_text(NET, encoding="utf-8")
    usual: dict[str, dict[str, Any]] = {
        "network": {"file": str(path)},
        "data": {"train": "in memory", "augment": {"flip": True}},
        "optimizer": {"rate": 0.05},
        "run": {
            "steps": 6, "batch": 8, "output": str(folder / "run"), "log_every": 1, "device": "cpu", "threads": 1,
            "pictures": 0,
        },
    }  # fmt: skip
    return {name: {**usual.get(name, {}), **sections.get(name, {})} for name in (*usual, *sections)}
