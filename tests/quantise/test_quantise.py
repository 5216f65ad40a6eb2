"""Int8 models: what becomes int8 and what stays float, which rows are chosen, and what is in the file."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from spinedsl import api
from spinedsl.agreement import lively_weights
from spinedsl.backends.onnx import emit_model
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.ops.digests import model_holds, model_is_ours
from spinedsl.ops.graph import flatten
from spinedsl.quantise import choose as choosing
from spinedsl.quantise.choose import Pictures, choose
from spinedsl.quantise.engines.onnxruntime import calibrated, quantised
from spinedsl.quantise.network import Float, row_of, runner
from spinedsl.quantise.written import QUANTISED, int8_model
from spinedsl.timing.measure import error_of

NET = """\
spine 1
import std.blocks
import std.outputs
import std.resample
import std.stems

network Net {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 16 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block a: residual  level 2  after s
    block b: bottleneck  level 3  from a
    block c: residual  level 2  from a, b
    output C2: endpoint  from c  channels 8
    output C3: endpoint  from b  channels 8
}
"""
ROWS = ["s", "a", "b", "c"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Float:
    path = tmp_path_factory.mktemp("net") / "net.spine"
    path.write_text(NET)
    program = api.program(path)
    return Float(program, lively_weights(flatten(program).parameters), 18)


def images(count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((count, 3, 32, 32)).astype(np.float32)


PICTURES = Pictures([images(1, seed) for seed in range(1, 7)], images(3))


@pytest.fixture(scope="module")
def ranges(network: Float) -> Any:
    return calibrated(network, iter(PICTURES.calibrate))


def kinds(model: onnx.ModelProto) -> dict[str, set[str]]:
    """Of each row with convolutions, the types of the tensors that their kernels are made from."""
    types = {one.name: onnx.TensorProto.DataType.Name(one.data_type) for one in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    found: dict[str, set[str]] = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            maker = makers.get(node.input[1])
            kernel = node.input[1] if maker is None else maker.input[0]
            found.setdefault(row_of(node), set()).add(types[kernel])
    return found


# ---- the quantiser ----


def test_rows_are_all_but_the_last_convolutions(network: Float) -> None:
    assert list(network.rows) == ROWS
    assert sorted(network.predictions) == ["C2.act", "C2.conv", "C3.act", "C3.conv"]
    assert [network.heavy(row) for row in ROWS] == [
        sum(node.op_type == "Conv" for node in network.model.graph.node if row_of(node) == row) for row in ROWS
    ]
    assert not any(node.op_type == "BatchNormalization" for node in network.model.graph.node), "folded before"


@pytest.mark.parametrize("rows", [ROWS, ["a"], ["s", "c"], []])
def test_just_these_rows_become_int8(rows: list[str], network: Float, ranges: Any) -> None:
    model = quantised(network, ranges, rows)
    onnx.checker.check_model(model)
    expected = {row: {"INT8"} if row in rows else {"FLOAT"} for row in (*ROWS, "C2", "C3")}
    assert kinds(model) == expected


def test_kernels_have_a_scale_for_each_channel(network: Float, ranges: Any) -> None:
    model = quantised(network, ranges, ROWS)
    kernels = {
        one.name: one for one in model.graph.initializer if one.name.endswith("_quantized") and len(one.dims) == 4
    }
    scales = {one.name: one for one in model.graph.initializer if one.name.endswith("_scale")}
    assert kernels
    assert all(
        list(scales[f"{name[: -len('_quantized')]}_scale"].dims) == [one.dims[0]] for name, one in kernels.items()
    )


def test_no_row_leaves_the_float_model_and_all_are_near_it(network: Float, ranges: Any) -> None:
    expected = network.run(PICTURES.measure)
    assert error_of(expected, runner(quantised(network, ranges, []))(PICTURES.measure)) == 0
    for reduce_range, most in ((False, 0.1), (True, 0.2)):
        model = quantised(network, ranges, ROWS, reduce_range=reduce_range)
        error = error_of(expected, runner(model)(PICTURES.measure))
        assert error is not None
        assert 0 < error < most


def test_seven_bits_are_half_the_values(network: Float, ranges: Any) -> None:
    for reduce_range, most in ((False, 127), (True, 64)):
        model = quantised(network, ranges, ["a"], reduce_range=reduce_range)
        arrays = [onnx.numpy_helper.to_array(one) for one in model.graph.initializer if one.name.endswith("_quantized")]
        kernels = [array for array in arrays if array.dtype == np.int8]
        assert kernels
        assert max(int(np.abs(array.astype(int)).max()) for array in kernels) == most


@pytest.mark.parametrize("opset", [13, 23])
def test_every_opset(opset: int, network: Float) -> None:
    other = Float(network.program, network.weights, opset)
    model = quantised(other, calibrated(other, iter(PICTURES.calibrate)), ROWS)
    assert [one.version for one in model.opset_import if not one.domain] == [opset]
    error = error_of(network.run(PICTURES.measure), runner(model)(PICTURES.measure))
    assert error is not None
    assert error < 0.1


def test_the_float_model_is_that_of_the_compiler(network: Float) -> None:
    session = onnxruntime.InferenceSession(emit_model(network.program, network.weights))
    found = dict(
        zip(network.program.outputs, session.run(list(network.program.outputs), {"image": images(1)}), strict=True)
    )
    error = error_of(found, network.run(images(1)))
    assert error is not None
    assert error < 1e-5


# ---- which rows stay float ----


def pretended(monkeypatch: pytest.MonkeyPatch, errors: dict[str, float]) -> list[tuple[str, ...]]:
    """The quantiser replaced: the error of rows is the sum of theirs. Returns what is tried."""
    tried: list[tuple[str, ...]] = []

    def made(rows: Collection[str]) -> Any:
        tried.append(tuple(rows))
        return sum(errors[row] for row in rows)

    monkeypatch.setattr(choosing, "prepared", lambda engine, network, images, *, reduce_range: made)
    monkeypatch.setattr(choosing, "runner", lambda model: lambda images: {"y": np.array([1 + model])})
    return tried


def pretended_network(names: Collection[str]) -> Any:
    """A float network of rows."""
    outputs = {"y": np.ones(1)}
    return SimpleNamespace(rows=dict.fromkeys(names, ()), heavy=lambda row: 1, run=lambda images: outputs)


ERRORS = {"a": 0.01, "b": 0.30, "c": 0.02, "d": 0.10, "e": 0.04}


@pytest.mark.parametrize(
    ("limit", "keep", "kept"),
    [
        (1.0, (), []),
        (0.47, (), []),
        (0.46, (), ["b"]),
        (0.17, (), ["b"]),
        (0.08, (), ["b", "d"]),
        (0.031, (), ["b", "d", "e"]),
        (0.001, (), ["a", "b", "c", "d", "e"]),
        (0.46, ("a",), ["a"]),
        (0.16, ("a",), ["a", "b"]),
    ],
)
def test_the_worst_stay_float_as_few_as_it_takes(
    limit: float, keep: tuple[str, ...], kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended(monkeypatch, ERRORS)
    found = choose(pretended_network(ERRORS), Pictures([], np.zeros(1)), keep=keep, limit=limit)
    assert list(found.kept) == kept
    assert found.error == pytest.approx(sum(error for row, error in ERRORS.items() if row not in kept))
    assert found.whole == pytest.approx(sum(error for row, error in ERRORS.items() if row not in keep))
    assert {row.name: pytest.approx(row.error) for row in found.rows} == ERRORS
    assert [row.name for row in found.rows if row.asked] == list(keep)


def test_few_models_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row alone, all, and then halves: of a hundred rows at most eight more."""
    errors = {f"r{number}": 0.01 for number in range(100)}
    tried = pretended(monkeypatch, errors)
    found = choose(pretended_network(errors), Pictures([], np.zeros(1)), limit=0.305)
    assert len(found.kept) == 70
    assert len(tried) <= 100 + 1 + 8


def test_of_a_real_network(network: Float) -> None:
    whole = choose(network, PICTURES, limit=1.0)
    assert whole.kept == ()
    assert whole.error == whole.whole
    some = choose(network, PICTURES, limit=whole.whole * 0.8)
    assert some.kept
    assert some.error <= whole.whole * 0.8
    assert {row: kind for row, kind in kinds(some.model).items() if kind == {"FLOAT"}}.keys() == {
        "C2",
        "C3",
        *some.kept,
    }


# ---- the file ----


def test_the_file_is_sealed_and_tells_how_it_was_made(network: Float, tmp_path: Path) -> None:
    choice = choose(network, PICTURES, keep=["b"], limit=1.0)
    data = int8_model(network, choice, {"by": "a test"}, Preprocessing(32, 32), None, "some weights")
    assert model_is_ours(memoryview(data))
    assert model_holds(memoryview(data))
    model = onnx.load_model_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert told["spine.network"] == "Net"
    assert told["spine.weights"] == "some weights"
    assert "spine.made" not in told, "its tensors are made otherwise"
    found = json.loads(told[QUANTISED])
    assert found["by"] == "a test"
    assert found["float_rows"] == ["b"]
    assert found["row_errors"].keys() == set(ROWS)
    assert not [key for key in told if "/" in told[key] and not key.startswith("spine.source.")], "no path of here"
    session = onnxruntime.InferenceSession(data)
    both = session.run(None, {"image": images(2)})
    assert [value.shape for value in both] == [(2, 8, 8, 8), (2, 8, 4, 4)]
    assert len(data) < 0.7 * len(emit_model(network.program, network.weights))


def test_behind_a_shortcut_only_the_row_of_the_output_stays_float(tmp_path: Path) -> None:
    """Its last convolution: what else is added there comes from another row."""
    (tmp_path / "net.spine").write_text(NET.replace("C2: endpoint  from c  channels 8", "C2: c"))
    program = api.program(tmp_path / "net.spine")
    network = Float(program, lively_weights(flatten(program).parameters), 18)
    assert [node.name for node in network.model.graph.node if node.op_type == "Conv" and row_of(node) == "c"][-1] in (
        network.predictions
    )
    assert {name: network.heavy(name) for name in ("s", "a", "b")} == {"s": 1, "a": 2, "b": 6}
    assert network.heavy("c") >= 1
