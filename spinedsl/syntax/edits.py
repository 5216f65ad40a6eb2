"""The soft keywords of edits, and what is wrong where a person took one for another: `drop block b11`, `add x1: …`.

In: the statements between the braces of a `with`. Out: a diagnostic where the form gives away what was meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, nearest, one_of
from spinedsl.source import Source, Span
from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import BRACKETS, EDIT_WORDS, NETWORK_STATEMENTS, PART, ROW_KINDS, Statement, span_of

EDIT_STATEMENTS = (
    "block", "stem", "output", "head", "drop", "add", "move", "widths", "defaults", "resample", "join", "rules",
    "input", "let", "allow", "task", "part",
)  # fmt: skip

OF_PARTS = ("from", "repeat")  # the clauses of a part
NOT_OF_PARTS = frozenset({"LEVEL", "AFTER", "ABSORB", "RESAMPLE", "JOIN"})


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
    if statement.head != "NAME" or gives_value(statement):
        return None
    if statement.is_task:
        return _soft_row(source, statement.tokens)
    word, *rest = _joined(statement.tokens)
    first = span_of(source, word)
    names_part = len(rest) > 1 and rest[0].value == PART and rest[1].type in ("NAME", "SHARED")
    if word.value == "add":
        if names_part and [token.type for token in rest[1:3]] == ["NAME", "NAME"]:
            found = say.UNEXPECTED.at(span_of(source, rest[2]), found=rest[2].value, expected="`:`")
            end = span_of(source, rest[1]).end
            return found.with_fix("write `:` between them", Edit(Span(source, end, end), ":"))
        return None if names_part or (rest and rest[0].type in ROW_KINDS) else _add(source, first, rest)
    if not rest:
        return say.ENDS_EARLY.at(first, last=word.value, expected="the name of a row")
    place = span_of(source, rest[0])
    if rest[0].type in ROW_KINDS or (names_part and rest[1].value not in ("before", "after")):
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
    expected = "`block`, `head`, `output`, `part` or `stem`"
    if not rest:
        return say.ENDS_EARLY.at(first, last="add", expected=expected)
    place = span_of(source, rest[0])
    found = say.UNEXPECTED.at(place, found=rest[0].value, expected=expected)
    if rest[0].type == "NAME":
        return found.with_fix("say what it is", Edit(Span(source, place.start, place.start), "block "))
    return found


def _soft_row(source: Source, tokens: Sequence[Token]) -> Diagnostic | None:
    """What is wrong with `part n …` or `task t …` that gives no network and no kind: `part n level 4`, `part n`."""
    kinds = [token.type for token in tokens[1:3]]
    if kinds[:1] != ["NAME"] or kinds == ["NAME", "COLON"]:
        return None
    word, last = tokens[0].value, tokens[:3][-1]
    expected = "`:`, `from` or `repeat`" if word == PART else "`:`"
    if kinds == ["NAME"]:
        return say.ENDS_EARLY.at(span_of(source, last), last=last.value, expected=expected)
    if kinds == ["NAME", "NAME"]:
        found = say.UNEXPECTED.at(span_of(source, last), found=last.value, expected=expected)
        if last.value in ("before", "right"):
            found = found.with_fix(f"`move {tokens[1].value} …` puts it elsewhere")
        return found
    if word != PART:
        return None
    depth = 0
    for before, token in pairwise(tokens[1:]):
        depth += (before.type in BRACKETS) - (before.type in BRACKETS.values())
        fed = any(other.type == "FROM" for other in tokens) and token.type == "RESAMPLE"  # of an input
        if depth or before.type == "DOT" or fed or token.type not in NOT_OF_PARTS:
            continue
        place = span_of(source, token)
        found = say.UNKNOWN_CLAUSE.at(place, row="a part row", name=token.value, known=one_of(OF_PARTS))
        if token.type == "AFTER":
            return found.with_rename(place, "from")
        return found.with_fix("take it away: its rows say that")
    return None
