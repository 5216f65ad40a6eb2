"""Local search: the smallest change of the best candidate so far.

White et al., "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021. It begins with a few drawn at
random. Where the changes of one decision have mostly been tried, two are made, then three, so that it does not end
where no neighbour is better.
"""

from __future__ import annotations

from spinedsl.search.engines.engine import Told
from spinedsl.search.records import Finished, Proposal

FIRST = 10  # drawn at random
MOST_STEPS = 4


class Local(Told):
    """The incumbent is the best settled slot; of equal ones the last, so that it moves on a plateau."""

    best: Finished | None = None

    def tell(self, trial: Finished) -> None:
        """See whether it is the best."""
        super().tell(trial)
        if trial.values is None:
            return
        if self.best is None or (self.scores(trial), trial.slot) > (self.scores(self.best), self.best.slot):
            self.best = trial

    def ask(self, slot: int) -> Proposal:
        """The incumbent with the fewest changes that are new."""
        if slot < FIRST or self.best is None:
            return self.sample(slot)
        for steps in range(1, MOST_STEPS):
            found = self.mutated(self.best, slot, steps)
            if found.priced.genome not in self.tried:
                return found
        return self.mutated(self.best, slot, MOST_STEPS)
