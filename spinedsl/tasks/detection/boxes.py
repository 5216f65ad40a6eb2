"""Boxes: areas, overlaps, and their way into the network's picture and back.

A box is (left, top, right, bottom) in pixels, x to the right and y down; its width is right minus left. Boxes stand in
tensors of shape (…, 4). One whose right is at or before its left, or whose bottom is at or above its top, has no area
and overlaps nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from spinedsl.data.preprocessing import Placement


def area(boxes: Tensor) -> Tensor:
    """Areas in square pixels, (…); 0 of a box that has none."""
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp_min(0)
    return sides[..., 0] * sides[..., 1]


def intersection(boxes: Tensor, others: Tensor) -> Tensor:
    """The area that two boxes have in common; shapes are broadcast."""
    first, last = torch.maximum(boxes[..., :2], others[..., :2]), torch.minimum(boxes[..., 2:], others[..., 2:])
    common = (last - first).clamp_min(0)
    return common[..., 0] * common[..., 1]


def iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union, from 0 to 1; shapes are broadcast. 0 where a box has no area."""
    common = intersection(boxes, others)
    union = area(boxes) + area(others) - common
    return torch.where(common > 0, common / torch.where(union > 0, union, 1), 0)


def pairwise_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Each box with each other one: (boxes, others)."""
    return iou(boxes[:, None], others[None])


def giou(boxes: Tensor, others: Tensor) -> Tensor:
    """Generalised IoU, above -1 up to 1: Rezatofighi et al., CVPR 2019, arXiv 1902.09630, algorithm 1.

    IoU less the share of the smallest box around both that neither covers. 0 where that box has no area. Shapes are
    broadcast.
    """
    common = intersection(boxes, others)
    union = area(boxes) + area(others) - common
    around = area(torch.cat([torch.minimum(boxes, others)[..., :2], torch.maximum(boxes, others)[..., 2:]], -1))
    share = common / torch.where(union > 0, union, 1)
    return torch.where(around > 0, share - (around - union) / torch.where(around > 0, around, 1), 0)


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """Boxes cut off at the edges of an image of this size in pixels."""
    limits = boxes.new_tensor([width, height, width, height])
    return torch.minimum(boxes.clamp_min(0), limits)


def placed(boxes: Tensor, placement: Placement) -> Tensor:
    """Boxes of a picture as boxes of the network's picture, which `Preprocessing.placement` makes of it."""
    scale, shift = placement.affine()
    return boxes * boxes.new_tensor(scale) + boxes.new_tensor(shift)


def unplaced(boxes: Tensor, placement: Placement) -> Tensor:
    """The way back: boxes of the network's picture as those of the picture itself, in its pixels, not clipped."""
    scale, shift = placement.affine()
    return (boxes - boxes.new_tensor(shift)) / boxes.new_tensor(scale)
