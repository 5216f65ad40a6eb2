"""A data set: what its samples are, and how one is read.

In: an index. Out: `uint8` pixels, height x width x 1 or 3, and a label. A data set is a list of files, or of places in
an idx file; no picture is read before somebody asks for it. It is immutable, and can be sent to another process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.brief import counted, short_path
from spinedsl.data.align import Points, aligned
from spinedsl.data.idx import pictures_of
from spinedsl.data.pictures import WHITE, Colour, Pixels, read_pixels
from spinedsl.diagnostics import Diagnostic, Nearest, nearest, one_of
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import legible
from spinedsl.record import Record, field
from spinedsl.source import Source, Span

KINDS = ("folder", "csv", "persons", "idx")


class Sample(Record):
    """A picture: the path of its file, the number of its class, and the line of the list that names it, or 0."""

    path: str
    label: int
    line: int = 0


class Pair(Record):
    """Two samples, whether they show the same person, the fold from 0, and the line of the list."""

    first: int
    second: int
    same: bool
    fold: int
    line: int


class Dataset(Record, eq=False):
    """Samples of classes. `name` is how messages call it; `listing` is the text that names the samples, if one does."""

    kind: str  # of `KINDS`
    name: str
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    pairs: tuple[Pair, ...] = ()
    landmarks: tuple[Points, ...] = ()  # of each sample five points, where faces are to be aligned
    background: Colour = WHITE  # what transparent pictures lie on
    listing: Source | None = field(default=None, repr=False)
    is_whole: bool = True  # nothing was left out because of a mistake, so that counts say something

    def __brief__(self) -> str:
        held = f"{counted(len(self.samples), 'picture')} of {of_classes(len(self.classes))}"
        return f"{self.kind} {short_path(self.name)}: {held}"

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The label of each sample."""
        return np.array([sample.label for sample in self.samples], dtype=np.int64)

    def read(self, index: int) -> tuple[Pixels, int]:
        """The pixels and the label of a sample.

        Raises:
            BadPicture: its file cannot be read.
        """
        sample = self.samples[index]
        if self.kind == "idx":
            return pictures_of(sample.path)[index], sample.label
        pixels = read_pixels(sample.path, self.background)
        return aligned(pixels, self.landmarks[index]) if self.landmarks else pixels, sample.label

    def called(self, index: int) -> str:
        """A sample as messages name it."""
        path = legible(self.samples[index].path)
        return f"{path}, picture {index}" if self.kind == "idx" else path

    def place(self, index: int) -> Span:
        """Where the list names a sample; without a list, the sample's own file."""
        line = self.samples[index].line
        if not line or self.listing is None:
            return nowhere(self.called(index))
        return line_of(self.listing, line)


def of_classes(count: int) -> str:
    """`1 class`, `2 classes`."""
    return f"{count:,} class{'es' * (count != 1)}"


def nowhere(name: str) -> Span:
    """The place of what is wrong with a whole file or folder."""
    return Source(legible(os.fspath(name)), "").span(0, 0)


def line_of(source: Source, line: int) -> Span:
    """A line of a list, from 1."""
    start = source.line_starts[line - 1]
    return source.span(start, start + len(source.line_text(line)))


def lines_of(source: Source) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers, from 1, as `line_of` counts them: `str.splitlines` ends more of them."""
    return enumerate(source.text.split("\n"), 1)


def unknown_class(
    place: Span, name: str, known: Sequence[str], like: Nearest | None = None, what: str = ""
) -> Diagnostic:
    """A class that there is not among those that are known.

    `like` finds the nearest of many. `what` is called so, where no line of a text says it: else the file of the place.
    """
    there = f"there is {one_of(known, conjunction='and', limit=8)}"
    where = "" if place.source.text else f", which {what or one_line(place.source.name)} is called"
    found: Diagnostic = say.UNKNOWN_CLASS.at(place, name=name, where=where, known="" if where else there)
    found = found if place.source.text else found.with_notes(there)
    near = like(name) if like is not None else nearest(name, known)
    return found.with_fix(f"did you mean `{near}`?") if near else found
