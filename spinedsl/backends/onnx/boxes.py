"""Boxes: what a detector's maps mean, as nodes of ONNX behind those that make them.

In: the graph of a network, what its detection task says, and what is kept. Out: the same graph with four outputs in the
place of its own: `boxes` (images, most, 4) in pixels of the network's image, `scores` and `labels` (images, most), and
the `count` of each image; behind it boxes and scores are 0 and labels -1.

The choices are those of `tasks/detection/decoding.py` and `suppression.py`, to the bit, but not in their steps:

1. The maps of all levels stand in one row. Places where no class of any image is above the threshold are left out; by
   logits that is found without a sigmoid.
2. Only if an image has more candidates than are kept of a level, the best of each level are looked for.
3. Boxes are decoded, `NonMaxSuppression` compares what candidates are compared by, logits or scores, and its threshold
   leaves out what is no candidate. What is exponential is computed in float64, of as few numbers as can be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from onnx import GraphProto, TensorProto, helper

from spinedsl.backends.onnx.nodes import Nodes, Value
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.detection import DETECTION, LARGEST, Detector, Limits, logit

NAMES = ("boxes", "scores", "labels", "count")
NONE = -1  # the label of what is no box, and the score that a box has in other images than its own
SPARE = -0.5  # the score of what is no box: less than any, and more than those of other images


class Candidates(NamedTuple):
    """What could become a box: what candidates are compared by, the numbers of their boxes, and where they are."""

    keys: Value  # logits or scores, (images, candidates, classes)
    codes: Value  # (images, candidates, 4)
    places: Value  # (images or 1, candidates)


def find_boxes(graph: GraphProto, target: Target, what: Detector, limits: Limits) -> None:
    """Put the nodes that find boxes behind those of a network, and let it give those alone."""
    _set_free(graph, NAMES)
    taken = {name for node in graph.node for name in node.output} | {graph.input[0].name}
    nodes = Nodes("detection", taken, target.opset)
    kind = np.dtype(np.float16 if target.half else np.float32)
    maps = {one.name: Value(nodes, one.name, kind) for one in graph.output}
    spots, counts = _spots(nodes, [maps[name] for name in what.boxes], what)
    known = [_most(graph, name, limits.top) for name in what.scores]
    found = _candidates(nodes, maps, what, limits, counts, known)
    boxes = _boxes(nodes, found, spots, what)
    height, width = (nodes.size(Value(nodes, graph.input[0].name, kind), axis).cast(np.float32) for axis in (2, 3))
    edges = nodes.joined(*(side.axes(0) for side in (width, height, width, height)), axis=0)
    kept = _kept(nodes, boxes.at_least(0.0).at_most(edges), found.keys.moved(0, 2, 1), what, limits)
    _give(graph, nodes, kept, limits.most)


def _give(graph: GraphProto, nodes: Nodes, values: Sequence[Value], most: int) -> None:
    """Let a graph give values of these nodes in the place of its own."""
    batch = graph.output[0].type.tensor_type.shape.dim[0]
    images = batch.dim_param or batch.dim_value
    graph.value_info.extend(graph.output)
    del graph.output[:]
    names = output_names(graph.input[0].name)
    for name, given, value in zip(NAMES, names, values, strict=True):
        shape = [images, most, 4][: {"boxes": 3, "count": 1}.get(name, 2)]
        element = TensorProto.FLOAT if value.kind == np.float32 else TensorProto.INT64
        nodes.name(value, given)
        graph.output.append(helper.make_tensor_value_info(given, element, shape))
    graph.node.extend(nodes.made)


def _most(graph: GraphProto, name: str, top: int) -> int | None:
    """How many candidates a map has, where that is known and no more than are kept of a level."""
    shape = next(one.type.tensor_type.shape for one in graph.output if one.name == name)
    count = math.prod(dimension.dim_value for dimension in shape.dim[1:])  # 0 where one is open
    return count if 0 < count <= top else None


def output_names(given: str) -> tuple[str, ...]:
    """What the four outputs are called in a model whose input is called so."""
    free = Nodes("", {given}, 0)
    return tuple(free.fresh(name) for name in NAMES)


def described(what: Detector, limits: Limits) -> dict[str, str]:
    """The property of the model that says what it finds, and by which thresholds."""
    found = {
        "task": what.name, "classes": what.classes, "strides": list(what.strides), "score": limits.score,
        "top": limits.top, "overlap": limits.overlap, "max_detections": limits.most,
    }  # fmt: skip
    return {DETECTION: json.dumps(found)}


def _set_free(graph: GraphProto, names: Sequence[str]) -> None:
    """Give values of the network that have one of these names another."""
    taken = {name for node in graph.node for name in (*node.input, *node.output)} | {*names}
    free = Nodes("", taken, 0)
    made = {name for node in graph.node for name in node.output}
    others = {name: free.fresh(name) for name in names if name in made}
    for node in graph.node:
        for held in (node.input, node.output):
            held[:] = [others.get(name, name) for name in held]
    for value in (*graph.output, *graph.value_info):
        value.name = others.get(value.name, value.name)


# ---- candidates ----


def _by_place(nodes: Nodes, maps: Sequence[Value], numbers: int) -> Value:
    """The numbers of the maps of all levels, place by place, float32: (images, places, numbers)."""
    row = nodes.joined(*(one.shaped(0, 0, -1) for one in maps), axis=2)
    return row.moved(0, 2, 1).shaped(0, -1, numbers).cast(np.float32)


def _keys(nodes: Nodes, maps: Mapping[str, Value], what: Detector) -> Value:
    """What classes of places are compared by, (images, places, classes): logits, or scores where there is a quality."""
    logits = _by_place(nodes, [maps[name] for name in what.scores], what.classes)
    if not what.quality:
        return logits
    quality = _by_place(nodes, [maps[name] for name in what.quality], 1)
    product = logits.cast(np.float64).sigmoid() * quality.cast(np.float64).sigmoid()
    return nodes.apply("Sqrt", product).cast(np.float32)


def _spots(nodes: Nodes, maps: Sequence[Value], what: Detector) -> tuple[Value, Value]:
    """Of all positions, centre and stride in pixels, (positions, 3), float32; and how many a level has, (levels,).

    Nothing here reads an image, so that runtimes compute it once where the size is fixed.
    """
    sizes = nodes.joined(*(nodes.sizes(one, 2, 4) for one in maps), axis=0).shaped(-1, 2)
    rows, columns = (sizes.between(axis, axis + 1, 1).shaped(-1) for axis in (0, 1))
    counts = rows * columns
    ends = nodes.running(counts)
    position = nodes.count(nodes.apply("ReduceSum", counts, keepdims=0))
    level = nodes.apply("ReduceSum", (ends.axes(1) <= position).cast(np.int64), nodes.whole([0]), keepdims=0)
    strides = nodes.constant(np.array(what.strides, np.float32))
    stride, column, start = (nodes.apply("Gather", one, level, axis=0) for one in (strides, columns, ends - counts))
    within = position - start
    centre = (((one.cast(np.float32) + 0.5) * stride).axes(1) for one in (within % column, within / column))
    return nodes.joined(*centre, stride.axes(1), axis=1), counts


def _candidates(
    nodes: Nodes,
    maps: Mapping[str, Value],
    what: Detector,
    limits: Limits,
    counts: Value,
    known: Sequence[int | None],
) -> Candidates:
    """The candidates of each image, those of all levels.

    Some may not be above the threshold, but none is missing, and none is there that is not among the best of its level.

    Args:
        nodes: of the graph.
        maps: what the heads give, by name.
        what: of the task.
        limits: what is kept.
        counts: how many positions a level has, when the model runs.
        known: how many candidates a level has, where all of them are kept.
    """
    keys, codes = _keys(nodes, maps, what), _by_place(nodes, [maps[name] for name in what.boxes], 4)
    flat = keys.shaped(0, -1)
    passing = (flat > _least(what, limits)).cast(np.float32)

    def few() -> Candidates:
        """Those of places where a class of an image is above the threshold, in their order."""
        anywhere = nodes.total(passing, 0).shaped(-1, what.classes)
        at = nodes.positions(nodes.total(anywhere, 1).shaped(-1))
        of_keys, of_boxes = (nodes.apply("Gather", one, at, axis=1) for one in (keys, codes))
        return Candidates(of_keys, of_boxes, at.axes(0))

    def many() -> Candidates:
        """The best of each level, each with one class."""
        best, at = _best(nodes, flat, what, limits, counts, known)
        best, places = best.axes(2), at
        if what.classes > 1:
            own = (at % what.classes).axes(2).equals(nodes.whole(range(what.classes)))
            best, places = nodes.where(own, best, -math.inf), at / what.classes
        return Candidates(best, nodes.apply("GatherND", codes, places.axes(2), batch_dims=1), places)

    if None not in known:
        return few()
    most = nodes.apply("ReduceMax", nodes.total(passing, 1), keepdims=0)
    return Candidates(*nodes.choice(most > limits.top, many, few))


def _least(what: Detector, limits: Limits) -> float:
    """What a key has to be above."""
    return limits.score if what.quality else logit(limits.score)


def _best(
    nodes: Nodes, keys: Value, what: Detector, limits: Limits, counts: Value, known: Sequence[int | None]
) -> tuple[Value, Value]:
    """The `top` keys of each level, of equal ones the first, and which of all they are: (images, candidates)."""
    keys = nodes.where(keys > _least(what, limits), keys, -math.inf)  # what is no number is not among the largest
    lengths = counts * (max(1, len(what.sides)) * what.classes)
    starts = nodes.running(lengths) - lengths
    images = nodes.sizes(keys, 0, 1)
    found: list[tuple[Value, Value]] = []
    for level, part in enumerate(nodes.parts(keys, lengths, len(what.strides), axis=1)):
        count = known[level]
        if count is None:
            best, at = nodes.largest(part, nodes.size(part, 1).at_most(limits.top).axes(0), axis=1)
        else:  # all of them
            at = nodes.count(nodes.constant(np.array(count, np.int64)))
            best, at = part, nodes.apply("Expand", at, nodes.joined(images, nodes.whole([count]), axis=0))
        found.append((best, at + starts.between(level, level + 1, 0)))
    best, at = (nodes.joined(*parts, axis=1) for parts in zip(*found, strict=True))
    return best, at


def _boxes(nodes: Nodes, found: Candidates, spots: Value, what: Detector) -> Value:
    """The boxes of candidates, (images, candidates, 4), not clipped."""
    codes, many = found.codes.cast(np.float64), len(what.sides)
    spot = nodes.apply("Gather", spots, found.places / many if many else found.places, axis=0)
    centre, stride = spot.between(0, 2, 2), spot.between(2, 3, 2)
    if not many:
        return _from_points(nodes, codes, centre, stride)
    halves = nodes.constant((np.array(what.sides, np.float64) / 2).astype(np.float32))
    return _from_anchors(nodes, codes, centre, nodes.apply("Gather", halves, found.places % many, axis=0) * stride)


def _from_anchors(nodes: Nodes, deltas: Value, centre: Value, sides: Value) -> Value:
    """Boxes of deltas, as `coding.from_deltas`. `sides` are half as long as the anchors'."""
    first, last = (one.cast(np.float64) for one in (centre - sides, centre + sides))
    whole = last - first
    middle = first + whole * 0.5 + deltas.between(0, 2, 2) * whole
    half = deltas.between(2, 4, 2).at_most(LARGEST).exp() * whole * 0.5
    return nodes.joined(middle - half, middle + half, axis=2).cast(np.float32)


def _from_points(nodes: Nodes, distances: Value, centre: Value, stride: Value) -> Value:
    """Boxes of distances, as `coding.from_distances`."""
    points, reach = centre.cast(np.float64), distances * stride.cast(np.float64)
    return nodes.joined(points - reach.between(0, 2, 2), points + reach.between(2, 4, 2), axis=2).cast(np.float32)


# ---- what stays ----


def _kept(nodes: Nodes, boxes: Value, keys: Value, what: Detector, limits: Limits) -> tuple[Value, ...]:
    """What stays of each image, with falling scores, and how many.

    Args:
        nodes: of the graph.
        boxes: (images, places, 4).
        keys: what they are compared by, (images, classes, places).
        what: of the task.
        limits: what is kept.
    """
    rows = _suppressed(nodes, boxes, keys, _least(what, limits), limits)  # image, class and place of each that stays
    image, label = (rows.between(axis, axis + 1, 1).shaped(-1) for axis in (0, 1))
    scores = nodes.apply("GatherND", keys, rows)
    scores = scores if what.quality else scores.cast(np.float64).sigmoid().cast(np.float32)
    boxes = nodes.apply("GatherND", boxes, nodes.apply("Gather", rows, nodes.whole([0, 2]), axis=1))
    own = nodes.count(nodes.size(keys, 0)).axes(1).equals(image)
    # So many that are none stand behind, and are taken where there are not enough.
    scores = nodes.padded(nodes.where(own, scores, float(NONE)), [0, 0, 0, limits.most], SPARE)
    best, at = nodes.largest(scores, nodes.whole([limits.most]), axis=1)
    boxes, label = nodes.padded(boxes, [0, 0, limits.most, 0], 0), nodes.padded(label, [0, limits.most], NONE)
    return (
        nodes.apply("Gather", boxes, at, axis=0),
        best.at_least(0.0),
        nodes.apply("Gather", label, at, axis=0),
        nodes.apply("ReduceSum", (best > SPARE).cast(np.int64), nodes.whole([1]), keepdims=0),
    )


def _suppressed(nodes: Nodes, boxes: Value, keys: Value, least: float, limits: Limits) -> Value:
    """What `NonMaxSuppression` leaves, of a class the best first: (rows, 3).

    The operator takes any two corners for a box, so one that is turned over is made one without area.
    """
    first, last = boxes.between(0, 2, 2), boxes.between(2, 4, 2)
    proper = nodes.joined(first, first.at_least(last), axis=2)
    limit = (nodes.constant(np.array([one], np.float32)) for one in (limits.overlap, least))
    return nodes.apply("NonMaxSuppression", proper, keys, nodes.whole([limits.most]), *limit, kind=np.int64)
