"""What is wrong with a network, images, galleries and evaluations: each by its code, with the file and a way out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spinedsl import Mistakes
from spinedsl.data.idx import write_idx
from spinedsl.inference import Engine, Threshold, evaluate, make_gallery, open_engine, open_gallery, predict
from spinedsl.inference.using import engine_of
from spinedsl.record import replace
from spinedsl.training import checkpoint
from spinedsl.weights import to_bytes
from tests.inference.conftest import Trained
from tests.inference.making import NAMES, pairs, persons, squares
from tests.training.running import Squares

Here = Path


class Case:
    """How a fault is made in a folder and met, its code, and what the message has to name."""

    def __init__(self, act: Callable[[Path, Trained, Trained], object], code: str, *words: str) -> None:
        self.act, self.code, self.words = act, code, words


def wrote(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def weights_alone(folder: Path) -> Path:
    return wrote(folder / "weights.safetensors", to_bytes({"a": np.zeros(3, np.float32)}, {}))


def with_key(folder: Path, key: str, value: str) -> Path:
    """A sealed file with other metadata."""
    tensors = {"vectors": np.eye(2, dtype=np.float32)}
    return wrote(folder / "made.safetensors", to_bytes(tensors, {key: value}))


def about_gallery(**changes: Any) -> str:
    usual = {
        "version": 1, "network": "N", "digest": "d", "step": 1, "names": ["a", "b"], "counts": [1, 1], "pictures": [],
        "threshold": None,
    }  # fmt: skip
    return json.dumps({**usual, **changes})


def damaged(path: Path, at: float = 0.9) -> Path:
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 16
    path.write_bytes(bytes(data))
    return path


def gallery_file(folder: Path, faces: Trained) -> Path:
    make_gallery(faces.run, faces.val).save(folder / "g.safetensors")
    return folder / "g.safetensors"


def pytorch_file(folder: Path) -> Path:
    torch.save({"a": torch.zeros(2)}, folder / "w.pt")
    return folder / "w.pt"


def without_config(path: Path, folder: Path, **changes: Any) -> Path:
    """A checkpoint whose configuration says something else."""
    found = checkpoint.read(path).value
    assert found is not None
    about = {key: value for key, value in {**found.about, **changes}.items() if key != "version"}
    checkpoint.write(folder / "changed.safetensors", found.sets, about)
    return folder / "changed.safetensors"


def idx(folder: Path, labels: list[int]) -> Path:
    write_idx(str(folder / "t-images-idx3-ubyte"), np.zeros((len(labels), 16, 16), np.uint8))
    write_idx(str(folder / "t-labels-idx1-ubyte"), np.array(labels, np.uint8))
    return folder


def other_faces(folder: Path, faces: Trained) -> Path:
    """The network of the faces, trained a step farther: one weight is another."""
    found = checkpoint.read(faces.model).value
    assert found is not None
    next(iter(found.sets["model"].values())).view(-1)[0] += 1
    about = {key: value for key, value in found.about.items() if key != "version"}
    checkpoint.write(folder / "other.safetensors", found.sets, about)
    return folder / "other.safetensors"


def evaluation(folder: Path, faces: Trained, **changes: Any) -> Path:
    held = evaluate(faces.run, faces.val).to_json()
    return wrote(folder / "eval.json", json.dumps({**held, **changes}))


def with_bad_pictures(folder: Path) -> Path:
    squares(folder / "bad", Squares(6))
    for name in ("one", "two"):
        wrote(folder / f"bad/red/{name}.jpg", b"\xff\xd8\xff\xe0 cut off")
    return folder / "bad"


NETWORKS = {
    "nothing there": Case(lambda f, c, e: evaluate(f / "best.safetensor"), "E0801", "best.safetensor"),
    "a folder without a run": Case(lambda f, c, e: evaluate(f), "E1020", "folder without a checkpoint"),
    "a configuration": Case(lambda f, c, e: evaluate(wrote(f / "a.toml", "x = 1")), "E1020", "it is a configuration"),
    "a network": Case(lambda f, c, e: evaluate(wrote(f / "a.spine", "spine 1\n")), "E1020", "was not trained"),
    "a picture": Case(lambda f, c, e: predict(next(c.val.rglob("*.png")), []), "E1020", "named first"),
    "an empty file": Case(lambda f, c, e: evaluate(wrote(f / "a.bin", b"")), "E1020", "empty"),
    "weights alone": Case(lambda f, c, e: evaluate(weights_alone(f)), "E1010", "weights alone", "--weights"),
    "weights of PyTorch": Case(lambda f, c, e: evaluate(pytorch_file(f)), "E1020", "weights alone"),
    "a gallery": Case(lambda f, c, e: evaluate(gallery_file(f, e)), "E1010", "weights alone"),
    "a damaged checkpoint": Case(
        lambda f, c, e: evaluate(damaged(Path(shutil.copy(c.model, f)))), "E0908", "last.safetensors"
    ),
    "a name with a null": Case(lambda f, c, e: evaluate(f / "a\0b"), "E0801", "no file can have this name"),
    "a classifier for a gallery": Case(lambda f, c, e: make_gallery(c.run, e.val), "E1028", "classification", "embed"),
    "a classifier with a gallery": Case(
        lambda f, c, e: predict(c.run, c.val, gallery=gallery_file(f, e)), "E1028", "classification"
    ),
    "a classifier with pairs": Case(
        lambda f, c, e: evaluate(c.run, pairs=wrote(f / "pairs.txt", "a 1 2\n")), "E1028", "verification"
    ),
    "a classifier with a threshold": Case(lambda f, c, e: predict(c.run, c.val, threshold=0.5), "E1028", "threshold"),
}  # fmt: skip
IMAGES = {
    "no validation images": Case(
        lambda f, c, e: evaluate(without_config(c.model, f, config='[data]\ntrain = "x"\n')),
        "E1024", "names no validation",
    ),
    "validation images that are gone": Case(
        lambda f, c, e: evaluate(without_config(c.model, f, config='[data]\ntrain = "x"\nvalidation = "gone"\n')),
        "E1024", "gone", "is not there", "--data",
    ),
    "a configuration without validation": Case(
        lambda f, c, e: evaluate(c.run, wrote(f / "a.toml", '[data]\ntrain = "x"\n')), "E1024", "a.toml"
    ),
    "a configuration that is none": Case(
        lambda f, c, e: evaluate(c.run, wrote(f / "a.toml", "[data")), "E1001", "a.toml"
    ),
    "no such folder": Case(lambda f, c, e: evaluate(c.run, f / "nope"), "E1109", "nope"),
    "a folder of nothing": Case(lambda f, c, e: evaluate(c.run, _made(f / "e/red").parent), "E1022", "has none"),
    "a data set of nothing": Case(lambda f, c, e: evaluate(c.run, Squares(0)), "E1022", "empty"),
    "a class that the network has not": Case(
        lambda f, c, e: evaluate(c.run, squares(f / "d", Squares(8, classes=("red", "green", "blue", "grean")))),
        "E1105", "grean", "did you mean `green`?",
    ),
    "such a class of a data set": Case(
        lambda f, c, e: evaluate(c.run, Squares(8, classes=("red", "green", "blue", "pink"))), "E1105", "pink"
    ),
    "a label beyond the head": Case(lambda f, c, e: evaluate(c.run, idx(f, [0, 1, 12])), "E1105", "12"),
    "a label in a list": Case(
        lambda f, c, e: evaluate(c.run, wrote(f / "l.csv", "path,label\na.png,red\nb.png,purple\n")),
        "E1105", "l.csv", "purple", "3",
    ),
    "pictures that cannot be read": Case(
        lambda f, c, e: evaluate(c.run, with_bad_pictures(f)), "E1102", "one.jpg", "two.jpg"
    ),
    "a picture of a list that is missing": Case(
        lambda f, c, e: evaluate(c.run, wrote(f / "l.csv", "path,label\na.png,red\n")), "E1102", "a.png", "l.csv"
    ),
    "persons of whom there is one": Case(
        lambda f, c, e: evaluate(e.run, persons(f / "p", NAMES[:1])), "E1023", "all of one person"
    ),
    "fewer pairs than folds": Case(
        lambda f, c, e: evaluate(e.run, e.val, folds=9), "E1023", "enough for 4 folds, and 9 are asked for"
    ),
    "fewer pairs in a list than folds": Case(
        lambda f, c, e: evaluate(e.run, e.val, pairs=_listed(f), folds=5), "E1023", "enough for 1 fold", "5"
    ),
    "pairs of a list of pictures": Case(
        lambda f, c, e: evaluate(e.run, wrote(f / "l.csv", "path,label\na.png,x\n"), pairs=_listed(f)),
        "E1109", "it is no folder",
    ),
    "a gallery of no images": Case(lambda f, c, e: make_gallery(e.run, _made(f / "e/x").parent), "E1022", "has none"),
    "a gallery of a damaged picture": Case(
        lambda f, c, e: make_gallery(e.run, with_bad_pictures(f)), "E1102", "one.jpg", "two.jpg"
    ),
    "a gallery of a folder of pictures": Case(
        lambda f, c, e: make_gallery(e.run, e.val / NAMES[0]), "E1109", "no folder for each class"
    ),
}  # fmt: skip
FILES = {
    "a gallery that is not there": Case(lambda f, c, e: predict(e.run, e.val, gallery=f / "no"), "E0801", "no"),
    "a gallery that is a folder": Case(lambda f, c, e: predict(e.run, e.val, gallery=f), "E1025", "it is a folder"),
    "a gallery that is a checkpoint": Case(
        lambda f, c, e: predict(e.run, e.val, gallery=e.model), "E1025", "it is a checkpoint"
    ),
    "a gallery that is weights": Case(
        lambda f, c, e: predict(e.run, e.val, gallery=weights_alone(f)), "E1025", "weights"
    ),
    "a gallery that is JSON": Case(
        lambda f, c, e: predict(e.run, e.val, gallery=wrote(f / "g.json", "{}")), "E1025", "no safetensors"
    ),
    "a damaged gallery": Case(
        lambda f, c, e: predict(e.run, e.val, gallery=damaged(gallery_file(f, e))), "E0908", "g.safetensors"
    ),
    "a gallery of another network": Case(
        lambda f, c, e: predict(other_faces(f, e), e.val, gallery=gallery_file(f, e)), "E1026", "`Faces`, step 60"
    ),
    "the same in an evaluation": Case(
        lambda f, c, e: evaluate(other_faces(f, e), e.val, gallery=gallery_file(f, e)), "E1026", "g.safetensors"
    ),
    "an evaluation of another network": Case(
        lambda f, c, e: make_gallery(other_faces(f, e), e.val, evaluation=evaluation(f, e)), "E1026", "eval.json"
    ),
    "an evaluation that is not there": Case(
        lambda f, c, e: predict(e.run, e.val, evaluation=f / "eval.json"), "E0801", "eval.json"
    ),
    "an evaluation that is no JSON": Case(
        lambda f, c, e: predict(e.run, e.val, evaluation=wrote(f / "e.json", "{\n  broken")), "E1027", "2:3", "not JSON"
    ),
    "an evaluation nested too deep": Case(
        lambda f, c, e: predict(e.run, e.val, evaluation=wrote(f / "e.json", "[" * 200_000)), "E1027", "nested too deep"
    ),
    "another JSON": Case(
        lambda f, c, e: predict(e.run, e.val, evaluation=wrote(f / "e.json", "[1]")), "E1027", "did not write it"
    ),
    "an evaluation of tomorrow": Case(
        lambda f, c, e: predict(e.run, e.val, evaluation=evaluation(f, e, **{"spine.evaluation": 2})),
        "E1027", "version 2",
    ),
    "an evaluation without a threshold": Case(
        lambda f, c, e: predict(e.run, e.val, evaluation=evaluation(f, e, threshold=None)), "E1027", "no threshold"
    ),
    "an evaluation with another threshold": Case(
        lambda f, c, e: predict(e.run, e.val, evaluation=evaluation(f, e, threshold={"value": "high"})),
        "E1027", "no number",
    ),
}  # fmt: skip


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _listed(folder: Path) -> Path:
    pairs(folder, ["Mary\t20\t21", "Mary\t20\tNils\t20"])
    return folder / "pairs.txt"


@pytest.mark.parametrize(
    "case", [*NETWORKS.values(), *IMAGES.values(), *FILES.values()], ids=[*NETWORKS, *IMAGES, *FILES]
)
def test_a_fault_is_told_with_its_code(case: Case, tmp_path: Path, colours: Trained, faces: Trained) -> None:
    with pytest.raises(Mistakes) as raised:
        case.act(tmp_path, colours, faces)
    found = raised.value.diagnostics
    assert {one.code.id for one in found} == {case.code}
    text = str(found)
    assert all(word in text for word in case.words), text


@pytest.mark.parametrize(
    "text",
    [
        "not JSON", "[]", about_gallery(names=[]), about_gallery(names=["a", "a"]), about_gallery(counts=[1]),
        about_gallery(names=["a", "b", "c"], counts=[1, 1, 1]), about_gallery(step="x"), about_gallery(threshold=3),
        about_gallery(threshold={"value": "x", "how": ""}), about_gallery(version="x"), "{" * 100_000,
        about_gallery(pictures=7),
    ],
)  # fmt: skip
def test_a_gallery_that_says_what_cannot_be(text: str, tmp_path: Path) -> None:
    """Whole by its digests, and written by somebody else."""
    found = open_gallery(with_key(tmp_path, "spine.gallery", text))
    assert [one.code.id for one in found.diagnostics] == ["E1025"]


def test_a_gallery_of_tomorrow(tmp_path: Path) -> None:
    found = open_gallery(with_key(tmp_path, "spine.gallery", about_gallery(version=2)))
    assert "version 2" in found.diagnostics[0].message
    assert open_gallery(with_key(tmp_path, "spine.gallery", about_gallery())).value is not None


def test_vectors_that_are_not_finite(tmp_path: Path) -> None:
    tensors = {"vectors": np.full((2, 2), np.nan, np.float32)}
    path = wrote(tmp_path / "g.safetensors", to_bytes(tensors, {"spine.gallery": about_gallery()}))
    assert [one.code.id for one in open_gallery(path).diagnostics] == ["E1025"]


def test_output_that_is_not_finite(colours: Trained) -> None:
    def wrong(pictures: Any) -> Any:
        found = engine.compute(pictures)
        found[3, 0] = np.nan
        return found

    engine = engine_of(colours.run, "cpu")
    broken: Engine = replace(engine, compute=wrong)
    with pytest.raises(Mistakes, match=r"E1021[\s\S]*picture") as raised:
        evaluate(broken, colours.val)
    assert len(raised.value.diagnostics) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(colours: Trained, faces: Trained) -> None:
    for act in (
        lambda: evaluate(colours.run, device="cuda"),
        lambda: predict(colours.run, colours.val, device="cuda"),
        lambda: make_gallery(faces.run, faces.val, device="cuda"),
    ):
        with pytest.raises(Mistakes, match="E1013"):
            act()


# ---- warnings ----


def test_images_of_one_class_are_worth_a_word(colours: Trained, tmp_path: Path) -> None:
    squares(tmp_path / "d", Squares(6))
    for name in ("red", "blue"):
        shutil.rmtree(tmp_path / "d" / name)
    found = evaluate(colours.run, tmp_path / "d")
    assert [one.code.id for one in found.reported] == ["W1020"]
    assert "green" in found.reported[0].message


def test_a_gallery_of_one_person_is_worth_a_word(faces: Trained, tmp_path: Path) -> None:
    gallery = make_gallery(faces.run, persons(tmp_path / "one", NAMES[:1]))
    assert [one.code.id for one in gallery.reported] == ["W1021"]
    (tmp_path / "one/Nobody").mkdir()
    again = make_gallery(faces.run, tmp_path / "one")
    assert [one.code.id for one in again.reported] == ["W1104", "W1021"]
    assert again.names == NAMES[:1]


# ---- arguments of another kind ----

WRONG: dict[str, tuple[Callable[[Trained], object], type[Exception], str]] = {
    "a network of numbers": (lambda c: evaluate(5), TypeError, "path of a checkpoint"),
    "data of numbers": (lambda c: evaluate(c.run, 5), TypeError, "data must be a folder"),
    "a device": (lambda c: open_engine(c.run, "gpu"), ValueError, "device must be one of"),
    "folds": (lambda c: evaluate(c.run, folds=1), ValueError, "2 or more"),
    "folds of another kind": (lambda c: evaluate(c.run, folds="5"), TypeError, "whole number"),  # type: ignore[arg-type]
    "a share as a number": (lambda c: evaluate(c.run, far=0.1), TypeError, "in a list"),  # type: ignore[arg-type]
    "a share of all": (lambda c: evaluate(c.run, far=[1.0]), ValueError, "below 1"),
    "a share of a gallery": (lambda c: evaluate(c.run, fpir=[0.1]), ValueError, "gallery must be given"),
    "top": (lambda c: predict(c.run, c.val, top=0), ValueError, "1 or more"),
    "a threshold": (lambda c: predict(c.run, c.val, threshold=2.0), ValueError, "cosine"),
    "a threshold twice": (lambda c: predict(c.run, c.val, threshold=0.1, evaluation="e"), ValueError, "one of them"),
    "images of numbers": (lambda c: predict(c.run, [5]), TypeError, "uint8 array"),
    "pixels of numbers": (lambda c: predict(c.run, np.zeros((4, 4, 3))), TypeError, "float64 of 4x4x3"),
    "pixels with transparency": (lambda c: predict(c.run, np.zeros((4, 4, 4), np.uint8)), TypeError, "4x4x4"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_given_is_looked_at(name: str, colours: Trained) -> None:
    act, kind, words = WRONG[name]
    with pytest.raises(kind, match=words):
        act(colours)


def test_a_threshold_is_a_number_or_none() -> None:
    assert str(Threshold(0.25, "x")) == "0.25: x"
    assert str(Threshold(None, "x")) == "that nothing reaches: x"


def test_pictures_are_any(colours: Trained, tmp_path: Path) -> None:
    """16 bits, CMYK, transparency, a rotation, a palette, an odd name: the same as the data set would read."""
    image = Image.fromarray(Squares(1).read(0)[0])
    rotated = Image.Exif()
    rotated[0x0112] = 6
    image.save(tmp_path / "turned ü.jpg", exif=rotated)
    image.convert("CMYK").save(tmp_path / "cmyk.jpg")
    image.convert("RGBA").save(tmp_path / "alpha.png")
    image.convert("P").save(tmp_path / "palette.gif")
    Image.fromarray(np.full((18, 16), 40_000, np.uint16)).save(tmp_path / "deep.png")
    found = predict(colours.run, tmp_path)
    assert not found.reported
    assert [Path(row.path).name for row in found.rows] == [
        "alpha.png", "cmyk.jpg", "deep.png", "palette.gif", "turned ü.jpg",
    ]  # fmt: skip
    from spinedsl.data.pictures import read_pixels

    engine = engine_of(colours.run, "cpu")
    for row in found.rows:
        shares = engine.run([read_pixels(row.path)])[0]
        assert row.guesses[0].value == pytest.approx(float(shares.max()), abs=1e-6)
