"""Detectors as ONNX models, exported and compiled: the same boxes as the checkpoint's, in the pictures' own pixels."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

import spinedsl
from spinedsl import api
from spinedsl.agreement.boxes import Near, same_boxes
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.use import TRAINED
from spinedsl.inference import deployed, evaluate, predict
from spinedsl.inference import export as exporting
from spinedsl.inference.boxes import Boxes
from spinedsl.inference.engine import Engine
from spinedsl.inference.exported import open_exported
from spinedsl.inference.fitting import unplaced
from spinedsl.inference.formats import FORMATS, Wanted, written
from spinedsl.ops.detection import DETECTION, Limits
from spinedsl.record import replace
from spinedsl.training.build import program_of
from tests.cli.running import run
from tests.inference.finders import KINDS, checkpoint, engine, model_of, pictures, trained
from tests.inference.test_card import HIDDEN, alone, snippets
from tests.training.finding import CLASSES, Shapes, as_coco


def write(kind: str, folder: Path, name: str = "onnx", **wanted: Any) -> Path:
    outcome = written(name, model_of(kind), Wanted(**wanted), folder)
    assert outcome.value is not None, outcome.diagnostics
    return folder / outcome.value[0]


def opened(path: Path) -> Engine:
    found = open_exported(path)
    assert found.value is not None, found.diagnostics
    return found.value


def are_the_same(kind: str, found: Sequence[Boxes], limits: Limits | None = None, half: bool = False) -> int:
    """See that boxes in the pictures are those of the checkpoint; how many there are."""
    limits = limits or model_of(kind).limits(Wanted())
    own = {"score": limits.score, "overlap": limits.overlap, "top": limits.top, "most": limits.most}
    expected, total = engine(kind).boxes(pictures(), own), 0
    for number, (one, other, pixels) in enumerate(zip(expected, found, pictures(), strict=True)):
        side = max(pixels.shape[:2])
        near = Near(0.02, 0.02 * side) if half else Near(1e-5, 1e-4 * side)
        every = {**own, "score": max(0.0, limits.score - near.score), "overlap": 1.0, "most": 9999}
        same = same_boxes(one, other, limits, near, lambda n=number, e=every: engine(kind).boxes([pictures()[n]], e)[0])  # type: ignore[misc]
        assert not same.odd, same.odd
        total += same.both
    return total


# ---- what is exported ----


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_are_those_of_the_checkpoint_in_pictures_of_any_size(kind: str, tmp_path: Path) -> None:
    path = write(kind, tmp_path)
    onnx.checker.check_model(str(path), full_check=True)
    model = opened(path)
    assert model.in_pictures
    assert are_the_same(kind, model.boxes(pictures())) > 20
    for field in ("kind", "output", "classes", "preprocessing", "network", "digest", "step", "limits"):
        assert getattr(model, field) == getattr(engine(kind), field), field


@pytest.mark.parametrize("opset", [13, 18, 23])
@pytest.mark.parametrize("half", [False, True])
def test_opsets_and_16_bits(opset: int, half: bool, tmp_path: Path) -> None:
    path = write("letterbox", tmp_path, opset=opset, half=half)
    assert onnx.load(str(path)).opset_import[0].version == opset
    assert are_the_same("letterbox", opened(path).boxes(pictures()), half=half) > 20


def test_images_of_the_networks_size_come_back_too(tmp_path: Path) -> None:
    path = write("crop", tmp_path, inside=False, batch=3)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [3, 64, 64, 3]
    model = opened(path)
    assert not model.in_pictures
    assert are_the_same("crop", model.boxes(pictures())) > 20


def test_a_batch_of_three_is_three_batches_of_one_and_padding_is_empty(tmp_path: Path) -> None:
    most = 900  # more than are found, of a crop, in which no box begins at 0
    path = write("crop", tmp_path, limits=Limits(score=0.02, most=most))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    images = np.stack([np.tile(Shapes(3).read(number)[0], (1, 2, 1)) for number in range(3)])
    whole = session.run(None, {"images": images})
    assert [one.shape for one in whole] == [(3, most, 4), (3, most), (3, most), (3,)]
    for number in range(3):
        alone = session.run(None, {"images": images[number : number + 1]})
        count = int(whole[3][number])
        assert 0 < count == alone[3][0] < most
        for one, other in zip(whole[:3], alone[:3], strict=True):
            np.testing.assert_allclose(one[number], other[0], atol=1e-3)
        assert not whole[0][number, count:].any()
        assert not whole[1][number, count:].any()
        assert set(whole[2][number, count:].tolist()) <= {-1}


def test_what_a_model_says_of_itself(tmp_path: Path) -> None:
    for inside, sizes, pixels in ((True, "any", "picture"), (False, [64, 64], "image")):
        path = write("letterbox", tmp_path, inside=inside)
        said = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
        assert json.loads(said[TRAINED]) == {
            "version": 1, "task": "detection", "output": "find", "classes": list(CLASSES),
            "preprocessing": trained("letterbox").preprocessing.to_json(), "network": "Finder",
            "digest": model_of("letterbox").digest, "step": 20, "boxes": pixels,
            "input": {"name": "images", "layout": "NHWC", "type": "uint8", "sizes": sizes},
            "outputs": ["boxes", "scores", "labels", "count"], "aligned": False,
        }  # fmt: skip
        assert json.loads(said[DETECTION]) == {
            "task": "find", "classes": 2, "strides": [8, 16], "score": 0.02, "top": 1000, "overlap": 0.5,
            "max_detections": 30,
        }  # fmt: skip


def test_an_input_that_is_called_as_an_output_is(tmp_path: Path) -> None:
    texts = dict(trained("letterbox").about["texts"])
    texts["files"] = {name: text.replace("input image", "input boxes") for name, text in texts["files"].items()}
    odd = replace(trained("letterbox"), program=program_of(texts))
    model = replace(model_of("letterbox"), trained=odd)
    outcome = written("onnx", model, Wanted(), tmp_path)
    assert outcome.value is not None
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_outputs()] == ["boxes.2", "scores", "labels", "count"]
    assert are_the_same("letterbox", opened(tmp_path / "model.onnx").boxes(pictures())) > 20


def test_openvino_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    path = write("letterbox", tmp_path, "openvino", inside=False)
    found = FORMATS["openvino"].run(path, Wanted(inside=False))([engine("letterbox").prepare(p) for p in pictures()])
    placed = [one.in_picture(engine("letterbox").placement(p)) for one, p in zip(found, pictures(), strict=True)]
    assert are_the_same("letterbox", placed, half=True) > 20


@pytest.mark.parametrize("name", ["torch", "litert", "executorch"])
def test_what_cannot_find_boxes_is_refused_before_anything_is_asked_of_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(checkpoint("letterbox"), "finder.safetensors")
    status, out, err = run(capsys, "export", "finder.safetensors", "-o", "models", "--to", "onnx", "--to", name)
    assert (status, out) == (1, "")
    assert "error[E1042]" in err
    assert "spine compile --to torch --detect" in err
    assert not Path("models").exists()


def test_nothing_is_found_in_the_margins_of_a_letterbox(tmp_path: Path) -> None:
    """Each place finds something; behind the count of each image there is padding alone."""
    limits = Limits(score=0.0, overlap=1.0, most=200)
    path = write("letterbox", tmp_path, limits=limits)
    ours, theirs = engine("letterbox"), opened(path)
    own = {"score": limits.score, "overlap": limits.overlap, "top": limits.top, "most": limits.most}
    narrow = pictures()[1:3]
    assert ours.find is not None
    raw = ours.find([ours.prepare(pixels) for pixels in narrow], own)
    expected, found = ours.boxes(narrow, own), theirs.boxes(narrow)
    for before, one, other in zip(raw, expected, found, strict=True):
        assert 0 < len(one) < len(before), "some were in the margins"
        assert (one.sides[:, :2] < one.sides[:, 2:]).all()
        assert one.labels.tolist() == other.labels.tolist()
        np.testing.assert_allclose(one.sides, other.sides, atol=1e-3)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    boxes, scores, labels, count = session.run(None, {"images": narrow[0][None]})
    assert not boxes[0, count[0] :].any()
    assert not scores[0, count[0] :].any()
    assert set(labels[0, count[0] :].tolist()) == {-1}


def test_what_is_no_number_is_no_box_without_area() -> None:
    sides = np.array([[1, 1, 1, 9], [np.nan, 0, 4, 4], [0, 0, 4, 4]], np.float32)
    boxes = Boxes(sides, np.array([0.9, 0.8, 0.7], np.float32), np.array([0, 1, 2]))
    assert boxes.in_picture(None).labels.tolist() == [1, 2]


# ---- that they are compared ----


def exported(kind: str, **given: Any) -> Any:
    wanted = given.pop("wanted", Wanted())
    return exporting.export(trained(kind), checkpoint(kind), stem="model", formats=["onnx"], wanted=wanted, **given)


def test_the_table_counts_boxes(tmp_path: Path) -> None:
    found = exported("letterbox").value
    assert found is not None
    (one,) = found.parity
    assert (one.fine, one.alike, one.count) == (True, 1.0, 8)
    assert one.boxes > 20
    assert one.difference < 1e-5
    assert one.pixels < 1e-2


def test_a_detector_that_finds_nothing_is_compared_by_a_lower_score() -> None:
    found = exported("letterbox", wanted=Wanted(limits=Limits(score=0.999))).value
    assert found is not None
    first, second = found.parity
    assert (first.boxes, first.fine) == (0, True)
    assert second.boxes > 20
    assert "made pictures of odd sizes, by a score of 0." in second.pictures


WRONG: dict[str, Any] = {
    "boxes that lie elsewhere": lambda moved: lambda *given: moved(*given) + 0.5,
    "boxes of the network's image": lambda moved: lambda nodes, images, boxes, pre: boxes * 1.0,
    "no numbers": lambda moved: lambda *given: moved(*given) / 0.0 * 0.0,
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("score", [0.02, 0.999])
def test_a_model_that_finds_others_is_an_error(what: str, score: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed, "unplaced", WRONG[what](unplaced))
    outcome = exported("letterbox", wanted=Wanted(limits=Limits(score=score)))
    assert outcome.value is None
    assert {found.code.id for found in outcome.diagnostics} == {"E1041"}
    assert "boxes on 8 made pictures" in outcome.diagnostics[0].message


# ---- predict and eval ----


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures, a checkpoint, the model that is exported of it, and one that is compiled with it."""
    monkeypatch.chdir(tmp_path)
    as_coco(tmp_path, Shapes(5, seed=3))
    shutil.copy(checkpoint("letterbox"), "finder.safetensors")
    write("letterbox", tmp_path).rename("exported.onnx")
    for name, text in trained("letterbox").about["texts"]["files"].items():
        Path(name).write_text(text)
    files = spinedsl.compile(
        "network.spine", to="onnx", detect=True, weights="finder.safetensors", dynamic=("batch",), score=0.02,
        max_detections=30,
    )  # fmt: skip
    Path("compiled.onnx").write_bytes(next(iter(files.values())))
    return tmp_path


def table_of(text: str) -> list[tuple[str, ...]]:
    return [tuple(line.split(",")) for line in text.splitlines()[1:]]


@pytest.mark.parametrize("model", ["exported.onnx", "compiled.onnx"])
def test_both_engines_find_the_same_in_all_forms(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("images", "--score", "0.1", "--format", "csv", "--coco-results")
    ours = run(capsys, "predict", "finder.safetensors", *words, "ours.json", "-o", "ours")
    theirs = run(capsys, "predict", model, *words, "theirs.json", "-o", "theirs")
    assert (ours[0], theirs[0]) == (0, 0), theirs[2]
    one, other = table_of(ours[1]), table_of(theirs[1])
    assert len(one) == len(other) > 5
    for mine, his in zip(one, other, strict=True):
        assert mine[:3] == his[:3]
        assert np.array(mine[3:], float) == pytest.approx(np.array(his[3:], float), abs=0.011)
    held = [json.loads(Path(f"{name}/predictions.json").read_text()) for name in ("ours", "theirs")]
    assert held[1]["runtime"] == "ONNX Runtime on cpu"
    assert [len(row["boxes"]) for row in held[0]["predictions"]] == [
        len(row["boxes"]) for row in held[1]["predictions"]
    ]
    assert {path.name for path in Path("ours").iterdir()} == {path.name for path in Path("theirs").iterdir()}
    results = [json.loads(Path(f"{name}.json").read_text()) for name in ("ours", "theirs")]
    assert [(row["image_id"], row["category_id"]) for row in results[0]] == [
        (row["image_id"], row["category_id"]) for row in results[1]
    ]


@pytest.mark.parametrize("model", ["exported.onnx", "compiled.onnx"])
def test_figures_are_the_same(model: str, folder: Path) -> None:
    ours, theirs = (evaluate(name, "boxes.json") for name in ("finder.safetensors", model))
    assert theirs.limits == ours.limits
    assert list(theirs.figures) == list(ours.figures)
    for name, one in ours.figures.items():
        assert theirs.figures[name].value == pytest.approx(one.value, abs=1e-3), name
    assert len(theirs.results) == len(ours.results)
    fewer = {"score": 0.1, "most": 3}
    few, same = (evaluate(name, "boxes.json", limits=fewer) for name in ("finder.safetensors", model))
    assert len(few.results) == len(same.results) < len(ours.results)


def test_more_than_a_model_finds_is_not_to_be_had(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for limits in ({"score": 0.01}, {"most": 31}, {"overlap": 0.4}, {"top": 9}):
        with pytest.raises(api.Mistakes, match="E1029") as raised:
            evaluate("exported.onnx", "boxes.json", limits=limits)
        ((name, value),) = limits.items()
        assert f"spine export --{name} {value}" in str(raised.value)
    status, _, err = run(capsys, "predict", "exported.onnx", "images", "--score", "0.01")
    assert status == 1
    assert "error[E1029]: `exported.onnx` finds boxes with score = 0.02, and score = 0.01 is asked for" in err
    words = ("--score", "0.01", "--most", "50", "--overlap", "0.4", "--top", "900")
    status, out, _ = run(capsys, "export", "finder.safetensors", "-o", "more.onnx", *words)
    assert status == 0
    assert "agrees" in out
    assert run(capsys, "predict", "more.onnx", "images", "--score", "0.01")[0] == 0
    assert opened(folder / "more.onnx").limits == {"score": 0.01, "overlap": 0.4, "top": 900, "most": 50}
    assert run(capsys, "export", "finder.safetensors", "-o", "no.onnx", "--most", "0")[0] == 2
    assert "score that a box is above | 0.01 |" in Path("more.md").read_text()


def test_limits_of_what_is_no_detector_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.inference.exporting import checkpoint as of_classes

    status, _, err = run(capsys, "export", str(of_classes("crop")), "-o", str(tmp_path / "m.onnx"), "--score", "0.1")
    assert status == 1
    assert "error[E1028]" in err


def test_the_page_for_browsers_takes_the_same_of_a_model_that_says_nothing() -> None:
    page = Path(__file__).resolve().parents[2] / "docs/browser/find.mjs"
    told = re.search(r"^const DEFAULTS = (.*);$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert told is not None
    taken = json.loads(re.sub(r"(\w+):", r'"\1":', told[1]))
    usual = json.loads(json.dumps(Preprocessing(64, 96).to_json()))
    assert taken == {name: usual[name] for name in ("resize", "order", "mean", "std", "background")}


def test_a_compiled_model_without_a_checkpoint_says_what_is_taken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, more in (("plain.onnx", ()), ("open.onnx", ("--dynamic", "batch,height,width"))):
        words = ("compile", "network.spine", "--to", "onnx", "--detect", "--score", "0.001", "-o", name, *more)
        assert run(capsys, *words)[0] == 0
    status, out, err = run(capsys, "predict", "plain.onnx", "images", "--score", "0.001")
    assert status == 0
    assert "stretched to 64x64, with ImageNet's mean and deviation" in err
    assert "output " in out
    found = evaluate("plain.onnx", "boxes.json")
    assert found.classes == CLASSES
    status, _, err = run(capsys, "predict", "open.onnx", "images")
    assert status == 1
    assert "error[E1040]" in err
    assert "compile it with the checkpoint as `--weights`" in err


def test_what_is_no_detector_says_why(folder: Path) -> None:
    whole = Path("compiled.onnx").read_bytes()
    model = onnx.load_from_string(whole)
    of = {entry.key: entry for entry in model.metadata_props}
    about, limits = json.loads(of[TRAINED].value), of[DETECTION].value

    def saying(**said: str) -> bytes:
        """The model as another tool would write it, with other properties."""
        changed = onnx.load_from_string(whole)
        kept = [entry for entry in changed.metadata_props if entry.key not in {*said, "spine.sha256"}]
        del changed.metadata_props[:]
        changed.metadata_props.extend(kept)
        for key, text in said.items():
            if text:
                changed.metadata_props.add(key=key, value=text)
        return bytes(changed.SerializeToString())

    cases = [
        ("damaged", whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:]),
        ("does not load", whole[:1000]),
        ("cannot be read", saying(**{DETECTION: "{}"})),
        ("of its boxes cannot be read", saying(**{TRAINED: "", DETECTION: limits[:-4]})),
        ("of its boxes cannot be read", saying(**{TRAINED: "", DETECTION: "[]"})),
        ("does not say what it is for", saying(**{TRAINED: "", DETECTION: ""})),
        ("are not those that it names", saying(**{TRAINED: json.dumps({**about, "outputs": ["boxes"]})})),
        ("cannot be read", saying(**{TRAINED: json.dumps({**about, "boxes": None, "step": None})})),
    ]
    for words, data in cases:
        Path("other.onnx").write_bytes(data)
        (found,) = open_exported("other.onnx").diagnostics
        assert words in found.message, found.message
        assert found.code.id == "E1040"
    Path("rewritten.onnx").write_bytes(saying(doc="seen by another tool"))
    assert len(predict("rewritten.onnx", "images").rows) == 5


# ---- without spinedsl ----


def docs_code() -> str:
    """The lines of the document that run an exported detector."""
    text = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
    (code,) = [block for block in snippets(text) if "count = " in block]
    return code


def numbers_of(text: str) -> NDArray[np.float64]:
    """Score and sides of each line that is printed."""
    lines = [re.sub(r"np\.\w+\((.*?)\)", r"\1", line).split() for line in text.splitlines()]
    return np.array([[float(word) for word in line[-5:]] for line in lines], dtype=np.float64).reshape(-1, 5)


def test_the_lines_of_the_document_run_with_onnxruntime_numpy_and_pillow_alone(tmp_path: Path) -> None:
    """Three pictures at once, in a process that cannot import spinedsl or PyTorch."""
    write("letterbox", tmp_path).rename(tmp_path / "shapes.onnx")
    (tmp_path / "shapes/images").mkdir(parents=True)
    given = []
    for number in range(3):
        image = Image.fromarray(Shapes(3, seed=2).read(number)[0]).resize((150, 90))
        exif = Image.Exif()
        exif[0x0112] = 6  # a quarter turn
        image.save(tmp_path / f"shapes/images/val-{number}.png", exif=exif)
        given.append(np.asarray(image.transpose(Image.Transpose.ROTATE_270)))
    *printed, hidden = alone(HIDDEN, [str(tmp_path)], docs_code()).splitlines()
    assert hidden == "[]"
    found = engine("letterbox").boxes(given)
    assert len(printed) == sum(map(len, found)) > 10
    expected = np.concatenate([np.column_stack([one.scores, one.sides]) for one in found])
    np.testing.assert_allclose(numbers_of("\n".join(printed)), expected, atol=2e-3)
    assert {line.split()[1] for line in printed} <= {*CLASSES}


@pytest.mark.parametrize(("name", "inside"), [("onnx", True), ("onnx", False), ("openvino", False)])
@pytest.mark.parametrize("kind", ["letterbox", "crop", "stretch", "grey"])
def test_the_lines_of_a_card_give_boxes_of_the_picture(name: str, kind: str, inside: bool, tmp_path: Path) -> None:
    if name == "openvino":
        pytest.importorskip("openvino")
    outcome = exporting.export(
        trained(kind), checkpoint(kind), stem="model", formats=[name], wanted=Wanted(inside=inside)
    )
    assert outcome.value is not None, outcome.diagnostics
    for file, data in outcome.value.files.items():
        (tmp_path / file).write_bytes(data)
    pixels = pictures()[1]
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    (code,) = snippets(outcome.value.files["model.md"].decode())
    printed = alone(HIDDEN if name == "onnx" else {"spinedsl", "tests"}, [str(tmp_path)], code).splitlines()[:-1]
    (found,) = engine(kind).boxes([pixels])
    assert len(printed) == len(found) > 0
    rows = numbers_of("\n".join(printed))
    np.testing.assert_allclose(rows[:, 0], found.scores, atol=1e-4)
    np.testing.assert_allclose(rows[:, 1:], found.sides, atol=0.02)


def test_a_card_has_the_figures_of_an_evaluation_and_the_thresholds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "eval", "finder.safetensors", "--data", "boxes.json", "-o", "out")[0] == 0
    words = (
        "export",
        "finder.safetensors",
        "-o",
        "card.onnx",
        "--images",
        "boxes.json",
        "--evaluation",
        "out/eval.json",
    )
    status, out, err = run(capsys, *words, "--licence", "CC0-1.0")
    assert status == 0, err
    assert "5 of boxes.json" in out
    held, card = json.loads(Path("out/eval.json").read_text()), Path("card.md").read_text()
    for name in ("ap", "ap_50", "recall"):
        one = held["figures"][name]
        shown = f"| {one['value']:.4f} | {one['low']:.4f} to {one['high']:.4f} |"
        assert f"| {name.replace('_', chr(92) + '_')} {shown}" in card
    for line in (
        "| licence | CC0-1.0 |",
        "| score that a box is above | 0.02 |",
        "| boxes of an image at most, to which the outputs are filled up | 30 |",
        "2 classes, in the order of the output: oblong, round.",
        "boxes in pixels of the picture that was put in.",
        "(SHA-256 of network, weights, output and preprocessing)",
    ):
        assert line in card, line
    assert held["digest"] in card
