"""Judge an int8 model as its task is judged: the figures of the checkpoint on labelled images, and the model's own.

In: a trained network, the int8 model as a function, and images with labels. Out: two `Evaluation`s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spinedsl import api
from spinedsl.inference.engine import Engine, of_trained
from spinedsl.inference.evaluation import Evaluation, evaluate
from spinedsl.inference.running import Hear
from spinedsl.inference.samples import images_of
from spinedsl.quantise.network import Run
from spinedsl.record import replace
from spinedsl.training.build import Trained


class _Int8(nn.Module):
    """The int8 model in the place of a network's module."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.outputs = run

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {name: torch.from_numpy(value) for name, value in self.outputs(images.numpy()).items()}


def see_data(trained: Trained, path: Path, data: Any) -> None:
    """See that the images are there, before anything takes long.

    Raises:
        Mistakes: they are not, or are none for this task.
    """
    api.valued(images_of(_engine(trained, path), data))


def judged(
    trained: Trained, run: Run, path: Path, data: Any, hear: Hear | None = None
) -> tuple[Evaluation, Evaluation]:
    """The evaluation of a checkpoint, and that of its int8 model.

    Raises:
        Mistakes: something is wrong with the images.
    """
    first = evaluate(_engine(trained, path), data, hear=hear)
    return first, evaluate(_engine(replace(trained, module=_Int8(run)), path), data, hear=hear)


def _engine(trained: Trained, path: Path) -> Engine:
    engine: Engine = api.valued(of_trained(trained, path, "cpu"))
    return engine
