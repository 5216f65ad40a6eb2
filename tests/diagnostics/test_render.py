"""Diagnostics as text: marks stand under what they mark, long lines are cut, and nothing reaches the terminal raw."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, in_order, nearest, one_of
from spinedsl.diagnostics.render import render, summary
from spinedsl.source import Source


def at(source: Source, part: str) -> Diagnostic:
    start = source.text.index(part)
    return say.UNEXPECTED.at(source.span(start, start + len(part)), found=part, expected="something else")


def test_a_mark_stands_under_what_it_marks() -> None:
    source = Source.from_text("one two three\n\tfour five\n", "a.spine")
    lines = render([at(source, "two")]).splitlines()
    assert lines == [
        "error[E0101]: unexpected `two`",
        " --> a.spine:1:5",
        "  |",
        "1 | one two three",
        "  |     ^^^ expected something else",
    ]
    tabbed = render([at(source, "five")]).splitlines()
    assert tabbed[-1].index("^") == tabbed[-2].index("five")


def test_places_of_two_files_and_of_one() -> None:
    here, there = Source.from_text("one\ntwo\nthree\nfour\n", "here.spine"), Source.from_text("zero\n", "there.spine")
    found = at(here, "one").with_others(Label(here.span(14, 18), "and this"), Label(there.span(0, 4), "from here"))
    text = render([found.with_notes("a note").with_fix("a repair", Edit(here.span(0, 3), "uno"))])
    assert text == (
        "error[E0101]: unexpected `one`\n"
        " --> here.spine:1:1\n"
        "  |\n"
        "1 | one\n"
        "  | ^^^ expected something else\n"
        "...\n"
        "4 | four\n"
        "  | ---- and this\n"
        " ::: there.spine:1:1\n"
        "  |\n"
        "1 | zero\n"
        "  | ---- from here\n"
        "  = note: a note\n"
        "  = help: a repair\n"
        "  |   uno\n"
    )


@given(st.integers(0, 5_000), st.integers(1, 300), st.integers(40, 200))
def test_long_lines_are_cut_around_the_mark(start: int, length: int, width: int) -> None:
    source = Source.from_text("a" * start + "b" * length + "c" * 3_000, "a.spine")
    _, _, _, line, mark = render([at(source, "b" * length)], width=width).splitlines()[:5]
    assert len(line) <= width + 2
    begins = mark.index("^")
    assert line[begins] == "b"
    assert set(line[begins : begins + mark.count("^")]) <= {"b", "…"}


def test_colours_are_all_that_colour_adds() -> None:
    source = Source.from_text("one two\n", "a.spine")
    plain, colour = render([at(source, "two")]), render([at(source, "two")], colour=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", colour) == plain
    assert "\x1b" not in plain


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\x07", "\u202e", "\u200b", "\x9b", "\ud800"])
def test_nothing_is_printed_that_a_terminal_acts_on(character: str) -> None:
    source = Source(f"a{character}.spine", f"one {character}two\n")
    text = render([at(source, "one").with_notes(f"a{character}b").with_fix(f"{character}")])
    assert character not in text


def test_messages_are_of_a_bearable_length() -> None:
    source = Source.from_text("x" * 100_000, "a.spine")
    assert len(render([at(source, "x" * 100_000)])) < 1_000


def test_each_mistake_is_said_once_in_the_order_of_the_text() -> None:
    source = Source.from_text("one two three\n", "a.spine")
    said = [at(source, "three"), at(source, "one"), at(source, "three")]
    assert [diagnostic.span.text for diagnostic in in_order(said)] == ["one", "three"]
    assert summary(said) == "2 errors"
    assert summary([]) == "no mistakes"


def test_what_an_instance_repeats_is_left_to_its_network() -> None:
    source = Source.from_text("base\ninstance\n", "a.spine")
    shown = at(source, "base")
    again = shown.seen_from(source.span(5, 13), "in network `A`")
    assert in_order([again, shown]) == (shown,)
    assert in_order([again]) == (again,)


def test_of_very_many_the_first_are_said() -> None:
    source = Source.from_text("x " * 600, "a.spine")
    many = [say.UNEXPECTED.at(source.span(2 * i, 2 * i + 1), found="x", expected="y") for i in range(600)]
    shown = say.first(many, 500)
    assert len(shown) == 501
    assert shown[-1].code is say.TOO_MANY
    assert say.first(shown[:500], 500) == shown[:500]


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("bottelneck", ["residual", "bottleneck"], "bottleneck"),
        ("Residual", ["residual"], "residual"),
        ("eps", ["momentum", "epsilon"], "epsilon"),
        ("b9", ["b1", "b99"], "b99"),
        ("leaky_relu", ["conv", "linear"], None),
        ("", ["a"], None),
        ("x" * 10_000, ["x", "xx"], None),
    ],
)
def test_the_nearest_name(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected


def test_lists_of_names() -> None:
    assert one_of([]) == "none"
    assert one_of(["a"]) == "`a`"
    assert one_of(["a", "b", "c"], conjunction="and") == "`a`, `b` and `c`"
    assert one_of(str(i) for i in range(20)).endswith("and 8 more")
