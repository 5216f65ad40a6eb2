"""Pictures of every kind become the pixels that they show; what is none is refused, with the file and what to do."""

from __future__ import annotations

import io
import os
import pickle
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from spinedsl.data import pictures
from spinedsl.data.pictures import BadPicture, HugePicture, MissingPicture, Pixels, inspect_picture, read_pixels
from tests.data.making import image, noise

COLOUR, GREY = noise(24, 36), noise(24, 36, 1)


def saved(folder: Path, picture: Image.Image, name: str, **more: Any) -> Path:
    path = folder / name
    picture.save(path, **more)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.ppm", "bild ä ß ' \".png", "no ending", "a.txt"])
def test_lossless_colours_are_as_they_are_stored(name: str, tmp_path: Path) -> None:
    kind = {"no ending": "PNG", "a.txt": "PNG"}.get(name)
    path = saved(tmp_path, image(COLOUR), name, format=kind)
    assert np.array_equal(read_pixels(path), COLOUR)
    assert np.array_equal(read_pixels(str(path)), COLOUR)


@pytest.mark.parametrize("kind", ["jpg", "webp", "jp2", "avif"])
def test_lossy_pictures_are_nearly_what_they_were(kind: str, tmp_path: Path) -> None:
    smooth = np.broadcast_to(np.arange(0, 240, 5, dtype=np.uint8)[:, None, None], (48, 32, 3))
    read = read_pixels(saved(tmp_path, image(np.ascontiguousarray(smooth)), f"a.{kind}"))
    assert read.shape == (48, 32, 3)
    assert np.abs(read.astype(int) - smooth).max() <= 12


@pytest.mark.parametrize("kind", ["png", "pgm", "tiff"])
def test_grey_stays_grey(kind: str, tmp_path: Path) -> None:
    assert np.array_equal(read_pixels(saved(tmp_path, image(GREY), f"a.{kind}")), GREY)


TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda seen: seen,
    2: lambda seen: seen[:, ::-1],
    3: lambda seen: seen[::-1, ::-1],
    4: lambda seen: seen[::-1],
    5: lambda seen: seen.transpose(1, 0, 2),
    6: lambda seen: np.rot90(seen, 1),
    7: lambda seen: seen[::-1, ::-1].transpose(1, 0, 2),
    8: lambda seen: np.rot90(seen, -1),
}  # how a camera that was held so stores what it saw, by the orientation that it writes


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_orientation_is_undone(orientation: int, kind: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = image(np.ascontiguousarray(TURNS[orientation](COLOUR)))
    assert np.array_equal(read_pixels(saved(tmp_path, stored, f"a.{kind}", exif=exif)), COLOUR)


def test_an_orientation_that_there_is_not_changes_nothing(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert np.array_equal(read_pixels(saved(tmp_path, image(COLOUR), "a.png", exif=exif)), COLOUR)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_are_scaled_and_not_clipped(kind: str, tmp_path: Path) -> None:
    deep = np.array([[0, 1, 128, 129, 257, 32768], [65535, 65406, 65407, 300, 255, 256]], dtype=np.uint16)
    expected = [[0, 0, 0, 1, 1, 128], [255, 254, 255, 1, 1, 1]]  # the nearest to deep / 257
    assert read_pixels(saved(tmp_path, Image.fromarray(deep), f"a.{kind}"))[:, :, 0].tolist() == expected


def tiff(bits: int, photometric: int, sample_format: int, data: bytes) -> bytes:
    """A grey TIFF of 2x1 pixels, which Pillow reads and does not write."""
    tags = {256: 2, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: 1, 279: len(data)}
    tags[339] = sample_format
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items())
    start = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    return start + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


@pytest.mark.parametrize(
    ("bits", "photometric", "data", "expected"),
    [
        (4, 1, b"\x0f", [0, 255]),
        (4, 0, b"\x0f", [255, 0]),
        (8, 1, b"\x00\xff", [0, 255]),
        (8, 0, b"\x00\xff", [255, 0]),
        (12, 1, b"\x00\x0f\xff", [0, 255]),
        (12, 1, b"\x80\x00\x10", [128, 1]),
        (16, 1, b"\x00\x00\xff\xff", [0, 255]),
        (16, 0, b"\x00\x00\xff\xff", [255, 0]),
        (16, 0, b"\x01\x01\x00\x80", [254, 127]),
    ],
)
def test_white_is_what_the_tags_of_a_tiff_say(
    bits: int, photometric: int, data: bytes, expected: list[int], tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(bits, photometric, 1, data))
    assert read_pixels(path)[:, :, 0].tolist() == [expected]
    assert inspect_picture(path).pixels[:, :, 0].tolist() == [expected]


@pytest.mark.parametrize("bits", [8, 16])
def test_signed_numbers_have_no_white(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(bits, 1, 2, b"\x01" * (bits // 4)))
    with pytest.raises(BadPicture, match="signed numbers, of which nothing says what is white"):
        read_pixels(path)


def test_the_white_of_a_pgm_is_what_its_head_says(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 3 1 1023\n" + np.array([0, 1023, 512], dtype=">u2").tobytes())
    assert read_pixels(path)[:, :, 0].tolist() == [[0, 255, 128]]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colours: int, rows: bytes, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_sixteen_bits_of_colours_keep_their_upper_half(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(1, 1, 16, 2, b"\0" + struct.pack(">HHH", 0, 65535, 0x1234)))
    assert read_pixels(path).tolist() == [[[0, 255, 0x12]]]


def test_what_is_transparent_lies_on_the_background(tmp_path: Path) -> None:
    clear = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 128]]], dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(clear), "a.png")
    assert read_pixels(path).tolist() == [[[255, 255, 255], [10, 20, 30], [127, 127, 127]]]
    assert read_pixels(path, (200, 0, 100)).tolist()[0][:2] == [[200, 0, 100], [10, 20, 30]]
    grey = Image.fromarray(np.array([[[7, 0], [7, 255]]], dtype=np.uint8), "LA")
    assert read_pixels(saved(tmp_path, grey, "b.png")).tolist() == [[[255] * 3, [7] * 3]]


@pytest.mark.parametrize("depth", [8, 16])
def test_a_grey_that_stands_for_nothing_is_transparent(depth: int, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    rows = b"\0" + (bytes([7, 9]) if depth == 8 else struct.pack(">HH", 7, 0x0909))
    path.write_bytes(png(2, 1, depth, 0, rows, chunk(b"tRNS", struct.pack(">H", 7))))
    assert read_pixels(path, (100, 100, 100)).reshape(2, -1)[:, 0].tolist() == [100, 9]


def test_palettes_are_colours(tmp_path: Path) -> None:
    few = image(COLOUR).quantize(16)
    assert np.array_equal(read_pixels(saved(tmp_path, few, "a.png")), np.array(few.convert("RGB")))
    few.info["transparency"] = 0
    holes = read_pixels(saved(tmp_path, few, "b.png", transparency=0), (1, 2, 3))
    assert (holes[np.array(few) == 0] == (1, 2, 3)).all()


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    bits = Image.fromarray(GREY[:, :, 0] > 127)
    assert bits.mode == "1"
    assert np.array_equal(read_pixels(saved(tmp_path, bits, "a.png"))[:, :, 0], (GREY[:, :, 0] > 127) * 255)


@pytest.mark.parametrize("kind", ["tiff", "jpg"])
def test_printers_colours_are_turned_into_those_of_screens(kind: str, tmp_path: Path) -> None:
    inks = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    read = read_pixels(saved(tmp_path, inks, f"a.{kind}"))
    assert np.abs(read.astype(int) - (255, 0, 0)).max() <= 4


def test_colours_as_people_see_them_are_turned_into_those_of_screens(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("LAB", (2, 2), (255, 128, 128)), "a.tiff")
    assert np.abs(read_pixels(path).astype(int) - 255).max() <= 1


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "tiff"])
def test_of_several_pictures_the_first_is_taken(kind: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    lossless = {"lossless": True} if kind == "webp" else {}
    path = saved(tmp_path, frames[0], f"a.{kind}", save_all=True, append_images=frames[1:], **lossless)
    found = inspect_picture(path)
    assert found.frames == 3
    assert (found.pixels == (255, 0, 0)).all()


# ---- what is no picture ----


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "bmp", "webp", "tiff", "ppm", "jp2", "avif"])
def test_a_picture_that_is_cut_off_is_refused_or_whole(kind: str, tmp_path: Path) -> None:
    """At any length: never other pixels, and never anything but `BadPicture`."""
    whole = saved(tmp_path, image(noise(16, 16)), f"whole.{kind}")
    data, pixels = whole.read_bytes(), read_pixels(whole)
    path = tmp_path / f"cut.{kind}"
    refused: list[str] = []
    for length in range(0, len(data), max(1, len(data) // 80)):
        path.write_bytes(data[:length])
        try:
            assert np.array_equal(read_pixels(path), pixels), length
        except BadPicture as error:
            refused.append(str(error))
    assert len(refused) > 30
    assert all(said.startswith(f"{path}: ") for said in refused)


def test_a_flipped_bit_of_a_png_is_noticed_by_a_check(tmp_path: Path) -> None:
    path = saved(tmp_path, image(COLOUR), "a.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(BadPicture, match="damaged"):
        inspect_picture(path)


BEGINNINGS = {
    b"": "it is empty",
    b"\0" * 1000: "nothing but zeros",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n": "`git lfs pull`",
    b"\0\0\0\x18ftypheic\0\0\0\0": "HEIC picture, which Pillow does not read: convert it to JPEG or PNG",
    b"\0\0\0\x18ftypisom\0\0\0\0": "it is a film",
    b"%PDF-1.7": "it is a PDF",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n": "it is PostScript: convert it to PNG",
    b"PK\x03\x04....": "zip archive: unpack it",
    b"\x1f\x8b\x08....": "compressed by gzip",
    b"\n <!DOCTYPE html><title>404</title>": "a download that failed",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>": "SVG drawing",
    b"hello, world": "no picture of a kind that is read here",
    b"\x89PNG\r\n\x1a\nrubbish": "a PNG that is damaged near its beginning",
    b"\xff\xd8\xff\xe0": "a JPEG that is damaged near its beginning, or cut off there",
}


@pytest.mark.parametrize("data", BEGINNINGS)
def test_what_a_file_is_instead_is_said(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(BadPicture) as caught:
        read_pixels(path)
    assert BEGINNINGS[data] in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_said_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadPicture, match="no regular file"):
        read_pixels(tmp_path / "pipe")
    with pytest.raises(BadPicture, match="it is a folder"):
        read_pixels(tmp_path)
    with pytest.raises(MissingPicture, match="there is no such file"):
        read_pixels(tmp_path / "none.png")
    (tmp_path / "link.png").symlink_to("gone.png")
    with pytest.raises(MissingPicture, match=r"it is a link to `gone\.png`, which is not there: take the link out"):
        read_pixels(tmp_path / "link.png")
    with pytest.raises(BadPicture, match="no file can have this name"):
        read_pixels("a\0b.png")


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    for side, got in ((12000, "12,000 x 12,000 pixels"), (100_000, "10,000,000,000 pixels")):
        path = tmp_path / "a.png"
        path.write_bytes(png(side, side, 8, 0, b"\0"))
        with pytest.raises(HugePicture, match=f"it has {got}, and the limit is 134,217,728"):
            read_pixels(path)
    assert pictures.MAX_PIXELS < 12000 * 12000


def test_numbers_without_a_white_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match="fractions, of which nothing says what is white"):
        read_pixels(saved(tmp_path, Image.new("F", (2, 2), 0.5), "a.tiff"))
    with pytest.raises(BadPicture, match="32-bit numbers, of which nothing says what is white"):
        read_pixels(saved(tmp_path, Image.new("I", (2, 2), 70000), "a.tiff"))


def test_reading_says_nothing_and_changes_no_switch(tmp_path: Path) -> None:
    path = saved(tmp_path, image(COLOUR), "a.png")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        read_pixels(path)
    assert heard == []
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_an_error_stands_being_sent(tmp_path: Path) -> None:
    with pytest.raises(MissingPicture) as caught:
        read_pixels(tmp_path / "none.png")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is MissingPicture
    assert str(again) == str(caught.value)


def test_no_decoder_is_used_that_starts_a_program(tmp_path: Path) -> None:
    """PostScript is read by Ghostscript where that is installed."""
    path = tmp_path / "a.jpg"
    buffer = io.BytesIO()
    image(COLOUR).save(buffer, "EPS")
    path.write_bytes(buffer.getvalue())
    with pytest.raises(BadPicture, match="it is PostScript"):
        read_pixels(path)
