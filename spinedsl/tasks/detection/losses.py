"""Losses of detection, as sums divided by the number of positives.

Each takes that number as an argument, since it is one of the whole batch: of all levels and images, and the mean over
all processes, which whoever calls reduces (`normaliser`). All compute in float32.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

from spinedsl.tasks.detection.boxes import giou

LEAST = 1e-12  # of how far a score is off, where the slope of its power has no end at 0


def normaliser(positives: Tensor | float, processes: int = 1) -> Tensor:
    """What sums are divided by: the number of positives of all processes, at least 1, by that of processes.

    Gradients of processes are averaged, so this gives what one process would have had with all images.
    """
    return torch.as_tensor(positives, dtype=torch.float32).clamp_min(1) / processes


def sigmoid_focal(
    logits: Tensor, targets: Tensor, positives: Tensor | float, *, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Focal loss of a sigmoid for each class: Lin et al., ICCV 2017, arXiv 1708.02002, equation 5. A scalar.

    Args:
        logits: any shape; without those of ignored places.
        targets: 0 or 1, of that shape.
        positives: what the sum is divided by.
        alpha: the weight of ones; zeros have 1 - alpha.
        gamma: how much less what is right already counts.
    """
    x, wanted = logits.float(), targets.float()
    shares = x.sigmoid()
    off = shares + wanted - 2 * shares * wanted  # 1 - p_t
    weight = (1 - alpha) + (2 * alpha - 1) * wanted
    return (
        weight * _power(off, gamma) * F.binary_cross_entropy_with_logits(x, wanted, reduction="none")
    ).sum() / positives


def _power(off: Tensor, exponent: float) -> Tensor:
    """A power of what lies from 0 to 1; of one below 1, which is steeper without end towards 0, with a slope there."""
    return (off.clamp_min(LEAST) if 0 < exponent < 1 else off).pow(exponent)


def quality_focal(logits: Tensor, targets: Tensor, positives: Tensor | float, *, beta: float = 2.0) -> Tensor:
    """Quality focal loss: Li et al., NeurIPS 2020, arXiv 2006.04388, equation 5. A scalar.

    Args:
        logits: any shape; without those of ignored places.
        targets: from 0 to 1: the IoU of a place's box with its object at its class, 0 elsewhere.
        positives: what the sum is divided by.
        beta: how much less what is nearly right counts.
    """
    x, wanted = logits.float(), targets.float()
    off = (wanted - x.sigmoid()).abs()
    return (_power(off, beta) * F.binary_cross_entropy_with_logits(x, wanted, reduction="none")).sum() / positives


def smooth_l1(
    given: Tensor, wanted: Tensor, positives: Tensor | float, *, beta: float = 0.1, weights: Tensor | None = None
) -> Tensor:
    """Smooth L1: Girshick, ICCV 2015, arXiv 1504.08083, equation 3; half the square below `beta`. A scalar.

    Args:
        given: deltas of the positives, or their distances, (positives, 4).
        wanted: the same of their boxes.
        positives: what the sum over all four numbers is divided by.
        beta: from where it is linear; 0 is L1.
        weights: of each, (positives,).
    """
    if weights is None:
        return F.smooth_l1_loss(given.float(), wanted.float(), reduction="sum", beta=beta) / positives
    losses = F.smooth_l1_loss(given.float(), wanted.float(), reduction="none", beta=beta)
    return (losses.sum(1) * weights).sum() / positives


def giou_loss(boxes: Tensor, wanted: Tensor, positives: Tensor | float, weights: Tensor | None = None) -> Tensor:
    """1 - GIoU: Rezatofighi et al., CVPR 2019, arXiv 1902.09630. A scalar.

    Args:
        boxes: those of the positives, (positives, 4), in pixels or any other unit.
        wanted: their objects'.
        positives: what the sum is divided by; with weights too, as `objective.losses_of` says.
        weights: of each, (positives,): FCOS weighs by centre-ness.
    """
    losses = 1 - giou(boxes.float(), wanted.float())
    return (losses if weights is None else losses * weights).sum() / positives


def centreness_loss(logits: Tensor, wanted: Tensor, positives: Tensor | float) -> Tensor:
    """Binary cross entropy of centre-ness: Tian et al., ICCV 2019, arXiv 1904.01355, section 3.3. A scalar.

    Args:
        logits: of the positives, (positives,).
        wanted: what `coding.centreness` gives for their boxes.
        positives: what the sum is divided by.
    """
    return F.binary_cross_entropy_with_logits(logits.float(), wanted.float(), reduction="sum") / positives
