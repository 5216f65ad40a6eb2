"""Models with other weights: to the last bit what compiling with those gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest

from spinedsl import api
from spinedsl.backends.onnx import emit_files, emit_model
from spinedsl.backends.onnx.refill import Refusal, opened, refilled
from spinedsl.backends.onnx.target import Target
from spinedsl.cli import main
from spinedsl.ops.graph import flatten
from spinedsl.ops.prune import prune
from spinedsl.weights import to_bytes
from tests.building import Network, single, weights_for
from tests.passes.test_passes import conv, everything, norm

PROGRAM = single(everything)
ONE, OTHER = (weights_for(flatten(PROGRAM), seed) for seed in (1, 2))
EXAMPLE = Path(__file__).resolve().parents[2] / "examples/spinenet.spine"


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("target", [Target(), Target(half=True, opset=13)], ids=["single", "half"])
def test_a_model_with_other_weights_is_the_model_of_those(level: int, target: Target) -> None:
    given: dict[str, Any] = {"target": target, "level": level}
    wanted = emit_model(PROGRAM, OTHER, metadata={"spine.weights": "other"}, **given)
    first = emit_model(PROGRAM, ONE, metadata={"spine.weights": "one", "spine.verified": "of one"}, **given)
    assert wanted != first
    (found,) = refilled(opened(first), OTHER, "other").values()
    assert found == wanted


def test_tensors_in_a_second_file() -> None:
    wanted = emit_files(PROGRAM, OTHER, metadata={"spine.weights": "other"}, level=1)
    first = emit_files(PROGRAM, ONE, metadata={"spine.weights": "one"}, level=1)
    assert refilled(opened(first["Net.onnx"]), OTHER, "other") == wanted


def test_it_needs_what_the_network_needs_though_rows_are_left_out() -> None:
    network = Network().block("b", lambda x: norm(conv(x))).block("c", lambda x: norm(conv(x)), "b")
    program = network.output("P", "b").program()
    empty = opened(emit_model(program, weights_for(flatten(program)), level=1))
    assert {*empty.needed} == {*flatten(program).parameters}
    part = prune(network.output("Q", "c").program(), ["P"])
    assert opened(emit_model(part, weights_for(flatten(part)), level=1)).dropped == part.dropped


def test_weights_that_cannot_be_folded_are_refused() -> None:
    program = single(lambda x: norm(conv(x)))
    weights = weights_for(flatten(program))
    empty = opened(emit_model(program, weights, level=1))
    weights["b.norm.running_var"][:] = -1
    with pytest.raises(Refusal, match=r"`b\.norm` cannot be folded"):
        refilled(empty, weights, "")


@pytest.mark.parametrize("target", [Target(), Target(half=True)], ids=["single", "half"])
def test_a_model_with_a_norm_that_was_kept_is_for_the_weights_that_it_was_made_with(target: Target) -> None:
    """Others would fold it, so that compiling with them gives another graph; and the other way round."""
    program = single(lambda x: norm(conv(norm(conv(x, path="one"), path="first"))))
    odd, usual = (weights_for(flatten(program), seed) for seed in (1, 2))
    odd["b.norm.weight"][:] = target.most / 10
    odd["b.norm.running_var"][:] = 1e-3
    made = {level: emit_model(program, odd, target=target, level=level) for level in (0, 1)}
    assert [opened(data).kept for data in made.values()] == [(), ("b.norm",)]
    with pytest.raises(Refusal, match=r"weights with which `b\.norm` could not be folded") as refused:
        refilled(opened(made[1]), usual, "usual.npz")
    assert refused.value.fix == "compile the network with `--weights usual.npz`"
    with pytest.raises(Refusal, match=r"with these weights `b\.norm` cannot be folded"):
        refilled(opened(emit_model(program, usual, target=target, level=1)), odd, "odd.npz")
    assert refilled(opened(made[0]), usual, "usual")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    program = api.program(EXAMPLE, network="SpineNet49S")
    for name, seed in (("one", 1), ("other", 2)):
        (tmp_path / f"{name}.safetensors").write_bytes(to_bytes(weights_for(flatten(program), seed)))
        line = ["compile", str(EXAMPLE), "--network", "SpineNet49S", "--to", "onnx", "-O1", "-o", f"{name}.onnx"]
        assert main([*line, "--weights", f"{name}.safetensors"]) == 0
    assert main(["weights", "put", "one.onnx", "other.safetensors", "-o", "new.onnx"]) == 0
    assert (tmp_path / "new.onnx").read_bytes() == (tmp_path / "other.onnx").read_bytes()
    capsys.readouterr()
    data = bytearray((tmp_path / "one.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "flipped.onnx").write_bytes(data)
    assert main(["weights", "put", "flipped.onnx", "other.safetensors", "-o", "not.onnx"]) == 1
    assert "E0908" in capsys.readouterr().err
    foreign = onnx.load("one.onnx")
    onnx.save(foreign, "foreign.onnx")
    foreign.producer_name = "else"
    del foreign.metadata_props[:]
    onnx.save(foreign, "foreign.onnx")
    assert main(["weights", "put", "foreign.onnx", "other.safetensors", "-o", "not.onnx"]) == 1
    assert "`foreign.onnx` cannot be filled with `other.safetensors`: it is no model of" in capsys.readouterr().err
    assert main(["weights", "put", "other.safetensors", "one.onnx", "-o", "not.onnx"]) == 1
    assert "the model stands before the weights: one.onnx other.safetensors" in capsys.readouterr().err
    assert main(["weights", "put", "gone.onnx", "other.safetensors", "-o", "not.onnx"]) == 1
    assert "E0801" in capsys.readouterr().err
    changed = onnx.load("one.onnx")
    del changed.metadata_props[:]
    onnx.save(changed, "changed.onnx")
    assert main(["weights", "put", "one.onnx", "changed.onnx", "-o", "not.onnx"]) == 1
    assert "`-O1`" in capsys.readouterr().err
    odd = weights_for(flatten(program))
    odd[next(name for name in odd if name.endswith("norm.weight"))][:] = 3e38
    (tmp_path / "odd.safetensors").write_bytes(to_bytes(odd))
    assert main(["weights", "put", "one.onnx", "odd.safetensors", "-o", "not.onnx"]) == 1
    printed = capsys.readouterr().err
    assert "error[E0917]: `one.onnx` cannot be filled with `odd.safetensors`: with these weights `" in printed
    assert "compile the network with `--weights odd.safetensors`" in printed
    assert not (tmp_path / "not.onnx").exists()
