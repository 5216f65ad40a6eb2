"""What a detector is taught: for outputs and objects of a batch, which places find what, and the losses of that.

In: a `Detector`, the network's outputs, the objects of each image in pixels of the network's image. Out: a `Lesson`,
which counts the positives, and from it the parts of the loss. The two are apart so that several processes can add up
their positives in between (`losses.normaliser`).

With anchors it is RetinaNet's: matching by IoU, focal loss, smooth L1. With points it is FCOS's: matching by range,
focal loss, GIoU weighted by centre-ness, and centre-ness; where there is no quality, the classes are taught the IoU by
quality focal loss, as Li et al., NeurIPS 2020, arXiv 2006.04388, have it. Boxes without area are taught to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

from spinedsl.ops.detection import Detector
from spinedsl.record import Record
from spinedsl.tasks.detection.boxes import area, iou
from spinedsl.tasks.detection.coding import centreness, from_distances, to_deltas, to_distances
from spinedsl.tasks.detection.decoding import map_size, places_of, rows
from spinedsl.tasks.detection.losses import centreness_loss, giou_loss, quality_focal, sigmoid_focal, smooth_l1
from spinedsl.tasks.detection.matching import IGNORED, by_iou, by_range, spread, without_crowds
from spinedsl.tasks.detection.places import ranges
from spinedsl.tasks.detection.precision import Objects


class Lesson(Record, eq=False):
    """What each place of each image is taught, all levels in one.

    `found` (images, places) is that of a matching; `at` the numbers of positives among all places of the batch, and
    `boxes`, `labels` what is to be found there. `places` (places, 4 or 2) and `strides` (places,) are those of one
    image.
    """

    found: Tensor
    at: Tensor
    boxes: Tensor
    labels: Tensor
    places: Tensor
    strides: Tensor

    @property
    def positives(self) -> int:
        """How many places find something."""
        return len(self.at)

    def __brief__(self) -> str:
        return f"{self.positives} of {self.found.numel()} places find something"


def lesson(detector: Detector, outputs: Mapping[str, Tensor], there: Sequence[Objects]) -> Lesson:
    """Which place finds what.

    Args:
        detector: what the heads mean.
        outputs: the network's, by name.
        there: the objects of each image.
    """
    device = outputs[detector.boxes[0]].device
    sizes = [map_size(outputs[name]) for name in detector.boxes]
    levels = [places_of(detector, size, stride, device) for size, stride in zip(sizes, detector.strides, strict=True)]
    counts = [len(level) for level in levels]
    places = torch.cat(levels)
    strides = spread([float(stride) for stride in detector.strides], counts).to(device)
    reach = spread(ranges(detector.strides), counts).to(device)
    found, boxes, labels = [], [], []
    for objects in there:
        whole = area(objects.boxes) > 0
        crowds = torch.zeros_like(whole) if objects.crowds is None else objects.crowds.bool()
        own, kinds = objects.boxes[whole & ~crowds].to(device), objects.labels[whole & ~crowds].to(device)
        if detector.sides:
            matched = without_crowds(by_iou(places, own), places, objects.boxes[whole & crowds].to(device))
        else:
            matched = by_range(places, strides, reach, own)
        found.append(matched)
        boxes.append(own[matched[matched >= 0]])
        labels.append(kinds[matched[matched >= 0]])
    all_found = torch.stack(found)
    at = (all_found.flatten() >= 0).nonzero()[:, 0]
    return Lesson(all_found, at, torch.cat(boxes), torch.cat(labels), places, strides)


def losses_of(
    detector: Detector, outputs: Mapping[str, Tensor], given: Lesson, positives: Tensor | float
) -> dict[str, Tensor]:
    """The parts of the loss, each a scalar: `classes`, `boxes` and, where there is one, `quality`.

    Args:
        detector: what the heads mean.
        outputs: the network's, by name.
        given: the lesson of these outputs.
        positives: what sums are divided by, as `losses.normaliser` gives it.
    """
    logits = torch.cat([rows(outputs[name], detector.classes) for name in detector.scores], 1)
    codes = torch.cat([rows(outputs[name], 4) for name in detector.boxes], 1).flatten(0, 1)[given.at]
    wanted = torch.zeros_like(logits).flatten(0, 1)
    wanted[given.at] = F.one_hot(given.labels, detector.classes).to(wanted.dtype)
    counted = (given.found != IGNORED).flatten()
    logits = logits.flatten(0, 1)
    own = given.at % len(given.places)
    places, strides = given.places[own], given.strides[own]
    if detector.sides:
        deltas = to_deltas(given.boxes, places)
        return {
            "classes": sigmoid_focal(logits[counted], wanted[counted], positives),
            "boxes": smooth_l1(codes, deltas, positives),
        }
    boxes = from_distances(codes, places, strides)
    if not detector.quality:
        wanted[given.at] *= iou(boxes.detach(), given.boxes)[:, None]
        return {
            "classes": quality_focal(logits, wanted, positives),
            "boxes": giou_loss(boxes, given.boxes, positives),
        }
    centred = centreness(to_distances(given.boxes, places, strides))
    quality = torch.cat([rows(outputs[name], 1) for name in detector.quality], 1).flatten()[given.at]
    return {
        "classes": sigmoid_focal(logits, wanted, positives),
        "boxes": giou_loss(boxes, given.boxes, positives, centred),
        "quality": centreness_loss(quality, centred, positives),
    }
