"""Families: how the best candidates came about, from the first ancestor of each, step by step as differences.

A step is what `spine diff` says of a candidate and the first of those that it was made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spinedsl.compare import Difference, Side, compare, side
from spinedsl.compare.words import cells
from spinedsl.record import Record
from spinedsl.report.runs import Found, Run
from spinedsl.report.scale import short
from spinedsl.search.records import Finished
from spinedsl.source import Source

MOST_STEPS = 60  # of one candidate: the last ones
ORIGINS = {
    "sample": "drawn at random",
    "mutate": "one change",
    "crossover": "a crossover",
    "controller": "written by the controller",
    "command": "made by the command",
}


class Step(Record):
    """A candidate of a family. `lines` say how it differs from its parent; none of a first ancestor."""

    candidate: Finished
    link: str
    origin: str
    lines: Sequence[tuple[str, str, str, str]]  # a mark, names, what, how
    costs: str
    known: bool  # it stands in a family above


class Family(Record):
    """A candidate with its ancestors, the first ancestor first. `left_out` of them stand before that."""

    run: Run
    candidate: Finished
    steps: Sequence[Step]
    left_out: int


class Families:
    """Compiles each candidate once, and shows each step once."""

    def __init__(self) -> None:
        self.sides: dict[str, Side] = {}
        self.shown: set[str] = set()

    def of(self, found: Found) -> Family:
        """The family of a candidate. It begins with a step that was shown, where it meets one."""
        run, one = found
        chain = list(ancestors(run, one))
        known = next((at for at, member in enumerate(chain) if run.link(member) in self.shown), None)
        chain = chain[: known + 1] if known is not None else chain
        kept = chain[:MOST_STEPS]
        steps = [self._step(run, member, known=known is not None and at == known) for at, member in enumerate(kept)]
        self.shown.update(run.link(member) for member in kept)
        return Family(run, one, tuple(reversed(steps)), len(chain) - len(kept))

    def side(self, run: Run, one: Finished) -> Side:
        """A candidate, compiled."""
        key = f"{run.study.setup.digest} {one.digest}"
        if key not in self.sides:
            text = run.study.text(one)
            self.sides[key] = side(Source.from_text(text, f"candidate-{one.slot}.spine"))
        return self.sides[key]

    def _step(self, run: Run, one: Finished, *, known: bool) -> Step:
        origin = ORIGINS.get(one.origin, one.origin)
        parent = parent_of(run, one)
        if known or parent is None:
            return Step(one, run.link(one), origin, (), "", known)
        words = origin if parent_count(one) < 2 else f"{origin} of {' and '.join(map(str, one.parents))}"
        difference = compare(self.side(run, parent), self.side(run, one))
        lines = [
            (mark, names, what, how.replace(" -> ", " → ")) for mark, names, what, how in cells(difference.changes)
        ]
        return Step(one, run.link(one), words, lines or [("", "", "the same network", "")], _costs(difference), known)


def parent_count(one: Finished) -> int:
    """How many candidates one was made of."""
    return len(set(one.parents))


def parent_of(run: Run, one: Finished) -> Finished | None:
    """The first of those that a candidate was made of; None where it is the first of its family."""
    return run.study.settled.get(one.parents[0]) if one.parents else None


def ancestors(run: Run, one: Finished) -> Iterator[Finished]:
    """A candidate, what it was made of, and so on."""
    seen: set[int] = set()
    member: Finished | None = one
    while member is not None and member.slot not in seen:
        seen.add(member.slot)
        yield member
        member = parent_of(run, member)


def _costs(difference: Difference) -> str:
    """How many multiply-adds and parameters more or less."""
    old, new = difference.costs
    parts = [
        f"{'+' if now > was else '−'}{short(abs(now - was))} {name}"  # noqa: RUF001  a minus, as in the page's other numbers
        for name, was, now in (
            ("multiply-adds", old.multiply_adds, new.multiply_adds),
            ("parameters", old.parameters, new.parameters),
        )
        if was != now
    ]
    return ", ".join(parts)
