"""`spine bench`: what is printed and drawn, and what is wrong with the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spinedsl import extras
from tests.cli.running import run


def test_a_table_and_what_it_is_of(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "bench", "net.spine", "--engines", "torch,onnxruntime-O1", "--rounds", "2")
    assert status == 0
    head, machine, _, columns, *rows = out.splitlines()
    assert head == "Net at 1 x 3 x 16 x 16: 93,696 multiply-adds; 1 thread, 2 rounds"
    assert machine.endswith("a core does 1 G multiply-adds a second in float32")
    assert columns.split()[0] == "engine"
    assert [row.split("  ")[0] for row in rows] == ["PyTorch", "ONNX Runtime, -O1"]
    assert "no --weights: values made from seed 0" in err


def test_all_that_are_installed_run_where_none_is_named(
    net: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = extras._is_there
    monkeypatch.setattr(extras, "_is_there", lambda package: package != "openvino" and there(package))
    status, out, err = run(capsys, "bench", "net.spine", "--rounds", "1", "--json")
    assert status == 0
    names = [one["name"] for one in json.loads(out)["engines"]]
    assert names == [
        "torch",
        "torch-channels-last",
        "torch-inference",
        "onnxruntime-O0",
        "onnxruntime-O1",
        "onnxruntime-O2",
    ]
    _, _, err = run(capsys, "bench", "net.spine", "--rounds", "1")
    assert "openvino, openvino-bfloat16: not installed (pip install 'spinedsl[openvino]')" in err


def test_weights_that_are_given_are_run(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "net.spine", "--engines", "torch", "--rounds", "1", "--weights"]
    status, _, err = run(capsys, *words, "w.npz")
    assert status == 0
    assert "no --weights" not in err
    import numpy as np

    with np.load("w.npz") as tensors:
        np.savez("less.npz", **dict(list(tensors.items())[1:]))
    status, out, err = run(capsys, *words, "less.npz")
    assert (status, out) == (1, "")
    assert "error[E0901]" in err


@pytest.mark.parametrize(("name", "begins"), [("b.svg", b"<svg "), ("b.png", b"\x89PNG")])
def test_a_picture(name: str, begins: bytes, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, _ = run(capsys, "bench", "net.spine", "--engines", "torch", "--rounds", "1", "-o", name)
    assert status == 0
    assert (net / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("--engines tourch", 2, "--engines: no engine is called `tourch`; did you mean `torch`?"),
        ("--engines ,", 2, "--engines: no engine is called ``; there are `torch`, "),
        ("--engines torch,onnxruntime-O0,torch", 2, "--engines: `torch` is named twice: each engine runs once a round"),
        ("--engines int8", 2, "--engines int8 runs a model that is given: --int8 PATH"),
        ("--int8 no.onnx", 1, "error[E0801]: cannot read `no.onnx`: no such file"),
        ("--int8 .", 1, "error[E0801]: cannot read `.`: it is a folder"),
        ("--int8 net.spine --engines int8", 1, "error[E0942]: `net.spine` cannot be compared with network `Net`"),
        ("--rounds 0", 2, "--rounds: expected a number from 1 to 99999, got '0'"),
        ("--threads -1", 2, "--threads: expected 0 or more, got '-1'"),
        ("--batch many", 2, "--batch: expected a whole number, got 'many'"),
        ("--input 17", 1, "error[E0402]"),
        ("--batch 99999 --input 8192 --engines torch", 1, "error[E0941]"),
        ("-o b.html", 2, "`b.html` is none of .svg, .png"),
        ("-o b.txt", 2, "`b.txt` is none of .svg, .png\n"),
        ("-o -", 2, "the times are printed, so name a file for the picture"),
        ("--prefix a", 2, "--prefix chooses tensors of --weights PATH, which is not given"),
    ],
)
def test_what_is_wrong(words: str, status: int, told: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, out, err = run(capsys, "bench", "net.spine", *words.split())
    assert (found, out) == (status, "")
    assert told in err
