"""Pictures with boxes: the same objects in three forms, edges, pictures as they are read, and laws of what is kept."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spinedsl.data.boxes import KINDS, BoxSet, kind_of, open_boxes
from spinedsl.data.boxes.check import counts, tiny
from spinedsl.data.boxes.classes import names_of
from spinedsl.data.boxes.kept import OVER, Box, kept
from spinedsl.data.boxes.named import size_of
from spinedsl.data.boxes.placed import area, moving
from spinedsl.data.boxes.voc import parse_xml
from spinedsl.data.dataset import nowhere
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.diagnostics import Diagnostic
from tests.data.making import image, noise

CLASSES = ("cat", "dog")
WIDTH, HEIGHT = 40, 20
OBJECTS = {  # left, top, right, bottom, class
    "a.png": [(2, 3, 12, 13, 1), (20, 0, 40, 20, 0)],
    "b.png": [],
    "c.png": [(0, 5, 8, 10, 0)],
}


def pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, name in enumerate(OBJECTS):
        image(noise(HEIGHT, WIDTH, seed=number)).save(folder / name)


def coco(root: Path) -> Path:
    pictures(root / "images")
    data: dict[str, list[dict[str, object]]] = {"images": [], "categories": [], "annotations": []}
    data["categories"] = [{"id": 17, "name": "cat"}, {"id": 90, "name": "dog"}]
    for number, (name, objects) in enumerate(OBJECTS.items()):
        data["images"].append({"id": 7 * number, "file_name": name, "height": HEIGHT, "width": WIDTH})
        for left, top, right, bottom, label in objects:
            box = [left, top, right - left, bottom - top]
            data["annotations"].append({"image_id": 7 * number, "category_id": (17, 90)[label], "bbox": box})
    (root / "boxes.json").write_text(json.dumps(data))
    return root / "boxes.json"


def voc(root: Path) -> Path:
    pictures(root / "JPEGImages")
    (root / "Annotations").mkdir()
    for name, objects in OBJECTS.items():
        rows = "".join(
            f"<object><name>{CLASSES[label]}</name><bndbox><xmin>{left + 1}</xmin><ymin>{top + 1}</ymin>"
            f"<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>\n"
            for left, top, right, bottom, label in objects
        )
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
        text = f"<annotation>\n<filename>{name}</filename>{size}\n{rows}</annotation>"
        (root / "Annotations" / name).with_suffix(".xml").write_text(text)
    return root


def yolo(root: Path) -> Path:
    pictures(root / "images")
    (root / "labels").mkdir()
    (root / "classes.txt").write_text("cat\ndog\n")
    for name, objects in OBJECTS.items():
        rows = [
            f"{label} {(left + right) / 2 / WIDTH} {(top + bottom) / 2 / HEIGHT} "
            f"{(right - left) / WIDTH} {(bottom - top) / HEIGHT}"
            for left, top, right, bottom, label in objects
        ]
        if rows:
            (root / "labels" / name).with_suffix(".txt").write_text("\n".join(rows))
    return root


MADE = {"coco": coco, "voc": voc, "yolo": yolo}


def opened(kind: str, root: Path) -> BoxSet:
    path = MADE[kind](root)
    assert kind_of(path) == kind
    found = open_boxes(path)
    assert [one.code.id for one in found.diagnostics] == ["W1107"]  # of b.png, which has no boxes
    assert found.value is not None
    return found.value


@pytest.mark.parametrize("kind", KINDS)
def test_each_form_says_the_same_objects(kind: str, tmp_path: Path) -> None:
    found = opened(kind, tmp_path / "set")
    assert (found.kind, found.classes, found.is_whole, len(found)) == (kind, CLASSES, True, 3)
    assert {Path(one.path).name for one in found.pictures} == OBJECTS.keys()
    for picture in found.pictures:
        assert (picture.height, picture.width) == (HEIGHT, WIDTH)
        expected = OBJECTS[Path(picture.path).name]
        assert np.allclose(
            picture.sides, np.array([row[:4] for row in expected], dtype=float).reshape(-1, 4), atol=1e-4
        )
        assert picture.labels.tolist() == [row[4] for row in expected]
    at = next(number for number, one in enumerate(found.pictures) if one.path.endswith("c.png"))
    pixels, picture = found.read(at)
    assert np.array_equal(pixels, noise(HEIGHT, WIDTH, seed=2))
    assert picture.boxes[0].area == pytest.approx(40)
    assert not any(box.crowd for box in picture.boxes)
    again = pickle.loads(pickle.dumps(found))
    assert again.pictures == found.pictures


@pytest.mark.parametrize("kind", KINDS)
def test_classes_may_be_given_in_another_order(kind: str, tmp_path: Path) -> None:
    path = MADE[kind](tmp_path / "set")
    found = open_boxes(path, kind, classes=("dog", "cat")).value
    assert found is not None
    labels = {Path(one.path).name: one.labels.tolist() for one in found.pictures}
    # YOLO's files have numbers alone: the names that are given are theirs.
    assert labels["a.png"] == ([1, 0] if kind == "yolo" else [0, 1])


def test_crowds_and_areas_are_kept(tmp_path: Path) -> None:
    path = coco(tmp_path / "set")
    data = json.loads(path.read_text())
    data["annotations"][0] |= {"iscrowd": 1, "area": 55.5}
    path.write_text(json.dumps(data))
    found = open_boxes(path)
    assert found.value is not None
    assert [one.code.id for one in found.diagnostics] == ["W1107", "W1108"]
    box = found.value.pictures[0].boxes[0]
    assert (box.crowd, box.area) == (True, 55.5)


@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_picture_on_its_side_has_the_size_that_is_shown(ending: str, orientation: int, tmp_path: Path) -> None:
    root = yolo(tmp_path / "set")
    exif = Image.Exif()
    exif[0x0112] = orientation
    (root / "images" / "a.png").unlink()
    image(noise(HEIGHT, WIDTH)).save(root / "images" / f"a.{ending}", exif=exif)
    found = open_boxes(root).value
    assert found is not None
    shown = (WIDTH, HEIGHT) if orientation >= 5 else (HEIGHT, WIDTH)
    assert (found.pictures[0].height, found.pictures[0].width) == shown
    assert found.read(0)[0].shape[:2] == shown


@pytest.mark.filterwarnings("error")
def test_nothing_is_printed_of_a_picture_of_many_pixels(tmp_path: Path) -> None:
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    assert size_of(tmp_path / "large.png") == (10_000, 10_000)


NAMES = {
    "names: [cat, 'dog']\n": ("cat", "dog"),
    "nc: 2\nnames:\n  - cat\n  - dog\ntrain: images\n": ("cat", "dog"),
    'names:\n  0: cat\n  1: "dog"\n': ("cat", "dog"),
    "train: images\n": (),
}


@pytest.mark.parametrize("text", NAMES)
def test_names_of_a_data_yaml(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(text)
    assert names_of(tmp_path).value == NAMES[text]


def test_no_entity_of_an_xml_grows() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    with pytest.raises(ValueError, match="it defines entities"):
        parse_xml(bomb)


def test_there_is_no_other_kind() -> None:
    with pytest.raises(ValueError, match="coco, voc, yolo, or auto; got 'kitti'"):
        open_boxes("x", "kitti")


SIDE = st.integers(-80, 160).map(lambda number: number / 4)


@given(SIDE, SIDE, SIDE, SIDE)
def test_what_is_kept_lies_in_its_picture(left: float, top: float, right: float, bottom: float) -> None:
    made = kept((left, top, right, bottom), (HEIGHT, WIDTH), 0, "the box", nowhere("x"))
    inside = left >= -OVER and top >= -OVER and right <= WIDTH + OVER and bottom <= HEIGHT + OVER
    across = left == right or min(right, WIDTH) > max(left, 0)
    down = top == bottom or min(bottom, HEIGHT) > max(top, 0)
    assert isinstance(made, Box) == (inside and left <= right and top <= bottom and across and down)
    if isinstance(made, Diagnostic):
        assert made.code.id == "E1116"
        assert made.fixes
    else:
        assert 0 <= made.sides[0] <= made.sides[2] <= WIDTH
        assert 0 <= made.sides[1] <= made.sides[3] <= HEIGHT
        assert made.is_flat == (left == right or top == bottom) == (made.area == 0)


@pytest.fixture
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTS, "c.png", [*OBJECTS["c.png"], (30, 5, 30, 15, 1)])


@pytest.mark.usefixtures("flat")
@pytest.mark.parametrize("kind", KINDS)
def test_boxes_without_area_are_counted_and_no_mistake(kind: str, tmp_path: Path) -> None:
    """As in COCO's own training set; figures count their objects, as pycocotools does, and training does not."""
    found = open_boxes(MADE[kind](tmp_path / "set"))
    warning = found.diagnostics[-1]
    assert [one.code.id for one in found.diagnostics] == ["W1107", "W1113"]
    assert "1 box of" in warning.message
    assert "c.png" in warning.notes[0]
    assert found.value is not None
    assert found.value.is_whole
    picture = next(one for one in found.value.pictures if one.path.endswith("c.png"))
    assert [box.is_flat for box in picture.boxes] == [False, True]
    assert sum(one.objects for one in counts(found.value)) == 3
    assert not list(tiny(found.value, Preprocessing(64, 64)))
    pre = Preprocessing(64, 64, resize="letterbox")
    objects = moving(picture, pre.placement(HEIGHT, WIDTH)).placed(pre.placement(HEIGHT, WIDTH))
    assert np.allclose(objects.original, picture.sides)
    assert (area(objects.sides.astype(np.float64)) > 0).tolist() == [True, False]
