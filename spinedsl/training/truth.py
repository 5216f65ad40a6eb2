"""What is true of the images of a batch, as the tasks take it: labels, or the objects in each image.

In: a `Batch`. Out: a tensor, or a list of `Scene`s, on a device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from spinedsl.data.boxes.placed import Placed
from spinedsl.data.loader import Batch
from spinedsl.tasks import BOXES, LABELS
from spinedsl.tasks.detection.precision import Objects
from spinedsl.tasks.detection.task import Scene

Truth: TypeAlias = "Tensor | list[Scene]"


def labels_of(batch: Batch, device: str) -> Tensor:
    """The number of each image's class, (images,)."""
    return torch.from_numpy(batch.labels).to(device, non_blocking=True)


def scenes_of(batch: Batch, device: str) -> list[Scene]:
    """What is in each image. It stays in the memory of the processor: there is little of it, and matching moves it."""
    return [scene_of(one) for one in batch.objects]


def scene_of(placed: Placed) -> Scene:
    """What is in an image, of a `Placed`."""
    labels, crowds, areas = (torch.from_numpy(values) for values in (placed.labels, placed.crowds, placed.areas))
    sides, original = torch.from_numpy(placed.sides), torch.from_numpy(placed.original)
    return Scene(Objects(sides, labels, crowds), Objects(original, labels, crowds, areas), placed.placement)


TRUTHS: Mapping[str, Callable[[Batch, str], Truth]] = {LABELS: labels_of, BOXES: scenes_of}
