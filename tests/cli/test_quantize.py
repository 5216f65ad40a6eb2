"""`spine quantize`: models that the other commands run, what is printed, and what is wrong with what is given."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from spinedsl import extras
from spinedsl.cli import main
from spinedsl.inference.evaluation import evaluate
from spinedsl.inference.opening import open_engine
from tests.cli.running import NET, run
from tests.data.making import noise
from tests.inference.making import used

CLASSIFIER = "quantize sizes.safetensors --calibrate colours -o int8.onnx"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quantize")
    used(folder)
    (folder / "net.spine").write_text(NET)
    (folder / "four.spine").write_text(NET.replace("3 x 16", "4 x 16"))
    (folder / "last.spine").write_text(
        "spine 1\nimport std.heads\nimport std.stems\n\nnetwork Last {\n    input image: 3 x 16 x 16\n"
        "    defaults { act relu, norm batch_norm }\n    widths { level 2: 8 }\n    output y: image\n}\n"
    )
    photos = folder / "my photos"
    photos.mkdir()
    for number in range(9):
        Image.fromarray(noise(20, 30, seed=number)).save(photos / f"{number}.png")
    (folder / "damaged").mkdir()
    (folder / "damaged" / "a.png").write_bytes((photos / "0.png").read_bytes()[:60])
    (folder / "empty").mkdir()
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    target = tmp_path / "here"
    shutil.copytree(made, target)
    monkeypatch.chdir(target)
    return target


# ---- what comes of it ----


def test_a_classifier_is_evaluated_and_used_as_its_checkpoint_is(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, *CLASSIFIER.split(), "--data", "colours")
    assert status == 0
    assert out.splitlines()[0].split() == ["row", "convolutions", "error", "alone"]
    (line,) = (line.split() for line in out.splitlines() if line.startswith("top_1"))
    assert "int8.onnx: " in err
    figures = [evaluate(name, "colours").figures["top_1"].value for name in ("sizes.safetensors", "int8.onnx")]
    assert [float(number) for number in line[1:3]] == [pytest.approx(value, abs=1e-4) for value in figures]
    first, second = (open_engine(name).value for name in ("sizes.safetensors", "int8.onnx"))
    assert first is not None
    assert second is not None
    assert first.digest != second.digest, "galleries and figures of the one are none of the other"
    pictures = [noise(20, 30, seed=5), noise(7, 9, channels=1, seed=6)]
    assert np.abs(first.run(pictures) - second.run(pictures)).max() < 0.05
    assert run(capsys, "predict", "int8.onnx", "colours", "--json")[0] == 0
    assert run(capsys, "weights", "verify", "int8.onnx")[0] == 0


def test_an_embedder_gives_vectors(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, _ = run(capsys, *"quantize faces.safetensors --calibrate people --error 1 -o int8.onnx".split())
    assert status == 0
    engine = open_engine("int8.onnx").value
    assert engine is not None
    assert np.linalg.norm(engine.run([noise(20, 30)]), axis=1) == pytest.approx(1)
    status, _, err = run(capsys, *"eval int8.onnx --data people --gallery gallery.safetensors".split())
    assert status == 1
    assert "error[E1026]" in err, "the gallery was made by the float network"


def test_weights_alone_make_a_model_of_numbers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["quantize", "net.spine", "--calibrate", "my photos", "--error", "1", "-o", "my model.onnx"]
    status, out, err = run(capsys, *words, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["pictures"] == {"calibrated": 7, "measured": 2}
    assert found["error"] == found["error_all_int8"]
    assert [(row["name"], row["convolutions"]) for row in found["rows"]] == [("s", 1), ("b", 1)], "the last stays float"
    assert "values made from seed 0" in err
    bench = ["bench", "net.spine", "--engines", "onnxruntime-O0", "--rounds", "1", "--int8", "my model.onnx", "--json"]
    status, out, _ = run(capsys, *bench)
    assert status == 0
    assert "int8 has the values that it was made of" in run(capsys, *bench[:-1])[2]
    assert [one["precision"] for one in json.loads(out)["engines"]] == ["float32", "int8"]


def test_a_file_and_a_checkpoint_give_what_the_checkpoint_gives(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from spinedsl.training.checkpoint import read

    checkpoint = read(Path("sizes.safetensors")).value
    assert checkpoint is not None
    texts = checkpoint.about["texts"]
    for name, text in texts["files"].items():
        Path(name).write_text(text)
    more = f"--network {texts['name']} --weights sizes.safetensors --calibrate colours -o other.onnx"
    assert run(capsys, "quantize", "network.spine", *more.split())[0] == 0
    assert run(capsys, *CLASSIFIER.split())[0] == 0
    one, other = (open_engine(name).value for name in ("int8.onnx", "other.onnx"))
    assert one is not None
    assert other is not None
    assert (one.run([noise(20, 30)]) == other.run([noise(20, 30)])).all()


def test_rows_that_are_asked_for_stay_float(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, *CLASSIFIER.split(), "--keep", "s", "--json")
    assert status == 0
    assert next(row for row in json.loads(out)["rows"] if row["name"] == "s")["float"] is True


@pytest.mark.skipif(bool(extras.missing(["nncf"])), reason="NNCF is not installed: pip install 'spinedsl[nncf]'")
def test_by_nncf_it_is_judged_written_and_used_alike(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = [*CLASSIFIER.split(), "--engine", "nncf", "--data", "colours", "--keep", "s", "--error", "1", "--json"]
    assert main(words) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert all(line.startswith(("spine: ", "note: ")) for line in err.splitlines()), "nothing of NNCF's own"
    assert found["engine"] == "nncf"
    assert [row["name"] for row in found["rows"] if row["float"]] == ["s"]
    figures = evaluate("int8.onnx", "colours").figures
    assert found["figures"]["top_1"]["int8"] == pytest.approx(figures["top_1"].value, abs=1e-4)
    first, second = (open_engine(name).value for name in ("sizes.safetensors", "int8.onnx"))
    assert first is not None
    assert second is not None
    pictures = [noise(20, 30, seed=5), noise(7, 9, channels=1, seed=6)]
    assert 0 < np.abs(first.run(pictures) - second.run(pictures)).max() < 0.05
    told = {entry.key: entry.value for entry in onnx.load("int8.onnx").metadata_props}
    assert json.loads(told["spine.quantised"])["by"].startswith("nncf ")
    assert main(["weights", "verify", "int8.onnx"]) == 0


@pytest.mark.parametrize(
    ("pictures", "calibrated", "measured"), [(1, 1, 1), (2, 1, 1), (3, 2, 1), (4, 3, 1), (5, 4, 1)]
)
def test_errors_are_measured_on_pictures_of_their_own(
    pictures: int, calibrated: int, measured: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = here / "few"
    few.mkdir()
    for number in range(pictures):
        shutil.copy(here / f"my photos/{number}.png", few)
    status, out, err = run(capsys, *"quantize net.spine --calibrate few --error 1 -o int8.onnx --json".split())
    assert status == 0
    assert json.loads(out)["pictures"] == {"calibrated": calibrated, "measured": measured}
    assert ("measured on what was calibrated on" in err) == (pictures == 1)


# ---- what is wrong ----

OTHER = "--network A --calibrate colours"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("sizes.safetensors --calibrate empty", 1, "error[E1022]: there are no pictures: the folder `empty`"),
        ("sizes.safetensors --calibrate nowhere", 1, "error[E1109]: `nowhere` is no data set"),
        ("sizes.safetensors --calibrate damaged", 1, "error[E1102]"),
        ("sizes.safetensors --calibrate colours --keep zz", 2, "--keep names rows: no row `zz` can become int8"),
        ("sizes.safetensors --calibrate colours --keep ,", 2, "--keep: expected names of rows, as in s,b1, got ','"),
        ("sizes.safetensors --calibrate colours --error 0", 2, "--error: expected a number above 0, up to 1, got '0'"),
        ("sizes.safetensors --calibrate colours --error x", 2, "--error: expected a number above 0, up to 1, got 'x'"),
        ("sizes.safetensors --calibrate colours --error 1e-9", 1, "error[E0943]: no convolution of network"),
        (
            "net.spine --calibrate colours --keep s,b",
            1,
            "every row that could stays float, as `keep` asks: `s` and `b`",
        ),
        ("sizes.safetensors --calibrate colours --images 1", 2, "--images: expected 2 or more pictures, got '1'"),
        ("sizes.safetensors --calibrate colours --network A", 2, "--network is for a .spine file"),
        ("sizes.safetensors --calibrate colours --seed 1", 2, "--seed is for a .spine file"),
        ("sizes.safetensors --calibrate colours --data nowhere", 1, "error[E1109]: `nowhere` is no data set"),
        ("sizes.safetensors --calibrate colours --opset 12", 2, "--opset: there is no `12`"),
        ("sizes.safetensors --calibrate colours --engine nccf", 2, "--engine: there is no `nccf`"),
        ("net.spine --calibrate colours --data colours", 2, "--data judges by the task of a checkpoint"),
        (
            "net.spine --calibrate colours --weights sizes.safetensors",
            1,
            "error[E0945]: `sizes.safetensors` was trained",
        ),
        ("net.spine --calibrate colours --weights gallery.safetensors", 1, "error[E0901]"),
        ("net.spine --calibrate colours --weights chosen.json", 1, "error[E0902]"),
        ("net.spine --calibrate colours --weights sizes.safetensors --seed 1", 2, "--seed makes values, and --weights"),
        ("four.spine --calibrate colours", 1, "error[E0944]: network `Net` takes 4 channels"),
        ("nowhere.spine --calibrate colours", 1, "error[E0801]: cannot read `nowhere.spine`"),
        ("empty --calibrate colours", 1, "error[E"),
    ],
)
def test_what_is_wrong_is_reported(
    words: str, status: int, told: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = run(capsys, "quantize", *words.split(), "-o", "made.onnx")
    assert (found, out) == (status, "")
    assert told in err
    assert not Path("made.onnx").exists()


def test_all_damaged_pictures_are_told_before_anything_runs(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a folder and of a list, whose lines are shown; a picture that is named twice is told once."""
    monkeypatch.setattr("spinedsl.quantise.choose.choose", lambda *given, **more: pytest.fail("it began"))
    folder = here / "damaged"
    for name in ("b.png", "d.png"):
        shutil.copy(here / "my photos/1.png", folder / name)
    (folder / "c.png").write_bytes(b"no picture")
    names = ["a.png", "b.png", "c.png", "c.png", "d.png"]
    (here / "list.csv").write_text("path,label\n" + "".join(f"damaged/{name},x\n" for name in names))
    for given, place in (("damaged", "a.png"), ("list.csv", "list.csv:2")):
        status, out, err = run(capsys, "quantize", "net.spine", "--calibrate", given, "-o", "made.onnx")
        assert (status, out) == (1, "")
        assert err.count("error[E1102]") == 2
        assert all(name in err for name in ("damaged/a.png", "damaged/c.png"))
        assert place in err
        assert not Path("made.onnx").exists()


def test_it_is_written_to_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, *"quantize sizes.safetensors --calibrate colours -o -".split())
    assert status == 2
    assert "the table is printed, so name a file for the model" in err
