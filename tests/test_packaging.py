"""What ships: the sdist, the wheel that is built from it, and that wheel in use, away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
GRAMMAR = "spinedsl/_grammar/spine.lark"

# Runs with `-I`: no PYTHONPATH, no user packages, nor the current folder. The wheel goes before the checkout, which
# an editable install puts on the path.
USE_THE_WHEEL = """
import sys
wheel, *arguments = sys.argv[1:]
sys.path.insert(0, wheel)
import spinedsl
assert spinedsl.__file__.startswith(wheel), spinedsl.__file__
from spinedsl.cli import main
sys.exit(main(arguments))
"""


class Built(NamedTuple):
    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist, and the wheel made from what is in that sdist alone."""
    out = tmp_path_factory.mktemp("dist")
    # Without --sdist or --wheel, `build` unpacks the sdist elsewhere and builds the wheel from there.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=out, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files in a folder of their own."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built.wheel) as wheel:
        wheel.extractall(folder)
    return folder


def shipped(folder: str) -> set[str]:
    """The files of a folder of the checkout, without what Python and the tools leave there."""
    paths = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    left = ("__pycache__", ".")
    return {path.as_posix() for path in paths if not any(part.startswith(left) for part in path.parts)}


def use(wheel: Path, arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", USE_THE_WHEEL, str(wheel), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_sdist_holds_everything_to_build_and_test(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {"grammar/spine.lark", "pyproject.toml", "Makefile", "constraints.txt", "LICENSE", ".ci/run"}
    for folder in ("spinedsl", "grammar", "examples", "generated", "tests"):
        wanted |= shipped(folder)
    assert wanted <= names, sorted(wanted - names)


def test_wheel_holds_the_package_and_the_grammar_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        grammar = wheel.read(GRAMMAR)
        entry_points = wheel.read(next(name for name in wheel.namelist() if name.endswith("entry_points.txt")))
    assert names == shipped("spinedsl") | {GRAMMAR}
    assert grammar == (ROOT / "grammar/spine.lark").read_bytes()
    assert b"spine = spinedsl.__main__:main" in entry_points
    assert any(name.startswith("spinedsl/prelude/") and name.endswith(".spine") for name in names)


def test_wheel_checks_a_file_away_from_the_checkout(unpacked: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/spinenet.spine", tmp_path)
    run = use(unpacked, ["check", "spinenet.spine"], tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr

    text = (tmp_path / "spinenet.spine").read_text(encoding="utf-8")
    (tmp_path / "broken.spine").write_text(text.replace("residual ", "residul ", 1), encoding="utf-8")
    run = use(unpacked, ["check", "broken.spine"], tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "residul" in run.stdout + run.stderr


def test_wheel_writes_pytorch_and_onnx(unpacked: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/spinenet.spine", tmp_path)
    for target, name in (("torch", "model.py"), ("onnx", "model.onnx")):
        arguments = ["compile", "spinenet.spine", "--network", "SpineNet49S", "--to", target, "-o", name]
        run = use(unpacked, arguments, tmp_path)
        assert run.returncode == 0, run.stdout + run.stderr
        assert (tmp_path / name).stat().st_size > 0


def test_in_a_checkout_its_own_grammar_wins_over_a_stale_copy(tmp_path: Path) -> None:
    """An editable install leaves a copy of the grammar behind, which the next edit does not reach."""
    shutil.copytree(ROOT / "spinedsl", tmp_path / "spinedsl", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "grammar", tmp_path / "grammar")
    shutil.copy(ROOT / "examples/spinenet.spine", tmp_path)
    (tmp_path / "spinedsl/_grammar").mkdir(exist_ok=True)
    (tmp_path / GRAMMAR).write_text("this is no grammar", encoding="utf-8")
    run = use(tmp_path, ["check", "spinenet.spine"], tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_command_is_installed() -> None:
    """`spine` beside this interpreter is the command of this checkout."""
    command = shutil.which("spine", path=os.path.dirname(sys.executable))  # noqa: PTH120  (which takes a search path)
    assert command, f"no `spine` beside {sys.executable}: install with `pip install -e .`"
    run = subprocess.run([command, "check", ROOT / "examples/spinenet.spine"], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
