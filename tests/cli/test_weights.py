"""`spine weights`: what it prints, writes and refuses, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import spinedsl
from spinedsl.cli import main
from spinedsl.ops.graph import flatten
from spinedsl.weights import read, to_bytes
from tests.building import weights_for
from tests.cli.running import NET
from tests.published.reference import official_value, variables

ROOT = Path(__file__).parents[2]
RESNET = (str(ROOT / "examples/resnet.spine"), "--network", "ResNet50")
DETECTOR = str(ROOT / "examples/retinanet.spine")


@pytest.fixture
def net(tmp_path: Path) -> str:
    path = tmp_path / "net.spine"
    path.write_text(NET)
    return str(path)


@pytest.fixture
def weights(net: str, tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    path.write_bytes(to_bytes(weights_for(flatten(spinedsl.program(net))), {"origin": "a test"}))
    return path


def test_show_a_network(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "show", net]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "Net: 15 tensors, 2,424 numbers, 2,376 of them trained",
        "",
        "name                         shape    starts as",
        "s.enter.conv.weight          8x3x7x7  truncated normal, variance 1/147",
    ]
    assert main(["weights", "show", net, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["network"], found["parameters"], len(found["tensors"])) == ("Net", 2376, 15)
    assert found["tensors"][4] == {
        "name": "s.enter.norm.running_var", "shape": [8], "trainable": False, "initial": "1",
    }  # fmt: skip


def test_show_a_file(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "show", str(weights)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{weights}: 15 tensors, 2,424 numbers, 9.5 KiB; every digest holds"
    assert lines[1:4] == ["origin: a test", "", "name                         shape    type"]
    assert "b.spatial.conv.weight        8x8x3x3  float32" in lines
    assert main(["weights", "show", str(weights), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["digests"], found["metadata"]) == (True, {"origin": "a test"})
    assert found["tensors"][0] == {"name": "b.refine.conv.weight", "shape": [8, 8, 3, 3], "type": "float32"}


def test_long_metadata_is_whole_in_json_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(to_bytes({"a": np.zeros(2, np.float32)}, {"about": "x" * 5_000}))
    assert main(["weights", "show", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"about: {'x' * 119}…\n" in out
    assert main(["weights", "show", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["about"] == "x" * 5_000


def test_what_has_no_digests(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **weights_for(flatten(spinedsl.program(net))))  # type: ignore[arg-type]  # names are no options
    note = f"spine: {path} has no digests: damage to it may go unseen\n"
    assert main(["weights", "show", str(path)]) == 0
    assert capsys.readouterr().err == note
    out = str(tmp_path / "net.onnx")
    assert main(["compile", net, "--to", "onnx", "--weights", str(path), "-o", out]) == 0
    assert capsys.readouterr().err == note


def test_verify(net: str, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify", str(weights), net]) == 0
    assert capsys.readouterr().out.endswith("every digest holds\nNet: all 15 tensors are there, and fit\n")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    for command in (["weights", "verify", str(weights)], ["weights", "show", str(weights)]):
        assert main(command) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert f"error[E0908]: `{weights}` is damaged: the numbers of `s.enter.norm.weight` are not" in told.err
    out = weights.with_suffix(".onnx")
    assert main(["compile", net, "--to", "onnx", "--weights", str(weights), "-o", str(out)]) == 1
    assert not out.exists()


def test_verify_what_is_partial(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = weights_for(flatten(spinedsl.program(net)))
    stem = {name: array for name, array in tensors.items() if name.startswith("s.")}
    path = tmp_path / "w.safetensors"
    path.write_bytes(to_bytes(stem))
    assert main(["weights", "verify", str(path), net]) == 1
    told = capsys.readouterr()
    assert "note: missing: all 10 tensors of `b`\n" in told.err
    assert "help: 5 tensors fit and nothing else is there: --partial accepts that\n" in told.err
    assert main(["weights", "verify", str(path), net, "--partial"]) == 0
    assert capsys.readouterr().out.endswith("Net: 5 of 15 tensors are there, and fit\n")
    assert main(["weights", "verify", str(path), net, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["digests"], found["whole"], len(found["missing"])) == (True, False, 10)
    assert (found["unexpected"], found["misfits"], found["not_finite"]) == ([], {}, {})


def test_numbers_that_no_network_can_use(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever takes weights refuses them, and says which."""
    tensors = weights_for(flatten(spinedsl.program(net)))
    tensors["s.enter.norm.bias"][:2] = np.inf, np.nan
    tensors["s.enter.norm.running_var"][0] = -1
    path = tmp_path / "w.safetensors"
    path.write_bytes(to_bytes(tensors))
    out = str(tmp_path / "out")
    for command in (
        ["weights", "verify", str(path), net],
        ["weights", "verify", str(path), net, "--partial"],
        ["weights", "convert", str(path), net, "-o", f"{out}.safetensors"],
        ["compile", net, "--to", "onnx", "--weights", str(path), "-o", f"{out}.onnx"],
        ["verify", net, "--weights", str(path)],
    ):
        assert main(command) == 1
        told = capsys.readouterr()
        assert "error[E0915]" in told.err
        assert "`s.enter.norm.bias`: 2 of 8 numbers are not finite" in told.err
        assert "`s.enter.norm.running_var`: 1 of 8 variances are below 0" in told.err
    with pytest.raises(spinedsl.Mistakes, match="E0915"):
        spinedsl.load(net, weights=path)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("out")] == []
    assert main(["weights", "verify", str(path)]) == 1
    assert "not finite: 2 of 8 numbers of `s.enter.norm.bias`\n" in capsys.readouterr().out


def test_verify_another_network(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify", str(weights), *RESNET, "--partial"]) == 1
    told = capsys.readouterr().err
    assert "error[E0901]" in told
    assert "unexpected: `b.refine.conv.weight` (8x8x3x3)" in told
    assert "--partial" not in told


def test_convert_a_dump_all_the_way_to_onnx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = {v.garden: official_value(v.reference, v.shape) for v in variables("resnet50")}
    dump, path, model = tmp_path / "dump.npz", tmp_path / "resnet50.safetensors", tmp_path / "resnet50.onnx"
    np.savez(dump, **found, optimizer=np.zeros(3, np.int64))  # type: ignore[arg-type]  # names are no options
    assert main(["weights", "convert", str(dump), *RESNET, "-o", str(path)]) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"spine: {dump} has no digests: damage to it may go unseen",
        "spine: 265 of 265 tensors of ResNet50, from names of tensorflow/models",
        "spine: 1 left out that is no part of it, such as optimizer",
    ]
    assert main(["weights", "verify", str(path), *RESNET]) == 0
    assert main(["compile", *RESNET, "--to", "onnx", "-O0", "--weights", str(path), "-o", str(model)]) == 0
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(model).graph.initializer}
    kernel = found["bottleneck_block_15/conv2d_1/kernel:0"]
    assert tensors["c5.rep2.spatial.conv.weight"].tolist() == kernel.transpose(3, 2, 0, 1).tolist()
    held = read(path).value
    assert held is not None
    assert {name: held.metadata[name] for name in ("format", "spine.network", "spine.from")} == {
        "format": "pt", "spine.network": "ResNet50", "spine.from": "dump.npz",
    }  # fmt: skip


def test_put_refuses_what_its_file_cannot_hold(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = {name: value.clone() for name, value in spinedsl.load(net).state_dict().items()}
    path, half, beside = tmp_path / "w.pt", tmp_path / "half.onnx", tmp_path / "beside.onnx"
    torch.save(tensors, path)
    assert main(["compile", net, "--to", "onnx", "-o", str(beside), "--external-data", "always"]) == 0
    assert main(["compile", net, "--to", "onnx", "-O0", "--half", "-o", str(half)]) == 0
    capsys.readouterr()
    assert main(["weights", "put", str(beside), str(path), "-o", "-"]) == 2
    assert "its tensors stand in a second file: name the first one" in capsys.readouterr().err
    kernel = next(name for name in tensors if name.endswith("conv.weight"))
    tensors[kernel].fill_(1e5)
    torch.save(tensors, path)
    assert main(["weights", "put", str(half), str(path), "-o", str(tmp_path / "x.onnx")]) == 1
    assert f"does not hold numbers of `{kernel}`" in capsys.readouterr().err


def test_convert_a_state_dict(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = spinedsl.load(net)
    path, sealed = tmp_path / "w.pt", tmp_path / "w.safetensors"
    torch.save(module.state_dict(), path)
    assert main(["weights", "convert", str(path), net, "-o", str(sealed)]) == 0
    assert "15 of 15 tensors of Net, from canonical names" in capsys.readouterr().err
    again = spinedsl.load(net, weights=sealed).state_dict()
    assert all(torch.equal(again[name], value) for name, value in module.state_dict().items())


def test_convert_says_what_computes_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As TensorFlow 1 names ResNet-50: all of its layers one after the other."""
    order = ["stem.conv.kernel", "stem.norm.gamma"]
    shapes = {v.reference: v.shape for v in variables("resnet50")}
    for stage, blocks in zip((2, 3, 4, 5), (3, 4, 6, 3), strict=True):
        for block in range(blocks):
            for conv, norm in (("shortcut", "norm0"), ("conv1", "norm1"), ("conv2", "norm2"), ("conv3", "norm3")):
                name = f"stage{stage}.block{block}"
                if f"{name}.{conv}.kernel" in shapes:
                    order += [f"{name}.{conv}.kernel", f"{name}.{norm}.gamma"]
    found = {}
    for index, name in enumerate(order[::2]):
        number = f"_{index}" if index else ""
        found[f"resnet50/conv2d{number}/kernel"] = np.zeros(shapes[name], np.float32)
        for leaf in ("gamma", "beta", "moving_mean", "moving_variance"):
            shape = shapes[order[2 * index + 1]]
            found[f"resnet50/batch_normalization{number}/{leaf}"] = np.zeros(shape, np.float32)
    dump = tmp_path / "dump.npz"
    np.savez(dump, **found)  # type: ignore[arg-type]  # names are no options
    assert main(["weights", "convert", str(dump), *RESNET, "-o", str(tmp_path / "w.safetensors")]) == 0
    told = capsys.readouterr().err
    assert f"warning[W0901]: `{dump}` has weights of tensorflow/tpu, which computes something else than" in told
    assert "note: its strided convolutions have padding `symmetric`; here they have another\n" in told
    assert "spine: 265 of 265 tensors of ResNet50, from names of tensorflow/tpu" in told


def test_nothing_is_written_where_weights_do_not_fit(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    assert main(["weights", "convert", str(weights), *RESNET, "-o", str(out)]) == 1
    assert main(["weights", "convert", str(tmp_path / "none.npz"), *RESNET, "-o", str(out)]) == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["convert", "w.npz", *RESNET, "-o", "w.pt"],
            "what is written is a safetensors file: name it `w.safetensors`, not `w.pt`",
        ),
        (["convert", "w.npz", DETECTOR, "-o", "w.safetensors"], "retinanet.spine has"),
        (
            ["verify", "w.npz", "--network", "A"],
            "--network, --input, --outputs, --prefix and --partial need the .spine file of the network",
        ),
        (
            ["verify", "w.npz", "--partial"],
            "--network, --input, --outputs, --prefix and --partial need the .spine file of the network",
        ),
        (["show", "w.npz", "--network", "A"], "--network is for a .spine file: weights have no networks"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("action", [[], ["show"], ["convert"], ["verify"]])
def test_help_has_examples(action: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["weights", *action, "--help"])
    assert stopped.value.code == 0
    assert "examples:\n  spine weights " in capsys.readouterr().out
