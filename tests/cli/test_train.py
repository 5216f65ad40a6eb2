"""`spine train`: a run on a folder of images, what the options change, and every mistake before the first step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.steps import AUGMENTS
from spinedsl.record import names
from spinedsl.training import checkpoint
from spinedsl.training.loop import Result
from tests.cli.running import run
from tests.training import finding as shapes
from tests.training.running import NET, Squares

CONFIG = """\
[network]
file = "net.spine"
[data]
train = "images/train"
validation = "images/val ü"
augment = { flip = true }
[optimizer]
rate = 0.05
[run]
steps = 4
batch = 6
log_every = 1
device = "cpu"
threads = 1
workers = 0
pictures = 4
output = "run"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network, images in folders of classes, and a configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.spine").write_text(NET, encoding="utf-8")
    (tmp_path / "net.toml").write_text(CONFIG, encoding="utf-8")
    for part, images in (("train", Squares(12)), ("val ü", Squares(6, seed=1))):
        for index in range(len(images)):
            pixels, label = images.read(index)
            folder = tmp_path / "images" / part / images.classes[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / f"picture {index}.png")
    return tmp_path


def step_of(project: Path, folder: str = "run") -> int:
    found = checkpoint.read(project / folder / "last.safetensors").value
    assert found is not None
    return int(found.about["step"])


def test_a_run_ends_with_its_figures_and_resumes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "train", "net.toml")
    assert status == 0, err
    assert out.startswith("4 steps: top_1 ")
    assert "best.safetensors" in out
    assert "cpu, float32, 1 thread: as the settings say" in err
    status, out, err = run(capsys, "train", "net.toml", "--resume", "--change", "run.steps=6", "--json")
    assert status == 0, err
    assert json.loads(out)["step"] == 6
    assert "resumed at step 4 of 6" in err
    assert "W1003" in err
    assert step_of(project) == 6
    assert run(capsys, "-q", "train", "net.toml")[0] == 2
    assert run(capsys, "train", "-q", "net.toml", "--change", "run.recalibrate=1")[2] == ""


@pytest.mark.parametrize(("best", "said"), [(0.5, "; the best top_1 was 0.5000"), (0.25, "")])
def test_a_run_says_its_best_figure_where_the_last_is_none(
    best: float, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Result(
        12, True, {"top_1": 0.25}, Path("run"), Path("run/last.safetensors"), Path("run/best.safetensors"), None,
        best_figures={"top_1": best},
    )  # fmt: skip
    monkeypatch.setattr("spinedsl.training.loop.train", lambda *_, **__: made)
    assert run(capsys, "train", "net.toml")[1] == f"12 steps: top_1 0.2500{said}\nrun/best.safetensors\n"
    assert json.loads(run(capsys, "train", "net.toml", "--json")[1])["best_figures"] == {"top_1": best}


def test_a_finished_run_begins_fine_tuning(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "train", "net.toml", "--folder", "first")
    status, _, err = run(
        capsys, "train", "net.toml", "--weights", "first/last.safetensors", "--key", "model", "--freeze", "s, b",
        "--freeze-norms", "--device", "auto", "--threads", "1",
    )  # fmt: skip
    assert status == 0, err
    assert "17 tensors taken from" in err
    before, after = (checkpoint.read(project / f"{folder}/last.safetensors").value for folder in ("first", "run"))
    assert before is not None
    assert after is not None
    counters = {name for name in after.sets["model"] if name.endswith("num_batches_tracked")}  # no weights
    moved = {name for name in after.sets["model"] if not after.sets["model"][name].equal(before.sets["model"][name])}
    assert moved - counters == {"logits.linear.weight", "logits.linear.bias"}


def test_check_says_what_would_be_trained(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "train", "net.toml", "--check")[:2] == (
        0, "Small for classification: 12 images of 3 classes, 4 steps\n",
    )  # fmt: skip
    assert json.loads(run(capsys, "train", "net.toml", "--check", "--json")[1])["images"] == 12
    assert not (project / "run").exists()


ALL_ROWS = ("--freeze", "s,b,logits")


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (("--weights", "nope.safetensors"), ["E0801"]),
        (("--weights", "net.spine"), ["E0902"]),
        (("--weights", "first"), ["E0902"]),
        (("--weights", "first/last.safetensors", "--key", "nope"), ["E0913"]),
        (("--weights", "first/last.safetensors", "--prefix", "zz."), ["E0901"]),
        (("--folder", "net.spine"), ["E0802"]),
        (("--folder", "net.spine/run"), ["E0802"]),
        (ALL_ROWS, ["E1007"]),
        (("--folder", "net.spine", "--weights", "nope.safetensors", *ALL_ROWS), ["E0802", "E0801", "E1007"]),
    ],
)
def test_check_reports_what_would_stop_the_run_before_its_first_step(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], codes: list[str]
) -> None:
    assert run(capsys, "train", "net.toml", "--folder", "first", "--change", "run.steps=1")[0] == 0
    there = sorted(project.rglob("*"))
    status, found, _ = run(capsys, "train", "net.toml", "--json", "--check", *words)
    assert (status, [one["code"] for one in json.loads(found)]) == (1, codes)
    assert run(capsys, "train", "net.toml", "--json", *words)[:2] == (1, found)
    assert sorted(project.rglob("*")) == there


def test_check_says_what_weights_give(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "train", "net.toml", "--folder", "first", "--change", "run.steps=1")[0] == 0
    status, _, err = run(capsys, "train", "net.toml", "--check", "--weights", "first/last.safetensors")
    assert (status, "17 tensors taken from" in err) == (0, True), err


def test_a_change_may_reach_into_a_table(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "data.augment.flip=false data.preprocessing.height=32 network.arguments.width=4 run.steps=2".split()
    status, _, err = run(capsys, "train", "net.toml", *(word for one in words for word in ("--change", one)))
    assert status == 0, err
    found = checkpoint.read(project / "run" / "last.safetensors").value
    assert found is not None
    assert found.about["preprocessing"]["height"] == 32
    assert "[data.augment]\nflip = false" in found.about["config"]
    assert found.sets["model"]["b.spatial.conv.weight"].shape[0] == 4
    for date in ("2020-01-01", "[2020-01-01]", "{ day = 2020-01-01 }"):
        status, _, err = run(capsys, "train", "net.toml", "--change", f"run.steps={date}")
        assert (status, f'got "{date}"' in err, "<changes>:2:9" in err) == (1, True, True), err


def test_a_linked_configuration_finds_what_is_beside_the_one_that_it_links_to(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "elsewhere").mkdir()
    (project / "elsewhere/link.toml").symlink_to(project / "net.toml")
    for command in (("train", "elsewhere/link.toml", "--check"), ("data", "check", "elsewhere/link.toml")):
        status, _, err = run(capsys, *command)
        assert status == 0, err


def test_every_mistake_is_reported_before_the_first_step(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "images/train/red/picture 0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (project / "images/train/violet").mkdir()
    text = (
        CONFIG.replace("steps = 4", "stepps = 4")
        .replace("rate = 0.05", 'rate = "high"')
        .replace("batch = 6", "batch = 0")
    )
    (project / "net.toml").write_text(text)
    status, out, _ = run(capsys, "train", "net.toml", "--json")
    assert status == 1
    assert sorted(one["code"] for one in json.loads(out)) == ["E1002", "E1003", "E1004"]
    (project / "net.toml").write_text(CONFIG)
    status, _, err = run(capsys, "train", "net.toml", "--change", "network.arguments={ classes = 2 }")
    assert status == 1
    assert "error[E1102]" in err
    assert "error[E1107]" in err
    assert not (project / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train", "a configuration is missing"),
        ("train net.toml --change steps=3", "SECTION.KEY=VALUE"),
        ("train net.toml --change run..steps=3", "SECTION.KEY=VALUE"),
        ("train net.toml --change data.augment=5 --change data.augment.flip=true", "a value, and then a part of it"),
        ("train net.toml --change run.steps=2 --change run.steps=3", "run.steps is given twice"),
        (
            "train net.toml --change data.preprocessing.height=64 --change data.preprocessing={width=64}",
            "data.preprocessing is given a value after a part of it",
        ),
        ("train net.toml --change data.augment={flip=true} --change data.augment.flip=true", "and then a part of it"),
        ("train net.toml --change run.output=a --folder b", "--change and --folder both give run.output"),
        ("train net.toml --change weights.freeze=['s'] --freeze s", "--change and --freeze both give weights.freeze"),
        ("train net.toml --change run.steps=2#x", "something stands behind it; got 'run.steps=2#x'"),
        ("train net.toml --change run.steps=2\\nbatch=3", "something stands behind it"),
        ("train net.toml --resume --check", "--check says nothing beside it"),
        ("train net.toml --resume --weights a.pt", "--weights says nothing beside it"),
        ("train net.toml --key ema", "--key chooses tensors of --weights"),
        ("train --presets net.toml", "`net.toml` counts for nothing"),
        ("train --settings --threads 2", "--threads counts for nothing"),
        ("train --settings --presets", "--settings counts for nothing"),
    ],
)
def test_wrong_use(project: Path, capsys: pytest.CaptureFixture[str], words: str, said: str) -> None:
    status, _, err = run(capsys, *(word.replace("\\n", "\n") for word in words.split()))
    assert (status, said in err) == (2, True), err


def test_lists_of_settings_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "train", "--presets")[1]
    assert 'preset = "paper-B"' in out
    assert "milestones = [320, 340]" in out
    assert "DropBlock" in out
    out = run(capsys, "train", "--settings")[1]
    assert out.startswith("preset: ")
    assert "[data]" in out
    assert "  warm_up: " in out
    preprocessing = out.partition("[data.preprocessing]\n")[2].partition("\n\n")[0]
    assert [line.split(":")[0].strip() for line in preprocessing.splitlines()] == list(names(Preprocessing))
    augment = out.partition("[data.augment]\n")[2].partition("\n\n")[0]
    assert [line.split(":")[0].strip() for line in augment.splitlines()] == list(AUGMENTS)
    assert "flip: left and right change places (true, or { chance = 0.5 })" in augment
    assert json.loads(run(capsys, "train", "--settings", "--json")[1])["run"]["batch"]


# ---- detectors ----


def test_a_detector_is_trained_and_evaluated_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """COCO's JSON by [data], with the preset for small detectors; figures, sheets and what was found."""
    monkeypatch.chdir(tmp_path)
    shapes.as_coco(tmp_path, shapes.Shapes(12), "train.json")
    shapes.as_coco(tmp_path, shapes.Shapes(6, seed=1), "val.json")
    (tmp_path / "net.spine").write_text(shapes.NETWORKS["points"])
    (tmp_path / "finder.toml").write_text(
        'preset = "small-detector"\n[network]\nfile = "net.spine"\n[data]\ntrain = "train.json"\n'
        'validation = "val.json"\n[run]\nepochs = 2\nbatch = 4\nvalidate_every = 1\n'
    )
    status, out, err = run(capsys, "train", "finder.toml", "--check")
    assert status == 0, err
    assert out == "Finder for detection: 12 images of 2 classes, 6 steps\n"
    status, out, err = run(capsys, "train", "finder.toml")
    assert status == 0, err
    assert "points at strides 8, 16, matched by fcos; focal and giou losses, and one of quality" in err
    assert "step 6: ap 0." in err
    assert len(list((tmp_path / "run/pictures").iterdir())) == 2
    assert run(capsys, "eval", "run")[0] == 0
    found = checkpoint.read(tmp_path / "run/last.safetensors").value
    assert found is not None
    assert found.about["task"]["kind"] == "detection"
    assert found.about["data"]["digest"]
    status, _, err = run(capsys, "train", "finder.toml", "--check", "--change", "network.arguments={ classes = 3 }")
    assert status == 1
    assert "the network has 3 outputs" in err
    assert "`arguments = { classes = 2 }` in [network]" in err
