"""Predictions and galleries: what comes out beside what the network gives, in each form; and what `-o` writes."""

from __future__ import annotations

import csv
import json
import shutil
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spinedsl.data.pictures import read_pixels
from spinedsl.inference import Gallery, Threshold, evaluate, make_gallery, open_gallery, predict
from spinedsl.inference.finding import find_images
from spinedsl.inference.gallery import mean_of
from spinedsl.inference.using import engine_of
from spinedsl.record import replace
from tests.cli.running import run
from tests.inference.conftest import Trained
from tests.inference.making import NAMES, face, used
from tests.training.running import Squares

# ---- which images ----


def test_names_folders_and_patterns_are_found_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.JPG", "b/c/3.png", "b/.hidden.png", "b/notes.txt", "a [1].png", "plain"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        face(1, 1).save(tmp_path / name, "PNG")
    given = [tmp_path / "a [1].png", tmp_path / "b", str(tmp_path / "**/*.png"), tmp_path / "plain", tmp_path / "plain"]
    found, reported = find_images(given)
    names = [Path(one.path).relative_to(tmp_path).as_posix() for one in found.images]
    assert names == ["a [1].png", "b/1.JPG", "b/2.png", "b/c/3.png", "plain"]
    assert not reported
    _, reported = find_images([tmp_path / "plan", tmp_path / "*.gif", tmp_path / "b/c/3.png/x"])
    assert [one.code.id for one in reported] == ["E1101", "E1022", "E1101"]
    assert "plain" in reported[0].fixes[0].text
    (tmp_path / "photo.jpg").mkdir()
    assert [one.code.id for one in find_images(tmp_path / "photo.jpg")[1]] == ["E1022"]


# ---- classes ----


def test_classes_are_those_of_the_network(colours: Trained) -> None:
    engine = engine_of(colours.run, "cpu")
    pixels = [Squares(6, seed=9).read(n)[0] for n in range(6)]
    found = predict(engine, pixels, top=2)
    for row, shares in zip(found.rows, engine.run(pixels), strict=True):
        order = np.argsort(-shares)[:2]
        assert [one.name for one in row.guesses] == [engine.classes[n] for n in order]
        assert [one.value for one in row.guesses] == pytest.approx(shares[order].tolist())
    assert len(repr(found)) < 121
    assert found.to_csv().splitlines()[0] == "image,rank,class,share"
    assert len(found.to_csv().splitlines()) == 13


def test_what_cannot_be_read_is_reported_and_the_others_go_on(colours: Trained, tmp_path: Path) -> None:
    shutil.copytree(colours.val, tmp_path / "in")
    whole = sorted(path for path in (tmp_path / "in").rglob("*.png"))
    for number in (1, 5):
        whole[number].write_bytes(whole[number].read_bytes()[:60])
    found = predict(colours.run, tmp_path / "in")
    assert [one.code.id for one in found.reported] == ["E1102", "E1102"]
    kept = [path for number, path in enumerate(whole) if number not in (1, 5)]
    assert {row.path for row in found.rows} == {str(path) for path in kept}
    engine = engine_of(colours.run, "cpu")
    for row in found.rows:
        assert row.guesses[0].value == pytest.approx(float(engine.run([read_pixels(row.path)])[0].max()), abs=1e-6)
    assert len(found.to_json()["unread"]) == 2


# ---- similarities ----


def test_similarities_are_cosines_of_the_vectors(faces: Trained) -> None:
    engine = engine_of(faces.run, "cpu")
    pixels = [np.asarray(face(person, number)) for person in range(3) for number in (50, 51)]
    found = predict(engine, pixels, threshold=0.5)
    vectors = torch.from_numpy(engine.run(pixels)).double()
    expected = torch.nn.functional.cosine_similarity(vectors[:, None], vectors[None], dim=2)
    assert found.similarities is not None
    np.testing.assert_allclose(found.similarities, expected.numpy(), atol=1e-6)
    held = found.to_json()
    for n, row in enumerate(held["predictions"]):
        others = [one["name"] for one in row["similarities"]]
        assert f"<image {n}>" not in others
        assert [one["similarity"] for one in row["similarities"]] == sorted(
            (one["similarity"] for one in row["similarities"]), reverse=True
        )
        assert all(one["same"] == (one["similarity"] >= 0.5) for one in row["similarities"])
    rows = list(csv.DictReader(StringIO(found.to_csv())))
    assert {row["same"] for row in rows} <= {"yes", "no"}
    assert [row["same"] for row in csv.DictReader(StringIO(predict(engine, pixels[:2]).to_csv()))] == ["", ""]
    alone = predict(engine, pixels[0])
    assert alone.rows[0].guesses == ()


# ---- a gallery ----


def test_a_gallery_has_the_mean_of_unit_vectors(faces: Trained, tmp_path: Path) -> None:
    gallery = make_gallery(faces.run, faces.val)
    engine = engine_of(faces.run, "cpu")
    assert gallery.names == tuple(sorted(NAMES))
    for name, count, vector in zip(gallery.names, gallery.counts, gallery.vectors, strict=True):
        files = sorted((faces.val / name).iterdir())
        mean = torch.from_numpy(engine.run([read_pixels(path) for path in files])).double().mean(0)
        np.testing.assert_allclose(vector, (mean / mean.norm()).numpy(), atol=1e-6)
        assert count == len(files) == 4
    gallery.save(tmp_path / "g ü.safetensors")
    again = open_gallery(tmp_path / "g ü.safetensors").value
    assert again is not None
    assert (again.names, again.counts, again.digest, again.pictures) == (
        gallery.names, gallery.counts, gallery.digest, gallery.pictures,
    )  # fmt: skip
    np.testing.assert_array_equal(again.vectors, gallery.vectors)
    assert "8 persons" in repr(again)
    assert mean_of(np.array([[1.0, 0], [-1, 0]], np.float32)).tolist() == [1, 0]


@pytest.mark.parametrize("threshold", [None, -1.0, 0.7, 1.0])
def test_who_is_nearest_is_named_from_the_threshold_on(threshold: float | None, faces: Trained) -> None:
    gallery = make_gallery(faces.run, faces.folder / "train")
    engine = engine_of(faces.run, "cpu")
    found = predict(engine, [faces.val, faces.folder / "strangers"], gallery=gallery, threshold=threshold)
    for row in found.rows:
        cosines = gallery.vectors.astype(np.float64) @ engine.run([read_pixels(row.path)])[0].astype(np.float64)
        best = int(cosines.argmax())
        assert row.guesses[0].name == gallery.names[best]
        assert row.guesses[0].value == pytest.approx(float(cosines[best]), abs=1e-5)
        known = threshold is None or row.guesses[0].value >= threshold
        assert row.person == (gallery.names[best] if known else None)
    if threshold == 0.7:
        named = [row for row in found.rows if row.person is not None]
        assert 0 < len(named) <= len(found.rows)


def test_which_threshold_counts(faces: Trained, tmp_path: Path) -> None:
    """One that is given, else that of an evaluation, else the gallery's."""
    held = evaluate(faces.run, faces.val).to_json()
    (tmp_path / "eval.json").write_text(json.dumps(held), encoding="utf-8")
    gallery = make_gallery(faces.run, faces.folder / "train", evaluation=tmp_path / "eval.json")
    gallery.save(tmp_path / "g.safetensors")
    chosen = held["threshold"]["value"]
    read = open_gallery(tmp_path / "g.safetensors").value
    assert read is not None
    assert read.threshold == Threshold(chosen, held["threshold"]["how"])
    of_gallery = predict(faces.run, faces.val, gallery=tmp_path / "g.safetensors")
    assert of_gallery.threshold == read.threshold
    assert of_gallery.source.endswith("g.safetensors")
    given = predict(faces.run, faces.val, gallery=read, threshold=0.25)
    assert (given.threshold, given.source) == (Threshold(0.25, "given"), "--threshold")
    without = replace(read, threshold=None)
    by_file = predict(faces.run, faces.val, gallery=without, evaluation=tmp_path / "eval.json")
    assert by_file.source.endswith("eval.json")
    nobody = predict(faces.run, faces.val, gallery=replace(read, threshold=Threshold(None, "")))
    assert {row.person for row in nobody.rows} == {None}


def test_records_in_a_notebook(colours: Trained, faces: Trained) -> None:
    found = predict(colours.run, colours.val)
    assert found._repr_html_().count("<tr>") == 13
    gallery = make_gallery(faces.run, faces.val)
    assert isinstance(gallery, Gallery)
    named = predict(faces.run, faces.val, gallery=gallery, threshold=1.0)
    assert "unknown" in named._repr_html_()
    assert "<b>" not in replace(found, rows=(replace(found.rows[0], path="<b>"),))._repr_html_()


# ---- the command ----


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    used(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_predict_writes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "two").mkdir()
    for folder in ("two", "."):
        face(2, 1).save(here / folder / "Größe 1.png")
    (here / "two/broken.jpg").write_bytes(b"\xff\xd8\xff")
    status, out, err = run(capsys, "predict", "sizes.safetensors", "two", "Größe 1.png", "-o", "made/of it")
    assert status == 1
    assert "E1102" in err
    assert len(out.splitlines()) == 2
    made = here / "made/of it"
    names = {"Größe 1.png", "Größe 1-2.png", "predictions.json", "predictions.csv"}
    assert {path.name for path in made.iterdir()} == names
    held = json.loads((made / "predictions.json").read_text())
    assert [one["image"] for one in held["predictions"]] == ["two/Größe 1.png", "Größe 1.png"]
    assert len(held["unread"]) == 1
    with Image.open(made / "Größe 1.png") as picture:
        assert picture.text["Software"] == "spinedsl"  # type: ignore[attr-defined]
        assert picture.width >= 240
    assert run(capsys, "predict", "sizes.safetensors", "Größe 1.png", "-o", "made/of it", "-q")[0] == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("predict sizes.safetensors colours -o theirs", "spine did not write it"),
        ("predict sizes.safetensors photos -o photos", "`photos/photo.png` is read by this command"),
        ("predict sizes.safetensors colours -o pairs.txt", "is a file"),
        ("predict sizes.safetensors colours -o -", "standard output"),
        ("predict sizes.safetensors colours -o ", "is empty"),
        ("predict sizes.safetensors colours --top 0", "expected 1 or more"),
        ("predict sizes.safetensors colours --threshold 1.5", "a cosine"),
        ("predict sizes.safetensors colours --threshold nan", "a cosine"),
        ("eval sizes.safetensors --data colours --folds 1", "2 folds or more"),
        ("eval sizes.safetensors --data colours --far 0", "shares between 0 and 1"),
        ("eval sizes.safetensors --data colours --far 0.1,x", "shares between 0 and 1"),
        ("eval sizes.safetensors --data colours -o theirs", "spine did not write it"),
        ("gallery faces.safetensors known -o faces.safetensors", "is read by this command"),
        ("gallery faces.safetensors known -o known.json", "known.safetensors"),
    ],
)
def test_wrong_use(words: str, complaint: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "photos").mkdir()
    face(1, 1).save(here / "photos/photo.png")
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    status, _, err = run(capsys, *words.split(" "))
    assert status == 2
    assert complaint in err
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_an_evaluation_is_written_and_its_threshold_used(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("eval", "faces.safetensors", "--data", "people", "--gallery", "gallery.safetensors", "-o", "out", "--json")
    status, out, _ = run(capsys, *words)
    assert status == 0
    held = json.loads((here / "out/eval.json").read_text())
    assert held == json.loads(out)
    assert (here / "out/eval.svg").read_text().startswith("<svg ")
    assert (here / "out/eval.png").read_bytes().startswith(b"\x89PNG")
    kept = ("gallery", "faces.safetensors", "known", "-o", "kept.safetensors", "--evaluation", "out/eval.json")
    assert run(capsys, *kept)[0] == 0
    status, out, err = run(capsys, "predict", "faces.safetensors", "people", "--gallery", "kept.safetensors", "--json")
    assert status == 0
    assert json.loads(out)["threshold"] == {**held["threshold"], "from": "kept.safetensors"}
    assert "threshold" in err
    assert "kept.safetensors" in err
    silent = run(capsys, "predict", "faces.safetensors", "people", "--gallery", "gallery.safetensors")[2]
    assert "nobody is unknown" in silent


def test_the_picture_is_as_large_as_it_may_be() -> None:
    from spinedsl.inference.drawn import drawn

    for size in ((3000, 10, 3), (1, 1, 1), (20, 2000, 1)):
        data = drawn(np.zeros(size, np.uint8), [("x" * 300, 0.5, True), ("ß " * 9, 1e-9, False)], shares=True)
        with Image.open(BytesIO(data)) as picture:
            assert max(picture.size) <= 640
