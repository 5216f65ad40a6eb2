"""The checkpoint by PyTorch, and the model exported from it by ONNX Runtime: one network for every use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinedsl.cli import main
from spinedsl.inference import evaluate, make_gallery, open_engine, predict
from tests.inference.conftest import Trained


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, colours: Trained, faces: Trained) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    found = {}
    for name, trained in (("colours", colours), ("faces", faces)):
        found[name] = folder / f"{name}.onnx"
        assert main(["export", str(trained.run / "best.safetensors"), "-o", str(found[name]), "-q"]) == 0
    return found


def test_predictions_are_the_same(exported: dict[str, Path], colours: Trained) -> None:
    ours, theirs = predict(colours.run, colours.val), predict(exported["colours"], colours.val)
    assert (ours.engine.runtime, theirs.engine.runtime) == ("PyTorch on cpu", "ONNX Runtime on cpu")
    assert ours.engine.digest == theirs.engine.digest
    for one, other in zip(ours.rows, theirs.rows, strict=True):
        assert [guess.name for guess in one.guesses] == [guess.name for guess in other.guesses]
        assert [guess.value for guess in one.guesses] == pytest.approx(
            [guess.value for guess in other.guesses], abs=1e-5
        )


def test_figures_are_the_same(exported: dict[str, Path], colours: Trained, faces: Trained) -> None:
    for name, trained in (("colours", colours), ("faces", faces)):
        ours, theirs = evaluate(trained.run), evaluate(exported[name], trained.val)
        assert list(ours.figures) == list(theirs.figures)
        for figure, one in ours.figures.items():
            assert one.value == pytest.approx(theirs.figures[figure].value, abs=0.02), (
                figure
            )  # of near scores, some turn


def test_a_gallery_of_the_one_is_for_the_other(exported: dict[str, Path], faces: Trained, tmp_path: Path) -> None:
    ours, theirs = make_gallery(faces.run, faces.val), make_gallery(exported["faces"], faces.val)
    np.testing.assert_allclose(ours.vectors, theirs.vectors, atol=1e-5)
    ours.save(tmp_path / "g.safetensors")
    named = predict(exported["faces"], faces.folder / "train", gallery=tmp_path / "g.safetensors", threshold=0.2)
    again = predict(faces.run, faces.folder / "train", gallery=theirs, threshold=0.2)
    assert [row.person for row in named.rows] == [row.person for row in again.rows]


def test_an_exported_model_remembers_no_images(exported: dict[str, Path]) -> None:
    outcome = open_engine(exported["colours"])
    assert outcome.value is not None
    with pytest.raises(Exception, match="E1024"):
        evaluate(outcome.value)
    assert [one.code.id for one in open_engine(exported["colours"], "cuda").diagnostics] == ["E1013"]
