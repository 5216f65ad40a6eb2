"""Comparing engines: what differs is found, whichever engine it is in; what is missing is said."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spinedsl
from spinedsl import api, driver
from spinedsl.agreement import FIXED, WITNESSES, Report, Size, agree, counted, lively_weights, train, usual_sizes
from spinedsl.agreement.compare import distance
from spinedsl.agreement.inputs import ODD, trembling
from spinedsl.agreement.witnesses import DOUBLE, SINGLE, Runner
from spinedsl.backends.onnx.operators import OPERATORS as ONNX
from spinedsl.backends.torch.operators import OPERATORS as TORCH
from spinedsl.lower import lower
from spinedsl.ops import interpret
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.ops.types import Loc
from spinedsl.record import replace
from spinedsl.source import Source
from tests.building import case, changed, op, single

SIZES = (Size(1, 16, 32), Size(2, 32, 16))
BOTH = {"PyTorch", "PyTorch in float64"}
BY_ONNX = {"ONNX Runtime", "OpenVINO"}


def differing(report: Report) -> set[str]:
    return {found.witness for found in report.differences if not found.agrees}


PLAIN = """\
spine 1
import std.blocks
import std.stems
network Net {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 4
    block b0: residual level 2 channels 4 after s
    block b1: residual level 3 channels 4 after b0
    output C2: b0
    output last: b1
}
"""


def test_an_output_that_is_a_row_is_found_by_its_own_name() -> None:
    """Engines may know the value by either name, whichever of the two comes first."""
    for name in ("A", "last", "z"):
        program = spinedsl.program(Source.from_text(PLAIN.replace("last", name)))
        report = agree(program, SIZES)
        assert not report.failures, name
        assert not differing(report), name
        assert {found.output for found in report.differences} == {"C2", name}


def activation() -> Program:
    return single(lambda x: op("relu", op("conv", x, channels=4, kernel=3)))


def test_all_agree() -> None:
    report = agree(activation(), SIZES)
    assert report.agrees
    assert set(report.witnesses) == BOTH | BY_ONNX
    assert report.sizes == SIZES
    assert (report.failures, report.missing) == ((), ())


@pytest.mark.parametrize("name", ["batch_norm", "gelu", "hard_sigmoid literal", "upsample bilinear", "conv_transpose"])
def test_operations_agree(name: str) -> None:
    program, _ = case(name)
    assert agree(program).agrees


def test_a_difference_in_pytorch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TORCH, "relu", TORCH["sigmoid"])
    assert differing(agree(activation(), SIZES)) == BOTH


def test_a_difference_in_onnx_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ONNX, "relu", ONNX["relu6"])
    program = single(lambda x: op("relu", op("multiply_scalar", op("conv", x, channels=4, kernel=3), value=20)))
    assert differing(agree(program, SIZES)) == BY_ONNX


def test_a_difference_in_the_reference_is_in_every_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(interpret.RULES, "relu", interpret.RULES["swish"])
    assert differing(agree(activation(), SIZES)) == BOTH | BY_ONNX


def test_a_small_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = interpret.RULES["conv"]
    monkeypatch.setitem(interpret.RULES, "conv", lambda *given: rule(*given) * (1 + 3e-5))
    report = agree(activation(), SIZES)
    assert differing(report) == BOTH | BY_ONNX
    assert all(2e-5 < found.scaled < 4e-5 for found in report.differences)


def cancelling(size: int) -> Program:
    """What is left of maps that are made large and small again."""

    def body(x: Any) -> Any:
        y = op("conv", x, channels=4, kernel=3)
        large = op("add_scalar", y, value=size)
        return op("add_scalar", large, value=-size)

    return single(body)


def test_float32_is_allowed_what_it_loses_itself() -> None:
    report = agree(cancelling(20_000), SIZES)
    assert report.agrees
    assert max(found.scaled for found in report.differences) > SINGLE
    assert all(found.allowed == DOUBLE for found in report.differences if found.witness == "PyTorch in float64")
    assert all(found.allowed == SINGLE for found in agree(activation(), SIZES).differences if "64" not in found.witness)


def test_what_float32_loses_is_drawn_more_than_once() -> None:
    found = driver.read(Path(__file__).with_name("enlarging.spine")).then(driver.analyse).value
    assert found is not None
    assert agree(lower(found.checked["Enlarging"]), [Size(2, 50, 37)], seed=7, witnesses=WITNESSES[:3]).agrees


def test_what_float32_cannot_hold_does_not_agree() -> None:
    """Both the engine and the interpreter in float32 overflow: what float32 loses is no measure there."""

    def body(x: Any) -> Any:
        large = op("multiply_scalar", op("conv", x, channels=4, kernel=3), value=10**30)
        return op("multiply_scalar", large, value=10**30)

    with np.errstate(over="ignore"):
        report = agree(single(body), SIZES[:1], witnesses=WITNESSES[:2])
    assert differing(report) == {"PyTorch"}


@pytest.mark.parametrize("value", [2**63 - 1, 2**63, -(2**63) - 1, 10**20])
def test_whole_numbers_that_no_64_bits_hold(value: int) -> None:
    program = single(lambda x: op("add_scalar", op("multiply_scalar", x, value=value), value=value))
    assert agree(program, SIZES[:1], witnesses=WITNESSES[:3]).agrees


def test_weights_off_in_their_last_bit_are_no_fault() -> None:
    exact = {"w": np.ones((2, 2), np.float32)}
    (off,) = trembling(exact, 0).values()
    assert 0 < np.abs(off - 1).max() < 1e-6


def test_a_shape_that_its_type_does_not_say_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = interpret.RULES["relu"]
    monkeypatch.setitem(interpret.RULES, "relu", lambda values, *rest: rule([values[0][:, :, 1:]], *rest))
    report = agree(activation(), SIZES[:1], witnesses=WITNESSES[:1])
    assert "reference interpreter in float64 fails: P has shape" in next(report.disagreements())


def test_a_model_of_one_size_gives_what_it_declares() -> None:
    program = activation()
    own = Size(1, program.input_type.height, program.input_type.width)
    assert agree(program, [own], witnesses=[FIXED]).agrees
    assert agree(program, [own], witnesses=[FIXED]).witnesses.keys() == {"ONNX Runtime at a fixed size"}
    (failure,) = agree(program, [Size(2, own.height, own.width)], witnesses=[FIXED]).failures
    assert "image" in failure.reason


def test_training_reaches_every_parameter() -> None:
    program = activation()
    weights = lively_weights(flatten(program).parameters)
    training = train(program, weights, SIZES[1])
    assert (training.shapes, training.unreached) == ({"P": (2, 4, 32, 16)}, ())
    assert counted(program) == (3 * 4 * 9, 3 * 4 * 9 * program.input_type.height * program.input_type.width)


def broken(program: Program, weights: Mapping[str, Any]) -> Runner:
    raise RuntimeError("planted\nand more")


def renamed(program: Program, weights: Mapping[str, Any]) -> Runner:
    return lambda image: {"Q": image}


def infinite(program: Program, weights: Mapping[str, Any]) -> Runner:
    return lambda image: {"P": np.full((len(image), 4, *image.shape[2:]), np.nan, np.float32)}


def other_shape(program: Program, weights: Mapping[str, Any]) -> Runner:
    return lambda image: {"P": np.zeros((1, 1), np.float32)}


@pytest.mark.parametrize(("open_", "reason"), [(broken, "RuntimeError: planted"), (renamed, "it gives Q instead of P")])
def test_an_engine_that_fails_does_not_agree(open_: Any, reason: str) -> None:
    report = agree(activation(), SIZES, witnesses=[replace(WITNESSES[0], open=open_), WITNESSES[2]])
    assert not report.agrees
    (failure,) = report.failures
    assert failure.reason.endswith(reason)
    assert {found.witness for found in report.differences} == {"ONNX Runtime"}


@pytest.mark.parametrize("open_", [infinite, other_shape])
def test_what_is_no_number_differs(open_: Any) -> None:
    report = agree(activation(), SIZES, witnesses=[replace(WITNESSES[0], open=open_)])
    assert [found.scaled for found in report.differences] == [math.inf, math.inf]
    assert not report.agrees


BIG = """\
spine 1
import std.stems
block_type ninth(x, channels) {
    return power(conv(x, channels, kernel = 1) * 1000000000, 9)
}
network Big {
    input image: 3 x 16 x 16
    defaults { act relu, norm batch_norm }
    widths { level 2: 4 }
    rules { outputs any }
    stem s: resnet_stem channels 4
    block first: ninth  level 2  after s
    block second: ninth  level 2  after first
    block third: ninth  level 2  after second
    output BIG: first
    output HUGE: third
    output SIDE: s
}
"""


@pytest.mark.parametrize(
    ("name", "row", "precision", "witnesses"),
    [("BIG", "first", "float32", {"PyTorch"}), ("HUGE", "second", "float64", BOTH)],
)
def test_a_network_whose_own_numbers_overflow_is_no_fault_of_an_engine(
    name: str, row: str, precision: str, witnesses: set[str]
) -> None:
    """The row is the first that the output needs; an output without such numbers agrees."""
    program = spinedsl.program(Source.from_text(BIG), outputs=[name, "SIDE"])
    report = agree(program, SIZES[:1], witnesses=WITNESSES[:2])
    assert not report.agrees
    assert not report.at_fault
    assert {(one.witness, one.output) for one in report.differences if not one.agrees} == {
        (witness, name) for witness in witnesses
    }
    assert list(report.disagreements()) == [f"{name} at 1 x 16x32 is not finite in {precision}, from row `{row}` on"]
    assert report.reason == "with values of seed 0, the network itself gives numbers that are not finite"
    # An engine that is wrong besides is still at fault.
    one_wrong = replace(WITNESSES[1], name="wrong", open=lambda program, weights: lambda image: {
        name: np.zeros((1, 4, 4, 8)) for name in program.outputs
    })  # fmt: skip
    report = agree(program, SIZES[:1], witnesses=[WITNESSES[0], one_wrong])
    assert report.at_fault
    assert report.reason == "this is a fault of the compiler or of an engine"
    assert next(report.disagreements()).startswith("wrong differs in ")


def test_a_missing_engine_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    report = agree(activation(), SIZES)
    assert report.agrees
    assert [(one.witness, one.reason, one.install) for one in report.missing] == [
        ("OpenVINO", "openvino not installed", "pip install 'openvino'")
    ]


def test_distance() -> None:
    ones = np.ones((2, 3))
    assert distance(ones, ones) == (0, 0)
    assert distance(ones * 2, ones * 4) == (2, 0.5)
    assert distance(ones, ones * 0) == (1, math.inf)
    assert distance(ones * 0, ones * 0) == (0, 0)


def test_usual_sizes_are_legal_and_not_all_square() -> None:
    program = activation()  # its divisor is 16
    assert usual_sizes(program) == (Size(1, 32, 32), Size(2, 32, 64), Size(1, 64, 32))
    assert usual_sizes(changed(program, divisor=128))[1] == Size(2, 128, 256)
    assert usual_sizes(changed(program, divisor=24))[0] == Size(1, 48, 48)
    assert usual_sizes(changed(program, divisor=1, any_size=True)) == ODD
    both = {"height": Loc("net.spine", 1), "width": Loc("net.spine", 1)}
    assert usual_sizes(changed(program, static_axes=both)) == (Size(1, 32, 48), Size(2, 32, 48))


def test_weights_leave_nothing_at_rest() -> None:
    _, graph = case("batch_norm")
    weights = lively_weights(graph.parameters, -3)
    assert weights.keys() == graph.parameters.keys()
    assert all(np.ptp(value) > 0 for value in weights.values())
    assert all(np.array_equal(value, lively_weights(graph.parameters, -3)[name]) for name, value in weights.items())


def test_the_stamp_has_the_largest_difference_of_each_witness() -> None:
    report = agree(activation(), SIZES, witnesses=WITNESSES[:3])
    assert re.fullmatch(
        r"PyTorch [0-9.]+ within [0-9]e-0[6-9], PyTorch in float64 [0-9.]+ within \S+ and ONNX Runtime [0-9.]+ within "
        r"[0-9]e-0[6-9] of the reference interpreter, as a share of each output's largest number, "
        r"with values of seed 0 at 1 x 16x32, 2 x 32x16",
        report.stamp,
    )
    (first, *others) = report.differences
    for scaled, said in ((0.0, "0"), (1.01e-6, "2e-06"), (2e-6, "2e-06"), (9.5e-7, "1e-06"), (math.inf, "inf")):
        changed = replace(
            report, differences=(replace(first, scaled=scaled), *(replace(o, scaled=0.0) for o in others))
        )
        assert changed.within(first.witness) == said


def test_the_opset_that_is_compiled_is_the_one_that_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    from spinedsl.backends import onnx as backend

    asked: list[int] = []
    emit_model = backend.emit_model

    def noting(*arguments: Any, **options: Any) -> bytes:
        asked.append(options["target"].opset)
        return emit_model(*arguments, **options)

    monkeypatch.setattr(backend, "emit_model", noting)
    example = Path(__file__).resolve().parents[2] / "examples/tutorial/1_first_network.spine"
    (data,) = api.compile(example, to="onnx", opset=13, verify=True).values()
    assert set(asked) == {13}
    assert len(asked) == 4  # two witnesses, and the file without and with what they found
    assert b"spine.verified" in data
