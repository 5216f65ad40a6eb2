"""Edits as values: one text for each, the same values from that text, and the compiler's way for the result."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinedsl
from spinedsl import edit
from spinedsl.diagnostics.render import render
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from spinedsl.syntax import tree
from spinedsl.syntax.parse import keywords, parse

SPINENET = Path(__file__).resolve().parent.parent / "examples/spinenet.spine"

names = st.one_of(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True),
    st.sampled_from(["add", "drop", "move", "before", "right", "none", "channels", "part"]),
).filter(lambda name: name not in keywords())
numbers = st.one_of(
    st.integers(0, 10**12).map(str), st.sampled_from(["0.65", "1e-3", "64 * width", "(a + b) * 2", "-1"])
)
uses = st.one_of(names, st.builds(lambda name, value: f"{name}(expansion = {value})", names, numbers))
rows = st.lists(names, min_size=1, max_size=3).map(", ".join)
VALUES = {
    "level": numbers | names, "from": rows, "after": names, "channels": numbers | names, "repeat": numbers,
    "absorb": rows, "resample": uses, "join": uses,
}  # fmt: skip


@st.composite
def clauses(draw: st.DrawFn, least: int = 0, known: Sequence[str] = tuple(sorted(VALUES))) -> edit.Clauses:
    """Clauses of a row, each word once."""
    words = draw(st.lists(st.sampled_from(known), min_size=least, max_size=4, unique=True))
    return tuple((word, draw(VALUES[word])) for word in words)


@st.composite
def placements(draw: st.DrawFn) -> dict[str, str]:
    """`before` or `after` a row."""
    return {draw(st.sampled_from(["before", "after"])): draw(names)}


names_or_numbers = numbers | names
levels = st.builds(lambda low, high: f"level {low}" + (f"..{high}" if high else ""), numbers, st.none() | numbers)
entries = {
    "widths": st.builds(lambda level, width: f"{level}: {width}", levels, names_or_numbers),
    "defaults": st.builds(lambda role, use: f"{role} {use}", names, uses) | uses.filter(lambda use: "(" in use),
    "rules": st.builds(lambda name, low, high: f"{name} {low}..{high}", names, numbers, numbers),
    "resample": uses,
    "join": uses,
    "let": st.builds(lambda name, value: f"{name} = {value}", names, names_or_numbers),
    "input": st.builds(lambda name, side: f"{name}: 3 x {side} x {side}", names, st.just("64") | names),
}


@st.composite
def settings(draw: st.DrawFn) -> edit.Setting:
    """A setting of any kind, with a few entries where it can have them."""
    word = draw(st.sampled_from(sorted(entries)))
    least, most = (0, 3) if word in edit.WITH_ENTRIES else (1, 1)
    return edit.Setting(word, tuple(draw(st.lists(entries[word], min_size=least, max_size=most))))


kinds = st.sampled_from([kind for kind in edit.KINDS if kind != "part"])
networks = uses | uses.map(lambda use: f"shared {use}")
of_parts = ("from", "repeat")
reasons = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"'), max_size=20)
edits = st.lists(
    st.one_of(
        st.builds(edit.Change, names, clauses(1), st.none() | uses, kinds),
        st.builds(edit.Change, names, clauses(), uses, kinds),
        st.builds(edit.Change, names, clauses(1, of_parts), st.none() | networks, st.just("part")),
        st.builds(edit.Change, names, clauses(0, of_parts), networks, st.just("part")),
        st.builds(
            lambda name, use, given, place: edit.Add(name, use, given, kind="part", **place),
            names, networks, clauses(0, of_parts), st.just({}) | placements(),
        ),
        st.builds(
            lambda name, use, given, kind, place: edit.Add(name, use, given, kind=kind, **place),
            names, uses, clauses(), kinds, st.just({}) | placements(),
        ),
        st.builds(edit.Drop, names),
        st.builds(lambda name, place: edit.Move(name, **place), names, placements()),
        st.builds(edit.Allow, names, reasons),
        st.builds(edit.Argument, names, names_or_numbers),
        settings(),
    ),
    max_size=6,
).map(edit.Edits)  # fmt: skip


@given(edits)
def test_the_text_of_edits_says_them(made: edit.Edits) -> None:
    text = made.to_text()
    outcome = edit.parse(text)
    assert outcome.value == made, outcome.diagnostics
    assert outcome.value.to_text() == text


@given(st.text(max_size=12), st.sampled_from([*VALUES, "before", "right after", "x"]), st.text(max_size=12))
def test_a_value_is_one_edit_or_none(name: str, word: str, value: str) -> None:
    for make in (
        lambda: edit.Drop(name),
        lambda: edit.Move("b", after=name),
        lambda: edit.Change(name, (("level", "1"),)),
        lambda: edit.Change("b", ((word, value),)),
        lambda: edit.Add("b", value, ((word, name),)),
        lambda: edit.Change("b", ((word, value),), kind="part"),
        lambda: edit.Add("b", value, ((word, name),), kind="part"),
        lambda: edit.Allow("W0701", value),
        lambda: edit.Setting(word, (value,)),
        lambda: edit.Setting("widths", (f"level 2: {value}", name)),
        lambda: edit.Argument(name, value),
    ):
        try:
            made = edit.Edits([make()])
        except ValueError:
            continue
        assert edit.parse(made.to_text()).value == made


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("level", "5 repeat 2"),
        ("level", "5\n    drop b1"),
        ("level", "5 } network W = A with { drop b1"),
        ("from", "b1 drop b2"),
        ("from", ""),
        ("level b", "5"),
        ("after", "b1, b2 drop b3"),
        ("after", "b1,"),
        ("resample", "5"),
    ],
)
def test_text_cannot_smuggle_in_another_edit(word: str, value: str) -> None:
    with pytest.raises(ValueError, match="form of one edit"):
        edit.Change("b", ((word, value),))


def test_a_block_may_be_fed_by_several_rows_directly() -> None:
    """As one is whose type takes its maps one by one."""
    made = edit.Edits([edit.Change("b", (("after", "b1, b2"),))])
    assert "block b after b1, b2" in made.to_text()
    assert edit.parse(made.to_text()).value == made


@pytest.mark.parametrize(
    ("word", "entries"),
    [
        ("widths", ("level 2: 3, level 4: 5",)),
        ("widths", ("level 2: 3 } drop b1 widths { level 3: 4",)),
        ("widths", ("2: 3",)),
        ("defaults", ("act",)),
        ("resample", ("spinenet", "spinenet")),
        ("resample", ()),
        ("resample", ("spinenet drop b1",)),
        ("input", ("image: 3 x 64",)),
        ("let", ("n",)),
        ("block", ("b1 level 3",)),
        ("allow", ('W0701 "x"',)),
    ],
)
def test_a_setting_is_one_setting(word: str, entries: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="form of one edit"):
        edit.Setting(word, entries)


def test_values_have_one_form() -> None:
    assert edit.Setting("widths", ("level 3:96", "level (4) .. 5: 2*width")) == edit.Setting(
        "widths", ("level 3: 96", "level (4)..5: 2 * width")
    )
    assert edit.widths({3: 96, "4..5": Fraction(1, 2)}).entries == ("level 3: 96", "level 4..5: 1 / 2")
    assert str(edit.Setting("input", ("image:3 x 64 x 64",))) == "input image: 3 x 64 x 64"
    assert edit.Argument("width", "1+1").value == "1 + 1"
    made = edit.Change("b", (("level", "(a+b)*2"), ("resample", "spinenet( alpha=1 )")))
    assert made.clauses == (("level", "(a + b) * 2"), ("resample", "spinenet(alpha = 1)"))
    given_ = edit.clauses(level=5, from_=["a", "b"], channels=Fraction(1, 2), absorb=None, repeat="n")
    expected = (("level", "5"), ("from", "a, b"), ("channels", "1/2"), ("repeat", "n"), ("absorb", "none"))
    assert given_ == expected


def test_mistakes_of_form_are_said() -> None:
    for text, code in (("", "E0102"), ("with { drop }", "E0102"), ("with { drop a }\nnetwork W = V", "E0101")):
        outcome = edit.parse(text)
        assert outcome.value is None
        assert [found.code.id for found in outcome.diagnostics] == [code]


@pytest.mark.parametrize(
    ("text", "line", "column", "shown"),
    [
        ("with { drop b c }", 1, 15, "c"),
        ("with {\n    drop b\n    drop b c\n}", 3, 12, "c"),
        ("# a\n\nwith {\n    move b\n}", 4, 10, "b"),
        ("with {\r\n\twidth = 2 3 }", 2, 12, "3"),
        ("\ufeffwith { drop }", 1, 8, "drop"),
        ("with { drop a }\n\nnetwork W = V", 3, 1, "network W = V"),
        ("  (width = 2) with { drop a }", 1, 4, "width = 2"),
        ("() with { drop a }", 1, 2, ")"),
        ("{ drop a }", 1, 1, "{"),
        ("", 1, 1, ""),
        ("# nothing\n", 2, 1, ""),
    ],
)
def test_mistakes_stand_in_the_text_that_was_given(text: str, line: int, column: int, shown: str) -> None:
    (found,) = edit.parse(text, "mine").diagnostics
    span = found.span
    assert (span.source.name, span.line, span.column, span.text) == ("mine", line, column, shown)
    for fix in found.fixes:
        for part in fix.edits:
            assert part.span.source is span.source
            repaired = span.source.text[: part.span.start] + part.text + span.source.text[part.span.end :]
            assert edit.parse(repaired).value is not None
    assert render([found]).startswith(f"error[{found.code.id}]")


def test_edits_make_a_network_that_compiles_like_any() -> None:
    source = Source.from_text(SPINENET.read_text(encoding="utf-8"), "spinenet.spine")
    made = spinedsl.edit.Edits(
        [
            edit.Change("b14", edit.clauses(absorb=None)),
            edit.Drop("b11"),
            edit.Add("x1", "residual", edit.clauses(level=4, from_=["b3", "b5"]), before="b7"),
            edit.Change("b12", edit.clauses(from_=["x1", "b10"])),
            edit.Change("b13", edit.clauses(level=3), type="residual"),
            edit.Allow("W0703", "level 3 is said again"),
        ]
    )
    whole = edit.apply(source, made, base="SpineNet49", name="Variant")
    assert spinedsl.check(whole).ok
    file = parse(whole).value
    assert file is not None
    variant = file.networks[-1]
    assert isinstance(variant, tree.Instance)
    assert edit.of(variant) == made
    program = spinedsl.program(whole, network="Variant")
    assert [row.name for row in program.rows].index("x1") == [row.name for row in program.rows].index("b7") - 1
    assert "b11" not in {row.name for row in program.rows}
    before = flatten(spinedsl.program(source, network="SpineNet49")).parameters
    after = flatten(program).parameters
    changed = {name.split(".")[0] for name in before.keys() ^ after.keys()}
    assert changed == {"b11", "b12", "b13", "x1"}


def test_a_network_has_a_name() -> None:
    with pytest.raises(ValueError, match="named"):
        edit.to_network(edit.Edits([edit.Drop("b1")]), base="A", name="B = C\nnetwork D")


@pytest.mark.parametrize(("text", "line_end"), [("a\r\nb\r\n", "\r\n"), ("a\nb\n", "\n"), ("", "\n")])
def test_an_edited_file_keeps_its_line_ends(text: str, line_end: str) -> None:
    source = Source.from_text(text, "net.spine", "nets")
    made = edit.apply(source, edit.Edits([edit.Drop("b")]), base="A", name="B")
    assert (made.line_end, made.name, made.origin) == (line_end, "net.spine", "nets")
    assert "\r" not in made.text


@pytest.mark.parametrize("word", ["level", "from_", "after", "channels", "repeat", "absorb", "resample", "join"])
def test_a_flag_is_no_number(word: str) -> None:
    with pytest.raises(TypeError, match=r"expected a whole number, .*; got True"):
        edit.clauses(**{word: True})
    for level, width in ((True, 3), (3, True)):
        with pytest.raises(TypeError, match="got True"):
            edit.widths({level: width})
