"""The card: its lines run where there is no spinedsl and no PyTorch, its tables are right, and text stays text."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from spinedsl.data.pictures import read_pixels
from spinedsl.data.preprocessing import INTERPOLATIONS, RESIZES, Preprocessing
from spinedsl.inference import compared
from spinedsl.inference.card import resizing
from spinedsl.inference.evaluation import evaluate
from spinedsl.inference.export import Exported, Told, export
from spinedsl.inference.formats import FORMATS, Wanted
from spinedsl.record import replace
from spinedsl.training.build import open_trained
from tests.data.making import image, noise
from tests.inference.conftest import Trained as Run
from tests.inference.exporting import checkpoint, engine, trained
from tests.patience import HANG

ALONE = """\
import os, sys
from importlib.abc import MetaPathFinder
class Hidden(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
for folder in {folders!r}:
    os.chdir(folder)
    exec({code!r})
print(sorted({hidden!r} & sys.modules.keys()))
"""
HIDDEN = {"spinedsl", "torch", "onnx", "tests"}


def exported(kind: str, formats: list[str], wanted: Wanted | None = None, stem: str = "model", **told: Any) -> Exported:
    outcome = export(
        trained(kind), checkpoint(kind), stem=stem, formats=formats, wanted=wanted or Wanted(), told=Told(**told)
    )
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def card_of(found: Exported) -> str:
    return found.files[found.card].decode()


def snippets(card: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", card, re.DOTALL)


def photographs() -> dict[str, Image.Image]:
    """Pictures of the modes that people have, of several sizes."""
    turned = image(noise(30, 50)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.info["exif"] = exif.tobytes()
    clear = image(noise(21, 40)).convert("RGBA")
    clear.putalpha(Image.fromarray(noise(21, 40, 1, 7)[:, :, 0]))
    return {
        "colours": image(noise(64, 33)), "turned": turned, "grey": image(noise(9, 100, 1)), "clear": clear,
        "palette": image(noise(40, 40)).quantize(7), "pixel": image(noise(1, 1)),
        "grey and clear": clear.convert("LA"), "bits": image(noise(20, 20, 1)).convert("1"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["letterbox", "grey", "faces"])
def test_its_lines_run_with_onnxruntime_numpy_and_pillow_alone(kind: str, tmp_path: Path) -> None:
    """In a process that cannot import spinedsl or PyTorch; what they print is what the checkpoint gives."""
    found = exported(kind, ["onnx"])
    (code,) = snippets(card_of(found))
    assert len(code.splitlines()) <= 8
    engine_, folders = engine(kind), []
    for name, picture in photographs().items():
        folders.append(str(tmp_path / name))
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.onnx").write_bytes(found.files["model.onnx"])
        picture.save(tmp_path / name / "picture.png", exif=picture.info.get("exif", b""))
    done = alone(HIDDEN, folders, code)
    *printed, hidden = done.splitlines()
    assert hidden == "[]"
    rows = engine_.run([read_pixels(f"{folder}/picture.png", engine_.preprocessing.background) for folder in folders])
    if kind == "faces":
        vectors = np.array(re.findall(r"-?\d[\d.e-]*", " ".join(printed)), dtype=np.float64)
        np.testing.assert_allclose(vectors.reshape(rows.shape), rows, atol=1e-5)
        return
    for folder, line, row in zip(folders, printed, rows, strict=True):
        assert line.split()[0] == engine_.classes[row.argmax()], folder
        assert float(line.split()[1]) == pytest.approx(row.max(), abs=1e-5), folder


def alone(hidden: set[str], folders: list[str], code: str) -> str:
    """What lines of a card print in folders, in a process that cannot import some packages."""
    words = [sys.executable, "-W", "ignore", "-c", ALONE.format(hidden=hidden, folders=folders, code=code)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=HANG)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("stem", ['a"b', "m b (1)", "it's", "back\\slash", "two\nlines", "a|b`c", "ä 中", "100%20"])
def test_any_name_of_a_file_stands_in_its_card(stem: str) -> None:
    found = exported("stretch", ["onnx"], stem=stem)
    text = card_of(found)
    (code,) = snippets(text)
    names = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert f"{stem}.onnx" in names
    (link,) = re.findall(r"^!\[.*\]\((.*)\)$", text, re.MULTILINE)
    assert re.fullmatch(r"[\w%./~-]+", link, re.ASCII)
    assert unquote(link) in found.files
    (row,) = (line for line in text.splitlines() if hashlib.sha256(found.files[f"{stem}.onnx"]).hexdigest() in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "onnx"])
def test_the_lines_of_other_formats_run(name: str, tmp_path: Path) -> None:
    for package in FORMATS[name].packages:
        pytest.importorskip(package)
    for kind, batch in (("letterbox", None), ("grey", 2)):
        found = exported(kind, [name], Wanted(batch=batch))
        for file, data in found.files.items():
            (tmp_path / file).write_bytes(data)
        photographs()["clear"].save(tmp_path / "picture.png")
        printed = alone({"spinedsl", "tests"}, [str(tmp_path)], snippets(card_of(found))[0])
        pixels = read_pixels(tmp_path / "picture.png", engine(kind).preprocessing.background)
        (row,) = engine(kind).run([pixels])
        number, share = printed.splitlines()[-2].split()
        assert int(number) == row.argmax()
        assert float(share) == pytest.approx(row.max(), abs=1e-5)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_lines_that_resize_do_what_training_does(resize: str, interpolation: str) -> None:
    for channels in (1, 3):
        crop = 0.7 if resize == "crop" else 1.0
        pre = Preprocessing(16, 24, resize, interpolation, channels, crop=crop, background=(9, 200, 30))
        for height, width in ((1, 1), (40, 90), (300, 7), (16, 24)):
            pixels = noise(height, width)
            known: dict[str, Any] = {"Image": Image, "image": image(pixels)}
            exec("\n".join(resizing(pre)), known)
            expected = pre.fit(pixels)
            assert np.array_equal(np.array(known["image"]).reshape(expected.shape), expected), (height, width, channels)


def test_it_says_what_the_model_is() -> None:
    found = exported("crop", ["onnx", "torch"], licence="CC-BY-4.0 <b>", latency=True)
    card = card_of(found)
    assert found.digest in card
    for name in ("model.onnx", "model.pt2"):
        data = found.files[name]
        assert f"| `{name}` | " in card
        assert f"| {len(data):,} | `{hashlib.sha256(data).hexdigest()}` |" in card
    for line in (
        "| licence | CC-BY-4.0 &lt;b&gt; |",
        "3 classes, in the order of the output: red, green, blue.",
        "| size | 24 x 16 pixels (height x width), 3 channels, order rgb |",
        "| resizing | crop, 0.8 of each side, bicubic, as Pillow does it: along rows, then along columns |",
        "| training | in memory: 24 pictures |",
        "None: the training had no validation data.",
        "| parameters | 2,403, and 48 statistics of norms |",
        "No real picture was at hand.",
        "| ONNX | 8 made pictures of odd sizes | ",
    ):
        assert line in card, line
    assert card.count("ms, the median of 20 runs") == 2
    assert found.files["model.svg"].startswith(b"<svg ")
    assert "](model.svg)" in card
    assert "not stated" in card_of(exported("crop", ["onnx"]))


def test_names_from_outside_are_no_markdown() -> None:
    odd = replace(trained("crop"), classes=("a | b", "<script>", "`\n# c"))
    outcome = export(odd, checkpoint("crop"), stem="model", formats=["onnx"], wanted=Wanted())
    assert outcome.value is not None
    line = next(line for line in card_of(outcome.value).splitlines() if line.startswith("3 classes"))
    assert "<script>" not in line
    assert "a \\| b" in line
    assert "\\`" in line


def test_an_evaluation_of_the_same_network_goes_into_it(colours: Run, tmp_path: Path) -> None:
    network = open_trained(colours.model).value
    assert network is not None
    real = compared.samples_of(network, colours.model)
    assert real is not None
    assert (real.words, len(real.pictures)) == ("validation images", 12)
    path = tmp_path / "eval.json"
    held = evaluate(colours.model, colours.val).to_json()

    def made(text: str) -> Any:
        path.write_text(text, encoding="utf-8")
        return export(
            network, colours.model, stem="model", formats=["onnx"], wanted=Wanted(), real=real, told=Told(None, path)
        )

    found = made(json.dumps(held)).value
    assert [(one.pictures, one.count) for one in found.parity] == [
        ("validation images", 12), ("made pictures of odd sizes", 8),
    ]  # fmt: skip
    card = card_of(found)
    top = held["figures"]["top_1"]
    assert f"| top\\_1 | {top['value']:.4f} | {top['low']:.4f} to {top['high']:.4f} |" in card
    assert "intervals of 95% by bootstrap" in card
    assert str(colours.folder.parent) not in card, "paths of a machine stay there"
    assert f"…/{colours.folder.name}/val" in card
    assert "No real picture" not in card
    for text, words in (
        ("{", "it is not JSON"),
        ("[1]", "`spine eval` did not write it"),
        (json.dumps({**held, "spine.evaluation": 9}), "it is of version 9"),
        (json.dumps({**held, "digest": "0" * 64}), "`Small`, step 12 (digest 00000000)"),
        (json.dumps({**held, "figures": {"top_1": 1}}), "its figures cannot be read"),
        (json.dumps({**held, "figures": {"top_1": {"value": "x", "low": 0, "high": 1}}}), "its figures cannot be read"),
    ):
        (said,) = made(text).diagnostics
        assert said.code.id == ("E1026" if "digest" in words else "E1027")
        assert words in said.message
