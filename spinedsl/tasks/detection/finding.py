"""Finding: what a PyTorch module finds in images, as boxes in the images' own pixels.

In: a compiled module, its program, images as the network takes them, and how each came to its size. Out: `Found`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from spinedsl.ops.detection import MOST, OVERLAP, SCORE, TOP, detector
from spinedsl.ops.program import Program
from spinedsl.tasks.detection.boxes import unplaced
from spinedsl.tasks.detection.decoding import decode
from spinedsl.tasks.detection.suppression import NO_CLASS, Found

if TYPE_CHECKING:
    from spinedsl.data.preprocessing import Placement


def detect(
    module: nn.Module, program: Program, images: Tensor, placements: Sequence[Placement] | None = None, *,
    task: str | None = None, score: float = SCORE, top: int = TOP, overlap: float = OVERLAP, most: int = MOST,
) -> Found:  # fmt: skip
    """The boxes in some images. The module is run as it is: `module.eval()` is the caller's.

    Args:
        module: of the program, as `spinedsl.load` gives it.
        program: with a detection task.
        images: (images, channels, height, width), preprocessed.
        placements: of each image, as `Preprocessing.placement` gives them: boxes are then those of the picture itself,
            in its pixels, cut off where the network's image ended.
        task: which one, where the program has several.
        score: the threshold that a score has to be above.
        top: how many candidates of each level are kept.
        overlap: the IoU above which the lower one of two boxes of a class goes.
        most: how many boxes an image can have.

    Raises:
        ValueError: the program has no such task, or there are not as many placements as images.
    """
    what = detector(program, task)
    if placements is not None and len(placements) != len(images):
        raise ValueError(f"{len(placements)} placements for {len(images)} images")
    with torch.inference_mode():
        outputs = module(images)
        by_name = outputs if isinstance(outputs, Mapping) else dict(zip(program.outputs, outputs, strict=True))
        size = (images.shape[-2], images.shape[-1])
        found = decode(what, by_name, size, score=score, top=top, overlap=overlap, most=most)
    return found if placements is None else in_pictures(found, placements)


def in_pictures(found: Found, placements: Sequence[Placement]) -> Found:
    """The same in the pixels of the pictures, cut off where the network's image ended.

    What has no area there goes, as what was found in the margins of a letterbox.
    """
    boxes, scores = torch.zeros_like(found.boxes), torch.zeros_like(found.scores)
    labels, count = torch.full_like(found.labels, NO_CLASS), found.count.clone()
    for number, placement in enumerate(placements):
        own = found.of(number)
        left, top, right, bottom = placement.box
        least, most = boxes.new_tensor([left, top, left, top]), boxes.new_tensor([right, bottom, right, bottom])
        moved = unplaced(own.boxes, placement).maximum(least).minimum(most)
        stays = ~(moved[:, 2:] <= moved[:, :2]).any(1)
        there = count[number] = int(stays.sum())
        boxes[number, :there], scores[number, :there] = moved[stays], own.scores[stays]
        labels[number, :there] = own.labels[stays]
    return Found(boxes, scores, labels, count)
