"""The saved tables are those of the grammar, which has no conflicts; the machine reads as Lark does."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from lark import Lark

from benchmarks.larks import ends_of, required
from spinedsl.source import Source
from spinedsl.syntax import saved, tables
from spinedsl.syntax.build import Builder
from spinedsl.syntax.machine import Machine
from spinedsl.syntax.parse import choice_start
from spinedsl.syntax.statements import Statement, cut, with_functions

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples").rglob("*.spine"), *(ROOT / "spinedsl" / "prelude").glob("*.spine")])
STARTS = {
    "LET": "simple",
    "VAR": "simple",
    "NAME": "simple",
    "RETURN": "simple",
    "YIELD": "simple",
    "IF": "if_head",
    "ELSE": "else_head",
    "REPEAT": "repeat_head",
    "EACH": "each_head",
    "NETWORK": "network_head",
    "SPINE": "version_head",
    "IMPORT": "import_head",
}
HEADS = {"BLOCK_TYPE", "STEM_TYPE", "RESAMPLE_TYPE", "JOIN_TYPE", "OUTPUT_TYPE", "HEAD_TYPE", "DEF"}


def test_saved_tables_are_fresh() -> None:
    assert {"key": tables.key(), **tables.build()} == saved.TABLES, "run `python -m spinedsl.syntax.tables`"


def test_the_installed_lark_is_of_the_range_whose_tables_are_read() -> None:
    """What `build` reads of Lark's tables is private: another version may lack it. `make larks` tries others."""
    lowest, beyond = (tuple(map(int, end.split("."))) for end in ends_of(required()))
    installed = tuple(map(int, version("lark").split(".")))
    assert lowest <= installed < beyond, f"lark {version('lark')} is beyond `{required()}`: run `make larks`"


@pytest.mark.parametrize("requirement", ["lark", "lark>=1.2", "lark==1.3", "larks>=1,<2"])
def test_the_range_has_two_ends(requirement: str) -> None:
    with pytest.raises(ValueError, match="is no range"):
        ends_of(requirement)


def test_the_grammar_has_no_conflicts() -> None:
    assert isinstance(tables.lark_of_grammar(strict=True), Lark)


class Callbacks:
    """The builder's methods as Lark calls them: with one list of children."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def __getattr__(self, name: str) -> Callable[[list[Any]], Any]:
        method = getattr(self.builder, name)
        return lambda children: method(*children)


def shape(node: object) -> object:
    """A node as plain data, places included."""
    if isinstance(node, tuple | list):
        return [shape(part) for part in node]
    if hasattr(node, "__slots__") and not isinstance(node, str) and type(node).__module__.startswith("spinedsl.syntax"):
        return (type(node).__name__, [shape(getattr(node, slot)) for slot in node.__slots__])
    return str(node)


def all_statements(statements: list[Statement], among: str = "") -> list[tuple[str, Statement]]:
    """Statements with those between their braces, each with the start symbol that reads it."""
    found: list[tuple[str, Statement]] = []
    for statement in statements:
        inner = "edit" if statement.has_edits else "choice" if statement.is_space else ""
        start = among if among != "choice" else choice_start(statement) or ""
        found += [(start or start_of(statement), statement), *all_statements(statement.body or [], inner)]
    return found


def start_of(statement: Statement) -> str:
    """The start symbol that reads a statement of a definition or network."""
    if statement.makes_instance:
        return "edited_head" if statement.has_edits else "instance"
    if statement.head in HEADS:
        return "definition_head"
    if statement.is_space:
        return "space_head"
    return "row" if statement.is_task else STARTS.get(statement.head, "row")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_machine_reads_as_lark_does(file: Path) -> None:
    source = Source.from_text(file.read_text(), file.name)
    ours, theirs = Builder(), Builder()
    ours.source = theirs.source = source
    machine, lark = Machine(tables.load(), ours), tables.lark_of_grammar(Callbacks(theirs))
    tokens = machine.tokens(source.text)
    reference = list(lark.lex(source.text))
    assert [(t.type, t.value, t.start_pos, t.line) for t in tokens] == [
        (t.type, t.value, t.start_pos, t.line) for t in reference
    ]
    by_place = {token.start_pos: token for token in with_functions(tokens)}
    statements = all_statements(cut(source, tokens)[0])
    assert statements
    for start, statement in statements:
        interactive = lark.parse_interactive(start=start)
        for token in statement.tokens:
            # Lark's parser asks only for the type, so our tokens, which the builder knows, go through it.
            interactive.feed_token(by_place[token.start_pos])  # type: ignore[arg-type]
        node = interactive.feed_eof()
        assert shape(machine.parse(start, statement.tokens)) == shape(node)
