"""Decoding: the numbers of a detector's heads as boxes in pixels of the network's image.

In: what the heads give, by output, and the image's size. Out: candidates of each image, or what stays of them. The same
in another engine: every choice is by float32 numbers that both have, in a fixed order, and what is exponential is
computed in float64 and rounded once.

1. Places of a level are in the order of `places`, and at a place its classes. What is not above the threshold goes, and
   of the others the `top` of each level stay, the first of equals. They are compared by logits, or by scores where
   there is a quality beside the classes. In the same way the levels are then put into one order.
2. The score is the sigmoid of the logit; with a quality, the root of the product of both sigmoids, so that a threshold
   means the same with and without, as FCOS's released code has it.
3. Boxes are decoded and cut off at the image's edges; then `suppression`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from spinedsl.given import whole
from spinedsl.ops.detection import MOST, OVERLAP, SCORE, TOP, Detector, logit
from spinedsl.tasks.detection.boxes import clip
from spinedsl.tasks.detection.coding import from_deltas, from_distances
from spinedsl.tasks.detection.places import Size, anchors, points
from spinedsl.tasks.detection.suppression import Candidates, Found, suppressed


def decode(
    detector: Detector, outputs: Mapping[str, Tensor], size: Size, *,
    score: float = SCORE, top: int = TOP, overlap: float = OVERLAP, most: int = MOST,
) -> Found:  # fmt: skip
    """The boxes of a batch.

    Args:
        detector: what the heads mean.
        outputs: the network's, by name: (images, channels, height, width) each.
        size: height and width of the network's image, in pixels.
        score: the threshold that a score has to be above.
        top: how many candidates of each level are kept.
        overlap: the IoU above which the lower one of two boxes of a class goes.
        most: how many boxes an image can have.

    Raises:
        ValueError: a limit is none: a share outside 0 to 1, or a count below 1.
        TypeError: a count is no whole number.
    """
    for name, share in (("score", score), ("overlap", overlap)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be from 0 to 1; got {share!r}")
    for name, count in (("top", top), ("most", most)):
        if whole(count, name) < 1:
            raise ValueError(f"{name} must be from 1 on; got {count!r}")
    return suppressed(candidates(detector, outputs, size, score=score, top=top), overlap=overlap, most=most)


def candidates(
    detector: Detector, outputs: Mapping[str, Tensor], size: Size, *, score: float = SCORE, top: int = TOP
) -> list[Candidates]:
    """The candidates of each image, with falling logits, or with falling scores where there is a quality."""
    found: list[list[tuple[Tensor, Candidates]]] = []
    for number, stride in enumerate(detector.strides):
        logits = rows(outputs[detector.scores[number]], detector.classes)
        codes = rows(outputs[detector.boxes[number]], 4)
        quality = rows(outputs[detector.quality[number]], 1) if detector.quality else None
        places = places_of(detector, map_size(outputs[detector.boxes[number]]), stride, codes.device)
        level = []
        for image in range(len(logits)):
            key, scores = map(torch.flatten, _ranked(logits[image], None if quality is None else quality[image], score))
            order = key.argsort(descending=True, stable=True)[:top]
            order = order[key[order] > -math.inf]
            at, labels = order // detector.classes, order % detector.classes
            boxes = _boxes(detector, codes[image][at], places[at], stride)
            level.append((key[order], Candidates(clip(boxes, *size), scores[order], labels)))
        found.append(level)
    return [_joined([level[image] for level in found]) for image in range(len(found[0]))]


def boxes_at(detector: Detector, codes: Tensor, stride: int) -> Tensor:
    """All boxes of one level, as training compares them with objects: (images, places, 4), in pixels, not clipped.

    Args:
        detector: what the heads mean.
        codes: what the boxes' head gives for the level, (images, channels, height, width).
        stride: of the level.
    """
    return _boxes(detector, rows(codes, 4), places_of(detector, map_size(codes), stride, codes.device), stride)


def rows(values: Tensor, numbers: int) -> Tensor:
    """A map's numbers place by place: (images, places, numbers). An anchor's stand together among the channels."""
    return values.float().permute(0, 2, 3, 1).reshape(len(values), -1, numbers)


def map_size(values: Tensor) -> Size:
    """Height and width of a map, (images, channels, height, width)."""
    return values.shape[-2], values.shape[-1]


def places_of(detector: Detector, size: Size, stride: int, device: torch.device) -> Tensor:
    """The places of a level: anchors, or points where the detector has none."""
    return anchors(size, stride, detector.sides, device) if detector.sides else points(size, stride, device)


def _boxes(detector: Detector, codes: Tensor, places: Tensor, stride: int) -> Tensor:
    if detector.sides:
        return from_deltas(codes, places)
    return from_distances(codes, places, codes.new_tensor(stride))


def _ranked(logits: Tensor, quality: Tensor | None, threshold: float) -> tuple[Tensor, Tensor]:
    """By what the classes of places are compared, minus infinity where not above the threshold; and their scores.

    Args:
        logits: (places, classes).
        quality: logits too, (places, 1), or None.
        threshold: of scores.
    """
    scores = logits.double().sigmoid()
    if quality is not None:
        scores = (scores * quality.double().sigmoid()).sqrt()
    scores = scores.float()
    key, limit = (logits, logit(threshold)) if quality is None else (scores, threshold)
    return torch.where(key > torch.tensor(limit, dtype=torch.float32), key, -math.inf), scores


def _joined(levels: list[tuple[Tensor, Candidates]]) -> Candidates:
    """The candidates of all levels of an image, by what they are compared by; of equals those of finer maps first."""
    order = torch.cat([key for key, _ in levels]).argsort(descending=True, stable=True)
    boxes, scores, labels = (
        torch.cat([getattr(level, name) for _, level in levels])[order] for name in ("boxes", "scores", "labels")
    )
    return Candidates(boxes, scores, labels)
