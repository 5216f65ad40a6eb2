"""Models for other opsets, in half precision, of a fixed batch, and with their tensors in a second file.

Each is held against the reference interpreter by the newest ONNX Runtime; `make runtimes` does so with old ones.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.helper import OP_SET_ID_VERSION_MAP

from spinedsl import api
from spinedsl.backends import OPSETS, Options
from spinedsl.backends import onnx as backend
from spinedsl.backends.onnx import emit_files, emit_model
from spinedsl.backends.onnx.assemble import PAGE
from spinedsl.backends.onnx.sketch import Sketch
from spinedsl.backends.onnx.target import HALF_MOST, Target
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.naming import Names
from spinedsl.ops.program import Operand, Program, Ref
from spinedsl.ops.types import SINGLE_MOST
from tests.backends.onnx.test_emit import checked, error, run_ort, session, static_shape
from tests.building import CASES, FIXED, case, image_for, op, open_axes, single, weights_for

SINGLE, HALF = 5e-6, 1e-2  # largest differences over the largest number


@pytest.mark.parametrize("opset", OPSETS)
def test_every_primitive_in_every_opset(opset: int) -> None:
    """The checker knows which operators, attributes and inputs an opset has; the runtime what they compute."""
    target = Target(opset)
    for name in CASES:
        program, graph = case(name)
        weights, image = weights_for(graph), image_for(program)
        expected = run(graph, weights, image, dtype=np.float64)["P"]
        for axes in {open_axes(program), frozenset[str]()}:
            data = emit_model(program, weights, dynamic=axes, target=target)
            model = checked(data)
            assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", opset)]
            assert error(run_ort(data, image)["P"], expected) < SINGLE, name


@pytest.mark.parametrize("opset", OPSETS)
def test_the_format_is_the_oldest_that_has_the_opset(opset: int) -> None:
    assert Target(opset).ir_version == OP_SET_ID_VERSION_MAP["ai.onnx", opset]
    assert (
        onnx.load_from_string(emit_model(*parts_of("conv3"), target=Target(opset))).ir_version
        == (OP_SET_ID_VERSION_MAP["ai.onnx", opset])
    )


def parts_of(name: str) -> tuple[Program, dict[str, Any]]:
    program, graph = case(name)
    return program, weights_for(graph)


@pytest.mark.parametrize("opset", [OPSETS[0], 18, OPSETS[-1]])
def test_half(opset: int) -> None:
    for name in CASES:
        program, graph = case(name)
        weights = weights_for(graph)
        data = emit_model(program, weights, dynamic=open_axes(program), target=Target(opset, half=True))
        model = checked(data)
        assert {tensor.data_type for tensor in model.graph.initializer} <= {onnx.TensorProto.FLOAT16}
        held = {value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)}
        assert held == {onnx.TensorProto.FLOAT16}
        image = image_for(program).astype(np.float16)
        got = session(data).run(["P"], {"image": image})[0]
        assert got.dtype == np.float16
        expected = run(graph, weights, image.astype(np.float64), dtype=np.float64)["P"]
        assert error(got.astype(np.float64), expected) < HALF, name


def _of_zeros(operator: str, epsilon: Fraction, x: Ref) -> Operand:
    return op(operator, op("multiply_scalar", x, value=0), epsilon=epsilon)


@pytest.mark.parametrize(("half", "epsilon"), [(True, Fraction(1, 10**12)), (False, Fraction(1, 10**50))])
def test_nothing_divides_by_a_zero_that_only_the_type_has(half: bool, epsilon: Fraction) -> None:
    """The epsilon of a norm is below the smallest number of float16, or of float32."""
    for operator in ("l2_normalise", "layer_norm"):
        program = single(partial(_of_zeros, operator, epsilon))
        weights = weights_for(flatten(program))
        data = emit_model(program, weights, target=Target(13, half=half))
        image = image_for(program).astype(np.float16 if half else np.float32)
        assert np.isfinite(session(data).run(["P"], {"image": image})[0]).all()


def test_a_fixed_batch() -> None:
    for name in CASES:
        if name in FIXED:
            continue
        program, graph = case(name)
        weights, image = weights_for(graph), image_for(program, batch=3)
        data = emit_model(program, weights, target=Target(batch=3))
        assert static_shape(checked(data).graph.input[0])[0] == 3
        assert error(run_ort(data, image)["P"], run(graph, weights, image, dtype=np.float64)["P"]) < SINGLE, name


def test_what_no_model_can_be() -> None:
    with pytest.raises(ValueError, match="expected an opset from 13 to 23, got 12"):
        Target(12)
    with pytest.raises(ValueError, match="a batch has at least one image, got 0"):
        Target(batch=0)
    with pytest.raises(ValueError, match="the batch cannot be open and have 2 images"):
        emit_model(*parts_of("conv3"), dynamic=frozenset({"batch"}), target=Target(batch=2))


@pytest.mark.parametrize(("half", "most"), [(False, SINGLE_MOST), (True, HALF_MOST)])
def test_numbers_that_no_type_holds(half: bool, most: float) -> None:
    """The last net: they are infinite."""
    sketch = Sketch(Names(()), target=Target(half=half))
    sketch.constant(most, -most, 2 * most, -2.0 * most, rank=1)
    (node,) = sketch.nodes
    assert onnx.numpy_helper.to_array(node.attribute[0].t).tolist() == [most, -most, np.inf, -np.inf]


# ---- float16 ----


def beyond(program: Program, weights: dict[str, Any]) -> list[str]:
    outcome = backend.emit(program, Options(weights=weights, half=True))
    assert outcome.value is None
    return [f"{found.code.id} {found.message} {' '.join(found.notes)}" for found in outcome.diagnostics]


def test_numbers_beyond_half() -> None:
    large = single(lambda x: op("add_scalar", op("multiply_scalar", x, value=10**6), value=65_504))
    assert beyond(large, {}) == ["E0911 the number 1e+06 of `b` is beyond float16, whose largest number is 65,504 "]


def test_tensors_beyond_half() -> None:
    program, weights = parts_of("batch_norm")
    name = next(name for name in weights if name.endswith("running_var"))
    weights[name][:2] = 70_000
    (found,) = beyond(program, weights)
    assert f"`{name}`: 2 of {weights[name].size} numbers" in found
    weights[name][:2] = np.inf  # which no precision holds
    assert backend.emit(program, Options(weights=weights, half=True)).ok


# ---- two files ----


def test_tensors_in_a_second_file(tmp_path: Path) -> None:
    program, graph = case("conv bias")
    weights, image = weights_for(graph), image_for(program)
    files = emit_files(program, weights)
    model, data = files
    assert (model, data) == ("Net.onnx", f"Net.{hashlib.sha256(files[data]).hexdigest()[:12]}.data")
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    onnx.checker.check_model(tmp_path / model, full_check=True)
    ready = onnxruntime.InferenceSession(tmp_path / model, providers=["CPUExecutionProvider"])
    (got,) = ready.run(["P"], {"image": image})
    assert error(got, run(graph, weights, image)["P"]) < SINGLE
    assert len(files[model]) < 10_000
    tensors = onnx.load(tmp_path / model, load_external_data=False).graph.initializer
    starts = [int(entry.value) for one in tensors for entry in one.external_data if entry.key == "offset"]
    assert len(starts) == len(weights) > 1
    assert not any(start % PAGE for start in starts)  # a runtime can map it into memory


def test_when_there_is_a_second_file(monkeypatch: pytest.MonkeyPatch) -> None:
    program, weights = parts_of("conv bias")

    def count(**options: Any) -> int:
        files = backend.emit(program, Options(weights=weights, **options)).value
        assert files is not None
        return len(files)

    assert [count(external_data=when) for when in ("auto", "always", "never")] == [1, 2, 1]
    monkeypatch.setattr(backend, "MOST_BYTES", sum(array.nbytes for array in weights.values()) - 1)
    assert [count(external_data=when) for when in ("auto", "always")] == [2, 2]
    assert count(half=True) == 1
    refused = backend.emit(program, Options(weights=weights, external_data="never"))
    assert [found.code.id for found in refused.diagnostics] == ["E0907"]


def test_other_tensors_are_another_file() -> None:
    """So a model that was interrupted while it was written again finds its own."""
    program, weights = parts_of("conv bias")
    before = emit_files(program, weights)
    weights = {name: array + 1 for name, array in weights.items()}
    after = emit_files(program, weights)
    assert not set(list(before)[1:]) & set(list(after)[1:])


def test_python_interface() -> None:
    text = Path(__file__).resolve().parents[3] / "examples/tutorial/1_first_network.spine"
    (data,) = api.compile(text, to="onnx", opset=14, batch=2, half=True).values()
    model = checked(data)
    assert (model.ir_version, static_shape(model.graph.input[0])[0]) == (7, 2)
