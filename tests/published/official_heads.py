"""RetinaNet's heads and the classifiers of the official codes, on what `Official` gives: the same kind of reading."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.published.official import GARDEN, Official, nearest

CLASSES, ANCHORS = 91, 9


def retinanet(backbone: Official) -> dict[str, Tensor]:
    """Scores and boxes by level: convolutions are shared over levels, norms are not."""
    found: dict[str, Tensor] = {}
    for head, outputs in (("scores", CLASSES * ANCHORS), ("boxes", 4 * ANCHORS)):
        for name, feature in backbone.outputs.items():
            x = feature
            for number in range(backbone.model.convs):
                x = _shared(backbone, x, head, str(number), backbone.model.tower)
                x = backbone.act(backbone.norm(x, *_norm(backbone, head, name[1:], number)))
            found[f"{head}_{name}"] = _shared(backbone, x, head, "last", outputs)
    return found


def _layer(backbone: Official, head: str, number: str) -> str:
    if backbone.dialect == GARDEN:
        tower = {"scores": "classnet", "boxes": "boxnet"}[head]
        return f"retina_net_head/{head}" if number == "last" else f"retina_net_head/{tower}-conv_{number}"
    tower = {"scores": "class", "boxes": "box"}[head]
    return f"retinanet/{tower}_net/{tower}-{'predict' if number == 'last' else number}"


def _norm(backbone: Official, head: str, level: str, number: int) -> tuple[str, str]:
    if backbone.dialect == GARDEN:
        tower = {"scores": "classnet", "boxes": "boxnet"}[head]
        return f"retina_net_head/{tower}-conv-norm_{level}_{number}", f"{head}.norm{number}.level{level}"
    return f"{_layer(backbone, head, str(number))}-{level}", f"{head}.norm{number}.level{level}"


def _shared(backbone: Official, x: Tensor, head: str, number: str, channels: int) -> Tensor:
    layer, reference = _layer(backbone, head, number), f"{head}.conv{number}"
    if backbone.model.mobile:
        depthwise = backbone.variable(layer, reference, "depthwise_kernel", 3, 3, x.shape[1], 1)
        x = backbone.convolved(x, depthwise.permute(2, 3, 0, 1), groups=x.shape[1])
        weight = backbone.variable(layer, reference, "pointwise_kernel", 1, 1, x.shape[1], channels)
    else:
        weight = backbone.variable(layer, reference, "kernel", 3, 3, x.shape[1], channels)
    bias = backbone.variable(layer, reference, "bias", channels)
    return backbone.convolved(x, weight.permute(3, 2, 0, 1)) + bias[:, None, None]


def classifier(backbone: Official, classes: int) -> Tensor:
    """Logits: tensorflow/models takes the coarsest map, tensorflow/tpu adds all up from the coarsest to the finest."""
    maps = list(backbone.outputs.values())[::-1]
    total = maps[0]
    if backbone.dialect != GARDEN:
        for finer in maps[1:]:
            total = nearest(total, *finer.shape[2:]) + finer
        total = total / len(maps)
    layer = "dense" if backbone.dialect == GARDEN else "classification_head/dense"
    pooled = total.mean((2, 3))
    weight = backbone.variable(layer, "logits", "kernel", pooled.shape[1], classes)
    return torch.matmul(pooled, weight) + backbone.variable(layer, "logits", "bias", classes)
