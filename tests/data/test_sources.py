"""Data sets of each kind: their samples, classes and pairs; idx files of every type; faces by five points."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.data.align import SIDE, TEMPLATE, aligned, similarity
from spinedsl.data.check import check
from spinedsl.data.dataset import Dataset
from spinedsl.data.digest import Fingerprint, difference, fingerprint
from spinedsl.data.idx import BadIdx, labels_of, pictures_of, read_idx, write_idx
from spinedsl.data.loader import Loader, Recipe
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.section import Section, open_sets, read_section
from spinedsl.data.sources import Options, kind_of, open_dataset, sorted_classes
from spinedsl.diagnostics import Outcome
from spinedsl.record import replace
from spinedsl.source import Source
from spinedsl.toml import read_toml
from tests.data.making import data_sets, noise, put


def opened(path: Path, kind: str = "auto", options: Options | None = None) -> Dataset:
    found = open_dataset(path, kind, options)
    assert found.diagnostics == ()
    assert found.value is not None
    return found.value


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    data_sets(tmp_path)
    return tmp_path


def test_linked_folders_are_read_and_one_that_holds_itself_ends(tmp_path: Path) -> None:
    for name in ("set/cat", "set/dog", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    for number, path in enumerate(("set/cat/1.png", "set/dog/2.png", "elsewhere/3.png")):
        put(tmp_path / path, number)
    (tmp_path / "set/cat/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set/cat/again").symlink_to(tmp_path / "set/cat")
    opened = open_dataset(tmp_path / "set").value
    assert opened is not None
    assert sorted(Path(one.path).name for one in opened.samples) == ["1.png", "2.png", "3.png"]


def test_kinds_follow_from_what_is_there(sets: Path) -> None:
    kinds = {"pictures": "folder", "labels.csv": "csv", "lfw": "persons", "train-images-idx3-ubyte.gz": "idx"}
    assert {name: kind_of(sets / name) for name in kinds} == kinds
    with pytest.raises(ValueError, match="a data set is one of folder, csv, persons, idx, or auto"):
        open_dataset(sets, "zip")


def test_a_folder_for_each_class(sets: Path) -> None:
    put(sets / "pictures/dog/deep er/\u00e4 2.png", 9)
    found = opened(sets / "pictures")
    assert found.classes == ("cat", "dog")
    assert [(Path(s.path).name, s.label) for s in found.samples] == [
        ("1.png", 0), ("2.png", 0), ("1.png", 1), ("\u00e4 2.png", 1),
    ]  # fmt: skip
    assert found.labels.tolist() == [0, 0, 1, 1]
    pixels, label = found.read(3)
    assert np.array_equal(pixels, noise(6, 6, seed=9))
    assert label == 1
    assert opened(sets / "pictures", options=Options(classes=("dog", "cat"))).labels.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["path{}label", "Class{0}File", "note{0}category{0}image"])
def test_lists(between: str, head: str, sets: Path) -> None:
    names = head.format(between).split(between)
    rows = [("flowers/train/rose/1.png", "rose, red"), ("flowers/test/lily/1.png", "lily")]
    lines = [between.join(names)]
    for path, label in rows:
        values = {"path": path, "file": path, "image": path}
        fields = [values.get(name.lower(), "x" if name == "note" else f'"{label}"') for name in names]
        lines.append(between.join(fields))
    (sets / "list.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    found = opened(sets / "list.csv")
    assert found.classes == ("lily", "rose, red")
    assert [(s.label, s.line) for s in found.samples] == [(1, 2), (0, 3)]
    assert found.read(1)[0].shape == (6, 6, 3)
    assert found.place(1).line == 3


def test_classes_that_are_numbers_are_in_their_order() -> None:
    assert sorted_classes({"10", "9", "0"}) == ("0", "9", "10")
    assert sorted_classes({"10", "9", "b"}) == ("10", "9", "b")


def test_persons_and_pairs(sets: Path) -> None:
    pairs = "2\t1\nAda_Lovelace\t1\t2\nAda_Lovelace\t0001\tBob\tBob_0001.png\n"
    (sets / "lfw/pairs.txt").write_text(pairs + pairs[4:].replace("\t", "  "), encoding="utf-8")
    found = opened(sets / "lfw")
    assert found.classes == ("Ada_Lovelace", "Bob")
    assert [(p.first, p.second, p.same, p.fold, p.line) for p in found.pairs] == [
        (0, 1, True, 0, 2), (0, 2, False, 0, 3), (0, 1, True, 1, 4), (0, 2, False, 1, 5),
    ]  # fmt: skip


def test_names_with_blanks_need_tabs(sets: Path) -> None:
    put(sets / "lfw/Mary Ann/Mary Ann_7.jpg", 40)
    (sets / "lfw/pairs.txt").write_text("Mary Ann\t7\tBob\t1\n", encoding="utf-8")
    (pair,) = opened(sets / "lfw").pairs
    assert (pair.first, pair.second, pair.same) == (3, 2, False)


# ---- idx ----


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_of_every_type(dtype: str, ending: str, tmp_path: Path) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    path = str(tmp_path / f"a{ending}")
    write_idx(path, array)
    found = read_idx(path)
    assert np.array_equal(found, array)
    assert found.dtype == np.dtype(dtype)
    assert (Path(path).read_bytes()[:2] == b"\x1f\x8b") == (ending == ".gz")


def test_idx_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\0\0\x0b\x02" + struct.pack(">II4h", 2, 2, 1, -2, 300, 4))
    assert read_idx(str(path)).tolist() == [[1, -2], [300, 4]]
    path.write_bytes(gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 2) + b"\x07\x09"))
    assert labels_of(str(path)).tolist() == [7, 9]


WHOLE = b"\0\0\x08\x02" + struct.pack(">II", 2, 3) + bytes(6)


DAMAGED = {
    "nothing": (b"", "it has 0 bytes"),
    "cut in its first word": (b"\0\0\x08", "it has 3 bytes"),
    "another beginning": (b"\x01" + WHOLE[1:], "begins with 0x0100"),
    "no type of numbers": (b"\0\0\x0a" + WHOLE[3:], "its third byte is 0x0a, which is no type of numbers"),
    "cut in its sizes": (WHOLE[:9], "it ends within its 2 sizes"),
    "cut in its numbers": (WHOLE[:-1], "claims to hold 2 x 3, which is 6 bytes, and has 5"),
    "more than its numbers": (WHOLE + b"x", "which is 6 bytes, and has more than 6"),
    "huge sizes": (b"\0\0\x0e\x03" + b"\xff" * 12, "the limit is"),
    "cut by gzip": (gzip.compress(WHOLE)[:-4], "its compression is damaged"),
    "another checksum": (gzip.compress(WHOLE)[:-8] + bytes(8), "its compression is damaged"),
    "no gzip": (b"\x1f\x8b\x08rubbish", "its compression is damaged"),
}


@pytest.mark.parametrize(("data", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_idx(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(BadIdx, match=reason):
        read_idx(str(path))


def test_pictures_of_idx_are_kept_and_read_anew_when_the_file_changes(tmp_path: Path) -> None:
    path = str(tmp_path / "a")
    write_idx(path, noise(4, 5, 3)[None])
    first = pictures_of(path)
    assert first.shape == (1, 4, 5, 3)
    assert pictures_of(path) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0, 0, 0] = 1
    changed = Path(path).stat().st_mtime_ns
    write_idx(path, noise(4, 5, 3, seed=2)[None])
    os.utime(path, ns=(changed + 10**9, changed + 10**9))
    assert np.array_equal(pictures_of(path)[0], noise(4, 5, 3, seed=2))


# ---- faces ----

POINTS = st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=5, max_size=5)


@given(POINTS, POINTS)
def test_the_similarity_is_that_of_least_squares(
    source: list[tuple[float, float]], target: list[tuple[float, float]]
) -> None:
    """By NumPy's solver of the linear equations that a, b and the shift obey."""
    points, aim = np.array(source), np.array(target)
    if np.ptp(points, axis=0).max() < 1:
        return
    rows = [row for x, y in points for row in ([x, -y, 1, 0], [y, x, 0, 1])]
    a, b, right, down = np.linalg.lstsq(np.array(rows), aim.reshape(-1), rcond=None)[0]
    assert np.allclose(similarity(points, aim), [[a, -b, right], [b, a, down]], atol=1e-6)


@given(st.floats(-3, 3), st.floats(0.2, 5), st.floats(-50, 50), st.floats(-50, 50))
def test_a_similarity_is_found_again(angle: float, scale: float, right: float, down: float) -> None:
    points = np.array(TEMPLATE).reshape(-1, 2)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points @ turn.T + (right, down)
    assert np.allclose(similarity(points, moved), np.column_stack([turn, (right, down)]))


def test_faces_are_moved_to_where_they_are_expected() -> None:
    pixels = noise(SIDE, SIDE)
    assert np.array_equal(aligned(pixels, TEMPLATE), pixels), "a face that stands right stays"
    moved = tuple(number + (7 if place % 2 == 0 else 3) for place, number in enumerate(TEMPLATE))
    wide = np.zeros((SIDE + 10, SIDE + 10, 3), dtype=np.uint8)
    wide[3 : 3 + SIDE, 7 : 7 + SIDE] = pixels
    assert np.array_equal(aligned(wide, moved), pixels)
    turned = [(SIDE - 1 - y, x) for x, y in zip(TEMPLATE[::2], TEMPLATE[1::2], strict=True)]
    found = aligned(np.ascontiguousarray(np.rot90(pixels, -1)), tuple(number for point in turned for number in point))
    assert np.array_equal(found, pixels)
    with pytest.raises(ValueError, match="all points are in one place"):
        aligned(pixels, (5.0, 5.0) * 5)


def test_a_list_of_points_aligns_each_picture(sets: Path) -> None:
    face = ",".join(map(str, TEMPLATE))
    rows = ["path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5"]
    for name in ("Ada_Lovelace/Ada_Lovelace_0001", "Ada_Lovelace/Ada_Lovelace_0002", "Bob/Bob_0001"):
        put(sets / f"lfw/{name}.png", 1, SIDE)
        rows.append(f"{name}.png,{face}")
    (sets / "lfw/points.csv").write_text("\n".join(rows), encoding="utf-8")
    found = opened(sets / "lfw", options=Options(landmarks=str(sets / "lfw/points.csv")))
    assert np.array_equal(found.read(2)[0], noise(SIDE, SIDE, seed=1))
    moved = replace(found, landmarks=(*found.landmarks[:2], tuple(one + 1 for one in TEMPLATE)))
    assert "points" in difference(fingerprint(found), fingerprint(moved)), "a run that resumes sees it"
    assert fingerprint(found) == fingerprint(replace(found))


# ---- what is common ----


def test_a_data_set_is_sent_to_workers(sets: Path) -> None:
    for name in ("pictures", "labels.csv", "lfw", "train-images-idx3-ubyte.gz"):
        found = opened(sets / name)
        again = pickle.loads(pickle.dumps(found))
        assert again.samples == found.samples
        assert np.array_equal(again.read(0)[0], found.read(0)[0])
        assert f"{len(found)} pictures of " in repr(found)
    with Loader(Recipe(opened(sets / "train-images-idx3-ubyte.gz"), Preprocessing(4, 4, channels=1)), 1) as loader:
        (batch,) = loader.batches([(0, 0, np.array([2, 1]))])
    assert batch.labels.tolist() == [2, 1]
    assert np.array_equal(batch.pictures[0], noise(4, 4, 1, 2))


def test_a_check_by_workers_finds_the_same(tmp_path: Path) -> None:
    for number in range(90):
        put(tmp_path / f"{'ab'[number % 2]}/{number}.png", number)
    for number in (5, 50, 88):
        path = tmp_path / f"{'ab'[number % 2]}/{number}.png"
        path.write_bytes(path.read_bytes()[:-30])
    heard: list[tuple[int, int]] = []
    found = opened(tmp_path)
    alone = check(found, workers=0)
    many = check(found, workers=2, hear=lambda done, whole: heard.append((done, whole)))
    assert [str(one) for one in many] == [str(one) for one in alone]
    assert len(many) == 3
    assert heard[-1] == (90, 90)


def test_a_fingerprint_sees_what_changes_and_not_where_it_stands(sets: Path, tmp_path: Path) -> None:
    before = fingerprint(opened(sets / "pictures"))
    assert Fingerprint.from_json(json.loads(json.dumps(before.to_json()))) == before
    (sets / "pictures").rename(sets / "elsewhere")
    path = sets / "elsewhere"
    assert fingerprint(opened(path)) == before
    assert difference(before, fingerprint(opened(path))) == ""
    put(path / "dog/2.png", 50)
    assert difference(before, fingerprint(opened(path))) == "it has 4 pictures, and had 3"
    (path / "dog/2.png").unlink()
    put(path / "dog/1.png", 50, size=8)
    assert difference(before, fingerprint(opened(path))).startswith("its files have ")
    put(path / "dog/1.png", 2)
    assert difference(before, fingerprint(opened(path))) == ""
    data = bytearray((path / "dog/1.png").read_bytes())
    data[-20] ^= 1
    (path / "dog/1.png").write_bytes(data)
    assert "contents" in difference(before, fingerprint(opened(path)))
    put(path / "horse/1.png", 1)
    assert difference(before, fingerprint(opened(path))) == "it has 3 classes (with horse), and had 2"
    turned = Options(classes=("dog", "cat"))
    (path / "horse/1.png").unlink()
    (path / "horse").rmdir()
    assert difference(before, fingerprint(opened(path, options=turned))) == "its classes stand in another order"


def test_a_fingerprint_sees_labels_that_change_places(sets: Path) -> None:
    found = []
    for first, second in (("cat", "dog"), ("dog", "cat")):
        (sets / "list.csv").write_text(f"path,label\npictures/cat/1.png,{first}\npictures/cat/2.png,{second}\n")
        found.append(fingerprint(opened(sets / "list.csv")))
    assert "labels" in difference(*found)


# ---- the section of a configuration ----


def section(text: str, folder: Path) -> Outcome[Section]:
    return read_toml(Source.from_text(text, "training.toml")).then(lambda document: read_section(document, folder))


def test_a_section_names_data_sets_and_what_is_done_to_pictures(sets: Path) -> None:
    text = """\
[data]
train = "flowers/train"
validation = "flowers/test"
[data.preprocessing]
mean = [0.5, 0.5, 0.5]
resize = "crop"
[data.augment]
flip = true
crop = { area = [0.5, 1] }
"""
    found = section(text, sets).value
    assert found is not None
    assert [type(step).__name__ for step in found.augmentation.steps] == ["Crop", "Flip"]
    pre = found.preprocessing_of(3, 32, 48)
    assert isinstance(pre, Preprocessing)
    assert (pre.height, pre.width, pre.resize, pre.mean) == (32, 48, "crop", (0.5, 0.5, 0.5))
    both = open_sets(found)
    assert both.diagnostics == ()
    assert both.value is not None
    assert both.value.validation is not None
    assert both.value.validation.classes == both.value.train.classes == ("lily", "rose")


@pytest.mark.parametrize("between", [", ", "\\t", "\n", '"'])
def test_a_delimiter_is_one_character(between: str, tmp_path: Path) -> None:
    (found,) = section(f'[data]\ntrain = "list.csv"\ndelimiter = {json.dumps(between)}\n', tmp_path).diagnostics
    assert (found.code.id, found.span.line) == ("E1007", 3)
    assert "is one character" in found.message


def test_a_name_may_begin_with_the_sign_of_home(tmp_path: Path) -> None:
    found = section('[data]\ntrain = "~nobody-of-that-name/train"\n', tmp_path).value
    assert found is not None
    assert found.train == tmp_path / "~nobody-of-that-name" / "train"


def test_every_mistake_in_a_section_has_its_place(tmp_path: Path) -> None:
    text = """\
[data]
trian = "x"
kind = "foldr"
[data.preprocessing]
mean = [123, 116, 104]
interpolaton = "box"
[data.augment]
flip = 0.5
crop = { aera = [0.5, 1] }
"""
    found = section(text, tmp_path)
    assert found.value is None
    assert [(one.code.id, one.span.line) for one in found.diagnostics] == [
        ("E1002", 2), ("E1005", 3), ("E1002", 6), ("E1003", 8), ("E1002", 9), ("E1006", 1), ("E1007", 5),
    ]  # fmt: skip
    assert all(one.fixes for one in found.diagnostics if one.code.id in ("E1002", "E1005"))
