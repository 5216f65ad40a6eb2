"""Text as the rest of the compiler sees it: a named source, spans in it, and lines with columns.

In: the bytes of a file and the name to show for it. Out: a `Source` with normalised text (no byte-order mark, LF line
ends), and `Span`s, which every later stage carries so that a message can point at its place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from spinedsl.brief import PART, Items, brief, counted, short_path
from spinedsl.record import Record, field

if TYPE_CHECKING:
    from pathlib import Path


class Archive(Protocol):
    """Files that stand elsewhere than on the disk, such as those of a revision in git."""

    def read(self, path: str) -> bytes:
        """All bytes of a file, by the path that it would have on the disk. Raises `OSError` as reading a file does."""

    def name(self, path: Path) -> str:
        """What messages call it."""


class Source(Record, eq=False):
    """A text with a name. Two sources are the same only if they are the same object."""

    name: str
    text: str = field(repr=False)
    origin: str = field(default="")  # where imports are looked up from: a path, `std`, or empty for loose text
    archive: Archive | None = field(default=None, repr=False)  # what imports are read from, if not from the disk
    line_end: str = field(default="\n", repr=False)  # what most lines ended with before: LF or CRLF

    @staticmethod
    def from_text(text: str, name: str = "<text>", origin: str = "", archive: Archive | None = None) -> Source:
        """Normalise `text`: a leading byte-order mark goes, CRLF and CR become LF.

        Raises:
            TypeError: it is no text.
        """
        if not isinstance(text, str):
            raise TypeError(f"a source is made of a text (str); got {type(text).__name__} {brief(text)}")
        text = text.removeprefix("\ufeff")
        if "\r" not in text:
            return Source(name, text, origin, archive)
        pairs = text.count("\r\n")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return Source(name, text, origin, archive, "\r\n" if pairs > text.count("\n") - pairs else "\n")

    @property
    def place(self) -> str:
        """What tells its file from others: where that stands, whatever it was called; else the name alone."""
        return self.origin if self.origin and self.archive is None else self.name

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """Offset of the first character of every line."""
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return Items(starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of `offset`, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """Line number `line` (from 1) without its line end."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] - 1 if line < len(self.line_starts) else len(self.text)
        return self.text[start:end]

    def __brief__(self) -> str:
        lines = self.text.count("\n") + (not self.text.endswith("\n"))
        return f"{short_path(self.name)}: {counted(lines if self.text else 0, 'line')}"

    def span(self, start: int, end: int) -> Span:
        """The place from offset `start` up to, not including, `end`."""
        return Span(self, start, end)


class Span(NamedTuple):
    """A stretch of a source: `source.text[start:end]`."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """Line of the first character, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """Column of the first character, from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The characters covered."""
        return self.source.text[self.start : self.end]

    def __brief__(self) -> str:
        # Counted here, since to ask `position` is to find all lines of the source, and to keep them.
        text, start = self.source.text, min(self.start, len(self.source.text))
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        return f"{short_path(self.source.name)}:{line}:{column}"

    def __repr__(self) -> str:
        covered = self.source.text[self.start : min(self.end, self.start + PART + 1)]
        return f"<Span {self.__brief__()} {brief(covered)}>"

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other`, which stands in the same source."""
        return Span(self.source, self.start, other.end)
