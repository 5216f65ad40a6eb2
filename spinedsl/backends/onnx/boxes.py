"""Boxes: what a detector's maps mean, as nodes of ONNX behind those that make them.

In: the graph of a network, what its detection task says, and what is kept. Out: the same graph with four outputs in the
place of its own: `boxes` (images, most, 4) in pixels of the network's image, `scores` and `labels` (images, most), and
the `count` of each image; behind it boxes and scores are 0 and labels -1.

The steps are those of `tasks/detection/decoding.py` and `suppression.py`, to the bit: what is exponential is computed
in float64 and rounded once, and every choice is by float32 numbers in the same order, the first of equals. What is not
above the threshold is carried along with the score -1, since tensors have one size for all images.
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
from spinedsl.ops.detection import LARGEST, Detector, Limits, logit

NAMES = ("boxes", "scores", "labels", "count")
DETECTION = "spine.detection"  # the property that says how boxes are found
NONE = -1  # the score of what is no candidate, and the label of what is no box
SOME = -0.5  # less than any score, and more than none


class Candidates(NamedTuple):
    """Of each image as many: boxes (images, candidates, 4); scores and labels (images, candidates)."""

    boxes: Value
    scores: Value
    labels: Value


def find_boxes(graph: GraphProto, target: Target, what: Detector, limits: Limits) -> None:
    """Put the nodes that find boxes behind those of a network, and let it give those alone."""
    _set_free(graph, NAMES)
    taken = {name for node in graph.node for name in node.output} | {graph.input[0].name}
    nodes = Nodes("detection", taken, target.opset)
    kind = np.dtype(np.float16 if target.half else np.float32)
    maps = {one.name: Value(nodes, one.name, kind) for one in graph.output}
    image = Value(nodes, graph.input[0].name, kind)
    height, width = (nodes.size(image, axis).cast(np.float32) for axis in (2, 3))
    levels = [_level(nodes, what, maps, number, limits) for number in range(len(what.strides))]
    found = Candidates(*(nodes.joined(*parts, axis=1) for parts in zip(*levels, strict=True)))
    edges = nodes.joined(*(side.axes(0) for side in (width, height, width, height)), axis=0)
    found = found._replace(boxes=found.boxes.at_least(0.0).at_most(edges))
    batch = graph.output[0].type.tensor_type.shape.dim[0]
    images = batch.dim_param or batch.dim_value
    graph.value_info.extend(graph.output)
    del graph.output[:]
    for name, value in zip(NAMES, _kept(nodes, what, found, limits), strict=True):
        shape = [images, limits.most, 4][: {"boxes": 3, "count": 1}.get(name, 2)]
        element = TensorProto.FLOAT if value.kind == np.float32 else TensorProto.INT64
        given = nodes.fresh(name)
        nodes.name(value, given)
        graph.output.append(helper.make_tensor_value_info(given, element, shape))
    graph.node.extend(nodes.made)


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


def _level(nodes: Nodes, what: Detector, maps: Mapping[str, Value], number: int, limits: Limits) -> Candidates:
    """The best candidates of a level: as many as are kept of it, or as there are."""
    logits = _by_place(maps[what.scores[number]], what.classes)
    key, least = logits, logit(limits.score)
    if what.quality:
        quality = _by_place(maps[what.quality[number]], 1).cast(np.float64).sigmoid()
        key = nodes.apply("Sqrt", logits.cast(np.float64).sigmoid() * quality).cast(np.float32)
        least = limits.score
    key = key.shaped(0, -1)
    key = nodes.where(key > least, key, -math.inf)
    best, at = nodes.largest(key, nodes.size(key, 1).at_most(limits.top).axes(0), axis=1)
    scores = best if what.quality else best.cast(np.float64).sigmoid().cast(np.float32)
    places = at / what.classes
    codes = _by_place(maps[what.boxes[number]], 4)
    codes = nodes.apply("GatherND", codes, places.axes(2), batch_dims=1).cast(np.float64)
    columns = nodes.size(maps[what.boxes[number]], 3)
    decoded = _from_anchors if what.sides else _from_points
    boxes = decoded(nodes, codes, places, columns, what, what.strides[number])
    return Candidates(boxes, nodes.where(best > -math.inf, scores, float(NONE)), at % what.classes)


def _by_place(values: Value, numbers: int) -> Value:
    """A map's numbers place by place, float32: (images, places, numbers)."""
    return values.cast(np.float32).moved(0, 2, 3, 1).shaped(0, -1, numbers)


def _points(nodes: Nodes, positions: Value, columns: Value, stride: int) -> Value:
    """The centres of some positions of a map: (images, positions, 2), float32."""
    axes = (positions % columns, positions / columns)
    return nodes.joined(*(((one.cast(np.float32) + 0.5) * float(stride)).axes(2) for one in axes), axis=2)


def _from_anchors(
    nodes: Nodes, deltas: Value, places: Value, columns: Value, what: Detector, stride: int
) -> Value:  # fmt: skip
    """Boxes of deltas, as `coding.from_deltas`."""
    many = len(what.sides)
    centres = _points(nodes, places / many, columns, stride)
    sides = nodes.constant((np.array(what.sides, np.float64) * (stride / 2)).astype(np.float32))
    around = nodes.apply("Gather", sides, places % many, axis=0)
    first, last = (one.cast(np.float64) for one in (centres - around, centres + around))
    whole = last - first
    middle = first + whole * 0.5 + deltas.between(0, 2, 2) * whole
    half = deltas.between(2, 4, 2).at_most(LARGEST).exp() * whole * 0.5
    return nodes.joined(middle - half, middle + half, axis=2).cast(np.float32)


def _from_points(
    nodes: Nodes, distances: Value, places: Value, columns: Value, what: Detector, stride: int
) -> Value:  # fmt: skip
    """Boxes of distances, as `coding.from_distances`."""
    points, reach = _points(nodes, places, columns, stride).cast(np.float64), distances * float(stride)
    return nodes.joined(points - reach.between(0, 2, 2), points + reach.between(2, 4, 2), axis=2).cast(np.float32)


# ---- what stays ----


def _kept(nodes: Nodes, what: Detector, found: Candidates, limits: Limits) -> tuple[Value, ...]:
    """What stays of each image, with falling scores, and how many."""
    image, label, box = (one.shaped(-1) for one in _suppressed(nodes, what, found, limits))
    pair = nodes.joined(image.axes(1), box.axes(1), axis=1)
    scores, boxes = (nodes.apply("GatherND", one, pair) for one in (found.scores, found.boxes))
    images = nodes.count(nodes.size(found.scores, 0))
    own = nodes.where(images.axes(1).equals(image.axes(0)), scores.axes(0), float(NONE))
    # So many that are none stand behind, and stay where there are not enough.
    beside = nodes.joined(nodes.size(found.scores, 0).axes(0), nodes.whole([limits.most]), axis=0)
    spare = nodes.apply("Expand", nodes.constant(np.array(NONE, np.float32)), beside)
    best, at = nodes.largest(nodes.joined(own, spare, axis=1), nodes.whole([limits.most]), axis=1)
    there = best > SOME
    rows = nodes.joined(boxes, nodes.constant(np.zeros((limits.most, 4), np.float32)), axis=0)
    labels = nodes.joined(label, nodes.constant(np.full(limits.most, NONE, np.int64)), axis=0)
    boxes, labels = (nodes.apply("Gather", one, at, axis=0) for one in (rows, labels))
    return (
        nodes.where(there.axes(2), boxes, 0.0),
        nodes.where(there, best, 0.0),
        nodes.where(there, labels, NONE),
        nodes.apply("ReduceSum", there.cast(np.int64), nodes.whole([1]), keepdims=0),
    )


def _suppressed(nodes: Nodes, what: Detector, found: Candidates, limits: Limits) -> tuple[Value, Value, Value]:
    """What `NonMaxSuppression` leaves: image, class and number of a candidate, each (rows, 1).

    Of a class the best is the first. The operator takes any two corners for a box, so one that is turned over is made
    one without area.
    """
    first, last = found.boxes.between(0, 2, 2), found.boxes.between(2, 4, 2)
    proper = nodes.joined(first, nodes.apply("Max", first, last), axis=2)
    scores = found.scores.axes(1)
    if what.classes > 1:
        classes = nodes.constant(np.arange(what.classes, dtype=np.int64).reshape(-1, 1))
        scores = nodes.where(found.labels.axes(1).equals(classes), scores, float(NONE))
    limit = (nodes.constant(np.array([one], np.float32)) for one in (limits.overlap, SOME))
    rows = nodes.apply("NonMaxSuppression", proper, scores, nodes.whole([limits.most]), *limit, kind=np.int64)
    image, label, box = (rows.between(axis, axis + 1, 1) for axis in range(3))
    return image, label, box
