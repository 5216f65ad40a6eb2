"""Predictions of detectors: boxes in pixels of the pictures, drawn, as JSON, CSV and COCO's results."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spinedsl import inference
from spinedsl.cli import main
from spinedsl.inference.drawn import COLOURS, LABEL, Mark, drawn_boxes, label_places
from spinedsl.training.loop import train
from tests.training import finding as shapes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that was trained for a moment, and frames of twice the size, wide ones, which are letterboxed."""
    folder = tmp_path_factory.mktemp("finder")
    run_of = shapes.settings(folder, run={"steps": 30, "output": str(folder / "found")})
    (folder / "finder.safetensors").write_bytes(Path(train(run_of, data=shapes.Shapes(4)).last).read_bytes())
    (folder / "frames").mkdir()
    for number in (2, 10, 1):
        pixels, _ = shapes.Shapes(3).read(number % 3)
        Image.fromarray(pixels).resize((192, 128)).save(folder / f"frames/frame{number}.png")
    return folder


def test_boxes_are_those_of_the_pictures_and_frames_stay_in_order(made: Path) -> None:
    found = inference.predict(made / "finder.safetensors", made / "frames", score=0.01)
    assert [Path(row.path).name for row in found.rows] == ["frame1.png", "frame2.png", "frame10.png"]
    assert all(row.guesses for row in found.rows)
    sides = np.array([one.box for row in found.rows for one in row.guesses])
    assert sides[:, 0::2].max() > 100  # beyond the network's 64 pixels
    assert (sides >= 0).all()
    assert sides[:, 0::2].max() <= 192
    assert sides[:, 1::2].max() <= 128
    values = [one.value for one in found.rows[0].guesses]
    assert values == sorted(values, reverse=True)
    assert {one.name for row in found.rows for one in row.guesses} <= {*shapes.CLASSES}
    few = inference.predict(made / "finder.safetensors", made / "frames", score=0.01, top=2)
    assert [row.guesses for row in few.rows] == [row.guesses[:2] for row in found.rows]
    assert len(few.results) == len(found.results) == sum(len(row.guesses) for row in found.rows)


def test_results_have_what_a_score_does_not_show(made: Path) -> None:
    model, frames = made / "finder.safetensors", made / "frames"
    usual = inference.predict(model, frames)
    few = inference.predict(model, frames, score=0.99)
    assert few.results == usual.results
    assert min(one["score"] for one in few.results) < 0.99
    assert not any(row.guesses for row in few.rows)


def test_the_command_writes_all_of_it(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "frames").mkdir()
    for path in (made / "frames").iterdir():
        (tmp_path / "frames" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "frames/frame3.png").write_bytes((made / "frames/frame1.png").read_bytes()[:300])
    line = ["predict", str(made / "finder.safetensors"), str(tmp_path / "frames"), "--score", "0.01", "--top", "3"]
    line += ["-o", str(tmp_path / "out"), "--coco-results", str(tmp_path / "found.json"), "--format", "csv"]
    assert main(line) == 1  # a damaged picture is reported, the others go on
    said = capsys.readouterr()
    assert "frame3.png" in said.err
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == 9
    assert float(rows[0]["right"]) > float(rows[0]["left"])
    held = json.loads((tmp_path / "out/predictions.json").read_text())
    assert [Path(one["image"]).name for one in held["predictions"]] == ["frame1.png", "frame2.png", "frame10.png"]
    assert len(held["predictions"][0]["boxes"][0]["box"]) == 4
    results = json.loads((tmp_path / "found.json").read_text())
    assert {(one["image_id"], Path(one["file_name"]).name) for one in results} == {
        (1, "frame1.png"), (2, "frame2.png"), (4, "frame10.png"),
    }  # fmt: skip
    assert {"category_id", "bbox", "score"} <= {*results[0]}
    with Image.open(tmp_path / "out/frame10.png") as image:
        assert image.size == (576, 384)


def test_what_is_for_detectors_is_refused_for_others(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["predict", str(made / "finder.safetensors"), str(made / "frames")]
    assert main([*line, "--threshold", "0.3"]) == 1
    assert "E1028" in capsys.readouterr().err
    assert (
        main(["gallery", str(made / "finder.safetensors"), str(made / "frames"), "-o", str(made / "g.safetensors")])
        == 1
    )
    assert "E1028" in capsys.readouterr().err


@pytest.mark.parametrize("shade", [0, 255])
def test_boxes_are_seen_on_light_and_dark_pictures(shade: int) -> None:
    pixels = np.full((60, 80, 3), shade, np.uint8)
    image = Image.open(io.BytesIO(drawn_boxes(pixels, [Mark((10, 20, 60, 50), "oblong 0.93", 1)])))
    assert image.size == (640, 480)  # small ones are enlarged in whole steps
    shown = np.asarray(image).reshape(-1, 3)
    for colour in (COLOURS[1], (255, 255, 255)):
        assert (shown == colour).all(1).sum() > 100
    assert drawn_boxes(np.zeros((3, 2000, 1), np.uint8), [Mark((5.0, 2, 5, 2), "x" * 500, 9)])


@pytest.mark.parametrize("size", [(64, 64), (640, 480)])
def test_words_of_boxes_cover_no_others_and_lie_in_the_picture(size: tuple[int, int]) -> None:
    draw = np.random.default_rng(0)
    corners = draw.uniform(0, 1, (40, 2, 2)) * size
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1).tolist()
    widths = draw.integers(30, 60, 40).tolist()
    places = label_places(boxes, widths, size)
    shown = [(place, width) for place, width in zip(places, widths, strict=True) if place is not None]
    assert places[0] is not None
    assert len(shown) >= (30 if size[0] > 64 else 2)
    for number, ((left, top), width) in enumerate(shown):
        assert 0 <= left <= size[0] - width
        assert 0 <= top <= size[1] - LABEL
        for (x, y), wide in shown[:number]:
            assert left + width <= x or x + wide <= left or top + LABEL <= y or y + LABEL <= top


def test_words_stand_above_their_box_where_there_is_room() -> None:
    box = (100.0, 100.0, 150.0, 120.0)
    above, inside, below = label_places([box] * 3, [40] * 3, (400, 400))
    assert above == (100, 100 - LABEL)
    assert inside is not None
    assert below is not None
    assert inside == (100, 100)
    assert below == (100, 120)
    assert label_places([(0.0, 0, 9, 9)], [40], (400, 400)) == [(0, 0)], "at the edge: in the picture"


def test_small_pictures_are_made_larger_so_that_words_have_room() -> None:
    marks = [Mark((4.0 + 20 * n, 30.0, 18.0 + 20 * n, 44.0), "oblong 0.93", n) for n in range(3)]
    image = Image.open(io.BytesIO(drawn_boxes(np.zeros((64, 64, 3), np.uint8), marks)))
    assert image.size == (640, 640)
    counts = {colour: count for count, colour in image.convert("RGB").getcolors(1 << 20) or []}
    assert all(counts[COLOURS[n]] > 1_000 for n in range(3)), "each has the ground of its words"
