"""The images that somebody names: files, folders, patterns, and pixels.

In: names as the command line has them, or arrays. Out: images in order, each once, and what is wrong with the names.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinedsl import checks as say
from spinedsl.data.align import Points, aligned
from spinedsl.data.check import missing_picture
from spinedsl.data.dataset import nowhere
from spinedsl.data.persons import place_of, read_points, without_points
from spinedsl.data.pictures import WHITE, Colour, Pixels, read_pixels
from spinedsl.data.sources import pictures_below
from spinedsl.diagnostics import Diagnostic
from spinedsl.reading import legible
from spinedsl.record import Record, replace


class Image(Record, eq=False):
    """An image: its path, or its pixels and a name for them; of a face that is to be aligned, its five points."""

    path: str
    pixels: Pixels | None = None
    points: Points = ()


class Images(Record, eq=False):
    """Images in order, as a data set of no classes."""

    images: tuple[Image, ...]
    background: Colour = WHITE
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def read(self, index: int) -> tuple[Pixels, int]:
        """The pixels, and no label.

        Raises:
            BadPicture: its file cannot be read.
        """
        image = self.images[index]
        pixels = read_pixels(image.path, self.background) if image.pixels is None else image.pixels
        return aligned(pixels, image.points) if image.points else pixels, -1

    def called(self, index: int) -> str:
        """An image as messages name it."""
        return legible(self.images[index].path)


def find_images(
    given: Any, background: Colour = WHITE, landmarks: str | os.PathLike[str] | None = None
) -> tuple[Images, list[Diagnostic]]:
    """The images of names, folders and patterns, of pixels (`uint8`), or of several of these; and what is wrong.

    With a list of `landmarks`, each is aligned by its five points; those that it does not have are left out.

    Raises:
        TypeError: something is none of these.
    """
    items = list(given) if _is_several(given) else [given]
    found: dict[str, Image] = {}
    reported: list[Diagnostic] = []
    for number, item in enumerate(items):
        if isinstance(item, str | os.PathLike):
            for path in _paths(os.fspath(item), reported):
                found.setdefault(path, Image(path))
        else:
            name = f"<image {number}>"
            found[name] = Image(name, _pixels(item))
    if not items:
        reported.append(say.NO_IMAGES.at(nowhere("<images>"), reason="none is named"))
    images = tuple(found.values())
    if landmarks is not None:
        images = _with_points(images, Path(landmarks), reported)
    return Images(images, background), reported


def _with_points(images: Sequence[Image], landmarks: Path, reported: list[Diagnostic]) -> tuple[Image, ...]:
    """The images that a list has five points of."""
    read = read_points(landmarks, settable=False)
    reported += read.diagnostics
    if read.value is None:
        return ()
    points = {one.path: read.value.get(place_of(one.path), ()) for one in images}
    lacking = [path for path, own in points.items() if not own]
    if lacking:
        reported.append(without_points(landmarks, lacking))
    return tuple(replace(one, points=points[one.path]) for one in images if points[one.path])


def _is_several(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | os.PathLike | np.ndarray)


def _pixels(item: Any) -> Pixels:
    """Pixels of an array.

    Raises:
        TypeError: it is no array of `uint8` of a picture's shape.
    """
    form = "an image must be a path, or a uint8 array of height x width, or height x width x 1 or 3"
    if not isinstance(item, np.ndarray):
        raise TypeError(f"{form}; got {type(item).__name__}")
    pixels = item[:, :, None] if item.ndim == 2 else item
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or not pixels.size:
        raise TypeError(f"{form}; got {item.dtype} of {'x'.join(map(str, item.shape))}")
    return pixels


def _natural(path: str) -> list[tuple[bool, int, str]]:
    """What paths are sorted by: numbers in them as numbers, so that the frames of a video stay in their order."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _paths(name: str, reported: list[Diagnostic]) -> Iterator[str]:
    """The files of a name: itself, those of a folder, or those that a pattern matches."""
    shown = legible(name)
    try:
        if Path(name).is_dir():
            files, _ = pictures_below(Path(name))
            if not files:
                found = say.NO_IMAGES.at(nowhere(shown), reason=f"the folder `{shown}` has none that is called as one")
                reported.append(found.with_fix("a file is read whatever it is called where it is named itself"))
            yield from sorted(files, key=_natural)
        elif os.path.lexists(name):
            yield name
        elif glob.has_magic(name):
            files = sorted(filter(os.path.isfile, glob.glob(name, recursive=True)), key=_natural)  # noqa: PTH207
            if not files:
                reported.append(say.NO_IMAGES.at(nowhere(shown), reason=f"nothing matches `{shown}`"))
            yield from files
        else:
            reported.append(missing_picture(name, nowhere(shown)))
    except (OSError, ValueError) as error:
        reason = (
            error.strerror.lower() if isinstance(error, OSError) and error.strerror else "no file can have this name"
        )
        reported.append(say.CANNOT_READ.at(nowhere(shown), path=shown, reason=reason))
