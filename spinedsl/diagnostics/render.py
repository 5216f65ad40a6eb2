"""Diagnostics as text for a person: the message, the line with a caret, the other places, the notes and the repairs.

In: diagnostics in any order. Out: one text, plain or with terminal colours. Nothing from a file reaches the terminal
unprinted: control characters are shown by their escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from spinedsl.diagnostics.model import Diagnostic, Fix, Label, Severity, in_order
from spinedsl.source import Span

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "bold": "\x1b[1m", "dim": "\x1b[1;34m", "help": "\x1b[36m"}


def printable(text: str) -> str:
    """`text` with every character that a terminal would act on shown as an escape."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text).replace("\t", " ")


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False, width: int = 120) -> str:
    """All diagnostics by file and place, an empty line between them."""
    pen = _Pen(colour, width)
    return "\n".join(pen.diagnostic(diagnostic) for diagnostic in in_order(diagnostics))


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    found = in_order(diagnostics)
    counts = [(severity, sum(d.severity is severity for d in found)) for severity in Severity]
    return ", ".join(f"{count} {severity}{'s' * (count > 1)}" for severity, count in counts if count) or "no mistakes"


class _Pen:
    def __init__(self, colour: bool, width: int) -> None:
        self.colour = colour
        self.width = max(width, 40)

    def paint(self, text: str, style: str) -> str:
        return f"{_COLOURS[style]}{text}\x1b[0m" if self.colour and text else text

    def diagnostic(self, diagnostic: Diagnostic) -> str:
        severity = diagnostic.severity.value
        head = self.paint(f"{severity}[{diagnostic.code.id}]", severity)
        lines = [f"{head}{self.paint(': ' + printable(diagnostic.message), 'bold')}"]
        places = [Label(diagnostic.span, diagnostic.label), *diagnostic.others]
        gutter = max(len(str(place.span.line)) for place in places)
        if diagnostic.span.source.text or diagnostic.label:
            for index, place in enumerate(places):
                lines += self.place(place, gutter, main=index == 0, severity=severity, places=places)
        margin = " " * gutter
        for note in diagnostic.notes:
            lines.append(f"{margin} {self.paint('=', 'dim')} note: {printable(note)}")
        for fix in diagnostic.fixes:
            lines += self.fix(fix, margin)
        return "\n".join(lines) + "\n"

    def place(self, place: Label, gutter: int, *, main: bool, severity: str, places: list[Label]) -> list[str]:
        span = place.span
        source = span.source
        line, column = source.position(min(span.start, len(source.text)))
        margin = " " * gutter
        lines: list[str] = []
        if main or source is not places[0].span.source:
            lines.append(f"{margin}{self.paint('-->', 'dim')} {printable(source.name)}:{line}:{column}")
        else:
            lines.append(f"{margin}{self.paint(':::', 'dim')} {printable(source.name)}:{line}:{column}")
        raw = source.line_text(line)
        end = min(max(span.end - span.start, 1), len(raw) - column + 1) if raw else 1
        before, marked, after = (printable(part) for part in (raw[: column - 1], raw[column - 1 :][:end], raw[column - 1 + end :]))
        before, after = self.fit(before, marked, after, gutter)
        bar = self.paint("|", "dim")
        mark = ("^" if main else "-") * max(len(marked), 1)
        text = self.paint(f"{mark} {printable(place.text)}".rstrip(), severity if main else "dim")
        lines.append(f"{margin} {bar}")
        lines.append(f"{self.paint(str(line).rjust(gutter), 'dim')} {bar} {before}{marked}{after}".rstrip())
        lines.append(f"{margin} {bar} {' ' * len(before)}{text}")
        return lines

    def fit(self, before: str, marked: str, after: str, gutter: int) -> tuple[str, str]:
        """Cut a long line around the mark, so that the caret stays in view."""
        room = self.width - gutter - 3
        if len(before) + len(marked) + len(after) <= room:
            return before, after
        keep = max((room - len(marked)) // 2, 10)
        if len(before) > keep:
            before = "…" + before[-keep:]
        if len(after) > keep:
            after = after[:keep] + "…"
        return before, after

    def fix(self, fix: Fix, margin: str) -> list[str]:
        lines = [f"{margin} {self.paint('=', 'dim')} {self.paint('help', 'help')}: {printable(fix.text)}"]
        for edit in fix.edits:
            if edit.text.strip() and edit.text not in fix.text:
                lines += [f"{margin} {self.paint('|', 'dim')}   {printable(row)}" for row in edited(edit.span, edit.text)]
        return lines


def edited(span: Span, text: str) -> list[str]:
    """The lines around `span` as they would read with `text` in its place."""
    source = span.source
    first, column = source.position(span.start)
    last, end_column = source.position(span.end)
    joined = source.line_text(first)[: column - 1] + text + source.line_text(last)[end_column - 1 :]
    return [row.strip() for row in joined.split("\n") if row.strip()]
