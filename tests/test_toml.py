"""TOML with places: each place holds what `tomllib` read there, and mistakes of form are said where they are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.settings import to_toml
from spinedsl.source import Source
from spinedsl.toml import Document, Path, read_toml

TEXT = '''
# a comment with = and [brackets]
title = "a # no comment" # a comment
plain.dotted."quoted key" = 1_000
"a.b" = 'literal \\ # [x]'
list = [ 1, # one
  [2, 3], "a]", { x = 1, "y z" = [4] }, ]
empty = []
none = {}
text = """
two "lines" \\
  joined"""
other = \'\'\'
it's [not] a = table\'\'\'
quotes = """""a"""""
when = 1979-05-27 07:32:00
"\\u00e9\\t" = true

[table]
key = -1.5e3
[table.inner.deep]
key = inf
[[rows]]
name = "first"
[[rows.parts]]
n = 1
[[rows.parts]]
n = 2
[[rows]]
name = "second"
  [rows.about]
  n = 3
'''


def document(text: str) -> Document:
    outcome = read_toml(Source.from_text(text, "x.toml"))
    assert outcome.value is not None, str(outcome)
    return outcome.value


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no table, nor an array of tables, by its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        yield path, value
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value


def hold(text: str) -> None:
    """Every value stands where its place says, and so does every key."""
    found = document(text)
    assert found.values == tomllib.loads(text)
    for path, value in leaves(found.values):
        if path not in found.places:  # an array of tables
            assert isinstance(value, list), path
            assert all(isinstance(one, dict) for one in value), path
            continue
        assert tomllib.loads(f"value = {found.places[path].text}")["value"] == value, path
        if isinstance(path[-1], str):
            assert tomllib.loads(f"{found.keys[path].text} = 0") == {path[-1]: 0}


def test_places_hold_what_was_read() -> None:
    hold(TEXT)
    found = document(TEXT)
    assert found.key(("table", "inner", "deep")).text == "deep"
    assert found.key(("table", "missing")).text == "table"
    assert found.key(("rows", 1, "about", "n")).line == TEXT[: TEXT.index("n = 3")].count("\n") + 1
    assert found.key(("nothing",)).text == ""


KEYS = st.text(max_size=6)
SCALARS = st.one_of(st.integers(-(10**12), 10**12), st.booleans(), st.floats(allow_nan=False), st.text(max_size=8))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4), max_leaves=8)
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=4),
    lambda inner: st.dictionaries(KEYS, VALUES | inner, max_size=4),
    max_leaves=6,
)


@given(TABLES)
def test_what_is_written_is_read_again_with_places(values: dict[str, Any]) -> None:
    text = to_toml(values)
    assert tomllib.loads(text) == values
    hold(text)


def test_what_no_file_can_say_is_refused() -> None:
    assert to_toml({"a": None, "b": (1, 2), "c": {"d": True}}) == "b = [1, 2]\n\n[c]\nd = true\n"
    with pytest.raises(TypeError, match="a setting is a number, a text"):
        to_toml({"a": object()})


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a = 1\n\na = 2\n", 3, 1, "`a` is given twice"),
        ("a = 1\na = [\n  2, # one\n  { b = 3 },\n]\nc = 4\n", 2, 1, "`a` is given twice"),
        ('"x y" = 1\nz = 2\n"x y" = 2', 3, 1, "`x y` is given twice"),
        ("a.b = 1\na = 2", 2, 1, "`a` is given twice"),
        ("a = 1\n[a]\n", 2, 2, "`a` is given twice"),
        ("[tool.spine]\nb = 1\n[tool.spine]\nb = 2", 3, 7, "`tool.spine` is given twice"),
        ("c = 1\na = { b = 1, b = 2 }", 2, 14, "`a.b` is given twice"),
        ("[[a]]\nb = 1\nb = 2\n[a]\n", 3, 1, "`a.b` is given twice"),
        ("[[a]]\n[a]\n", 2, 2, "`a` is given twice"),
        ("a = { b = 1 }\na.c = 2", 2, 3, "`a.c` has a value that is whole, and nothing is added to it"),
        ("a = 1\na = 2\nb = what\n", 2, 1, "`a` is given twice"),
    ],
)
def test_a_key_that_is_given_twice_is_named_where_it_is_given_again(
    text: str, line: int, column: int, says: str
) -> None:
    (found,) = read_toml(Source.from_text(text, "x.toml")).diagnostics
    assert found.message == f"this is not TOML: {says}"
    assert (found.span.line, found.span.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = 1\nb = \n", 2, 5),
        ('a = "x\n', 1, 7),
        ("a = [1,\n", 1, 8),
        ("[a\n", 1, 3),
        ("a = " + "[" * 5000, 1, 1),
        ("a = sgd\n", 1, 5),
    ],
)
def test_what_is_no_toml_is_said_where_it_is(text: str, line: int, column: int) -> None:
    outcome = read_toml(Source.from_text(text, "x.toml"))
    assert outcome.value is None
    (found,) = outcome.diagnostics
    assert found.code.id == "E1001"
    assert (found.span.line, found.span.column) == (line, column)
    assert ('did you mean "sgd"?' in str(found)) == ("sgd" in text)
