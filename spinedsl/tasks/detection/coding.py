"""Coding: boxes as the numbers that a network gives, and back.

Two codings: `deltas` of an anchor, as Fast R-CNN and RetinaNet have them, and `distances` from a point, as FCOS has
them. Both decode in float64 and round once to float32: another engine that does the same gives the same boxes to the
bit, save where two libraries' exponentials differ in the last bit of a float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

from spinedsl.ops.detection import LARGEST


def to_deltas(boxes: Tensor, anchors: Tensor) -> Tensor:
    """The centre's shift, in sides of the anchor, and the logarithm of the sides' factor: (dx, dy, dw, dh), (…, 4).

    Girshick, ICCV 2015, arXiv 1504.08083, after Girshick et al., CVPR 2014, arXiv 1311.2524, appendix C. Without
    weights, as RetinaNet has them. A box without area gives minus infinity.
    """
    centre, sides = _centred(boxes)
    of_anchor, its_sides = _centred(anchors)
    return torch.cat([(centre - of_anchor) / its_sides, (sides / its_sides).log()], -1)


def from_deltas(deltas: Tensor, anchors: Tensor) -> Tensor:
    """The boxes of these deltas. A factor of a side is at most 1000 / 16, so that no number overflows."""
    given, of_anchor = deltas.double(), anchors.double()
    centre, sides = _centred(of_anchor)
    middle = centre + given[..., :2] * sides
    half = given[..., 2:].clamp_max(LARGEST).exp() * sides * 0.5
    return torch.cat([middle - half, middle + half], -1).to(anchors.dtype)


def _centred(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Centres and sides, (…, 2) each."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + 0.5 * sides, sides


def to_distances(boxes: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """How far each side of its box is from a point, in strides: (left, top, right, bottom), (…, 4).

    Tian et al., ICCV 2019, arXiv 1904.01355, equation 1, divided by the stride as the released code does. A point
    outside gives a number below 0.

    Args:
        boxes: (…, 4).
        points: (…, 2).
        strides: (…), in pixels.
    """
    return torch.cat([points - boxes[..., :2], boxes[..., 2:] - points], -1) / strides[..., None]


def from_distances(distances: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """The boxes of these distances."""
    given, of_points = distances.double() * strides[..., None], points.double()
    return torch.cat([of_points - given[..., :2], of_points + given[..., 2:]], -1).to(points.dtype)


def centreness(distances: Tensor) -> Tensor:
    """How near a point is to the centre of its box, from 0 at its edge to 1: Tian et al., equation 3. (…)."""
    across, down = distances[..., 0::2], distances[..., 1::2]
    shares = (across.amin(-1) * down.amin(-1)) / (across.amax(-1) * down.amax(-1)).clamp_min(1e-12)
    return shares.clamp_min(0).sqrt()
