"""Where a statement ends: with its line, whatever it ends with and whatever begins on the next."""

from __future__ import annotations

import pytest

from spinedsl.source import Source
from spinedsl.syntax.parse import parse

ENDS = (
    "x", "3", "0.5", "true", "x.channels", "x.level", "-x.level", "1 + x.level", "2 if flag else x.level",
    "conv(x, 3)", "(1 + 2)", "[x, x]", "[x.level]",
)  # fmt: skip
NEXT = {
    "let b = 2": "Binding",
    "var b = 2": "Binding",
    "b = 2": "Binding",
    "if b { c = 1 }": "If",
    "repeat 2 { c = 1 }": "Repeat",
    "repeat i in x.level { c = 1 }": "Repeat",
    "each p in [x] { c = 1 }": "Each",
    "return x": "Return",
    "yield x": "Yield",
    "}\nblock_type u(x) { return x": "",
}


@pytest.mark.parametrize("value", ENDS)
def test_a_statement_ends_with_its_line(value: str) -> None:
    for following, node in NEXT.items():
        for first in (f"let a = {value}", f"a = {value}", f"yield {value}"):
            outcome = parse(Source.from_text(f"block_type t(x) {{\n{first}\n{following}\n}}\n"))
            assert outcome.ok, (first, following, outcome.diagnostics)
            assert outcome.value is not None
            body = outcome.value.definitions[0].body
            assert [type(statement).__name__ for statement in body][1:] == ([node] if node else []), (first, following)


@pytest.mark.parametrize("value", ENDS)
def test_a_keyword_begins_a_statement_on_the_same_line(value: str) -> None:
    for following, node in NEXT.items():
        if following.split()[0] in ("let", "var", "each", "return", "yield"):
            outcome = parse(Source.from_text(f"block_type t(x) {{\nlet a = {value} {following}\n}}\n"))
            assert outcome.ok, (following, outcome.diagnostics)
            assert outcome.value is not None
            assert type(outcome.value.definitions[0].body[1]).__name__ == node


def test_a_clause_goes_on_below_a_value() -> None:
    text = "network A {\nblock b: t\nlevel 3\nchannels 8\nfrom a,\nc\nrepeat 2\n}\n"
    outcome = parse(Source.from_text(text))
    assert outcome.ok, outcome.diagnostics
