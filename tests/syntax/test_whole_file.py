"""The grammar's `file` is the whole language: it accepts what the statement-wise parser accepts, and no less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lark import Lark
from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken

from spinedsl.source import Source
from spinedsl.syntax import tables
from spinedsl.syntax.layout import Statement, lay_out
from spinedsl.syntax.machine import Token
from spinedsl.syntax.parse import parse, tokens_of

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*(ROOT / "examples").rglob("*.spine"), *(ROOT / "spinedsl" / "prelude").glob("*.spine")])
WRONG = sorted((ROOT / "tests" / "mistakes").glob("E01*.spine"))


@pytest.fixture(scope="module")
def lark() -> Lark:
    return tables.lark_of_grammar()


def with_ends(statements: list[Statement]) -> Iterator[Token]:
    """The tokens of a file, with _END where a statement without braces of its own ends."""
    for statement in statements:
        yield from statement.tokens
        last = statement.tokens[-1]
        if statement.body is None:
            yield Token("_END", "", last.start_pos, last.line)
            continue
        if statement.opener is not None:
            yield statement.opener
        yield from with_ends(statement.body)
        if statement.closer is not None:
            yield statement.closer


def accepts(lark: Lark, source: Source) -> bool:
    """`file` derives the tokens of a source."""
    interactive = lark.parse_interactive(start="file")
    statements, said = lay_out(source, tokens_of(source))
    try:
        for token in with_ends(statements):
            interactive.feed_token(LarkToken(token.type, token.value))
        interactive.feed_eof()
    except UnexpectedToken:
        return False
    return not said


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_files_are_derived_whole(file: Path, lark: Lark) -> None:
    assert accepts(lark, Source.from_text(file.read_text(), file.name))


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_what_one_refuses_the_other_refuses(file: Path, lark: Lark) -> None:
    source = Source.from_text(file.read_bytes().decode("utf-8", "replace"), file.name)
    parsed = parse(source)
    if accepts(lark, source):
        # What is left are mistakes that no grammar tells: characters, soft words, numbers, the version.
        beyond = {"E0109", "E0110", "E0111", "E0112", "E0113", "E0114", "E0115", "E0116", "E0101"}
        assert {diagnostic.code.id for diagnostic in parsed.diagnostics} <= beyond
    else:
        assert parsed.diagnostics
