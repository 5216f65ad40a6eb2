"""Tasks: what the output of a network means, as one table: its loss, how it is decoded, and its figures.

In: an output of a network and labels. Out: a loss, what was recognised, figures. Everything here is a pure function on
tensors; training, evaluation and prediction read the table, and know no task by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

from spinedsl.record import Record
from spinedsl.settings import Setting
from spinedsl.tasks import classification, detection, embedding, intervals, pairs
from spinedsl.tasks.pairs import Pairs

__all__ = ["TASKS", "Pairs", "Task", "classification", "detection", "embedding", "intervals", "pairs"]

Values: TypeAlias = Mapping[str, Any]  # of a task's settings, by name


class Task(Record, eq=False):
    """What an output means.

    `tensors` are those that only training has: the shape of each, from the numbers that the output has and from how
    many classes there are. `loss` takes the output, labels, those tensors, the settings and the step. `decode` makes of
    an output what is used; of that, `metrics` gives figures, and `best` is the one by which the best checkpoint is
    chosen: the higher the better.
    """

    kind: str
    about: str
    output: str  # what the network has to give
    settings: tuple[Setting, ...]
    tensors: Callable[[int, int], dict[str, tuple[int, ...]]]
    loss: Callable[[Tensor, Tensor, Mapping[str, Tensor], Values, int], Tensor]
    decode: Callable[[Tensor], Tensor]
    metrics: Callable[..., dict[str, float]]  # of what was decoded, labels, and `Pairs` where a list has some
    best: str
    by_class: bool  # the output has a number for each class

    def __brief__(self) -> str:
        return self.kind


# ---- classification ----


def _classify(output: Tensor, labels: Tensor, tensors: Mapping[str, Tensor], values: Values, step: int) -> Tensor:
    weights = output.new_tensor(values["class_weights"]).float() if values["class_weights"] else None
    return classification.cross_entropy(output, labels, smoothing=values["smoothing"], weights=weights)


def _classified(shares: Tensor, labels: Tensor, pairs: Pairs | None = None) -> dict[str, float]:
    """Top-1 and, of more than five classes, top-5; the mean recall of classes."""
    classes = shares.shape[1]
    found = {"top_1": classification.top_k(shares, labels, 1)}
    if classes > 5:
        found["top_5"] = classification.top_k(shares, labels, 5)
    counts = classification.confusion(shares.argmax(1), labels, classes)
    return found | {"balanced": classification.balanced_accuracy(counts)}


CLASSIFICATION = Task(
    "classification",
    "one of several classes for each image",
    "a vector with a number for each class",
    (
        Setting("smoothing", "number", 0.0, "the part of each target that is spread over all classes", 0, 0.999),
        Setting("class_weights", "numbers", [], "what an image of each class counts in the loss", 0),
        Setting("mixup", "number", 0.0, "the alpha of mixup, or 0 for none", 0, 100),
    ),
    lambda features, classes: {},
    _classify,
    lambda output: output.float().softmax(1),
    _classified,
    "top_1",
    by_class=True,
)


# ---- embedding ----


def _embed(output: Tensor, labels: Tensor, tensors: Mapping[str, Tensor], values: Values, step: int) -> Tensor:
    margin = embedding.margin_at(step, values["margin"], values["margin_warm_up"])
    return embedding.arcface(output, tensors["identities"], labels, scale=values["scale"], margin=margin)


def _embedded(vectors: Tensor, labels: Tensor, pairs: Pairs | None = None) -> dict[str, float]:
    """Verification over folds of pairs, the accepted at 1% false ones, and who is nearest.

    Without a list of pairs, some follow from the labels, in five folds.
    """
    if pairs is None:
        first, second, same = embedding.pairs_of(labels)
        fold = torch.arange(len(same)) * 5 // max(len(same), 1) if len(same) >= 10 else torch.empty(0, dtype=torch.long)
    else:
        first, second, same, fold = pairs.first, pairs.second, pairs.same, pairs.fold
    found = {}
    scores = embedding.similarities(vectors[first], vectors[second])
    if len(fold) and int(fold.max()) > 0:
        found["verification"] = embedding.verification(scores, same, fold).mean
        if same.any() and not same.all():
            found["tar_at_far_1"] = embedding.tar_at_far(scores, same, 0.01).rate
    sizes = torch.unique(labels, return_counts=True)[1]
    if len(sizes) > 1 and int(sizes.max()) > 1:
        found["rank_1"] = embedding.rank_1_within(vectors, labels)
    return found


EMBEDDING = Task(
    "embedding",
    "a vector for each image, near for one identity and far for two",
    "a vector",
    (
        Setting("scale", "number", 64.0, "what cosines are multiplied by", above=0),
        Setting("margin", "number", 0.5, "the angle that an image's own identity is farther, in radians", 0, 1.5),
        Setting("margin_warm_up", "whole", 1000, "the steps in which the margin grows from 0", 0),
    ),
    lambda features, classes: {"identities": (classes, features)},
    _embed,
    embedding.unit,
    _embedded,
    "verification",
    by_class=False,
)

TASKS: Mapping[str, Task] = {task.kind: task for task in (CLASSIFICATION, EMBEDDING)}
