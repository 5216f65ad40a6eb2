"""Digests: how a file that we wrote is known, though a bit of what marks it may have changed, and its tensors.

In: bytes at the place of a mark. Out: whether they are the mark. And the mark and digest at the end of ONNX models,
which the backend writes and `weights` checks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from io import BytesIO

MAX_FLIPPED = 8  # bits of a mark: no file of others is so near, and no damaged one of ours so far
HEX = 64  # characters of a digest

_KEY = b"spine.sha256"
_ENTRY = b"\x0a" + bytes([len(_KEY)]) + _KEY + b"\x12" + bytes([HEX])  # fields 1 and 2: key, value
MODEL_MARK = b"\x72" + bytes([len(_ENTRY) + HEX]) + _ENTRY  # field 14 of a model: an entry of its metadata


FORM, NUMBERS = "spine.sha256.form", "spine.sha256.numbers"  # properties of a model, of its tensors alone
RECIPES = "spine.sha256.made"  # of what it says of how they are made, which tools leave as it is


def is_mark(got: bytes, mark: bytes) -> bool:
    """Whether bytes are a mark, up to a few bits."""
    if len(got) != len(mark):
        return False
    return sum((one ^ other).bit_count() for one, other in zip(got, mark, strict=True)) <= MAX_FLIPPED


class Sealed:
    """A serialised ONNX model that is put together piece by piece: each is copied once, and may go then."""

    def __init__(self) -> None:
        self._digest, self._written = hashlib.sha256(), BytesIO()

    def add(self, *pieces: bytes | memoryview) -> None:
        """What comes next."""
        for piece in pieces:
            self._digest.update(piece)
            self._written.write(piece)

    def whole(self) -> bytes:
        """All of it, with the digest of all its bytes as the last entry of its metadata."""
        self._written.write(MODEL_MARK + self._digest.hexdigest().encode())
        return self._written.getvalue()


def model_is_ours(data: memoryview) -> bool:
    """Whether a serialised ONNX model ends with our mark and a digest."""
    return is_mark(bytes(data[-HEX - len(MODEL_MARK) : -HEX]), MODEL_MARK)


def model_holds(data: memoryview) -> bool:
    """Whether a model that spine wrote is as it was written."""
    body = data[: -HEX - len(MODEL_MARK)]
    return bytes(data[len(body) :]) == MODEL_MARK + hashlib.sha256(body).hexdigest().encode()


def digest_of(text: str) -> str:
    """The digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def digests_of(tensors: Iterable[tuple[str, tuple[int, ...], str, bytes]]) -> dict[str, str]:
    """Digests of tensors, of their form, and of their numbers too, in any order.

    Each is given as name, shape, type and the digest of its bytes.

    A tool that rewrites a model leaves both as they are, or changes the form; damage changes the numbers alone.
    """
    form, numbers = hashlib.sha256(), hashlib.sha256()
    for name, shape, kind, digest in sorted(tensors, key=lambda tensor: tensor[0]):
        head = f"{name}\0{kind}\0{'x'.join(map(str, shape))}\0".encode()
        form.update(head)
        numbers.update(head + digest)
    return {FORM: form.hexdigest(), NUMBERS: numbers.hexdigest()}
