"""A network as it is deployed: images as files decode to go in, and what its task makes of its output comes out.

In: a trained network. Out: nodes of ONNX around those of the network, and the property that says what the model is for;
for formats that PyTorch exports to, a module that does the same. Where a format takes images of one size only, the half
of preprocessing that Pillow does stays outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import GraphProto, TensorProto, helper

from spinedsl.backends.onnx.boxes import described, find_boxes, output_names
from spinedsl.backends.onnx.nodes import Nodes, Value
from spinedsl.backends.onnx.target import Target
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.use import IMAGE, PICTURE, PIXELS, use
from spinedsl.inference.fitting import fitted, unplaced
from spinedsl.ops.detection import Detector, Limits
from spinedsl.ops.graph import flatten
from spinedsl.ops.naming import names_for, value_names
from spinedsl.ops.program import Program
from spinedsl.record import Record

if TYPE_CHECKING:
    from torch import nn

    from spinedsl.training.build import Trained

SMALLEST = 1e-12  # what a vector is divided by at least, as `torch.nn.functional.normalize` has it


class Deployed(Record, eq=False):
    """How a network is deployed. With `inside`, images of any size are resized in the model.

    Of a detector `detector` says what its maps mean, and `limits` what is kept of what it finds.
    """

    program: Program
    pre: Preprocessing
    kind: str
    output: str
    inside: bool = True
    detector: Detector | None = None
    limits: Limits = Limits()

    @property
    def sizes(self) -> str | list[int]:
        """The sizes of the images that it takes, as the property of a model has them."""
        return "any" if self.inside else [self.pre.height, self.pre.width]

    @property
    def names(self) -> tuple[str, ...]:
        """What its input and its outputs are called: other names than those of the network's values."""
        graph = flatten(self.program)
        values = value_names(graph, names_for(graph))
        free = Nodes("", {*values, *graph.parameters}, 0)
        if self.detector is not None:
            return free.fresh("images"), *output_names(values[0])
        return free.fresh("images"), free.fresh(DECODED[self.kind].name)

    @property
    def words(self) -> str:
        """What comes out."""
        return FOUND[self.inside] if self.detector is not None else DECODED[self.kind].words

    def around(self, structure: GraphProto, target: Target) -> None:
        """Put preprocessing before the nodes of a network, and what the task makes of its output behind them."""
        if self.detector is not None:
            find_boxes(structure, target, self.detector, self.limits)
        taken = {name for node in structure.node for name in node.output}
        taken.update(value.name for value in (*structure.input, *structure.output))
        images, *results = self.names
        taken.update((images, *results))
        (given,) = structure.input
        batch = given.type.tensor_type.shape.dim[0]
        size = ("height", "width", "channels") if self.inside else (self.pre.height, self.pre.width, self.pre.channels)
        before = Nodes("preprocessing", taken, target.opset)
        last = _numbers(before, Value(before, images, np.dtype(np.uint8)), self.pre, inside=self.inside)
        if target.half:
            last = last.cast(np.float16)
        before.name(last, given.name)
        behind = Nodes("task", taken, target.opset)
        if self.detector is None:
            _decoded(behind, structure, target, DECODED[self.kind], results[0])
        elif self.inside:
            _in_pictures(behind, structure, images, results, self.pre)
        inner = list(structure.node)
        del structure.node[:]
        structure.node.extend([*before.made, *inner, *behind.made])
        structure.value_info.append(given)
        del structure.input[:]
        whole = batch.dim_param or batch.dim_value
        structure.input.append(helper.make_tensor_value_info(images, TensorProto.UINT8, [whole, *size]))

    def metadata(self, trained: Trained, digest: str) -> dict[str, str]:
        """The properties of a model that say what it is for."""
        images, *results = self.names
        boxes = "" if self.detector is None else PICTURE if self.inside else IMAGE
        found = use(
            task=self.kind, output=self.output, classes=trained.classes, preprocessing=self.pre,
            network=self.program.name, digest=digest, step=int(trained.about["step"]),
            given={"name": images, "layout": PIXELS, "type": "uint8", "sizes": self.sizes}, outputs=results,
            boxes=boxes, aligned=bool(trained.about.get("aligned")),
        )  # fmt: skip
        return found if self.detector is None else {**found, **described(self.detector, self.limits)}


# ---- before the network ----


def _numbers(nodes: Nodes, images: Value, pre: Preprocessing, *, inside: bool) -> Value:
    """What the network takes of images: its numbers, float32, channels before the height."""
    value = fitted(nodes, images, pre) if inside else images.moved(0, 3, 1, 2)
    for step in pre.graph():
        if step.op == "reverse":
            value = nodes.apply("Gather", value, nodes.whole([2, 1, 0]), axis=1)
        elif step.op == "cast":
            value = value.cast(np.float32)
        elif step.op in ("subtract", "divide"):
            numbers = nodes.constant(np.array(step.values, dtype=np.float32).reshape(-1, 1, 1))
            value = value - numbers if step.op == "subtract" else value / numbers
    return value  # transposed before


# ---- behind it ----


class Decoded(Record, eq=False):
    """What `Task.decode` does, as nodes, and what its result is called."""

    name: str
    words: str
    nodes: Callable[[Nodes, Value], Value]


def _decoded(nodes: Nodes, structure: GraphProto, target: Target, decoded: Decoded, result: str) -> None:
    """What the task makes of the one output, in its place."""
    (output,) = structure.output
    value = Value(nodes, output.name, np.dtype(np.float16 if target.half else np.float32)).cast(np.float32)
    nodes.name(decoded.nodes(nodes, value), result)
    batch, count = output.type.tensor_type.shape.dim
    structure.value_info.append(output)
    del structure.output[:]
    size = [batch.dim_param or batch.dim_value, count.dim_value]
    structure.output.append(helper.make_tensor_value_info(result, TensorProto.FLOAT, size))


def _in_pictures(
    nodes: Nodes, structure: GraphProto, images: str, results: Sequence[str], pre: Preprocessing
) -> None:  # fmt: skip
    """Boxes in pixels of the pictures, without those that have no area there, as `Boxes.in_picture`.

    Behind the count of each image boxes and scores stay 0, and labels -1.
    """
    inner = {name: nodes.fresh(f"task.{name}") for name in results}
    for node in structure.node:
        node.output[:] = [inner.get(name, name) for name in node.output]
    kinds = (np.float32, np.float32, np.int64)
    found, scores, labels = (
        Value(nodes, inner[name], np.dtype(kind)) for name, kind in zip(results, kinds, strict=False)
    )
    moved = unplaced(nodes, Value(nodes, images, np.dtype(np.uint8)), found, pre)
    left, top, right, bottom = (moved.between(side, side + 1, 2).shaped(0, -1) for side in range(4))
    there = nodes.where(right <= left, 0, nodes.where(bottom <= top, 0, (labels >= 0).cast(np.int64)))
    most = nodes.size(labels, 1)
    order = there * most - nodes.count(most)
    _, at = nodes.largest(order, most.axes(0), axis=1)
    stays = there > 0
    held = (
        nodes.where(stays.axes(2), moved, 0.0), nodes.where(stays, scores, 0.0), nodes.where(stays, labels, -1)
    )  # fmt: skip
    for value, name in zip(held, results, strict=False):
        nodes.name(nodes.apply("GatherND", value, at.axes(2), batch_dims=1), name)
    nodes.name(nodes.total(there, 1).shaped(-1), results[3])


def _unit(nodes: Nodes, vectors: Value) -> Value:
    return vectors / nodes.length(vectors, 1).at_least(SMALLEST)


DECODED: Mapping[str, Decoded] = {
    "classification": Decoded(
        "shares", "a share for each class; they sum to 1", lambda nodes, value: nodes.apply("Softmax", value, axis=1)
    ),
    "embedding": Decoded("vectors", "a vector of length 1, near for one identity and far for two", _unit),
}  # by the kind of a task
_BOXES = "`boxes` (left, top, right, bottom), `scores` and `labels` of each image, of which `count` are boxes; boxes in"
FOUND = {
    True: f"{_BOXES} pixels of the picture that was put in",
    False: f"{_BOXES} pixels of the network's image, which the lines below turn into those of the picture",
}  # by whether images of any size are resized in the model


# ---- the same as a module ----


def module_of(trained: Trained) -> nn.Module:
    """A module from `uint8` images of the network's size (N x H x W x C) to what its task makes of the output."""
    import torch  # noqa: PLC0415  only some formats need it
    from torch import nn  # noqa: PLC0415

    pre = trained.preprocessing

    class Whole(nn.Module):
        shift: torch.Tensor
        scale: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = trained.module
            for name in ("shift", "scale"):
                self.register_buffer(name, torch.from_numpy(getattr(pre, name).reshape(-1, 1, 1)))

        def forward(self, images: torch.Tensor) -> Any:
            pixels = images.permute(0, 3, 1, 2).to(torch.float32)
            if pre.order == "bgr":
                pixels = torch.cat([pixels[:, 2:3], pixels[:, 1:2], pixels[:, 0:1]], 1)
            return trained.decode(self.network((pixels - self.shift) / self.scale))

    return Whole().eval()
