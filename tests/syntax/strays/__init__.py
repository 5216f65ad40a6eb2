"""Stray words: a valid text with every kind of row, and strays before, behind and within each of its statements.

In: `every_row.spine`, whose rows use every rule of the grammar (a test holds it). Out: `Stray`s, texts with one stray
each and where it stands, and `answer`, what is wrong with what the compiler says of one. `python -m
tests.syntax.strays` tries them all, which takes minutes; the tests try some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from spinedsl import driver
from spinedsl.diagnostics import Diagnostic, Edit, Severity
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.syntax.parse import tokens_of
from spinedsl.syntax.statements import Statement, cut, last_of, span_of

FILE = Path(__file__).with_name("every_row.spine")
WORDS = {
    "a word": "hello",
    "two words": "hello world",
    "a number": "42",
    "a text": '"hello"',
    "a colon": ":",
    "a semicolon": ";",
    "an at sign": "@",
    "a name that exists": "b0",
    "a function that exists": "relu",
    "near a keyword": "blok",
    "a word with a number": "hello 3",
    "a keyword of clauses": "level",
    "a keyword of rows": "block",
    "a keyword of statements": "let",
    "a keyword of loops": "in",
    "a keyword of values": "true",
    "an operator": "and",
    "a comma": ",",
    "an equals sign": "=",
    "a plus sign": "+",
    "dots": "..",
    "a dot": ".",
}


class Stray(Record):
    """A text with one stray: what it is, where in the text, and after or before which statement it was put."""

    what: str
    place: str
    row: str
    text: str
    start: int
    end: int


def base() -> Source:
    """The valid text."""
    outcome = driver.read(FILE, FILE.name)
    assert outcome.value is not None
    return outcome.value


def statements(source: Source) -> Iterator[Statement]:
    """Every statement of a text, outer ones first."""
    pending = cut(source, tokens_of(source))[0]
    while pending:
        statement = pending.pop(0)
        yield statement
        pending = [*(statement.body or []), *pending]


def spots(source: Source) -> Iterator[tuple[str, str, int, str, str]]:
    """Where strays are put: the kind of place, the row, the offset, and what stands before and after the stray."""
    for statement in statements(source):
        first, last = span_of(source, statement.tokens[0]), last_of(source, statement)
        row = source.line_text(first.line).strip()
        line = source.line_starts[first.line - 1]
        own_line = not source.text[line : first.start].strip()
        indent = " " * (len(source.line_text(first.line)) - len(source.line_text(first.line).lstrip()))
        if own_line:
            yield "a line before", row, line, indent, "\n"
            yield "before", row, first.start, "", " "
        yield "at the end", row, last.end, " ", ""
        if source.line_text(source.position(last.end)[0]).endswith(source.text[last.start : last.end]):
            yield "a line after", row, last.end, f"\n{indent}", ""
            yield "a comment, then a line after", row, last.end, f"  # why\n\n{indent}# so\n{indent}", "  # end"
        if statement.body is not None and statement.opener is not None:
            yield "before its brace", row, span_of(source, statement.opener).start, "", " "
            yield "after its brace", row, span_of(source, statement.opener).end, " ", " "
        for before, after in zip(statement.tokens, statement.tokens[1:], strict=False):
            if after.line > before.line:
                end = span_of(source, before).end
                yield "inside, at the end of a line", row, end, " ", ""
                yield "inside, on a line", row, end, f"\n{indent}    ", ""
    yield "at the end of the file", "", len(source.text), "", ""


def strays(source: Source) -> Iterator[Stray]:
    """Every stray at every spot."""
    for place, row, offset, before, after in spots(source):
        for what, word in WORDS.items():
            if word == "," and source.text[offset:].lstrip().startswith("}"):
                continue  # a comma may end the entries of a setting
            text = source.text[:offset] + before + word + after + source.text[offset:]
            start = offset + len(before)
            yield Stray(what, place, row, text, start, start + len(word))


def answer(stray: Stray, source: Source) -> str:
    """What is wrong with the answer to a stray; empty if nothing is."""
    mutant = Source.from_text(stray.text, source.name, source.origin)
    said = [found for found in driver.analyse(mutant).diagnostics if found.severity is Severity.ERROR]
    if not said:
        return "nothing is said"
    if len(said) > len(stray.text[stray.start : stray.end].split()):
        return f"{len(said)} errors"
    places = [_place(stray, found) for found in said]
    return next(filter(None, places), "") or (_repairs(said[0], mutant, stray) if len(said) == 1 else "")


def _place(stray: Stray, found: Diagnostic) -> str:
    """The error stands at the stray: it overlaps or touches it, but for blanks."""
    between = stray.text[min(found.span.end, stray.start) : stray.start] + stray.text[stray.end : found.span.start]
    if re.sub(r"#[^\n]*", "", between).strip():
        return "elsewhere"
    if found.span.start < stray.start and len(stray.text[found.span.start : stray.start].split()) > 1:
        return "begins too early"
    return ""


def _repairs(found: Diagnostic, mutant: Source, stray: Stray) -> str:
    """Each repair that is an edit removes the mistake, and brings no other to its place."""
    for fix in found.fixes:
        if not fix.edits:
            continue
        text = apply(mutant, fix.edits)
        if text == mutant.text:
            return "proposes what is there"
        after = driver.analyse(Source.from_text(text, mutant.name, mutant.origin)).diagnostics
        errors = [one for one in after if one.severity is Severity.ERROR]
        if any((one.code.id, one.message) == (found.code.id, found.message) for one in errors):
            return "its repair leaves the mistake"
        if errors and stray.what != "a name that exists":  # which a comma makes one more input
            return "its repair leads to another error"
    return ""


def apply(source: Source, edits: tuple[Edit, ...]) -> str:
    """The text after edits, which do not overlap."""
    text = source.text
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text
