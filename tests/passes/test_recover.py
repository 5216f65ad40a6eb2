"""Weights of a network from a model whose graph was rewritten. `tests/laws` has random networks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from spinedsl import api
from spinedsl.backends.onnx import emit_model
from spinedsl.backends.onnx.refill import opened, refilled
from spinedsl.backends.onnx.target import Target
from spinedsl.cli import main
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Op, Operand, Program, Ref
from spinedsl.passes import MADE, PASSES, Lost, as_written, filled, fitted, recovered
from spinedsl.passes.recipes import NORM, computed, shifted_inputs, summed
from spinedsl.weights import read, to_bytes
from tests.building import Definition, Network, image_for, op, single, weights_for
from tests.passes.test_passes import AFTER, BEFORE, KEPT, MOST, both_shared, conv, everything, norm

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/spinenet.spine"


def biased_pair(x: Ref) -> Operand:
    """The sum of two convolutions, one with a norm and one with a bias, whose norm is one for both."""
    first = norm(conv(x, bias=True, path="one"), path="both", shared=True)
    second = norm(conv(op("relu", x), path="two"), path="both", shared=True)
    return op("add", first, second)


def before_several(x: Ref) -> Operand:
    """One norm before several kernels, of which each has added up what it adds."""
    parts = [conv(norm(op(kind, x), path="one", shared=True), path=kind) for kind in ("relu", "sigmoid", "gelu")]
    return op("concat", *parts)


def bridged(x: Ref) -> Operand:
    """Two norms, each before a kernel of its own, and one kernel that has added up what both add."""

    def behind(kind: str, path: str, name: str) -> Op:
        return conv(norm(op(kind, x), path=path, shared=True), path=name)

    both = op("add", behind("gelu", "one", "third"), behind("swish", "two", "fourth"))
    return op("concat", behind("relu", "one", "first"), behind("sigmoid", "two", "second"), both)


def kept_elsewhere(x: Ref) -> Operand:
    """A norm that is part of one kernel, and stays in another place."""
    folded = norm(conv(x, 3, path="one", bias=True), path="own", shared=True)
    return op("gelu", norm(op("gelu", folded), path="own", shared=True))


NETWORKS: dict[str, Definition] = {
    **{f"norm after: {name}": definition for name, definition in BEFORE.items()},
    **{f"norm before: {name}": definition for name, definition in AFTER.items()},
    **{f"norm that stays: {name}": definition for name, definition in KEPT.items()},
    "everything": everything,
    "both shared": both_shared,
    "biased pair": biased_pair,
    "before several": before_several,
    "bridged": bridged,
    "kept elsewhere": kept_elsewhere,
    "standardised": lambda x: conv(x, kernel=3, weight="standardised", epsilon=Fraction(1, 1000)),
    "standardised, norm after": lambda x: norm(conv(x, kernel=3, weight="standardised")),
    "standardised, bias and norm": lambda x: norm(conv(x, weight="standardised", bias=True)),
    "scaled": lambda x: conv(x, kernel=3, weight="scaled", gamma=Fraction(17, 10)),
    "scaled, norm after": lambda x: norm(conv(x, kernel=3, weight="scaled", bias=True)),
    "wide": lambda x: norm(conv(norm(conv(x, 20)), 20, path="next", kernel=3), path="last"),
    "narrow": lambda x: conv(norm(x), 2),
}


def told_again(program: Program, level: int, kind: str = "<f4") -> tuple[float, Mapping[str, Any], Mapping[str, Any]]:
    """How far outputs are with weights that are told again, and the tensors of the model before and after."""
    graph = flatten(program)
    weights = weights_for(graph)
    form, tensors = fitted(graph, level, weights, MOST, "onnxruntime")
    model = {name: np.asarray(tensors[name], kind) for name in form.graph.parameters}
    found = recovered(form.recipes, model, {name: one.shape for name, one in form.parameters.items()})
    assert found.tensors.keys() == weights.keys()
    assert all(array.dtype == np.float32 for array in found.tensors.values())
    x = image_for(program)
    one, other = run(form.graph, model, x, dtype=np.float64), run(graph, found.tensors, x, dtype=np.float64)
    again, _ = filled(form.recipes, found.tensors, MOST)
    after = {name: np.asarray({**found.tensors, **again}[name], kind) for name in model}
    return max(np.abs(one[name] - other[name]).max() / np.abs(one[name]).max() for name in one), model, after


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("level", [1, 2])
def test_outputs_stay_what_they_are(name: str, level: int) -> None:
    far, model, after = told_again(single(NETWORKS[name]), level)
    assert far < 1e-6
    assert all(np.allclose(model[name], after[name], rtol=3e-7, atol=1e-7) for name in model)


def test_a_kernel_comes_back_to_the_bit() -> None:
    graph = flatten(single(lambda x: norm(conv(x, kernel=3, bias=True), epsilon=Fraction(1, 7))))
    form, tensors = fitted(graph, 1, weights_for(graph), MOST)
    model = {name: tensors[name].astype(np.float32) for name in form.graph.parameters}
    found = recovered(form.recipes, model, {name: one.shape for name, one in form.parameters.items()})
    assert np.array_equal(found.tensors["b.conv.weight"], model["b.conv.weight.folded"])
    assert np.array_equal(found.tensors["b.conv.bias"], model["b.conv.bias.folded"])
    scale = found.tensors["b.norm.weight"].astype(float) / np.sqrt(found.tensors["b.norm.running_var"] + 1 / 7)
    assert np.allclose(scale, 1, rtol=0, atol=1e-10)
    assert not found.tensors["b.norm.bias"].any()
    assert found.folded == ("b.norm",)


def test_the_trained_tensors_come_back_where_no_norm_is_folded() -> None:
    program = single(lambda x: op("add", conv(x, bias=True), conv(op("relu", x), path="other")))
    graph = flatten(program)
    weights = weights_for(graph)
    form, tensors = fitted(graph, 1, weights, MOST)
    found = recovered(
        form.recipes,
        {name: tensors[name].astype(np.float32) for name in form.graph.parameters},
        {name: one.shape for name, one in form.parameters.items()},
    )
    assert form.recipes
    assert found.folded == ()
    assert all(np.array_equal(found.tensors[name], weights[name]) for name in weights)


def test_channels_that_a_norm_makes_nothing_of() -> None:
    program = single(lambda x: norm(conv(norm(conv(x), path="early"), path="second"), path="late"))
    graph = flatten(program)
    weights = weights_for(graph)
    weights["b.early.weight"][:3] = 0
    weights["b.late.weight"][2:] = 0
    form, tensors = fitted(graph, 1, weights, MOST)
    model = {name: tensors[name].astype(np.float32) for name in form.graph.parameters}
    found = recovered(form.recipes, model, {name: one.shape for name, one in form.parameters.items()})
    x = image_for(program)
    one, other = run(form.graph, model, x, dtype=np.float64)["P"], run(graph, found.tensors, x, dtype=np.float64)["P"]
    assert np.abs(one - other).max() < 1e-6 * np.abs(one).max()


def test_what_no_output_needs_is_any_number() -> None:
    network = Network().block("b", lambda x: norm(conv(x))).block("c", lambda x: norm(conv(x)), "b").output("P", "b")
    graph = flatten(network.program())
    form = as_written(graph)
    for name in ("dead", "fold"):
        form = PASSES[name](form)
    weights = weights_for(graph)
    tensors, _ = filled(form.recipes, weights, MOST)
    found = recovered(form.recipes, tensors, {name: one.shape for name, one in graph.parameters.items()})
    assert found.tensors.keys() == weights.keys()
    assert np.isfinite(run(graph, found.tensors, image_for(network.program()))["P"]).all()


@pytest.mark.parametrize("order", [*itertools.permutations(["one", "two", "both"])], ids="-".join)
def test_equations_that_share_unknowns_are_solved_together(order: tuple[str, ...]) -> None:
    """A bias of one number, to which both norms add, and one of each norm that tells what it adds."""
    draw = np.random.default_rng(0)
    outputs = {"a": 4, "b": 4, "c": 1, "d": 1}
    tensors = {f"{name}.weight": draw.normal(size=(count, 2, 1, 1)).astype("f4") for name, count in outputs.items()}
    shapes = {name: array.shape for name, array in tensors.items()}
    shapes |= {f"{norm}.{last}": (2,) for norm in ("m", "n") for last in NORM}
    behind = {
        name: shifted_inputs(None, f"{name}.weight", norm, 1e-3, 1) for name, norm in zip("abcd", "mnmn", strict=True)
    }
    recipes = {"one": behind["a"], "two": behind["b"], "both": summed(behind["c"], behind["d"])}
    trained = {f"{norm}.{last}": draw.uniform(0.5, 2, 2).astype("f4") for norm in ("m", "n") for last in NORM}
    model = {name: computed(recipe, {**tensors, **trained}) for name, recipe in recipes.items()}
    found = recovered({name: recipes[name] for name in order}, {**tensors, **model}, shapes)
    for name, recipe in recipes.items():
        assert np.allclose(computed(recipe, found.tensors), model[name], rtol=0, atol=1e-5)


RECIPE: Any = ["scaled", "a.weight", "n", 0.001, 0]
SHAPES = {"a.weight": (2, 3, 1, 1), **{f"n.{last}": (2,) for last in ("weight", "bias", "running_mean", "running_var")}}
KERNEL = np.ones((2, 3, 1, 1), np.float32)
BROKEN: dict[str, tuple[Any, Any, Any]] = {
    "no recipe": ({"k": ["boiled", "a.weight"]}, {"k": KERNEL}, SHAPES),
    "nothing": ({"k": []}, {"k": KERNEL}, SHAPES),
    "a number": ({"k": 3}, {"k": KERNEL}, SHAPES),
    "no list": (["k"], {"k": KERNEL}, SHAPES),
    "a tensor that is not there": ({"k": RECIPE}, {}, SHAPES),
    "a norm without a shape": ({"k": RECIPE}, {"k": KERNEL}, {"a.weight": (2, 3, 1, 1)}),
    "another shape": ({"k": RECIPE}, {"k": KERNEL}, {**SHAPES, "a.weight": (2, 4, 1, 1)}),
    "more numbers than there are": ({"k": RECIPE}, {"k": KERNEL}, {**SHAPES, "b.weight": (10**6, 10**6)}),
    "one kernel for two": ({"k": RECIPE, "l": RECIPE}, {"k": KERNEL, "l": 2 * KERNEL}, SHAPES),
    "no such axis": ({"k": ["scaled", "a.weight", "n", 0.001, 7]}, {"k": KERNEL}, SHAPES),
    "no number": ({"k": ["scaled", "a.weight", "n", "x", 0]}, {"k": KERNEL}, SHAPES),
    "not finite": ({"k": RECIPE}, {"k": KERNEL * np.nan}, SHAPES),
    "a standardised kernel that is not": ({"k": ["standardised", "a.weight", 0.001]}, {"k": KERNEL}, SHAPES),
    "a standardised kernel behind a norm": (
        {"k": ["scaled_inputs", ["standardised", "a.weight", 0.001], "n", 0.001, 1]},
        {"k": 3 * KERNEL},
        SHAPES,
    ),
    "no groups": ({"k": ["scaled_inputs", "a.weight", "n", 0.001, 0]}, {"k": KERNEL}, SHAPES),
    "padding that is none": ({"k": ["padded", RECIPE, [[9, 9]], None]}, {"k": KERNEL}, SHAPES),
}


@pytest.mark.parametrize("name", BROKEN)
def test_recipes_that_tell_nothing(name: str) -> None:
    with pytest.raises(Lost):
        recovered(*BROKEN[name])


@pytest.mark.parametrize("operation", ["scaled", "padded"])
def test_recipes_without_an_end(operation: str) -> None:
    recipe: Any = "a.weight"
    for _ in range(100_000):
        recipe = [operation, recipe, *(("n", 0.001, 0) if operation == "scaled" else (None, None))]
    with pytest.raises(Lost):
        recovered({"k": recipe}, {"k": KERNEL}, SHAPES)


# ---- models ----


def written(program: Program, path: Path, **more: Any) -> Path:
    path.write_bytes(emit_model(program, weights_for(flatten(program)), metadata={"spine.weights": "a test"}, **more))
    return path


@pytest.mark.parametrize("more", [{}, {"runtime": "onnxruntime", "level": 2}, {"target": Target(half=True)}], ids=str)
def test_a_model_is_a_source_of_weights(more: dict[str, Any], tmp_path: Path) -> None:
    program = single(everything)
    path = written(program, tmp_path / "net.onnx", **{"level": 1, **more})
    outcome = read(path)
    assert outcome.value is not None
    assert outcome.value.sealed
    assert outcome.value.tensors.keys() == flatten(program).parameters.keys()
    (told,) = outcome.diagnostics
    assert (told.code.id, told.message) == (
        "W0903",
        f"`{path}` has 3 norms in its kernels, which come back scaling by 1",
    )
    (again,) = refilled(opened(path.read_bytes()), outcome.value.tensors, "again").values()
    first, second = (onnx.load_model_from_string(data).graph.initializer for data in (path.read_bytes(), again))
    rtol, atol = (1e-3, 2e-5) if "target" in more else (3e-7, 1e-7)
    for one, other in zip(first, second, strict=True):
        assert np.allclose(numpy_helper.to_array(one), numpy_helper.to_array(other), rtol, atol)


def of_another_version(model: onnx.ModelProto) -> None:
    model.ir_version += 1


def made_half(model: onnx.ModelProto) -> None:
    for one in model.graph.initializer:
        one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one).astype(np.float16), one.name))


def without_metadata(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def called_otherwise(model: onnx.ModelProto) -> None:
    for one in model.graph.initializer:
        one.name = f"model.{one.name}"


def with_another_recipe(model: onnx.ModelProto) -> None:
    (entry,) = (entry for entry in model.metadata_props if entry.key == MADE)
    entry.value = entry.value.replace("1e-05", "3e-05")
    assert "3e-05" in entry.value


Change: TypeAlias = Callable[[onnx.ModelProto], None]


@pytest.mark.parametrize(
    ("change", "outside"), [(of_another_version, False), (of_another_version, True), (made_half, False)]
)
def test_a_model_that_another_tool_changed_is_told_apart_too(change: Change, outside: bool, tmp_path: Path) -> None:
    program = single(everything)
    path = written(program, tmp_path / "net.onnx", level=1)
    model = onnx.load(path)
    change(model)
    onnx.save(model, path, save_as_external_data=outside, location="w.data", size_threshold=0)
    outcome = read(path)
    assert outcome.value is not None
    assert [told.code.id for told in outcome.diagnostics] == ["W0902", "W0903"]
    assert outcome.value.tensors.keys() == flatten(program).parameters.keys()


@pytest.mark.parametrize("change", [without_metadata, called_otherwise, with_another_recipe])
def test_what_cannot_be_told_apart_is_read_as_it_stands(change: Change, tmp_path: Path) -> None:
    path = written(single(everything), tmp_path / "net.onnx", level=1)
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    outcome = read(path)
    assert outcome.value is not None
    assert "W0903" not in {told.code.id for told in outcome.diagnostics}
    assert outcome.value.tensors.keys() == {one.name for one in model.graph.initializer}


def test_a_bit_of_a_recipe(tmp_path: Path) -> None:
    """Whatever it is, no other numbers are taken without a word."""
    path = written(single(lambda x: norm(conv(x))), tmp_path / "net.onnx", level=1)
    whole, data = read(path).value, path.read_bytes()
    assert whole is not None
    start = data.index(MADE.encode())
    for bit in range(8 * start, 8 * (start + 500), 5):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        outcome = read(path)
        assert outcome.diagnostics[0].code.id in ("E0903", "E0908", "W0902")
        if outcome.value is not None and "b.norm.weight" in outcome.value.tensors:
            assert all(np.array_equal(outcome.value.tensors[name], whole.tensors[name]) for name in whole.tensors)


def test_from_a_model_to_pytorch_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    program = api.program(EXAMPLE, network="SpineNet49S")
    (tmp_path / "w.safetensors").write_bytes(to_bytes(weights_for(flatten(program))))
    line = ["compile", str(EXAMPLE), "--network", "SpineNet49S", "--input", "128x128", "--to", "onnx"]
    assert main([*line, "-O2", "--for", "onnxruntime", "--weights", "w.safetensors", "-o", "two.onnx"]) == 0
    capsys.readouterr()
    assert main([*line, "--weights", "two.onnx", "--verify", "-o", "zero.onnx"]) == 0
    assert "warning[W0903]: `two.onnx` has 130 norms in its kernels" in capsys.readouterr().err
    assert (
        main(["weights", "convert", "two.onnx", str(EXAMPLE), "--network", "SpineNet49S", "-o", "v.safetensors"]) == 0
    )
    assert main(["weights", "put", "two.onnx", "v.safetensors", "-o", "again.onnx"]) == 0
    one, other = (onnx.load(f"{name}.onnx") for name in ("two", "again"))
    for first, second in zip(one.graph.initializer, other.graph.initializer, strict=True):
        assert np.allclose(numpy_helper.to_array(first), numpy_helper.to_array(second), rtol=3e-7, atol=1e-7)
    made = {entry.key: entry.value for entry in one.metadata_props}[MADE]
    assert json.loads(made)["tensors"].keys() == flatten(program).parameters.keys()
