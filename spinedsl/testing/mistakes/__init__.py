"""Mistakes: one change of a valid text that must be refused, with the code that must be reported.

Each planter knows one code: what to look for in the text, and what to write there. `CODES` has all of them. What no
change of one text can cause is not among them: several files, bytes that are no text, warnings, weights, megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.testing.mistakes import form, names, parts, scale, structure
from spinedsl.testing.mistakes.field import Field
from spinedsl.testing.networks import networks
from spinedsl.testing.space import STANDARD, Space

PLANTERS = {**form.PLANTERS, **names.PLANTERS, **parts.PLANTERS, **structure.PLANTERS, **scale.PLANTERS}
CODES = tuple(sorted(PLANTERS))


class Mistake(Record):
    """A text with one mistake, and the code of what must be reported about it."""

    text: str
    code: str


@lru_cache(maxsize=256)
def _field(source: Source, network: str, chosen: int) -> Field | None:
    analysis = driver.analyse(source).value
    if analysis is None or network not in analysis.checked:
        return None
    return Field(source, analysis, network, chosen)


def plant(code: str, source: Source, network: str, chosen: int = 0) -> Mistake | None:
    """A mistake of a code in a valid file; None where it has no place for one. `chosen` picks place and form."""
    field = _field(source, network, chosen)
    planters = PLANTERS[code]
    for turn in range(len(planters)) if field is not None else ():
        text = planters[(chosen + turn) % len(planters)](field)  # type: ignore[arg-type]
        if text is not None and text != source.text:
            return Mistake(text, code)
    return None


def planted(source: Source, network: str, chosen: int = 0) -> Iterator[Mistake]:
    """A mistake of every code that has a place in a valid file."""
    found = (plant(code, source, network, chosen) for code in CODES)
    return (mistake for mistake in found if mistake is not None)


@st.composite
def mistakes(draw: st.DrawFn, network: str | None = None, space: Space = STANDARD) -> Mistake:
    """A network with one mistake, planted in a random network of a space, or in `network`: a text with one network.

    Raises:
        ValueError: the text given has a mistake already.
    """
    text = draw(networks(space)) if network is None else network
    source = space.source(text)
    analysis = driver.analyse(source).value
    name = next(iter(analysis.checked), None) if analysis is not None else None
    if name is None:
        raise ValueError("mistakes are planted in a valid network")
    start, chosen = draw(st.integers(0, len(CODES) - 1)), draw(st.integers(0, 11))
    for turn in range(len(CODES)):
        found = plant(CODES[(start + turn) % len(CODES)], source, name, chosen)
        if found is not None:
            return found
    raise AssertionError("an empty file is always a mistake")
