"""Lines over the width, of everything that the grammar has: what they are broken up into is the same statement."""

from __future__ import annotations

import re
from random import Random

import pytest

from spinedsl.source import Source
from spinedsl.syntax import format as formatting
from spinedsl.syntax.format import format_source
from spinedsl.syntax.parse import parse
from spinedsl.syntax.spacing import WIDTH
from spinedsl.testing.laws import formatted as the_law
from tests.syntax.sentences import rules_below, sentence

LONG = "name_" * 30 + "that_is_long"
NAMES = (LONG, LONG, "channels", "x")
BODY = "def f(x) {{\n{} {{ return x }}\n}}\n"
AROUND = {
    "row": "network A {{\n{}\n}}\n",
    "edit": "network A = B with {{\n{}\n}}\n",
    "simple": "def f(x) {{\n{}\n}}\n",
    "if_head": BODY,
    "else_head": "def f(x) {{\nif x {{ return x }}\n{} {{ return x }}\n}}\n",
    "repeat_head": BODY,
    "each_head": BODY,
    "definition_head": "{} {{ return x }}\n",
    "network_head": "{} {{\n}}\n",
    "instance": "{}\n",
    "edited_head": "{} {{\ndrop x\n}}\n",
    "types_choice": "space S of A {{\n{}\n}}\n",
}
HELD = re.compile(r"(LPAR|LSQB|LBRACE) (?!R)")  # brackets with something in them
FIRST = {"row": ("task", "part"), "edit": ("add", "drop", "move", "task", "part"), "types_choice": ("types",)}


@pytest.mark.parametrize("start", AROUND)
def test_a_long_line_of_anything_is_broken_up_into_the_same(start: str) -> None:
    """Each rule of the grammar for what stands in brackets stands in some of the lines."""
    random, every = Random(0), tuple(dict.fromkeys(rules_below(start)))
    missing = {rule for rule in every if HELD.search(" ".join(rule[1])) and rule[0] != "size"}  # that needs an `x`
    for rule in every:
        others = random.choices(every, k=3)
        for goals in ((rule,), (rule, others[0]), (others[1], rule, others[2])):
            names = NAMES if len(goals) > 1 else (LONG,)
            first, *rest = sentence(start, goals, names, random)
            for word in (first, *(FIRST.get(start, ()) if first in NAMES else ())):
                text = " ".join((word, *rest))
                source = Source.from_text(AROUND[start].format(text))
                if len(text) > WIDTH and parse(source).ok:
                    the_law(source)
                    missing.discard(rule)
    assert not missing


def test_a_text_that_is_another_file_is_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the formatter is an internal error; it writes nothing."""
    source = Source.from_text("network A {\n  join x\n}\n")
    assert format_source(source).value == "network A {\n    join x\n}\n"
    for wrong in ("network A {\n    join y\n}\n", "network A {\n    join x,\n}\n", "network A {}\nnetwork B {}\n"):
        monkeypatch.setattr(formatting._Printer, "text", lambda _, wrong=wrong: wrong)
        with pytest.raises(AssertionError, match="another file"):
            format_source(source)


@pytest.mark.parametrize(
    ("line", "opened"),
    [
        (f"let y = maps[0] + act({LONG})", f"let y = maps[0] + act(\n        {LONG},\n    )"),
        (f"let y = [{LONG} each k in maps]", f"let y = [\n        {LONG} each k in maps\n    ]"),
        (f"let y = [{LONG} repeat k in 3]", f"let y = [\n        {LONG} repeat k in 3\n    ]"),
        (f"let y = f() + [{LONG}]", f"let y = f() + [\n        {LONG},\n    ]"),
        (f"let y = maps[{LONG}]", f"let y = maps[{LONG}]"),
        (f"let y = f({LONG})[0]", f"let y = f(\n        {LONG},\n    )[0]"),
    ],
)
def test_the_first_bracket_that_has_items_is_opened(line: str, opened: str) -> None:
    assert (
        format_source(Source.from_text(f"def f(maps) {{\n{line}\n}}\n")).value == f"def f(maps) {{\n    {opened}\n}}\n"
    )


@pytest.mark.parametrize("value", ["(1 + 2)", "[a.b, c]", "max(1, 2)", "width", "(width)[0]"])
def test_a_clause_has_a_blank_before_its_value(value: str) -> None:
    for word in ("channels", "quality"):
        text = f"network A {{\n    block b: t {word} {value}\n}}\n"
        assert format_source(Source.from_text(text)).value == text
