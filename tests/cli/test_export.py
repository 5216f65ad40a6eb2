"""`spine export`: what is written where, what is printed, and every mistake, each of which leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spinedsl.inference import deployed
from spinedsl.inference.exported import open_exported
from tests.cli.running import run
from tests.inference.exporting import checkpoint, engine, pictures


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a checkpoint and pictures."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(checkpoint("stretch"), tmp_path / "last.safetensors")
    for number, pixels in enumerate(pictures()):
        (tmp_path / "photos/more").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(
            tmp_path / f"photos/more/{number}.png"
        )
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name not in ("last.safetensors", "photos")}


def test_a_file_gets_its_card_and_its_figure_beside_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "export", "last.safetensors", "-o", "cells.onnx", "--images", "photos")
    assert status == 0, err
    assert [line.split()[0] for line in out.splitlines()] == ["format", "ONNX", "ONNX"]
    assert "8 of photos" in out
    assert "8 made pictures of odd sizes" in out
    assert out.count("8 of 8  agrees") == 2
    assert err == "spine: written: cells.onnx, cells.md\n"
    assert names(folder) == {"cells.onnx", "cells.md", "cells.svg"}
    opened = open_exported(folder / "cells.onnx").value
    assert opened is not None
    np.testing.assert_allclose(opened.run(pictures()), engine("stretch").run(pictures()), atol=2e-6)


def test_a_folder_gets_all_formats(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("export", "last.safetensors", "-o", "models", "--to", "torch", "--to", "onnx", "--json", "--latency")
    status, out, err = run(capsys, *words)
    assert status == 0, err
    found = json.loads(out)
    assert found["models"] == {"torch": ["models/Small.pt2"], "onnx": ["models/Small.onnx"]}
    assert {path.name for path in (folder / "models").iterdir()} == {"Small.pt2", "Small.onnx", "Small.md", "Small.svg"}
    assert found["digest"] == engine("stretch").digest
    assert all(one["difference"] < one["tolerance"] for one in found["parity"])
    assert found["latency"].keys() == {"torch", "onnx"}
    card = (folder / "models/Small.md").read_text()
    for name in ("Small.pt2", "Small.onnx"):
        assert hashlib.sha256((folder / "models" / name).read_bytes()).hexdigest() in card
    assert run(capsys, *words)[0] == 0, "its own files are replaced"
    (folder / "models/Small.pt2").write_bytes(b"somebody's")
    status, _, err = run(capsys, *words)
    assert status == 2
    assert "`models/Small.pt2` is there, and spine did not write it" in err
    assert run(capsys, *words, "--force")[0] == 0


MISTAKES = {
    # the words after `export last.safetensors`, the exit status, and what is said
    "standard output": ("-o -", 2, "-o names the model's file, or a folder"),
    "another ending": ("-o cells.tar", 2, "`.tar` is the ending of no format (.onnx, .xml, .pte, .tflite, .pt2)"),
    "an ending of another format": ("-o cells.onnx --to torch", 2, "name `cells.pt2`"),
    "two formats in a file": ("-o cells.onnx --to onnx --to torch", 2, "name a folder: `cells`"),
    "an opset of PyTorch": ("-o cells --to torch --opset 15", 2, "--opset is for onnx"),
    "an opset that there is not": ("-o cells.onnx --opset 12", 2, "12"),
    "16 bits of PyTorch": ("-o cells.pt2 --half", 2, "--half is for onnx and openvino"),
    "passes of PyTorch": ("-o cells.pt2 -O0", 2, "--optimise is for onnx and openvino"),
    "a runtime of PyTorch": ("-o cells.pt2 --for openvino", 2, "--for is for onnx"),
    "a runtime without its level": ("-o cells.onnx --for openvino", 2, "--for makes no difference without -O2"),
    "a level without its runtime": ("-o cells.onnx -O2", 2, "say which, `--for onnxruntime` or `openvino`"),
    "resizing of PyTorch": ("-o cells.pt2 --resize inside", 2, "--resize is for onnx"),
    "no batch": ("-o cells.onnx --batch 0", 2, "a number of pictures from 1 to 4095"),
    "no folder": ("-o no/cells.onnx", 1, "there is no folder `no`"),
    "no folder for a folder": ("-o no/where/cells", 1, "there is no folder `no/where`"),
    "no images": ("-o cells.onnx --images none", 1, "error[E1109]"),
    "no image in a folder": ("-o cells.onnx --images empty", 1, "the folder `empty` has none"),
    "a damaged image": ("-o cells.onnx --images bad", 1, "error[E1102]"),
    "a file of somebody else": ("-o mine.onnx", 2, "spine did not write it"),
    "a card of somebody else": ("-o theirs.onnx", 2, "`theirs.md` is there, and spine did not write it"),
    "the checkpoint itself": ("-o self.onnx --force", 2, "`self.onnx` is read by this command"),
    "a misspelt format": ("-o cells.onnx --to onxx", 2, "did you mean `onnx`?"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes(what: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    (folder / "bad").mkdir()
    (folder / "bad/cut.png").write_bytes((folder / "photos/more/5.png").read_bytes()[:100])
    (folder / "mine.onnx").write_text("mine")
    (folder / "theirs.md").write_text("# Theirs")
    (folder / "self.onnx").symlink_to(folder / "last.safetensors")
    before = names(folder)
    words, expected, said = MISTAKES[what]
    status, out, err = run(capsys, "export", "last.safetensors", *words.split())
    assert (status, out) == (expected, "")
    assert said in err
    assert names(folder) == before


def test_what_is_no_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(name: str) -> str:
        status, out, err = run(capsys, "export", name, "-o", "other.onnx")
        assert (status, out) in ((1, ""), (2, ""))
        return err

    assert "error[E0801]" in said("none.safetensors")
    run(capsys, "export", "last.safetensors", "-o", "cells.onnx")
    weights = said("cells.onnx")
    assert "error[E1010]" in weights
    assert "spine compile NET.spine --to onnx --weights cells.onnx" in weights
    assert "--weights`" not in weights.replace("--weights cells.onnx", "")
    data = bytearray((folder / "last.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "damaged.safetensors").write_bytes(data)
    assert "error[E0908]" in said("damaged.safetensors")
    assert "name a checkpoint, or the folder of a run" in said("photos")
    assert not (folder / "other.onnx").exists()


def test_a_model_that_gives_something_else_is_not_written(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = deployed.Decoded("shares", "", lambda nodes, value: nodes.apply("Softmax", value * 0.5, axis=1))
    monkeypatch.setattr(deployed, "DECODED", {**deployed.DECODED, "classification": wrong})
    status, out, err = run(capsys, "export", "last.safetensors", "-o", "cells.onnx")
    assert (status, out) == (1, "")
    assert "error[E1041]" in err
    assert "nothing is written" in err
    assert names(folder) == set()
    status, out, _ = run(capsys, "export", "last.safetensors", "-o", "cells.onnx", "--json")
    assert {one["code"] for one in json.loads(out)} == {"E1041"}


def test_the_folder_of_a_run_has_its_best_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "run").mkdir()
    shutil.copy("last.safetensors", "run/best.safetensors")
    (folder / "run/last.safetensors").write_bytes(b"no matter")
    assert run(capsys, "export", "run", "-o", "run", "-q")[0] == 0
    assert (folder / "run/Small.onnx").exists()


def test_a_folder_that_cannot_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    for target in ("cells.onnx", "models"):
        status, _, err = run(capsys, "export", "last.safetensors", "-o", target)
        assert status == 1
        assert "permission denied" in err
