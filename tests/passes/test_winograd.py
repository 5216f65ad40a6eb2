"""3x3 convolutions four rows at a time: which ones, and that they compute what others do."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl import api
from spinedsl.agreement import lively_weights
from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.refill import opened, refilled
from spinedsl.backends.onnx.target import Target
from spinedsl.backends.onnx.winograd import KERNELS, REACH, SUMS
from spinedsl.cli import main
from spinedsl.ops.graph import Node, flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Operand, Program, Ref
from spinedsl.ops.types import Type
from spinedsl.passes import Numbers, effects, optimised
from spinedsl.passes.form import SINGLE
from spinedsl.passes.winograd import ROWS
from tests.building import op, single, weights_for
from tests.profiles import drawn

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LATE: dict[str, Any] = {"level": 2, "runtime": "onnxruntime"}


USUAL = Type(48, 8, 8, 0)


def convolution(x: Type = USUAL, channels: int = 48, **given: Any) -> Program:
    return single(lambda ref: op("conv", ref, channels=channels, **{"kernel": 3, **given}), x)


def marked(program: Program, numbers: Numbers = SINGLE) -> list[Node]:
    graph = optimised(flatten(program), 2, runtime="onnxruntime", numbers=numbers).graph
    return [node for node in graph.nodes if "rows" in node.attributes]


def far(program: Program, image: Any, weights: Any = None, **more: Any) -> float:
    """How far a model of level 2 is from the interpreter, by the largest number of an output."""
    graph = flatten(program)
    weights = weights or weights_for(graph)
    model = emit_model(program, weights, **LATE, **more)
    onnx.checker.check_model(model, full_check=True)
    found = onnxruntime.InferenceSession(model).run(None, {program.input_name: image})
    exact = run(graph, weights, image, dtype=np.float64)
    distances = []
    for name, value in zip(graph.outputs, found, strict=True):
        assert exact[name].shape == value.shape
        distances.append(float(np.abs(exact[name] - value).max() / np.abs(exact[name]).max()))
    return max(distances)


def images(program: Program, batch: int = 1, height: int = 0, width: int = 0) -> Any:
    x = program.input_type
    shape = batch, x.channels, height or x.height, width or x.width
    return np.random.default_rng(0).standard_normal(shape, np.float32)


# ---- the sums ----


def test_the_sums_are_those_of_a_convolution() -> None:
    """By fractions: six sums, times six kernels, and four sums of those, for every row of a map and of a kernel."""
    for tap in range(3):
        for row in range(REACH):
            kernel = [Fraction(line[tap]).limit_denominator(24) for line in KERNELS]
            m = [SUMS[index].get(row, 0) * kernel[index] for index in range(REACH)]
            near, apart, above, wide = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
            found = [m[0] + near + above, apart + 2 * wide, near + 4 * above, apart + 8 * wide + m[5]]
            assert found == [int(row == at + tap) for at in range(ROWS)]


# ---- where ----


@pytest.mark.parametrize(
    "program",
    [
        convolution(kernel=1),
        convolution(kernel=5),
        convolution(kernel=(3, 1)),
        convolution(stride=2),
        convolution(dilation=2),
        convolution(groups=48),
        convolution(groups=2),
        convolution(channels=40),
        convolution(channels=32),
        convolution(Type(32, 8, 8, 0)),
        convolution(Type(48, 7, 8, 0)),
        convolution(Type(48, 9, 8, 0)),
    ],
    ids=lambda program: flatten(program).nodes[0].__brief__() + str(flatten(program).nodes[0].attributes["kernel"]),
)
def test_others_are_left(program: Program) -> None:
    assert marked(program) == []


@pytest.mark.parametrize("padding", ["same", "symmetric", 1])
def test_what_keeps_the_size_is_marked(padding: Any) -> None:
    assert len(marked(convolution(padding=padding))) == 1


def test_what_a_model_takes_counts() -> None:
    """Half of the digits are too few; an open height must be divided by four, whatever it is."""
    program = api.program(EXAMPLES / "spinenet.spine", network="SpineNet49", size=(256, 256))
    every = {node.name for node in marked(program)}
    assert marked(program, Numbers(half=True)) == []
    assert {node.name for node in marked(program, Numbers(dynamic=frozenset({"batch", "width"})))} == every
    levels = flatten(program).types
    left = marked(program, Numbers(dynamic=frozenset({"height"})))
    assert {levels[node.result].level for node in left} == {2, 3, 4, 5}
    assert {node.name for node in left} == every  # a map of level 6 has 4 rows here
    larger = api.program(EXAMPLES / "spinenet.spine", network="SpineNet49", size=(640, 640))
    assert {flatten(larger).types[node.result].level for node in marked(larger)} == {2, 3, 4, 5, 6}
    left = marked(larger, Numbers(dynamic=frozenset({"height"})))  # by 128 rows, 2 of them at level 6
    assert {flatten(larger).types[node.result].level for node in left} == {2, 3, 4, 5}


# ---- what it computes ----


@pytest.mark.parametrize("size", [(8, 8), (10, 1), (11, 2), (12, 13), (16, 5), (31, 3), (40, 40)])
@pytest.mark.parametrize("bias", [False, True])
def test_every_height_and_width(size: tuple[int, int], bias: bool) -> None:
    program = convolution(Type(48, *size, 0), channels=64, bias=bias)
    assert len(marked(program)) == 1
    assert far(program, images(program)) < 3e-6
    assert far(program, images(program, batch=3), dynamic=frozenset({"batch"})) < 3e-6
    assert far(program, images(program, batch=2), target=Target(opset=13, batch=2)) < 3e-6


@drawn(20)
@given(st.integers(8, 40), st.integers(1, 24), st.sampled_from((48, 64, 80)), st.sampled_from((48, 96)), st.booleans())
def test_any_size_and_width(height: int, width: int, given: int, channels: int, bias: bool) -> None:
    program = convolution(Type(given, height, width, 0), channels=channels, bias=bias)
    assert far(program, images(program)) < 3e-6


def test_a_runtime_that_rewrites_nothing_gives_the_same() -> None:
    program = convolution(Type(48, 10, 9, 0), bias=True)
    weights, x = weights_for(flatten(program)), images(program)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    (found,) = onnxruntime.InferenceSession(emit_model(program, weights, **LATE), options).run(
        None, {program.input_name: x}
    )
    exact = run(flatten(program), weights, x)["b"]
    assert np.abs(found - exact).max() < 3e-6 * np.abs(exact).max()


@pytest.mark.parametrize("axes", [("height", "width"), ("batch", "width"), ("height",), ("batch", "height", "width")])
def test_open_axes(axes: tuple[str, ...]) -> None:
    program = api.program(EXAMPLES / "spinenet.spine", network="SpineNet49S", size=(256, 256))
    weights = lively_weights(flatten(program).parameters, 0)
    dynamic = frozenset(axes)
    assert marked(program, Numbers(dynamic=dynamic))
    x = images(program, 2 if "batch" in axes else 1, 384 if "height" in axes else 0, 128 if "width" in axes else 0)
    assert far(program, x, weights, dynamic=dynamic) < 1e-5


def test_a_model_is_filled_again_and_has_the_networks_tensors() -> None:
    program = convolution(Type(48, 10, 8, 0), bias=True)
    graph = flatten(program)
    one, other = (weights_for(graph, seed) for seed in (1, 2))
    first, wanted = (emit_model(program, w, metadata={"spine.weights": "w"}, **LATE) for w in (one, other))
    assert [*refilled(opened(first), other, "w").values()] == [wanted]
    assert [tensor.name for tensor in onnx.load_from_string(first).graph.initializer] == [*graph.parameters]


def test_convolutions_that_share_tensors_share_kernels() -> None:
    """As the towers of RetinaNet do at every level."""

    def twice(x: Ref) -> Operand:
        given: dict[str, Any] = {"channels": 48, "kernel": 3, "shared": True, "path": "conv"}
        return op("conv", op("relu", op("conv", x, **given)), **given)

    program = single(twice, Type(48, 16, 8, 0))
    assert len(marked(program)) == 2
    assert far(program, images(program)) < 3e-6
    model = onnx.load_from_string(emit_model(program, weights_for(flatten(program)), **LATE))
    assert [node.op_type for node in model.graph.node].count("MatMul") == 1


# ---- said ----


def test_it_is_explained_with_what_it_saves(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = convolution(Type(48, 12, 8, 0))
    (effect,) = [one for one in effects(flatten(program), 2, "onnxruntime") if one.name == "winograd"]
    plain = 12 * 8 * 48 * 48 * 9
    assert effect.multiply_adds == plain - 3 * 8 * (18 * 48 * 48 + 22 * 48 + 5 * 48)
    assert (effect.before, effect.after, effect.bytes) == (1, 1, 0)
    file = str(EXAMPLES / "spinenet.spine")
    command = ["compile", file, "--network", "SpineNet49", "--input", "256x256", "--to", "onnx", "-O2"]
    for more, there in (((), True), (("--half",), False)):
        target = tmp_path / f"model{len(more)}.onnx"
        assert main([*command, "--for", "onnxruntime", "--explain-passes", "-o", str(target), *more]) == 0
        assert ("winograd" in capsys.readouterr().out) == there


@pytest.mark.parametrize("axes", [(), ("height", "width")])
def test_nodes_stand_before_what_reads_them_and_are_all_read(axes: tuple[str, ...]) -> None:
    program = api.program(EXAMPLES / "spinenet.spine", network="SpineNet49S", size=(256, 256))
    weights = lively_weights(flatten(program).parameters, 0)
    model = onnx.load_from_string(emit_model(program, weights, dynamic=frozenset(axes), **LATE))
    read = {*(name for node in model.graph.node for name in node.input), *(one.name for one in model.graph.output)}
    assert read.issuperset(name for node in model.graph.node for name in node.output)
    there = {tensor.name for tensor in (*model.graph.initializer, *model.graph.input)}
    for node in model.graph.node:
        assert there.issuperset(filter(None, node.input))
        there.update(node.output)
