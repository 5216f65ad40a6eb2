"""Diagnostics as text for a person: the message, the line with a caret, the other places, the notes and the repairs.

In: diagnostics in any order. Out: one text, plain or with terminal colours. Nothing from a file reaches the terminal
unprinted: control characters are shown by their escapes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from spinedsl.diagnostics.order import in_order
from spinedsl.diagnostics.plain import counted, one_line, printable
from spinedsl.source import Span

if TYPE_CHECKING:  # the model prints itself by this module
    from spinedsl.diagnostics.model import Diagnostic, Fix

MAX_TEXT = 1_000
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "bold": "\x1b[1m", "dim": "\x1b[1;34m", "help": "\x1b[36m"}


def cut(text: str) -> str:
    """Text on one line, of a bearable length."""
    return one_line(text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…")


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False, width: int = 120) -> str:
    """All diagnostics by file and place, an empty line between them."""
    pen = _Pen(colour, width)
    return "\n".join(pen.diagnostic(diagnostic) for diagnostic in in_order(diagnostics))


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    found = Counter(diagnostic.severity.value for diagnostic in in_order(diagnostics))
    return ", ".join(counted(found[word], word) for word in ("error", "warning") if found[word]) or "no mistakes"


class _Place(NamedTuple):
    """A place, and what is reported right there."""

    span: Span
    text: str


class _Pen:
    def __init__(self, colour: bool, width: int) -> None:
        self.colour = colour
        self.width = max(width, 40)

    def paint(self, text: str, style: str) -> str:
        return f"{_COLOURS[style]}{text}\x1b[0m" if self.colour and text else text

    def diagnostic(self, diagnostic: Diagnostic) -> str:
        """The whole text of one: head, lines of the sources with marks, notes and fixes."""
        severity = diagnostic.severity.value
        head = self.paint(f"{severity}[{diagnostic.code.id}]", severity)
        lines = [f"{head}{self.paint(': ' + cut(diagnostic.message), 'bold')}"]
        others = (_Place(label.span, label.text) for label in diagnostic.others)
        places = [_Place(diagnostic.span, diagnostic.label), *others]
        margin = " " * max(len(str(place.span.line)) for place in places)
        if diagnostic.span.source.text or diagnostic.label:
            for source in dict.fromkeys(place.span.source for place in places):
                here = [place for place in places if place.span.source is source]
                lines += self.snippet(here, places[0], margin, severity)
        for note in diagnostic.notes:
            lines.append(f"{margin} {self.paint('=', 'dim')} note: {cut(note)}")
        for fix in diagnostic.fixes:
            lines += self.fix(fix, margin)
        return "\n".join(lines) + "\n"

    def snippet(self, places: list[_Place], main: _Place, margin: str, severity: str) -> list[str]:
        """All places in one source: each line once, its marks below it, dots where lines are left out."""
        first = places[0].span
        line, column = first.source.position(min(first.start, len(first.source.text)))
        arrow, bar = "-->" if places[0] is main else ":::", self.paint("|", "dim")
        lines = [
            f"{margin}{self.paint(arrow, 'dim')} {one_line(first.source.name)}:{line}:{column}",
            f"{margin} {bar}",
        ]
        by_line: dict[int, list[_Place]] = {}
        for place in places:
            by_line.setdefault(place.span.line, []).append(place)
        previous = 0
        for number in sorted(by_line):
            if previous and number > previous + 1:
                lines.append(self.paint("...", "dim"))
            lines += self.marked_line(number, by_line[number], main, margin, severity)
            previous = number
        return lines

    def marked_line(self, number: int, places: list[_Place], main: _Place, margin: str, severity: str) -> list[str]:
        """A line, and below it a mark for each place with what is reported there."""
        bar = self.paint("|", "dim")
        raw = places[0].span.source.line_text(number)
        start, end = self.window(raw, places, main, len(margin))
        shown = ("…" if start else "") + printable(raw[start:end]) + ("…" if end < len(raw) else "")
        lines = [f"{self.paint(str(number).rjust(len(margin)), 'dim')} {bar} {shown}".rstrip()]
        for place in sorted(places, key=lambda place: place is not main):
            column = place.span.column - 1
            stop = min(column + place.span.end - place.span.start, end)
            before = (
                len(printable(raw[start:column])) + (start > 0) if column <= end else len(printable(raw[start:end]))
            )
            mark = ("^" if place is main else "-") * max(len(printable(raw[max(column, start) : stop])), 1)
            text = self.paint(f"{mark} {cut(place.text)}".rstrip(), severity if place is main else "dim")
            lines.append(f"{margin} {bar} {' ' * before}{text}")
        return lines

    def window(self, raw: str, places: list[_Place], main: _Place, gutter: int) -> tuple[int, int]:
        """The part of a line that is shown: all of it, or of a long one what is around the mark."""
        room = self.width - gutter - 3
        if len(raw) <= room and len(printable(raw)) <= room:
            return 0, len(raw)
        marked = next((place for place in places if place is main), places[0]).span
        column = marked.column - 1
        start = max(0, min(column - room // 3, len(raw) - room))
        return start, min(len(raw), start + room - 2)

    def fix(self, fix: Fix, margin: str) -> list[str]:
        lines = [f"{margin} {self.paint('=', 'dim')} {self.paint('help', 'help')}: {cut(fix.text)}"]
        for edit in fix.edits:
            if edit.text.strip() and edit.text.strip() not in fix.text:
                shown = edited(edit.span, edit.text)
                lines += [f"{margin} {self.paint('|', 'dim')}   {cut(row)}" for row in shown]
        return lines


def edited(span: Span, text: str) -> list[str]:
    """The lines around `span` as they would read with `text` in its place."""
    source = span.source
    first, column = source.position(span.start)
    last, end_column = source.position(span.end)
    joined = source.line_text(first)[: column - 1] + text + source.line_text(last)[end_column - 1 :]
    return [row.strip() for row in joined.split("\n") if row.strip()]
