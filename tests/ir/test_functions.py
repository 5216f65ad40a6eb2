"""Functions of numbers, lists of numbers and remainders: held against Python's own, and against the field's code."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.source import Source
from tests.profiles import drawn

FILE = """spine 1
import std.blocks
import std.numbers
import std.stems

{functions}

network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    stem s: resnet_stem channels {value}
    block b: residual level 2 after s channels 8
    output P: b
}}
"""


def value_of(expression: str, functions: str = "") -> int:
    """The channels that an expression of a network comes to."""
    analysis = driver.analyse(Source.from_text(FILE.format(functions=functions, value=expression))).value
    assert analysis is not None
    row = analysis.checked["Net"].typed.rows["s"]
    assert row.channels is not None
    return row.channels


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("17 % 5", 2),
        ("(5 - 17) % 5 + 1", 4),  # as in Python: not below zero
        ("7.5 % 2 * 2", 3),
        ("10 - 3 % 2 * 4", 6),  # binds as `*` does
        ("[4, 5, 6][1]", 5),
        ("len([4, 5, 6]) + sum([1, 2]) + first([3]) + last([4, 5])", 14),
        ("sum(rest([4, 5, 6]))", 11),
        ("sum([k * k each k in [1, 2, 3]])", 14),
        ("last([2 * i + 1 repeat i in 4])", 7),
        ("last([1] + [2, 3])", 3),
        ("len([]) + 1", 1),
        ("sum([]) + 2", 2),
        ("[[1, 2][0] + i repeat i in 3][2]", 3),
        ("round_even(38.5)", 38),
        ("round_even(39.5)", 40),
        ("round_even(-0.5) + 1", 1),
        ("round_even(-1.5) + 3", 1),
        ("round_even(2.4)", 2),
        ("make_divisible(18)", 24),
        ("make_divisible(30, by = 16)", 32),
        ("make_divisible(1)", 8),
    ],
)
def test_closed_values(expression: str, expected: int) -> None:
    assert value_of(expression) == expected


@drawn(60)
@given(st.fractions(1, 4_000, max_denominator=64), st.integers(1, 64))
def test_make_divisible_is_the_rule_of_the_field(v: Fraction, by: int) -> None:
    """`new = max(by, int(v + by / 2) // by * by)`, and one step more below nine tenths: MobileNetV2's code."""
    expected = max(by, int(v + Fraction(by, 2)) // by * by)
    expected += by if expected < Fraction(9, 10) * v else 0
    assert value_of(f"make_divisible({v.numerator} / {v.denominator}, by = {by})") == expected


@drawn(60)
@given(st.integers(-400, 400), st.sampled_from([1, 2, 3, 4]))
def test_round_even_is_pythons_round(above: int, below: int) -> None:
    assert value_of(f"500 + round_even({above} / {below})") == 500 + round(Fraction(above, below))


@drawn(40)
@given(st.fractions(-50, 50, max_denominator=9), st.fractions(-9, 9, max_denominator=9).filter(bool))
def test_remainders_are_exact(left: Fraction, right: Fraction) -> None:
    """A remainder has the sign of what is divided by, as in Python; scaled, so that it is a number of channels."""
    scaled = (left % right + 10) * left.denominator * right.denominator
    text = f"((({left.numerator}) / {left.denominator}) % (({right.numerator}) / {right.denominator}) + 10)"
    assert value_of(f"{text} * {left.denominator} * {right.denominator}") == scaled


FIBONACCI = """
fn fibonacci(n) {
    var all = [1, 1]
    repeat i in n { all = all + [all[i] + all[i + 1]] }
    return all
}
fn smallest(all, above = 0) {
    var found = last(all)
    each one in all {
        if one > above and one < found { found = one } else if one == above { found = found }
    }
    return found
}
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("last(fibonacci(5))", 13),
        ("sum(fibonacci(3))", 12),
        ("smallest(fibonacci(6))", 1),
        ("smallest(fibonacci(6), above = 4)", 5),
        ("smallest(all = [9, 7, 8])", 7),
    ],
)
def test_functions_run(expression: str, expected: int) -> None:
    assert value_of(expression, FIBONACCI) == expected


def test_fn_is_a_name_as_well() -> None:
    """No file of before may change: rows, values and definitions called `fn` stay what they were."""
    text = """spine 1
import std.blocks
import std.stems

def fn(x) {
    let fn = conv(x, x.channels, kernel = 1)
    return fn
}
block_type own(x, channels, fn = 2) -> channels { return conv(x, channels * fn / fn, kernel = 1) }
network Net(width = 8) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels width
    block fn: own(fn = 3) level 2 after s channels width
    output P: fn
}
"""
    outcome = driver.analyse(Source.from_text(text))
    assert outcome.value is not None
    assert "E" not in {found.code.id[0] for found in outcome.diagnostics}


def test_a_list_that_doubles_ends_with_a_report() -> None:
    functions = "fn wide(n) {\n    var all = [1]\n    repeat n { all = all + all }\n    return all\n}"
    found = driver.analyse(Source.from_text(FILE.format(functions=functions, value="len(wide(900))"))).diagnostics
    assert [one.code.id for one in found] == ["E0604"]
