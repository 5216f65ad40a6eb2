"""Figures of an evaluation beside counts by hand, sweeps and formulas; its JSON, text and picture."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image

from spinedsl import Mistakes, tasks, train
from spinedsl.data.pictures import read_pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sources import open_dataset
from spinedsl.inference.compared import pictures_in, samples_in
from spinedsl.inference.engine import Engine
from spinedsl.inference.evaluation import evaluate, thinned
from spinedsl.inference.gallery import make_gallery, mean_of
from spinedsl.inference.measure import TooFew, of_classes, of_gallery, of_persons, threshold_of
from spinedsl.inference.opening import open_engine
from spinedsl.inference.samples import images_of
from spinedsl.record import replace
from spinedsl.tasks.embedding import Operating, tpir_at_fpir
from spinedsl.training.build import open_trained
from tests.inference.conftest import Trained
from tests.inference.making import NAMES, of_faces, pairs, persons, squares
from tests.training.running import Squares, settings


def engine(path: Path) -> Engine:
    found = open_engine(path, "cpu").value
    assert found is not None
    return found


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(drawn)


# ---- classes ----


def test_classes_beside_counts_by_hand() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 3, 4, 5, 6])
    shares = torch.zeros(10, 7)
    guessed = [0, 0, 1, 1, 1, 0, 3, 4, 6, 6]
    for row, (guess, label) in enumerate(zip(guessed, labels.tolist(), strict=True)):
        shares[row, guess] = 0.6
        shares[row, label] += 0.3
    shares[5] = torch.tensor([0.3, 0.2, 0.0, 0.15, 0.14, 0.11, 0.1])  # the right one is the last of seven
    found = of_classes(shares, labels)
    assert found.figures["top_1"].value == 0.7
    assert found.figures["top_5"].value == 0.9
    assert found.figures["balanced"].value == pytest.approx((2 / 3 + 1 + 0 + 1 + 1 + 0 + 1) / 7)
    assert found.confusion is not None
    assert found.confusion[0].tolist() == [2, 1, 0, 0, 0, 0, 0]
    assert (int(found.confusion[2, 0]), int(found.confusion[5, 6])) == (1, 1)


def test_the_interval_of_top_1_is_the_binomial_one() -> None:
    shares = torch.eye(2)[(torch.arange(500) < 100).long()]
    found = of_classes(shares, torch.zeros(500, dtype=torch.long)).figures["top_1"]
    half = 1.96 * math.sqrt(0.8 * 0.2 / 500)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.8 - half, 0.8 + half), abs=0.006)


def test_a_classifier_on_its_own_validation_images(colours: Trained) -> None:
    found = evaluate(colours.run)
    dataset = open_dataset(colours.val).value
    assert dataset is not None
    shares = engine(colours.run).run([dataset.read(n)[0] for n in range(len(dataset))])
    names = engine(colours.run).classes
    right = [names[row.argmax()] == dataset.classes[dataset.labels[n]] for n, row in enumerate(shares)]
    assert found.figures["top_1"].value == pytest.approx(sum(right) / 12)
    assert found.images == 12
    assert found.measured.confusion is not None
    assert found.measured.confusion.sum(1).tolist() == [4, 4, 4]
    assert not found.reported


@pytest.mark.parametrize("names", [("green", "blue", "red"), ("blue", "green")])
def test_classes_in_another_order_are_told_by_name(colours: Trained, names: tuple[str, ...]) -> None:
    """The data set counts its classes its own way: labels are the network's by name."""

    class Other(Squares):
        def read(self, index: int) -> tuple[np.ndarray, int]:
            numbers = [n for n in range(24) if ("red", "green", "blue")[n % 3] in names]
            pixels, label = Squares(24, seed=1).read(numbers[index])
            return pixels, names.index(("red", "green", "blue")[label])

    count = 8 * len(names)
    found = evaluate(colours.run, Other(count, classes=names))
    assert found.classes == ("blue", "green", "red") or set(found.classes) == {"red", "green", "blue"}
    whole = Squares(24, seed=1)
    values = [whole.read(n) for n in range(24) if ("red", "green", "blue")[n % 3] in names]
    shares = engine(colours.run).run([pixels for pixels, _ in values])
    own = engine(colours.run).classes
    right = [
        own[row.argmax()] == ("red", "green", "blue")[label] for row, (_, label) in zip(shares, values, strict=True)
    ]
    assert found.figures["top_1"].value == pytest.approx(sum(right) / count)


@pytest.mark.parametrize("names", [("red", "green", "blue"), ("green", "blue", "red")])
@pytest.mark.parametrize(
    ("label", "told"), [(7, "7 as its label"), (-1, "-1 as its label"), ("red", "'red' as its label")]
)
def test_labels_of_a_data_set_are_looked_at(colours: Trained, names: tuple[str, ...], label: object, told: str) -> None:
    class Odd(Squares):
        def read(self, index: int) -> Any:
            return super().read(index)[0], label if index == 3 else 0

    with pytest.raises(Mistakes, match="E1118") as raised:
        evaluate(colours.run, Odd(8, classes=names))
    assert f"`read(3)` of the images gives {told}" in str(raised.value).replace('"', "'")


def test_what_shines_through_is_the_networks_own_colour(tmp_path: Path) -> None:
    """Wherever the images of an evaluation or of a gallery come from: the network was trained on that background."""
    for split, seed in (("train", 0), ("val", 1)):
        squares(tmp_path / split, Squares(12, seed))
        for path in (tmp_path / split).rglob("*.png"):
            picture = Image.open(path).convert("RGBA")
            picture.putalpha(Image.linear_gradient("L").resize(picture.size))
            picture.save(path)
    data = {
        "train": str(tmp_path / "train"),
        "validation": str(tmp_path / "val"),
        "preprocessing": {"background": [9, 8, 7]},
    }
    run = train(settings(tmp_path, data=data, run={"steps": 1})).folder
    first = next((tmp_path / "val").rglob("*.png"))
    expected = read_pixels(str(first), (9, 8, 7))
    for given in (None, tmp_path / "val"):
        images: Any = images_of(engine(run), given).value
        assert any(np.array_equal(images.read(index)[0], expected) for index in range(len(images)))
    trained = open_trained(run / "last.safetensors").value
    assert trained is not None
    listing = tmp_path / "val.csv"
    listing.write_text(f"path,label\n{first},red\n", encoding="utf-8")
    for given in (first.parent, listing):
        found = samples_in(given, trained).value
        assert found is not None
        assert any(np.array_equal(pixels, expected) for pixels in found.pictures)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("some", 2), ("some/*", 2), ("s*/**/*", 3), ("some/a.png", 1), ("some/b", 1), ("some/[x].png", 1),
        ("list", 2), ("list.csv", 2),
    ],
)  # fmt: skip
def test_pictures_are_a_folder_a_pattern_a_list_or_a_file(
    name: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is what it holds, whatever it is called, and a pattern is one unless a file is called so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some").mkdir()
    for file in ("some/a.png", "some/b", "some/more/c.png") if "[" not in name else (name,):
        Path(file).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(file, "PNG")
    for file in ("list", "list.csv"):
        Path(file).write_text("path,label\nsome/a.png,x\nsome/b,y\n")
    found = pictures_in(Path(name), Preprocessing(4, 4), boxes=False)
    assert found.value is not None, found.diagnostics
    assert len(found.value.pictures) == count


def test_idx_labels_are_told_by_the_names_beside_them(colours: Trained, tmp_path: Path) -> None:
    """`classes.txt` in another order; without it, numbers are those of the network."""
    from spinedsl.data.idx import write_idx

    own = engine(colours.run).classes
    images = [Squares(12, seed=1).read(n) for n in range(12)]
    write_idx(str(tmp_path / "t-images-idx3-ubyte"), np.stack([pixels[:, :, 0] for pixels, _ in images]))
    found = {}
    for order in (own, own[::-1]):
        numbers = [order.index(("red", "green", "blue")[label]) for _, label in images]
        write_idx(str(tmp_path / "t-labels-idx1-ubyte"), np.array(numbers, np.uint8))
        (tmp_path / "classes.txt").write_text("\n".join(order) + "\n", encoding="utf-8")
        found[order] = evaluate(colours.run, tmp_path).measured.confusion
    numbers = [own.index(("red", "green", "blue")[label]) for _, label in images]
    write_idx(str(tmp_path / "t-labels-idx1-ubyte"), np.array(numbers, np.uint8))
    (tmp_path / "classes.txt").unlink()
    plain = evaluate(colours.run, tmp_path).measured.confusion
    assert plain is not None
    assert all(torch.equal(one, plain) for one in found.values() if one is not None)
    assert len(found) == 2


# ---- persons ----


def test_persons_beside_the_functions_of_the_task() -> None:
    vectors, labels = unit(60, 6), torch.arange(60) % 12
    vectors = torch.nn.functional.normalize(vectors + 1.5 * unit(12, 6, seed=1)[labels])
    found = of_persons(vectors, labels, (), None, (0.1, 0.01))
    whole = tasks.pairs.every(labels)
    scores = tasks.embedding.similarities(vectors[whole.first], vectors[whole.second])
    for far in (0.1, 0.01):
        expected = tasks.embedding.tar_at_far(scores, whole.same, far).rate
        assert found.figures[f"tar_at_far_{far:g}"].value == pytest.approx(expected)
    assert found.figures["rank_1"].value == tasks.embedding.rank_1_within(vectors, labels)
    assert found.verification is not None
    assert len(found.verification.accuracies) == 6
    assert found.figures["verification"].value == pytest.approx(found.verification.mean)
    for one in found.figures.values():
        assert one.low <= one.value <= one.high


def test_the_threshold_is_the_best_of_a_sweep() -> None:
    vectors, labels = unit(40, 4), torch.arange(40) % 8
    vectors = torch.nn.functional.normalize(vectors + 1.2 * unit(8, 4, seed=1)[labels])
    found = of_persons(vectors, labels, (), None, (0.1,)).threshold
    whole = tasks.pairs.every(labels)
    scores = tasks.embedding.similarities(vectors[whole.first], vectors[whole.second])

    def balanced(threshold: float) -> float:
        accepted = scores >= threshold
        return float(accepted[whole.same].double().mean() + (~accepted[~whole.same]).double().mean())

    assert found is not None
    assert found.value is not None
    assert balanced(found.value) == pytest.approx(max(balanced(one) for one in scores.tolist()))
    assert threshold_of(math.inf, "").value is None
    assert threshold_of(-math.inf, "").value == -1.0


def test_shares_that_cannot_be_measured_are_left_out_with_a_note() -> None:
    found = of_persons(unit(12, 4), torch.arange(12) % 3, (), None, (0.1, 0.001))
    assert "tar_at_far_0.1" in found.figures
    assert "tar_at_far_0.001" not in found.figures
    assert any("48 pairs of two persons are too few" in note for note in found.notes)
    assert "verification" not in found.figures  # three persons are one fold
    alone = of_persons(unit(5, 4), torch.arange(5), (), None, (0.1,))
    assert alone.figures == {}
    assert len(alone.notes) == 3


@pytest.mark.parametrize(
    ("labels", "folds", "message"),
    [
        ([0, 0, 0, 0], None, "all of one person"),
        ([0, 0, 1, 1], 2, "enough for 1 fold, and 2 are asked for"),
        ([0, 1, 2, 3], 2, "no pairs of one person, and 2 are asked for"),
    ],
)
def test_too_few_to_compare(labels: list[int], folds: int | None, message: str) -> None:
    with pytest.raises(TooFew, match=message):
        of_persons(unit(len(labels), 4), torch.tensor(labels), (), folds, (0.1,))


def test_pairs_of_a_list_are_taken(faces: Trained, tmp_path: Path) -> None:
    folder = persons(tmp_path / "val", first=20)
    lines = ["2\t2", "Mary\t20\t21", "Mary\t22\t23", "Mary\t20\tNils\t20", "Nils\t21\tOlga\t21"]
    lines += ["Jürgen Groß\t20\t21", "Olga\t20\t22", "Ada Lovelace\t20\tZoë\t20", "Paul\t21\tRosa\t21"]
    pairs(folder, lines)
    found = evaluate(faces.run, folder)
    assert (found.measured.pairs, len(found.measured.verification.accuracies)) == (8, 2)  # type: ignore[union-attr]
    (folder / "pairs.txt").rename(tmp_path / "pairs.txt")
    again = evaluate(faces.run, folder, pairs=tmp_path / "pairs.txt")
    assert again.figures == found.figures
    assert evaluate(faces.run, folder).measured.pairs != 8


# ---- a gallery ----


def test_identification_is_that_of_the_task() -> None:
    known, strangers = unit(6, 5), 30
    vectors = torch.cat(
        [torch.nn.functional.normalize(known.repeat(5, 1) + 0.7 * unit(30, 5, seed=1)), unit(30, 5, seed=2)]
    )
    called = [f"p{n % 6}" for n in range(30)] + [f"s{n % 10}" for n in range(strangers)]
    names = [f"p{n}" for n in range(6)]
    found = of_gallery(known, names, vectors, called, (0.2, 0.1, 0.01))
    cosines = vectors.double() @ known.double().T
    best, at = cosines.max(1)
    right = torch.tensor([names[int(n)] == who for n, who in zip(at, called, strict=True)])
    assert found.figures["gallery_rank_1"].value == pytest.approx(float(right[:30].double().mean()))
    for fpir in (0.2, 0.1):
        expected = tpir_at_fpir(best[:30], right[:30], best[30:], fpir)
        assert found.figures[f"tpir_at_fpir_{fpir:g}"].value == pytest.approx(expected.rate)
        swept = [
            float(((best[:30] >= one) & right[:30]).double().mean())
            for one in best.tolist()
            if float((best[30:] >= one).double().mean()) <= fpir
        ]
        assert expected.rate == pytest.approx(max(swept, default=0.0))
    assert "tpir_at_fpir_0.01" not in found.figures
    assert found.threshold is not None
    assert found.threshold.value is not None
    assert float((best[30:] >= found.threshold.value).double().mean()) <= 0.1


def test_a_gallery_lays_pictures_on_the_networks_own_colour(tmp_path: Path) -> None:
    persons(tmp_path / "train", NAMES[:3])
    for path in (tmp_path / "train").rglob("*.png"):
        picture = Image.open(path).convert("RGBA")
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
        picture.save(path)
    data = {"train": str(tmp_path / "train"), "kind": "persons", "preprocessing": {"background": [0, 0, 0]}}
    run = train(of_faces(tmp_path, data=data, run={"steps": 1, "batch": 4})).folder
    found = make_gallery(run, tmp_path / "train")
    paths = sorted((tmp_path / "train" / NAMES[0]).glob("*.png"))
    vectors = engine(run).run([read_pixels(str(path), (0, 0, 0)) for path in paths])
    assert np.allclose(found.vectors[found.names.index(NAMES[0])], mean_of(np.asarray(vectors)), atol=1e-6)


def test_evaluation_by_a_gallery(faces: Trained, tmp_path: Path) -> None:
    gallery = make_gallery(faces.run, faces.folder / "train")
    shutil.copytree(faces.val, tmp_path / "mixed")
    shutil.copytree(faces.folder / "strangers", tmp_path / "mixed", dirs_exist_ok=True)
    found = evaluate(faces.run, tmp_path / "mixed", gallery=gallery)
    assert {"verification", "rank_1", "gallery_rank_1", "tpir_at_fpir_0.1"} <= set(found.figures)
    assert found.threshold is not None
    assert "persons who are not in the gallery" in found.threshold.how
    assert not found.reported
    own = evaluate(faces.run, faces.folder / "train", gallery=gallery)
    assert [one.code.id for one in own.reported] == ["W1022"]
    assert own.figures["gallery_rank_1"].value > 0.5
    with pytest.raises(
        Mistakes, match=r"none of the images is of a person of the gallery\n.*call the folders of known"
    ):
        evaluate(faces.run, faces.folder / "strangers", gallery=gallery)


# ---- what it says ----


def test_json_is_json_and_the_picture_is_one(colours: Trained, faces: Trained) -> None:
    for trained, key in ((colours, "confusion"), (faces, "curve")):
        found = evaluate(trained.run)
        text = json.dumps(found.to_json(), allow_nan=False)
        held = json.loads(text)
        assert held["figures"].keys() == found.figures.keys()
        assert len(held[key]) > 1
        assert held["digest"] == engine(trained.run).digest
        svg = found.to_svg()
        assert svg is not None
        ET.fromstring(svg)
        assert svg in found._repr_html_()
        assert len(repr(found)) < 121


def test_names_in_the_picture_are_escaped(colours: Trained) -> None:
    found = evaluate(colours.run)
    svg = replace(found, classes=("<script>", "a & b", '"')).to_svg()
    assert svg is not None
    assert "<script>" not in svg
    ET.fromstring(svg)


def test_a_thinned_curve_has_the_corners_and_the_ends() -> None:
    curve = [Operating(min(1.0, n / 500), n / 2000, 1 - n / 2000) for n in range(2001)]
    shown = thinned(curve)
    assert len(shown) <= 400
    assert (shown[0], shown[-1]) == (curve[0], curve[-1])
    few = [
        Operating(rate, far, 0.0)
        for rate, far in ((0, 0), (0.2, 0), (0.5, 0), (0.5, 0.1), (0.5, 0.4), (1, 0.4), (1, 1))
    ]
    kept = [(one.rate, one.false_rate) for one in thinned(few)]
    assert kept == [(0, 0), (0.5, 0), (0.5, 0.4), (1, 0.4), (1, 1)]


def test_the_same_seed_gives_the_same_figures(faces: Trained) -> None:
    assert evaluate(faces.run).to_json() == evaluate(faces.run).to_json()
    assert set(evaluate(faces.run, seed=1).figures) == set(evaluate(faces.run).figures)
    assert len(NAMES) == 8
