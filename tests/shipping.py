"""What ships: the sdist, the wheel that is made from it, and a new environment with that wheel.

Nothing of the checkout is in the environment. What the package needs comes from the environment of the tests, by a line
in a `.pth` file instead of a download; the `.pth` files in there, an editable install's among them, do not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Built(NamedTuple):
    """The two files of a release."""

    sdist: Path
    wheel: Path


class Installed(NamedTuple):
    """An environment with the wheel: its folder of commands, its Python and its `spine`."""

    commands: Path
    python: Path
    spine: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables under which its commands are found first, and nothing of the checkout is."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        search = f"{self.commands}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": search, "OMP_NUM_THREADS": "1"}


HERE = Installed(Path(sys.executable).parent, Path(sys.executable), Path(sys.executable).with_name("spine"))


def build(out: Path) -> Built:
    """The sdist, and the wheel made from what is in that sdist alone."""
    # Without --sdist or --wheel, `build` unpacks the sdist elsewhere and builds the wheel from there.
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT), cwd=out)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return Built(sdist, wheel)


def install(wheel: Path, folder: Path) -> Installed:
    """A new environment with the wheel, and what it needs from this one."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    _run(
        sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", "--no-deps", "--no-index", str(wheel),
        cwd=folder,
    )  # fmt: skip
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return Installed(folder / "bin", python, folder / "bin" / "spine")


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
