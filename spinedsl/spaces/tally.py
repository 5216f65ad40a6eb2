"""Tally: what becomes of decisions. Each is a candidate, or none for one of five reasons.

In: genomes, one by one. Out: how many of them are candidates, how many are none for which reason, and the compiler's
first mistake where it refuses some.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic
from spinedsl.spaces.costing import Costing, Priced, Unfit
from spinedsl.spaces.decode import Excluded
from spinedsl.spaces.model import Genome, Keep, Space

BOUND, UNFIT = "bound", "unfit"
WORDS = {
    "orphan": "leave a block unread that is excluded",
    "clash": "have two outputs at one level",
    "stem": "leave a stem unread",
    BOUND: "break a bound",
    UNFIT: "do not compile",
}  # the reasons, and what such decisions do


def figure(priced: Priced, name: str) -> int | None:
    """The value of a figure that a `keep` may bound; None where it was not asked for."""
    if name == "memory":
        return priced.memory
    return priced.costs.multiply_adds if name == "multiply_adds" else priced.costs.parameters


def note_nearest(space: Space, priced: Priced, nearest: dict[Keep, int]) -> None:
    """Remember how near the bounds that a candidate breaks the nearest came."""
    for keep in space.keeps:
        value = figure(priced, keep.figure)
        if value is not None and not keep.holds(value):
            before = nearest.get(keep, value)
            nearest[keep] = min(before, value) if keep.operator in ("<", "<=") else max(before, value)


class Tally:
    """Decisions that were looked at. `others` has those that are no candidate, by the reasons of `WORDS`."""

    def __init__(self) -> None:
        self.candidates = 0
        self.others = dict.fromkeys(WORDS, 0)
        self.unfit: Unfit | None = None  # the first that the compiler refuses
        self.nearest: dict[Keep, int] = {}  # for each bound that some break, how near the nearest of them comes

    @property
    def tried(self) -> int:
        """All that were looked at."""
        return self.candidates + sum(self.others.values())

    def price(self, costing: Costing, genome: Genome) -> Priced | Excluded | Unfit:
        """What a genome is, noted; it is a candidate where it is `Priced` and `within`."""
        try:
            priced = costing.priced(genome)
        except Unfit as unfit:
            self.unfit = self.unfit or unfit
            self.others[UNFIT] += 1
            return unfit
        if isinstance(priced, Excluded):
            self.others[priced.reason] += 1
        elif priced.within:
            self.candidates += 1
        else:
            self.others[BOUND] += 1
            note_nearest(costing.space, priced, self.nearest)
        return priced

    @property
    def mistake(self) -> Diagnostic | None:
        """The compiler's mistake about the first that it refuses."""
        return self.unfit.found if self.unfit is not None else None

    def refuse(self) -> None:
        """The mistake is the space's own: none of what keeps its bounds compiles.

        Raises:
            Unfit: the first that there was.
        """
        if self.unfit is not None and not self.candidates and not self.others[BOUND]:
            raise self.unfit

    def words(self) -> Iterator[str]:
        """`12 break a bound`, for each reason that some have."""
        for reason, number in self.others.items():
            if number:
                yield f"{number:,} {WORDS[reason]}"
