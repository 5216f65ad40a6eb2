"""Laws of networks whose definitions have loops in loops: few on every commit, 2,000 by `make soak`."""

from __future__ import annotations

from collections import Counter
from math import ceil
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given

from spinedsl import driver
from spinedsl.ir.expand import Expansion, operations
from spinedsl.ir.resolve.definitions import statements_in
from spinedsl.ir.scalars import FUNCTIONS, is_number
from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.syntax.parse import parse
from spinedsl.testing import nested
from spinedsl.testing.laws import Broken, program_of
from tests.laws.forms import WANTED, forms
from tests.laws.nested import LAWS, MAIN, reads
from tests.profiles import drawn

FIXED = 40  # networks that do not depend on how Hypothesis draws
ENOUGH = 2  # of those that notice a fault


def network(number: int) -> str:
    """The network of a number."""
    draw = Random(number)
    return nested.to_text([draw.randbytes(draw.randrange(64, 240)) for _ in range(nested.PARTS)])


@pytest.mark.parametrize("law", LAWS)
def test_networks(law: str) -> None:
    @drawn(60 if law in MAIN else 15)
    @given(nested.files())
    def holds(text: str) -> None:
        LAWS[law](Source.from_text(text), nested.NAME)

    holds()


@drawn(100)
@given(nested.files())
def test_they_are_valid_by_construction(text: str) -> None:
    outcome = driver.analyse(Source.from_text(text))
    assert outcome.ok, outcome.diagnostics


def test_the_simplest_has_nothing_in_its_bodies() -> None:
    text = nested.to_text([])
    file = parse(Source.from_text(text)).value
    assert file is not None
    loops = {
        d.name.text: sum(isinstance(s, tree.Repeat | tree.Each) for s in statements_in(d.body))
        for d in file.definitions
    }
    assert {name for name, count in loops.items() if count} == {
        "bent",
        "crossing",
        "joined",
        "topped",
    }  # which need them
    for law in LAWS.values():
        law(Source.from_text(text), nested.NAME)


def test_they_have_every_form() -> None:
    seen: Counter[str] = Counter()
    for number in range(240):
        seen.update(set(forms(network(number))))
    assert {form: seen[form] for form in WANTED if seen[form] < 3} == {}


def test_networks_of_any_size() -> None:
    for number in range(FIXED):
        text = network(number)
        if "sizes any" not in text:
            ruled = text.replace("    rules { ", "    rules { sizes any, ", 1)
            text = (
                ruled if ruled != text else text.replace("    defaults ", "    rules { sizes any }\n    defaults ", 1)
            )
        program = program_of(Source.from_text(text), nested.NAME)
        assert program.any_size
        LAWS["agreed"](Source.from_text(text), nested.NAME)


# ---- the laws can fail ----


def broken() -> list[str]:
    """The first few networks that are read otherwise than they are compiled."""
    found: list[str] = []
    for number in range(FIXED):
        try:
            reads(Source.from_text(network(number)), nested.NAME)
        except (Broken, AssertionError) as error:
            found.append(str(error))
            if len(found) == ENOUGH:
                break
    return found


def test_a_list_that_keeps_its_first_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "rest", lambda items: items)
    assert len(broken()) == ENOUGH


def test_numbers_rounded_the_other_way_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("dict[str, Any]", FUNCTIONS), "floor", lambda values: ceil(values[0]))
    assert len(broken()) == ENOUGH


def test_iterations_that_forget_what_they_set_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Expansion.iteration

    def forgetful(self: Expansion, *given: Any) -> None:
        before = dict(self.env)
        real(self, *given)
        self.env = {name: before[name] if is_number(before[name]) else value for name, value in self.env.items()}

    monkeypatch.setattr(Expansion, "iteration", forgetful)
    assert len(broken()) == ENOUGH
