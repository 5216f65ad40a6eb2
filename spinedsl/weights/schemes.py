"""Schemes: how other codes for these networks name and lay out their weights, and which of ours each is.

In: the places of a network's weights and the names in a file. Out: the file's name for each canonical name, what
belongs to no place, and why a file cannot be told apart. Codes of TensorFlow number their layers in the order in which
they are built, within a scope; so places and names are sorted alike and paired one by one, and a count that differs is
a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from spinedsl.diagnostics import one_of
from spinedsl.record import Record, field
from spinedsl.weights.heads import GARDEN_HEADS, TPU_HEADS, Spelling, pair_heads
from spinedsl.weights.places import BLOCK, HEAD, OUTPUT, PYRAMID, RESAMPLE, STEM, Place

Scope: TypeAlias = tuple[str, str]  # where layers are counted together, and their kind
Layer: TypeAlias = dict[str, str]  # of one layer, the last part of each name and the name

_NAMED = frozenset({HEAD, PYRAMID})  # what is paired by names, not by order


class Pairing(Record, frozen=False):
    """Names in a file by canonical name; those that stand for nothing in a network; what makes it ambiguous."""

    pairs: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Scheme(Record):
    """A code that others use: what it is called, a pattern of names that only it gives, and its rule."""

    name: str
    mark: re.Pattern[str]
    pair: Callable[[Sequence[Place], Iterable[str]], Pairing]
    tensorflow: bool  # kernels are (height, width, in, out)


# ---- layers that are numbered as they are built ----

_LAYER = r"(?P<layer>(?:depthwise_)?conv2d|(?:sync_)?batch_normalization)(?:_(?P<number>\d{1,9}))?"
_LEAF = r"(?P<leaf>kernel|depthwise_kernel|bias|gamma|beta|moving_mean|moving_variance)"
_LEAVES = {
    "conv": {"weight": "kernel", "bias": "bias"},
    "depthwise": {"weight": "depthwise_kernel", "bias": "bias"},
    "norm": {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"},
}


def _kind(layer: str) -> str:
    if layer.endswith("batch_normalization"):
        return "norm"
    return "depthwise" if layer.startswith("depthwise") else "conv"


def _by_order(
    pattern: re.Pattern[str],
    their_scope: Callable[[re.Match[str]], str],
    ours: Iterable[tuple[str, Place]],
    names: Iterable[str],
) -> Pairing:
    """Pair what stands in the same scope, kind by kind, in the order in which it is built."""
    found = Pairing()
    layers: dict[Scope, dict[tuple[int, str], Layer]] = {}
    for name in names:
        parts = pattern.fullmatch(name.removesuffix(":0"))
        if parts is None:
            found.left_out.append(name)
        else:
            scope = their_scope(parts), _kind(parts["layer"])
            number = int(parts["number"] or 0), parts["layer"]
            layers.setdefault(scope, {}).setdefault(number, {})[parts["leaf"]] = name
    wanted: dict[Scope, list[Place]] = {}
    for scope_name, place in ours:
        wanted.setdefault((scope_name, place.kind), []).append(place)
    for scope, places in wanted.items():
        numbered = sorted(layers.get(scope, {}).items())
        theirs: list[Layer] | None = [layer for _, layer in numbered]
        if len(classes := {layer for _, layer in layers.get(scope, {})}) > 1:
            found.problems.append(f"in {scope[0]} the file counts {one_of(sorted(classes), conjunction='and')} apart")
            continue
        if theirs and len(theirs) != len(places):
            theirs = _by_number(places, {number: layer for (number, _), layer in numbered})
        if theirs is None:
            found.problems.append(_count(scope, len(places), len(numbered)))
            continue
        for place, layer in zip(places, theirs, strict=False):
            leaves = _LEAVES[place.kind]
            pairs = {full: layer.get(leaves[last]) for last, full in place.node.parameters.items()}
            found.pairs |= {full: theirs for full, theirs in pairs.items() if theirs is not None}
    return found


_PRUNED = 4  # layers of a kind in tensorflow/models' block of level 2, which is counted before the outputs and dropped


def _by_number(places: Sequence[Place], layers: Mapping[int, Layer]) -> list[Layer] | None:
    """Layers of an incomplete file by their place: empty ones where it has none, or None if the numbers do not tell."""
    found: list[list[Layer]] = []
    for skipped in (0, _PRUNED):
        numbers = [index + skipped * (place.part == OUTPUT) for index, place in enumerate(places)]
        if layers.keys() <= set(numbers):
            found.append([layers.get(number, {}) for number in numbers])
    return found[0] if found and all(other == found[0] for other in found) else None


_KINDS = {"conv": "convolutions", "depthwise": "depthwise convolutions", "norm": "batch norms"}


def _count(scope: Scope, ours: int, theirs: int) -> str:
    where, kind = scope
    return f"in {where} the network has {ours} {_KINDS[kind]}, the file {theirs}"


def _with_heads(found: Pairing, places: Sequence[Place], spelling: Spelling) -> Pairing:
    """What a backbone has no use for may be of its heads; what is of a head that the network lacks is left out."""
    pairs, wanted = pair_heads([place for place in places if place.part in _NAMED], found.left_out, spelling)
    left_out = [name for name in found.left_out if name not in wanted]
    return Pairing(found.pairs | pairs, left_out, found.problems)


# ---- the TensorFlow model garden ----

_BLOCKS = {"bottleneck": "bottleneck_block", "residual": "residual_block", "mbconv": "inverted_bottleneck_block"}
_BLOCK = rf"(?P<block>{'|'.join(_BLOCKS.values())})(?:_(?P<nth>\d{{1,9}}))?/(?P<inner>squeeze_excitation(?:_\d+)?/)?"
_GARDEN = re.compile(rf"(?:{_BLOCK})?{_LAYER}/{_LEAF}")
_TOP = "the top level"
_SQUEEZE = "excite"  # what our path has where the model garden has a layer of its own


def _garden(places: Sequence[Place], names: Iterable[str]) -> Pairing:
    """Layers outside of blocks are counted together, those of a block within it, and blocks by their class."""
    names = list(names)
    numbers: dict[str, set[int]] = {}
    for name in names:
        parts = _GARDEN.fullmatch(name.removesuffix(":0"))
        if parts is not None and parts["block"]:
            numbers.setdefault(parts["block"], set()).add(int(parts["nth"] or 0))
    ranks = {block: sorted(found) for block, found in numbers.items()}

    def their_scope(parts: re.Match[str]) -> str:
        if not parts["block"]:
            return _TOP
        rank = ranks[parts["block"]].index(int(parts["nth"] or 0))
        return f"{parts['block']} {rank}{' squeeze_excitation' if parts['inner'] else ''}"

    strange = dict.fromkeys(p.row.type_name for p in places if p.part == BLOCK and p.row.type_name not in _BLOCKS)
    if strange:
        return Pairing(problems=[f"this code has no block type `{name}`" for name in strange])
    return _with_heads(_by_order(_GARDEN, their_scope, _in_garden(places), names), places, GARDEN_HEADS)


def _in_garden(places: Sequence[Place]) -> Iterable[tuple[str, Place]]:
    """Each place with its scope in the model garden."""
    seen: dict[tuple[str, int], int] = {}
    counts: dict[str, int] = {}
    for place in places:
        if place.part in _NAMED:
            continue
        if place.part != BLOCK:
            yield _TOP, place
            continue
        block, key = _BLOCKS[place.row.type_name], (place.row.name, place.repeat)
        if key not in seen:
            seen[key] = counts[block] = counts.get(block, -1) + 1
        inner = " squeeze_excitation" if _SQUEEZE in place.path else ""
        yield f"{block} {seen[key]}{inner}", place


# ---- tensorflow/tpu ----

_NETWORK = r"(?:spinenet|spinenet_mbconv|resnet\d+)"
_RESAMPLING = r"resample_with_(?:alpha|sepconv)_resample_\d+_(?P<slot>\d+)"
_PERMUTED = rf"sub_policy(?P<nth>\d+)/(?:(?P<block>scale_permuted_block_\d+)|{_RESAMPLING})/"
_TPU = re.compile(rf"{_NETWORK}/(?:{_PERMUTED})?{_LAYER}/{_LEAF}")


def _tpu(places: Sequence[Place], names: Iterable[str]) -> Pairing:
    """A block that resamples its inputs has a scope of its own and one for each; all else is counted together."""

    def their_scope(parts: re.Match[str]) -> str:
        if parts["nth"] is None:
            return _TOP
        return f"sub_policy{parts['nth']} {'block' if parts['block'] else 'resample ' + parts['slot']}"

    def our_scope(place: Place) -> str:
        if not place.permuted:
            return _TOP
        return f"sub_policy{place.index} {f'resample {place.slot}' if place.part == RESAMPLE else 'block'}"

    ours = ((our_scope(place), place) for place in places if place.part not in _NAMED)
    return _with_heads(_by_order(_TPU, their_scope, ours, names), places, TPU_HEADS)


# ---- SpineNet-Pytorch, the port to mmdet 1 ----


def _port(places: Sequence[Place], names: Iterable[str]) -> Pairing:
    """Names are attributes of modules, below `backbone.` in a detector."""
    names = list(names)
    inside = "backbone." if any(name.startswith("backbone.") for name in names) else ""
    found = Pairing(left_out=[name for name in names if not name.startswith(inside)])
    there = set(names)
    order: dict[tuple[str, int, int, str, bool], list[Place]] = {}
    for place in places:
        if place.part in _NAMED:
            continue
        key = (place.row.name, place.repeat, place.slot, place.part + place.kind, place.is_projection)
        order.setdefault(key, []).append(place)
    for group in order.values():
        for position, place in enumerate(group):
            layer = _in_port(place, position, len(group))
            pairs = {full: f"{inside}{layer}.{last}" for last, full in place.node.parameters.items()}
            found.pairs |= {full: name for full, name in pairs.items() if name in there}
    return found


_RESAMPLE = {2: ("squeeze_conv", "expand_conv"), 3: ("squeeze_conv", "downsample_conv", "expand_conv")}


def _in_port(place: Place, position: int, count: int) -> str:
    """The port's name of a layer, the `position`-th of `count` of its kind there."""
    last = "bn" if place.kind == "norm" else "conv"
    if place.part == STEM:
        return f"conv1.{last}"
    if place.part == OUTPUT:
        return f"endpoint_convs.{place.row.level}.{last}"
    if place.part == RESAMPLE:
        steps = _RESAMPLE.get(count, ("?",) * count)
        return f"merge_ops.{place.index}.resample_ops.{place.slot}.{steps[position]}.{last}"
    block = f"scale_permuted_blocks.{place.index}" if place.permuted else f"init_block{place.index + 1}"
    if place.is_projection:
        return f"{block}.{place.repeat}.downsample.{int(place.kind == 'norm')}"
    return f"{block}.{place.repeat}.{last}{position + 1}"


# ---- all of them ----

GARDEN = Scheme(
    "tensorflow/models", re.compile(rf"(?:{'|'.join(_BLOCKS.values())})(?:_\d+)?/.+"), _garden, tensorflow=True
)
TPU = Scheme("tensorflow/tpu", re.compile(rf"{_NETWORK}/.+"), _tpu, tensorflow=True)
PORT = Scheme(
    "SpineNet-Pytorch", re.compile(r"(?:backbone\.)?merge_ops\.\d+\.resample_ops\..+"), _port, tensorflow=False
)
SCHEMES: Mapping[str, Scheme] = {scheme.name: scheme for scheme in (GARDEN, TPU, PORT)}


def scheme_of(names: Iterable[str]) -> Scheme | None:
    """The scheme that gave these names; None if no one knows them."""
    names = list(names)
    return next((s for s in SCHEMES.values() if any(s.mark.fullmatch(name) for name in names)), None)
