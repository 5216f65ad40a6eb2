"""Pictures as labels name them: where they are, how large they are, and what helps where there is none.

In: a folder, and a name that any system may have written. Out: a path; a size; a diagnostic. No pixel is decoded.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from spinedsl import checks as say
from spinedsl.data.dataset import nowhere
from spinedsl.data.pictures import ENDINGS
from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible
from spinedsl.record import replace
from spinedsl.source import Span

USUAL = tuple(sorted(ENDINGS, key=lambda ending: (ending not in (".jpg", ".jpeg", ".png"), ending)))


def path_of(folder: Path, name: str) -> str:
    """Where a picture is: a backslash in its name separates folders, unless there is a file that has it in its name."""
    path = str(folder / name)
    if "\\" not in name or is_there(path):
        return path
    other = str(folder / portable(name))
    return other if is_there(other) else path


def portable(name: str) -> str:
    """A path of Windows with the separators of others."""
    return name.replace("\\", "/")


def is_there(path: str | Path) -> bool:
    """There is such a file; whatever no file can be called is not there."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name that is too long, or holds what no name can
        return False


def is_hidden(path: Path, folder: Path) -> bool:
    """A part of its path below the folder begins with a dot, as what macOS and notebooks leave among files."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def beside(folder: Path, stem: str) -> str | None:
    """The picture in a folder that is called so, whatever its ending."""
    names = (f"{stem}{ending}" for usual in USUAL for ending in (usual, usual.upper()))
    return next((name for name in names if is_there(folder / name)), None)


def size_of(path: str | Path) -> tuple[int, int] | None:
    """Height and width of a picture, of its beginning alone; as it is shown, where it says that it lies on its side."""
    from PIL import Image  # noqa: PLC0415 - who reads files that have sizes needs none

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of many pixels, and of odd metadata
            with Image.open(path) as image:
                exif = image.getexif()
                # Pillow may have turned the size of a TIFF already: its own fields say how it is stored.
                width, height = (exif[0x0100], exif[0x0101]) if image.format == "TIFF" else image.size
                return (width, height) if exif.get(0x0112, 1) >= 5 else (height, width)
    except Exception:  # noqa: BLE001 - a damaged file raises whatever its reader does
        return None


def no_size(path: str | Path, place: Span | None = None) -> Diagnostic:
    """Nothing says how large a picture is, and its file cannot be read."""
    name = legible(str(path))
    place, reason = place or nowhere(name), "its size cannot be read"
    found: Diagnostic = say.BAD_PICTURE.at(place, path=name, reason=reason, label="")
    return found


def no_picture(path: str, place: Span, folder: Path, name: str) -> Diagnostic:
    """A file names a picture that is not there."""
    found: Diagnostic = say.MISSING_PICTURE.at(place, path=legible(path))
    found = found if place.source.text else replace(found, label="")
    last = re.split(r"[\\/]", name)[-1]
    where = legible(str(folder))
    if last and last != name and is_there(folder / last):
        return found.with_fix(f"`{one_line(last)}` is in {where}: leave out what stands before it in its name")
    near = beside(folder, last.rpartition(".")[0] or last) or beside(folder, last) if last else None
    if near is not None:
        return found.with_fix(f"did you mean `{one_line(near)}`?")
    return found.with_fix("see that `images` names the folder of the pictures")
