"""The float network that becomes int8: its rows, what always stays float, and models as functions of images.

In: the graph of `-O1` with its tensors. Out: the model, and the nodes of each row that can become int8: convolutions,
linear layers and what stands between them. The last ones before the outputs stay float, so that predictions are not
rounded to 256 values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.target import Target
from spinedsl.ops.program import Program
from spinedsl.record import Record

Array: TypeAlias = NDArray[Any]
Outputs: TypeAlias = Mapping[str, Array]
Run: TypeAlias = Callable[[Array], Outputs]  # from a batch of images

HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")  # what is worth it
ROW = "spine.row"  # the property of a node that names its row
LEVEL = 1  # of passes: a norm that stands alone would be a step of its own


class Float(Record, eq=False):
    """A network in float32, ready to be quantised. `opset` is that of its models."""

    program: Program
    weights: Mapping[str, Array]
    opset: int

    @cached_property
    def model(self) -> ModelProto:
        """The model of the folded graph, for one image at a time."""
        model = onnx.load_model_from_string(
            emit_model(self.program, self.weights, target=Target(self.opset), dynamic=self.dynamic, level=LEVEL)
        )
        _settle(model)
        return model

    @property
    def dynamic(self) -> frozenset[str]:
        """The axes that stay open: the batch, unless a definition reads it."""
        return frozenset({"batch"} - set(self.program.static_axes))

    @cached_property
    def rows(self) -> Mapping[str, tuple[NodeProto, ...]]:
        """The nodes of each row, in running order, without those that always stay float."""
        by_row: dict[str, list[NodeProto]] = {}
        for node in self.model.graph.node:
            if node.name not in self.predictions and (row := row_of(node)):
                by_row.setdefault(row, []).append(node)
        return {name: tuple(nodes) for name, nodes in by_row.items()}

    def heavy(self, row: str) -> int:
        """How many convolutions and linear layers of a row can become int8."""
        return sum(node.op_type in HEAVY for node in self.rows[row])

    @cached_property
    def predictions(self) -> Mapping[str, None]:
        """The names of the nodes that always stay float.

        They are those between an output and the last convolutions or linear layers of the row that gives it, and these.
        """
        makers = {output: node for node in self.model.graph.node for output in node.output}
        found: dict[str, None] = {}
        for output in self.model.graph.output:
            value = output.name
            while (maker := makers[value]).op_type == "Identity" and maker.input[0] in makers:
                found[maker.name] = None
                value = maker.input[0]  # an output is a row under a second name
            row, values = row_of(maker), [value]
            while values:
                node = makers.get(values.pop())
                if node is None or node.name in found or row_of(node) != row:
                    continue
                found[node.name] = None
                if node.op_type not in HEAVY:
                    values.extend(node.input)
        return found

    @cached_property
    def run(self) -> Run:
        """The float model, run."""
        return runner(self.model)


def _settle(model: ModelProto) -> None:
    """Make a tensor of each kernel that the model makes of a tensor of fewer axes: quantisers take no other kernels."""
    graph = model.graph
    tensors = {one.name: one for one in graph.initializer}
    tensors |= {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
    kernels = {value for node in graph.node if node.op_type in HEAVY for value in node.input}
    for node in [*graph.node]:
        if node.op_type == "Unsqueeze" and node.input[0] in tensors and node.output[0] in kernels:
            array, axes = (numpy_helper.to_array(tensors[name]) for name in node.input)
            kernel = np.expand_dims(array, tuple(axes.tolist()))
            graph.initializer.append(numpy_helper.from_array(kernel, node.output[0]))
            graph.node.remove(node)
    used = {value for node in graph.node for value in node.input}
    for tensor in [*graph.initializer]:
        if tensor.name not in used:
            graph.initializer.remove(tensor)
    for node in [*graph.node]:
        if node.op_type == "Constant" and node.output[0] not in used:
            graph.node.remove(node)


def row_of(node: NodeProto) -> str:
    """The row of the file that a node comes from."""
    return next((entry.value for entry in node.metadata_props if entry.key == ROW), "")


def runner(model: ModelProto, threads: int = 0) -> Run:
    """A model as a function of a batch of images, which are run one by one."""
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given, names = session.get_inputs()[0].name, [output.name for output in session.get_outputs()]

    def run(images: Array) -> Outputs:
        each = [session.run(names, {given: images[n : n + 1]}) for n in range(len(images))]
        return {name: np.concatenate([found[at] for found in each]) for at, name in enumerate(names)}

    return run
