"""What a detector is taught: for outputs and objects of a batch, which places find what, and the losses of that.

In: a `Detector`, the network's outputs, the objects of each image in pixels of the network's image, and a `Teaching`.
Out: a `Lesson`, which counts the positives, and from it the parts of the loss. The two are apart so that several
processes can add up their positives in between (`losses.normaliser`).

Boxes without area are taught to nobody, and neither are crowds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

from spinedsl.ops.detection import Detector
from spinedsl.record import Record
from spinedsl.tasks.detection.boxes import area, iou
from spinedsl.tasks.detection.coding import centreness, from_deltas, from_distances, to_deltas, to_distances
from spinedsl.tasks.detection.decoding import boxes_at, map_size, places_of, rows
from spinedsl.tasks.detection.losses import centreness_loss, giou_loss, quality_focal, sigmoid_focal, smooth_l1
from spinedsl.tasks.detection.matching import IGNORED, by_iou, by_range, spread, task_aligned, without_crowds
from spinedsl.tasks.detection.places import ranges
from spinedsl.tasks.detection.precision import Objects
from spinedsl.tasks.detection.teaching import ALIGNED, FOCAL, SMOOTH_L1, Teaching, teaching


class Lesson(Record, eq=False):
    """What each place of each image is taught, all levels in one.

    `found` (images, places) is that of a matching; `at` the numbers of positives among all places of the batch, and
    `boxes`, `labels` what is to be found there. `places` (places, 4 or 2) and `strides` (places,) are those of one
    image. `scores` (positives,) are what the classes are taught, where the matching says it.
    """

    found: Tensor
    at: Tensor
    boxes: Tensor
    labels: Tensor
    places: Tensor
    strides: Tensor
    scores: Tensor | None = None

    @property
    def positives(self) -> int:
        """How many places find something."""
        return len(self.at)

    @property
    def count(self) -> Tensor:
        """What sums are divided by, together with those of other parts: the positives, or the sum of their scores."""
        return self.boxes.new_tensor(float(len(self.at))) if self.scores is None else self.scores.sum()

    def __brief__(self) -> str:
        return f"{self.positives} of {self.found.numel()} places find something"


def lesson(
    detector: Detector, outputs: Mapping[str, Tensor], there: Sequence[Objects], how: Teaching | None = None
) -> Lesson:
    """Which place finds what.

    Args:
        detector: what the heads mean.
        outputs: the network's, by name.
        there: the objects of each image.
        how: by what it is chosen; if not given, by what fits the detector.
    """
    how = how or teaching(detector)
    device = outputs[detector.boxes[0]].device
    sizes = [map_size(outputs[name]) for name in detector.boxes]
    levels = [places_of(detector, size, stride, device) for size, stride in zip(sizes, detector.strides, strict=True)]
    counts = [len(level) for level in levels]
    places = torch.cat(levels)
    strides = spread([float(stride) for stride in detector.strides], counts).to(device)
    reach = spread(ranges(detector.strides), counts).to(device)
    guesses = _guesses(detector, outputs) if how.matching == ALIGNED else None
    found, boxes, labels, scores = [], [], [], []
    for number, objects in enumerate(there):
        whole = area(objects.boxes) > 0
        crowds = torch.zeros_like(whole) if objects.crowds is None else objects.crowds.bool()
        own, kinds = objects.boxes[whole & ~crowds].to(device), objects.labels[whole & ~crowds].to(device)
        if detector.sides:
            matched = by_iou(places, own, foreground=how.foreground, background=how.background)
            matched = without_crowds(matched, places, objects.boxes[whole & crowds].to(device))
        elif guesses is not None:
            aligned = task_aligned(places, own, kinds, guesses[0][number], guesses[1][number], most=how.aligned_most)
            matched = aligned.found
            scores.append(aligned.scores[matched >= 0])
        else:
            matched = by_range(places, strides, reach, own, radius=how.radius or None)
        found.append(matched)
        boxes.append(own[matched[matched >= 0]])
        labels.append(kinds[matched[matched >= 0]])
    all_found = torch.stack(found)
    at = (all_found.flatten() >= 0).nonzero()[:, 0]
    taught = torch.cat(scores) if scores else None
    return Lesson(all_found, at, torch.cat(boxes), torch.cat(labels), places, strides, taught)


def _guesses(detector: Detector, outputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """What the network gives now, as matching by it sees it: scores of classes and boxes, (images, places, …)."""
    with torch.no_grad():
        scores = torch.cat([rows(outputs[name], detector.classes) for name in detector.scores], 1).sigmoid()
        strides = zip(detector.boxes, detector.strides, strict=True)
        return scores, torch.cat([boxes_at(detector, outputs[name], stride) for name, stride in strides], 1)


def losses_of(
    detector: Detector, outputs: Mapping[str, Tensor], given: Lesson, positives: Tensor | float,
    how: Teaching | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """The parts of the loss, each a scalar, without weights: `classes`, `boxes` and, where there is one, `quality`.

    All are divided by one number. FCOS's authors divide the boxes, which count by their centre-ness, by the sum of that
    instead. Here the divisor is that of the paper's equation 2, the number of places, so that it is known for parts and
    processes together; centre-ness is 0.54 on the average of places within 1.5 strides of a centre, and a
    `boxes_weight` of 1.85 makes up for it.

    Args:
        detector: what the heads mean.
        outputs: the network's, by name.
        given: the lesson of these outputs.
        positives: what sums are divided by, as `losses.normaliser` gives it.
        how: by which losses; if not given, by what fits the detector.
    """
    how = how or teaching(detector)
    codes = torch.cat([rows(outputs[name], 4) for name in detector.boxes], 1).flatten(0, 1)[given.at]
    own = given.at % len(given.places)
    places, strides = given.places[own], given.strides[own]
    boxes = from_deltas(codes, places) if detector.sides else from_distances(codes, places, strides)
    overlaps = iou(boxes.detach(), given.boxes)
    good, weights = overlaps, given.scores  # how good a place is, and what its box counts
    if detector.quality and not detector.sides:
        good = weights = centreness(to_distances(given.boxes, places, strides))
    taught = overlaps if given.scores is None else given.scores
    found = {"classes": _classes_loss(detector, outputs, given, positives, how, taught)}
    if how.boxes == SMOOTH_L1:
        wanted = to_deltas(given.boxes, places) if detector.sides else to_distances(given.boxes, places, strides)
        found["boxes"] = smooth_l1(codes, wanted, positives, beta=how.smooth_l1_beta, weights=weights)
    else:
        found["boxes"] = giou_loss(boxes, given.boxes, positives, weights)
    if detector.quality:
        quality = torch.cat([rows(outputs[name], 1) for name in detector.quality], 1).flatten()[given.at]
        found["quality"] = centreness_loss(quality, good, positives)
    return found


def _classes_loss(
    detector: Detector, outputs: Mapping[str, Tensor], given: Lesson, positives: Tensor | float, how: Teaching,
    taught: Tensor,
) -> Tensor:  # fmt: skip
    """The loss of classes; `taught` is what the class of a positive is, of a loss that can take more than 0 and 1."""
    logits = torch.cat([rows(outputs[name], detector.classes) for name in detector.scores], 1).flatten(0, 1)
    wanted = torch.zeros_like(logits)
    wanted[given.at] = F.one_hot(given.labels, detector.classes).to(wanted.dtype)
    if how.classification != FOCAL:
        wanted[given.at] *= taught[:, None]
    if (ignored := given.found.flatten() == IGNORED).any():
        logits, wanted = logits[~ignored], wanted[~ignored]
    if how.classification == FOCAL:
        return sigmoid_focal(logits, wanted, positives, alpha=how.focal_alpha, gamma=how.focal_gamma)
    return quality_focal(logits, wanted, positives, beta=how.focal_gamma)
