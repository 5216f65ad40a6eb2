"""The examples that are shipped with the package: in, a name as somebody writes it; out, files by where they go.

In a checkout they are those of `examples/`, in an installation what the wheel has of it: every `.spine` file, the file
with three mistakes, and the folders below `learning/` with how their networks are trained.
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
TRAINED = "learning"  # has a folder for each network that is trained, and what gets the images
GETTER = "get_data.py"
OF_TRAINED = ("*.py", "*/*.spine", "*/*.toml", "*/*.md")  # not images and runs, which are put beside them
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
    tops = [path for path in sorted(place.iterdir()) if path.is_dir() and path.name != TRAINED]
    found = {path for pattern in OF_TRAINED for path in (place / TRAINED).glob(pattern)}
    found |= {path for top in tops for path in top.rglob("*.spine*") if path.name.endswith(ENDINGS)}
    found |= {path for path in place.glob("*.spine*") if path.name.endswith(ENDINGS)}
    return {path.relative_to(place).as_posix(): path.read_text(encoding="utf-8") for path in sorted(found)}


def names() -> dict[str, str]:
    """What the examples are called, and the first line of what each says of itself."""
    found = {_name(path): _about(text) for path, text in examples().items() if path.endswith(".spine")}
    found |= {folder: f"{found[f'{folder}/networks']}, and how they are trained" for folder in folders()}
    return dict(sorted(found.items()))


def folders() -> list[str]:
    """The examples that are folders."""
    return sorted({path.rpartition("/")[0] for path in examples() if path.endswith(".toml")})


def folder_of(name: str) -> dict[str, str]:
    """The files of an example that is a folder, by where they go: the folder, and beside it what gets the images.

    Nothing for the name of another example.
    """
    wanted = name.replace("\\", "/").strip("/").removeprefix(f"{FOLDER}/").removeprefix(f"{TRAINED}/")
    if f"{TRAINED}/{wanted}" not in folders():
        return {}
    within = {path.removeprefix(f"{TRAINED}/"): text for path, text in examples().items()}
    beside = {path for path in within if path.endswith(".py") and "/" not in path}
    return {path: text for path, text in within.items() if path.startswith(f"{wanted}/") or path in beside}


def files_of(name: str) -> dict[str, str]:
    """The file of an example, first, and those that it imports, by where they stand beside it.

    Raises:
        UsageError: there is no example of that name.
    """
    wanted = name.replace("\\", "/").removeprefix(f"{FOLDER}/").removesuffix(".spine")
    known = {_name(path): path for path in examples() if path.endswith(".spine")}
    chosen = known.get(wanted) or {PurePosixPath(key).name: path for key, path in known.items()}.get(wanted)
    if chosen is None:
        every = [*names(), ALL]
        near = nearest(wanted, [*every, *(PurePosixPath(key).name for key in every)])
        hint = f"; did you mean `{near}`?" if near else f": there are {one_of(every, conjunction='and', limit=30)}"
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
