"""The soft keywords of edits, and what is wrong where a person took one for another: `drop block b11`, `add x1: …`.

In: the statements between the braces of a `with`. Out: a diagnostic where the form gives away what was meant.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, nearest
from spinedsl.source import Source, Span
from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import EDIT_WORDS, NETWORK_STATEMENTS, PART, ROW_KINDS, Statement, span_of

EDIT_STATEMENTS = (
    "block", "stem", "output", "head", "drop", "add", "move", "widths", "defaults", "resample", "join", "rules",
    "input", "let", "allow", "task",
)  # fmt: skip


def begins_edit(statement: Statement) -> bool:
    """The statement begins as an edit does: by the word of a row or setting, a soft keyword, or `width =`."""
    if statement.head != "NAME":
        return statement.head in NETWORK_STATEMENTS
    return statement.tokens[0].value in EDIT_WORDS or statement.is_task or gives_value(statement)


def gives_value(statement: Statement) -> bool:
    """`width = 2`."""
    return [token.type for token in statement.tokens[:2]] == ["NAME", "EQUAL"]


def misread(source: Source, statement: Statement) -> Diagnostic | None:
    """What is wrong with the words after `add`, `drop` or `move`, where that shows before they are parsed."""
    if statement.head != "NAME" or gives_value(statement) or statement.is_task:
        return None
    word, *rest = _joined(statement.tokens)
    first = span_of(source, word)
    if word.value == "add":
        return None if rest and rest[0].type in ROW_KINDS else _add(source, first, rest)
    if not rest:
        return say.ENDS_EARLY.at(first, last=word.value, expected="the name of a row")
    place = span_of(source, rest[0])
    if rest[0].type in ROW_KINDS:
        found = say.UNEXPECTED.at(place, found=rest[0].value, expected="the name of a row")
        if len(rest) == 1:
            return found
        end = span_of(source, rest[1]).start
        return found.with_fix("the name alone is enough", Edit(Span(source, place.start, end), ""))
    if word.value == "drop" and len(rest) > 1:
        found = say.UNEXPECTED.at(span_of(source, rest[1]), found=rest[1].value, expected="the end of the line")
        return found.with_fix("each row is dropped by an edit of its own, in a line of its own")
    if word.value == "move" and len(rest) == 1:
        return say.ENDS_EARLY.at(place, last=rest[0].value, expected="`before` or `after`, and a row")
    if word.value == "move" and rest[1].value not in ("before", "after"):
        found = say.UNEXPECTED.at(span_of(source, rest[1]), found=rest[1].value, expected="`before` or `after`")
        near = nearest(rest[1].value, ("before", "after"))
        if near is None:
            return found.with_fix(f"say where to, as in `move {rest[0].value} before b0`")
        return found.with_rename(span_of(source, rest[1]), near)
    return None


def _joined(tokens: list[Token]) -> list[Token]:
    """The tokens with the name of each row as one: `n1.P4`."""
    found: list[Token] = []
    for token in tokens:
        if len(found) > 1 and (token.type == "DOT" or found[-1].value.endswith(".")):
            last = found.pop()
            found.append(Token(last.type, last.value + token.value, last.start_pos, last.line))
        else:
            found.append(token)
    return found


def _add(source: Source, first: Span, rest: list[Token]) -> Diagnostic:
    """`add` without what it adds."""
    expected = "`block`, `head`, `output` or `stem`"
    if not rest:
        return say.ENDS_EARLY.at(first, last="add", expected=expected)
    place = span_of(source, rest[0])
    found = say.UNEXPECTED.at(place, found=rest[0].value, expected=expected)
    if rest[0].value == PART and len(rest) > 1 and rest[1].type == "NAME":
        return found.with_fix("no edit adds a part: put it into a network that is written out")
    if rest[0].type == "NAME":
        return found.with_fix("say what it is", Edit(Span(source, place.start, place.start), "block "))
    return found
