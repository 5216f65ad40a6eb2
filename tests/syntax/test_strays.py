"""A stray word is said where it stands, and nothing else is said: before, behind and within every kind of row."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, islice
from typing import Any

import pytest

from spinedsl import driver
from spinedsl.diagnostics import Severity
from spinedsl.source import Source
from spinedsl.syntax import strays as second
from spinedsl.syntax import tables
from spinedsl.syntax.build import Builder
from spinedsl.syntax.machine import Machine
from spinedsl.syntax.parse import parse, tokens_of
from spinedsl.syntax.statements import cut
from tests.syntax.strays import answer, base, strays
from tests.syntax.test_tables import all_statements

PARTS, EVERY = 8, 120  # one of so many strays is tried in each part
MOST = 3  # strays of a part that may be said in another way than by one error at their place
COMPOSED = {"file", "definition", "network", "edited", "if_block", "repeat_block", "each_block", "version", "space"}
NEVER_VALID = {("atom", "string")}  # a text in quotes as a value: read, and refused later


def rules_used(source: Source) -> set[tuple[str, str]]:
    """The rules of the grammar by which the statements of a text are read: what each makes, and its callback."""
    made, builder, used = tables.load(), Builder(), set[tuple[str, str]]()
    builder.source = source
    machine = Machine(made, builder)

    def noted(rule: list[Any], callback: Callable[[list[Any]], Any] | None) -> Callable[[list[Any]], Any]:
        def call(children: list[Any]) -> Any:
            used.add((rule[1], rule[2]))
            return children[0] if callback is None else callback(children)

        return call

    machine._rules = [
        (size, noted(rule, callback), origin)
        for rule, (size, callback, origin) in zip(made["rules"], machine._rules, strict=True)
    ]
    for start, statement in all_statements(cut(source, tokens_of(source))[0]):
        machine.parse(start, statement.tokens)
    return used


def test_the_text_has_every_kind_of_row() -> None:
    """A rule that is new in the grammar has to be used by it."""
    source = base()
    assert driver.analyse(source).diagnostics == ()
    rules = {(rule[1], rule[2]) for rule in tables.load()["rules"] if rule[2] and rule[2] not in COMPOSED}
    assert rules - rules_used(source) == NEVER_VALID


@pytest.mark.parametrize("part", range(PARTS))
def test_a_stray_is_one_error_at_its_place(part: int) -> None:
    source = base()
    tried = list(islice(strays(source), part * EVERY // PARTS, None, EVERY))
    assert len(tried) > 50
    wrong = {(one.what, one.place, one.row): said for one in tried if (said := answer(one, source)) != ""}
    assert len(wrong) <= MOST, wrong


def test_a_word_below_the_input() -> None:
    text = "spine 1\nnetwork A {\n    input image: 3 x 64 x 64\n    hello\n}\n"
    for end in ("\n", "\r\n"):
        (found,) = parse(Source.from_text(text.replace("\n", end))).diagnostics
        assert (found.code.id, found.span.line, found.span.text) == ("E0101", 4, "hello")
        assert [fix.text for fix in found.fixes] == ["take it away"]


def test_what_else_is_wrong_is_said_too() -> None:
    """A row below a stray is read without it: what it names is looked up."""
    text = base().text.replace("    block b0: plain level 2 after s", "    in\n    block b0: plain level 2 after t")
    found = driver.analyse(Source.from_text(text, base().name, base().origin)).diagnostics
    said = [(one.code.id, one.span.text) for one in found if one.severity is Severity.ERROR]
    assert said == [("E0101", "in"), ("E0201", "t")]


WRONG_IN_A_SPACE = {  # rows that cannot be read, with what is reported about each
    "orphan drop": ("E0103", "orphan"),
    "keep parameters <= 200KB": ("E0101", "KB"),
    "keep parameters < -3": ("E0101", "-"),
    "permute b0 b1": ("E0101", "b1"),
    "parents b0..b1 2 of all": ("E0101", "2"),
    "level_shift b0: 1": ("E0102", "1"),
    "types b0: plain plain": ("E0101", "plain"),
}


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_mistakes_of_a_space_are_each_said_in_its_row(count: int) -> None:
    """However many there are, its first word is not taken for a stray, which would hide them all."""
    for rows in combinations(WRONG_IN_A_SPACE, count):
        text = "spine 1\n\nspace B of Net {\n" + "".join(f"    {row}\n" for row in rows) + "}\nspace C of Net {\n}\n"
        found = parse(Source.from_text(text)).diagnostics
        said = [(one.code.id, one.span.text, one.span.line) for one in found]
        assert said == [(*WRONG_IN_A_SPACE[row], line) for line, row in enumerate(rows, start=4)], text


def test_guesses_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is wrong, the second reading reads no more than so many tokens, and one file more."""
    read: list[int] = []
    real = second._Reader.cost

    def counted(self: Any, source: Source, tokens: Any) -> Any:
        read.append(len(tokens))
        return real(self, source, tokens)

    monkeypatch.setattr(second._Reader, "cost", counted)
    text = "network A {\n" + "block level from after ) = hello 3 x\n" * 4000 + "}\n"
    assert parse(Source.from_text(text)).diagnostics
    assert sum(read) <= second.MOST_TOKENS + 2 * len(tokens_of(Source.from_text(text)))
