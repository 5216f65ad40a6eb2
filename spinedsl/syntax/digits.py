"""Numbers as people write them elsewhere, `12_8`, `0x20`, `.5` or `32k`, which are several tokens here.

In: the tokens of a statement, and where the parser stopped. Out: where such a number stands, and how it is written
here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from spinedsl.diagnostics import Edit, Fix
from spinedsl.source import Source, Span
from spinedsl.syntax.machine import Token
from spinedsl.syntax.statements import span_of

ALONE = "a number is written in digits alone"
LONGEST = 16  # characters of a number with another base
_GROUPED = re.compile(r"\d+(_\d+)+")
_BASED = re.compile(r"0([xX][0-9a-fA-F]+|[bB][01]+|[oO][0-7]+)")


def number_of_elsewhere(source: Source, tokens: Sequence[Token], position: int) -> tuple[Span, Fix] | None:
    """The number at which a statement stops making sense, and its repair."""
    for start in (position - 2, position - 1, position):
        kinds = [token.type for token in tokens[max(start, 0) : start + 2]]
        if kinds not in (["NUMBER", "NAME"], ["DOT", "NUMBER"] if start == position else ["NUMBER", "DOT"]):
            continue
        first, last = (span_of(source, token) for token in tokens[start : start + 2])
        if first.end == last.start:
            return first.to(last), _written(first.to(last))
    return None


def _written(place: Span) -> Fix:
    """How a number is written here, if it is plain what it says."""
    text = place.text
    if _GROUPED.fullmatch(text):
        value, how = text.replace("_", ""), "digits stand together"
    elif _BASED.fullmatch(text) and len(text) <= LONGEST:
        value, how = str(int(text, 0)), "numbers are decimal"
    elif text.startswith("."):
        value, how = f"0{text}", "a digit stands before the point"
    elif text.endswith("."):
        value, how = text[:-1], "without the point"
    else:
        return Fix(ALONE)
    return Fix(f"{how}: `{value}`", (Edit(place, value),))


def touches_number(text: str, start: int, end: int) -> bool:
    """A digit stands right before or behind a place."""
    return text[max(start - 1, 0) : start].isdecimal() or text[end : end + 1].isdecimal()
