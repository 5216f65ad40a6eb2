"""Sealed safetensors: the file that we write, in which no bit can change unseen.

A safetensors file is eight bytes with the length of the header, the header in JSON, and the numbers. In ours the header
begins with `OPENING` and a digest of those eight bytes and the whole header (with zeros where that digest stands), and
holds a digest for each tensor's bytes. Every bit of the file is under one of the digests. A file is ours if its opening
is ours up to a few bits, so that damage to the opening itself does not make it somebody else's. Any reader of
safetensors reads it: to others the digests are metadata.

In: tensors by name. Out: bytes; and of a file that is ours, what has changed since it was written. A digest shows
damage, not forgery.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from spinedsl.ops.digests import HEX, is_mark
from spinedsl.weights.tensors import Tensors

OPENING = b'{"__metadata__":{"spine.header":"'
OURS = "spine."  # begins the names of our metadata
MAX_HEADER = 2**24  # bytes; a hundred thousand tensors take less

_TENSOR = f"{OURS}sha256."
_BLANK = b"0" * HEX
_DIGEST = slice(8 + len(OPENING), 8 + len(OPENING) + len(_BLANK))
_TYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bool": "BOOL",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8",
}  # fmt: skip


def to_bytes(tensors: Tensors, metadata: Mapping[str, str] | None = None) -> bytes:
    """The contents of a sealed `.safetensors` file. The same tensors give the same bytes, in whatever order they come.

    Raises:
        ValueError: the type of a tensor is none of those that the format has.
    """
    header: dict[str, Any] = {}
    notes = {f"{OURS}header": _BLANK.decode(), **dict(sorted((metadata or {}).items()))}
    pieces: list[bytes] = []
    end = 0
    # Widest numbers first, so that each tensor stands where its type may stand in memory.
    for name in sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name)):
        array = tensors[name]
        if array.dtype.name not in _TYPES:
            raise ValueError(f"`{name}` has numbers of type {array.dtype}, which the format lacks")
        data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        notes[_TENSOR + name] = hashlib.sha256(data).hexdigest()
        entry = {"dtype": _TYPES[array.dtype.name], "shape": array.shape, "data_offsets": (end, end + len(data))}
        header[name] = entry
        pieces.append(data)
        end += len(data)
    text = json.dumps({"__metadata__": notes, **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    blank = len(text).to_bytes(8, "little") + text
    assert text.startswith(OPENING)
    digest = hashlib.sha256(blank).hexdigest().encode()
    return b"".join([blank[: _DIGEST.start], digest, blank[_DIGEST.stop :], *pieces])


def is_ours(start: bytes) -> bool:
    """Whether a file that begins so was written by us, even if a few bits of its opening have changed."""
    return is_mark(start[8 : 8 + len(OPENING)], OPENING)


def header_damage(header: bytes, size: int) -> str:
    """What has changed in the header of a file that spine wrote; empty if nothing has.

    `header` is the file up to the end of the header as its first eight bytes state it; `size` is that of the file.
    """
    length = int.from_bytes(header[:8], "little")
    if length > min(size - 8, MAX_HEADER):
        return "its header is not as long as it says"
    blank = header[: _DIGEST.start] + _BLANK + header[_DIGEST.stop :]
    if hashlib.sha256(blank).hexdigest().encode() != header[_DIGEST]:
        return "its header is not the one that was written"
    return ""


def data_damage(data: memoryview, header: Mapping[str, Any]) -> str:
    """Which tensors have changed in a sound file whose metadata is ours; empty if none has.

    `data` is what follows the header, and `header` what it says.
    """
    digests = header["__metadata__"]
    changed = [
        name
        for name, entry in header.items()
        if name != "__metadata__"
        and digests.get(_TENSOR + name) != hashlib.sha256(data[slice(*entry["data_offsets"])]).hexdigest()
    ]
    if not changed:
        return ""
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"the numbers of `{changed[0]}`{more} are not those that were written"
