"""What comes out depends on the text alone: not on the process, the seed of hashes, or the version of Python."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from spinedsl.testing import STANDARD
from spinedsl.testing.definitions import HIGHEST as HIGHEST_STEP
from spinedsl.testing.networks import HIGHEST, HIGHEST_CHOICE, to_text
from tests.patience import HANG
from tests.texts import MISTAKEN, ROOT, text_of

OTHERS = ("python3.12", "python3.13", "python3.14")
PURE = ("lark", "jinja2", "markupsafe")  # all that checking and PyTorch's code need, as Python that any version runs


@cache
def cases() -> tuple[str, ...]:
    """Random networks, and files with mistakes."""
    draw = random.Random(11)

    def numbers(highest: tuple[int, ...]) -> Any:
        return tuple(draw.randint(0, most) for most in highest)

    drawn = [
        to_text(
            STANDARD,
            [numbers((HIGHEST_STEP,) * 4)],
            [numbers(HIGHEST) for _ in range(6)],
            numbers((HIGHEST_CHOICE,) * 9),
        )
        for _ in range(8)
    ]
    return (*drawn, *(text_of(path) for path in MISTAKEN[::12]))


def digests(python: str, *options: str, hashes: str, path: str) -> list[str]:
    """The digests of the cases, by a process of its own."""
    made = subprocess.run(
        [python, str(Path(__file__).with_name("compiled.py")), *options],
        input=json.dumps(cases()),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONHASHSEED": hashes, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True, timeout=HANG,
    )  # fmt: skip
    return made.stdout.split()


@cache
def ours() -> list[str]:
    return digests(sys.executable, "--onnx", hashes="0", path=str(ROOT))


@pytest.mark.parametrize("hashes", ["1", "4242"])
def test_other_seeds_of_hashes_give_the_same_bytes(hashes: str) -> None:
    assert len(ours()) == len(cases())
    assert digests(sys.executable, "--onnx", hashes=hashes, path=str(ROOT)) == ours()


@pytest.mark.parametrize("python", OTHERS)
def test_other_versions_of_python_give_the_same_bytes(python: str, tmp_path: Path) -> None:
    found = shutil.which(python)
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no {python}")
    for package in PURE:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        (tmp_path / package).symlink_to(Path(spec.origin).parent)
    path = f"{ROOT}{os.pathsep}{tmp_path}"
    assert digests(found, hashes="random", path=path) == digests(sys.executable, hashes="0", path=path)
