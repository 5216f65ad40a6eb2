"""The ONNX model of every primitive passes the full checker, and ONNX Runtime agrees with the reference interpreter."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from spinedsl import api
from spinedsl.backends import Options
from spinedsl.backends import onnx as backend
from spinedsl.backends.onnx import emit_model, to_text
from spinedsl.backends.onnx.operators import OPERATORS
from spinedsl.backends.torch import build
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Operand, Program, Ref
from spinedsl.ops.types import Loc, Type
from spinedsl.record import replace
from tests.building import CASES, FIXED, Network, case, image_for, op, open_axes, single, weights_for

ALL = frozenset({"batch", "height", "width"})
EXAMPLE = Path(__file__).resolve().parents[3] / "examples/spinenet.spine"


def checked(data: bytes) -> onnx.ModelProto:
    """The model, which the full checker and strict shape inference accept."""
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return model


def session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 2  # warnings of shapes that do not fit are printed: see `test_no_complaints`
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def run_ort(data: bytes, image: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    ready = session(data)
    names = [output.name for output in ready.get_outputs()]
    return dict(zip(names, ready.run(names, {"image": image}), strict=True))


def error(got: NDArray[Any], expected: NDArray[Any]) -> float:
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def static_shape(value: onnx.ValueInfoProto) -> list[int | str]:
    return [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim]


# ---- every primitive ----


def test_every_primitive_has_a_row() -> None:
    assert set(OPERATORS) == set(PRIMITIVES)


@pytest.mark.parametrize("name", CASES)
def test_as_the_interpreter(name: str) -> None:
    program, graph = case(name)
    weights, image = weights_for(graph), image_for(program)
    data = emit_model(program, weights)
    model = checked(data)
    assert static_shape(model.graph.input[0]) == [1, 3, 32, 48]
    assert error(run_ort(data, image)["P"], run(graph, weights, image, dtype=np.float64)["P"]) < 5e-6


@pytest.mark.parametrize("name", CASES)
def test_as_the_interpreter_with_open_axes(name: str) -> None:
    program, graph = case(name)
    weights = weights_for(graph)
    data = emit_model(program, weights, dynamic=open_axes(program))
    model = checked(data)
    assert static_shape(model.graph.input[0]) == ["N", 3, *((32, 48) if name in FIXED else ("16*h", "16*w"))]
    ready = session(data)
    for batch, times in ((1, 1), (2, 3)):
        image = image_for(program, batch=batch, times=times)
        expected = run(graph, weights, image, dtype=np.float64)["P"]
        (got,) = ready.run(["P"], {"image": image})
        assert error(got, expected) < 5e-6


@pytest.mark.parametrize("name", CASES)
def test_every_value_has_its_true_shape(name: str) -> None:
    """Run with every value as an output, and compare the shapes with those that the model states."""
    program, graph = case(name)
    weights = weights_for(graph)
    sizes = {"N": 2, "h": 6, "w": 3}
    model = onnx.load_from_string(emit_model(program, weights, dynamic=open_axes(program)))
    stated = [*model.graph.value_info, *model.graph.output]
    assert {value.name for value in stated} == {name for node in model.graph.node for name in node.output}
    del model.graph.output[:]
    model.graph.output.extend(stated)
    got = run_ort(model.SerializeToString(), image_for(program, batch=2, times=3))
    for value in stated:
        shape = [eval(str(size), {}, sizes) for size in static_shape(value)]  # of our own `16*h`
        assert list(got[value.name].shape) == shape, value.name


def test_no_complaints(capfd: pytest.CaptureFixture[str]) -> None:
    """ONNX Runtime warns where the shapes that it infers are not those that the model states."""
    for name in CASES:
        program, graph = case(name)
        for dynamic in (frozenset[str](), ALL, frozenset({"height"})):
            model = emit_model(program, weights_for(graph), dynamic=dynamic & open_axes(program))
            run_ort(model, image_for(program))
    complaints = [line for line in capfd.readouterr().err.splitlines() if "warning" in line.lower() or "[W:" in line]
    assert complaints == []


@pytest.mark.parametrize("momentum", [Fraction(99, 100), Fraction(1, 2), Fraction(0)])
def test_momentum_is_the_share_of_the_statistics_that_stays(momentum: Fraction) -> None:
    """ONNX's convention: in training mode the standard's own evaluator moves the mean as PyTorch does."""
    program = single(lambda x: op("batch_norm", x, momentum=momentum))
    weights, image = weights_for(flatten(program)), image_for(program, batch=2)
    model = onnx.load_from_string(emit_model(program, weights, dynamic=frozenset({"batch"})))
    (node,) = (node for node in model.graph.node if node.op_type == "BatchNormalization")
    node.attribute.append(onnx.helper.make_attribute("training_mode", 1))
    node.output.extend(["mean", "variance"])
    shape = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [3]) for name in ("mean", "variance")]
    model.graph.output.extend(shape)
    mean = dict(zip(("mean",), ReferenceEvaluator(model).run(["mean"], {"image": image}), strict=True))["mean"]
    module = build(program).train()
    module.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, strict=False)
    module(torch.from_numpy(image))
    (name,) = (name for name in weights if name.endswith("running_mean"))
    assert np.allclose(mean, module.state_dict()[name].numpy(), atol=1e-6)
    assert not np.allclose(mean, weights[name])


def test_openvino() -> None:
    openvino = pytest.importorskip("openvino")
    core = openvino.Core()
    for name in ("conv groups", "batch_norm", "layer_norm", "group_norm", "gelu", "hard_swish", "max_pool 5 stride 4",
                 "average_pool", "upsample 3",
                 "pad", "crop", "channel shuffle", "concat among images",
                 "parameter", "hard_sigmoid literal", "add pooled"):  # fmt: skip
        program, graph = case(name)
        weights, image = weights_for(graph), image_for(program, batch=2, times=3)
        data = emit_model(program, weights, dynamic=ALL)
        compiled = core.compile_model(core.read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        assert error(compiled(image)["P"], run(graph, weights, image)["P"]) < 1e-5, name


@pytest.mark.parametrize("between", ["identity", "relu"])
@pytest.mark.parametrize(
    "name", ["pixel_shuffle", "pixel_unshuffle", "pixel_unshuffle 4", "channel shuffle", "slice", "concat"]
)
def test_openvino_keeps_the_order_of_channels(name: str, between: str) -> None:
    """It takes what puts channels in another order into the weights of a convolution behind it."""
    openvino = pytest.importorskip("openvino")
    core = openvino.Core()
    program = single(lambda x: op("conv", op(between, CASES[name][1](x)), channels=4, kernel=1, path="behind"))
    graph = flatten(program)
    weights = weights_for(graph)
    for axes, batch in ((frozenset[str](), 1), (ALL, 2)):
        image = image_for(program, batch=batch)
        data = emit_model(program, weights, dynamic=axes)
        compiled = core.compile_model(core.read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        assert error(compiled(image)["P"], run(graph, weights, image)["P"]) < 1e-5, axes


# ---- names ----


def block(x: Ref) -> Operand:
    y = op("batch_norm", op("conv", x, channels=3, kernel=3, path="squeeze.conv"), path="squeeze.norm")
    return op("relu", op("add", op("stochastic_depth", y, rate=0), x))


def model_of(program: Program, **options: Any) -> onnx.ModelProto:
    return checked(emit_model(program, weights_for(flatten(program)), **options))


def test_names() -> None:
    model = model_of(single(block))
    assert [(node.name, node.op_type, list(node.output)) for node in model.graph.node] == [
        ("b.squeeze.conv", "Conv", ["b.squeeze.conv"]),
        ("b.squeeze.norm", "BatchNormalization", ["b.squeeze.norm"]),
        ("b.add", "Add", ["b.add"]),
        ("b.relu", "Relu", ["b"]),
        ("P", "Identity", ["P"]),
    ]
    assert [tensor.name for tensor in model.graph.initializer] == [
        "b.squeeze.conv.weight",
        *(f"b.squeeze.norm.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
    ]
    assert [value.name for value in model.graph.value_info] == ["b.squeeze.conv", "b.squeeze.norm", "b.add", "b"]


def test_outputs_in_order_and_under_their_own_names() -> None:
    """One is the input itself, two are one block's map, one is a row of its own."""
    network = Network(Type(3, 16, 16, 0)).output("I", "image").block("b", lambda x: op("relu", x))
    network.output("P", "b").output("Q", "b").block("R", lambda x: op("relu6", x), "b", kind="output")
    program = network.program(outputs=("R", "Q", "I", "P"))
    model = model_of(program)
    assert [output.name for output in model.graph.output] == ["R", "Q", "I", "P"]
    image = image_for(program)
    got = run_ort(emit_model(program, {}), image)
    assert np.array_equal(got["I"], image)
    assert np.array_equal(got["P"], np.maximum(image, 0))
    assert np.array_equal(got["Q"], got["P"])


def test_idle_operations_leave_no_node_and_the_row_its_name() -> None:
    program = single(lambda x: op("stochastic_depth", op("identity", op("relu", x)), rate=0))
    assert [list(node.output) for node in model_of(program).graph.node] == [["b"], ["P"]]
    nothing = single(lambda x: op("identity", x))
    assert [(node.op_type, list(node.input)) for node in model_of(nothing).graph.node] == [("Identity", ["image"])]


def test_names_never_clash() -> None:
    """An operation that is called as the weight of another, one name twice, and one that ends as a part of another."""

    def definition(x: Ref) -> Operand:
        y = op("conv", x, channels=3, kernel=1, path="a", shared=True)
        y = op("conv", y, channels=3, kernel=1, path="a", shared=True)
        y = op("relu", op("relu", y, path="a.weight"), path="twice")
        return op("swish", op("relu", y, path="twice"), path="a")

    model = model_of(single(definition))
    values = [name for node in model.graph.node for name in node.output]
    taken = ["image", *values, *(tensor.name for tensor in model.graph.initializer)]
    assert len(taken) == len(set(taken))
    labels = [node.name for node in model.graph.node]
    assert len(labels) == len(set(labels))
    assert [tensor.name for tensor in model.graph.initializer] == ["b.a.weight"]


def test_every_node_says_where_it_comes_from() -> None:
    model = model_of(single(lambda x: op("gelu", op("layer_norm", x))))
    origins = [{entry.key: entry.value for entry in node.metadata_props} for node in model.graph.node]
    assert {"spine.row": "P", "spine.line": "net.spine:1"} in origins
    real = [origin for node, origin in zip(model.graph.node, origins, strict=True) if node.op_type != "Constant"]
    assert all(set(origin) == {"spine.row", "spine.line"} for origin in real)


# ---- the model as a whole ----


def test_metadata() -> None:
    model = model_of(single(block), metadata={"b": "2", "a": "1"})
    *entries, form, numbers, digest = [(entry.key, entry.value) for entry in model.metadata_props]
    assert [form[0], numbers[0], digest[0]] == ["spine.sha256.form", "spine.sha256.numbers", "spine.sha256"]
    assert entries == [
        ("spine.network", "Net"),
        ("spine.digest", "6b8cffa3571169b7b040f9e0045df56272622757a6e046c44fad85194698cacf"),
        ("spine.source.net.spine", "spine 1\n# é\n"),
        ("spine.source.std/blocks.spine", "spine 1\n"),
        ("a", "1"),
        ("b", "2"),
    ]
    assert (model.producer_name, model.ir_version, model.graph.name) == ("spinedsl", 8, "Net")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]


def test_bytes_are_those_of_protobuf() -> None:
    """The weights are spliced in by hand: nobody who reads the model may see that."""
    program = single(lambda x: op("batch_norm", op("conv", x, channels=64, kernel=3)))
    weights = weights_for(flatten(program))
    data = emit_model(program, weights, metadata={"a": "b"})
    model = onnx.load_from_string(data)
    assert model.SerializeToString(deterministic=True) == data
    for tensor in model.graph.initializer:
        assert np.array_equal(onnx.numpy_helper.to_array(tensor), weights[tensor.name])


def test_deterministic() -> None:
    program, graph = case("group_norm")
    weights = weights_for(graph)
    backwards = dict(reversed(weights.items()))
    again = case("group_norm")[0]
    assert emit_model(program, weights, dynamic=ALL) == emit_model(again, backwards, dynamic=ALL)


def test_one_open_axis() -> None:
    model = model_of(single(lambda x: op("max_pool", x, kernel=2, stride=2)), dynamic=frozenset({"width"}))
    assert static_shape(model.graph.input[0]) == [1, 3, 32, "16*w"]
    assert static_shape(model.graph.output[0]) == [1, 3, 16, "8*w"]


def test_what_only_the_caller_can_get_wrong() -> None:
    program, graph = case("conv3")
    weights = weights_for(graph)
    with pytest.raises(ValueError, match="no such axis: depth"):
        emit_model(program, weights, dynamic=frozenset({"depth"}))
    with pytest.raises(ValueError, match=r"`b.conv.weight` has shape \(1,\), expected \(5, 3, 3, 3\)"):
        emit_model(program, {"b.conv.weight": np.zeros(1, np.float32)})
    with pytest.raises(ValueError, match=r"the height is fixed by net\.spine:2"):
        emit_model(replace(program, static_axes={"height": Loc("net.spine", 2)}), weights, dynamic=ALL)


# ---- the backend ----


def test_emit_makes_weights_from_the_seed() -> None:
    program, graph = case("conv bias")
    files = backend.emit(program, Options(seed=5)).value
    assert files is not None
    assert list(files) == ["Net.onnx"]
    assert files["Net.onnx"] == emit_model(program, seeded(graph.parameters, 5), metadata={"spine.weights": "seed 5"})


def test_emit_takes_weights() -> None:
    program, graph = case("conv bias")
    weights = weights_for(graph)
    files = backend.emit(program, Options(weights=weights, origin="w.safetensors")).value
    assert files is not None
    image = image_for(program)
    assert error(run_ort(files["Net.onnx"], image)["P"], run(graph, weights, image)["P"]) < 1e-6
    assert {p.key: p.value for p in onnx.load_from_string(files["Net.onnx"]).metadata_props}[
        "spine.weights"
    ] == "w.safetensors"


def test_an_axis_that_a_definition_reads_cannot_vary() -> None:
    program = replace(case("conv3")[0], static_axes={"height": Loc("net.spine", 2)})
    outcome = backend.emit(program, Options(dynamic=ALL))
    assert outcome.value is None
    (fixed,) = outcome.diagnostics
    assert fixed.message == "the height of network `Net` cannot vary"
    assert (fixed.span.source.name, fixed.span.line, fixed.span.text) == ("net.spine", 2, "# é")


def test_a_model_that_its_format_cannot_hold_is_refused() -> None:
    outcome = backend.emit(
        single(lambda x: op("conv", op("conv", x, channels=30_000, kernel=1), channels=30_000, kernel=1)),
        Options(external_data="never"),
    )
    assert outcome.value is None
    assert [diagnostic.code.id for diagnostic in outcome.diagnostics] == ["E0907"]


# ---- text ----


def test_text() -> None:
    def definition(x: Ref) -> Operand:
        y = op("group_norm", op("conv", x, channels=4, kernel=3, stride=2), groups=2)
        return op("upsample", op("multiply_scalar", y, value=3), levels=1)

    lines = to_text(single(definition), dynamic=ALL).splitlines()
    assert lines[:9] == [
        "model Net  ir 8  opset 18",
        "",
        "input  image [N, 3, 16*h, 16*w]",
        "output P [N, 4, 16*h, 16*w]",
        "",
        "initializer b.conv.weight 4x3x3x3",
        "initializer b.group_norm.weight 4",
        "initializer b.group_norm.bias 4",
        "",
    ]
    convolution = "b.conv = Conv(image, .weight, kernel_shape=[3,3], strides=[2,2], pads=[0,0,1,1])"
    assert lines[9] == f"{convolution} -> [N, 4, 8*h, 8*w]  net.spine:1"
    upsampled = "b [b.upsample] = Resize(b.multiply_scalar, _, constant.1x1x2x2, mode=nearest, "
    upsampled += "coordinate_transformation_mode=asymmetric, nearest_mode=floor)"
    assert lines[-2] == f"{upsampled} -> [N, 4, 16*h, 16*w]  net.spine:1"
    assert lines[-1] == "P = Identity(b) -> [N, 4, 16*h, 16*w]  net.spine:1"
    assert "constant.3 = Constant(value=3) -> []" in lines
    assert "constant.0x2x-1 = Constant(value=[0,2,-1]) -> int64 [3]" in lines


# ---- a whole network ----


def test_spinenet() -> None:
    """The published network, in a size that the model was not made for."""
    program = api.program(EXAMPLE, network="SpineNet49S", size=(128, 128))
    graph = flatten(program)
    weights = seeded(graph.parameters, 0)
    data = emit_model(program, weights, dynamic=ALL)
    checked(data)
    image = np.random.default_rng(0).standard_normal((1, 3, 256, 128)).astype(np.float32)
    got, expected = run_ort(data, image), run(graph, weights, image)
    assert list(got) == ["P3", "P4", "P5", "P6", "P7"]
    for name, value in got.items():
        assert error(value, expected[name]) < 1e-5


@pytest.mark.parametrize("options", [{}, {"optimise": 1}, {"external_data": "always"}], ids=str)
def test_each_tensor_is_in_memory_once_while_a_model_is_written(options: dict[str, Any]) -> None:
    program = api.program(EXAMPLE, network="SpineNet49S")
    size = 4 * sum(parameter.elements for parameter in flatten(program).parameters.values())
    tracemalloc.start()
    try:
        files = api.emit(program, to="onnx", **options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(map(len, files.values())) > 0.98 * size
    assert peak < 1.3 * size + 4 * 2**20


def test_weights_that_are_given_stay() -> None:
    program, graph = case("conv bias")
    weights = weights_for(graph)
    before = {name: array.copy() for name, array in weights.items()}
    for level in (0, 1):
        emit_model(program, weights, level=level)
        backend.emit_files(program, weights, level=level)
    assert weights.keys() == before.keys()
    assert all((weights[name] == array).all() for name, array in before.items())
