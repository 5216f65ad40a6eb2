"""Hold values against what an attribute of a primitive, or a number of channels, may be."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, nearest
from spinedsl.ir.expand.values import in_words
from spinedsl.ir.scalars import Number, describe, is_number
from spinedsl.ops.primitives import Attribute, Kind
from spinedsl.ops.types import SINGLE_LEAST, Value
from spinedsl.record import replace
from spinedsl.source import Span

MAX_CHANNELS = 10_000_000  # classifiers of faces tell millions of people apart
MAX_WINDOW = 1_024
MOST = 10**30
_FLAGS: Mapping[Number, str] = {0: "false", 1: "true"}
_LIMITS: Mapping[Kind, tuple[int, int]] = {
    Kind.COUNT: (1, MAX_WINDOW),
    Kind.GROUPS: (1, MAX_CHANNELS),
    Kind.WHOLE: (0, MAX_WINDOW),
    Kind.PADDING: (0, MAX_WINDOW),
    Kind.POSITION: (0, MAX_CHANNELS),
}


def check_value(attribute: Attribute, value: object, span: Span, what: str) -> Value | Diagnostic:
    """One `value` as the attribute's kind wants it, or what is wrong with it."""
    kind = attribute.kind
    if isinstance(value, tuple):
        return _pair(attribute, value, span, what)
    if kind is Kind.CHANNELS:
        return count_of(value, span, what)
    if kind is Kind.FLAG:
        if isinstance(value, bool):
            return value
        found = _wrong(kind.value, value, span, what)
        return found.with_rename(span, _FLAGS.get(value) if is_number(value) else None)
    if isinstance(value, str) and value in attribute.choices:
        return value
    if kind is Kind.CHOICE:
        found = _wrong(attribute.expected, value, span, what)
        near = nearest(value, attribute.choices) if isinstance(value, str) else None
        return found.with_rename(span, near) if near is not None else found.with_fix(f"choose {attribute.expected}")
    if is_number(value):
        return _number(kind, value, span, what)
    return _wrong(kind.value, value, span, what).with_fix(f"give {kind.value}")


def _pair(attribute: Attribute, values: tuple[object, ...], span: Span, what: str) -> Value | Diagnostic:
    """Two numbers, for height and width; of equal ones, one."""
    if not attribute.pair or len(values) != 2:
        two = f"{attribute.kind.value}, or two for height and width"
        found = _wrong(two if attribute.pair else attribute.kind.value, values, span, what)
        return found.with_fix("as in `[1, 7]`" if attribute.pair else "a size is one number here")
    checked = [check_value(replace(attribute, choices=()), value, span, what) for value in values]
    wrong = next((value for value in checked if isinstance(value, Diagnostic)), None)
    if wrong is not None:
        return replace(wrong, fixes=()).with_fix("give two that can be, as in `[1, 7]`")
    first, second = (value for value in checked if not isinstance(value, Diagnostic))
    return first if first == second else (first, second)


def _number(kind: Kind, number: Number, span: Span, what: str) -> Value | Diagnostic:
    limits = _LIMITS.get(kind)
    if limits is not None and (isinstance(number, Fraction) or not limits[0] <= number <= limits[1]):
        expected = f"a whole number from {limits[0]} to {limits[1]:,}"
        found = say.OUT_OF_RANGE.at(span, what=what, expected=expected, got=describe(number))
        return found.with_value(span, str(min(max(floor(number), limits[0]), limits[1])))
    if kind is Kind.SHARE and not 0 <= number <= 1:
        found = say.OUT_OF_RANGE.at(span, what=what, expected="from 0 to 1", got=describe(number))
        return found.with_value(span, "0" if number < 0 else "1")
    if kind is Kind.POSITIVE and number <= 0:
        found = say.OUT_OF_RANGE.at(span, what=what, expected="above 0", got=describe(number))
        return found.with_fix("such as `1e-3`", *([Edit(span, "1e-3")] if span.text == "0" else []))
    if kind is Kind.POSITIVE and number < SINGLE_LEAST:
        found = say.OUT_OF_RANGE.at(span, what=what, expected=f"at least {SINGLE_LEAST:.4g}", got="less")
        return found.with_fix("float32 takes a smaller one for 0: such as `1e-30`")
    return within(number, span, what)


def within(number: Number, span: Span, what: str) -> Number | Diagnostic:
    """A number that meets the numbers of maps: all of these are float32, which holds it with room."""
    if -MOST <= number <= MOST:
        return number
    found = say.OUT_OF_RANGE.at(span, what=what, expected="from -1e30 to 1e30", got="more" if number > 0 else "less")
    return found.with_value(span, "1e30" if number > 0 else "-1e30")


def count_of(value: object, span: Span, what: str) -> int | Diagnostic:
    """A number of channels: floored where it is bound, then at least 1."""
    if not is_number(value):
        return _wrong(Kind.CHANNELS.value, value, span, what)
    count = floor(value)
    if count < 1:
        how = "expected 1 or more" if count == value else f"{describe(value)} is rounded down; expected 1 or more"
        found = say.NOT_POSITIVE.at(span, what=what, got=count, how=how)
        meant = str(-count)
        return found.with_rename(span, meant) if span.text == f"-{meant}" else found.with_value(span, "1")
    if count > MAX_CHANNELS:
        found = say.OUT_OF_RANGE.at(span, what=what, expected=f"at most {MAX_CHANNELS:,}", got=describe(count))
        return found.with_value(span, str(MAX_CHANNELS))
    return count


def _wrong(expected: str, value: object, span: Span, what: str) -> Diagnostic:
    return say.EXPECTED_VALUE.at(span, what=what, expected=expected, got=in_words(value))
