"""NSGA-II: several objectives at once. Parents are those of the best fronts, where these are least crowded.

Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", IEEE TEC 2002. A generation is `POPULATION`
slots that follow each other. The elite after it are the best of it and of the elite before; it is known once all of its
slots are settled, and until then the one before it is drawn from. So nobody waits, and what is drawn from depends on
settled slots alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from random import Random
from typing import Any

from spinedsl.search.engines.engine import Told
from spinedsl.search.pareto import fronts
from spinedsl.search.records import Finished, Proposal
from spinedsl.spaces.candidates import NoCandidate, Unfit
from spinedsl.spaces.draw import generator

POPULATION = 50
CROSSED = 0.9  # of the candidates, as in the article; the others are changed once


class Nsga2(Told):
    """Keeps the elite of the last generation that is whole, and what is settled since."""

    population = POPULATION

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.elite: list[tuple[int, float, Finished]] = []  # with the front and how far its neighbours are
        self.generations: dict[int, list[Finished]] = {}
        self.whole = 0  # generations that the elite is of

    def tell(self, trial: Finished) -> None:
        """Note one; choose a new elite where that makes a generation whole."""
        super().tell(trial)
        self.generations.setdefault(trial.slot // self.population, []).append(trial)
        while len(self.generations.get(self.whole, ())) == self.population:
            told = self.generations.pop(self.whole)
            everyone = [one for _, _, one in self.elite] + [one for one in told if one.values is not None]
            self.elite = self.ranked(sorted(everyone, key=lambda one: one.slot))[: self.population]
            self.whole += 1

    def ranked(self, trials: Sequence[Finished]) -> list[tuple[int, float, Finished]]:
        """The best first: by front, then by how far the neighbours in it are."""
        scores = [self.scores(trial) for trial in trials]
        found: list[tuple[int, float, Finished]] = []
        for rank, front in enumerate(fronts(scores)):
            apart = crowding([scores[at] for at in front])
            inside = sorted(zip(front, apart, strict=True), key=lambda pair: (-pair[1], trials[pair[0]].slot))
            found += [(rank, distance, trials[at]) for at, distance in inside]
        return found

    def ask(self, slot: int) -> Proposal:
        """A child of two of the elite; or one of these changed; drawn at random before there is an elite."""
        if not self.elite:
            return self.sample(slot)
        random = generator(self.seed, "parents", slot)
        one, other = self._parent(random), self._parent(random)
        if self.change is None and one.slot != other.slot and random.random() < CROSSED:
            with suppress(NoCandidate, Unfit):  # nothing between the two may be one
                crossed = self.untried(lambda seed: self.candidates.crossover(one.genome, other.genome, seed, slot))
                if crossed.genome not in (one.genome, other.genome) and crossed.genome not in self.tried:
                    return Proposal(crossed, "crossover", (one.slot, other.slot))
        return self.mutated(one, slot)

    def _parent(self, random: Random) -> Finished:
        """The better of two."""
        first, second = (random.randrange(len(self.elite)) for _ in range(2))
        return self.elite[min(first, second)][2]


def crowding(scores: Sequence[tuple[float, ...]]) -> list[float]:
    """How far the neighbours of each are, summed over the objectives as shares of their ranges; ends are infinite."""
    found = [0.0] * len(scores)
    for objective in range(len(scores[0])):
        order = sorted(range(len(scores)), key=lambda at: scores[at][objective])
        low, high = scores[order[0]][objective], scores[order[-1]][objective]
        found[order[0]] = found[order[-1]] = float("inf")
        if high > low:
            part = 1.0 if isfinite(high - low) else 0.5
            for before, at, after in zip(order, order[1:], order[2:], strict=False):
                above, below = scores[after][objective], scores[before][objective]
                found[at] += (above * part - below * part) / (high * part - low * part)
    return found
