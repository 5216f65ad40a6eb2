"""Some of a network's outputs: what they need and nothing else, with the numbers that the whole network gives."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import spinedsl
from spinedsl.analysis import costs, costs_by_row
from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends import torch as torch_backend
from spinedsl.cli import main
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.naming import row_of
from spinedsl.ops.program import Program
from spinedsl.ops.prune import prune
from spinedsl.ops.verify import verify
from spinedsl.source import Source
from spinedsl.testing import networks
from spinedsl.weights import to_bytes
from tests.profiles import drawn
from tests.witnesses import EXAMPLES, Array, images, run_torch, weights_of

SPINENET, RETINANET = EXAMPLES / "spinenet.spine", EXAMPLES / "retinanet.spine"
TUTORIAL = EXAMPLES / "tutorial/2_scales.spine"


def spinenet(outputs: Iterable[str] | None = None) -> Program:
    """SpineNet-49S, or the part of it that gives `outputs`."""
    return spinedsl.program(SPINENET, network="SpineNet49S", size=(128, 128), outputs=outputs)


def assert_part_of(whole: Program, part: Program, image: Array) -> None:
    """Both backends give of the part what they give of the whole, from the weights of the whole."""
    verify(part)
    weights = weights_of(flatten(whole).parameters)
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    kept = {name: value for name, value in weights.items() if row_of(name, part.dropped) not in part.dropped}
    assert flatten(part).parameters.keys() == kept.keys()
    expected, made = (torch_backend.build(program).eval() for program in (whole, part))
    expected.load_state_dict(tensors, strict=False)
    if any(name not in kept for name in tensors):
        with pytest.warns(UserWarning, match=r"^(1 tensor|\d\d+ tensors|[2-9] tensors) of rows that are left out"):
            missing, unexpected = made.load_state_dict(tensors, strict=False)
    else:
        missing, unexpected = made.load_state_dict(tensors, strict=False)
    assert (unexpected, [name for name in missing if not name.endswith("num_batches_tracked")]) == ([], [])
    all_values, values = run_torch(expected, image), run_torch(made, image)
    assert list(values) == list(part.outputs)
    session = onnxruntime.InferenceSession(onnx_backend.emit_model(part, kept), providers=["CPUExecutionProvider"])
    by_onnx = dict(zip(part.outputs, session.run(None, {part.input_name: image}), strict=True))
    by_hand, by_hand_whole = run(flatten(part), kept, image), run(flatten(whole), weights, image)
    for name, value in values.items():
        assert np.array_equal(value, all_values[name])
        assert np.array_equal(by_hand[name], by_hand_whole[name])
        assert np.abs(by_onnx[name] - value).max() <= 1e-4 * np.abs(value).max()


@drawn(40)
@given(networks(), st.data())
def test_parts_of_random_networks(text: str, data: st.DataObject) -> None:
    whole = spinedsl.program(Source.from_text(text))
    chosen = data.draw(st.sets(st.sampled_from(whole.outputs), min_size=1))
    part = prune(whole, chosen)
    assert part.outputs == tuple(name for name in whole.outputs if name in chosen)
    kept, every = ({whole.weights_of(row.name) for row in one.rows} for one in (part, whole))
    assert kept | {*part.dropped} == every  # rows that share weights go by one name
    needed = {name for row in part.rows for name in (*(c.source for c in row.inputs), *row.absorbed)}
    giving = {row.name for row in part.rows if chosen & row.values.keys()}
    assert {row.name for row in part.rows} <= needed | giving
    by_row = costs_by_row(flatten(whole))
    assert costs(flatten(part)).multiply_adds == sum(by_row[row.name].multiply_adds for row in part.rows)
    (image,) = images(whole, [(1, whole.input_type.height, whole.input_type.width)])
    assert_part_of(whole, part, image)


def test_what_spinenet_needs_for_its_finest_outputs() -> None:
    part = spinenet(["P4", "P3"])
    assert part.outputs == ("P3", "P4")
    assert part.dropped == ("b11", "b14", "b15", "b16", "P5", "P6", "P7")  # b11 is absorbed by b14
    assert part.divisor == 128  # b9, at level 7, feeds b10
    assert_part_of(spinenet(), part, images(part, [(1, 128, 128)])[0])
    assert "b11" not in spinenet(["P5"]).dropped


def test_the_divisor_is_that_of_the_levels_left() -> None:
    part = spinedsl.program(EXAMPLES / "resnet.spine", network="ResNet50", outputs=["C3"])
    assert (part.divisor, part.dropped) == (8, ("c4", "c5", "C2", "C4", "C5"))
    module = torch_backend.build(part)
    assert module.size_divisor == 8
    assert module(torch.zeros(1, 3, 40, 24))["C3"].shape == (1, 512, 5, 3)


@pytest.mark.parametrize("outputs", [("boxes_P3", "P6"), ("scores_P7",), ("P3", "P4")])
def test_outputs_of_heads(outputs: tuple[str, ...]) -> None:
    whole = spinedsl.program(RETINANET, network="RetinaNet49S", size=(128, 128))
    part = prune(whole, outputs)
    assert set(part.outputs) == set(outputs)
    assert {"boxes", "scores"} - {row.name for row in part.heads} == {
        head for head in ("boxes", "scores") if not any(name.startswith(head) for name in outputs)
    }
    assert_part_of(whole, part, images(whole, [(1, 128, 128)])[0])


def test_a_module_says_only_what_it_gives() -> None:
    module = cast(Any, spinedsl.load(SPINENET, network="SpineNet49S", outputs=["P3", "P5"]))
    assert [info["module"] for info in module.feature_info] == ["P3", "P5"]
    assert [info["index"] for info in module.feature_info] == [0, 1]
    assert not any(name.startswith("b15.") for name in module.state_dict())


def test_compile_takes_outputs_too() -> None:
    arguments = {"network": "SpineNet49S", "outputs": ("P3",)}
    (code,) = spinedsl.compile(SPINENET, to="torch", **arguments).values()  # type: ignore[arg-type]
    assert code == torch_backend.emit_module(spinedsl.program(SPINENET, **arguments))  # type: ignore[arg-type]
    assert b"self.b15" not in code


def test_strict_loading_of_a_whole_checkpoint_inside_another_module() -> None:
    whole = torch.nn.ModuleDict({"backbone": torch_backend.build(spinenet())})
    part = torch.nn.ModuleDict({"backbone": torch_backend.build(spinenet(["P3"]))})
    with pytest.warns(UserWarning, match="left out: b11, b12, b14"):
        part.load_state_dict(whole.state_dict())
    with pytest.raises(RuntimeError, match=r"Unexpected key.*other\.weight"), pytest.warns(UserWarning, match="left"):
        part.load_state_dict({**whole.state_dict(), "backbone.other.weight": torch.zeros(1)})


# ---- the command line ----


def test_weights_of_the_whole_network_make_a_part_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = weights_of(flatten(spinenet()).parameters)
    file, model = tmp_path / "whole.safetensors", tmp_path / "part.onnx"
    file.write_bytes(to_bytes(weights))
    chosen = ["--network", "SpineNet49S", "--outputs", "P4,P3", "--input", "128"]
    asked = ["compile", str(SPINENET), *chosen, "--to", "onnx", "--weights", str(file), "-o", str(model)]
    assert main(asked) == 0
    said = capsys.readouterr().err
    assert "--outputs leaves out 7 of 23 rows: b11, b14, b15, b16, P5, P6, P7" in said
    assert "tensors of rows that are left out are not taken from" in said
    session = onnxruntime.InferenceSession(model.read_bytes(), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["P3", "P4"]
    del weights["b4.rep0.squeeze.conv.weight"]
    file.write_bytes(to_bytes(weights))
    assert main(asked) == 1
    said = capsys.readouterr().err
    assert "missing: `b4.rep0.squeeze.conv.weight`" in said
    assert "unexpected" not in said


def test_weights_are_converted_and_verified_for_a_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of the whole fits a part, and makes a file of the part, which does not fit the whole."""
    whole, part = str(tmp_path / "whole.safetensors"), str(tmp_path / "part.safetensors")
    Path(whole).write_bytes(to_bytes(weights_of(flatten(spinenet()).parameters)))
    network = [str(SPINENET), "--network", "SpineNet49S", "--input", "128"]
    chosen = [*network, "--outputs", "P3"]
    assert main(["weights", "convert", whole, *chosen, "-o", part]) == 0
    kept = flatten(spinedsl.program(SPINENET, network="SpineNet49S", size=(128, 128), outputs=["P3"])).parameters
    assert spinedsl.read_weights(part).tensors.keys() == {
        name for name in kept if not name.endswith("num_batches_tracked")
    }
    for file in (whole, part):
        assert main(["weights", "verify", file, *chosen]) == 0
    assert main(["weights", "verify", part, *network]) == 1
    assert main(["weights", "verify", part, "--outputs", "P3"]) == 2
    capsys.readouterr()


def test_a_part_is_verified(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["verify", str(TUTORIAL), "--outputs", "P4", "--format", "json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["output"] for one in found["differences"]} == {"P4"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("P8", "has no output `P8`: it has `P3`, `P4`, `P5`, `P6` and `P7`"),
        ("P3,p4", "has no output `p4`; did you mean `P4`? It has `P3`, `P4`, `P5`, `P6` and `P7`"),
        ("b3", "has no output `b3`"),
        ("P3,", "expected names of outputs, as in P3,P4,P5, got 'P3,'"),
    ],
)
def test_unknown_outputs(asked: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["stats", str(SPINENET), "--network", "SpineNet49S", "--outputs", asked]
    try:
        status = main(arguments)
    except SystemExit as exit_:
        status = cast(int, exit_.code)
    assert status == 2
    assert said in capsys.readouterr().err


def test_no_outputs_at_all() -> None:
    with pytest.raises(spinedsl.OutputChoice, match="no output of network `SpineNet49S` is chosen"):
        spinenet([])


@pytest.mark.parametrize("command", ["stats", "show"])
def test_figures_are_of_the_part(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, str(SPINENET), "--network", "SpineNet49S", "--outputs", "P3"]) == 0
    printed = capsys.readouterr().out
    assert "P3" in printed
    assert "b15" not in printed


MAPS = """\
spine 1
import std.blocks
import std.stems
import std.outputs
network Cell {
    input x: level 2
    block b: residual level 2 after x channels 8
    output P: b
}
network Pair {
    input x: level 2
    block a: residual level 2 after x channels 8
    block b: bottleneck level 2 after a channels 8
    output P: b
    output Q: a
}
network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    rules { outputs any }
    stem s: resnet_stem channels 8
    ROWS
}
"""
GIVERS = {
    "a map as it is": ("block b: residual level 3 after s channels 8\noutput C3: b", ["b"]),
    "a map with a layer of its own": (
        "block b: residual level 3 after s channels 8\noutput P3: endpoint from b channels 4",
        ["P3"],
    ),
    "a row that repeats": ("block b: residual level 3 after s channels 8 repeat 2\noutput C3: b", ["b"]),
    "copies of a part": ("part n: Pair from s\npart m: Pair from n.P\noutput P2, P2b: m", ["m.b", "m.a"]),
    "copies that share": (
        "block c: residual level 2 after s channels 8\npart n: shared Cell from c repeat 2\noutput P2: n",
        ["n.b"],
    ),
    "the stem": ("output C2: s", ["s"]),
}


@pytest.mark.parametrize("rows", GIVERS)
def test_the_information_of_features_names_the_submodule_that_gives_each(rows: str) -> None:
    text, names = GIVERS[rows]
    module = cast(Any, spinedsl.load(Source.from_text(MAPS.replace("ROWS", text)), network="Net")).eval()
    assert [info["module"] for info in module.feature_info] == names
    gave: list[Any] = []
    for name in names:
        module.get_submodule(name).register_forward_hook(lambda part, given, result: gave.append(result))
    found = module(torch.rand(1, 3, 64, 64))
    assert all(any(value is one for one in gave) for value in found.values())
