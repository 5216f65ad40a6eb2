"""Plant bugs, one at a time, in a copy of the package, and see which tests notice: `python -m benchmarks.planted`.

Each is a small change of the kind that somebody might make; the tables are in `benchmarks/plants/`. The tests that are
named with it run in the copy. The goldens in `generated/` are left out: they would notice nearly everything without
knowing what is right. What takes long to import is imported once; each bug runs in a fork. Exit status 1 if one
survives.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import measured
from benchmarks.plants import PLANTS, Plant

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    "spinedsl",
    "tests",
    "grammar",
    "examples",
    "generated",
    "benchmarks",
    "pyproject.toml",
    "docs",
    "MODELS.md",
    "README.md",
)
SLOW = ("numpy", "torch", "onnx", "onnxruntime", "safetensors", "jinja2", "lark", "_pytest.python")  # to import
OPTIONS = ("-q", "-o", "cache_dir=cache", "--cache-clear", "--tb=no", "--hypothesis-profile", "first")


class Running(NamedTuple):
    """A bug that is planted in a copy, whose tests run."""

    plant: Plant
    folder: Path
    text: str  # of the file, as it was
    began: float


class Noticed(NamedTuple):
    """What became of a bug: the tests that failed, and how long that took."""

    plant: Plant
    by: list[str]
    seconds: float
    output: str


def copied(folder: Path) -> None:
    """The package and its tests, without what was left behind."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def planted(plant: Plant, folder: Path) -> tuple[int, Running]:
    """Plant a bug in a copy and start its tests in a process of their own, whose number comes first."""
    file = folder / "spinedsl" / plant.file
    text = file.read_text(encoding="utf-8")
    if plant.old not in text or plant.old == plant.new:
        raise SystemExit(f"{plant.what}: {plant.file} has no {plant.old!r} any more")
    file.write_text(text.replace(plant.old, plant.new, 1), encoding="utf-8")
    running = Running(plant, folder, text, time.monotonic())
    return started(folder, "-x", *plant.tests), running


def started(folder: Path, *tests: str) -> int:
    """The number of a process that runs tests in a copy."""
    process = os.fork()
    if not process:
        status = 3
        try:
            status = _tests(folder, tests)
        finally:
            os._exit(status)
    return process


def _tests(folder: Path, tests: Sequence[str]) -> int:
    """Run tests in the fork: what they print goes into the file `output`."""
    os.chdir(folder)
    out = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.path[:] = [str(folder), *(path for path in sys.path if path and Path(path) != ROOT)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]
    import pytest

    status = int(pytest.main([*OPTIONS, *tests]))
    sys.stdout.flush()
    return status


def ended(running: Running) -> Noticed:
    """What became of a bug whose tests have ended, and its copy as it was."""
    plant, folder, text, began = running
    (folder / "spinedsl" / plant.file).write_text(text, encoding="utf-8")
    failed, output = _failed(folder)
    return Noticed(plant, failed, time.monotonic() - began, output)


def _failed(folder: Path) -> tuple[list[str], str]:
    """The tests that failed in a copy, as pytest remembers them, and all that they printed."""
    output = (folder / "output").read_text(encoding="utf-8", errors="replace")
    remembered = folder / "cache/v/cache/lastfailed"
    return [*json.loads(remembered.read_text(encoding="utf-8"))] if remembered.exists() else [], output


def failing_anyway(found: Sequence[Noticed], folder: Path) -> set[str]:
    """Those of the tests that noticed a bug which fail without one: they notice nothing."""
    if not (tests := sorted({one.by[0] for one in found if one.by})):
        return set()
    _, status = os.waitpid(started(folder, *tests), 0)
    failed, output = _failed(folder)
    if os.waitstatus_to_exitcode(status) > 1:
        raise SystemExit(f"the tests that noticed something cannot be run without it:\n{output[-600:]}")
    return set(failed)


def noticed(plants: Sequence[Plant], folders: Sequence[Path]) -> Iterator[Noticed]:
    """What became of each bug; as many run at once as there are copies."""
    waiting, free = list(plants), list(folders)
    running: dict[int, Running] = {}
    while waiting or running:
        while waiting and free:
            process, one = planted(waiting.pop(0), free.pop())
            running[process] = one
        process, _ = os.wait()
        one = running.pop(process)
        free.append(one.folder)
        yield ended(one)


def chosen(words: list[str]) -> Iterator[Plant]:
    """The bugs whose description or file has one of the words; all, if there are none."""
    return (plant for plant in PLANTS if not words or any(word in plant.what or word in plant.file for word in words))


def main() -> int:
    """Print what notices each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only bugs whose description or file has one of these")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="how many run at once (default 1)")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in SLOW:
        import_module(name)
    plants = list(chosen(options.words))
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, str(number)) for number in range(options.jobs)]
        for folder in folders:
            copied(folder)
        found = []
        for one in noticed(plants, folders):
            found.append(one)
            print(f"{one.plant.what}: {one.by[0] if one.by else 'SURVIVES'}, {one.seconds:.0f} s", flush=True)
            if not one.by:
                print(one.output[-600:], flush=True)
        anyway = failing_anyway(found, folders[0])
    survived = [one for one in found if not one.by or one.by[0] in anyway]
    print(f"{len(plants) - len(survived)} of {len(plants)} noticed")
    for one in survived:
        print(f"survives: {one.plant.what}{f' ({one.by[0]} fails without it too)' if one.by else ''}")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(measured("planted", main))
