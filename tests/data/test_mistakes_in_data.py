"""What is said of data sets with mistakes: a table of them, each with all that is said, beside `said/NAME.txt`.

`UPDATE_GOLDENS=1` writes the texts anew: read what changed.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spinedsl import checks
from spinedsl.data.augment import Augmentation
from spinedsl.data.boxes import open_boxes
from spinedsl.data.check import check
from spinedsl.data.dataset import Dataset
from spinedsl.data.idx import write_idx
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.section import Section, open_sets
from spinedsl.data.sources import Options, open_dataset
from spinedsl.diagnostics import Diagnostic, suggest
from spinedsl.diagnostics.render import render
from tests.data import making
from tests.data.making import image, noise

SAID = Path(__file__).with_name("said")
# W1112 is of images that a trained network is used on (tests/inference/test_aligned.py), E1118 of a data set that
# somebody wrote (tests/training/test_own.py).
OF_USE = ("W1112", "E1118")
UPDATE = os.environ.get("UPDATE_GOLDENS") == "1"


def put(path: str, seed: int = 0) -> None:
    making.put(Path(path), seed)


def put_of(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    image(noise(20, 30)).save(path)


def text(path: str, lines: str, encoding: str = "utf-8") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(lines.encode(encoding))


def animals(folder: str = "animals") -> None:
    for number, path in enumerate(("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")):
        put(f"{folder}/{path}", number)


def persons(pairs: str) -> None:
    for number in (1, 2, 3):
        put(f"lfw/Ada_Lovelace/Ada_Lovelace_000{number}.png", number)
    put("lfw/Bob/Bob_0001.png", 4)
    text("lfw/pairs.txt", pairs)


def found(
    path: str, kind: str = "auto", options: Options | None = None, validation: str = "", **expected: Any
) -> list[Diagnostic]:
    """All that is said of a data set."""
    opened = open_dataset(path, kind, options)
    said = list(opened.diagnostics)
    if opened.value is None:
        return said
    other: Dataset | None = None
    if validation:
        second = open_dataset(validation, kind, Options(classes=opened.value.classes))
        other = second.value
        said += second.diagnostics
    return said + list(check(opened.value, other, workers=0, **expected))


def missing_pictures() -> list[Diagnostic]:
    animals()
    put("animals/dog/Ba\u0308r.png", 9)
    text("animals/list.csv", "path,label\ncat/1.png,cat\ncat/1.PNG,cat\ndog/b\u00e4r.png,dog\ndog/Bär.png,dog\n"
         "dog/9.png,dog\nbird/1.png,cat\ndog/link.png,dog\ncat\\2.png,cat\n")  # fmt: skip
    Path("animals/dog/link.png").symlink_to("gone.png")
    return found("animals/list.csv")


def bad_pictures() -> list[Diagnostic]:
    animals()
    whole = Path("animals/cat/1.png").read_bytes()
    text("animals/cat/a page.jpg", "<html>404</html>")
    Path("animals/dog/cut off.png").write_bytes(whole[:-20])
    Path("animals/dog/empty.webp").touch()
    grey = noise(8, 8, 1)[..., 0]
    Image.fromarray(grey.astype("float32") / 255).save("animals/dog/fractions.tiff")
    Image.fromarray(grey.astype("int32") * 2**20).save("animals/dog/wide.tiff")
    put_claim("animals/dog/claim.png", 60_000, 60_000)
    return found("animals")


def put_claim(path: str, width: int, height: int) -> None:
    """A PNG of a few bytes that claims to be this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    parts = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IEND", b"")
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def bad_picture_of_a_list() -> list[Diagnostic]:
    animals()
    Path("animals/dog/1.png").write_bytes(b"GIF89a")
    text("animals/list.csv", "image;class\ncat/1.png;cat\ndog/1.png;dog\n")
    return found("animals/list.csv")


def encodings() -> list[Diagnostic]:
    put("a/1.png", 1)
    put("a/2.png", 2)
    text("a/windows.csv", "path,label\n1.png,Löwe\n2.png,Bär\n", "cp1252")
    text("a/spreadsheet.csv", "path\tlabel\n1.png\tLöwe\n2.png\tBär\n", "utf-16")
    text("a/marked.csv", "path,label\n1.png,Löwe\n2.png,Bär\n", "utf-8-sig")
    text("a/plain.csv", "path,label\n1.png,Löwe\n2.png,Bär\n", "cp1252")
    said = found("a/windows.csv") + found("a/spreadsheet.csv") + found("a/marked.csv")
    said += found("a/plain.csv", options=Options(encoding="cp1252"))
    said += found("a/plain.csv", options=Options(encoding="cp99999"))
    return said + found("a/plain.csv", options=Options(encoding="undefined"))


def rows() -> list[Diagnostic]:
    animals()
    text("animals/list.csv", 'path,label\ncat/1.png\n\ncat/2.png,cat,dog\n"dog/1.png",dog\n,dog\ndog/2.png,\n')
    return found("animals/list.csv")


def no_columns() -> list[Diagnostic]:
    animals()
    text("animals/headless.csv", "cat/1.png,cat\ndog/1.png,dog\n")
    text("animals/other.csv", "where,what\ncat/1.png,cat\n")
    text("animals/wrong.csv", "path,klass\ncat/1.png,cat\n")
    text("animals/empty.csv", "\n\n")
    text("animals/only.csv", "path,label\n")
    text("animals/quote.csv", 'path,label\n"cat/1.png,cat\ndog/1.png,dog\n')
    said = found("animals/headless.csv") + found("animals/other.csv")
    said += found("animals/wrong.csv", options=Options(label_column="class"))
    return said + found("animals/empty.csv") + found("animals/only.csv") + found("animals/quote.csv")


def classes() -> list[Diagnostic]:
    animals()
    animals("more")
    put("more/Dogs/1.png", 7)
    text("animals/list.csv", "path,label\ncat/1.png,cat\ndog/1.png,hound\ndog/2.png,dogg\n")
    named = Options(classes=("cat", "dog", "horse"))
    return found("animals", validation="more") + found("animals/list.csv", options=named)


def one_class() -> list[Diagnostic]:
    animals()
    put("one/only/1.png")
    text("animals/list.csv", "path,label\ncat/1.png,cat\ncat/2.png,cat\n")
    return found("one") + found("animals/list.csv")


def numbers() -> list[Diagnostic]:
    animals()
    return found("animals", outputs=10, batch=8)


def no_data_set() -> list[Diagnostic]:
    put("loose/1.png")
    for split in ("train", "val"):
        animals(f"all/{split}")
    Path("nothing").mkdir()
    animals()
    said = found("loose") + found("all") + found("nothing") + found("nowhere") + found("animals", "csv")
    return said + found("animals", "idx") + found("animals/cat/1.png", "folder")


def listed_twice() -> list[Diagnostic]:
    animals()
    text("animals/list.csv", "path,label\ncat/1.png,cat\ndog/1.png,dog\ncat/./1.png,cat\ncat/1.png,dog\n")
    return found("animals/list.csv")


def pairs() -> list[Diagnostic]:
    persons(
        "1 4\nAda_Lovelace\t1\t2\nAda_Lovelace\t1\t9\nAda_Lovelace 1 Bob 1\nAda_Lovelac\t1\t2\nBob\t1\n"
        "Bob\t1\t1\n\nA b c 1 2\nBob 1 Zoe 1\n"
    )
    said = found("lfw")
    for number, path in enumerate(("left/0001.png", "left/0002.png", "right/0001.png")):
        put(f"lfw/Cy/{path}", 10 + number)
    text("lfw/pairs.txt", "Cy 1 2\nCy 2 0001.png\nBob 1 Cy 2\n")
    return said + found("lfw")


def no_pairs() -> list[Diagnostic]:
    persons("10\t300\nAda_Lovelace\t1\t2\nAda_Lovelace\t1\tBob\t1\n")
    said = found("lfw")
    text("lfw/pairs.txt", "\n")
    return said + found("lfw") + found("lfw", options=Options(pairs="lfw/none.txt"))


def idx_files() -> list[Diagnostic]:
    shapes = {"a": (3, 4, 5), "b": (3, 4, 5), "c": (2, 4, 5), "d": (3, 4), "e": (3, 4, 5)}
    for name, shape in shapes.items():
        write_idx(f"{name}-images-idx3-ubyte", np.zeros(shape, np.float32 if name == "e" else np.uint8))
        write_idx(f"{name}-labels-idx1-ubyte", np.arange(3, dtype=np.uint8))
    whole = Path("a-images-idx3-ubyte").read_bytes()
    Path("b-images-idx3-ubyte").write_bytes(whole[:-1])
    Path("f-images-idx3-ubyte").write_bytes(gzip.compress(whole)[:-9])
    write_idx("f-labels-idx1-ubyte", np.array([0, 1, -1], dtype=np.int32))
    write_idx("g-images-idx3-ubyte.gz", np.zeros((3, 4, 5), np.uint8))
    said = [one for name in "bcdef" for one in found(f"{name}-images-idx3-ubyte", "idx")]
    said += found("g-images-idx3-ubyte.gz")
    return said + found("a-images-idx3-ubyte", options=Options(classes=("zero", "one")))


def landmarks() -> list[Diagnostic]:
    persons("1\nAda_Lovelace 1 2\nAda_Lovelace 1 Bob 1\n")
    face = "30,30,60,30,45,45,35,60,55,60"
    ada = "Ada_Lovelace/Ada_Lovelace_000"
    text("lfw/points.csv", f"path,x1,y1\n{ada}1.png,{face}\n{ada}2.png,{face},9\n{ada}3.png,{face[:-2]}nan\n"
         f"Bob/Bob_0001.png,{'5,5,' * 4}5,5\n{ada}4.png,{face[:-2]}x\n"
         f"{ada}1.png,{face}\n./{ada}1.png,{face[:-2]}61\n")  # fmt: skip
    return found("lfw", options=Options(landmarks="lfw/points.csv"))


def same_pictures() -> list[Diagnostic]:
    animals()
    animals("more")
    put("more/cat/3.png", 77)
    put("animals/dog/3.png", 0)
    pixels = image(noise(6, 6, seed=1))
    pixels.save("more/cat/other.bmp")
    return found("animals", validation="more")


def frames_and_others() -> list[Diagnostic]:
    animals()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    frames[0].save("animals/cat/wave.gif", save_all=True, append_images=frames[1:])
    text("animals/cat/notes.md", "mine")
    text("animals/cat/notes.txt", "mine")
    text("animals/.hidden/1.png", "")
    text("animals/dog/.DS_Store", "")
    text("animals/dog/Thumbs.db", "")
    Path("animals/horse").mkdir()
    for name in ("loose.png", "notes.txt", ".hidden.png"):
        put(f"animals/{name}", 8)
    return found("animals")


def coco_with_mistakes() -> list[Diagnostic]:
    put("set/images/1.png")
    image(noise(20, 30)).save("set/images/2.png")
    rows = [
        {"id": 1, "image_id": 2, "category_id": 1, "bbox": [1, 1, 5, 5]},
        {"id": 2, "image_id": 2, "category_id": 1, "bbox": [25, 1, 15, 5]},
        {"id": 3, "image_id": 2, "category_id": 1, "bbox": [5, 5, 0, 3]},
        {"id": 4, "image_id": 9, "category_id": 1, "bbox": [1, 1, 5, 5]},
        {"id": 5, "image_id": 2, "category_id": 7, "bbox": [1, 1, 5, 5]},
        {"id": 6, "image_id": 2, "category_id": 1, "bbox": [1, 1, "5", 5]},
        {"id": 7, "image_id": 2, "category_id": 1, "bbox": [1, 1, 5, 5], "iscrowd": 1},
        {"id": 8, "category_id": 1, "bbox": [1, 1, 5, 5]},
        {"id": 9, "image_id": 2, "category_id": True, "bbox": [1, 1, 5, 5]},
        [],
        {"id": 10, "image_id": 2, "category_id": 1, "bbox": [1, 1, float("nan"), 5]},
        {"id": 11, "image_id": 2, "category_id": 1, "bbox": [5, 5, -2, 3]},
    ]
    images = [{"id": number, "file_name": f"{number}.png", "height": 20, "width": 30} for number in (1, 2, 3, 1)]
    categories = [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]
    text("set/boxes.json", json.dumps({"images": images, "categories": categories, "annotations": rows}))
    text("set/cut off.json", '{"images": [')
    text("set/results.json", json.dumps(rows))
    return [one for name in ("boxes", "cut off", "results") for one in open_boxes(f"set/{name}.json").diagnostics]


def voc_with_mistakes() -> list[Diagnostic]:
    image(noise(20, 30)).save("1.png")

    def thing(name: str, *sides: object) -> str:
        box = "".join(
            f"<{key}>{value}</{key}>" for key, value in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=False)
        )
        return f"<object><name>{name}</name><bndbox>{box}</bndbox></object>\n"

    size = "<size><width>30</width><height>20</height></size>"
    things = [
        thing("cat", 1, 1, 9, 9), thing("cta", 1, 1, 9, 9), thing("cat", 1, 1, 90, 9), thing("cat", 9, 1, 8, 9),
        thing("cat", 1, 1, 9), thing("", 1, 1, 9, 9), thing("cat", "one", 1, 9, 9), thing("cat", 9, 9, 4, 4),
    ]  # fmt: skip
    text("set/1.xml", f"<annotation>\n<filename>1.png</filename>{size}\n{''.join(things)}</annotation>")
    text("set/2.xml", f"<annotation><filename>2.png</filename>{size}</annotation>")
    text("set/3.xml", "<annotation><filename>1.png</filename></annotation>")
    text("set/4.xml", "<annotation>\n<filename>1.png")
    text("set/5.xml", "<image/>")
    text("set/6.xml", '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>')
    return [*open_boxes("set", images=".", classes=("cat", "dog")).diagnostics, *open_boxes(".", "voc").diagnostics]


def lists_of_voc() -> list[Diagnostic]:
    size = "<size><width>30</width><height>20</height></size>"
    for name in ("001", "002"):
        put_of(f"voc/JPEGImages/{name}.png")
        thing = "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        about = f"<filename>{name}.png</filename>{size}{thing}</object>"
        text(f"voc/Annotations/{name}.xml", f"<annotation>{about}</annotation>")
    text("voc/ImageSets/Main/train.txt", "001\n\n02\n001\nelsewhere\n002 003\n")
    text("voc/ImageSets/Main/cat_train.txt", "001  1\n002 -1\n")
    text("voc/ImageSets/Main/empty.txt", "\n")
    text("voc/ImageSets/Main/words.txt", "jürgen\n", "cp1252")
    text("other/train.txt", "001\n")
    names = [f"voc/ImageSets/Main/{name}.txt" for name in ("train", "cat_train", "empty", "words", "gone")]
    return [one for name in (*names, "other/train.txt") for one in open_boxes(name, "voc").diagnostics]


def yolo_with_mistakes() -> list[Diagnostic]:
    for number in (1, 2, 3):
        put(f"set/images/{number}.png", number)
    text("set/images/4.png", "no picture")
    nameless = open_boxes("set", "yolo").diagnostics
    text("set/data.yaml", "names: [cat, dog]\n")
    text("set/labels/1.txt", "0 0.5 0.5 0.2 0.2\n\n2 0.5 0.5 0.2 0.2\n1 12 7 4 4\n0 0.5 0.5 0.2\n"
         "0 0.1 0.1 0.2 0.2 0.3 0.3\ncat 0.5 0.5 0.2 0.2\n1 0.5 0.5 0 0.2\n1 0.5 0.5 -0.1 0.2\n")  # fmt: skip
    text("set/labels/9.txt", "0 0.5 0.5 0.2 0.2\n")
    text("none/classes.txt", "cat\n")
    put("poses/a.png", 5)
    text("poses/classes.txt", "cat\n")
    text("poses/a.txt", "0 0.5 0.5 0.2 0.2 0.45 0.45 1 0.55 0.5 1\n0 0.3 0.6 0.1 0.2 0.3 0.6 1 0 0 0\n")
    return [
        *nameless, *open_boxes("set").diagnostics, *open_boxes("none").diagnostics, *open_boxes("nowhere").diagnostics,
        *open_boxes("poses").diagnostics,
    ]  # fmt: skip


def boxes_and_their_pictures() -> list[Diagnostic]:
    """What the file of the boxes alone does not show; `4.png` lies on its side, and `6.png` is `5.png`."""
    for number, (height, width) in enumerate(((20, 30), (20, 30), (20, 30), (20, 30), (24, 36), (24, 36)), 1):
        image(noise(height, width, seed=min(number, 5))).save(f"{number}.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    image(noise(20, 30, seed=9)).save("4.png", exif=exif)
    Path("2.png").write_bytes(Path("2.png").read_bytes()[:-40])
    images = [{"id": number, "file_name": f"{number}.png", "height": 20, "width": 30} for number in range(1, 5)]
    images += [{"id": number, "file_name": f"{number}.png", "height": 24, "width": 36} for number in (5, 6)]
    images[2]["width"] = 60
    rows = [{"image_id": one["id"], "category_id": 1, "bbox": [1, 1, 15, 14]} for one in images]
    rows += [rows[0], {"image_id": 1, "category_id": 1, "bbox": [1, 1, 20, 0.5]}]
    rows += [{"image_id": 1, "category_id": 2, "bbox": [1, 1, 1, 1], "iscrowd": 1}]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "cats"}, {"id": 3, "name": "dog"}]
    data = {"images": images, "categories": categories, "annotations": rows}
    text("boxes.json", json.dumps(data))
    text("none.json", json.dumps(data | {"annotations": []}))
    text("cats.json", json.dumps(data | {"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "kats"}]}))
    pre = Preprocessing(40, 40)
    found: list[Diagnostic] = []
    for train, validation in (("boxes.json", "cats.json"), ("none.json", None)):
        opened = open_sets(
            Section(Path(train), Path(validation) if validation else None, "auto", Options(), {}, Augmentation())
        )
        found += opened.diagnostics
        assert opened.value is not None
        sets = opened.value
        found += check(sets.train, sets.validation, workers=0, outputs=2, batch=8, preprocessing=pre)
    return found


CASES: dict[str, Callable[[], list[Diagnostic]]] = {
    case.__name__: case
    for case in (
        missing_pictures, bad_pictures, bad_picture_of_a_list, encodings, rows, no_columns, classes, one_class, numbers,
        no_data_set, listed_twice, pairs, no_pairs, idx_files, landmarks, same_pictures, frames_and_others,
        coco_with_mistakes, voc_with_mistakes, lists_of_voc, yolo_with_mistakes,
        boxes_and_their_pictures,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_says_what_it_said_before(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = render(CASES[name]())
    golden = SAID / f"{name}.txt"
    if UPDATE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")


def test_every_code_has_a_case_and_every_text_its_case() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in SAID.glob("*.txt")}
    assert texts.keys() == CASES.keys()
    own = (code for code in checks.codes() if code[1:3] == "11" and code not in OF_USE)
    lacking = [code for code in own if not any(f"[{code}]" in t for t in texts.values())]
    assert lacking == []


def test_nothing_is_said_where_nothing_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    animals()
    persons("1\t1\nAda_Lovelace\t1\t2\nAda_Lovelace\t1\tBob\t1\n")
    for number, path in enumerate(("cat/3.png", "dog/3.png")):
        put(f"others/{path}", 100 + number)
    text("animals/list.csv", "filename,category\n" + "\n".join(f"{p},{p[:3]}" for p in ("cat/1.png", "dog/1.png")))
    write_idx("x-images-idx3-ubyte.gz", np.stack([noise(4, 4, 1, seed)[..., 0] for seed in range(3)]))
    write_idx("x-labels-idx1-ubyte.gz", np.array([0, 1, 2], dtype=np.uint8))
    assert found("animals", validation="others", outputs=2, batch=4) == []
    for path in ("animals/list.csv", "lfw", "x-images-idx3-ubyte.gz"):
        assert found(path) == [], path


def test_a_folder_is_listed_once_however_many_of_its_files_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And names are compared for the first of them: thousands with thousands would take minutes."""
    for number in range(3):
        making.put(tmp_path / f"flower {number}.png", number)
    endings = [f"flower {number}.jpg,a" for number in range(3)]
    names = [f"flower {number:03}.png,b" for number in range(100, 400)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *endings, *names]), encoding="utf-8")
    listed: list[str] = []
    compared: list[str] = []
    names_in, nearest = os.listdir, suggest.nearest

    def listing(path: str) -> list[str]:
        listed.append(path)
        return names_in(path)

    def comparing(name: str, known: Iterable[str]) -> str | None:
        compared.append(name)
        return nearest(name, known)

    monkeypatch.setattr(os, "listdir", listing)
    monkeypatch.setattr(suggest, "nearest", comparing)
    opened = open_dataset(tmp_path / "list.csv").value
    assert opened is not None
    found = [one for one in check(opened, workers=0) if one.code.id == "E1101"]
    assert len(found) == 303
    assert len(listed) == 1
    assert len(compared) == 100
    meant = [" ".join(fix.text for fix in one.fixes) for one in found]
    assert all("did you mean" in one for one in meant[:103])  # another ending is compared with nothing
    assert not any(meant[103:])
