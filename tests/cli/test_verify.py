"""`spine verify` and `spine compile --verify`: table, verdict, exit status, and what is written into the file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnx
import pytest

from spinedsl.backends.onnx.operators import OPERATORS
from spinedsl.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
FIRST = str(EXAMPLES / "tutorial" / "1_first_network.spine")
ENGINES = ("torch", "onnxruntime", "openvino")

STATIC = """\
spine 1
import std.stems
block_type pooled(x, channels) -> channels {
    return conv(x, channels, kernel = x.height)
}
network Static {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b: pooled level 2 after s channels 4
    output P2: b
}
"""


def plant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of the ONNX backend that is wrong."""
    monkeypatch.setitem(OPERATORS, "relu", OPERATORS["sigmoid"])


def test_agreement_is_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", FIRST, "--input", "48x96"]) == 0
    said = capsys.readouterr().out
    assert "First by each engine, against the reference interpreter in float64; values of seed 0" in said
    for size in ("1 x 32x32", "2 x 32x64", "1 x 64x32", "1 x 48x96"):
        assert f"input {size}" in said
    assert "OpenVINO" in said
    assert said.splitlines()[-1].startswith("They agree: scaled differences up to ")


def test_a_difference_is_status_1_and_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plant(monkeypatch)
    assert main(["verify", FIRST]) == 1
    said = capsys.readouterr().out
    assert "ONNX Runtime differs in C3 at 1 x 32x32: scaled " in said
    assert "PyTorch differs" not in said
    assert said.splitlines()[-1].startswith("They do NOT agree")


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", FIRST, "--json", "--seed", "5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["network"], found["seed"], found["agrees"]) == ("First", 5, True)
    assert {entry["witness"] for entry in found["differences"]} == set(found["witnesses"])
    assert all(entry["scaled"] <= entry["allowed"] for entry in found["differences"])
    plant(monkeypatch)
    assert main(["verify", FIRST, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {entry["witness"] for entry in found["differences"] if not entry["agrees"]} == {"ONNX Runtime", "OpenVINO"}


def test_an_illegal_size_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", FIRST, "--input", "100x64"]) == 1
    assert "error[E0402]" in capsys.readouterr().err


def test_where_a_definition_reads_the_size_another_size_is_another_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "static.spine"
    file.write_text(STATIC)
    assert main(["verify", str(file), "--input", "32x64"]) == 0
    said = capsys.readouterr().out
    assert "input 1 x 64x64" not in said  # only the height is read
    assert "input 2 x 64x64" in said
    assert "input 1 x 32x64" in said


def test_missing_engines_are_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert main(["verify", FIRST]) == 0
    assert "OpenVINO was not asked: openvino not installed (pip install 'openvino')" in capsys.readouterr().out


def test_without_any_engine_it_is_wrong_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for package in ENGINES:
        monkeypatch.setitem(sys.modules, package, None)
    assert main(["verify", FIRST]) == 2
    said = capsys.readouterr().err
    assert said == "spine verify: this needs torch and onnxruntime: pip install 'spinedsl[all]'\n"
    assert main(["compile", FIRST, "--to", "onnx", "--verify", "-o", str(tmp_path / "m.onnx")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_compile_says_in_the_file_what_agreed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for name in ("one.py", "two.py"):
        assert main(["compile", FIRST, "--to", "torch", "--verify", "-o", str(tmp_path / name)]) == 0
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1]
    docstring = texts[0].split('"""')[1]
    assert "Verified: PyTorch " in docstring
    assert all(len(line) <= 120 for line in docstring.splitlines())
    model = tmp_path / "m.onnx"
    assert main(["compile", FIRST, "--to", "onnx", "--verify", "--seed", "2", "-o", str(model)]) == 0
    properties = {entry.key: entry.value for entry in onnx.load(str(model)).metadata_props}
    assert "with values of seed 2 at 1 x 32x32" in properties["spine.verified"]
    assert main(["compile", FIRST, "--to", "onnx", "-o", str(model)]) == 0
    assert "spine.verified" not in {entry.key for entry in onnx.load(str(model)).metadata_props}


def test_compile_writes_nothing_that_does_not_agree(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch)
    assert main(["compile", FIRST, "--to", "onnx", "--verify", "-o", str(tmp_path / "m.onnx")]) == 1
    assert list(tmp_path.iterdir()) == []
    assert "They do NOT agree" in capsys.readouterr().err


def test_what_cannot_be_run_cannot_be_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", FIRST, "--to", "mermaid", "--verify", "-o", "-"]) == 2
    assert "--verify is for `torch` or `onnx`" in capsys.readouterr().err


def test_with_trained_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    import spinedsl

    weights = tmp_path / "trained.pt"
    torch.save(spinedsl.load(FIRST).state_dict(), weights)
    assert main(["verify", FIRST, "--weights", str(weights)]) == 0
    assert "; trained.pt" in capsys.readouterr().out
    assert main(["verify", FIRST, "--weights", str(tmp_path / "none.pt")]) == 1
    assert "error[E0801]" in capsys.readouterr().err
