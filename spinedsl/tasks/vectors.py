"""Tasks that read one vector of a network: classification and embedding, as rows of the table of tasks.

In: outputs, and the number of each image's class or identity. Out: what `tasks.task.Task` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from spinedsl.diagnostics import one_of
from spinedsl.ops.program import Program
from spinedsl.ops.program import Task as TaskRow
from spinedsl.settings import Odd, Setting
from spinedsl.tasks import classification, embedding
from spinedsl.tasks.pairs import Pairs
from spinedsl.tasks.task import LABELS, Outputs, Reading, Shown, Size, Task, Taught, Unfit, Values

HEAD = "give the network a head, as in `head logits: classifier(classes = 10) from P3, P4, P5`"


# ---- what both do ----


def reads(program: Program, row: TaskRow | None, asked: str | None) -> Reading:
    """The output that is named, that of the task row, or the only head that gives a vector.

    Raises:
        Unfit: there is none, or several.
    """
    types = {name: type_ for row in program.rows for name, type_ in row.values.items() if name in program.outputs}
    fit = [name for name, type_ in types.items() if type_.is_vector]
    name = row.outputs["from"][0] if row is not None else asked
    if name is not None and name not in fit:
        raise Unfit(f"`{name}` is {types.get(name, 'no output of it')}", HEAD)
    if name is None and len(fit) != 1:
        if fit:
            raise Unfit(f"it has {one_of(fit, conjunction='and')}", "choose one: `output = …` in [task]")
        raise Unfit("it has no head that gives one", HEAD)
    name = name or fit[0]
    return Reading(name, (name,), types[name].channels)


def apart(decoded: Tensor, truth: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The row and the label of each image."""
    return list(decoded.cpu()), list(truth.cpu())


def _joined(found: Sequence[Tensor], there: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    return torch.stack(tuple(found)), torch.stack(tuple(there))


# ---- classification ----


def _classify(
    reading: Reading, outputs: Outputs, truth: Tensor, tensors: Mapping[str, Tensor], values: Values, step: int
) -> Taught:
    """Cross entropy; what an image of a class counts is nothing that a mixture of two has."""
    output = outputs[reading.name]
    mixed = truth.is_floating_point()
    if not values["class_weights"] or mixed:
        return Taught(classification.cross_entropy(output, truth, smoothing=values["smoothing"]))
    weights = torch.tensor(values["class_weights"], dtype=torch.float32, device=output.device)
    weights = weights / weights[weights > 0].min()  # an image that counts at all counts 1 or more
    loss = classification.cross_entropy(output, truth, smoothing=values["smoothing"], weights=weights, summed=True)
    return Taught(loss, weights[truth].sum())


def _mix(images: Tensor, labels: Tensor, features: int, share: float, order: Tensor) -> tuple[Tensor, Tensor]:
    return classification.mixup(images, classification.one_hot(labels, features), share, order)


def _shares(reading: Reading, outputs: Outputs, size: Size, values: Values) -> Tensor:
    return outputs[reading.name].float().softmax(1)


def _classified(found: Sequence[Tensor], there: Sequence[Tensor], pairs: Pairs | None = None) -> dict[str, float]:
    """Top-1 and, of more than five classes, top-5; the mean recall of classes."""
    shares, labels = _joined(found, there)
    classes = shares.shape[1]
    figures = {"top_1": classification.top_k(shares, labels, 1)}
    if classes > 5:
        figures["top_5"] = classification.top_k(shares, labels, 5)
    counts = classification.confusion(shares.argmax(1), labels, classes)
    return figures | {"balanced": classification.balanced_accuracy(counts)}


def _guessed(found: Sequence[Tensor], there: Sequence[Tensor], count: int, names: Sequence[str]) -> list[Shown]:
    shown = []
    for shares, label in zip(found[:count], there[:count], strict=True):
        one = int(shares.argmax())
        shown.append(Shown(names[one] if one < len(names) else str(one), one == int(label)))
    return shown


def _weights_fit(reading: Reading, values: Values, says: Any) -> Iterator[Odd]:
    weights = values["class_weights"]
    if weights and len(weights) != reading.features:
        has = f"`task.class_weights` has {len(weights)} numbers"
        yield Odd("class_weights", f"{has}, and head `{reading.name}` {reading.features} classes")
    elif weights and not any(weights):
        yield Odd("class_weights", "`task.class_weights` are all 0: no image would count")
    if weights and values["mixup"]:
        what = "`task.class_weights` counts for images of one class, and `task.mixup` makes images of two"
        yield Odd("class_weights", what, "take one of them out")


CLASSIFICATION = Task(
    kind="classification",
    about="one of several classes for each image",
    output="a vector with a number for each class",
    truth=LABELS,
    settings=(
        Setting(
            "smoothing",
            "number",
            0.0,
            "the part of each target that is spread over all classes",
            0,
            0.999,
            elsewhere=("label_smoothing", "smooth"),
        ),
        Setting("class_weights", "numbers", [], "what an image of each class counts in the loss", 0),
        Setting("mixup", "number", 0.0, "the alpha of mixup, or 0 for none", 0, 100, elsewhere=("mixup_alpha",)),
    ),
    reads=reads,
    tensors=lambda features, classes, values: {},
    loss=_classify,
    decode=_shares,
    apart=apart,
    metrics=_classified,
    best="top_1",
    shown=_guessed,
    by_class=True,
    mix=_mix,
    odd=_weights_fit,
)


# ---- embedding ----

ARCFACE, CONTRASTIVE = "arcface", "contrastive"
OF_LOSS = {"scale": ARCFACE, "margin": ARCFACE, "margin_warm_up": ARCFACE, "temperature": CONTRASTIVE}


def _embed(
    reading: Reading, outputs: Outputs, truth: Tensor, tensors: Mapping[str, Tensor], values: Values, step: int
) -> Taught:
    if values["loss"] == CONTRASTIVE:
        return Taught(embedding.contrastive(outputs[reading.name], truth, temperature=values["temperature"]))
    margin = embedding.margin_at(step, values["margin"], values["margin_warm_up"])
    arcface = partial(embedding.arcface, scale=values["scale"], margin=margin)
    return Taught(arcface(outputs[reading.name], tensors["identities"], truth))


def _identities(features: int, classes: int, values: Values) -> dict[str, tuple[int, ...]]:
    """A vector for each identity, where the loss compares images with those."""
    return {"identities": (classes, features)} if values["loss"] == ARCFACE else {}


def _of_other_loss(reading: Reading, values: Values, says: Any) -> Iterator[Odd]:
    """Settings of the loss that was not chosen."""
    for name, loss in OF_LOSS.items():
        if says(name) and values["loss"] != loss:
            yield Odd(name, f'`task.{name}` counts for loss = "{loss}" alone, and it is "{values["loss"]}"')


def _unit(reading: Reading, outputs: Outputs, size: Size, values: Values) -> Tensor:
    return embedding.unit(outputs[reading.name])


def _embedded(found: Sequence[Tensor], there: Sequence[Tensor], pairs: Pairs | None = None) -> dict[str, float]:
    """Verification over folds of pairs, the accepted at 1% false ones, and who is nearest.

    Without a list of pairs, some follow from the labels, in five folds.
    """
    vectors, labels = _joined(found, there)
    if pairs is None:
        first, second, same = embedding.pairs_of(labels)
        fold = torch.arange(len(same)) * 5 // max(len(same), 1) if len(same) >= 10 else torch.empty(0, dtype=torch.long)
    else:
        first, second, same, fold = pairs.first, pairs.second, pairs.same, pairs.fold
    figures = {}
    scores = embedding.similarities(vectors[first], vectors[second])
    if len(fold) and int(fold.max()) > 0:
        figures["verification"] = embedding.verification(scores, same, fold).mean
        if same.any() and not same.all():
            figures["tar_at_far_1"] = embedding.tar_at_far(scores, same, 0.01).rate
    sizes = torch.unique(labels, return_counts=True)[1]
    if len(sizes) > 1 and int(sizes.max()) > 1:
        figures["rank_1"] = embedding.rank_1_within(vectors, labels)
    return figures


def _nearest(found: Sequence[Tensor], there: Sequence[Tensor], count: int, names: Sequence[str]) -> list[Shown]:
    """The nearest other image."""
    vectors, labels = _joined(found, there)
    best, at = embedding.nearest_in(vectors, vectors, but_itself=True)
    right = (labels[at[:count]] == labels[:count]).tolist()
    return [Shown(f"nearest {float(one):.2f}", fine) for one, fine in zip(best[:count], right, strict=True)]


EMBEDDING = Task(
    kind="embedding",
    about="a vector for each image, near for one identity and far for two",
    output="a vector",
    truth=LABELS,
    settings=(
        Setting("loss", "text", ARCFACE, "what vectors are taught by", choices=(ARCFACE, CONTRASTIVE)),
        Setting("scale", "number", 64.0, "of arcface: what cosines are multiplied by", above=0),
        Setting("margin", "number", 0.5, "of arcface: the angle that its own identity is farther, in radians", 0, 1.5),
        Setting("margin_warm_up", "whole", 1000, "of arcface: the steps in which the margin grows from 0", 0),
        Setting("temperature", "number", 0.1, "of contrastive: what cosines are divided by", above=0),
    ),
    reads=reads,
    tensors=_identities,
    loss=_embed,
    decode=_unit,
    apart=apart,
    metrics=_embedded,
    best="verification",
    shown=_nearest,
    by_class=False,
    odd=_of_other_loss,
    compares=lambda values: values["loss"] == CONTRASTIVE,
)
