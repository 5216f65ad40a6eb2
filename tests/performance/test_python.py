"""`spinedsl.bench` and `spinedsl.quantize`: what comes back, how it prints, and what is wrong with what is given."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

import spinedsl
from spinedsl.ops.digests import model_holds
from spinedsl.timing import measure
from tests.cli.running import NET, run, without_clocks
from tests.data.making import noise
from tests.inference.making import used

SOURCE = spinedsl.Source.from_text(NET, "net.spine")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("performance")
    used(folder)
    (folder / "net.spine").write_text(NET)
    (folder / "photos").mkdir()
    for number in range(9):
        Image.fromarray(noise(20, 30, seed=number)).save(folder / "photos" / f"{number}.png")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    target = tmp_path / "here"
    shutil.copytree(made, target)
    monkeypatch.chdir(target)
    without_clocks(monkeypatch)
    return target


# ---- bench ----


def test_a_bench_prints_what_the_command_prints(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    found = spinedsl.bench(
        "net.spine", engines=["torch", "onnxruntime-O1"], rounds=2, batch=2, hear=heard.append
    )  # fmt: skip
    assert isinstance(found, spinedsl.Bench)
    assert [one.name for one in found.timings] == ["torch", "onnxruntime-O1"]
    assert (found.shape, found.rounds, found.threads) == ((2, 3, 16, 16), 2, 1)
    assert "opening ONNX Runtime, -O1" in heard
    words = "bench net.spine --engines torch,onnxruntime-O1 --rounds 2 --batch 2".split()
    status, out, _ = run(capsys, *words)
    assert (status, out) == (0, f"{found}\n")
    assert repr(found) == "<Bench Net: 2 engines, 2 rounds>"
    html = found._repr_html_()
    assert html.count("<tr>") == 3
    assert "<td>ONNX Runtime, -O1</td>" in html


def test_weights_and_sizes_are_those_given(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = spinedsl.load(SOURCE).state_dict()
    tensors = {name: value.numpy() + 0.25 for name, value in state.items() if "num_batches" not in name}
    np.savez("mine.npz", **tensors)
    jobs: list[Any] = []
    bench = measure.bench

    def kept(job: Any, *rest: Any) -> Any:
        jobs.append(job)
        return bench(job, *rest)

    monkeypatch.setattr(measure, "bench", kept)
    spinedsl.bench(SOURCE, weights="mine.npz", engines=("onnxruntime-O0",), rounds=1, size=(32, 48))
    (job,) = jobs
    assert job.image.shape == (1, 3, 32, 48)
    for name, value in job.weights.items():
        np.testing.assert_array_equal(value, tensors[name])


def test_a_checkpoint_stands_in_the_place_of_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = spinedsl.bench("sizes.safetensors", engines=["onnxruntime-O0"], rounds=1, threads=2)
    assert two.threads == 2
    found = spinedsl.bench("sizes.safetensors", engines=["torch", "onnxruntime-O0"], rounds=1)
    assert found.timings[1].error is not None
    assert found.timings[1].error < 1e-4
    status, out, err = run(capsys, *"bench sizes.safetensors --engines torch,onnxruntime-O0 --rounds 1".split())
    assert (status, out) == (0, f"{found}\n")
    assert "no --weights" not in err
    status, _, err = run(capsys, *"bench sizes.safetensors --network Net --engines torch".split())
    assert status == 2
    assert "--network is for a .spine file, and a checkpoint has its own" in err
    with pytest.raises(spinedsl.OptionChoice, match="`size` is for a"):
        spinedsl.bench("sizes.safetensors", size=(16, 16), engines=["torch"])
    Path("broken.safetensors").write_bytes(Path("sizes.safetensors").read_bytes()[:-9])
    with pytest.raises(spinedsl.Mistakes):
        spinedsl.bench("broken.safetensors", engines=["torch"])
    assert run(capsys, *"bench broken.safetensors --engines torch".split())[0] == 1


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"engines": ["pytorch"]}, spinedsl.OptionChoice, r"no engine is called `pytorch`; did you mean `torch`\?"),
        ({"engines": ["torch", "torch"]}, spinedsl.OptionChoice, "`engines` has `torch` twice"),
        ({"engines": "torch"}, TypeError, "engines must be a collection of names"),
        ({"engines": ["int8"]}, spinedsl.OptionChoice, "runs a model that is given"),
        ({"int8": "nowhere.onnx"}, spinedsl.Mistakes, "no such file"),
        ({"int8": "."}, spinedsl.Mistakes, "it is a folder"),
        ({"rounds": 0}, spinedsl.OptionChoice, "`rounds` is a whole number from 1 on, got 0"),
        ({"batch": 1.5}, TypeError, "batch must be a whole number"),
        ({"seconds": 0}, spinedsl.OptionChoice, "`seconds` is a number above 0"),
        ({"network": "Ner"}, spinedsl.NetworkChoice, "Ner"),
        ({"weights": "net.spine"}, spinedsl.Mistakes, "E09"),
    ],
)
def test_what_a_bench_is_not_given(options: dict[str, Any], error: type[Exception], says: str, here: Path) -> None:
    with pytest.raises(error, match=says):
        spinedsl.bench("net.spine", **{"engines": ("onnxruntime-O0",), **options})


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from spinedsl import extras

    there = extras._is_there
    monkeypatch.setattr(extras, "_is_there", lambda package: package != "openvino" and there(package))
    with pytest.raises(spinedsl.MissingPackage, match="openvino"):
        spinedsl.bench(SOURCE, engines=["openvino"])


# ---- quantize ----


def test_a_network_that_gives_no_numbers_has_no_int8_model(here: Path) -> None:
    big = "block_type big(x, channels) {\n    return power(conv(x, channels, kernel = 1) * 1000000000, 9)\n}\n"
    text = (
        NET.replace("block b: residual", "block b: big")
        .replace("network Net", f"{big}network Net")
        .partition("space")[0]
    )
    with pytest.raises(spinedsl.Mistakes, match="E1021") as raised:
        spinedsl.quantize(spinedsl.Source.from_text(text), calibrate="photos", error=1)
    assert "in float, with the values of seed 0: output " in str(raised.value)


def test_an_int8_model_is_the_one_that_the_command_writes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = spinedsl.quantize("net.spine", calibrate="photos", error=1)
    status, out, _ = run(capsys, *"quantize net.spine --calibrate photos --error 1 -o int8.onnx".split())
    assert (status, out) == (0, f"{found}\n")
    assert Path("int8.onnx").read_bytes() == found.model
    found.save("mine.onnx")
    assert model_holds(memoryview(Path("mine.onnx").read_bytes()))
    assert any(node.op_type == "QuantizeLinear" for node in onnx.load("mine.onnx").graph.node)
    assert (found.calibrated, found.measured, found.kept, found.figures) == (7, 2, (), None)
    assert repr(found).startswith("<Quantized Net in int8: error 0.")
    assert found._repr_html_().count("<tr>") == len(str(found).splitlines())
    narrower = spinedsl.quantize("net.spine", calibrate="photos", error=1, reduce_range=True)
    assert narrower.model != found.model
    beside = spinedsl.bench("net.spine", engines=["onnxruntime-O0"], rounds=1, int8="mine.onnx")
    assert [one.precision for one in beside.timings] == ["float32", "int8"]


@pytest.mark.parametrize(
    ("colours", "apart"), [([0], False), ([0, 0, 0], False), ([0, 0, 9, 0], False), ([0, 9], True)]
)
def test_an_error_is_of_pictures_that_no_range_comes_from(colours: list[int], apart: bool, here: Path) -> None:
    """The second of two and the fourth of four are measured on; one that equals another is no other picture."""
    Path("plain").mkdir()
    for number, colour in enumerate(colours):
        Image.new("RGB", (20, 30), (colour, 0, 0)).save(f"plain/{number}.png")
    assert spinedsl.quantize("net.spine", calibrate="plain", error=1).apart == apart


def test_a_checkpoint_is_judged_by_its_task(here: Path) -> None:
    found = spinedsl.quantize("sizes.safetensors", calibrate="colours", data="colours", keep=["s"], error=1)
    assert found.figures is not None
    assert found.kept == ("s",)
    assert [line.split()[0] for line in str(found).splitlines() if line.startswith(("figure", "top_1"))] == [
        "figure", "top_1",
    ]  # fmt: skip
    assert found.to_json()["figures"].keys() == found.figures[0].figures.keys()
    assert found._repr_html_().count("<table>") == 2


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"calibrate": None}, TypeError, "expected the path of pictures, or a folder of them; got None"),
        ({"calibrate": "nowhere"}, spinedsl.Mistakes, "nowhere"),
        ({"images": 1}, spinedsl.OptionChoice, "`images` is 2 or more pictures, got 1"),
        ({"error": 0}, spinedsl.OptionChoice, "`error` is a number above 0, up to 1, got 0"),
        ({"engine": "x"}, spinedsl.OptionChoice, "`engine` is `onnxruntime` or `nncf`, got 'x'"),
        ({"opset": 99}, spinedsl.OptionChoice, "`opset` is from 13 to"),
        ({"keep": ["x"]}, spinedsl.OptionChoice, "no row `x` can become int8"),
        ({"data": "photos"}, spinedsl.OptionChoice, "judges by the task of a checkpoint, and none is named"),
        ({"weights": "sizes.safetensors", "seed": 3}, spinedsl.OptionChoice, "leave one out"),
        ({"error": 1e-9}, spinedsl.Mistakes, "E0943"),
    ],
)
def test_what_quantize_is_not_given(options: dict[str, Any], error: type[Exception], says: str, here: Path) -> None:
    with pytest.raises(error, match=says):
        spinedsl.quantize("net.spine", **{"calibrate": "photos", **options})
