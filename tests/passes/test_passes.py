"""Passes: what each does and what it leaves alone, and that outputs stay the same. `tests/laws` has random networks."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from spinedsl import api
from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.target import Target
from spinedsl.cli import main
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Op, Operand, Program, Ref
from spinedsl.passes import PASSES, as_written, effects, filled, fitted, optimised
from spinedsl.weights import to_bytes
from tests.building import CASES, Definition, Network, case, image_for, op, single, weights_for

MOST = float(np.finfo(np.float32).max)
Arrays = dict[str, NDArray[Any]]


def conv(x: Operand, channels: int = 8, kernel: int = 1, path: str = "conv", **more: Any) -> Op:
    return op("conv", x, channels=channels, kernel=kernel, path=path, **more)


def norm(x: Operand, path: str = "norm", **more: Any) -> Op:
    return op("batch_norm", x, path=path, **more)


def counts(graph: Graph) -> Counter[str]:
    return Counter(node.primitive for node in graph.nodes)


def rewritten(program: Program, weights: Arrays | None = None, dtype: Any = np.float64) -> tuple[Graph, float]:
    """The graph at level 1, and how far its outputs are from those as written, by their largest number."""
    graph = flatten(program)
    weights = weights or weights_for(graph)
    form, tensors = fitted(graph, 1, weights, MOST)
    x = image_for(program)
    exact, found = run(graph, weights, x, dtype=np.float64), run(form.graph, tensors, x, dtype=dtype)
    far = [float(np.abs(exact[name] - found[name]).max() / np.abs(exact[name]).max()) for name in graph.outputs]
    return form.graph, max(far)


@pytest.mark.parametrize("name", CASES)
def test_every_primitive_stays_what_it_computes(name: str) -> None:
    program, graph = case(name)
    weights, x = weights_for(graph), image_for(program)
    form, tensors = fitted(graph, 1, weights, MOST)
    exact, found = run(graph, weights, x, dtype=np.float64), run(form.graph, tensors, x, dtype=np.float64)
    for output in graph.outputs:
        assert exact[output].shape == found[output].shape
        assert np.allclose(exact[output], found[output], rtol=1e-9, atol=1e-9)


# ---- norms ----

BEFORE: dict[str, Definition] = {
    "plain": lambda x: norm(conv(x, kernel=3)),
    "bias": lambda x: norm(conv(x, bias=True)),
    "groups": lambda x: norm(conv(x, 6, kernel=3, groups=3, stride=2)),
    "transposed": lambda x: norm(op("conv_transpose", conv(x, kernel=4, stride=4, path="first"), channels=5, kernel=4)),
    "two": lambda x: norm(norm(conv(x)), path="second"),
    "epsilon": lambda x: norm(conv(x), epsilon=Fraction(1000)),
}
AFTER: dict[str, Definition] = {
    "plain": lambda x: conv(norm(x)),
    "groups": lambda x: conv(norm(x), 6, groups=3, bias=True),
    "window": lambda x: conv(norm(op("pad", x, top=1, bottom=1, left=1, right=1)), kernel=3, padding=0),
    "two": lambda x: conv(norm(norm(x), path="second")),
}


@pytest.mark.parametrize("definition", [*BEFORE.values(), *AFTER.values()], ids=[*BEFORE, *AFTER])
def test_a_norm_becomes_part_of_the_convolution_beside_it(definition: Definition) -> None:
    graph, far = rewritten(single(definition))
    assert not counts(graph)["batch_norm"]
    assert far < 1e-12


def test_numbers_of_a_fold_by_hand() -> None:
    graph = flatten(single(lambda x: norm(conv(x, 1, bias=True), epsilon=Fraction(1, 4))))
    weights: Arrays = {
        "b.conv.weight": np.full((1, 3, 1, 1), 2.0), "b.conv.bias": np.array([5.0]), "b.norm.weight": np.array([3.0]),
        "b.norm.bias": np.array([7.0]), "b.norm.running_mean": np.array([1.0]), "b.norm.running_var": np.array([2.0]),
    }  # fmt: skip
    form, tensors = fitted(graph, 1, weights, MOST)
    (node,) = form.graph.nodes
    assert tensors[node.parameters["weight"]].ravel().tolist() == [4.0] * 3  # 2 * 3 / sqrt(2 + 1/4)
    assert tensors[node.parameters["bias"]].tolist() == [15.0]  # (5 - 1) * 2 + 7


def shared(x: Ref) -> Operand:
    """One convolution, used twice, with a norm of its own each."""
    first = norm(conv(x, 3, path="one", shared=True), path="first")
    return norm(conv(op("relu", first), 3, path="one", shared=True), path="second")


def read_twice(x: Ref) -> Operand:
    y = conv(x)
    return op("add", norm(y), y)


def both_shared(x: Ref) -> Operand:
    """One convolution and one norm, used twice."""
    first = norm(conv(x, 3, path="one", shared=True), path="other", shared=True)
    return norm(conv(op("relu", first), 3, path="one", shared=True), path="other", shared=True)


def partly_shared(x: Ref) -> Operand:
    """One convolution, which only in one place stands before its norm."""
    first = norm(conv(x, 3, path="one", shared=True), path="other", shared=True)
    return norm(op("relu", conv(op("relu", first), 3, path="one", shared=True)), path="other", shared=True)


def test_a_convolution_and_a_norm_that_are_shared_alike_become_one() -> None:
    graph, far = rewritten(single(both_shared))
    assert counts(graph) == {"conv": 2, "relu": 1}
    assert [*graph.parameters] == ["b.one.weight.folded", "b.one.bias.folded"]
    assert far < 1e-12


KEPT: dict[str, Definition] = {
    "shared": shared,
    "partly shared": partly_shared,
    "read twice": read_twice,
    "padded": lambda x: conv(norm(x), kernel=3),
    "activation between": lambda x: norm(op("relu", conv(x))),
}


@pytest.mark.parametrize("definition", KEPT.values(), ids=[*KEPT])
def test_a_norm_stays_where_folding_it_would_be_wrong(definition: Definition) -> None:
    program = single(definition)
    graph, far = rewritten(program)
    assert counts(graph)["batch_norm"] == counts(flatten(program))["batch_norm"]
    assert far < 1e-12


def test_an_output_between_convolution_and_norm_stays() -> None:
    network = Network().block("b", conv).block("c", norm, "b")
    graph, far = rewritten(network.output("P", "b").output("Q", "c").program())
    assert counts(graph) == {"conv": 1, "batch_norm": 1}
    assert far < 1e-12
    graph, _ = rewritten(Network().block("b", conv).block("c", norm, "b").program())
    assert counts(graph) == {"conv": 1}


@pytest.mark.parametrize(
    ("last", "value"), [("running_var", 0.0), ("weight", 0.0), ("running_var", 1e30), ("weight", 1e-30)]
)
def test_degenerate_norms_give_what_they_gave(last: str, value: float) -> None:
    program = single(lambda x: norm(conv(x, kernel=3)))
    weights = weights_for(flatten(program))
    weights[f"b.norm.{last}"][:] = value
    graph, far = rewritten(program, weights, np.float32)
    assert not counts(graph)["batch_norm"]
    assert far < 1e-5


@pytest.mark.parametrize(("last", "value"), [("running_var", -1.0), ("weight", 1e38), ("running_mean", np.nan)])
def test_a_norm_whose_factors_float32_does_not_hold_is_kept(last: str, value: float) -> None:
    program = single(lambda x: norm(conv(norm(conv(x), path="early"), path="second", kernel=3)))
    weights = weights_for(flatten(program))
    weights[f"b.norm.{last}"][:] = value
    weights["b.norm.running_var"] *= np.float32(1e-3)
    form, _ = fitted(flatten(program), 1, weights, MOST)
    assert [node.name for node in form.graph.nodes if node.primitive == "batch_norm"] == ["b.norm"]


# ---- where things run ----


def up(x: Operand, levels: int = 1, path: str = "up", **more: Any) -> Op:
    return op("upsample", x, levels=levels, path=path, **more)


def half(x: Operand) -> Op:
    return op("max_pool", x, kernel=2, stride=2, path="half")


def test_a_convolution_of_one_position_moves_below_an_upsample() -> None:
    program = single(lambda x: norm(conv(up(half(x)))))
    graph, far = rewritten(program)
    assert [node.primitive for node in graph.nodes] == ["max_pool", "conv", "upsample"]
    assert far < 1e-12
    (effect,) = [one for one in effects(flatten(program), 1) if one.name == "below"]
    assert effect.multiply_adds == 32 * 48 * 3 * 8 * 3 // 4


@pytest.mark.parametrize(
    "definition",
    [
        lambda x: conv(up(half(x)), kernel=3),
        lambda x: conv(up(half(x), mode="bilinear")),
        lambda x: conv(up(half(x)), stride=2),
        lambda x: conv(half(x)),
    ],
)
def test_what_does_not_commute_or_pay_stays(definition: Definition) -> None:
    program = single(definition)
    graph, far = rewritten(program)
    assert [node.primitive for node in graph.nodes] == [node.primitive for node in flatten(program).nodes]
    assert far < 1e-12


def test_an_upsample_that_is_an_output_stays_before_the_convolution() -> None:
    network = Network().block("b", lambda x: up(half(x))).block("c", conv, "b").output("P", "b").output("Q", "c")
    graph, far = rewritten(network.program())
    assert [node.primitive for node in graph.nodes] == ["max_pool", "upsample", "conv"]
    assert far == 0


def test_an_activation_moves_below_an_upsample_and_softmax_does_not() -> None:
    graph, far = rewritten(single(lambda x: op("relu", up(half(x)))))
    assert [node.primitive for node in graph.nodes] == ["max_pool", "relu", "upsample"]
    assert far == 0


def test_two_convolutions_and_their_sum_become_one() -> None:
    graph, far = rewritten(single(lambda x: op("add", norm(conv(x)), conv(op("relu", x), bias=True, path="other"))))
    assert counts(graph) == {"relu": 1, "concat": 1, "conv": 1}
    assert far < 1e-12


@pytest.mark.parametrize("biases", [(False, False), (True, False), (False, True), (True, True)])
def test_biases_of_two_that_become_one(biases: tuple[bool, bool]) -> None:
    first, second = biases
    program = single(lambda x: op("add", conv(x, bias=first), conv(op("relu", x), bias=second, path="other")))
    graph, far = rewritten(program)
    assert counts(graph)["conv"] == 1
    assert len(graph.parameters) == 1 + any(biases)
    assert far < 1e-12


@pytest.mark.parametrize(
    "definition",
    [
        lambda x: op("add", conv(x, 1), conv(op("relu", x), 1, path="other")),  # 6 channels in for 1 out
        lambda x: op("add", conv(x, kernel=3), conv(op("relu", x), path="other")),
        lambda x: op("add", conv(x, 1), conv(op("relu", x), 8, path="other")),
        lambda x: op("add", y := conv(x), y),
        lambda x: op("add", conv(x, 9, groups=3), conv(op("relu", x), 9, groups=3, path="other")),
        lambda x: op("add", conv(x, 3, path="one", shared=True), conv(op("relu", x), 3, path="one", shared=True)),
    ],
)
def test_two_convolutions_stay_two(definition: Definition) -> None:
    program = single(definition)
    graph, far = rewritten(program)
    assert counts(graph)["conv"] == counts(flatten(program))["conv"]
    assert far < 1e-12


def test_maps_that_are_enlarged_alike_are_added_first() -> None:
    def definition(x: Ref) -> Operand:
        y, z = half(op("relu", x)), half(op("sigmoid", x))
        return op("add", op("add", up(y, path="u"), op("swish", x)), up(z, path="v"))

    graph, far = rewritten(single(definition))
    assert counts(graph)["upsample"] == 1
    assert far < 1e-12


# ---- what is left out ----


def test_operations_that_do_nothing_are_left_out() -> None:
    def definition(x: Ref) -> Operand:
        y = op("dropout", op("identity", x), rate=Fraction(1, 2))
        y = op("multiply_scalar", op("add_scalar", y, value=0), value=1)
        return conv(op("crop", op("pad", op("stochastic_depth", y, rate=Fraction(1, 2)))))

    graph, far = rewritten(single(definition))
    assert counts(graph) == {"conv": 1}
    assert far == 0


def test_rows_that_no_output_needs_are_left_out() -> None:
    network = Network().block("b", conv).block("c", conv, "b").output("P", "b")
    form = optimised(flatten(network.program()), 1)
    assert {*form.graph.rows} == {"b", "P"}
    assert {*form.graph.parameters} == {"b.conv.weight"}


def test_constants_are_computed_once() -> None:
    def definition(x: Ref) -> Operand:
        three = op("constant", values=(Fraction(1), Fraction(2), Fraction(3)))
        return op("multiply", x, op("relu", op("add_scalar", op("multiply_scalar", three, value=2), value=-3)))

    graph, far = rewritten(single(definition))
    assert counts(graph) == {"constant": 1, "multiply": 1}
    assert graph.nodes[0].attributes["values"] == (0, 1, 3)
    assert far == 0


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("half", [False, True])
def test_a_constant_that_no_type_holds_is_computed_as_written(level: int, half: bool) -> None:
    """Where both factors are numbers that a file may have."""
    large = Fraction(10**30)

    def definition(x: Ref) -> Operand:
        beyond = op("multiply_scalar", op("constant", values=(large,)), value=-large)
        return op("add", x, op("maximum_scalar", op("add", beyond, beyond), value=-5))

    program = single(definition)
    assert counts(optimised(flatten(program), level).graph)["multiply_scalar"]
    x = image_for(program).astype(np.float16 if half else np.float32)
    data = emit_model(program, {}, target=Target(half=half), level=level)
    (found,) = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(["P"], {"image": x})
    assert np.array_equal(found, x - 5)


# ---- all together ----

ORDERED = [name for name in PASSES if name not in ("dead", "constant")]


def everything(x: Ref) -> Operand:
    """A little of what each pass does."""
    low = norm(
        conv(up(op("identity", half(norm(conv(x, 6, path="in", weight="scaled"), path="n1")))), path="low"), path="n2"
    )
    high = norm(conv(op("relu", x), path="high"), path="n3")
    other = up(conv(half(x), path="far"), path="u2")
    return op("relu", op("add", op("add", low, high), other))


@pytest.mark.parametrize("chain", [*itertools.permutations(ORDERED, 3)])
def test_passes_in_any_order_are_exact(chain: tuple[str, ...]) -> None:
    program = single(everything)
    graph, x = flatten(program), image_for(program)
    weights, form = weights_for(graph), as_written(graph)
    for name in chain:
        form = PASSES[name](form)
        assert len(PASSES[name](form).graph.nodes) == len(form.graph.nodes)
    tensors, wrong = filled(form.recipes, weights, MOST)
    assert not wrong
    exact = run(graph, weights, x, dtype=np.float64)["P"]
    found = run(form.graph, {**weights, **tensors}, x, dtype=np.float64)["P"]
    assert np.abs(exact - found).max() < 1e-12 * np.abs(exact).max()


@pytest.mark.parametrize("dynamic", [frozenset[str](), frozenset({"batch", "height", "width"})])
def test_onnx_runtime_gives_the_same(dynamic: frozenset[str]) -> None:
    program = single(everything)
    weights, x = weights_for(flatten(program)), image_for(program)
    exact = run(flatten(program), weights, x, dtype=np.float64)["P"]
    for level in (0, 1):
        session = onnxruntime.InferenceSession(emit_model(program, weights, dynamic=dynamic, level=level))
        (found,) = session.run(None, {"image": x})
        assert np.abs(exact - found).max() < 1e-5 * np.abs(exact).max()


def test_level_1_is_what_a_model_has_where_none_is_given() -> None:
    program = single(everything)
    assert api.emit(program, to="onnx", optimise=1) == api.emit(program, to="onnx")
    (written,) = api.emit(program, to="onnx", optimise=0).values()
    tensors = {one.name for one in onnx.load_model_from_string(written).graph.initializer}
    assert tensors == {*flatten(program).parameters}


def test_effects_add_up() -> None:
    graph = flatten(single(everything))
    after = optimised(graph, 1).graph
    found = effects(graph, 1)
    assert sum(one.before - one.after for one in found) == len(graph.nodes) - len(after.nodes)
    elements = [sum(p.elements for p in one.parameters.values()) for one in (graph, after)]
    assert sum(one.bytes for one in found) == 4 * (elements[0] - elements[1])


def test_what_is_explained_is_what_was_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With weights whose norms cannot all be folded, and with numbers of 16 bits."""
    source = tmp_path / "net.spine"
    source.write_text(
        "spine 1\nimport std.blocks\nimport std.stems\nnetwork Net {\n    input image: 3 x 32 x 32\n"
        "    defaults { act relu, norm batch_norm }\n    stem s: resnet_stem channels 8\n"
        "    block b: residual level 2 after s channels 8\n    output P: b\n}\n"
    )
    weights = weights_for(flatten(api.program(source)))
    weights["s.enter.norm.weight"][:] = 1e38
    weights["s.enter.norm.running_var"][:] = 0
    (tmp_path / "w.safetensors").write_bytes(to_bytes(weights))
    command = ["compile", str(source), "--to", "onnx", "-O1", "--explain-passes", "-o", str(tmp_path / "net.onnx")]

    def told(*more: str) -> dict[str, float]:
        assert main([*command, *more]) == 0
        rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("fold")]
        return {row[1]: float(row[-1]) for row in rows}

    single_, kept, half = told(), told("--weights", str(tmp_path / "w.safetensors")), told("--half")
    assert single_.keys() == {"s", "b"}
    assert kept == {"b": single_["b"]}
    assert half["b"] == pytest.approx(single_["b"] / 2, abs=0.06)
