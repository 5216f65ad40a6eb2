"""Pictures: any file that holds one, as 8-bit numbers.

In: the path of a file. Out: a `uint8` array of height x width x 3 (red, green, blue) or x 1 (grey, where the file has
no colours), turned as its EXIF orientation says; or `BadPicture`, which names the file, what is wrong with it and what
to do.

* Grey of 12 and 16 bits is scaled, the largest number being white, or black where a TIFF says so; 16-bit colour keeps
  the upper 8 bits of each number.
* What is transparent lies on `background`, white unless something else is given.
* Of an animation or a file of several pages the first picture is taken.
* Colours are those that the file stores: an embedded colour profile is not applied.

What a picture is follows from its bytes and not from its name. Only formats that Pillow reads by itself are read: none
that starts another program, as PostScript does.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible, reason_of
from spinedsl.record import Record

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
MAX_PIXELS = 2**27  # 0.4 GB in memory: larger than any camera's, and what a few KB can claim to be
FORMATS = {
    "AVIF": "Avif",
    "BMP": "Bmp",
    "DIB": "Bmp",
    "GIF": "Gif",
    "JPEG": "Jpeg",
    "JPEG2000": "Jpeg2K",
    "PNG": "Png",
    "PPM": "Ppm",
    "TIFF": "Tiff",
    "WEBP": "WebP",
}  # fmt: skip  (what Pillow calls them, and the plugins that read them)
ENDINGS = frozenset(
    ".avif .bmp .dib .gif .jfif .jpe .jpeg .jpg .jp2 .j2k .jpx .mpo .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()
)
BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339  # tags of TIFF
WHITE_IS_ZERO, SIGNED = 0, 2  # what the last two may say
AGAIN = "fetch it again, or take it out"
# What people have among their pictures that cannot be read, by how it begins; and what helps.
NO_PICTURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89PNG", "a PNG that is damaged near its beginning, or cut off there", AGAIN),
    (0, b"\xff\xd8\xff", "a JPEG that is damaged near its beginning, or cut off there", AGAIN),
    (0, b"GIF8", "a GIF that is damaged near its beginning, or cut off there", AGAIN),
    (8, b"WEBP", "a WebP that is damaged near its beginning, or cut off there", AGAIN),
    (0, b"version https://git-lfs", "a pointer of Git LFS", "fetch what it stands for: `git lfs pull`"),
    (4, b"ftyphei", "a HEIC picture, which Pillow does not read", "convert it to JPEG or PNG"),
    (4, b"ftyphev", "a HEIC sequence, which Pillow does not read", "convert it to JPEG or PNG"),
    (4, b"ftypmif1", "a HEIF picture, which Pillow does not read", "convert it to JPEG or PNG"),
    (4, b"ftyp", "a film", "take pictures out of it, as with ffmpeg"),
    (0, b"%PDF", "a PDF", "convert its pages to PNG"),
    (0, b"%!PS", "PostScript", "convert it to PNG"),
    (0, b"PK\x03\x04", "a zip archive", "unpack it"),
    (0, b"\x1f\x8b", "compressed by gzip", "unpack it"),
    (0, b"8BPS", "a Photoshop document", "export it as PNG"),
    (0, b"<svg", "an SVG drawing", "draw it as PNG"),
    (0, b"<?xml", "XML", "draw it as PNG, if it is a drawing"),
    (0, b"<!doctype html", "a web page: a download that failed, perhaps", "fetch it again"),
    (0, b"<html", "a web page: a download that failed, perhaps", "fetch it again"),
)


class BadPicture(ValueError):
    """A file cannot be read as a picture. `path`, `reason` and `fix` are what a message needs."""

    def __init__(self, path: str, reason: str, fix: str = AGAIN) -> None:
        self.path, self.reason, self.fix = path, reason, fix
        super().__init__(f"{one_line(path)}: {reason}: {fix}")

    def __reduce__(self) -> tuple[type[BadPicture], tuple[str, str, str]]:
        return type(self), (self.path, self.reason, self.fix)


class MissingPicture(BadPicture):
    """There is no such file."""


class HugePicture(BadPicture):
    """It has more pixels than `MAX_PIXELS`."""


class _NoWhite(ValueError):
    """It holds numbers of which nothing says what is white."""


class Picture(Record, eq=False):
    """The pixels of a file, and of how many pictures in it they are the first."""

    pixels: Pixels
    frames: int


def read_pixels(path: str | Path, background: Colour = WHITE) -> Pixels:
    """The pixels of a file: `uint8`, height x width x 3, or x 1 where it has no colours.

    Raises:
        BadPicture: there is no such file, or it is no picture that can be read whole.
    """
    return _read(os.fspath(path), background, strict=False).pixels


def inspect_picture(path: str | Path, background: Colour = WHITE) -> Picture:
    """The same, with what only a check asks for: the checksums of a PNG are compared, and pictures counted.

    Raises:
        BadPicture: as `read_pixels`.
    """
    return _read(os.fspath(path), background, strict=True)


def _read(name: str, background: Colour, *, strict: bool) -> Picture:
    with _opened(name) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata; what matters is raised
        try:
            if strict:
                _verify(name, file)
            return _decoded(name, file, background, count=strict)
        except (BadPicture, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - decoders raise anything of a damaged file
            raise _refused(name, file, error) from None


def _opened(name: str) -> BinaryIO:
    """An open file. What is no file is refused first: to open a pipe is to wait for somebody to write to it."""
    shown = legible(name)
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116 - a name may hold what no `Path` does
        if stat.S_ISDIR(mode):
            raise BadPicture(shown, "it is a folder", "name the picture")
        if not stat.S_ISREG(mode):
            raise BadPicture(shown, "it is no regular file", "name the picture")
        return open(name, "rb")  # noqa: PTH123 - the caller closes it
    except FileNotFoundError:
        if os.path.islink(name):  # noqa: PTH114 - as above
            there = legible(os.readlink(name))  # noqa: PTH115 - as above
            raise MissingPicture(shown, f"it is a link to `{there}`, which is not there", "take the link out") from None
        raise MissingPicture(shown, "there is no such file", "put it there, or take it out of the list") from None
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "no file can have this name"
        if isinstance(error, BadPicture):
            raise
        raise BadPicture(shown, f"cannot read it: {reason}", "see that it can be read") from None


def _verify(name: str, file: BinaryIO) -> None:
    """Compare the checksums of a PNG: decoding alone does not."""
    if file.read(4) == b"\x89PNG":
        from PIL import Image  # noqa: PLC0415 - after what is no file was refused

        file.seek(0)
        with Image.open(file, formats=("PNG",)) as image:
            image.verify()
    file.seek(0)


@cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow was built with. Pillow would import all of its decoders to find some."""
    from PIL import Image  # noqa: PLC0415 - as above

    for plugin in dict.fromkeys(FORMATS.values()):
        with suppress(ImportError):
            import_module(f"PIL.{plugin}ImagePlugin")
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _decoded(name: str, file: BinaryIO, background: Colour, *, count: bool) -> Picture:
    from PIL import Image, ImageOps  # noqa: PLC0415 - as above

    with Image.open(file, formats=_formats()) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise _huge(name, f"{width:,} x {height:,} pixels")
        image.load()
        pixels = _eight_bits(ImageOps.exif_transpose(image), image, background)
        return Picture(pixels, int(getattr(image, "n_frames", 1)) if count else 1)


def _huge(name: str, got: str) -> HugePicture:
    limit = f"the limit is {MAX_PIXELS:,} pixels"
    return HugePicture(legible(name), f"it has {got}, and {limit}", "make it smaller, or take it out")


def _refused(name: str, file: BinaryIO, error: Exception) -> BadPicture:
    """Why a file is no picture, by what the decoder reported and by how the file begins."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - as above

    shown = legible(name)
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\((\d+) pixels\)", str(error))
        return _huge(name, f"{int(pixels[1]):,} pixels" if pixels else "too many pixels")
    if isinstance(error, _NoWhite):
        reason = f"it holds {error}, of which nothing says what is white"
        return BadPicture(shown, reason, "convert it to 8 or 16 bits, or take it out")
    if isinstance(error, UnidentifiedImageError):
        file.seek(0)
        start = file.read(64)
        if not start:
            return BadPicture(shown, "it is empty")
        if not start.strip(b"\0"):
            return BadPicture(shown, "it begins with nothing but zeros")
        for at, begins, what, fix in NO_PICTURES:
            if start[at:].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(begins.lower()):
                return BadPicture(shown, f"it is {what}", fix)
        return BadPicture(shown, "it is no picture of a kind that is read here", f"convert it to PNG ({_kinds()})")
    text = one_line(error) or type(error).__name__
    if "truncated" in text.lower() or "end of file" in text.lower() or isinstance(error, EOFError):
        return BadPicture(shown, "it is cut off: the end is missing")
    return BadPicture(shown, f"it is damaged ({text[:1].lower() + text[1:120]})")


def _kinds() -> str:
    return "read are " + ", ".join(FORMATS)


# ---- colours ----


def _eight_bits(image: Image, file: Image, background: Colour) -> Pixels:
    """The pixels of a decoded picture of any mode; `file` is the same as it was opened, with its format and tags."""
    mode = image.mode
    black, white = _range(file)
    if mode.startswith("I;16") or mode in ("I", "F"):
        return _scaled(image, black, white, background)[:, :, None]
    if mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        return np.array(_composed(image.convert("LA") if mode == "La" else image, background), dtype=np.uint8)
    if mode in ("1", "L"):
        return np.array(image.convert("L"), dtype=np.uint8)[:, :, None]
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _composed(image: Image, background: Colour) -> Image:
    """A picture on a background of one colour, seen through what is transparent."""
    from PIL import Image as images  # noqa: N813, PLC0415 - as above

    over = image.convert("RGBA")
    under = images.new("RGBA", over.size, (*background, 255))
    under.alpha_composite(over)
    return under.convert("RGB")


def _range(file: Image) -> tuple[int, int]:
    """The numbers that are black and white in grey of more than 8 bits. What only TIFF can hold may have neither."""
    tags: Mapping[int, Any] = getattr(file, "tag_v2", {})
    (bits, *_), (form, *_) = tags.get(BITS, (16,)), tags.get(SAMPLE_FORMAT, (1,))
    if form == SIGNED and bits <= 16:
        raise _NoWhite("signed numbers")
    if not tags or not file.mode.startswith("I;16"):
        return 0, 65535
    if bits not in (12, 16):
        raise _NoWhite(f"{bits}-bit numbers")
    white = 2**bits - 1
    return (white, 0) if tags.get(PHOTOMETRIC, 0) == WHITE_IS_ZERO else (0, white)


def _scaled(image: Image, black: int, white: int, background: Colour) -> Pixels:
    """Grey of more than 8 bits. Other ranges are refused, since nothing says what is white."""
    if image.mode == "F":
        raise _NoWhite("fractions")
    numbers: NDArray[Any] = np.array(image, dtype=np.int64)
    most = max(black, white)
    if numbers.min() < 0 or numbers.max() > most:
        raise _NoWhite("32-bit numbers")
    grey: Pixels = ((abs(numbers - black) * 255 + most // 2) // most).astype(np.uint8)
    hole = image.info.get("transparency")
    if isinstance(hole, int):
        red, green, blue = background
        grey[numbers == hole] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16  # as Pillow makes grey
    return grey
