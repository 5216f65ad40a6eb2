"""Runs of tiny detectors: that they learn, resume and divide, and what is said of networks and data that do not fit."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import spinedsl
from spinedsl import api, extras
from spinedsl.data.boxes import open_boxes
from spinedsl.data.loader import Recipe
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.tasks.detection.boxes import area
from spinedsl.tasks.detection.suppression import Candidates, suppressed
from spinedsl.tasks.detection.task import DETECTION
from spinedsl.training.build import open_trained
from spinedsl.training.loop import Result, train
from spinedsl.training.truth import scenes_of
from tests.patience import HANG
from tests.texts import ROOT
from tests.training.finding import ANCHORS, CLASSES, HEAD, NETWORKS, POINTS, Shapes, as_coco, settings
from tests.training.running import Squares
from tests.training.test_loop import Seen, same, tensors

GROUPS = HEAD.replace("norm batch_norm(momentum = 0.9)", "norm group_norm(groups = 4)")
PLAIN = POINTS.replace(" quality f.centreness", "")  # classes that are taught how good boxes are


def ran(
    folder: Path, kind: str = "points", *, watch: Seen | None = None, resume: bool = False, images: Any = None,
    validation: Any = None, **sections: Mapping[str, Any],
) -> Result:  # fmt: skip
    """A small run, without validation unless that is given."""
    given = settings(folder, kind, **sections)
    seen = [watch or Seen()]
    return train(given, data=images or Shapes(), validation=validation, resume=resume, watch=seen)


# ---- a run ----


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_detector_learns_what_it_is_shown(tmp_path: Path, kind: str) -> None:
    seen, shapes = Seen(), Shapes(8)
    run = {"steps": 60, "batch": 8, "average": 0.9, "validate_every": 30, "pictures": 4}
    result = ran(tmp_path, kind, watch=seen, validation=shapes, images=shapes, run=run, optimizer={"rate": 0.01})
    assert result.figures["ap_50"] >= 0.8
    assert {"ap", "ap_50", "ap_75", "small", "recall"} <= result.figures.keys()
    assert "large" not in result.figures  # no object is that large
    assert sorted(seen.figures) == [30, 60]
    assert seen.losses[60] < 0.7 * seen.losses[1]
    assert result.best is not None
    head = (result.folder / "validation.csv").read_text().splitlines()[0]
    assert head.split(",")[:3] == ["step", "ap", "ap_50"]
    sheets = sorted((result.folder / "pictures").iterdir())
    assert len(sheets) == 2
    assert {(255, 210, 0), (230, 0, 120)} <= {colour for _, colour in colours(sheets[-1])}
    trained = open_trained(result.best).value
    assert trained is not None
    assert (trained.task.kind, trained.output, trained.classes) == ("detection", "find", ("oblong", "round"))
    pixels, truth = shapes.read(0)
    with torch.no_grad():
        found = trained.decode(trained.module(torch.from_numpy(trained.preprocessing.apply(pixels))[None]))
    assert set(found.of(0).labels[found.of(0).scores > 0.3].tolist()) == set(truth.labels.tolist())


@pytest.mark.parametrize(
    ("kind", "names"), [("points", ["classes", "boxes", "quality"]), ("anchors", ["classes", "boxes"])]
)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_parts_of_the_loss_are_logged_and_add_up(
    tmp_path: Path, kind: str, names: list[str], accumulate: int
) -> None:
    result = ran(tmp_path, kind, run={"accumulate": accumulate}, task={"boxes_weight": 1.5})
    with (result.folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [name for name in rows[0] if name.startswith("loss_")] == [f"loss_{name}" for name in names]
    for row in rows:
        parts = [float(row[f"loss_{name}"]) for name in names]
        assert all(part > 0 for part in parts)
        assert sum(parts) == pytest.approx(float(row["loss"]), rel=1e-5)


def test_the_log_of_a_run_that_had_no_parts_keeps_its_columns(tmp_path: Path) -> None:
    result = ran(tmp_path, run={"steps": 2})
    path = result.folder / "log.csv"
    path.write_text("".join(",".join(line.split(",")[:6]) + "\n" for line in path.read_text().splitlines()))
    ran(tmp_path, run={"steps": 4}, resume=True)
    lines = path.read_text().splitlines()
    assert len(lines) == 5
    assert {line.count(",") for line in lines} == {5}


@pytest.mark.parametrize(
    ("network", "task"),
    [
        (HEAD + PLAIN, {}),
        (HEAD + PLAIN, {"matching": "aligned"}),
        (HEAD + POINTS, {"boxes": "smooth_l1"}),
        (HEAD + ANCHORS, {"boxes": "giou", "classification": "quality_focal"}),
    ],
    ids=["overlap", "aligned", "smooth L1", "anchors by GIoU"],
)
def test_other_matchings_and_losses_learn_too(tmp_path: Path, network: str, task: dict[str, Any]) -> None:
    run = {"steps": 60, "batch": 8, "average": 0.9}
    shapes = Shapes(8)
    result = ran(tmp_path, network, task=task, validation=shapes, images=shapes, run=run, optimizer={"rate": 0.005})
    assert result.figures["ap_50"] >= 0.6


SPINENET = """spine 1
import std.heads
import "spinenet.spine"
network Finder(classes = 2) = SpineNet(width = 0.125, endpoints = 16, size = 128, momentum = 0.9) with {{
    {rows}
}}
"""
OF_POINTS = """add head f: fcos(classes = classes, depth = 1, groups = 4) from P3, P4, P5, P6, P7 channels 16
    task find: detection(classes = classes) classes f.scores boxes f.boxes quality f.centreness"""
OF_ANCHORS = """add head scores: retina_tower(
        outputs = 9 * classes,
        depth = 1,
        start = -2,
    ) from P3, P4, P5, P6, P7 channels 16
    add head boxes: retina_tower(outputs = 36, depth = 1) from P3, P4, P5, P6, P7 channels 16
    task find: detection(
        classes = classes,
        ratios = [0.5, 1, 2],
        scales = 3,
        size = 3,
    ) classes scores boxes boxes"""


@pytest.mark.parametrize("rows", [OF_POINTS, OF_ANCHORS], ids=["points", "anchors"])
def test_a_small_spinenet_begins_to_find_shapes(tmp_path: Path, rows: str) -> None:
    """Few steps: the whole network is wired, and its figures leave 0."""
    shutil.copy(ROOT / "examples/spinenet.spine", tmp_path)
    run = {"steps": 60, "batch": 4, "average": 0.9, "validate_every": 60}
    network = {"name": "Finder"}
    shapes = Shapes(4, size=128)
    result = ran(
        tmp_path, SPINENET.format(rows=rows), network=network, validation=shapes, images=shapes, run=run,
        optimizer={"rate": 0.004},
    )  # fmt: skip
    assert result.figures["ap_50"] > 0.2


def colours(path: Path) -> list[tuple[int, Any]]:
    """The colours of a picture, and how often each is there."""
    with Image.open(path) as image:
        return image.convert("RGB").getcolors(2**24) or []


def test_what_is_found_is_judged_in_the_pictures_own_pixels() -> None:
    """Boxes in letterboxed images of half the size are those of the pictures: their overlap and their sizes."""
    recipe = Recipe(Wide(4, size=128), Preprocessing(64, 64, resize="letterbox"))
    scenes = scenes_of(recipe.batch(0, 0, np.arange(4)), "cpu")
    given = [Candidates(one.objects.boxes, torch.ones(len(one.objects.boxes)), one.objects.labels) for one in scenes]
    found, there = DETECTION.apart(suppressed(given), scenes)
    assert [one is other for one, other in zip(there, scenes, strict=True)] == [True] * 4
    for one, scene in zip(found, scenes, strict=True):
        order = one.labels.argsort(stable=True)
        expected = scene.original.boxes[scene.original.labels.argsort(stable=True)]
        assert torch.allclose(one.boxes[order], expected, atol=1e-3)
    figures = DETECTION.metrics(found, there)
    assert figures["ap"] == figures["ap_50"] == 1.0
    assert "medium" in figures  # in the network's image every object is small
    wrong = [Candidates(one.boxes + 40, one.scores, one.labels) for one in found]
    assert DETECTION.metrics(wrong, there)["ap_50"] < 0.2
    (shown, *_) = DETECTION.shown(found, there, 1, CLASSES)
    count = len(scenes[0].objects.boxes)
    assert (shown.words, shown.right) == (f"{count} of {count}", True)
    assert [box[1:] for box in shown.boxes[:count]] == [(False, "")] * count
    assert {box[2] for box in shown.boxes[count:]} <= set(CLASSES)
    assert shown.boxes[0][0] == pytest.approx(scenes[0].objects.boxes[0].tolist(), abs=1e-3)
    (missed, *_) = DETECTION.shown(wrong, there, 1, CLASSES)
    assert not missed.right
    assert missed.words == f"0 of {count}, {count} more"


class Wide(Shapes):
    """The same with a margin at the right, in pictures twice as wide as they are high."""

    def read(self, index: int) -> tuple[Any, Any]:
        """Pixels and what lies in them."""
        pixels, truth = super().read(index)
        return np.concatenate([pixels, np.full_like(pixels, 30)], 1), truth


def test_nothing_to_be_found_is_taught_silence_and_has_no_figures(tmp_path: Path) -> None:
    """No number is none: the losses are those of silence, the figures are left out, and no checkpoint is the best."""
    seen, nothing = Seen(), Shapes(8, empty=True)
    run = {"steps": 4, "validate_every": 2, "pictures": 4, "accumulate": 2}
    result = ran(tmp_path, watch=seen, images=nothing, validation=nothing, run=run)
    assert all(0 < loss < 1e3 for loss in seen.losses.values())
    assert seen.losses[4] < seen.losses[1]
    assert result.figures == {}
    assert result.best is None
    assert ran(tmp_path, images=nothing, validation=nothing, run={"steps": 6}, resume=True).finished


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_half_precision_learns(tmp_path: Path, precision: str, kind: str) -> None:
    seen = Seen()
    run = {"steps": 12, "precision": precision, "channels_last": True, "accumulate": 2, "batch": 8}
    ran(tmp_path, kind, watch=seen, run=run)
    assert seen.losses[12] < seen.losses[1]
    held = tensors(tmp_path / "run/last.safetensors")
    assert {held[name].dtype for name in held if name.endswith("conv.weight")} == {torch.float32}


# ---- parts and processes ----


@pytest.mark.parametrize(
    "network", [GROUPS + POINTS, GROUPS + ANCHORS, GROUPS + PLAIN], ids=["points", "anchors", "overlap"]
)
def test_gradients_are_those_of_one_batch(tmp_path: Path, network: str) -> None:
    """Four parts, of which some have many objects and some none, move a network as the whole batch does."""
    found = []
    for parts in (1, 4):
        folder = tmp_path / str(parts)
        folder.mkdir()
        run = {"accumulate": parts, "steps": 3, "batch": 8}
        ran(folder, network, watch=(seen := Seen()), run=run, optimizer={"name": "sgd"}, images=Some(16))
        found.append((seen.losses, tensors(folder / "run/last.safetensors")))
    assert list(found[0][0].values()) == pytest.approx(list(found[1][0].values()), rel=1e-4)
    for name, tensor in found[0][1].items():
        assert torch.allclose(tensor, found[1][1][name], atol=2e-5, rtol=1e-4), name


class Some(Shapes):
    """The same, of which every other picture has nothing in it."""

    def read(self, index: int) -> tuple[Any, Any]:
        """Pixels and what lies in them."""
        return Shapes(self.count, self.seed, self.size, empty=index % 2 == 1).read(index)


# ---- resumed ----


@pytest.mark.parametrize(
    ("kind", "run"),
    [("points", {"average": 0.9, "accumulate": 2, "save_every": 3}), ("anchors", {"precision": "float16"})],
)
def test_a_detector_that_resumes_is_the_same_to_the_last_bit(tmp_path: Path, kind: str, run: dict[str, Any]) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    sections: dict[str, Any] = {"data": {"augment": {"flip": True, "jitter": True}}, "run": {"steps": 7, **run}}
    for folder in (whole, parts):
        folder.mkdir()
    ran(whole, kind, watch=(one := Seen()), validation=Shapes(4), **sections)
    seen: dict[int, float] = {}
    for stop in (2, 5, None):
        watch = Seen({stop: lambda: os.kill(os.getpid(), signal.SIGINT)} if stop else {})
        ran(parts, kind, watch=watch, resume=True, validation=Shapes(4), **sections)
        seen |= watch.losses
    assert seen == one.losses
    assert same(whole / "run/last.safetensors", parts / "run/last.safetensors")


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.training.test_detectors import Seen, ran
kill = {kill}
watch = Seen({{kill: lambda: os.kill(os.getpid(), signal.SIGKILL)}} if kill else {{}})
ran(Path({folder!r}), watch=watch, resume=True, run={{"steps": 8, "save_every": 2, "average": 0.9}})
"""


def test_a_detector_that_was_killed_resumes_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder, moments in ((whole, [0]), (killed, [5, 0])):
        folder.mkdir()
        for kill in moments:
            code = KILLED.format(root=str(ROOT), kill=kill, folder=str(folder))
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG, check=False
            )
            assert done.returncode == (-signal.SIGKILL if kill else 0), done.stderr
    assert same(whole / "run/last.safetensors", killed / "run/last.safetensors")


# ---- other weights ----


def test_a_head_that_does_not_fit_starts_fresh_and_is_listed(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    first = ran(one)
    seen = Seen()
    weights = {"from": str(first.last), "freeze": ["s", "a"]}
    result = ran(other, watch=seen, network={"arguments": {"classes": 3}}, weights=weights)
    assert result.taken is not None
    assert set(result.taken.fresh) == {"f.scores.conv.weight", "f.scores.conv.bias"}
    assert any(text.startswith("`f` starts fresh: 2 tensors") for text in seen.told)
    before, after = tensors(first.last), tensors(result.last)
    for row, stays in (("s", True), ("a", True), ("b", False)):
        names = [name for name in before if name.startswith(f"model/{row}.") and name.endswith("conv.weight")]
        assert names
        assert all(torch.equal(before[name], after[name]) == stays for name in names)


# ---- what does not fit ----

QUALITY = "the classes would be taught how good boxes are, and task `find` has a quality for that"


@pytest.mark.parametrize(
    ("network", "sections", "words", "fix"),
    [
        ("points", {"network": {"arguments": {"classes": 1}}}, "task `find` tells 1 class apart, and",
         "`arguments = { classes = 2 }` in [network]"),
        (HEAD.replace("classes = 2", "kinds = 1") + POINTS.replace("= classes", "= kinds"), {},
         "tells 1 class apart", "it has no parameter that is called `classes`"),
        ("points", {"task": {"matching": "iou"}}, "task `find` has points, which cannot be matched by iou",
         '`matching = "fcos"` or `matching = "aligned"`'),
        ("anchors", {"task": {"matching": "aligned"}}, "has anchors, which cannot be matched by aligned",
         '`matching = "iou"`'),
        ("points", {"task": {"classification": "quality_focal"}}, QUALITY, "leave out the task's `quality …`"),
        ("points", {"task": {"matching": "aligned"}}, QUALITY, "leave out the task's `quality …`"),
        (HEAD + PLAIN, {"task": {"matching": "aligned", "classification": "focal"}},
         "aligned matching teaches the classes scores", 'or `classification = "quality_focal"`'),
        (HEAD + PLAIN, {"task": {"quality_weight": 2}}, "task `find` has no quality", "leave it out"),
        ("points", {"task": {"foreground": 0.6}}, 'counts for matching = "iou" alone, and it', "leave it out"),
        ("points", {"task": {"smooth_l1_beta": 0.2}}, 'counts for boxes = "smooth_l1" alone', "leave it out"),
        ("anchors", {"task": {"foreground": 0.3}}, "`task.background` is 0.4, above", "`background = 0.3` or less"),
        ("points", {"task": {"smoothing": 0.1}}, "`task.smoothing` is for classification, and this is detection", ""),
        ("points", {"task": {"matching": "best"}}, "there is `iou`, `fcos` or `aligned`", ""),
        ("points", {"task": {"output": "found"}}, "has no output `found`", ""),
        ("points", {"data": {"preprocessing": {"height": 60, "width": 64}}}, "does not divide by 16", ""),
        (HEAD + "}\n", {"task": {"kind": "detection"}}, "no task that says which maps are the classes",
         "add a row such as `task find: detection("),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said_with_what_to_do(
    tmp_path: Path, network: str, sections: dict[str, Any], words: str, fix: str
) -> None:
    with pytest.raises(api.Mistakes) as raised:
        ran(tmp_path, network, **sections)
    assert words in str(raised.value)
    assert fix in str(raised.value)


def test_two_tasks_are_chosen_from_by_name(tmp_path: Path) -> None:
    second = POINTS.replace("task find", "task seek").replace("head f:", "head g:").replace("f.", "g.")
    network = HEAD + POINTS.replace("\n}", "\n") + second
    with pytest.raises(api.Mistakes, match="it has the tasks find, seek") as raised:
        ran(tmp_path, network, task={"kind": "detection"})
    assert "choose one: `output = …` in [task]" in str(raised.value)
    ran(tmp_path, network, task={"output": "seek"})
    trained = open_trained(tmp_path / "run/last.safetensors").value
    assert trained is not None
    assert trained.output == "seek"
    assert all(name.startswith("g_") for name in trained.reading.outputs)


CLASSIFIER = HEAD + "    head logits: pooled_classifier(classes = classes) from P4\n}\n"


def test_images_without_boxes_and_images_with_them_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(api.Mistakes, match="the images have no boxes, and detection needs boxes") as raised:
        ran(tmp_path, network={"arguments": {"classes": 3}}, images=Squares())
    assert "name COCO's JSON" in str(raised.value)
    (tmp_path / "net.spine").unlink()
    with pytest.raises(api.Mistakes, match="the images have boxes, and classification needs a class for") as raised:
        ran(tmp_path, CLASSIFIER)
    assert "name a folder for each class" in str(raised.value)


def test_average_precision_is_asked_for_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "faster_coco_eval" else found(name))
    with pytest.raises(spinedsl.MissingPackage, match=r"needs faster_coco_eval: pip install .*\[detection\]"):
        ran(tmp_path, validation=Shapes(4))
    assert not (tmp_path / "run").exists()


def test_a_loss_of_ones_own_gets_outputs_and_what_is_in_the_images(tmp_path: Path) -> None:
    def loss(outputs: Mapping[str, torch.Tensor], there: Any, step: int) -> torch.Tensor:
        assert {"f_scores_P3", "P3"} <= outputs.keys()
        counts = torch.tensor([float(len(scene.objects.boxes)) for scene in there])
        return (outputs["f_scores_P3"].mean((1, 2, 3)) - counts).square().mean()

    result = train(settings(tmp_path), data=Shapes(), loss=loss)
    assert result.finished
    assert open_trained(result.last).value is not None


def test_a_box_without_area_teaches_nothing_and_its_object_counts(tmp_path: Path) -> None:
    """As COCO's own training set has it."""
    results = []
    for name in ("without", "with"):
        folder = tmp_path / name
        path = as_coco(folder, Shapes(4))
        held = json.loads(path.read_text())
        if name == "with":
            held["annotations"].append({"id": 99, "image_id": 100, "category_id": 3, "bbox": [9, 9, 4, 0], "area": 2})
        path.write_text(json.dumps(held))
        results.append(train(settings(folder, data={"train": str(path), "validation": str(path)})))
    without, flat = (tensors(result.last) for result in results)
    assert all(torch.equal(without[name], flat[name]) for name in without)
    boxes = open_boxes(tmp_path / "with/boxes.json").value
    assert boxes is not None
    scenes = scenes_of(Recipe(boxes, Preprocessing(64, 64)).batch(0, 0, np.arange(len(boxes))), "cpu")
    assert [int((area(one.original.boxes) == 0).sum()) for one in scenes] == [1, 0, 0, 0]
