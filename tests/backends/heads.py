"""Random numbers of a detector's heads, and the boxes that PyTorch, a generated file and ONNX Runtime find in them."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper
from torch import Tensor

from spinedsl import api
from spinedsl.backends.onnx.boxes import NAMES, find_boxes
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.detection import Detector, Limits, detector
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.tasks.detection import decode

NET = """spine 1
import std.blocks
import std.stems
import std.heads

network Net {{
    input image: 3 x 64 x 96
    defaults {{ act relu, norm batch_norm }}
    stem s: resnet_stem channels 4
    block b3: residual  level 3  after s   channels 4
    block b4: residual  level 4  after b3  channels 4
    output P3: b3
    output P4: b4
{rows}}}
"""
TOWERS = """    head scores: retina_tower(outputs = {classes} * {anchors}, depth = 1, start = -1) from P3, P4 channels 4
    head boxes: retina_tower(outputs = 4 * {anchors}, depth = 1) from P3, P4 channels 4
"""
QUALITY = "    head quality: retina_tower(outputs = {anchors}, depth = 1) from P3, P4 channels 4\n"
POINTS = "    task find: detection(classes = {classes}) classes scores boxes boxes"
ANCHORS = (
    "    task find: detection(classes = {classes}, ratios = [0.5, 1, 3], scales = 2, size = 3) "
    "classes scores boxes boxes"
)
KINDS = [(anchored, quality, classes) for anchored in (True, False) for quality in (True, False) for classes in (1, 5)]


def text(anchored: bool, quality: bool, classes: int) -> str:
    """A small detector of one kind."""
    rows = TOWERS + (QUALITY if quality else "") + (ANCHORS if anchored else POINTS)
    rows += " quality quality\n" if quality else "\n"
    return NET.format(rows=rows.format(classes=classes, anchors=6 if anchored else 1))


@cache
def module(kind: tuple[bool, bool, int]) -> Any:
    """Its generated class with a method `detect`, and what its task says."""
    source = Source.from_text(text(*kind), "net.spine")
    return api.load(source, detect=True).eval(), detector(api.program(source))


class Case(Record, eq=False):
    """What heads gave for images of a size, and what is kept of it."""

    kind: tuple[bool, bool, int]
    outputs: dict[str, Tensor]
    size: tuple[int, int]
    limits: Limits


def case(seed: int) -> Case:
    """One to four images; every third case has few different scores, every fourth many boxes turned over or flat.

    Every fifth has numbers that are as large as they can be, infinite, or none.
    """
    draw = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    what: Detector = module(kind)[1]
    images, size = int(draw.integers(1, 5)), (int(draw.integers(1, 4)) * 16, int(draw.integers(1, 5)) * 16)
    outputs: dict[str, Tensor] = {}
    for names, each in ((what.scores, what.classes), (what.quality, 1), (what.boxes, 4)):
        for name, stride in zip(names, what.strides, strict=False):
            shape = (images, each * max(1, len(what.sides)), size[0] // stride, size[1] // stride)
            values = draw.normal(0 if each == 4 else -1, 2, shape)
            if each == 4 and not what.sides and seed % 4:
                values = abs(values)
            if seed % 3 == 0:
                values = np.round(values) if each != 4 else np.round(values * 2) / 2
            if seed % 5 == 4:
                far = draw.choice([-np.inf, -3e38, 3e38, np.inf, np.nan][: 4 if each == 4 else 5], shape)
                values = np.where(draw.random(shape) < 0.2, far, values)
            outputs[name] = torch.from_numpy(values.astype(np.float32))
    most = int(draw.choice([1, 3, 20, 100]))
    score = 0.999 if seed % 25 == 7 else float(draw.choice([0.0, 0.05, 0.3, 0.5]))
    top, overlap = int(draw.choice([1, 7, 40, 1000])), float(draw.choice([0.3, 0.5, 1]))
    return Case(kind, outputs, size, Limits(score, top, overlap, most))


def of_pytorch(one: Case) -> dict[str, Tensor]:
    """What `spinedsl.tasks.detection.decode` finds."""
    limits = one.limits
    found = decode(
        module(one.kind)[1], one.outputs, one.size, score=limits.score, top=limits.top, overlap=limits.overlap,
        most=limits.most,
    )  # fmt: skip
    return {name: getattr(found, name) for name in NAMES}


def of_the_file(one: Case) -> dict[str, Tensor]:
    """What the generated method finds, where `forward` gives these numbers."""
    network, limits = module(one.kind)[0], one.limits
    held = SimpleNamespace(forward=lambda images: one.outputs)
    images = torch.zeros(len(next(iter(one.outputs.values()))), 3, *one.size)
    found: dict[str, Tensor] = type(network).detect(
        held, images, score=limits.score, top=limits.top, overlap=limits.overlap, most=limits.most
    )
    return found


def model(one: Case, opset: int = 18, fixed: bool = False) -> onnx.ModelProto:
    """A model that takes what heads give, and the image for its size, which is fixed or open."""
    shaped: list[tuple[str, list[Any]]] = [
        (name, list(values.shape) if fixed else ["N", values.shape[1], f"h.{name}", f"w.{name}"])
        for name, values in one.outputs.items()
    ]
    size: list[Any] = [len(next(iter(one.outputs.values()))), 3, *one.size] if fixed else ["N", 3, "h", "w"]
    given = [helper.make_tensor_value_info("image", TensorProto.FLOAT, size)]
    given += [helper.make_tensor_value_info(f"given.{name}", TensorProto.FLOAT, shape) for name, shape in shaped]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shaped]
    nodes = [helper.make_node("Identity", [f"given.{name}"], [name]) for name in one.outputs]
    graph = helper.make_graph(nodes, "heads", given, outputs)
    find_boxes(graph, Target(opset), module(one.kind)[1], one.limits)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=Target(opset).ir_version)
    onnx.checker.check_model(made, full_check=True)
    return made


def fed(one: Case) -> dict[str, Any]:
    """What that model takes."""
    images = len(next(iter(one.outputs.values())))
    feed = {f"given.{name}": values.numpy() for name, values in one.outputs.items()}
    return {"image": np.zeros((images, 3, *one.size), np.float32), **feed}


def of_onnx(one: Case, opset: int = 18, fixed: bool = False) -> dict[str, Tensor]:
    """What ONNX Runtime finds."""
    data = model(one, opset, fixed).SerializeToString()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return {
        name: torch.from_numpy(np.array(values))
        for name, values in zip(NAMES, session.run(NAMES, fed(one)), strict=True)
    }


def differing(seed: int) -> list[str]:
    """Where the three engines do not find the same boxes in the same order in a case: their names and an output's."""
    one = case(seed)
    expected = of_pytorch(one)
    others = {
        "the file": of_the_file(one),
        "ONNX, open size": of_onnx(one),
        "ONNX, fixed size": of_onnx(one, fixed=True),
    }
    return [
        f"case {seed}: {engine}: {name}"
        for engine, found in others.items()
        for name in NAMES
        if found[name].dtype != expected[name].dtype or not torch.equal(found[name], expected[name])
    ]
