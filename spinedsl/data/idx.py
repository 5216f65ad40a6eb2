"""idx files, as MNIST and its relatives come in: one array, with its type and its sizes before it; gzip or not.

In: a path. Out: an array, or `BadIdx`, which says where the file departs from what its beginning says.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spinedsl.brief import counted
from spinedsl.data.pictures import Pixels
from spinedsl.reading import reason_of

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_BYTES = 2**36  # of an array
_CODES = {np.dtype(kind).newbyteorder("="): code for code, kind in TYPES.items()}


class BadIdx(ValueError):
    """A file is no idx file, or not a whole one. `reason` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def read_idx(path: str) -> NDArray[Any]:
    """The array of an idx file, compressed or not: that follows from its bytes.

    Raises:
        BadIdx: it cannot be read, or it is not what its beginning says.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                return _array(file)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _array(unpacked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadIdx(f"its compression is damaged ({error}): fetch it again") from None
    except OSError as error:
        raise BadIdx(reason_of(error)) from None


def _array(file: BinaryIO | gzip.GzipFile) -> NDArray[Any]:
    head = file.read(4)
    if len(head) < 4:
        raise BadIdx(f"it has {counted(len(head), 'byte')}, and an idx file begins with four")
    if head[:2] != b"\0\0":
        raise BadIdx(f"it begins with 0x{head[:2].hex()}, and an idx file with two zeros")
    if head[2] not in TYPES:
        known = ", ".join(f"0x{code:02x}" for code in TYPES)
        raise BadIdx(f"its third byte is 0x{head[2]:02x}, which is no type of numbers: there is {known}")
    sizes_read = file.read(4 * head[3])
    if len(sizes_read) < 4 * head[3]:
        raise BadIdx(f"it ends within its {counted(head[3], 'size')}")
    sizes = struct.unpack(f">{head[3]}I", sizes_read)
    dtype = np.dtype(TYPES[head[2]])
    expected = math.prod(sizes) * dtype.itemsize
    shape = " x ".join(map(str, sizes)) or "one number"
    if expected > MAX_BYTES:
        raise BadIdx(f"it claims to hold {shape}, which is {expected:,} bytes; the limit is {MAX_BYTES:,}")
    data = file.read(expected + 1)
    if len(data) != expected:
        got = f"more than {expected:,}" if len(data) > expected else f"{len(data):,}"
        raise BadIdx(f"it claims to hold {shape}, which is {expected:,} bytes, and has {got}: fetch it again")
    return np.frombuffer(data, dtype).reshape(sizes).astype(dtype.newbyteorder("="))


def write_idx(path: str, array: NDArray[Any]) -> None:
    """Write an array as an idx file, compressed where the path ends with `.gz`; the same bytes every time.

    Raises:
        KeyError: idx has no such type of numbers.
    """
    code = _CODES[array.dtype.newbyteorder("=")]
    head = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    data = head + np.ascontiguousarray(array, dtype=TYPES[code]).tobytes()
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(gzip.compress(data, 6, mtime=0) if path.endswith(".gz") else data)


def pictures_of(path: str) -> Pixels:
    """The pictures of an idx file: `uint8`, pictures x height x width x 1 or 3, kept, and read-only.

    Raises:
        BadIdx: as `read_idx`, or what it holds are no pictures.
    """
    return _pictures(path, os.stat(path).st_mtime_ns if os.path.exists(path) else 0)  # noqa: PTH110, PTH116


@lru_cache(maxsize=4)
def _pictures(path: str, changed: int) -> Pixels:
    array = read_idx(path)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[3] not in (1, 3):
        sizes = " x ".join(map(str, array.shape))
        raise BadIdx(f"pictures are count x height x width, or that x 1 or 3; it holds {sizes or 'one number'}")
    if array.dtype != np.uint8:
        raise BadIdx(f"pictures are bytes (type 0x08) from 0 to 255; it holds {array.dtype}")
    array.flags.writeable = False
    return array


def labels_of(path: str) -> NDArray[np.int64]:
    """The labels of an idx file.

    Raises:
        BadIdx: as `read_idx`, or what it holds are no labels.
    """
    array = read_idx(path)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise BadIdx(f"labels are one list of whole numbers; it holds {array.ndim} sizes of {array.dtype}")
    if array.size and array.min() < 0:
        raise BadIdx(f"label {int(np.argmin(array))} is {array.min()}: labels count from 0")
    return array.astype(np.int64)
