"""The grammar's `file` is the whole language: it accepts what the parser reads row by row, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from lark import Lark, Token
from lark.exceptions import UnexpectedToken

from spinedsl.source import Source
from spinedsl.syntax import tables
from spinedsl.syntax.parse import parse, tokens_of
from spinedsl.syntax.statements import BRACED_ROWS, Statement, cut
from tests.profiles import drawn
from tests.texts import MISTAKEN, VALID, mutated, text_of

# What a text can be refused for by its form alone. The others are mistakes in what it says.
OF_FORM = {"E0101", "E0102", "E0103", "E0106", "E0107", "E0113", "E0115"}
UNREADABLE = {"E0104", "E0105", "E0106", "E0108", "E0109", "E0110", "E0111"}  # brackets or characters: no statements

# Words that mean something in edits only, and the first word of a task: no keywords of the grammar.
SOFT = re.compile(r"\bwith\b|\w\s+after\b|^\s*\w+\s+\w+\s*:", re.MULTILINE)
SOFT_IN_SPACES = re.compile(r"^space\s", re.MULTILINE)  # `of`, `last` and the others of a search space are names too
EDITED_PART = re.compile(r"^ +part [\w.]+ *(?:$|[a-z])", re.MULTILINE)  # without more a `drop` by its form
CUT_SHORT = {"E0112", "E0602", "E0603", "E0604"}  # said before the whole form was looked at


@cache
def lark() -> Lark:
    return tables.lark_of_grammar()


def with_ends(statements: list[Statement]) -> Iterator[Token]:
    """All tokens of statements, and an `_END` wherever the cutter ends one that has no braces."""
    for statement in statements:
        for token in statement.tokens:
            yield Token(token.type, token.value)
        if statement.body is None:
            yield Token("_END", "")
        else:
            yield Token("LBRACE", "{")
            yield from with_ends(statement.body)
            yield Token("RBRACE", "}")


def accepts(statements: list[Statement]) -> bool:
    """`file` accepts the statements."""
    interactive = lark().parse_interactive(start="file")
    try:
        for token in with_ends(statements):
            interactive.feed_token(token)
        interactive.feed_eof()
    except UnexpectedToken:
        return False
    return True


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_files(path: Path) -> None:
    source = Source.from_text(text_of(path))
    statements, mistakes = cut(source, tokens_of(source))
    assert mistakes == []
    assert accepts(statements)


def agree(text: str) -> None:
    source = Source.from_text(text)
    codes = {diagnostic.code.id for diagnostic in parse(source).diagnostics}
    if codes & (UNREADABLE | CUT_SHORT):
        return
    statements, _ = cut(source, tokens_of(source))
    refused = codes & OF_FORM
    if refused in ({"E0101"}, {"E0102"}, {"E0101", "E0102"}) and SOFT_IN_SPACES.search(text):
        return
    if refused in ({"E0101"}, {"E0103"}) and SOFT.search(text):
        return
    if (refused == {"E0102"} or "E0216" in codes) and EDITED_PART.search(text):
        return
    assert accepts(statements) == (not refused), codes


@pytest.mark.parametrize("path", MISTAKEN, ids=lambda path: path.stem)
def test_mistaken_files(path: Path) -> None:
    agree(text_of(path))


@given(mutated())
@drawn(400)
def test_mutated_files(text: str) -> None:
    agree(text)


def test_braced_rows_have_no_body() -> None:
    """Their braces are part of the row, in the grammar as in the cutter."""
    source = Source.from_text("network N {\n    widths { level 2: 64 }\n}\n")
    ((row,),) = [statement.body for statement in cut(source, tokens_of(source))[0] if statement.body]
    assert row.head in BRACED_ROWS
    assert row.body is None
