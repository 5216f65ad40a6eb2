"""Regularised evolution: of the youngest candidates a few are drawn, and the best of these is changed.

Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019: a population of 100, of which
25 are drawn. The oldest leave, however good they are, so that what was lucky once does not stay.
"""

from __future__ import annotations

from bisect import insort
from typing import Any

from spinedsl.search.engines.engine import Told
from spinedsl.search.records import Finished, Proposal
from spinedsl.spaces.draw import generator

POPULATION, TOURNAMENT = 100, 25  # the article's
FIRST = 20  # drawn at random; the population grows from these


class Evolution(Told):
    """The population are the settled slots of the highest numbers."""

    population, tournament = POPULATION, TOURNAMENT

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.settled: list[Finished] = []

    def tell(self, trial: Finished) -> None:
        """Add one to the population, if it is young enough."""
        super().tell(trial)
        insort(self.settled, trial, key=lambda one: one.slot)
        del self.settled[: -self.population]

    def ask(self, slot: int) -> Proposal:
        """One drawn at random at first; then the best of a few, changed once."""
        if slot < FIRST or not self.settled:
            return self.sample(slot)
        random = generator(self.seed, "tournament", slot)
        drawn = random.sample(self.settled, min(self.tournament, len(self.settled)))
        return self.mutated(max(drawn, key=lambda one: (self.scores(one), one.slot)), slot)
