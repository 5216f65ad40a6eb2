"""Open the spaces of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spinedsl import driver
from spinedsl.api import Mistakes
from spinedsl.brief import brief
from spinedsl.diagnostics import Diagnostics, Outcome, Severity
from spinedsl.ir.typed import TypedNetwork
from spinedsl.reading import read
from spinedsl.source import Source
from spinedsl.spaces.candidates import Candidates, Genome, NoCandidate, Priced, Unfit
from spinedsl.spaces.contains import Answer
from spinedsl.spaces.contains import contains as _contains
from spinedsl.spaces.model import Space

__all__ = [
    "Answer",
    "Candidates",
    "Genome",
    "NoCandidate",
    "Priced",
    "Space",
    "Unfit",
    "contains",
    "open_space",
    "spaces",
]


def spaces(file: str | Path | Source) -> Mapping[str, Space]:
    """The spaces of a file by name, in the order in which they stand.

    Raises:
        Mistakes: the file cannot be read, or has mistakes.
    """
    source = file if isinstance(file, Source) else _read(file)
    outcome = open_source(source)
    if outcome.value is None:
        raise Mistakes(Diagnostics(outcome.diagnostics))
    return outcome.value


def open_source(source: Source) -> Outcome[Mapping[str, Space]]:
    """The spaces of a source by name; none where it has mistakes."""
    outcome = driver.analyse(source)
    errors = [one for one in outcome.diagnostics if one.severity is Severity.ERROR]
    if outcome.value is None or errors:
        return Outcome(None, tuple(errors))
    return Outcome(outcome.value.spaces)


def open_space(file: str | Path | Source, name: str | None = None) -> Candidates:
    """The candidates of a space of a file: of the only one, or of that name.

    Raises:
        Mistakes: the file cannot be read, or has mistakes.
        ValueError: it has no such space, or several and none is named.
    """
    known = spaces(file)
    chosen = name if name is not None else next(iter(known), None) if len(known) == 1 else None
    if chosen is None or chosen not in known:
        asked = f"no space {chosen!r}" if chosen is not None else f"{len(known)} spaces, of which one has to be named"
        raise ValueError(f"the file has {asked}: {', '.join(known) or 'it has none'}")
    return Candidates(known[chosen])


def contains(candidates: Candidates, network: TypedNetwork) -> Answer:
    """Whether a network lies in a space, by which decisions, or every reason why it does not.

    `driver.analyse(source).value.checked[name].typed` is a network of a file.
    """
    return _contains(candidates.costing, network)


def _read(path: str | Path) -> Source:
    if not isinstance(path, str | Path):
        raise TypeError(f"expected the path of a file, or a Source; got {brief(path)}")
    outcome = read(path)
    if outcome.value is None:
        raise Mistakes(Diagnostics(outcome.diagnostics))
    return outcome.value
