"""Classification: a vector of classes for each image; its losses and its figures, as pure functions on tensors.

In: logits of shape (images, classes), and targets: class numbers of shape (images,), or shares of each class in the
shape of the logits, as mixing makes them. Out: a loss, shares, counts. Losses compute in float32, whatever comes in.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor


def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    *,
    smoothing: float = 0.0,
    weights: Tensor | None = None,
    summed: bool = False,
) -> Tensor:
    """The mean cross entropy, or the sum: with weights, of what each image counts times its own.

    Args:
        logits: (images, classes).
        targets: class numbers, or a share of each class.
        smoothing: the part of each target that is spread evenly over all classes, from 0 to below 1.
        weights: what an image of each class counts, of shape (classes,).
        summed: the sum. The mean with weights divides it by the sum of what the images count.
    """
    reduction = "sum" if summed else "mean"
    return F.cross_entropy(logits.float(), targets, weight=weights, label_smoothing=smoothing, reduction=reduction)


def one_hot(targets: Tensor, classes: int) -> Tensor:
    """Class numbers as shares of each class: (images, classes), float32."""
    return F.one_hot(targets.long(), classes).float()


def mixup(images: Tensor, targets: Tensor, share: float, order: Tensor) -> tuple[Tensor, Tensor]:
    """Each image, and its target, mixed with that of another: Zhang et al., ICLR 2018, arXiv 1710.09412.

    Args:
        images: (images, channels, height, width).
        targets: shares of each class, (images, classes).
        share: what stays of each image, from 0 to 1.
        order: for each image, the number of the other one.
    """
    mixed = images * share + images[order] * (1 - share)
    return mixed, targets * share + targets[order] * (1 - share)


def ranks(logits: Tensor, targets: Tensor) -> Tensor:
    """How many classes come before the right one, for each image; of equal logits the lower class comes first.

    Where the logit of the right class is no number, all classes do.
    """
    own = logits.gather(1, targets[:, None].long())
    before = torch.arange(logits.shape[1], device=logits.device)[None] < targets[:, None]
    found = ((logits > own) | ((logits == own) & before)).sum(1)
    return torch.where(own[:, 0].isnan(), logits.shape[1], found)


def top_k(logits: Tensor, targets: Tensor, k: int) -> float:
    """The share of images whose right class is among the first `k`."""
    return float((ranks(logits, targets) < k).double().mean())


def confusion(predicted: Tensor, targets: Tensor, classes: int) -> Tensor:
    """How often each class (row) was taken for each (column): (classes, classes), int64."""
    pairs = targets.long() * classes + predicted.long()
    return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def recalls(counts: Tensor) -> Tensor:
    """The share of each class that was recognised, of `confusion`; no number (nan) for a class without images."""
    return counts.diagonal().double() / counts.sum(1).double()


def balanced_accuracy(counts: Tensor) -> float:
    """The mean of `recalls` over the classes that have images."""
    found = recalls(counts)
    return float(found[~found.isnan()].mean())
