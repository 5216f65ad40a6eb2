"""Environments with other versions of a package: in, a folder and what to install; out, the Python that has it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def environment(cache: Path, name: str, packages: Sequence[str]) -> Path:
    """The Python of the environment `name` below the cache, where the packages are installed once."""
    folder = cache / name
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        print(f"installing {' '.join(packages)} in {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *packages], check=True)
        (folder / ".ready").touch()
    return python
