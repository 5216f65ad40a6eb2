"""Pictures decoded to see whether they can be: what is found in each file, by several processes.

In: paths. Out: a `Seen` for each, in their order; and which of two data sets are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

import numpy as np

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.pictures import BadPicture, Pixels, inspect_picture
from spinedsl.data.workers import Workers
from spinedsl.diagnostics import Diagnostic
from spinedsl.reading import legible
from spinedsl.record import Record
from spinedsl.source import Span

CHUNK = 32  # pictures that a worker decodes between two answers
AHEAD = 2  # such parts that a worker is given before it answers
SHOWN = 5  # of pictures that are in both
FEW = 64  # pictures for which no worker is worth starting

Hear = Callable[[int, int], None]  # told how many pictures of how many are done


class Seen(Record):
    """What was found in a file: why it cannot be read, else a digest of its pixels, its pictures and its size."""

    digest: bytes = b""
    frames: int = 1
    error: BadPicture | None = None
    height: int = 0
    width: int = 0


def look(paths: Sequence[str]) -> list[Seen]:
    """Decode files; what a worker does."""
    return [_look(path) for path in paths]


def _look(path: str) -> Seen:
    try:
        picture = inspect_picture(path)
    except BadPicture as error:
        return Seen(error=error)
    except MemoryError:
        reason = "there is not enough memory for it"
        return Seen(error=BadPicture(legible(path), reason, "make it smaller, or take it out"))
    return Seen(digest_of_pixels(picture.pixels), picture.frames, None, *picture.pixels.shape[:2])


def digest_of_pixels(pixels: Pixels) -> bytes:
    """What tells pictures apart: 128 bits of their sizes and pixels."""
    return blake2b(np.ascontiguousarray(pixels).data, digest_size=16, person=repr(pixels.shape).encode()[:16]).digest()


def decoded(paths: Sequence[str], workers: int, hear: Hear | None) -> list[Seen]:
    """What is found in files, in their order, looked at by several processes where that is worth it."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    hear = hear or _nobody
    if workers < 2 or len(paths) <= FEW:
        found: list[Seen] = []
        for chunk in chunks:
            found += look(chunk)
            hear(len(found), len(paths))
        return found
    made: dict[int, list[Seen]] = {}
    with Workers(look, min(workers, len(chunks))) as crew:
        waiting = list(enumerate(chunks))[::-1]
        while waiting or crew.pending:
            while waiting and crew.pending < AHEAD * len(crew.pids):
                crew.give(*waiting.pop())
            made.update(crew.answers())
            hear(sum(map(len, made.values())), len(paths))
    return [one for number in range(len(chunks)) for one in made[number]]


def _nobody(done: int, whole: int) -> None:
    """Nobody listens."""


class Called(Protocol):
    """A data set whose samples have names, and places where a list names them."""

    def called(self, index: int) -> str:
        """A sample as messages name it."""

    def place(self, index: int) -> Span:
        """Where a list names it; its own file if none does."""


def in_both(train: Called, seen: Sequence[Seen], validation: Called, others: Sequence[Seen]) -> Iterator[Diagnostic]:
    """Pictures for validation that are those of training too: the first of them, and how many more there are."""
    digests = {one.digest: index for index, one in enumerate(seen) if one.digest}
    both = [(index, digests[one.digest]) for index, one in enumerate(others) if one.digest in digests]
    for index, other in both[:1]:
        more = f", and so are {counted(len(both) - 1, 'other picture')}" if len(both) > 1 else ""
        label = f"the same pixels as {train.called(other)}"
        found = say.IN_BOTH_SETS.at(
            validation.place(index), path=validation.called(index), more=more,
            label=label if validation.place(index).source.text else "",
        )  # fmt: skip
        shown = [f"{validation.called(index)} is {train.called(other)}" for index, other in both[:SHOWN]]
        yield found.with_notes(*shown).with_fix("take them out of one of the two")
