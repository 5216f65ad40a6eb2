"""The examples that are shipped with the package: in, a name as somebody writes it; out, files by where they go.

In a checkout they are those of `examples/`, in an installation what the wheel has of it: every `.spine` file, and the
file with three mistakes.
"""

from __future__ import annotations

import errno
import os
import re
from functools import cache
from pathlib import Path, PurePosixPath

from spinedsl.cli.voice import UsageError
from spinedsl.diagnostics import nearest, one_of

PACKAGE = Path(__file__).resolve().parent.parent
PLACES = (PACKAGE.parent / "examples", PACKAGE / "_examples")  # a checkout's own go first
ALL = "all"
FOLDER = "examples"  # where all of them go
ENDINGS = (".spine", ".spine.txt")  # the second of what is wrong on purpose, which no search finds
IMPORT = re.compile(r'^import "([^"]+)"', re.MULTILINE)


@cache
def examples() -> dict[str, str]:
    """Texts by path below `examples/`, in order of their names.

    Raises:
        FileNotFoundError: the installation lacks them.
    """
    place = next((place for place in PLACES if (place / "spinenet.spine").is_file()), None)
    if place is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(PLACES[-1]))
    found = (path for path in sorted(place.rglob("*.spine*")) if path.name.endswith(ENDINGS))
    return {path.relative_to(place).as_posix(): path.read_text(encoding="utf-8") for path in found}


def names() -> dict[str, str]:
    """What the examples are called, and the first line of what each says of itself."""
    return {_name(path): _about(text) for path, text in examples().items() if path.endswith(".spine")}


def files_of(name: str) -> dict[str, str]:
    """The file of an example, first, and those that it imports, by where they stand beside it.

    Raises:
        UsageError: there is no example of that name.
    """
    wanted = name.replace("\\", "/").removeprefix(f"{FOLDER}/").removesuffix(".spine")
    known = {_name(path): path for path in examples() if path.endswith(".spine")}
    chosen = known.get(wanted) or {PurePosixPath(key).name: path for key, path in known.items()}.get(wanted)
    if chosen is None:
        near = nearest(wanted, [*known, *(PurePosixPath(key).name for key in known), ALL])
        hint = (
            f"; did you mean `{near}`?" if near else f": there are {one_of([*known, ALL], conjunction='and', limit=30)}"
        )
        raise UsageError(f"there is no example `{name}`{hint}")
    folder, files = PurePosixPath(chosen).parent, {}
    waiting = [PurePosixPath(chosen)]
    while waiting:
        path = waiting.pop()
        text = examples()[path.as_posix()]
        files[path.relative_to(folder).as_posix()] = text
        waiting += [path.parent / other for other in IMPORT.findall(text)]
    return files


def _name(path: str) -> str:
    return path.removesuffix(".spine")


def _about(text: str) -> str:
    """The first clause of the first comment, without its number."""
    line = next((line for line in text.splitlines() if line.startswith("#")), "#")
    return re.split(r"\.$|\. |: ", re.sub(r"^# *(\d+\. )?", "", line))[0]
