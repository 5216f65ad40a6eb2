"""Definitions that `detect` needs, each copied into files that have it. Nothing imports this module.

Like `helpers.py`, this is code and no text in a template, so that it is checked, typed and tested like the rest. The
steps are those of `tasks/detection/decoding.py` and `suppression.py`, to the bit.
"""

import math

import torch
from torch import Tensor


def by_place(values: Tensor, numbers: int) -> Tensor:
    """A map's numbers place by place: (images, places, numbers). An anchor's stand together among the channels."""
    return values.float().permute(0, 2, 3, 1).reshape(values.shape[0], -1, numbers)


def logit(share: float) -> float:
    """The number whose sigmoid is a share."""
    if share <= 0:
        return -math.inf
    return math.log(share / (1 - share)) if share < 1 else math.inf


def with_quality(logits: Tensor, quality: Tensor) -> Tensor:
    """Scores: the root of the product of both sigmoids, in float64 and rounded once."""
    return (logits.double().sigmoid() * quality.double().sigmoid()).sqrt().float()


def best(keys: Tensor, least: float, top: int) -> tuple[Tensor, Tensor]:
    """The `top` largest keys of each image, the first of equals, and where they stand; minus infinity if not above."""
    keys = keys.flatten(1)
    above = keys > torch.tensor(least, dtype=keys.dtype, device=keys.device)
    keys, at = keys.masked_fill(~above, -math.inf).sort(dim=1, descending=True, stable=True)
    return keys[:, :top], at[:, :top]


def to_scores(logits: Tensor) -> Tensor:
    """Sigmoids, computed in float64 and rounded once."""
    return logits.double().sigmoid().float()


def centres(places: Tensor, columns: int, stride: int) -> Tensor:
    """The centres of some places of a map in pixels, x and y: (images, places, 2)."""
    return (torch.stack([places % columns, places // columns], 2).float() + 0.5) * stride


def anchor_boxes(deltas: Tensor, places: Tensor, stride: int, anchors: list[list[float]]) -> Tensor:
    """Boxes at some places: shifts of an anchor's centre in its sides, and logarithms of the sides' factors."""
    columns, many = deltas.shape[3], len(anchors)
    given = by_place(deltas, 4).gather(1, places[:, :, None].expand(-1, -1, 4)).double()
    sides = torch.tensor(anchors, dtype=torch.float64, device=deltas.device).mul(stride / 2).float()[places % many]
    middle = centres(places // many, columns, stride)
    first, last = (middle - sides).double(), (middle + sides).double()
    sides = last - first
    middle = first + 0.5 * sides + given[:, :, :2] * sides
    half = given[:, :, 2:].clamp(max=math.log(1000 / 16)).exp() * sides * 0.5
    return torch.cat([middle - half, middle + half], 2).float()


def point_boxes(distances: Tensor, places: Tensor, stride: int) -> Tensor:
    """Boxes at some places: distances from a point to the left, top, right and bottom, in strides."""
    given = by_place(distances, 4).gather(1, places[:, :, None].expand(-1, -1, 4)).double() * stride
    points = centres(places, distances.shape[3], stride).double()
    return torch.cat([points - given[:, :, :2], points + given[:, :, 2:]], 2).float()


def without_overlaps(boxes: Tensor, scores: Tensor, labels: Tensor, overlap: float, most: int) -> Tensor:
    """Which boxes of an image stay, best first: a better one of its class suppresses a box, by its overlap (IoU)."""
    order = labels.argsort(stable=True)
    order = order[scores[order].argsort(stable=True, descending=True)]
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0)
    areas = sides[:, 0] * sides[:, 1]
    kept: list[int] = []
    while len(order) > 0 and len(kept) < most:
        one, order = int(order[0]), order[1:]
        kept.append(one)
        first, last = torch.maximum(boxes[one, :2], boxes[order, :2]), torch.minimum(boxes[one, 2:], boxes[order, 2:])
        common = (last - first).clamp(min=0)
        shared = common[:, 0] * common[:, 1]
        close = (shared > 0) & (shared / (areas[one] + areas[order] - shared) > overlap)
        order = order[~(close & (labels[order] == labels[one]))]
    return torch.tensor(kept, dtype=torch.long, device=labels.device)


def keep_best(
    levels: list[tuple[Tensor, Tensor, Tensor, Tensor]], height: int, width: int, overlap: float, most: int
) -> dict[str, Tensor]:
    """What stays of each image's candidates, cut off at its edges. Behind the count: zeros, and -1 as label."""
    edges = torch.tensor([width, height, width, height], dtype=torch.float32, device=levels[0][0].device)
    boxes = torch.minimum(torch.cat([level[0] for level in levels], 1).clamp(min=0), edges)
    keys = torch.cat([level[1] for level in levels], 1)
    scores = torch.cat([level[2] for level in levels], 1)
    labels = torch.cat([level[3] for level in levels], 1)
    images = scores.shape[0]
    count = torch.zeros(images, dtype=torch.long, device=labels.device)
    found = {
        "boxes": boxes.new_zeros(images, most, 4),
        "scores": scores.new_zeros(images, most),
        "labels": labels.new_full((images, most), -1),
        "count": count,
    }
    for image in range(images):
        order = keys[image].argsort(stable=True, descending=True)
        kept = order[keys[image, order] > -math.inf]
        kept = kept[without_overlaps(boxes[image, kept], scores[image, kept], labels[image, kept], overlap, most)]
        found["boxes"][image, : len(kept)] = boxes[image, kept]
        found["scores"][image, : len(kept)] = scores[image, kept]
        found["labels"][image, : len(kept)] = labels[image, kept]
        count[image] = len(kept)
    return found
