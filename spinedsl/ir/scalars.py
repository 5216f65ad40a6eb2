"""Exact arithmetic on compile-time values: whole numbers and fractions, never floats.

Every result is bounded, so that no file can make a number grow without end.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any, TypeAlias, TypeGuard

MAX_BITS = 256

Number: TypeAlias = int | Fraction


class Poison:
    """The value of what a mistake left unknown: whatever is made of it is unknown too, and nothing more is reported."""

    def __repr__(self) -> str:
        return "POISON"


POISON = Poison()
_NUMBERS = frozenset({int, Fraction})


def is_number(value: object) -> TypeGuard[Number]:
    """A whole number or a fraction, and not a flag. Asked for every value, so by type and not by `isinstance`."""
    return type(value) in _NUMBERS


def simplest(value: Number) -> Number:
    """A fraction with denominator 1 is a whole number."""
    return value.numerator if type(value) is Fraction and value.denominator == 1 else value


def too_long(value: Number) -> bool:
    """The number has outgrown what this language computes with."""
    return value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS


def describe(value: object) -> str:
    """A value in the words of a message."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if is_number(value):
        return show_number(value)
    if isinstance(value, str):
        return f"`{value}`"
    return str(value)


def show_number(value: Number) -> str:
    """Digits as a person writes them; a decimal where it ends soon, else a quotient; 1e30 for what is long."""
    if value.denominator == 1:
        whole = str(value.numerator)
        zeros = len(whole) - len(whole.rstrip("0"))
        return whole if zeros < 7 else f"{whole[:-zeros]}e{zeros}"
    denominator = value.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    ends_soon = denominator == 1 and value.denominator < 10**9
    return f"{float(value):.12g}" if ends_soon else f"{value.numerator}/{value.denominator}"


def _divide(left: Number, right: Number) -> Number:
    return simplest(Fraction(left) / Fraction(right))


ARITHMETIC: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _round(values: Sequence[Number]) -> Number:
    """The multiple of the second number (1 if there is none) nearest to the first; a half goes up."""
    x, to = (*values, 1)[:2]
    return floor(Fraction(x) / Fraction(to) + Fraction(1, 2)) * to


# The functions of numbers, on their arguments in order. `max` and `min` take two or more.
FUNCTIONS: Mapping[str, Callable[[Sequence[Number]], Number]] = {
    "floor": lambda values: floor(values[0]),
    "ceil": lambda values: ceil(values[0]),
    "round": _round,
    "max": max,
    "min": min,
}


def key_of(value: object) -> object:
    """A value for use in a dictionary key: True and 1 are told apart."""
    return (type(value), value)
