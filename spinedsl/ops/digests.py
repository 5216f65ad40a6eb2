"""Digests: how a file that we wrote is known, though a bit of what marks it may have changed.

In: bytes at the place of a mark. Out: whether they are the mark. And the mark and digest at the end of ONNX models,
which the backend writes and `weights` checks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

MAX_FLIPPED = 8  # bits of a mark: no file of others is so near, and no damaged one of ours so far
HEX = 64  # characters of a digest

_KEY = b"spine.sha256"
_ENTRY = b"\x0a" + bytes([len(_KEY)]) + _KEY + b"\x12" + bytes([HEX])  # fields 1 and 2: key, value
MODEL_MARK = b"\x72" + bytes([len(_ENTRY) + HEX]) + _ENTRY  # field 14 of a model: an entry of its metadata


def is_mark(got: bytes, mark: bytes) -> bool:
    """Whether bytes are a mark, up to a few bits."""
    if len(got) != len(mark):
        return False
    return sum((one ^ other).bit_count() for one, other in zip(got, mark, strict=True)) <= MAX_FLIPPED


def sealed_model(pieces: Sequence[bytes | memoryview]) -> bytes:
    """A serialised ONNX model, put together, with the digest of all its bytes as the last entry of its metadata."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return b"".join([*pieces, MODEL_MARK, digest.hexdigest().encode()])


def model_is_ours(data: memoryview) -> bool:
    """Whether a serialised ONNX model ends with our mark and a digest."""
    return is_mark(bytes(data[-HEX - len(MODEL_MARK) : -HEX]), MODEL_MARK)


def model_holds(data: memoryview) -> bool:
    """Whether a model of ours is as it was written."""
    body = data[: -HEX - len(MODEL_MARK)]
    return bytes(data[len(body) :]) == MODEL_MARK + hashlib.sha256(body).hexdigest().encode()
