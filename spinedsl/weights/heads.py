"""Heads and feature pyramids: what the two codes of TensorFlow name, where the layers of a backbone are only counted.

In: the places of a network's heads and pyramid, and the names in a file. Out: the file's name for each canonical name.
The convolutions of a tower are told by their number, its norms by level and number, a pyramid's layers by their level;
a classifier is one linear layer. The first tower of a network is that of the classes, the second that of the boxes: in
this order both codes build them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from spinedsl.record import Record
from spinedsl.weights.places import PYRAMID, Place

Key: TypeAlias = tuple[str, str, str, str]  # what head, the number of the layer, the level of a norm, the leaf

_CLASSES, _BOXES, _LINEAR, _PYRAMID, _LAST = "classes", "boxes", "linear", "pyramid", "last"
_TOWERS = (_CLASSES, _BOXES)
_LEAF = "(?P<leaf>[a-z_]+)"


class Spelling(Record):
    """How a code names its heads: a pattern with `head`, `layer`, `level` and `leaf`, and what it calls which head.

    The same of its pyramid: a pattern with `step`, `level` and `leaf`, and what it calls which step.
    """

    pattern: re.Pattern[str]
    heads: Mapping[str, str]
    pyramid: re.Pattern[str]
    steps: Mapping[str, str]


GARDEN_HEADS = Spelling(
    re.compile(
        rf"(?:.+/)?(?:retina_net_head(?:_\d+)?/(?:(?P<head>classnet|boxnet)-conv(?:-norm(?:_(?P<level>\d+)))?"
        rf"_(?P<layer>\d+)|(?P<last>scores|boxes))|(?P<linear>dense(?:_\d+)?))/{_LEAF}"
    ),
    {"classnet": _CLASSES, "scores": _CLASSES, "boxnet": _BOXES, "boxes": _BOXES},
    re.compile(rf"(?:.+/)?(?P<step>lateral|post_hoc|coarser|norm)_(?P<level>\d+)/{_LEAF}"),
    {"lateral": "lateral", "post_hoc": "smooth", "coarser": "coarser", "norm": "norm"},
)
TPU_HEADS = Spelling(
    re.compile(
        rf"(?:retinanet/(?:class|box)_net/(?P<head>class|box)-(?:(?P<layer>\d+)(?:-(?P<level>\d+))?|(?P<last>predict))"
        rf"|classification_head/(?P<linear>dense))/{_LEAF}"
    ),
    {"class": _CLASSES, "box": _BOXES},
    re.compile(rf"fpn/(?P<step>l|post_hoc_d|p)(?P<level>\d+)(?P<norm>-bn)?/{_LEAF}"),
    {"l": "lateral", "post_hoc_d": "smooth", "p": "coarser", "p-bn": "norm"},
)


def pair_heads(places: Sequence[Place], names: Iterable[str], spelling: Spelling) -> tuple[dict[str, str], set[str]]:
    """Names in the file by canonical name, and all names there of heads that the network has."""
    theirs = {key: name for name in names if (key := _key(name, spelling)) is not None}
    ours = dict(_ours(places))
    here = {key[0] for key in ours}
    pairs = {full: theirs[key] for key, full in ours.items() if key in theirs}
    return pairs, {name for key, name in theirs.items() if key[0] in here}


def _key(name: str, spelling: Spelling) -> Key | None:
    """Which tensor of a head or a pyramid a name stands for; None if it is no such name."""
    parts = spelling.pyramid.fullmatch(name.removesuffix(":0"))
    if parts is not None:
        step = parts["step"] + (parts.groupdict().get("norm") or "")
        return (_PYRAMID, spelling.steps[step], parts["level"], parts["leaf"]) if step in spelling.steps else None
    parts = spelling.pattern.fullmatch(name.removesuffix(":0"))
    if parts is None:
        return None
    if parts["linear"]:
        return _LINEAR, _LAST, "", parts["leaf"]
    found = parts.groupdict()
    return (
        spelling.heads[found["head"] or found["last"]],
        _LAST if found["last"] else str(int(found["layer"])),
        found["level"] or "",
        found["leaf"],
    )


# ---- the network's ----


def _ours(places: Sequence[Place]) -> Iterable[tuple[Key, str]]:
    """Each parameter of the heads that a code can have, under its key."""
    heads: dict[str, list[Place]] = {}
    for place in places:
        if place.part == PYRAMID:
            yield from _in_pyramid(place)
        else:
            heads.setdefault(place.row.name, []).append(place)
    towers = [head for head in heads.values() if not any(place.kind == "linear" for place in head)]
    linear = [head for head in heads.values() if len(head) == 1 and head[0].kind == "linear"]
    for name, tower in zip(_TOWERS, towers, strict=False):
        yield from _tower(name, tower)
    for (place,) in linear[:1]:
        yield from (((_LINEAR, _LAST, "", _KERNEL.get(last, last)), f) for last, f in place.node.parameters.items())


_KERNEL = {"weight": "kernel"}
_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def _tower(name: str, tower: Sequence[Place]) -> Iterable[tuple[Key, str]]:
    """A convolution that follows a depthwise one is of the same layer, which has two kernels then."""
    convolutions = [place for place in tower if place.kind != "norm"]
    layers = [index for index, place in enumerate(convolutions) if not _goes_on(convolutions, index)]
    for index, place in enumerate(convolutions):
        number = sum(first <= index for first in layers) - 1
        layer = _LAST if number == len(layers) - 1 else str(number)
        kernel = "depthwise_kernel" if place.kind == "depthwise" else "kernel"
        kernel = "pointwise_kernel" if _goes_on(convolutions, index) else kernel
        for last, full in place.node.parameters.items():
            yield (name, layer, "", kernel if last == "weight" else last), full
    for place in tower:
        if place.kind == "norm":
            for last, full in place.node.parameters.items():
                yield (name, str(place.repeat), str(place.slot), _NORM[last]), full


def _in_pyramid(place: Place) -> Iterable[tuple[Key, str]]:
    if place.kind == "norm":
        step, leaves = "norm", _NORM
    else:
        strided = place.node.attributes["stride"] != 1
        smooth = place.row.type_name == "smooth"
        step, leaves = ("coarser" if strided else "smooth") if smooth else "lateral", _KERNEL
    for last, full in place.node.parameters.items():
        yield (_PYRAMID, step, str(place.slot), leaves.get(last, last)), full


def _goes_on(convolutions: Sequence[Place], index: int) -> bool:
    return index > 0 and convolutions[index - 1].kind == "depthwise" and convolutions[index].kind == "conv"
