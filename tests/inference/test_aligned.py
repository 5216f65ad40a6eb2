"""Faces aligned by five points: in training, and in every use of what was trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spinedsl import Mistakes, train
from spinedsl.cli import main
from spinedsl.data.align import aligned
from spinedsl.data.pictures import read_pixels
from spinedsl.inference import evaluate, make_gallery, open_engine, predict
from spinedsl.inference.using import engine_of
from spinedsl.training.build import open_trained
from tests.inference.conftest import Trained
from tests.inference.making import NAMES, listed, of_faces, persons, points_of


def beside(path: Path, files: list[Path], *, absolute: bool = False) -> dict[str, tuple[float, ...]]:
    """A list of points for each file; what it says of each."""
    points = {str(file): points_of(number) for number, file in enumerate(files)}
    named = {name if absolute else str(Path(name).relative_to(path.parent)): own for name, own in points.items()}
    listed(path, named)
    return points


@pytest.fixture(scope="module")
def upright(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """An embedder that was trained on aligned faces, for a step."""
    folder = tmp_path_factory.mktemp("aligned")
    for name in ("train", "val"):
        persons(folder / name, NAMES[:3], count=3)
    beside(folder / "points.csv", sorted(folder.rglob("*.png")))
    data = {"train": str(folder / "train"), "validation": str(folder / "val"), "kind": "persons"}
    lists = {"landmarks": str(folder / "points.csv")}
    train(of_faces(folder, data={**data, **lists}, run={"steps": 1, "batch": 4}))
    return Trained(folder)


def test_a_checkpoint_remembers_that_faces_were_aligned(upright: Trained, faces: Trained) -> None:
    found = open_trained(upright.model).value
    assert found is not None
    assert found.about["aligned"] is True
    assert [engine_of(one.run, "cpu").aligned for one in (upright, faces)] == [True, False]


@pytest.mark.parametrize("absolute", [False, True])
def test_each_use_sees_the_aligned_face(
    upright: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    persons(Path("people"), NAMES[:2], count=3)
    files = sorted(Path("people").rglob("*.png"))
    points = beside(tmp_path / "points.csv", [tmp_path / file for file in files], absolute=absolute)
    engine = engine_of(upright.run, "cpu")
    wanted = engine.run([aligned(read_pixels(file), points[str(tmp_path / file)]) for file in files])
    seen = predict(engine, "people", landmarks="points.csv")
    assert [row.path for row in seen.rows] == [str(file) for file in files]
    assert seen.similarities is not None
    np.testing.assert_allclose(seen.similarities, wanted.astype(float) @ wanted.T.astype(float), atol=1e-5)
    gallery = make_gallery(engine, "people", landmarks="points.csv")
    means = np.stack([wanted[:3].mean(0), wanted[3:].mean(0)])
    np.testing.assert_allclose(gallery.vectors, means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-5)
    figures = evaluate(engine, "people", landmarks="points.csv", gallery=gallery)
    own = predict(engine, "people", gallery=gallery, landmarks="points.csv")
    right = np.mean([row.guesses[0].name in row.path for row in own.rows])
    assert figures.figures["gallery_rank_1"].value == pytest.approx(right)
    assert not [one for found in (seen, gallery, figures) for one in found.reported if one.code.id == "W1112"]


def test_the_lists_of_a_configuration_count_in_its_evaluation(upright: Trained) -> None:
    found = evaluate(upright.run)
    assert not found.reported
    again = evaluate(upright.run, upright.val, landmarks=upright.folder / "points.csv")
    assert again.figures == found.figures


def test_faces_that_are_not_aligned_are_worth_a_word(upright: Trained, tmp_path: Path) -> None:
    persons(tmp_path, NAMES[:4], count=2)
    for reported in (
        predict(upright.run, tmp_path).reported,
        make_gallery(upright.run, tmp_path).reported,
        evaluate(upright.run, tmp_path, folds=2).reported,
    ):
        assert [one.code.id for one in reported] == ["W1112"]
        assert "--landmarks" in str(reported)
    pixels = np.zeros((112, 112, 3), np.uint8)
    assert not predict(upright.run, [pixels, pixels]).reported, "whoever gives pixels may have aligned them"


def test_an_exported_model_knows_it_too(upright: Trained, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    persons(tmp_path / "people", NAMES[:2], count=2)
    assert main(["export", str(upright.run), "-o", str(tmp_path / "m.onnx"), "-q"]) == 0
    opened = open_engine(tmp_path / "m.onnx").value
    assert opened is not None
    assert opened.aligned
    assert "left\neye" in (tmp_path / "m.md").read_text(encoding="utf-8")
    assert [one.code.id for one in predict(opened, tmp_path / "people").reported] == ["W1112"]


def test_pictures_that_the_list_lacks_are_named_and_the_others_go_on(upright: Trained, tmp_path: Path) -> None:
    persons(tmp_path / "people", NAMES[:2], count=2)
    files = sorted(tmp_path.rglob("*.png"))
    beside(tmp_path / "points.csv", files[1:])
    found = predict(upright.run, tmp_path / "people", landmarks=tmp_path / "points.csv")
    assert len(found.rows) == 3
    assert [one.code.id for one in found.reported] == ["E1113"]
    assert files[0].name in found.reported[0].message
    with pytest.raises(Mistakes) as raised:
        make_gallery(upright.run, tmp_path / "people", landmarks=tmp_path / "points.csv")
    assert [one.code.id for one in raised.value.diagnostics] == ["E1113"]
    gone = predict(upright.run, files[1], landmarks=tmp_path / "none.csv")
    assert [one.code.id for one in gone.reported] == ["E0801"]


def test_a_data_set_has_its_own_lists(upright: Trained) -> None:
    from tests.training.running import Squares

    with pytest.raises(TypeError, match="landmarks are of images that have paths"):
        evaluate(upright.run, Squares(), landmarks="points.csv")


def test_the_command_line(upright: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    persons(tmp_path / "people", NAMES[:2], count=2)
    beside(tmp_path / "points.csv", sorted(tmp_path.rglob("*.png")))
    run, people, points = str(upright.run), str(tmp_path / "people"), str(tmp_path / "points.csv")
    known = str(tmp_path / "known.safetensors")
    assert main(["gallery", run, people, "--landmarks", points, "-o", known]) == 0
    assert main(["predict", run, people, "--landmarks", points, "--gallery", known, "--format", "json"]) == 0
    out = capsys.readouterr()
    assert "W1112" not in out.err
    assert {one["person"] for one in json.loads(out.out[out.out.index("{") :])["predictions"]} <= set(NAMES)
    assert main(["eval", run, "--data", people, "--landmarks", points, "--gallery", known]) == 0
    assert main(["predict", run, people, "--gallery", known]) == 0
    assert "W1112" in capsys.readouterr().err
