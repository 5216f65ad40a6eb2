"""What engines have in common: the interface, and what is known of the candidates that were tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from spinedsl.search.records import Finished, Objective, Proposal
from spinedsl.spaces.candidates import Candidates, NoCandidate, Priced, Unfit
from spinedsl.spaces.model import Genome

MOST_AGAIN = 20  # draws that are thrown away because they were tried already
Change: TypeAlias = Callable[[Finished, int], "Proposal | None"]  # of a candidate, for a slot; None where it gives up


class Engine(Protocol):
    """Proposes candidates. `tell` may be called in any order, once for each settled slot; `ask` changes nothing."""

    def tell(self, trial: Finished) -> None:
        """Learn what came of a candidate."""

    def ask(self, slot: int) -> Proposal:
        """A candidate for a slot.

        Raises:
            NoCandidate: the bounds of the space leave next to nothing.
            Unfit: the compiler refuses every one that is drawn.
        """


class Told:
    """What every engine keeps: the candidates that were tried, by genome, and which objectives count."""

    def __init__(
        self, candidates: Candidates, seed: int, objectives: tuple[Objective, ...], change: Change | None = None
    ) -> None:
        self.candidates = candidates
        self.seed = seed
        self.signs = tuple(1.0 if one.direction == "maximize" else -1.0 for one in objectives)
        self.change = change
        self.tried: set[Genome] = set()

    def tell(self, trial: Finished) -> None:
        """Note that a candidate was tried."""
        self.tried.add(trial.genome)

    def scores(self, trial: Finished) -> tuple[float, ...]:
        """The values so that more is better; of one that failed, less than any."""
        if trial.values is None:
            return (float("-inf"),) * len(self.signs)
        return tuple([sign * value for sign, value in zip(self.signs, trial.values, strict=True)])

    # ---- what engines propose ----

    def sample(self, slot: int) -> Proposal:
        """A candidate drawn at random."""
        return Proposal(self.untried(lambda seed: self.candidates.sample(seed, slot)), "sample")

    def mutated(self, parent: Finished, slot: int, steps: int = 1) -> Proposal:
        """A candidate with so many decisions made otherwise, or what the outside command makes of it."""
        if self.change is not None and (found := self.change(parent, slot)) is not None:
            return found

        def change(seed: str) -> Priced:
            genome = parent.genome
            for step in range(steps - 1):
                genome = self.candidates.mutate(genome, f"{seed}/step{step}", slot).genome
            return self.candidates.mutate(genome, seed, slot)

        try:
            return Proposal(self.untried(change), "mutate", (parent.slot,))
        except (NoCandidate, Unfit):  # nothing next to it is one, as where two levels have to change at once
            return self.sample(slot)

    def untried(self, drawn: Callable[[str], Priced]) -> Priced:
        """What is drawn by the first seed that gives something new; by the last one where none does."""
        found = drawn(f"{self.seed}")
        for again in range(1, MOST_AGAIN):
            if found.genome not in self.tried:
                break
            found = drawn(f"{self.seed}/again{again}")
        return found
