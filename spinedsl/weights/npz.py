"""NumPy's `.npz`: a zip archive with an array a member, read without pickles.

In: a path, and which set is meant. Out: the arrays, or why there are none. A dump of a TensorFlow model may hold the
moving averages of its variables beside them, as a second set. Each array's header is held against the size of its
member before anything is made room for.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.diagnostics import Outcome
from spinedsl.weights.sets import WHOLE, Key, choose
from spinedsl.weights.tensors import Weights, broken, first_sentence

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_FREE = 2**26  # bytes that an archive may always unfold to
_MOST = 100  # times its own size that it may unfold to beyond that: numbers of weights hardly shrink at all


_AVERAGE = re.compile(r"(.+)/ExponentialMovingAverage(:0)?")
VARIABLES, AVERAGES = "variables", "averages"  # the sets of such a dump


class _Refused(Exception):
    """What an archive holds is no array to be read: the sentence that says why."""


def read(path: Path, key: Key = None) -> Outcome[Weights]:
    """Every array of an archive, or of the set `key` where it has moving averages too."""
    try:
        with zipfile.ZipFile(path) as archive:
            if reason := unfolds(archive, path.stat().st_size):
                return broken(path, reason)
            names = Counter(member.filename for member in archive.infolist())
            if twice := next((name for name, count in names.items() if count > 1), None):
                return broken(path, f"`{twice.removesuffix('.npy')}` stands in it twice")
            tensors = {member.filename.removesuffix(".npy"): _array(archive, member) for member in archive.infolist()}
    except _Refused as refused:
        return broken(path, str(refused))
    except (OSError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  a broken archive makes the reader raise whatever comes
        return broken(path, f"{type(error).__name__}: {first_sentence(error)}".rstrip(": "))
    return choose(path, _sets(tensors), key)


def _sets(tensors: dict[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """The variables as they are, and with the averages of those that have one in their place.

    Where a variable is there as its average alone, there is only one set.
    """
    averages = {}
    for name, array in tensors.items():
        if found := _AVERAGE.fullmatch(name):
            averages[f"{found[1]}{found[2] or ''}"] = array
    if not averages:
        return {WHOLE: tensors}
    plain = {name: array for name, array in tensors.items() if not _AVERAGE.fullmatch(name)}
    averaged = plain | averages
    if not averages.keys() & plain.keys():
        return {AVERAGES: averaged}
    return {VARIABLES: plain, AVERAGES: averaged}


def unfolds(archive: zipfile.ZipFile, size: int) -> str:
    """Why an archive of that many bytes is not worth unfolding; empty if it is."""
    total = sum(member.file_size for member in archive.infolist())
    if total <= max(_FREE, _MOST * size):
        return ""
    return f"its {size} bytes would unfold to {total}"


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array of an archive, read without running anything; refused if it holds objects."""
    name = member.filename.removesuffix(".npy")
    if member.filename == name:
        raise _Refused(f"`{name}` in it is no array")
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise _Refused(f"`{name}` has a header of version {'.'.join(map(str, version))}")
        shape, by_columns, kind = _HEADERS[version](stream)
        if kind.hasobject:
            raise _Refused(f"`{name}` holds Python objects, not numbers")
        if kind.kind not in "fiub":
            raise _Refused(f"`{name}` has numbers of type {kind}")
        left = member.file_size - stream.tell()
        if any(side < 0 for side in shape) or math.prod(shape) * kind.itemsize != left:
            raise _Refused(f"`{name}` says that its shape is {shape}, which is not what it holds")
        numbers = np.frombuffer(stream.read(), kind)
    return numbers.reshape(shape, order="F" if by_columns else "C")
