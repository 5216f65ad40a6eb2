"""Detectors evaluated: figures beside pycocotools on the file's own ids, intervals beside resamples from scratch."""

from __future__ import annotations

import contextlib
import io
import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spinedsl import api, train
from spinedsl.data.boxes import open_boxes
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.inference import evaluate
from spinedsl.inference.boxes import Boxes
from spinedsl.inference.detected import detected
from spinedsl.inference.results import coco_results, ids_of
from spinedsl.tasks.detection import Candidates, Objects, average_precision
from spinedsl.tasks.detection.boxes import unplaced
from spinedsl.tasks.detection.precision import Judged, words
from tests.cli.running import run
from tests.inference.conftest import Trained
from tests.training.finding import CLASSES, Shapes, as_coco, settings


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("shapes")
    paths = [as_coco(folder / name, Shapes(count, seed)) for name, count, seed in (("train", 12, 0), ("val", 9, 1))]
    data = {"train": str(paths[0]), "validation": str(paths[1])}
    train(settings(folder, data=data, run={"steps": 60, "batch": 6, "average": 0.9, "validate_every": 60}))
    return Trained(folder)


def drawn(count: int, seed: int = 0) -> tuple[list[Candidates], list[Objects]]:
    """What was found, near what is there and anywhere."""
    draw = torch.Generator().manual_seed(seed)

    def boxes(many: int) -> torch.Tensor:
        start = torch.rand(many, 2, generator=draw) * 200
        return torch.cat([start, start + 5 + torch.rand(many, 2, generator=draw) * 110], 1)

    there = [Objects(boxes(4), torch.randint(3, (4,), generator=draw)) for _ in range(count)]
    found = [
        Candidates(
            torch.cat([one.boxes + torch.randn(4, 4, generator=draw) * 6, boxes(6)]), torch.rand(10, generator=draw),
            torch.cat([one.labels, torch.randint(3, (6,), generator=draw)]),
        )
        for one in there
    ]  # fmt: skip
    return found, there


# ---- figures ----


def test_figures_are_those_of_pycocotools_on_the_files_own_ids(
    shapes: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "eval", str(shapes.run), "--coco-results", "found.json", "-o", "evaluated")
    assert status == 0, err
    assert "9 images with" in out
    assert run(capsys, "eval", str(shapes.run), "--coco-results", "found.json")[0] == 0  # it is ours to replace
    held = json.loads(Path("evaluated/eval.json").read_text())
    results = json.loads(Path("found.json").read_text())
    assert {one["category_id"] for one in results} <= {3, 7}
    assert {one["image_id"] for one in results} <= set(range(100, 109))
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(shapes.folder / "val/boxes.json"))
        judged = evaluation.COCOeval(truth, truth.loadRes("found.json"), "bbox")
        for step in (judged.evaluate, judged.accumulate, judged.summarize):
            step()
    expected = dict(zip(("ap", "ap_50", "ap_75", "small", "medium", "large"), judged.stats, strict=False))
    for name, one in held["figures"].items():
        if name in expected:
            assert one["value"] == pytest.approx(expected[name], abs=1e-6)
            assert one["low"] <= one["value"] <= one["high"]
    assert {"ap", "ap_50", "ap_75", "small", "recall"} <= held["figures"].keys()
    assert held["figures"]["recall"]["value"] == pytest.approx(judged.stats[8], abs=1e-6)
    assert [one["name"] for one in held["by_class"]] == list(CLASSES)
    assert len(held["curve"]["recall"]) == len(held["curve"]["precision"]) == 101
    mean = np.mean([judged.eval["precision"][0, :, number, 0, 2] for number in range(2)], axis=0)
    assert held["curve"]["precision"] == pytest.approx(mean.tolist(), abs=1e-6)
    assert Path("evaluated/eval.svg").read_text().count('class="one"') == 2
    for name in CLASSES:
        assert name in out


def test_figures_are_those_of_the_validation(shapes: Trained) -> None:
    found = evaluate(shapes.run)
    with (shapes.run / "validation.csv").open() as file:
        head, last = (line.strip().split(",") for line in (file.readline(), file.readlines()[-1]))
    for name, value in zip(head[1:], last[1:], strict=True):
        assert found.figures[name].value == pytest.approx(float(value), abs=1e-6)


def test_a_resample_is_what_its_images_give() -> None:
    found, there = drawn(6)
    judged = Judged(found, there, 3)
    for images in ([0, 1, 2, 3, 4, 5], [5, 5, 5, 0, 1, 1], [2, 2, 2, 2, 2, 2]):
        expected = average_precision([found[n] for n in images], [there[n] for n in images], 3)
        shown = judged.precision(images)
        for name, value in words(expected).items():
            assert words(shown)[name] == pytest.approx(value, abs=1e-9, nan_ok=True)
        assert shown.by_class == pytest.approx(expected.by_class, abs=1e-9, nan_ok=True)


def test_intervals_hold_the_figures_and_follow_from_the_seed() -> None:
    found, there = drawn(12, seed=3)
    boxes = [Boxes(one.boxes.numpy(), one.scores.numpy(), one.labels.numpy()) for one in found]
    shapes = Shapes(12)
    truths = [type(shapes.read(0)[1])(
        one.boxes.numpy(), one.labels.numpy(), np.zeros(4, bool),
        ((one.boxes[:, 2:] - one.boxes[:, :2]).prod(1)).numpy(),
    ) for one in there]  # fmt: skip
    one, again, other = (detected(boxes, truths, ("a", "b", "c", "d"), seed) for seed in (0, 0, 1))
    assert one.figures == again.figures
    assert one.figures != other.figures
    assert one.figures["ap"].low < one.figures["ap"].value < one.figures["ap"].high
    assert one.resamples == 1000
    assert one.notes[-1] == "1 class without objects: the figures are those of the others"
    assert (one.classes[3].objects, one.classes[3].curve) == (0, ())
    assert math.isnan(one.classes[3].ap.value)


def test_boxes_go_back_into_their_picture() -> None:
    placement = Preprocessing(64, 96, resize="letterbox").placement(300, 200)
    sides = np.array([[30.0, 5, 60, 40], [0, 0, 96, 64]], dtype=np.float32)
    back = Boxes(sides, np.ones(2, np.float32), np.zeros(2, np.int64)).in_picture(placement)
    expected = unplaced(torch.from_numpy(sides), placement).numpy()
    assert back.sides[0] == pytest.approx(expected[0], abs=1e-4)
    assert back.sides[1].tolist() == [0, 0, 200, 300]


# ---- what is asked ----


def test_limits_stand_instead_of_those_that_it_was_trained_with(shapes: Trained) -> None:
    few = evaluate(shapes.run, limits={"score": 0.3, "most": 2})
    assert few.limits == {"score": 0.3, "most": 2, "overlap": 0.5, "top": 1000}
    assert few.results
    assert all(one["score"] > 0.3 for one in few.results)
    counts = [sum(one["image_id"] == image for one in few.results) for image in range(100, 109)]
    assert max(counts) <= 2
    assert few.to_json()["limits"]["most"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--score", "2"), "--score must be a number from 0 to 1; got 2"),
        (("--top", "0"), "--top must be a whole number from 1 on; got 0"),
        (("--coco-results", "-"), "name a file for the boxes"),
        (("--gallery", "nobody.safetensors"), "a gallery holds vectors"),
        (("--far", "0.1"), "verification compares vectors"),
    ],
)
def test_what_cannot_be_asked_of_a_detector(
    shapes: Trained, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    status, _, err = run(capsys, "eval", str(shapes.run), *words)
    assert status in (1, 2)
    assert said in err


@pytest.mark.parametrize("words", [("--score", "0.5"), ("--coco-results", "found.json")])
def test_what_cannot_be_asked_of_a_classifier(
    colours: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "eval", str(colours.run), *words)
    assert status == 1
    assert "limits are of what finds boxes" in err
    assert list(tmp_path.iterdir()) == []


def test_data_that_a_detector_cannot_be_evaluated_on(shapes: Trained, colours: Trained, tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match="have a class each, and a detector needs boxes"):
        evaluate(shapes.run, colours.val)
    other = as_coco(tmp_path, Shapes(4, classes=("oblong", "square")))
    with pytest.raises(api.Mistakes, match="square"):
        evaluate(shapes.run, other)


def test_without_objects_there_are_no_figures(shapes: Trained) -> None:
    found = evaluate(shapes.run, Shapes(3, empty=True))
    assert found.figures == {}
    assert found.notes == ("no figures: there are no objects in the images",)
    assert found.to_svg() is None
    json.dumps(found.to_json(), allow_nan=False)


def test_images_of_no_file_are_numbered_from_1() -> None:
    one = Boxes(np.array([[1, 2, 4, 8]], np.float32), np.array([0.5], np.float32), np.array([1]))
    none = Boxes(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
    results: list[Any] = coco_results([none, one], Shapes(3), [0, 2])
    assert results == [{"image_id": 3, "category_id": 2, "bbox": [1.0, 2.0, 3.0, 6.0], "score": 0.5}]


# ---- ids ----


def test_a_file_that_changed_since_is_an_error_and_no_other_numbers(
    shapes: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = evaluate(shapes.run)
    path = shapes.folder / "val/boxes.json"
    before = path.read_bytes()
    held = json.loads(before)
    try:
        path.write_text(json.dumps({**held, "images": held["images"][1:]}))
        with pytest.raises(api.Mistakes, match="E1030") as raised:
            _ = found.results
        assert "it has no image" in str(raised.value)
        path.write_text(json.dumps({**held, "images": held["images"][::-1]}))
        assert found.results[0]["image_id"] == 100, "by name, in whatever order"
        path.write_text("[]")
        with pytest.raises(api.Mistakes, match="E1030"):
            _ = found.results
    finally:
        path.write_bytes(before)
    assert {one["category_id"] for one in found.results} <= {3, 7}
    assert found.figures


def test_images_of_one_name_in_several_folders_keep_their_ids(tmp_path: Path) -> None:
    names = {1: "1.png", 2: "a/1.png", 7: "a/a/1.png"}
    (tmp_path / "a/a/a").mkdir(parents=True)
    for name in names.values():
        Image.new("L", (4, 4)).save(tmp_path / "a" / name)
    images = [{"id": number, "file_name": name, "height": 4, "width": 4} for number, name in names.items()]
    data: dict[str, Any] = {"images": images, "annotations": [], "categories": [{"id": 3, "name": "cat"}]}
    (tmp_path / "boxes.json").write_text(json.dumps(data))
    found = open_boxes(tmp_path / "boxes.json", images=tmp_path / "a").value
    assert ids_of(found).images == ids_of(pickle.loads(pickle.dumps(found))).images == (1, 2, 7)
    images[1]["id"] = 4
    (tmp_path / "boxes.json").write_text(json.dumps(data))
    with pytest.raises(api.Mistakes, match=r"E1030.*it has no image"):
        ids_of(found)


def test_predictions_have_the_ids_of_a_file(
    shapes: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listed = shapes.folder / "val/boxes.json"
    held = json.loads(listed.read_text())
    words = (
        "predict",
        str(shapes.run),
        str(shapes.folder / "val/images"),
        "--coco-results",
        "found.json",
        "--coco-ids",
    )
    assert run(capsys, *words, str(listed), "--force")[0] == 0
    by_image: dict[int, list[Any]] = {}
    for one in json.loads(Path("found.json").read_text()):
        by_image.setdefault(one["image_id"], []).append((one["category_id"], one["bbox"], one["score"]))
    of_eval: dict[int, list[Any]] = {}
    for one in evaluate(shapes.run).results:
        of_eval.setdefault(one["image_id"], []).append((one["category_id"], one["bbox"], one["score"]))
    assert by_image == of_eval
    twice = [*held["images"], {"id": 7, "file_name": held["images"][0]["file_name"]}]
    for text, reason in (
        (json.dumps({**held, "images": held["images"][:3]}), "it has no image"),
        (json.dumps({**held, "images": twice}), "it has more than one image"),
        (json.dumps({**held, "categories": held["categories"][:0]}), "it has no category `oblong`, of which there are"),
        (json.dumps({**held, "images": [{"id": "", "file_name": "a.png"}]}), "it is not JSON with"),
        (json.dumps({**held, "images": [{"id": 1, "file_name": None}]}), "it is not JSON with"),
        ("{", "it is not JSON with"),
    ):
        Path("ids.json").write_text(text)
        status, _, err = run(capsys, *words, "ids.json", "--force")
        assert status == 1
        assert "error[E1030]" in err
        assert reason in err, err
    assert "cannot be read" in run(capsys, *words, "none.json", "--force")[2]
    status, _, err = run(capsys, *words[:3], "--coco-ids", "ids.json")
    assert status == 2
    assert "give both" in err
