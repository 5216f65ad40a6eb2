"""Matching: which object each place of a detector is taught to find.

In: anchors or points of one image, all levels in one tensor, and its boxes. Out: for each place the number of its box,
`BACKGROUND` or `IGNORED`. An image without boxes is background everywhere. Of equals, the box of the lower number wins.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from spinedsl.record import Record
from spinedsl.tasks.detection.boxes import area, intersection, pairwise_iou
from spinedsl.tasks.detection.coding import to_distances

BACKGROUND, IGNORED = -1, -2


def by_iou(
    anchors: Tensor, boxes: Tensor, *, foreground: float = 0.5, background: float = 0.4, force: bool = True
) -> Tensor:
    """By overlap, as RetinaNet does: Lin et al., ICCV 2017, arXiv 1708.02002, section 4.

    An anchor's box is the one with which its IoU is largest, if that is at least `foreground`; below `background` it
    has none, and between the two it is ignored. With `force`, a box also gets the anchors whose IoU with it is the
    largest of all, if they overlap at all; of several boxes for which an anchor is that, it goes to the one with the
    largest IoU. So a box goes without only if another took its best anchors, or nothing overlaps it.

    Args:
        anchors: (places, 4).
        boxes: (boxes, 4).

    Returns:
        (places,), int64.
    """
    if not len(boxes):
        return torch.full((len(anchors),), BACKGROUND, device=anchors.device)
    overlaps = pairwise_iou(anchors, boxes)
    best, found = _largest(overlaps)
    found = torch.where(best < background, BACKGROUND, torch.where(best < foreground, IGNORED, found))
    if force:
        largest = overlaps.max(0).values if len(anchors) else overlaps.new_zeros(len(boxes))
        own, claimed = _largest(torch.where(overlaps == largest, overlaps, -1))
        found = torch.where(own > 0, claimed, found)
    return found


def _largest(values: Tensor) -> tuple[Tensor, Tensor]:
    """The largest of each row, and the number of the first that is; `max` of PyTorch promises no order."""
    best = values.max(1).values
    return best, (values == best[:, None]).long().argmax(1)


def without_crowds(found: Tensor, places: Tensor, crowds: Tensor, share: float = 0.5) -> Tensor:
    """The same with background ignored where a crowd covers more than this share of an anchor.

    Args:
        found: (places,), of a matching.
        places: anchors, (places, 4).
        crowds: boxes around many objects that nobody told apart, (crowds, 4).
    """
    if not len(crowds):
        return found
    covered = (intersection(places[:, None], crowds[None]) / area(places).clamp_min(1e-12)[:, None]).amax(1)
    return torch.where((found == BACKGROUND) & (covered > share), IGNORED, found)


def by_range(points: Tensor, strides: Tensor, reach: Tensor, boxes: Tensor, *, radius: float | None = 1.5) -> Tensor:
    """By place and size, as FCOS does: Tian et al., ICCV 2019, arXiv 1904.01355, section 3.2.

    A point's box is the smallest in which it lies, among those whose farthest side from it is within the reach of its
    level. With `radius`, it also has to lie within that many strides of the box's centre, in both directions: centre
    sampling, of the paper's section 4.

    Args:
        points: (places, 2).
        strides: (places,).
        reach: from and up to, in pixels, (places, 2): `places.ranges` of each point's level.
        boxes: (boxes, 4).

    Returns:
        (places,), int64.
    """
    if not len(boxes):
        return torch.full((len(points),), BACKGROUND, device=points.device)
    one = torch.ones_like(strides)[:, None]
    sides = to_distances(boxes[None], points[:, None], one)
    inside = sides.amin(2) > 0
    if radius is not None:
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        off = (points[:, None] - centre[None]).abs().amax(2)
        inside &= off < radius * strides[:, None]
    farthest = sides.amax(2)
    fits = inside & (farthest >= reach[:, :1]) & (farthest <= reach[:, 1:])
    size = torch.where(fits, area(boxes)[None], float("inf"))
    smallest, found = _largest(-size)
    return torch.where(smallest > -float("inf"), found, BACKGROUND)


def spread(values: Sequence[float] | Sequence[tuple[float, float]], counts: Sequence[int]) -> Tensor:
    """A number, or a pair, of each level for each of its places: (places,) or (places, 2), float32."""
    return torch.tensor(values, dtype=torch.float32).repeat_interleave(torch.tensor(counts), 0)


class Aligned(Record, eq=False):
    """What task-aligned matching gives: `found` as the others give it, and the score that each place is taught."""

    found: Tensor
    scores: Tensor


def task_aligned(
    points: Tensor, boxes: Tensor, labels: Tensor, scores: Tensor, predicted: Tensor, *,
    most: int = 13, alpha: float = 1.0, beta: float = 6.0,
) -> Aligned:  # fmt: skip
    """By how good a place's own prediction is: Feng et al., ICCV 2021, arXiv 2108.07755, section 3.2.

    A box's alignment with a point inside it is score^alpha * IoU^beta. It gets the `most` points with the largest one;
    a point that several boxes get goes to the one that its prediction overlaps most. Scores to be taught are
    alignments, scaled so that the largest of each box is its largest IoU.

    Args:
        points: (places, 2).
        boxes: (boxes, 4).
        labels: (boxes,).
        scores: of each class, from 0 to 1, (places, classes).
        predicted: boxes, (places, 4).
    """
    count = len(points)
    if not len(boxes) or not count:
        return Aligned(torch.full((count,), BACKGROUND, device=points.device), points.new_zeros(count))
    inside = to_distances(boxes[None], points[:, None], points.new_ones(1, 1)).amin(2) > 0
    overlaps = torch.where(inside, pairwise_iou(predicted, boxes), 0)
    alignment = scores[:, labels].pow(alpha) * overlaps.pow(beta)
    order = torch.where(inside, alignment, -1).argsort(dim=0, descending=True, stable=True)[:most]
    chosen = torch.zeros_like(inside).scatter(0, order, value=True) & inside
    _, found = _largest(torch.where(chosen, overlaps, -1))
    taken = chosen.any(1)
    found = torch.where(taken, found, BACKGROUND)
    mine = torch.nn.functional.one_hot(found.clamp_min(0), len(boxes)).bool() & taken[:, None]
    top = torch.where(mine, alignment, 0).amax(0)
    highest = torch.where(mine, overlaps, 0).amax(0)
    taught = torch.where(mine, alignment * (highest / top.clamp_min(1e-12)), 0).amax(1)
    return Aligned(found, taught)
