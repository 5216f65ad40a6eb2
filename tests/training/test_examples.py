"""The examples of learning: their images out of packages that are made here, and a few steps of each training."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from spinedsl import data
from spinedsl.cli import main
from spinedsl.data.boxes import BoxSet, open_boxes
from spinedsl.training.loop import train

LEARNING = Path(__file__).parents[2] / "examples/learning"
NAMES = sorted(path.parent.name for path in LEARNING.glob("*/permuted.toml"))


def idx(array: NDArray[np.uint8]) -> bytes:
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


def photograph(number: int, ending: str) -> bytes:
    """A picture of colours that change slowly."""
    drawn = np.random.default_rng(number).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(drawn).resize((100, 80)).save(file, "PNG" if ending == "png" else "JPEG")
    return file.getvalue()


def png(mode: str, side: int, number: int) -> bytes:
    """A picture that no other number has."""
    drawn = np.random.default_rng(number).integers(0, 256, (side, side, len(mode)), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(drawn[:, :, 0] if mode == "L" else drawn, mode).save(file, "PNG")
    return file.getvalue()


def clothes() -> dict[str, bytes]:
    """5,200 images of ten classes, and 20 for the test: of each class all but 500 are for training."""
    counts = {"train": 5200, "t10k": 20}
    drawn = np.random.default_rng(0)
    made = {}
    for name, count in counts.items():
        made[f"{name}-images-idx3-ubyte.gz"] = idx(drawn.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        made[f"{name}-labels-idx1-ubyte.gz"] = idx((np.arange(count) % 10).astype(np.uint8))
    return {f"usr/share/datasets/fashion-mnist/{name}": data for name, data in made.items()}


def cells() -> dict[str, bytes]:
    """Runs of one kind: two modules, one short of a cell, then four, then two."""
    kinds = ["mono"] * 119 + ["poly"] * 240 + ["mono"] * 120
    rows = [f"images/cell{n:04}.png  {n % 4 / 3}  {kind}" for n, kind in enumerate(kinds, start=1)]
    pictures = {f"images/cell{n:04}.png": png("L", 8, n) for n in range(1, len(kinds) + 1)}
    files = {"labels.csv": "\n".join(rows).encode(), **pictures}
    return {f"elpv_dataset/data/{name}": data for name, data in files.items()}


def things(style: str) -> dict[str, bytes]:
    """700 groups of one or two; the last thing looks in one style as the first does."""
    listed = [
        {"short_name": f"thing{n}", "image": f"{n:x}.png", "subcategory": f"group {n % 700}", "sort_order": n}
        for n in range(900)
    ]
    drawn = {one["image"]: n if n < 899 or style == "twitter" else 0 for n, one in enumerate(listed)}
    seeds = {"google": 0, "twitter": 10_000}
    pictures = {f"img/{style}/64/{name}": png("RGBA", 4, seeds[style] + n) for name, n in drawn.items()}
    files = {"emoji.json": json.dumps(listed).encode(), "README.md": b"read me", **pictures}
    return {f"package/{name}": data for name, data in files.items()}


def drawings(style: str) -> dict[str, bytes]:
    """Things of two categories, drawn as a square in the middle of nothing; what has no category of its own too."""
    listed = [
        {"short_name": f"thing{n}", "image": f"{n:x}.png", "category": ("Food", "Flags", "Component")[n % 3],
         "subcategory": f"group {n % 60}", "sort_order": n}
        for n in range(180)
    ]  # fmt: skip
    files = {"emoji.json": json.dumps(listed).encode()}
    for number, one in enumerate(listed):
        held, file = Image.new("RGBA", (64, 64)), io.BytesIO()
        held.paste((number, 90 if style == "google" else 160, 20, 255), (8, 16, 56, 48))
        held.save(file, "PNG")
        files[f"img/{style}/64/{one['image']}"] = file.getvalue()
    return {f"package/{name}": data for name, data in files.items()}


def photographs(getter: ModuleType, debian: bool) -> dict[str, bytes]:
    """The photographs of many_sizes that one of the two packages has."""
    every = [one for of_set in getter.PHOTOGRAPHS.values() for one in of_set]
    mine = [one for one in every if ("/" in one) == debian]
    return {getter.place_of(one): photograph(number, one[-3:]) for number, one in enumerate(mine)}


CROWN = "<object><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
CROWNS_OF_ALL = ((1, 1, 40, 30), (181, 21, 240, 60), (191, 111, 205, 120), (351, 351, 400, 400))


def aerial(getter: ModuleType) -> dict[str, bytes]:
    """Pictures of 400 x 400 with four crowns each, two of them on the edge of a tile."""
    xml = f"<annotation>{''.join(CROWN.format(*crown) for crown in CROWNS_OF_ALL)}</annotation>".encode()
    found: dict[str, bytes] = {}
    for number, stem in enumerate(getter.AERIAL.values()):
        found |= {f"{getter.CROWNS}{stem}.png": png("RGB", 400, number), f"{getter.CROWNS}{stem}.xml": xml}
    return found


def tar(files: Mapping[str, bytes], mode: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name if mode == "w:gz" else f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


def deb(files: Mapping[str, bytes]) -> bytes:
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": tar(files, "w:xz")}
    head = "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n"
    parts = [
        head.format(name, 0, 0, 0, 100644, len(data)).encode() + data + b"\n" * (len(data) % 2)
        for name, data in members.items()
    ]
    return b"!<arch>\n" + b"".join(parts)


def wheel(files: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in {**files, "some_package/utils.py": b"pass"}.items():
            archive.writestr(name, data)
    return held.getvalue()


STYLES = ("google", "twitter")
PACKAGES: dict[str, Callable[[ModuleType], dict[str, bytes]]] = {
    "fashion_mnist": lambda _: {"clothes.deb": deb(clothes())},
    "solar_cells": lambda _: {"cells.whl": wheel(cells())},
    "drawing_styles": lambda _: {f"{style}.tgz": tar(things(style), "w:gz") for style in STYLES},
    "many_sizes": lambda getter: {
        **{f"{style}_drawings.tgz": tar(drawings(style), "w:gz") for style in STYLES},
        "photographs.deb": deb(photographs(getter, debian=True)),
        "photographs.whl": wheel(photographs(getter, debian=False)),
    },
    "tree_crowns": lambda getter: {"crowns.whl": wheel(aerial(getter))},
}
FEWER = {"train": 60, "validation": 10, "test": 20}  # pictures of many_sizes


@pytest.fixture(scope="module")
def getter() -> Iterator[ModuleType]:
    """`get_data.py` as a module."""
    spec = importlib.util.spec_from_file_location("get_data", LEARNING / "get_data.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(LEARNING))  # as if it were run
        spec.loader.exec_module(found)
        patch.setattr("with_boxes.COUNTS", FEWER)
        yield found


@pytest.fixture(scope="module")
def packages(getter: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Packages of each example as their clients leave them."""
    place = tmp_path_factory.mktemp("packages")
    found: dict[str, list[Path]] = {}
    for name, make in PACKAGES.items():
        for file, held in make(getter).items():
            (place / file).write_bytes(held)
            found.setdefault(name, []).append(place / file)
    return found


def expecting(getter: ModuleType, name: str, archives: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these packages be those that are expected."""
    source = getter.SOURCES[name]
    files: dict[str, bytes] = {}
    for archive in archives:
        files |= getter.opened(archive, source.wanted)
    changed = source._replace(digest=getter.digest_of(files), installed="")
    monkeypatch.setitem(getter.SOURCES, name, changed)


@pytest.mark.parametrize("name", NAMES)
def test_images_come_out_of_their_package_and_are_trained_on(
    name: str,
    getter: ModuleType,
    packages: dict[str, list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expecting(getter, name, packages[name], monkeypatch)
    place = tmp_path / name
    shutil.copytree(LEARNING / name, place, ignore=shutil.ignore_patterns("data", "runs"))
    given = [word for archive in packages[name] for word in ("--archive", str(archive))]
    monkeypatch.setattr("sys.argv", ["get_data.py", name, "--to", str(place / "data"), *given])
    assert getter.main() == 0, capsys.readouterr().err
    assert main(["train", str(place / "residual.toml"), "--check"]) == 0, capsys.readouterr().err
    lasts = {"steps": 2} if name == "tree_crowns" else {"epochs": 0.1}
    run = {**lasts, "batch": 4, "output": str(tmp_path / "run"), "workers": 0, "threads": 1}
    few = {"validation": "data/test-images-idx3-ubyte.gz"} if name == "fashion_mnist" else {}
    assert train(place / "permuted.toml", changes={"run": run, "data": few}).finished
    before = {path: path.stat().st_mtime_ns for path in (place / "data").rglob("*")}
    assert getter.main() == 0
    assert "is there already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in (place / "data").rglob("*")} == before


def got(getter: ModuleType, name: str, packages: dict[str, list[Path]], to: Path, patch: pytest.MonkeyPatch) -> Path:
    expecting(getter, name, packages[name], patch)
    getter.get(name, to, packages[name])
    return to


def test_the_last_images_of_each_class_are_for_validation(
    getter: ModuleType, packages: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = got(getter, "fashion_mnist", packages, tmp_path / "data", monkeypatch)
    whole = clothes()["usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"]
    pixels = np.frombuffer(gzip.decompress(whole)[16:], np.uint8).reshape(-1, 28, 28, 1)
    parts = {"train": pixels[:200], "validation": pixels[200:]}
    for name, expected in parts.items():
        opened = data.open_dataset(folder / f"{name}-images-idx3-ubyte.gz").value
        assert opened is not None
        assert opened.classes == getter.CLOTHES
        assert all(np.array_equal(opened.read(n)[0], expected[n]) for n in range(0, len(expected), 97))
        assert opened.labels.tolist() == [n % 10 for n in range(len(expected))]


def test_whole_modules_are_held_out(
    getter: ModuleType, packages: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = got(getter, "solar_cells", packages, tmp_path / "data", monkeypatch)
    rows = {
        name: [line.split(",") for line in (folder / f"{name}.csv").read_text().splitlines()[1:]]
        for name in ("train", "validation", "test")
    }
    # Modules in order: two of mono, four of poly, two of mono. Of each kind, the second and the fourth are held out.
    numbers = {name: sorted({row[4] for row in chosen}) for name, chosen in rows.items()}
    assert numbers == {"train": ["0", "2", "4", "6"], "validation": ["1", "3"], "test": ["5", "7"]}
    assert [len(chosen) for chosen in rows.values()] == [59 + 3 * 60, 2 * 60, 2 * 60]
    labelled = {(row[1], round(3 * float(row[2]))) for chosen in rows.values() for row in chosen}
    assert labelled == {("intact", 0), ("intact", 1), ("defective", 2), ("defective", 3)}
    opened = data.open_dataset(folder / "train.csv").value
    assert opened is not None
    assert opened.classes == ("defective", "intact")


def test_no_group_and_no_twin_is_in_two_sets(
    getter: ModuleType, packages: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = got(getter, "drawing_styles", packages, tmp_path / "data", monkeypatch)
    sets = {name: {path.name for path in (folder / name).iterdir() if path.is_dir()} for name in getter.FOLDED}
    assert set.union(*sets.values()) == {f"thing{n}" for n in range(899)}  # the last one is a twin
    groups = {name: {int(thing.removeprefix("thing")) % 700 for thing in things} for name, things in sets.items()}
    assert not any(groups[one] & groups[other] for one in groups for other in groups if one < other)
    assert 500 <= len(sets["test"]) <= 501
    assert 150 <= len(sets["validation"]) <= 151
    opened = data.open_dataset(folder / "test", "persons")
    assert opened.value is not None
    assert not opened.diagnostics
    pairs = opened.value.pairs
    assert [sum(pair.same == same for pair in pairs) for same in (True, False)] == [500, 500]
    assert all(opened.value.samples[pair.first].path.endswith("noto_1.png") for pair in pairs)
    assert all(opened.value.samples[pair.second].path.endswith("twemoji_2.png") for pair in pairs)
    of_fold = [{opened.value.samples[p.first].label for p in pairs if p.fold == fold} for fold in range(10)]
    assert sum(map(len, of_fold)) == len(set.union(*of_fold)) == 500


def boxes(path: Path) -> BoxSet:
    """A set of pictures with boxes, in which nothing is wrong."""
    opened = open_boxes(path)
    assert opened.value is not None
    assert opened.value.is_whole, opened.diagnostics
    return opened.value


def test_objects_of_many_sizes_have_the_boxes_of_their_masks(
    getter: ModuleType, packages: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted squares are found again by their colour; nothing of a set is in another; a seed says all of it."""
    folder = got(getter, "many_sizes", packages, tmp_path / "data", monkeypatch)
    sets = {name: boxes(folder / f"{name}.json") for name in FEWER}
    assert {name: len(found) for name, found in sets.items()} == FEWER
    assert sets["train"].classes == ("emoji",)
    sides = np.concatenate([picture.sides for picture in sets["train"].pictures])
    longest = (sides[:, 2:] - sides[:, :2]).max(1)
    assert longest.min() < 24
    assert longest.max() > 96
    assert all(1 <= len(picture.boxes) <= 6 for picture in sets["train"].pictures)
    again = tmp_path / "again"
    getter.get("many_sizes", again, packages["many_sizes"], seed=0)
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert all((folder / path).read_bytes() == (again / path).read_bytes() for path in files)
    other = tmp_path / "other"
    getter.get("many_sizes", other, packages["many_sizes"], seed=1, groups=True)
    assert (other / "train.json").read_bytes() != (folder / "train.json").read_bytes()
    assert boxes(other / "train.json").classes == ("Flags", "Food")


def test_a_box_is_where_its_object_is() -> None:
    """On a plain ground every pixel that changed much lies in a box, and every side of a box touches one."""
    import with_boxes

    drawn = Image.new("RGBA", (30, 20), "red")
    for seed in range(20):
        draw = np.random.default_rng(seed)
        picture, placed = with_boxes._composed(draw, [Image.new("RGB", (50, 50), "white")], [(drawn, 1)])
        reds = np.asarray(picture)[:, :, 1] < 128
        inside = np.zeros_like(reds)
        assert placed
        for left, top, width, height in (map(int, one.box) for one in placed):
            inside[top : top + height, left : left + width] = True
            edges = (reds[top], reds[top + height - 1], reds[:, left], reds[:, left + width - 1])
            assert all(edge.any() for edge in edges)
        assert not (reds & ~inside).any()


def test_whole_groups_and_photographs_are_held_out(getter: ModuleType, packages: dict[str, list[Path]]) -> None:
    import with_boxes

    files: dict[str, bytes] = {}
    for archive in packages["many_sizes"]:
        files |= getter.opened(archive, getter.SOURCES["many_sizes"].wanted)
    sets = with_boxes._things(files)
    groups = {name: {int(file[:-4], 16) % 60 for file, _ in things} for name, things in sets.items()}
    shots = {name: set(of_set) for name, of_set in getter.PHOTOGRAPHS.items()}
    for held in (groups, shots):
        assert all(held.values())
        assert not any(held[one] & held[other] for one in held for other in held if one < other)
    assert sum(map(len, sets.values())) == 120  # without mere colours
    assert 0.1 < len(sets["test"]) / 120 <= 0.22


def test_crowns_are_those_of_their_tiles(
    getter: ModuleType, packages: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = got(getter, "tree_crowns", packages, tmp_path / "data", monkeypatch)
    own, others = boxes(folder / "ordway.json"), boxes(folder / "without_ordway.json")
    assert (len(own), len(others)) == (4, 12)
    assert not {picture.path for picture in own.pictures} & {picture.path for picture in others.pictures}
    found = [[(*box.sides, box.crowd) for box in picture.boxes] for picture in own.pictures]
    assert found == [
        [(0, 0, 40, 30, False), (180, 20, 200, 60, True), (190, 110, 200, 120, False)],
        [(0, 20, 40, 60, False), (0, 110, 5, 120, True)],
        [],
        [(150, 150, 200, 200, False)],
    ]


def said(getter: ModuleType, name: str, to: Path, archives: list[Path]) -> str:
    """What is wrong; nothing may be left behind."""
    with pytest.raises(getter.Problem) as raised:
        getter.get(name, to, archives)
    assert not to.exists()
    assert not [path for path in to.parent.glob("*") if path.name.startswith(to.name)]
    return f"{raised.value.what}; {raised.value.fix}"


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_package_is_refused(
    name: str, getter: ModuleType, packages: dict[str, list[Path]], tmp_path: Path
) -> None:
    assert "are not those that they should be" in said(getter, name, tmp_path / "data", packages[name])
    whole = packages[name][0].read_bytes()
    cut = tmp_path / packages[name][0].name
    for held in (whole[: len(whole) // 2], whole[:9], b"", b"<html>not found</html>"):
        cut.write_bytes(held)
        assert "is damaged, or no package" in said(getter, name, tmp_path / "data", [cut])
    middle = len(whole) // 2
    cut.write_bytes(whole[:middle] + bytes(byte ^ 255 for byte in whole[middle : middle + 64]) + whole[middle + 64 :])
    assert "damaged" in (told := said(getter, name, tmp_path / "data", [cut])) or "are not those" in told
    assert "cannot be read: No such file" in said(getter, name, tmp_path / "data", [tmp_path / "none"])


def test_a_client_that_fails_or_is_missing_is_reported(
    getter: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = getter.SOURCES["solar_cells"]
    ((_, names),) = source.packages
    for command, words in {
        ("no-such-client",): "no-such-client cannot be started: No such file or directory",
        (
            sys.executable,
            "-c",
            "import sys; sys.exit('no network')",
        ): "could not fetch it (exit status 1)\n    no network",
        (sys.executable, "-c", "pass"): "could not fetch it (exit status 0)",
    }.items():
        client = getter.Client(command, "it is nowhere")
        monkeypatch.setitem(getter.SOURCES, "solar_cells", source._replace(packages=((client, names),)))
        told = said(getter, "solar_cells", tmp_path / "data", [])
        assert words in told
        assert "give the files as `--archive FILE`" in told
    monkeypatch.setattr("sys.argv", ["get_data.py", "solar_cells", "--to", str(tmp_path / "data")])
    assert getter.main() == 1
    assert capsys.readouterr().err.startswith("error: python")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("mnist", "invalid choice"),
        ("solar_cells --seed 1", "--seed is for many_sizes: leave it out"),
        ("tree_crowns --groups", "--groups is for many_sizes: leave it out"),
        ("many_sizes --seed=-1", "--seed is a whole number from 0 on, got -1"),
    ],
)
def test_the_script_says_how_it_is_used(words: str, reason: str) -> None:
    command = [sys.executable, str(LEARNING / "get_data.py"), *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert reason in done.stderr
    assert all(name in done.stderr for name in NAMES)
