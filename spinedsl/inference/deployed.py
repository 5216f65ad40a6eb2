"""A network as it is deployed: images as files decode to go in, and what its task makes of its output comes out.

In: a trained network. Out: nodes of ONNX around those of the network, and the property that says what the model is for;
for formats that PyTorch exports to, a module that does the same. Where a format takes images of one size only, the half
of preprocessing that Pillow does stays outside.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import GraphProto, TensorProto, helper

from spinedsl.backends.onnx.nodes import Nodes, Value
from spinedsl.backends.onnx.target import Target
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.inference.exported import TRAINED, VERSION
from spinedsl.inference.fitting import fitted
from spinedsl.ops.graph import flatten
from spinedsl.ops.naming import names_for, value_names
from spinedsl.ops.program import Program
from spinedsl.record import Record

if TYPE_CHECKING:
    from torch import nn

    from spinedsl.training.build import Trained

SMALLEST = 1e-12  # what a vector is divided by at least, as `torch.nn.functional.normalize` has it


class Deployed(Record, eq=False):
    """How a network is deployed. With `inside`, images of any size are resized in the model."""

    program: Program
    pre: Preprocessing
    kind: str
    output: str
    inside: bool = True

    @property
    def sizes(self) -> str | list[int]:
        """The sizes of the images that it takes, as the property of a model has them."""
        return "any" if self.inside else [self.pre.height, self.pre.width]

    @property
    def names(self) -> tuple[str, str]:
        """What its input and its output are called: other names than those of the network's values."""
        graph = flatten(self.program)
        free = Nodes("", {*value_names(graph, names_for(graph)), *graph.parameters}, 0)
        return free.fresh("images"), free.fresh(DECODED[self.kind].name)

    def around(self, structure: GraphProto, target: Target) -> None:
        """Put preprocessing before the nodes of a network, and what the task makes of its output behind them."""
        taken = {name for node in structure.node for name in node.output}
        taken.update(value.name for value in (*structure.input, *structure.output))
        images, result = self.names
        (given,), (output,) = structure.input, structure.output
        batch = given.type.tensor_type.shape.dim[0]
        size = ("height", "width", "channels") if self.inside else (self.pre.height, self.pre.width, self.pre.channels)
        before = Nodes("preprocessing", taken | {images, result}, target.opset)
        last = _numbers(before, Value(before, images, np.dtype(np.uint8)), self.pre, inside=self.inside)
        if target.half:
            last = last.cast(np.float16)
        before.name(last, given.name)
        behind = Nodes("task", taken | {images, result}, target.opset)
        value = Value(behind, output.name, np.dtype(np.float16 if target.half else np.float32)).cast(np.float32)
        behind.name(DECODED[self.kind].nodes(behind, value), result)
        inner = list(structure.node)
        del structure.node[:]
        structure.node.extend([*before.made, *inner, *behind.made])
        count = output.type.tensor_type.shape.dim[1].dim_value
        structure.value_info.extend([given, output])
        del structure.input[:], structure.output[:]
        whole = batch.dim_param or batch.dim_value
        structure.input.append(helper.make_tensor_value_info(images, TensorProto.UINT8, [whole, *size]))
        structure.output.append(helper.make_tensor_value_info(result, TensorProto.FLOAT, [whole, count]))

    def metadata(self, trained: Trained, digest: str) -> dict[str, str]:
        """The property of a model that says what it is for."""
        images, result = self.names
        found = {
            "version": VERSION, "task": self.kind, "output": self.output, "classes": list(trained.classes),
            "preprocessing": self.pre.to_json(), "network": self.program.name, "digest": digest,
            "step": int(trained.about["step"]),
            "input": {"name": images, "layout": "NHWC", "type": "uint8", "sizes": self.sizes},
            "outputs": [result], "aligned": bool(trained.about.get("aligned")),
        }  # fmt: skip
        return {TRAINED: json.dumps(found, ensure_ascii=False, allow_nan=False)}


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


def _unit(nodes: Nodes, vectors: Value) -> Value:
    return vectors / nodes.length(vectors, 1).at_least(SMALLEST)


DECODED: Mapping[str, Decoded] = {
    "classification": Decoded(
        "shares", "a share for each class; they sum to 1", lambda nodes, value: nodes.apply("Softmax", value, axis=1)
    ),
    "embedding": Decoded("vectors", "a vector of length 1, near for one identity and far for two", _unit),
}  # by the kind of a task


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
