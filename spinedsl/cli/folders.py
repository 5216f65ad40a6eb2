"""The `.spine` files of a folder: all below it, but none in hidden folders, and none that a `.spineignore` leaves out.

A `.spineignore` has patterns as the shell has them, one a line, of files and folders beside it or below, such as those
that are wrong on purpose. Those above a folder count too, up to the top of the project. A file that is named is always
read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeAlias

from spinedsl.places import project_folder

Rules: TypeAlias = list[tuple[Path, str]]  # patterns, each with the folder in which it counts
IGNORE = ".spineignore"


def files_below(folder: str) -> list[str]:
    """The files in order."""
    top = Path(folder).resolve()
    project = project_folder(top / IGNORE)
    rules = [rule for place in top.parents if place.is_relative_to(project) for rule in rules_of(place)]
    return [] if _is_left_out(top, rules) else list(_walk(folder, rules))


def holds_files(folder: str) -> bool:
    """There is a file, though it may be left out."""
    return any(True for _ in _walk(folder, None))


def _walk(folder: str, rules: Rules | None) -> Iterable[str]:
    """What no rule leaves out; without rules, everything."""
    here = [*rules, *rules_of(Path(folder).resolve())] if rules is not None else None
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if here and _is_left_out(Path(folder).resolve() / entry.name, here):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                yield from _walk(entry.path, here)
        elif entry.name.endswith(".spine") and entry.is_file():
            yield entry.path


def rules_of(folder: Path) -> Rules:
    """What a folder's own file leaves out."""
    try:
        text = (folder / IGNORE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = (line.strip().rstrip("/") for line in text.splitlines())
    return [(folder, line) for line in lines if line and not line.startswith("#")]


def _is_left_out(path: Path, rules: Rules) -> bool:
    """A pattern is of the name alone, or of the way from its folder where it has a `/`."""
    for folder, pattern in rules:
        way = path.relative_to(folder).as_posix()
        parts = way.split("/")
        names = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)] if "/" in pattern else parts
        if any(fnmatch(name, pattern.lstrip("/")) for name in names):
            return True
    return False
