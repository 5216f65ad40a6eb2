"""Pictures with boxes as the data of a run: found by what is there, named by [data], fingerprinted, sent to workers."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spinedsl.data.augment import augmentation
from spinedsl.data.boxes import KINDS, BoxSet, open_boxes
from spinedsl.data.boxes.check import counts
from spinedsl.data.boxes.kept import Box, Picture
from spinedsl.data.check import check
from spinedsl.data.digest import difference, fingerprint
from spinedsl.data.loader import Loader, Recipe
from spinedsl.data.pictures import BadPicture
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sampler import Plan
from spinedsl.data.section import Section, Sets, open_sets, read_section
from spinedsl.data.sources import kind_of, open_data, open_dataset
from spinedsl.data.steps import AUGMENTS
from spinedsl.diagnostics import Outcome
from spinedsl.diagnostics.render import render
from spinedsl.source import Source
from spinedsl.toml import read_toml
from tests.data.making import image, noise, put
from tests.data.test_boxes import CLASSES, MADE, OBJECTS


def section(text: str, folder: Path) -> Outcome[Section]:
    return read_toml(Source.from_text(text, "training.toml")).then(lambda document: read_section(document, folder))


def sets(text: str, folder: Path) -> Outcome[Sets]:
    return section(text, folder).then(open_sets)


# ---- which kind it is ----


def flat_voc(root: Path) -> Path:
    MADE["voc"](root)
    for file in (*root.glob("*/*.xml"), *root.glob("*/*.png")):
        file.rename(root / file.name)
    for folder in ("Annotations", "JPEGImages"):
        (root / folder).rmdir()
    return root


def flat_yolo(root: Path) -> Path:
    MADE["yolo"](root)
    for file in (*root.glob("labels/*"), *root.glob("images/*")):
        file.rename(root / file.name)
    for folder in ("labels", "images"):
        (root / folder).rmdir()
    return root


def split_yolo(root: Path) -> Path:
    """`images/train` beside `labels/train`, and the classes in the `data.yaml` above."""
    MADE["yolo"](root)
    for name in ("images", "labels"):
        (root / name).rename(root / "train")
        (root / name).mkdir()
        (root / "train").rename(root / name / "train")
    (root / "classes.txt").unlink()
    (root / "data.yaml").write_text("names: [cat, dog]\n")
    return root / "images" / "train"


def coco_as_published(root: Path) -> Path:
    """`annotations/instances_train.json` beside `train`."""
    file = MADE["coco"](root)
    (root / "images").rename(root / "train")
    (root / "annotations").mkdir()
    return file.rename(root / "annotations" / "instances_train.json")


FORMS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    **{kind: (kind, made) for kind, made in MADE.items()},
    "flat_voc": ("voc", flat_voc),
    "flat_yolo": ("yolo", flat_yolo),
    "split_yolo": ("yolo", split_yolo),
    "coco_as_published": ("coco", coco_as_published),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_found_by_what_is_there(form: str, tmp_path: Path) -> None:
    kind, made = FORMS[form]
    path = made(tmp_path / "set")
    assert kind_of(path) == kind
    found = open_data(path)
    assert [one.code.id for one in found.diagnostics] == ["W1107"]
    assert isinstance(found.value, BoxSet)
    assert (found.value.kind, found.value.classes) == (kind, CLASSES)
    boxes = {Path(picture.path).name: len(picture.boxes) for picture in found.value.pictures}
    assert boxes == {name: len(objects) for name, objects in OBJECTS.items()}


@pytest.mark.parametrize("where", ["ImageSets/Main", "ImageSets", "lists"])
def test_a_list_of_voc_names_the_pictures(where: str, tmp_path: Path) -> None:
    root = MADE["voc"](tmp_path / "set")
    (root / where).mkdir(parents=True)
    for name, lines in {"train": "c\na\n", "val": "b \n\n"}.items():
        (root / where / f"{name}.txt").write_text(lines)
    kind = "voc" if where == "lists" else "auto"  # elsewhere a text file may be a list of another kind
    assert kind_of(root / where / "train.txt") == ("csv" if where == "lists" else "voc")
    text = f'[data]\ntrain = "set/{where}/train.txt"\nvalidation = "set/{where}/val.txt"\nkind = "{kind}"\n'
    (tmp_path / "c.toml").write_text(text)
    document = read_toml(Source.from_text(text, "c.toml")).value
    assert document is not None
    sets = read_section(document, tmp_path).then(open_sets).value
    assert sets is not None
    assert [type(one) for one in (sets.train, sets.validation)] == [BoxSet, BoxSet]
    assert isinstance(sets.train, BoxSet)
    assert isinstance(sets.validation, BoxSet)
    assert [Path(one.path).stem for one in sets.train.pictures] == ["c", "a"], "in the order of the list"
    assert [Path(one.path).stem for one in sets.validation.pictures] == ["b"]
    assert [len(one.boxes) for one in sets.train.pictures] == [1, 2]
    assert fingerprint(sets.train) != fingerprint(sets.validation)


def test_what_has_a_class_each_is_what_it_was(tmp_path: Path) -> None:
    """Folders of classes that are called as folders of boxes are."""
    for number, name in enumerate(("Annotations/1", "JPEGImages/1", "images/1", "labels/1")):
        put(tmp_path / "one" / f"{name}.png", number)
    (tmp_path / "one/labels/1.txt").write_text("a note")
    (tmp_path / "one/notes.json").write_text("{}")
    (tmp_path / "one/classes.txt").write_text("cat\n")
    (tmp_path / "list.txt").write_text("path,label\none/images/1.png,cat\n")
    assert kind_of(tmp_path / "one") == "folder"
    opened = open_data(tmp_path / "one").value
    assert opened is not None
    assert opened.classes == ("Annotations", "JPEGImages", "images", "labels")
    assert kind_of(tmp_path / "list.txt") == "csv"
    assert kind_of(tmp_path / "nowhere") == "folder"


def test_boxes_are_no_data_set_of_classes_and_the_file_beside_is_named(tmp_path: Path) -> None:
    path = MADE["coco"](tmp_path / "set")
    for opened in (open_dataset(path), open_dataset(path, "coco")):
        assert opened.value is None
        assert "its pictures have boxes, and no class each" in render(opened.diagnostics)
    folder = open_data(tmp_path / "set").value
    assert folder is not None
    assert "name the file of the boxes, if it is that" in render(check(folder, workers=0))
    shutil.move(path, tmp_path / "set/images/boxes.json")
    assert "name the file of the boxes, if it is that" in render(open_data(tmp_path / "set/images").diagnostics)


# ---- [data] ----


def test_a_section_names_boxes_their_pictures_and_those_for_validation(tmp_path: Path) -> None:
    for name in ("train", "val"):
        MADE["coco"](tmp_path / name)
        (tmp_path / name / "images").rename(tmp_path / f"photos of {name}")
    text = """\
[data]
train = "train/boxes.json"
validation = "val/boxes.json"
images = "photos of train"
validation_images = "photos of val"
classes = ["dog", "cat"]
[data.preprocessing]
background = [1, 2, 3]
"""
    found = sets(text, tmp_path)
    assert [one.code.id for one in found.diagnostics] == ["W1107", "W1107"]
    assert found.value is not None
    train, validation = found.value.train, found.value.validation
    assert isinstance(train, BoxSet)
    assert isinstance(validation, BoxSet)
    assert (train.classes, validation.classes) == (("dog", "cat"), ("dog", "cat"))
    assert [Path(one.pictures[0].path).parent.name for one in (train, validation)] == [
        "photos of train",
        "photos of val",
    ]
    assert train.background == (1, 2, 3)
    both = sets(text.replace('validation_images = "photos of val"\n', ""), tmp_path).value
    assert both is not None
    assert isinstance(both.validation, BoxSet)
    assert Path(both.validation.pictures[0].path).parent.name == "photos of train", "one folder may have all"


ODD = {
    "label_column": '"x"', "path_column": '"x"', "delimiter": '";"', "encoding": '"cp1252"', "labels": '"x"',
    "pairs": '"x"', "landmarks": '"x"',
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_settings_of_classes_make_no_sense_of_boxes(name: str, tmp_path: Path) -> None:
    MADE["voc"](tmp_path / "set")
    found = sets(f'[data]\ntrain = "set"\n{name} = {ODD[name]}\n', tmp_path)
    (wrong,) = [one for one in found.diagnostics if one.code.id == "E1007"]
    assert wrong.message == f"`data.{name}` is for images with a class each, and the training images have boxes"
    assert wrong.span.line == 3


def test_settings_of_boxes_make_no_sense_of_classes(tmp_path: Path) -> None:
    for seed, name in enumerate(("rose", "lily")):
        put(tmp_path / f"set/{name}/1.png", seed)
    text = '[data]\ntrain = "set"\nimages = "x"\nvalidation_images = "x"\n[data.augment]\nmosaic = true\nscale = true\n'
    found = sets(text, tmp_path)
    assert [(one.code.id, one.span.line) for one in found.diagnostics] == [("E1007", 3), ("E1007", 4), ("E1007", 6)]
    assert "`data.augment.mosaic` is for images with boxes" in render(found.diagnostics)


@pytest.mark.parametrize("name", AUGMENTS)
def test_what_cannot_carry_boxes_is_refused_before_the_first_step(name: str, tmp_path: Path) -> None:
    MADE["voc"](tmp_path / "set")
    found = sets(f'[data]\ntrain = "set"\n[data.augment]\n{name} = true\n', tmp_path)
    odd = [one for one in found.diagnostics if one.code.id == "E1007"]
    assert bool(odd) == (name in ("rotate", "rand", "new_classes"))
    for one in odd:
        assert one.message.startswith(f"`data.augment.{name}` cannot carry boxes: ")
        assert one.span.line == 4
        assert "leave it out: crop, flip, upturn, turn, shift, jitter, erase, scale, mosaic do carry" in render([one])


def test_a_part_of_each_picture_is_refused(tmp_path: Path) -> None:
    MADE["voc"](tmp_path / "set")
    found = sets('[data]\ntrain = "set"\n[data.preprocessing]\nresize = "crop"\n', tmp_path)
    assert [(one.code.id, one.span.line) for one in found.diagnostics] == [("W1107", 1), ("E1007", 4)]
    assert "letterbox" in render(found.diagnostics)


@pytest.mark.parametrize("kind", KINDS)
def test_classes_of_validation_are_those_of_training(kind: str, tmp_path: Path) -> None:
    MADE[kind](tmp_path / "train")
    path = MADE[kind](tmp_path / "val")
    file = {"coco": path, "voc": path / "Annotations/a.xml", "yolo": path / "classes.txt"}[kind]
    names = ("train/boxes.json", "val/boxes.json") if kind == "coco" else ("train", "val")
    text = '[data]\ntrain = "{}"\nvalidation = "{}"\n'.format(*names)
    assert sets(text, tmp_path).ok
    file.write_text(file.read_text().replace("dog", "dgo"))
    said = [one for one in sets(text, tmp_path).diagnostics if one.code.id == "E1105"]
    assert len(said) == 1
    assert "there is no class `dgo`" in said[0].message
    assert "did you mean `dog`?" in render(said)


def test_numbers_of_yolo_mean_the_same_classes_in_both(tmp_path: Path) -> None:
    MADE["yolo"](tmp_path / "train")
    MADE["yolo"](tmp_path / "val")
    text = '[data]\ntrain = "train"\nvalidation = "val"\n'
    (tmp_path / "val/classes.txt").write_text("dog\ncat\n")
    found = sets(text, tmp_path)
    assert [one.code.id for one in found.diagnostics if one.code.id[0] == "E"] == ["E1007"]
    assert "numbers stand for other classes" in render(found.diagnostics)
    (tmp_path / "val/classes.txt").unlink()
    assert sets(text, tmp_path).ok, "it has no names of its own"


def test_both_have_boxes_or_both_a_class_each(tmp_path: Path) -> None:
    MADE["voc"](tmp_path / "train")
    for seed, name in enumerate(CLASSES):
        put(tmp_path / f"val/{name}/1.png", seed)
    found = sets('[data]\ntrain = "train"\nvalidation = "val"\n', tmp_path)
    assert "the training images have boxes, and those for validation a class each" in render(found.diagnostics)


# ---- counts, fingerprints, and sending ----


def many(count: int) -> BoxSet:
    """So many pictures with seven boxes each, none of which is there."""
    boxes = tuple(Box((number, 2.5, number + 20.125, 40.0), number % 3, False, 700.25) for number in range(7))
    pictures = (Picture(f"/data/sets/coco/train2017/{number:012d}.jpg", 480, 640, boxes) for number in range(count))
    return BoxSet("coco", "boxes.json", ("a", "b", "c"), tuple(pictures))


def test_objects_are_counted_by_class_and_size() -> None:
    areas = (1023.9, 1024.0, 9215.9, 9216.0, 5.0)
    boxes = tuple(Box((0, 0, 1, 1), number % 2, number == 4, area) for number, area in enumerate(areas))
    found = counts(BoxSet("coco", "x", ("a", "b", "c"), (Picture("", 1, 1, boxes),)))
    assert [(one.small, one.medium, one.large, one.crowds, one.objects) for one in found] == [
        (1, 1, 0, 1, 2), (0, 1, 1, 0, 2), (0, 0, 0, 0, 0),
    ]  # fmt: skip


def test_a_set_of_ten_thousand_pictures_is_sent_in_a_few_bytes_a_box() -> None:
    found = many(10_000)
    sent = pickle.dumps(found)
    assert len(sent) < 10_000 * (60 + 7 * 64)
    again = pickle.loads(sent)
    assert (again.kind, again.name, again.classes, again.is_whole) == ("coco", "boxes.json", ("a", "b", "c"), True)
    assert again.pictures == found.pictures
    empty = pickle.loads(pickle.dumps(many(0)))
    assert empty.pictures == ()


def test_a_fingerprint_sees_boxes_and_pictures_and_not_where_they_are(tmp_path: Path) -> None:
    def now(root: Path) -> BoxSet:
        found = open_boxes(root / "boxes.json").value
        assert found is not None
        return found

    path = MADE["coco"](tmp_path / "set")
    before = fingerprint(now(tmp_path / "set"))
    (tmp_path / "set").rename(tmp_path / "elsewhere")
    path = tmp_path / "elsewhere/boxes.json"
    assert difference(before, fingerprint(now(path.parent))) == ""
    data = json.loads(path.read_text())
    text = path.read_text()
    for change in ({"bbox": [2, 3, 10, 10.5]}, {"iscrowd": 1}, {"area": 3.5}, {"category_id": 17}):
        path.write_text(json.dumps(data | {"annotations": [data["annotations"][0] | change, *data["annotations"][1:]]}))
        assert "boxes" in difference(before, fingerprint(now(path.parent))), change
    path.write_text(text)
    assert difference(before, fingerprint(now(path.parent))) == ""
    image(noise(20, 40, seed=77)).save(path.parent / "images/a.png")
    assert difference(before, fingerprint(now(path.parent))) != ""


def test_a_fingerprint_takes_absolute_and_relative_paths_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = [Picture(f"images/{name}.png", 4, 4, ()) for name in "ab"]
    mixed = [here[0], Picture(str(tmp_path / "images/b.png"), 4, 4, ())]
    found = [fingerprint(BoxSet("coco", "x", ("a",), tuple(pictures))) for pictures in (here, mixed)]
    assert found[0] == found[1]


# ---- batches ----

ALL = augmentation({name: True for name, kind in AUGMENTS.items() if kind.carries_boxes} | {"mosaic": 0.5})


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> BoxSet:
    root = tmp_path_factory.mktemp("boxes")
    pictures = []
    for number in range(10):
        path = str(root / f"{number}.png")
        image(noise(40 + number, 60, seed=number)).save(path)
        sides = ((1.0, 2.0, 30.5, 20.0), (20.0, 10.0, 59.0, 39.0))
        pictures.append(Picture(path, 40 + number, 60, tuple(Box(one, 1, False, 9.0) for one in sides)))
    return BoxSet("coco", "x", ("a", "b"), tuple(pictures))


def test_workers_make_no_difference_to_any_bit_of_pictures_and_boxes(boxes: BoxSet) -> None:
    recipe, plan = Recipe(boxes, Preprocessing(32, 32, "letterbox"), ALL, seed=3), Plan(3, 10, 4)
    with Loader(recipe) as alone, Loader(recipe, 2) as workers:
        expected = list(alone.steps(plan, 0, 7))
        for first, found in ((0, list(workers.steps(plan, 0, 7))), (5, list(workers.steps(plan, 5, 7)))):
            for one, other in zip(expected[first:], found, strict=True):
                assert np.array_equal(one.pictures, other.pictures)
                assert len(one.objects) == len(other.objects) == 4
                for mine, theirs in zip(one.objects, other.objects, strict=True):
                    for name in ("sides", "labels", "crowds", "areas", "original"):
                        assert np.array_equal(getattr(mine, name), getattr(theirs, name))
                    assert mine.placement == theirs.placement
    kinds = {len(objects) for batch in expected for objects in batch.objects}
    assert len(kinds) > 2, "mosaics, and pictures alone"


def test_damaged_pictures_and_those_of_another_size_are_named(boxes: BoxSet, tmp_path: Path) -> None:
    path = tmp_path / "9.png"
    image(noise(41, 60)).save(path)
    for height, reason in ((40, "it is 60x41 pixels, and its boxes are of 60x40"), (41, "cut off")):
        if height == 41:
            path.write_bytes(path.read_bytes()[:-60])
        bad = BoxSet("coco", "x", ("a", "b"), (*boxes.pictures[:3], Picture(str(path), height, 60, ())))
        with (
            Loader(Recipe(bad, Preprocessing(8, 8)), 1) as loader,
            pytest.raises(BadPicture, match=f"9\\.png: .*{reason}"),
        ):
            list(loader.steps(Plan(0, 4, 4), 0, 1))
