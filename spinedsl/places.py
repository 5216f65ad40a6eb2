"""Where the files that a file imports may be, and what messages call them.

Most files import the prelude only. So the driver reads this, and `pathlib` with it, when one does not.
"""

from __future__ import annotations

import os
from pathlib import Path


def project_folder(path: Path) -> Path:
    """The folder that imports may not leave: the nearest one above with a project in it, else the file's own."""
    for folder in path.parents:
        if any((folder / mark).exists() for mark in (".git", "pyproject.toml", "spine.toml")):
            return folder
    return path.parent


def shown(path: Path) -> str:
    """A path as messages name it: without `..`, where the shorter one leads to the same file."""
    if ".." not in path.parts:
        return str(path)
    short = Path(os.path.normpath(path))
    return str(short if short.resolve() == path.resolve() else path)


def is_endless(target: Path) -> bool:
    """A pipe or a device, which may never end."""
    try:
        return target.exists() and not (target.is_file() or target.is_dir())
    except OSError:  # a name that no file can have: reading it says so
        return False
