"""Exact arithmetic on compile-time values: whole numbers and fractions, never floats.

Every result is bounded, so that no file can make a number grow without end.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any, TypeAlias, TypeGuard, cast

from spinedsl.brief import counted

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
    if isinstance(value, tuple):
        return f"a list of {counted(len(value), 'number')}"
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
    "%": operator.mod,
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


def _root(value: int, degree: int) -> int | None:
    """The whole number of which `value` is that power; None where there is none."""
    low, high = 0, 1 << -(-value.bit_length() // degree)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**degree < value else (low, middle)
    return low if low**degree == value else None


def _power(values: Sequence[Number]) -> Number | None:
    """Exact, by roots where the exponent is no whole number; a number that would be too long stops at twice that."""
    x, exponent = Fraction(values[0]), Fraction(values[1])
    degree, times = exponent.denominator, abs(exponent.numerator)
    if degree > MAX_BITS or (x < 0 and degree % 2 == 0):
        return None
    parts = [_root(part, degree) for part in (abs(x.numerator), x.denominator)]
    if None in parts:
        return None
    above, below = (cast(int, part) for part in parts)
    if max(above, below) > 1 and times * max(above, below).bit_length() > 2 * MAX_BITS:
        return 1 << 2 * MAX_BITS
    sign = -1 if x < 0 and times % 2 else 1
    found = Fraction(sign * above ** min(times, 2 * MAX_BITS), below ** min(times, 2 * MAX_BITS))
    return 1 / found if exponent < 0 else found


def _log2(values: Sequence[Number]) -> Number | None:
    x = Fraction(values[0])
    if x <= 0 or x.numerator & (x.numerator - 1) or x.denominator & (x.denominator - 1):
        return None
    return x.numerator.bit_length() - x.denominator.bit_length()


# The functions of numbers, on their arguments in order. `max` and `min` take two or more. None: it is no exact number.
FUNCTIONS: Mapping[str, Callable[[Sequence[Number]], Number | None]] = {
    "floor": lambda values: floor(values[0]),
    "ceil": lambda values: ceil(values[0]),
    "round": _round,
    "max": max,
    "min": min,
    "power": _power,
    "sqrt": lambda values: _power((values[0], Fraction(1, 2))),
    "log2": _log2,
}


def key_of(value: object) -> object:
    """A value for use in a dictionary key: True and 1 are told apart. Whole numbers hash faster than a fraction."""
    kind = type(value)
    if kind is Fraction:
        return (kind, *value.as_integer_ratio())  # type: ignore[attr-defined]
    return (tuple, *map(key_of, value)) if isinstance(value, tuple) else (kind, value)
