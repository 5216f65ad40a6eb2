"""Formatting: canonical, keeps comments and meaning, and changes nothing the second time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.source import Source
from spinedsl.syntax.format import format_source
from spinedsl.syntax.parse import parse, tokens_of
from spinedsl.syntax.spacing import WIDTH
from spinedsl.testing.laws import formatted as the_law

ROOT = Path(__file__).parents[2]
FILES = sorted([*(ROOT / "examples").rglob("*.spine"), *(ROOT / "spinedsl" / "prelude").glob("*.spine")])


def formatted(text: str) -> str:
    """Canonical text of a text without mistakes of form."""
    outcome = format_source(Source.from_text(text))
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def words(text: str) -> list[str]:
    """The tokens, without the commas that end a list."""
    values = [token.value for token in tokens_of(Source.from_text(text))]
    return [v for v, after in zip(values, [*values[1:], ""], strict=True) if not (v == "," and after in "})]")]


def comments(text: str) -> list[str]:
    """Every comment of a text without strings."""
    return [comment.rstrip() for comment in re.findall(r"#[^\n]*", text)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_we_ship_is_formatted(file: Path) -> None:
    assert formatted(file.read_text()) == file.read_text()


@st.composite
def loose_texts(draw: st.DrawFn) -> str:
    """An example with blanks, line ends and comments put in where they mean nothing."""
    text = draw(st.sampled_from(FILES)).read_text()
    tokens = tokens_of(Source.from_text(text))
    out, line = "", 1
    for before, token in zip([None, *tokens], tokens, strict=False):
        new_line = (token.line or 0) > line
        line = token.line or 0
        if before is None:
            out += draw(st.sampled_from(["", "# top\n", "\n\n"]))
        elif new_line:
            out += draw(st.sampled_from(["\n", "\n\n\n", "  # tail\n", "\n# between\n", "\n\n# alone\n\n", "\r\n"]))
        elif before.type in ("COMMA", "EQUAL", "PLUS", "LPAR") and draw(st.integers(0, 15)) == 0:
            out += draw(st.sampled_from(["\n  ", "  # inside\n", " # inside\n # more\n"]))
        elif before.type == "LBRACE" or token.type == "RBRACE":
            out += draw(st.sampled_from([" ", " ", "   "]))
        else:
            out += draw(st.sampled_from([" ", "  ", "\t"]))
        out += token.value
    return out + draw(st.sampled_from(["", "\n", "\n\n# end", "  # end\n"]))


@given(loose_texts())
def test_formatting_keeps_meaning_and_comments_and_is_idempotent(text: str) -> None:
    source = Source.from_text(text)
    if parse(source).diagnostics:
        return  # a line end fell where it means something
    once = formatted(source.text)
    assert words(once) == words(source.text)
    assert comments(once) == comments(source.text)
    assert not parse(Source.from_text(once)).diagnostics
    assert formatted(once) == once


def test_rows_align_in_runs_and_bodies_indent() -> None:
    text = (
        "network A{\ninput i:3 x 64 x 64\n\nblock b0:residual level 2 after s # one\nblock b10:bottleneck(expansion=2) "
        "level 3 from b0,s repeat 2\n\n\n\noutput P:b10}\ndef f(x,a=-1)->x.channels-1{if a<0{return x}else{\nreturn x}}"
    )
    assert formatted(text) == (
        "network A {\n"
        "    input i: 3 x 64 x 64\n"
        "\n"
        "    block b0:  residual                   level 2  after s  # one\n"
        "    block b10: bottleneck(expansion = 2)  level 3  from b0, s  repeat 2\n"
        "\n"
        "    output P: b10\n"
        "}\n"
        "def f(x, a = -1) -> x.channels - 1 {\n"
        "    if a < 0 { return x } else {\n"
        "        return x\n"
        "    }\n"
        "}\n"
    )


def test_the_resampling_of_one_input_stays_with_it() -> None:
    rows = "block b0:t level 2 from a resample x,s\nblock b1:t level 3 from a resample x( n=2 ),b repeat 2"
    assert formatted(f"network A {{\n{rows}\n}}\n") == (
        "network A {\n"
        "    block b0: t  level 2  from a resample x, s\n"
        "    block b1: t  level 3  from a resample x(n = 2), b  repeat 2\n"
        "}\n"
    )


def test_long_settings_break_one_item_a_line() -> None:
    items = [f"conv(padding = same, init_scale = {i})" for i in range(4)]
    broken = formatted(f"network A {{ defaults {{ {', '.join(items)} }} }}")
    assert broken == "network A {\n    defaults {\n" + "".join(f"        {i},\n" for i in items) + "    }\n}\n"


def test_a_long_instance_breaks_its_arguments_and_not_its_parameters() -> None:
    given = ["padding = symmetric", "chained = false", "momentum = 0.9", "epsilon = 1e-5", "repeats = 2"]
    text = f"network Wide(classes = 1001,) = SpineNet({', '.join(given)},) with {{ size = 64 }}\n"
    lines = [
        "network Wide(classes = 1001) = SpineNet(",
        *(f"    {one}," for one in given),
        ") with {",
        "    size = 64",
        "}",
    ]
    assert formatted(text) == "\n".join(lines) + "\n"
    own = [f"{'p' * 30}{number} = {number}" for number in range(3)]
    text = f"network Wide({', '.join(own)}) = SpineNet(width = 2)\n"
    lines = ["network Wide(", *(f"    {one}," for one in own), ") = SpineNet(width = 2)"]
    assert formatted(text) == "\n".join(lines) + "\n"


@pytest.mark.parametrize("text", ["network A = B(w = 1,)\n", "def f(x,) { return [x,] }\n"])
def test_no_comma_stands_before_a_bracket_on_its_line(text: str) -> None:
    assert formatted(text).replace("{\n    ", "{ ").replace("\n}", " }") == text.replace(",", "")


def test_a_file_with_mistakes_of_form_is_left_alone() -> None:
    outcome = format_source(Source.from_text("network A { block }"))
    assert outcome.value is None
    assert [diagnostic.code.id for diagnostic in outcome.diagnostics] == ["E0102"]


def test_a_size_in_brackets_keeps_its_blanks() -> None:
    text = "network Net {\n    input x: 3 x (32 + 32) x (4 * (x + 1))\n}\n"
    assert formatted(text.replace(" x (", "   x(")) == text


def test_a_long_comment_at_the_end_of_a_line_stays_whole() -> None:
    text = f"network Net {{\n    join activated_sum  # {'why ' * 30}this one\n}}\n"
    assert formatted(text) == text


MUCH = " + ".join(["channels"] * 16)


@pytest.mark.parametrize(
    "line",
    [
        f"let y = ({MUCH})",
        f"let y = ({MUCH}) * 2",
        f"let y = 2 * ({MUCH}) + conv(x, 3, kernel = 1)",
        f"let y = (x if {MUCH} > 3 else conv(x, 3, kernel = 1))",
        f"let y = -({MUCH})",
        f"let y = conv(x, {MUCH}, kernel = 1)",
        f"let y = [x, conv(x, {MUCH}, kernel = 1)]",
        f"return ({MUCH})",
        f"if ({MUCH}) > 3 {{ return x }}",
        f"if not ({MUCH} > 3) {{ return x }} else {{ return y }}",
        f"repeat ({MUCH}) {{ let y = x }}",
        f"repeat i in ({MUCH}) {{ let y = x }}",
        f"each p in [x, conv(x, {MUCH}, kernel = 1)] {{ let y = p }}",
    ],
)
def test_a_long_line_is_broken_up_into_the_same_statement(line: str) -> None:
    source = Source.from_text(f"block_type t(x, channels) {{\n    {line}\n}}\n")
    assert "\n        " in formatted(source.text)
    the_law(source)


@pytest.mark.parametrize(
    "row",
    [
        f"input image: 3 x ({MUCH}) x 64",
        f"stem s: t channels ({MUCH})",
        f"block b: t level ({MUCH}) after s channels ({MUCH})",
        f"block b: t(deep = ({MUCH}), wide = 3) level 2 after s channels (2 + 2)",
        f"output P: t from b channels ({MUCH})",
        f"widths {{ level 2: ({MUCH}), level 3: 4 }}",
        f"let w = ({MUCH})",
        "block b: t level (2 + 1) after s channels (4 + 4) repeat (1 + 1)",
        f"block b: t level 2 from a resample x(n = {MUCH}), s channels 4",
    ],
)
def test_a_long_row_is_broken_up_into_the_same_row(row: str) -> None:
    for text in (f"network A {{\n{row}\n}}\n", f"network B = A with {{\n{row}\n}}\n"):
        source = Source.from_text(text)
        assert parse(source).ok
        the_law(source)


def test_a_value_in_brackets_has_a_blank_before_it() -> None:
    row = "    block b: t  level (2 + 1)  after s  channels (4 + 4)\n    block c: t  level 3  from s, b\n"
    text = f"network A {{\n{row}}}\n"
    assert "channels (4 + 4)" in formatted(text)
    assert "batch_norm(" in formatted("network A { defaults { norm batch_norm(momentum = 0.9) } }")


BRACES = """\
network A {
    defaults { act relu }  # of the defaults

    # of the widths
    widths { level 2: 8 }
}  # of the network
# below it
def f(x) {
    if x > 1 {
        let y = 2
        return y
    }  # of the if
    repeat 3 { x = x + 1 }  # of one line
    # alone
    if x > 2 {
        return 2
    }  # of another
    else {
        return x
    }  # of the else
}  # of the def
network B = A with {
    widths {
        level 2: 8,
        # why
        level 3: 9,
    }  # of the widths
}  # end
"""


def test_a_comment_after_a_brace_stays_on_its_line() -> None:
    """What stands behind `}` speaks of what ends there; a line below, it would speak of what follows."""
    assert formatted(BRACES) == BRACES
    assert formatted(BRACES.replace("  # ", "# ")) == BRACES.replace("  #  ", "  # ")


def test_comments_of_a_run_stand_behind_the_longest_row_that_has_one() -> None:
    text = (
        "network A {\n"
        "    block b:  t  level 2  after s  # one\n"
        "    block c:  t  level 2  from b   # two\n"
        "    block dd: t  level 3  from b, c  channels 12\n"
        "}\n"
    )
    assert formatted(text) == text


@pytest.mark.parametrize("spare", [1, 0, -1])
def test_a_line_may_be_as_wide_as_the_width(spare: int) -> None:
    """To the character: what fits stays on its line; with one letter more it is broken up."""
    start, end = "    if x > 1 { return ", " }"
    name = "n" * (WIDTH - len(start + end) - spare)
    assert formatted(f"def f(x) {{\n{start}{name}{end}\n}}\n").splitlines()[1] == (
        f"{start}{name}{end}" if spare >= 0 else "    if x > 1 {"
    )
    start, end = "    let y = f(", ", 2)"
    name = "n" * (WIDTH - len(start + end) - spare)
    assert formatted(f"def f(x) {{\n{start}{name}{end}\n    return y\n}}\n").splitlines()[1] == (
        f"{start}{name}{end}" if spare >= 0 else "    let y = f("
    )


@pytest.mark.parametrize("value", ["x", "x.level", "2", "f(x)", "(x)", "xs[0]", "x.in_channels"])
def test_a_minus_between_two_values_has_blanks_on_both_sides(value: str) -> None:
    for text in (f"let y = {value} - 1", f"let y = {value} - -1", f"let y = f({value} - x, -1)", f"return -{value}"):
        whole = f"def f(x) {{\n    {text}\n    return x\n}}\n"
        if parse(Source.from_text(whole)).ok:
            assert formatted(whole.replace(" - ", "-")) == whole
