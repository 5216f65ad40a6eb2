"""TOML with places: what a file of settings holds, and where each key and value of it stands.

In: a `Source`. Out: a `Document`, whose values are those of `tomllib`; or where the text stops being TOML. A path is
the keys that lead to a value, and numbers where it stands in an array: `("data", "mean", 0)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from spinedsl import checks as say
from spinedsl.diagnostics import Outcome
from spinedsl.record import Record
from spinedsl.source import Source, Span

Path: TypeAlias = tuple[str | int, ...]

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_STRING = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]+")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_LETTERS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


class Document(Record, eq=False):
    """The values of a file, and the places of keys and values by their path. The whole has the path `()`."""

    source: Source
    values: Mapping[str, Any]
    keys: Mapping[Path, Span]
    places: Mapping[Path, Span]

    def key(self, path: Path) -> Span:
        """Where a key stands; of one that is not there, where the table stands that should have it."""
        while path and path not in self.keys:
            path = path[:-1]
        return self.keys[path] if path else self.source.span(0, 0)

    def value(self, path: Path) -> Span:
        """Where a value stands; of a table that has a head, the head."""
        return self.places.get(path) or self.key(path)


def read_toml(source: Source) -> Outcome[Document]:
    """The document of a text, or one diagnostic of where it stops being TOML."""
    import tomllib  # noqa: PLC0415  few commands read settings

    try:
        values = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        return Outcome(None, (_wrong(source, str(error)),))
    except RecursionError:
        found = say.NOT_TOML.at(source.span(0, 0), reason="it is nested too deep")
        return Outcome(None, (found,))
    walk = _Walk(source)
    walk.document()
    return Outcome(Document(source, values, walk.keys, walk.places))


def _wrong(source: Source, message: str) -> Any:
    """What the parser of Python's library says, at its place."""
    place = _PLACE.search(message)
    reason = message[: place.start()] if place else message
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
        at = min(source.line_starts[line - 1] + column - 1, len(source.text))
    else:
        at = len(source.text.rstrip())
    if (taken := _taken(source, at)) is not None and (words := _AGAIN.match(reason)) is not None:
        path, span, first = taken
        name = ".".join(part for part in path if isinstance(part, str))
        again = say.NOT_TOML.at(span, reason=f"`{name}` {_TAKEN[words[0]]}")
        return again.with_notes(f"it stands in line {first.line} too") if first is not None else again
    found = say.NOT_TOML.at(source.span(at, min(at + 1, len(source.text))), reason=reason[:1].lower() + reason[1:])
    line_text = source.line_text(found.span.line)
    value = line_text.partition("=")[2].strip()
    if "=" in line_text and value and re.fullmatch(r"[A-Za-z_./-][\w ./-]*", value):
        return found.with_fix(f'texts stand in quotes, and yes and no are `true` and `false`: did you mean "{value}"?')
    return found


# How Python's library begins its words on a key that has something already, and the words that stand here.
_TAKEN = {
    "Cannot overwrite": "is given twice",
    "Cannot declare": "is given twice",
    "Duplicate inline table key": "is given twice",
    "Cannot mutate immutable namespace": "has a value that is whole, and nothing is added to it",
}
_AGAIN = re.compile("|".join(_TAKEN))


def _taken(source: Source, at: int) -> tuple[Path, Span, Span | None] | None:
    """The key that is read last before a place, or what it stands in, and where the same stood before.

    The text is TOML up to that place. A value may have keys in it, which come after its own.
    """
    walk = _Walk(source)
    with suppress(AssertionError, IndexError, RecursionError):
        walk.document()
    read = [(path, span) for path, span in walk.read if span.start < at]
    for number, (path, span) in reversed(list(enumerate(read))):
        if read[-1][0][: len(path)] == path:
            for other, first in read[:number]:
                if other[: len(path)] == path:
                    return path, span, first
    return (*read[-1], None) if read else None


class _Walk:
    """Goes over a text that is known to be TOML, and notes where everything stands."""

    def __init__(self, source: Source) -> None:
        self.source, self.text, self.at = source, source.text, 0
        self.keys: dict[Path, Span] = {}
        self.places: dict[Path, Span] = {}
        self.read: list[tuple[Path, Span]] = []  # each key that is given a value or heads a table, as they come
        self.arrays: dict[Path, int] = {}  # how many tables an array of tables has

    def document(self) -> None:
        """The whole text."""
        table: Path = ()
        while self.skip() < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self.head(2)
            elif self.text[self.at] == "[":
                table = self.head(1)
            else:
                self.pair(table)

    def skip(self) -> int:
        """Over blanks, line ends and comments."""
        found = _SPACE.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        return self.at

    def head(self, brackets: int) -> Path:
        """`[table]` or `[[array of tables]]`: the path that what follows has."""
        self.at += brackets
        path: Path = ()
        parts = list(self.dotted())
        for number, (name, span) in enumerate(parts):
            path = (*path, name)
            self.keys[path] = span if number == len(parts) - 1 else self.keys.get(path, span)
            last = number == len(parts) - 1
            if last:
                self.read.append((path, span))
            if brackets == 2 and last:
                self.arrays[path] = self.arrays.get(path, 0) + 1
            if path in self.arrays:
                path = (*path, self.arrays[path] - 1)
                self.keys[path] = span
        self.at += brackets
        return path

    def dotted(self) -> Iterator[tuple[str, Span]]:
        """The parts of a key, each with its place."""
        while True:
            self.skip()
            start = self.at
            bare = _BARE.match(self.text, self.at)
            found = bare or _STRING.match(self.text, self.at)
            assert found is not None
            self.at = found.end()
            yield found[0] if bare else _unquoted(found[0]), self.source.span(start, self.at)
            self.skip()
            if not self.text.startswith(".", self.at):
                return
            self.at += 1

    def pair(self, table: Path) -> None:
        """`key = value`."""
        path = table
        for name, span in self.dotted():
            path = (*path, name)
            self.keys.setdefault(path, span)
        self.read.append((path, span))
        self.at += 1  # the `=`
        self.value(path)

    def value(self, path: Path) -> None:
        """A value of any kind, and what is in it."""
        start = self.skip()
        opening = self.text[start]
        if opening == "[":
            self.items(path)
        elif opening == "{":
            self.inline(path)
        else:
            found = (_STRING if opening in "\"'" else _SCALAR).match(self.text, start)
            assert found is not None
            self.at = start + len(found[0].rstrip())
        self.places[path] = self.source.span(start, self.at)

    def items(self, path: Path) -> None:
        """`[a, b]`."""
        self.at += 1
        number = 0
        while self.skip() < len(self.text) and self.text[self.at] != "]":
            self.value((*path, number))
            number += 1
            if self.text[self.skip()] == ",":
                self.at += 1
        self.at += 1

    def inline(self, path: Path) -> None:
        """`{ a = 1, b = 2 }`."""
        self.at += 1
        while self.skip() < len(self.text) and self.text[self.at] != "}":
            self.pair(path)
            if self.text[self.skip()] == ",":
                self.at += 1
        self.at += 1


def _unquoted(text: str) -> str:
    """A key without its quotes."""
    if text[0] == "'":
        return text[1:-1]

    def letter(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if code[0] in "uU" and len(code) > 1 else _LETTERS.get(code, code)

    return _ESCAPE.sub(letter, text[1:-1])
