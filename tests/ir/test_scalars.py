"""Compile-time numbers are exact, and counts are floored where they are bound."""

from __future__ import annotations

import math
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.ir.scalars import ARITHMETIC, FUNCTIONS, MAX_BITS, describe, show_number, simplest, too_long
from tests.ir.built import said, shapes, with_block

NUMBERS = st.integers(-1000, 1000) | st.fractions(-1000, 1000, max_denominator=1000)


def channels(expr: str, parameters: str = "") -> int:
    """The channels that a convolution takes from an expression."""
    text = with_block(f"block_type mine(x, channels{parameters}) {{ return conv(x, {expr}, kernel = 1) }}")
    return shapes(text)["conv.weight"][0]


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("0.65 * 64", 41),  # the published rule
        ("0.29 * 100", 29),  # 28.999… in floats
        ("1.3 * 256", 332),
        ("0.1 + 0.2 + 0.7", 1),
        ("7 / 2", 3),
        ("-7 / 2 + 5", 1),
        ("floor(2.7)", 2),
        ("ceil(2.1)", 3),
        ("round(2.5)", 3),
        ("round(36, to = 8)", 40),
        ("round(to = 8, x = 35)", 32),
        ("round(36, 8)", 40),
        ("max(3, 9, 5)", 9),
        ("min(3, 9, 5)", 3),
        ("max(a = 2, b = 7)", 7),
        ("(1 + 2) * 3", 9),
        ("2 if channels > 4 else 3", 2),
        ("2 if channels > 4 and not false else 3", 2),
        ("2 if false or channels == 9 else 3", 3),
        ("1e2", 100),
        ("x.channels / 2", 4),
        ("channels - -1", 9),
    ],
)
def test_values(expr: str, value: int) -> None:
    assert channels(expr) == value


def test_only_what_decides_is_evaluated() -> None:
    assert channels("1 if true else 1 / 0") == 1
    assert channels("1 if false and 1 / 0 > 0 else 2") == 2
    assert channels("1 if true or 1 / 0 > 0 else 2") == 1


@given(NUMBERS, NUMBERS)
def test_arithmetic_is_that_of_fractions(left: int | Fraction, right: int | Fraction) -> None:
    for sign, operate in ARITHMETIC.items():
        if sign in ("/", "%") and right == 0:
            continue
        value = simplest(operate(left, right))
        expected = {"+": left + right, "-": left - right, "*": left * right}
        if right:
            quotient = Fraction(left) / Fraction(right)
            expected |= {"/": quotient, "%": (quotient - floor(quotient)) * right}
        assert value == expected[sign]
        assert isinstance(value, int) == (Fraction(value).denominator == 1)


@given(NUMBERS, st.integers(1, 64))
def test_round_gives_the_nearest_multiple(x: int | Fraction, to: int) -> None:
    rounded = FUNCTIONS["round"]([x, to])
    assert rounded is not None
    assert rounded % to == 0
    assert -to <= (rounded - x) * 2 <= to


@given(st.fractions(max_denominator=50).filter(bool), st.integers(-6, 6), st.integers(1, 4))
def test_powers_and_roots_are_exact_or_refused(x: Fraction, times: int, degree: int) -> None:
    assert FUNCTIONS["power"]([x, times]) == x**times
    root = FUNCTIONS["power"]([x**degree, Fraction(1, degree)])
    assert root == (abs(x) if degree % 2 == 0 else x)
    found = FUNCTIONS["sqrt"]([abs(x)])
    assert (found is None) == (
        math.isqrt(abs(x).numerator) ** 2 != abs(x).numerator or math.isqrt(x.denominator) ** 2 != x.denominator
    )
    assert found is None or found * found == abs(x)
    log = FUNCTIONS["log2"]([x])
    assert FUNCTIONS["log2"]([Fraction(2) ** times]) == times
    assert log is None or Fraction(2) ** int(log) == x


@given(NUMBERS)
def test_a_number_reads_as_itself(value: int | Fraction) -> None:
    shown = show_number(value)
    assert "e" not in shown or value >= 10**7
    if "/" not in shown and "." not in shown:
        assert int(shown) == value


def test_long_numbers_read_short() -> None:
    assert describe(10**30) == "1e30"
    assert describe(Fraction(1, 3)) == "1/3"
    assert describe(Fraction(29, 100)) == "0.29"
    assert describe(True) == "`true`"
    assert too_long(2**MAX_BITS)


@pytest.mark.parametrize("expr", ["max(1)", "floor()", "round(1, 2, 3)", "max(1, c = 2)", "sqrt(2)", "round(1, y = 2)"])
def test_functions_take_what_they_take(expr: str) -> None:
    in_definition = with_block(f"block_type mine(x, channels) {{ return conv(x, {expr}, kernel = 1) }}")
    in_network = with_block(
        "block_type mine(x, channels) { return relu(x) }",
        "let n = " + expr + "\n    block b: mine level 0 channels n after s",
    )
    assert len(said(in_definition)) == 1
    assert len(said(in_network)) == 1


@pytest.mark.parametrize(
    "expr", ["round(5, 0)", "round(5, to = -1)", "1 / (2 - 2)", "relu + 1", "1 < true", "same == 1"]
)
def test_what_has_no_value_is_said_once(expr: str) -> None:
    text = with_block(f"block_type mine(x, channels) {{ let n = {expr}\n return conv(x, channels, kernel = 1) * n }}")
    assert len(said(text)) == 1
