"""Exact arithmetic on compile-time values: whole numbers and fractions, never floats.

Every result is bounded, so that no file can make a number grow without end.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor

from spinedsl.ops.types import Value

MAX_BITS = 256


class Poison:
    """The value of what a mistake left unknown: whatever is made of it is unknown too, and nothing more is said."""

    def __repr__(self) -> str:
        return "POISON"


POISON = Poison()


def is_number(value: object) -> bool:
    """A whole number or a fraction, and not a flag."""
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def simplest(value: int | Fraction) -> int | Fraction:
    """A fraction with denominator 1 is a whole number."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def too_long(value: int | Fraction) -> bool:
    """The number has outgrown what this language computes with."""
    return value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS


def describe(value: object) -> str:
    """A value in the words of a message."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if is_number(value):
        return show_number(value)  # type: ignore[arg-type]
    if isinstance(value, str):
        return f"`{value}`"
    if isinstance(value, tuple):
        return "a list"
    return str(value)


def show_number(value: int | Fraction) -> str:
    """A decimal where it ends soon, else a quotient."""
    if isinstance(value, int) or value.denominator == 1:
        return str(int(value))
    denominator = value.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    return str(float(value)) if denominator == 1 and value.denominator < 10**9 else f"{value.numerator}/{value.denominator}"


def _divide(left: int | Fraction, right: int | Fraction) -> int | Fraction:
    return simplest(Fraction(left) / Fraction(right))


ARITHMETIC: Mapping[str, Callable[..., int | Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}
COMPARISONS: Mapping[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _round(x: int | Fraction, to: int | Fraction = 1) -> int | Fraction:
    """The multiple of `to` nearest to `x`; a half goes up."""
    return floor(Fraction(x) / Fraction(to) + Fraction(1, 2)) * to


FUNCTIONS: Mapping[str, Callable[..., int | Fraction]] = {
    "floor": floor,
    "ceil": ceil,
    "round": _round,
    "max": max,
    "min": min,
}


def key_of(value: Value) -> object:
    """A value for use in a dictionary key: True and 1 are told apart."""
    return (type(value).__name__, value)
