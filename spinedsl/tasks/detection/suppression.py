"""Non-maximum suppression by class: of boxes of one class that overlap, the one with the highest score stays.

Greedy, in float32 and in a fixed order: what ONNX's `NonMaxSuppression` gives, box for box, ties included. An overlap
counts from above the threshold; a box without area neither suppresses nor is suppressed.

In: candidates of one image. Out: the numbers of those that stay, or `Found` of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spinedsl.record import Record
from spinedsl.tasks.detection.boxes import area, intersection

NO_CLASS = -1


class Candidates(Record, eq=False):
    """Boxes of one image: `boxes` (candidates, 4) in pixels, `scores` and `labels` (candidates,)."""

    boxes: Tensor
    scores: Tensor
    labels: Tensor


class Found(Record, eq=False):
    """What was found in a batch: the first `count` of each image's rows, with falling scores; the others are padding.

    `boxes` (images, most, 4) in pixels and `scores` (images, most) float32, `labels` (images, most) and `count`
    (images,) int64. Padding is a box of zeros with score 0 and label -1.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    count: Tensor

    def of(self, image: int) -> Candidates:
        """Those of one image, without padding."""
        count = int(self.count[image])
        return Candidates(self.boxes[image, :count], self.scores[image, :count], self.labels[image, :count])

    def __brief__(self) -> str:
        return f"{int(self.count.sum())} boxes in {len(self.count)} images"


def stay(found: Candidates, *, overlap: float = 0.5, most: int = 100) -> Tensor:
    """Which candidates stay, in the order in which they are reported: (kept,), int64.

    The order is that of falling scores, of equal ones by class, then as they were given.

    Args:
        found: of one image.
        overlap: the IoU above which a box suppresses another one of its class.
        most: how many may stay; the others are those of lower scores.
    """
    boxes = found.boxes.float()
    order = found.labels.argsort(stable=True)
    order = order[found.scores[order].argsort(descending=True, stable=True)]
    boxes, labels = boxes[order], found.labels[order]
    sizes = area(boxes)
    alive = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    kept: list[int] = []
    at = 0
    while at < len(order) and len(kept) < most:
        kept.append(at)
        common = intersection(boxes[at], boxes[at + 1 :])
        union = sizes[at] + sizes[at + 1 :] - common
        close = (common > 0) & (common / union > overlap) & (labels[at + 1 :] == labels[at])
        alive[at + 1 :] &= ~close
        following = alive[at + 1 :].nonzero()
        at = at + 1 + int(following[0]) if len(following) else len(order)
    return order[kept]


def suppressed(images: Sequence[Candidates], *, overlap: float = 0.5, most: int = 100) -> Found:
    """What stays in each image of a batch, padded to `most`."""
    count = len(images)
    like = images[0].boxes if count else torch.empty(0)
    boxes = torch.zeros(count, most, 4, device=like.device)
    scores = torch.zeros(count, most, device=like.device)
    labels = torch.full((count, most), NO_CLASS, device=like.device)
    counts = torch.zeros(count, dtype=torch.long, device=like.device)
    for number, found in enumerate(images):
        kept = stay(found, overlap=overlap, most=most)
        boxes[number, : len(kept)] = found.boxes[kept].float()
        scores[number, : len(kept)] = found.scores[kept].float()
        labels[number, : len(kept)] = found.labels[kept]
        counts[number] = len(kept)
    return Found(boxes, scores, labels, counts)
