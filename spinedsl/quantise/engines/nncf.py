"""NNCF, by its ONNX backend: one model with everything in int8, of which the rows that stay float are put back.

A range is from the least to the largest number of a value over all images. Biases are moved by what the rounding of a
kernel adds to the mean of its output. Both are a matter of one operation and its input, so a row is put back by giving
its nodes the inputs of the float model, and the network is calibrated once.

ONNX Runtime computes in int8 what has inputs and an output in int8, with one scale for each but kernels. NNCF is made
for OpenVINO, which needs less: the output of a concatenation or a pool is a float number there (`_carry` says that it
is one of int8, as those of its inputs are), and so is what a norm or an activation takes (`_round`).
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from unittest import mock

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from spinedsl.quantise.engines import Made
from spinedsl.quantise.engines.onnxruntime import calibrated
from spinedsl.quantise.network import HEAVY, Array, Float
from spinedsl.quiet import quiet
from spinedsl.record import Record

STEPS = ("QuantizeLinear", "DequantizeLinear")
MOVING = (
    "Concat", "DepthToSpace", "Flatten", "MaxPool", "Reshape", "Resize", "Slice", "SpaceToDepth", "Squeeze",
    "Transpose", "Unsqueeze",
)  # fmt: skip  # operations whose outputs have no number that no input has; of `Resize` the nearest


class Whole(Record, eq=False):
    """All of a network in int8: the inputs of each node by its name, what rounds values by its output, and tensors."""

    inputs: Mapping[str, Sequence[str]]
    steps: Mapping[str, NodeProto]
    tensors: Mapping[str, TensorProto]


def prepared(network: Float, images: Sequence[Array], *, reduce_range: bool) -> Made:
    """The int8 models of a network, calibrated on these images, each (1, channels, height, width)."""
    model = _quantised(network, images, reduce_range=reduce_range)
    _carry(model)
    _round(model, network, images)
    _share(model)
    whole = Whole(
        {node.name: tuple(node.input) for node in model.graph.node if node.op_type not in STEPS},
        {node.output[0]: node for node in model.graph.node if node.op_type in STEPS},
        {tensor.name: tensor for tensor in model.graph.initializer},
    )
    return lambda rows: _with_rows(network, whole, rows)


def _with_rows(network: Float, whole: Whole, rows: Collection[str]) -> ModelProto:
    """The float model, in which the nodes of these rows have the inputs that they have in int8."""
    model = ModelProto()
    model.CopyFrom(network.model)
    wanted = {node.name for row in rows for node in network.rows[row]}
    placed: dict[str, NodeProto] = {}

    def place(value: str) -> Iterator[NodeProto]:
        step = whole.steps.get(value)
        if step is not None and value not in placed:
            yield from place(step.input[0])
            placed[value] = step
            yield step

    nodes: list[NodeProto] = []
    for node in network.model.graph.node:
        if node.name in wanted:
            inputs = whole.inputs.get(node.name, node.input)
            for value in inputs:
                nodes.extend(place(value))
            again = NodeProto()
            again.CopyFrom(node)
            again.ClearField("input")
            again.input.extend(inputs)
            nodes.append(again)
        else:
            nodes.append(node)
    used = {value for node in nodes for value in node.input}
    tensors = {one.name: one for one in network.model.graph.initializer if one.name in used}
    made = {*tensors, *(value for node in nodes for value in node.output)}
    tensors |= {name: one for name, one in whole.tensors.items() if name in used and name not in made}
    model.graph.ClearField("node")
    model.graph.ClearField("initializer")
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(tensors.values())
    return model


def _quantised(network: Float, images: Sequence[Array], *, reduce_range: bool) -> ModelProto:
    """The model in which every row is int8, as NNCF makes it."""
    nncf = _imported()
    parameters, ranges = (
        import_module("nncf.quantization.advanced_parameters"),
        import_module("nncf.quantization.range_estimator"),
    )
    model = _parted(network.model)
    name = model.graph.input[0].name
    rows = {node.name for nodes in network.rows.values() for node in nodes}
    left = [node.name for node in model.graph.node if node.name not in rows]
    overflow = nncf.OverflowFix.ENABLE if reduce_range else nncf.OverflowFix.DISABLE
    with _silent():
        found = nncf.quantize(
            model,
            nncf.Dataset([{name: image} for image in images]),
            preset=nncf.QuantizationPreset.MIXED,  # values that are never below 0 lose no half of the 256
            subset_size=len(images),
            ignored_scope=nncf.IgnoredScope(names=left, validate=False),
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                overflow_fix=overflow,
                activations_quantization_params=parameters.QuantizationParameters(per_channel=False),
                activations_range_estimator_params=ranges.RangeEstimatorParametersSet.MINMAX,
            ),
        )
    assert isinstance(found, ModelProto)
    return found


def _parted(model: ModelProto) -> ModelProto:
    """The model with tensors for each convolution and linear layer: what shares them is corrected apart.

    Constants are tensors too: NNCF takes numbers of a node for none.
    """
    found = ModelProto()
    found.CopyFrom(model)
    tensors = {one.name: one for one in model.graph.initializer}
    tensors |= {node.output[0]: node.attribute[0].t for node in model.graph.node if node.op_type == "Constant"}
    found.graph.ClearField("initializer")
    found.graph.ClearField("node")
    found.graph.node.extend(node for node in model.graph.node if node.op_type != "Constant")
    placed: set[str] = set()
    for node in found.graph.node:
        for place, value in enumerate(node.input):
            if value not in tensors:
                continue
            if node.op_type in HEAVY and (place == 2 or value in placed):
                node.input[place] = f"{value}/{node.name}"
            if node.input[place] not in placed:
                placed.add(node.input[place])
                copy = found.graph.initializer.add()
                copy.CopyFrom(tensors[value])
                copy.name = node.input[place]
    return found


def _carry(model: ModelProto) -> None:
    """Let what moves int8 numbers give int8 numbers: they are rounded to themselves."""
    numbers = {one.name: one for one in model.graph.initializer}
    scales: dict[str, tuple[str, str]] = {}  # of values that are numbers of int8
    renamed: dict[str, str] = {}
    nodes: list[NodeProto] = []
    for old in model.graph.node:
        node = NodeProto()
        node.CopyFrom(old)
        for place, value in enumerate(node.input):
            node.input[place] = renamed.get(value, value)
        nodes.append(node)
        if node.op_type == "DequantizeLinear" and len(node.input) == 3:
            scales[node.output[0]] = (node.input[1], node.input[2])
        elif node.op_type in MOVING and _moves(node):
            values = node.input if node.op_type == "Concat" else node.input[:1]
            found = [scales.get(value) for value in values]
            known = [one for one in found if one is not None]
            if len(known) < len(found) or len({_numbers(numbers, one) for one in known}) != 1:
                continue
            (output, *others), (scale, zero) = node.output, known[0]
            if others and others[0]:
                continue
            nodes.extend(_steps(output, scale, zero))
            renamed[output] = nodes[-1].output[0]
            scales[renamed[output]] = (scale, zero)
    model.graph.ClearField("node")
    model.graph.node.extend(nodes)


def _steps(value: str, scale: str, zero: str) -> tuple[NodeProto, NodeProto]:
    """What rounds a value to int8, and makes it a float number again."""
    rounded, again = f"{value}/int8", f"{value}/float"
    return (
        helper.make_node("QuantizeLinear", [value, scale, zero], [rounded], name=rounded),
        helper.make_node("DequantizeLinear", [rounded, scale, zero], [again], name=again),
    )


def _moves(node: NodeProto) -> bool:
    modes = [helper.get_attribute_value(one) for one in node.attribute if one.name == "mode"]
    return node.op_type != "Resize" or modes in ([], [b"nearest"])


def _numbers(tensors: Mapping[str, TensorProto], names: tuple[str, str]) -> tuple[bytes, ...]:
    """A scale and its zero as something to compare."""
    arrays = [numpy_helper.to_array(tensors[name]) for name in names]
    return tuple(array.tobytes() + str((array.dtype, array.shape)).encode() for array in arrays)


def _round(model: ModelProto, network: Float, images: Sequence[Array]) -> None:
    """Round the results of int8 that NNCF leaves to norms and activations as float numbers, by their ranges."""
    rows = {node.name for nodes in network.rows.values() for node in nodes}
    users: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for value in node.input:
            users.setdefault(value, []).append(node)
    again = {node.input[0]: node.output[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    known = {*again.values()}
    taken: dict[str, list[NodeProto]] = {}  # by those that take them as float numbers
    for node in model.graph.node:
        if node.op_type in HEAVY and node.name in rows and node.input[0] in known:
            value = node.output[0]
            if [one.op_type for one in users.get(value, [])] == ["Relu"]:
                value = users[value][0].output[0]
            others = [one for one in users.get(value, []) if one.op_type not in STEPS and one.name in rows]
            if others:
                taken[value] = others
    ranges = calibrated(network, iter(images)) if taken else {}
    for value, others in taken.items():
        rounded = next((one.output[0] for one in users[value] if one.op_type in STEPS), "")
        if not rounded:
            least, most = (np.asarray(one).item() for one in ranges[value].range_value)
            low, high = min(least, 0.0), max(most, 0.0)
            scale = (high - low) / 255 or 1.0
            numbers: dict[str, Array] = {
                f"{value}/scale": np.array(scale, np.float32),
                f"{value}/zero": np.array(round(-low / scale), np.uint8),
            }
            model.graph.initializer.extend(numpy_helper.from_array(one, name) for name, one in numbers.items())
            steps = _steps(value, *numbers)
            model.graph.node.extend(steps)
            rounded, again[rounded] = (step.output[0] for step in steps)
        for node in others:
            for place, one in enumerate(node.input):
                node.input[place] = again[rounded] if one == value else one


def _share(model: ModelProto) -> None:
    """Let tensors that are equal be one, as those of convolutions that share a kernel are."""
    first: dict[bytes, str] = {}
    names: dict[str, str] = {}
    tensors: list[TensorProto] = []
    for tensor in model.graph.initializer:
        nameless = TensorProto()
        nameless.CopyFrom(tensor)
        nameless.ClearField("name")
        names[tensor.name] = first.setdefault(nameless.SerializeToString(), tensor.name)
        if names[tensor.name] == tensor.name:
            tensors.append(tensor)
    for node in model.graph.node:
        for place, value in enumerate(node.input):
            node.input[place] = names.get(value, value)
    kept = [*tensors]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


# ---- without a word of its own ----


def _imported() -> ModuleType:
    """NNCF, which as it is imported counts its users in their home folder, and changes what loggers are made of."""
    if "nncf" in sys.modules:
        return sys.modules["nncf"]
    kind, counts = logging.getLoggerClass(), "openvino_telemetry"
    before = sys.modules.get(counts)
    sys.modules[counts] = None  # type: ignore[assignment]  # so it is not there
    try:
        return import_module("nncf")
    finally:
        logging.setLoggerClass(kind)
        del sys.modules[counts]
        if before is not None:
            sys.modules[counts] = before


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without bars of progress, a log, or a message to those who count its users, whoever imported it."""
    from nncf.telemetry import decorator  # noqa: PLC0415

    with (
        quiet(),
        contextlib.redirect_stdout(io.StringIO()),
        mock.patch.object(decorator, "telemetry", mock.MagicMock()),
    ):
        yield
