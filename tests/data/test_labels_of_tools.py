"""Label files as tools write them, and as they get damaged.

What is read as the same objects, what is reported, and that nothing raises, whatever stands in a file.
"""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.data.boxes import BoxSet, open_boxes
from spinedsl.data.boxes.classes import folders_of, names_of
from spinedsl.data.section import read_section
from spinedsl.data.sources import open_data
from spinedsl.diagnostics import Outcome
from spinedsl.diagnostics.render import render
from spinedsl.inference.results import ids_of
from spinedsl.source import Source
from spinedsl.toml import read_toml
from tests.data.making import image, noise
from tests.data.test_boxes import CLASSES, MADE, OBJECTS

Data = dict[str, Any]


def changed(change: Callable[[Data], object], encoding: str = "utf-8") -> Callable[[Path], Path]:
    """COCO's file with something written otherwise."""

    def made(root: Path) -> Path:
        path = MADE["coco"](root)
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data), encoding)
        return path

    return made


def every(data: Data, lists: str, change: Callable[[Data], object]) -> Data:
    """Change every item of some lists."""
    for name in lists.split():
        for item in data[name]:
            change(item)
    return data


def set_ids(kind: type) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        every(data, "images categories", lambda item: item.update(id=kind(item["id"])))
        for key in ("image_id", "category_id"):
            every(data, "annotations", lambda item, key=key: item.update({key: kind(item[key])}))  # type: ignore[misc]

    return change


def without(data: Data, lists: str, *keys: str) -> None:
    every(data, lists, lambda item: [item.pop(key) for key in keys])


def in_xml(old: str, new: str) -> Callable[[Path], Path]:
    """VOC's files with something written otherwise."""

    def made(root: Path) -> Path:
        MADE["voc"](root)
        for file in (root / "Annotations").glob("*.xml"):
            text = file.read_text()
            assert old in text or file.stem == "b"
            file.write_text(text.replace(old, new))
        return root

    return made


def without_size(root: Path) -> Path:
    MADE["voc"](root)
    for file in (root / "Annotations").glob("*.xml"):
        before, rest = file.read_text().split("<size>")
        file.write_text(before + rest.split("</size>")[1])
    return root


def of_annotations(root: Path) -> Path:
    return MADE["voc"](root) / "Annotations"


def capital_endings(root: Path) -> Path:
    MADE["voc"](root)
    for file in (root / "Annotations").glob("*.xml"):
        file.rename(file.with_suffix(".XML"))
    return root


def listed_with_blanks(root: Path) -> Path:
    MADE["voc"](root)
    for file in [*root.glob("*/*")]:
        file.rename(file.with_stem(f"a picture {file.stem}"))
    (root / "ImageSets").mkdir()
    (root / "ImageSets" / "train.txt").write_text("".join(f"a picture {name[0]}\r\n" for name in OBJECTS))
    return root / "ImageSets" / "train.txt"


def with_hidden(kind: str) -> Callable[[Path], Path]:
    """Beside each file what macOS leaves there, and in each folder what notebooks do."""

    def make(root: Path) -> Path:
        path = MADE[kind](root)
        for file in [one for one in root.rglob("*") if one.is_file()]:
            file.with_name(f"._{file.name}").write_bytes(b"\0\5\26\7")
            (file.parent / ".ipynb_checkpoints").mkdir(exist_ok=True)
            (file.parent / ".ipynb_checkpoints" / f"{file.stem}-checkpoint{file.suffix}").write_bytes(file.read_bytes())
        return path

    return make


def in_rows(change: Callable[[list[str]], list[str]], end: str = "\n") -> Callable[[Path], Path]:
    """YOLO's rows written otherwise."""

    def made(root: Path) -> Path:
        MADE["yolo"](root)
        for file in (root / "labels").glob("*.txt"):
            rows = [change(row.split()) for row in file.read_text().splitlines()]
            file.write_text("".join(" ".join(row) + end for row in rows), newline="")
        return root

    return made


def outlined(row: list[str]) -> list[str]:
    """The corners of a box, and points on its sides."""
    x, y, wide, high = map(float, row[1:])
    corners = [(0, -1), (1, -1), (1, 0.5), (0.25, 1), (-1, 1), (-1, 0)]
    return [row[0], *(str(at) for i, j in corners for at in (x + i * wide / 2, y + j * high / 2))]


SAME: dict[str, Callable[[Path], Path]] = {
    "coco: ids are texts": changed(set_ids(str)),
    "coco: numbers are floats": changed(
        lambda data: [set_ids(float)(data), every(data, "images", lambda item: item.update(height=20.0, width=40.0))]
    ),
    "coco: images without sizes": changed(lambda data: without(data, "images", "height", "width")),
    "coco: names of Windows": changed(
        lambda data: every(
            data, "images", lambda item: item.update(file_name=str(PureWindowsPath("..", "images", item["file_name"])))
        )
    ),
    "coco: no crowds, areas or ids": changed(
        lambda data: every(data, "annotations", lambda item: item.update(iscrowd=None, area=None, segmentation=[]))
    ),
    "coco: ids from 0, not in order": changed(
        lambda data: [
            every(data, "categories", lambda item: item.update(id=item["id"] - 17)),
            every(data, "annotations", lambda item: item.update(category_id=item["category_id"] - 17)),
            data["images"].reverse(),
        ]
    ),
    "coco: a byte-order mark": changed(lambda data: None, "utf-8-sig"),
    "coco: UTF-16": changed(lambda data: None, "utf-16"),
    "coco: sizes of 0": changed(lambda data: every(data, "images", lambda one: one.update(height=0, width=0))),
    "coco: a size of nothing and 0": changed(
        lambda data: every(data, "images", lambda one: one.update(height=None, width=0))
    ),
    "voc: no size": without_size,
    "voc: a size of 0": in_xml("<width>40</width><height>20</height>", "<width>0</width><height>0</height>"),
    "voc: a size of floats": in_xml("<width>40</width>", "<width>40.0</width>"),
    "voc: a name without an ending": in_xml(".png</filename>", "</filename>"),
    "voc: another ending": in_xml(".png</filename>", ".JPG</filename>"),
    "voc: a path of Windows": in_xml("<filename>", "<filename>C:\\my pictures\\"),
    "voc: not difficult": in_xml("</name>", "</name><difficult>False</difficult><truncated>1</truncated>"),
    "voc: the folder of the XML files": of_annotations,
    "voc: .XML": capital_endings,
    "voc: a list of names with blanks": listed_with_blanks,
    "yolo: classes are floats": in_rows(lambda row: [f"{row[0]}.0", *row[1:]]),
    "yolo: CRLF and tabs": in_rows(lambda row: ["\t".join(row), ""], "\r\n\r\n"),
    "yolo: outlines": in_rows(outlined),
    **{f"{kind}: hidden files": with_hidden(kind) for kind in MADE},
}


@pytest.mark.parametrize("what", SAME)
def test_the_same_objects_as_tools_write_them(what: str, tmp_path: Path) -> None:
    path = SAME[what](tmp_path / "a set")
    opened = open_data(path)
    assert [one.code.id for one in opened.diagnostics] == ["W1107"], opened.diagnostics
    assert isinstance(opened.value, BoxSet)
    assert (opened.value.classes, opened.value.kind) == (CLASSES, what.partition(":")[0])
    found = {Path(one.path).name.removeprefix("a picture "): one for one in opened.value.pictures}
    assert found.keys() == OBJECTS.keys()
    for name, objects in OBJECTS.items():
        there = [(*box.sides, box.label, box.crowd, box.area) for box in found[name].boxes]
        expected = [(*row, False, (row[2] - row[0]) * (row[3] - row[1])) for row in objects]
        assert there == [pytest.approx(row, abs=1e-4) for row in expected]
    if what.startswith("coco"):
        ids = ids_of(opened.value).images
        images = {picture.path: number for picture, number in zip(opened.value.pictures, ids, strict=True)}
        assert len(set(images.values())) == 3


def test_a_configuration_names_each_class_once() -> None:
    text = '[data]\ntrain = "a"\nclasses = ["cat", "dog", "cat"]\n'
    read = read_toml(Source.from_text(text)).then(lambda document: read_section(document, Path()))
    assert read.value is None
    (one,) = read.diagnostics
    assert (one.code.id, one.message) == ("E1007", "`data.classes` names 'cat' twice")


def test_a_category_that_no_annotation_is_of_need_be_no_class(tmp_path: Path) -> None:
    """Roboflow writes one above the others, of number 0."""
    path = changed(lambda data: data["categories"].append({"id": 0, "name": "animals", "supercategory": "none"}))(
        tmp_path / "set"
    )
    assert open_boxes(path, classes=CLASSES).value is not None
    assert [one.code.id for one in open_boxes(path, classes=CLASSES).diagnostics] == ["W1107"]
    only = open_boxes(path, classes=("cat",))
    assert [one.code.id for one in only.diagnostics] == ["E1105", "W1107"]  # once, however many annotations are of it


NAMES: dict[str, tuple[str, ...] | str] = {
    "names: [cat, 'dog, small'] # two": ("cat", "dog, small"),
    "path: ..\nnc: 2\n# Classes\nnames:  # two\n  # one\n  0: cat  # it purrs\n\n  1: dog\n": ("cat", "dog"),
    "names: {0: cat, 1: dog}": ("cat", "dog"),
    "'names':\n  '1': dog\n  '0': cat\n": ("cat", "dog"),
    'names:\r\n- cat\r\n- "d\\u00f6g"\r\n': ("cat", "dög"),
    "\ufeffnames: [yes, no, 1.0, null]": ("yes", "no", "1.0", "null"),
    "nc: 2\n": (),
    "names:\n  0: cat\n  2: dog\n": "the `names` of data.yaml lack the number 1",
    "names:\n  1: cat\n  2: dog\n": "the `names` of data.yaml lack the number 0",
    "names:\n  0: cat\n  a: dog\n": "the `names` of data.yaml lack the number 1",
    "names: [cat, dog, cat]": "classes 0 and 2 are both called 'cat'",
    "nc: 3\nnames: [cat, dog]": "`nc` is 3, and there are 2 `names`",
    "names: cat": "the `names` of data.yaml are no list of names: 'cat'",
    "names: []": "the `names` of data.yaml are no list of names: []",
    "names: [cat, [dog]]": "the `names` of data.yaml are no list of names: [2 items]",
    "names: [cat, dog": "data.yaml is no YAML that can be read",
    "a: &a [x, x]\nnames: [*a, *a]": "data.yaml is no YAML that can be read: it has aliases",
    "- 1\n": "data.yaml is no YAML that can be read: it holds no names with values",
    "[" * 5000: "data.yaml is no YAML that can be read",
}


@pytest.mark.parametrize("text", NAMES, ids=lambda text: text[:30])
def test_names_of_a_yaml(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data.yaml").write_text(text, "utf-8", newline="")
    found, expected = names_of(Path()), NAMES[text]
    assert found.value == (None if isinstance(expected, str) else expected)
    if isinstance(expected, str):
        (one,) = found.diagnostics
        assert expected in one.message.replace("`data.yaml`", "data.yaml")


@pytest.mark.parametrize("name", ["data.yml", "dataset.yaml", "coco8.yaml", "animals.YML"])
def test_names_of_a_yaml_of_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("train: images/train\nnames: [cat, dog]\n")
    (tmp_path / "compose.yaml").write_text("services: {a: {image: b}}\n")
    (tmp_path / "broken.yaml").write_text("{")
    assert names_of(tmp_path).value == CLASSES


@pytest.mark.parametrize("lines", ["cat\n\ndog\n", "cat\ndog\ncat\n", "Löwe\n"], ids=["a gap", "twice", "encoding"])
def test_a_list_of_classes_with_mistakes(lines: str, tmp_path: Path) -> None:
    MADE["yolo"](tmp_path / "set")
    (tmp_path / "set" / "classes.txt").write_bytes(lines.encode("cp1252"))
    found = open_boxes(tmp_path / "set")
    assert found.value is None
    assert [one.code.id for one in found.diagnostics] == ["E1103" if "ö" in lines else "E1115"]


@pytest.mark.parametrize("row", ["0 0.5 0.5 0.2 0.2 0.9 3", "0 0.5 0.5 0.2 0.2 0.9 10"])
def test_what_a_tracker_writes_is_no_outline(row: str, tmp_path: Path) -> None:
    root = MADE["yolo"](tmp_path / "set")
    (root / "labels" / "a.txt").write_text(f"{row}\n0 0.5 0.5 0.2 0.2\n")
    first, *_ = open_boxes(root).diagnostics
    assert (first.code.id, first.span.line) == ("E1115", 1)
    assert "the number of a track: labels have five" in first.fixes[0].text
    (root / "labels" / "a.txt").write_text(f"{row}\n0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 1\n")
    assert not [one for one in open_boxes(root).diagnostics if one.code.id == "E1115"], "an outline is beside it"


@pytest.mark.parametrize("classes", [(), CLASSES])
def test_points_behind_a_box_are_passed_over(classes: tuple[str, ...], tmp_path: Path) -> None:
    root = MADE["yolo"](tmp_path / "set")
    (root / "data.yaml").write_text("kpt_shape: [3, 2]  # points, numbers of each\nnames: [cat, dog]\n")
    points = " 0.9 0.9 0.8 0.8 0.1 0.1"
    (root / "labels" / "a.txt").write_text(f"0 0.5 0.5 0.2 0.2{points}\n1 0.5 0.5 0.4 0.2\n")
    found = open_boxes(root, classes=classes).value
    assert found is not None
    assert found.is_whole
    assert found.pictures[0].sides.tolist() == [pytest.approx(row) for row in ([16, 8, 24, 12], [12, 8, 28, 12])]
    (root / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2 0.9 0.9 0.8 0.8\n")
    first, *_ = open_boxes(root).diagnostics
    assert first.code.id == "E1115"
    assert "and 6 numbers of points" in first.message
    assert "kpt_shape" in first.fixes[0].text


def test_a_list_of_pictures_leads_to_their_folder(tmp_path: Path) -> None:
    root = MADE["yolo"](tmp_path / "set")
    (root / "train.txt").write_text("".join(f"./images/{name}\n" for name in OBJECTS))
    (one,) = open_data(root / "train.txt").diagnostics
    assert (one.code.id, one.fixes[0].text) == ("E1104", "if its pictures have boxes, name their folder")


def test_a_yaml_is_told_apart_from_the_folders_that_it_names(tmp_path: Path) -> None:
    root = MADE["yolo"](tmp_path / "set")
    (root / "data.yaml").write_text("path: elsewhere\ntrain: ../images\nval: gone\nnames: [cat, dog]\n")
    assert folders_of(root / "data.yaml") == [("train", root / "images")]
    found = open_data(root / "data.yaml")
    assert found.value is None
    (one,) = found.diagnostics
    fix = f"name one of its folders: `{root / 'images'}`"
    assert (one.code.id, [each.text for each in one.fixes]) == ("E1109", [fix])


WRONG: dict[str, tuple[Callable[[Data], object], str]] = {
    "a crowd by a text": (
        lambda data: data["annotations"][0].update(iscrowd="0"), "`iscrowd` of annotation number 1 (from 1) is '0'"
    ),
    "a crowd of -1": (
        lambda data: data["annotations"][0].update(iscrowd=-1), "`iscrowd` of annotation number 1 (from 1) is -1"
    ),
    "an area of no number": (
        lambda data: data["annotations"][0].update(area=float("nan")),
        "`area` of annotation number 1 (from 1) is nan",
    ),
    "an area below 0": (
        lambda data: data["annotations"][0].update(area=-1), "`area` of annotation number 1 (from 1) is -1"
    ),
    "one name twice": (lambda data: data["categories"][1].update(name="cat"), "17 and 90 are both called 'cat'"),
    "no name": (lambda data: data["categories"][1].update(name=" "), "category 90 needs `name`, a text, got ' '"),
    "one picture twice": (lambda data: data["images"][2].update(file_name="a.png"), "images 0 and 14 are both a.png"),
    "shares": (
        lambda data: every(data, "annotations", lambda item: item.update(bbox=[at / 40 for at in item["bbox"]])),
        "every `bbox` has numbers from 0 to 1 alone",
    ),
    "ids of two kinds": (lambda data: data["annotations"][0].update(image_id="0"), "of image '0', which is not among"),
    "an image without an id": (lambda data: data["images"][0].pop("id"), "image number 1 (from 1) needs `id`"),
    "an image of no size": (lambda data: data["images"][0].update(width=0), "image 0 is 0x20 pixels"),
    "outlines alone": (
        lambda data: [data["annotations"][0].pop("bbox"), data["annotations"][0].update(segmentation=[[1]])],
        "annotation number 1 (from 1) needs `bbox`, a list",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_mistake_in_coco_is_reported_once(what: str, tmp_path: Path) -> None:
    change, expected = WRONG[what]
    found = open_boxes(changed(change)(tmp_path / "set"))
    errors = [one for one in found.diagnostics if one.code.id.startswith("E")]
    assert [one.code.id for one in errors] == ["E1115"]
    assert expected in errors[0].message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<annotation>", '<?xml version="1.0" encoding="klingon"?><annotation>', "unknown encoding: klingon"),
        ("<annotation>", '<?xml version="1.0" encoding="gb2312"?><annotation>', "multi-byte encodings"),
        (
            "<annotation>",
            "<!DOCTYPE a SYSTEM 'file:///etc/hostname' [<!ENTITY % b SYSTEM 'c'> %b;]><annotation>",
            "entities",
        ),
        ("<annotation>", "<annotation>&b;", "undefined entity"),
        ("<width>40</width>", "<width>-40</width>", "is no height and width: '20' and '-40'"),
        ("<width>40</width>", "<width>wide</width>", "is no height and width: '20' and 'wide'"),
        ("</name>", "</name><difficult>2</difficult>", "`difficult` of this `dog` is '2', expected 0 or 1"),
    ],
)
def test_a_mistake_in_voc_is_reported(old: str, new: str, words: str, tmp_path: Path) -> None:
    root = MADE["voc"](tmp_path / "set")
    file = root / "Annotations" / "a.xml"
    file.write_text(file.read_text().replace(old, new, 1))
    errors = [one for one in open_boxes(root).diagnostics if one.code.id.startswith("E")]
    assert [one.code.id for one in errors] == ["E1115"]
    assert words in errors[0].message


@pytest.mark.parametrize(
    ("encoding", "fix"),
    [
        ("gb2312", 'convert it to UTF-8: `iconv -f gb2312 -t utf-8`, and take `encoding="gb2312"` out'),
        ("klingon", 'write it in UTF-8, and take `encoding="klingon"` out'),
    ],
)
def test_what_helps_with_an_encoding_of_xml(encoding: str, fix: str, tmp_path: Path) -> None:
    root = MADE["voc"](tmp_path / "set")
    file = root / "Annotations" / "a.xml"
    file.write_text(f"<?xml version='1.0' encoding='{encoding}'?>{file.read_text()}")
    (one,) = [one for one in open_boxes(root).diagnostics if one.code.id == "E1115"]
    assert [fix.text for fix in one.fixes] == [fix]


def test_an_annotation_without_an_id_is_told_by_its_number(tmp_path: Path) -> None:
    path = changed(lambda data: data["annotations"][1].update(category_id=9))(tmp_path / "set")
    (one,) = [one for one in open_boxes(path).diagnostics if one.code.id == "E1115"]
    assert "annotation number 2 (from 1) is of category 9" in one.message


def test_two_files_of_one_picture_are_reported(tmp_path: Path) -> None:
    root = MADE["voc"](tmp_path / "set")
    file = root / "Annotations" / "c.xml"
    file.write_text(file.read_text().replace("c.png", "a.png"))
    found = [one for one in open_boxes(root).diagnostics if one.code.id == "E1115"]
    assert ["names the picture that a.xml has" in one.message for one in found] == [True]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("elsewhere/a.png", "`a.png` is in images: leave out what stands before it in its name"),
        ("C:\\elsewhere\\a.png", "`a.png` is in images: leave out what stands before it in its name"),
        ("a.jpg", "did you mean `a.png`?"),
        ("a", "did you mean `a.png`?"),
        ("x.png", "see that `images` names the folder of the pictures"),
        ("a\0.png", "see that `images` names the folder of the pictures"),
        ("a" * 5000, "see that `images` names the folder of the pictures"),
    ],
    ids=lambda text: text[:20],
)
def test_what_helps_where_a_picture_is_missing(
    name: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    changed(lambda data: data["images"][0].update(file_name=name))(Path())
    found = [one for one in open_boxes("boxes.json").diagnostics if one.code.id != "W1107"]
    assert [(one.code.id, [each.text for each in one.fixes]) for one in found] == [("E1101", [fix])]


@pytest.mark.parametrize("name", ["Annotations", "JPEGImages", "labels/train"])
def test_what_to_name_instead_of_half_a_data_set(name: str, tmp_path: Path) -> None:
    for folder in ("Annotations", "JPEGImages", "images/train", "labels/train"):
        (tmp_path / folder).mkdir(parents=True)
    image(noise(4, 4)).save(tmp_path / "JPEGImages" / "a.png")
    (tmp_path / "labels/train/a.txt").write_text("")
    expected = {
        "Annotations": "",
        "JPEGImages": f"name the folder of the boxes, if it is that: `{tmp_path}`",
        "labels/train": f"name the folder of the boxes, if it is that: `{tmp_path / 'images/train'}`",
    }[name]
    (one,) = open_data(tmp_path / name).diagnostics
    assert one.code.id == "E1109"
    assert expected in one.fixes[0].text
    assert open_data(tmp_path).diagnostics[0].code.id == "E1109"  # and no classes called so


ODD: list[Any] = [
    None, True, -1, 0, 0.5, 1e308, -1e308, float("nan"), float("inf"), 10**400, 2**63, "", " ", "7", "a\nb", "\0",
    "\ud800", "\x1b[2J", "\\", "x" * 5000, "..", "/", [], [1], [1, 2, 3, 4], [[1, 2], 3, 4, 5], {}, {"id": 1},
]  # fmt: skip
TORN = [
    "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\r", "\n", "\0", "\ufeff", "\ufffe", "nan", "1e999", "-",
    "9" * 5000, "<", "&", "<!DOCTYPE a [", "<?xml version='1.0' encoding='foo'?>", "]]>", "ü", "\u0663", "'",
    "[", "{", "*a", "0 0 0 0 0 0 0 ",
]  # fmt: skip


def sound(found: Outcome[BoxSet]) -> None:
    """What was kept can be trained on, and what was not, is said in words."""
    assert found.value is not None or found.diagnostics
    assert len(render(found.diagnostics)) >= 10 * len(set(found.diagnostics))
    if found.value is None:
        return
    assert found.value.is_whole == (not any(one.code.id.startswith("E") for one in found.diagnostics))
    for picture in pickle.loads(pickle.dumps(found.value)).pictures:
        for box in picture.boxes:
            left, top, right, bottom = box.sides
            assert 0 <= left <= right <= picture.width
            assert 0 <= top <= bottom <= picture.height
            assert 0 <= box.label < len(found.value.classes)
            assert 0 <= box.area < float("inf")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sets")
    made = {kind: maker(folder / kind) for kind, maker in MADE.items()}
    (folder / "voc/ImageSets").mkdir()
    (folder / "voc/ImageSets/train.txt").write_text("a\nb\nc\n")
    (folder / "yolo/data.yaml").write_text("nc: 2\nnames:\n  0: cat\n  1: dog\n")
    return made


@given(seed=st.integers(0, 2**32))
def test_no_value_of_coco_raises(sets: dict[str, Path], seed: int) -> None:
    draw = random.Random(seed)
    whole = sets["coco"].read_text()
    data = json.loads(whole)
    for _ in range(draw.choice([1, 1, 2, 5])):
        at, key = data, draw.choice(["images", "categories", "annotations", "annotations"])
        while isinstance(at[key], list | dict) and at[key] and draw.random() < 0.9:
            at = at[key]
            key = draw.choice(list(at) if isinstance(at, dict) else range(len(at)))
        at[key] = draw.choice(ODD)
    one = draw.choice(json.loads(whole)["annotations"])
    one[draw.choice(["iscrowd", "area", "id", "segmentation"])] = draw.choice(ODD)
    if draw.random() < 0.5:
        one["bbox"][draw.randrange(4)] = draw.choice(ODD)
    if isinstance(data["annotations"], list):
        data["annotations"].append(one)
    try:
        sets["coco"].write_text(json.dumps(data))
        sound(open_boxes(sets["coco"], "coco"))
    finally:
        sets["coco"].write_text(whole)


TEXTS = ("voc/Annotations/a.xml", "voc/ImageSets/train.txt", "yolo/labels/a.txt", "yolo/classes.txt", "yolo/data.yaml",
         "coco/boxes.json")  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@given(seed=st.integers(0, 2**32))
def test_no_damage_to_a_text_raises(name: str, sets: dict[str, Path], seed: int) -> None:
    draw = random.Random(seed)
    file = sets["coco"].parents[1] / name
    path = file if file.suffix in (".txt", ".json") and file.parent.name in ("ImageSets", "coco") else file.parents[1]
    path = sets["yolo"] if name.startswith("yolo") else path
    hidden = sets["yolo"] / "classes.txt"
    whole, classes = file.read_bytes(), hidden.read_bytes()
    text = bytearray(whole)
    for _ in range(draw.choice([1, 1, 2, 5])):
        at = draw.choice([0, len(text), *(draw.randrange(len(text) + 1) for _ in range(8))])
        how = draw.choice(["in", "in", "in", "cut", "byte", "over"])
        torn = draw.choice(TORN).encode(draw.choice(["utf-8", "utf-8", "utf-8", "utf-16"]), "surrogatepass")
        if how == "in":
            text[at:at] = torn
        elif how == "over":
            text[at : at + len(torn)] = torn
        elif how == "cut":
            del text[at:]
        elif at < len(text):
            text[at] = draw.randrange(256)
    try:
        if name.endswith("yaml"):
            hidden.unlink()
        file.write_bytes(text)
        sound(open_boxes(path))
    finally:
        file.write_bytes(whole)
        hidden.write_bytes(classes)
