"""Scales: from the numbers of a chart to pixels, to round numbers at its axes, and to words."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, floor, isfinite, log10

from spinedsl.record import Record

TICKS = 5  # about so many numbers at an axis
MOST_DIGITS = 12
HUGE = 1e18  # from here on, no letter makes a number short
LARGEST = sys.float_info.max
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))


class Axis(Record):
    """An axis: its words, the numbers at its ends, and those that stand at it."""

    words: str
    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """How far along it a number stands, from 0 to 1."""
        return share(value, self.low, self.high)


def share(value: float, low: float, high: float) -> float:
    """How far a number stands between two others, from 0 to 1, however far these are apart."""
    if isfinite(high - low):
        return (value - low) / (high - low)
    return (value / 2 - low / 2) / (high / 2 - low / 2)


def axis(words: str, values: Iterable[float], *, margin: float = 0.04) -> Axis:
    """An axis that has room for all values, and a share of their range at either end."""
    known = [value for value in values if isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    half = high / 2 - low / 2  # which is finite
    room = half * margin * 2 or abs(high) * 0.05 or 1.0
    low, high = max(low - (room if margin else 0), -LARGEST), min(high + room, LARGEST)
    step = _step((high / 2 - low / 2) / TICKS * 2)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return Axis(words, low, high, tuple(number * step for number in range(first, last + 1)))


def _step(rough: float) -> float:
    """The next of 1, 2, 5, 10 and so on."""
    power = 10.0 ** floor(log10(rough))
    fits = (times * power for times in (1, 2, 5, 10) if rough * 0.999 <= times * power <= LARGEST)
    return next(fits, rough)


def number(value: float) -> str:
    """A number for people: whole where it is, else with six digits."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def short(value: float, digits: int = 1) -> str:
    """A number in few letters, as in 26.9G, with so many digits behind the point."""
    if abs(value) >= HUGE:
        return f"{value:.{digits + 3}g}"
    for size, letter in PREFIXES:
        if abs(value) >= size:
            scaled = value / (1e3 if letter == "k" else size)
            text = f"{scaled:.{0 if abs(scaled) >= 100 and digits == 1 else digits}f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text) + letter
    return f"{value:.{digits + 3}g}" if abs(value) < 1e4 else f"{value:,.0f}"


def told_apart(values: Sequence[float]) -> list[str]:
    """Numbers that rise, in few letters, with as many digits as it takes for each to stand where it says."""
    near = min((after - value for value, after in pairwise(values)), default=1.0) / 100
    texts: list[str] = []
    for digits in range(1, MOST_DIGITS):
        texts = [short(value, digits) for value in values]
        if all(abs(_meant(text) - value) < near for text, value in zip(texts, values, strict=True)):
            break
    return texts


def _meant(text: str) -> float:
    """The number that `short` wrote."""
    size = next((1e3 if letter == "k" else size for size, letter in PREFIXES if text.endswith(letter)), 1.0)
    return float(text.rstrip("TGMk").replace(",", "")) * size


def seconds(value: float | None) -> str:
    """A time in words."""
    if value is None:
        return ""
    if value < 1:
        return f"{1000 * value:.0f} ms"
    if value < 100:
        return f"{value:.1f} s"
    if value < 6000:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"
