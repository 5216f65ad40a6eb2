"""The candidates of a space, for whoever searches: drawn, changed, crossed, costed and written.

    candidates = Candidates(space)
    one = candidates.sample(seed=0, number=17)             # the 17th of seed 0, whoever asks for it, and when
    near = candidates.mutate(one.genome, seed=0, number=18)
    both = candidates.crossover(one.genome, near.genome, seed=0, number=19)
    print(one.costs.multiply_adds, candidates.text(one))

All that is given is a candidate: its orphans are absorbed or dropped as the space says, each `keep` holds, and each row
compiles. What is drawn is thrown away until it is, and `NoCandidate` says so where too many are; `tally` counts it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from spinedsl import checks as say
from spinedsl.brief import brief
from spinedsl.diagnostics import Diagnostic
from spinedsl.diagnostics.plain import counted
from spinedsl.edit import Edits
from spinedsl.spaces import count, draw, written
from spinedsl.spaces.costing import Costing, Priced, Unfit
from spinedsl.spaces.decode import REASONS, Candidate, Excluded
from spinedsl.spaces.model import Genome, Keep, Space
from spinedsl.spaces.tally import Tally, figure, note_nearest

__all__ = ["MAX_TRIED", "Candidates", "Genome", "NoCandidate", "Priced", "Unfit", "figure"]

MAX_TRIED = 10_000  # decisions for one candidate
MOST_REFUSED = 200  # of which the compiler refused every one


class NoCandidate(Exception):
    """So many decisions were drawn, and none is a candidate. `diagnostic` says why, at the space."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Candidates:
    """What a search asks of a space. Whatever is drawn is a function of the space, the seed and the numbers given."""

    def __init__(self, space: Space, most_tried: int = MAX_TRIED) -> None:
        self.space = space
        self.costing = Costing(space)
        self.most_tried = most_tried
        self.tally = Tally()  # of all that was drawn

    def __repr__(self) -> str:
        """`<space Adjusted of R0SP53: 1,000 decisions>`."""
        return f"<space {self.space.name} of {self.space.network.name}: {counted(self.decisions, 'decision')}>"

    @property
    def decisions(self) -> int:
        """How many decisions there are, exactly."""
        return count.decisions(self.space)

    def sample(self, seed: int | str, number: int = 0) -> Priced:
        """The candidate of that number among those of a seed, each decision as likely as the others.

        Raises:
            NoCandidate: too many decisions were drawn in vain.
            Unfit: the compiler refuses a row of every one that is drawn.
        """
        return self._first(lambda random: draw.uniform(self.space, random), draw.generator(seed, "sample", number))

    def mutate(self, genome: Genome, seed: int | str, number: int = 0) -> Priced:
        """The genome with one decision made otherwise.

        Raises:
            NoCandidate: too many steps from it lead nowhere.
            Unfit: the compiler refuses a row of every one that is drawn.
        """
        self._see(genome)
        random = draw.generator(seed, "mutate", number)
        return self._first(lambda random: draw.mutated(self.space, genome, random), random)

    def crossover(self, one: Genome, other: Genome, seed: int | str, number: int = 0) -> Priced:
        """A candidate each of whose decisions is that of one of two.

        Raises:
            NoCandidate: too many of those are none.
            Unfit: the compiler refuses a row of every one that is drawn.
        """
        self._see(one)
        self._see(other)
        random = draw.generator(seed, "crossover", number)
        return self._first(lambda random: draw.crossed(self.space, one, other, random), random)

    def price(self, genome: Genome) -> Priced | Excluded:
        """A genome with its costs, within the bounds or not; or the block for which it is none.

        Raises:
            Unfit: the compiler refuses a row that the space allows.
        """
        self._see(genome)
        return self.costing.priced(genome)

    def text(self, candidate: Priced, name: str = "Candidate") -> str:
        """The candidate as a `.spine` file that stands by itself."""
        return written.text(self.space, self._rows(candidate), name)

    def edits(self, candidate: Priced) -> Edits:
        """What makes the candidate of the network that the space is of."""
        return written.edits(self.space, self._rows(candidate))

    def _see(self, genome: object) -> None:
        """That a genome is one of this space.

        Raises:
            TypeError: it is no genome. ValueError: it is one of another space.
        """
        if not isinstance(genome, Genome):
            hint = ": give its `genome`" if isinstance(genome, Priced) else ""
            raise TypeError(f"expected a genome; got {brief(genome)}{hint}")
        if not draw.fits(self.space, genome):
            raise ValueError(f"it is no genome of space `{self.space.name}`: {brief(genome)}")

    def _rows(self, candidate: object) -> Candidate:
        """The rows of a candidate of this space.

        Raises:
            TypeError: it is no candidate. ValueError: it is one of another space.
        """
        if not isinstance(candidate, Priced):
            hint = ": `price` makes one of it" if isinstance(candidate, Genome) else ""
            raise TypeError(f"expected a candidate, as `sample` gives it; got {brief(candidate)}{hint}")
        self._see(candidate.genome)
        return candidate.candidate

    def _first(self, drawn: Callable[[Random], Genome], random: Random) -> Priced:
        nearest: dict[Keep, int] = {}
        reasons: set[str] = set()
        unfit: Unfit | None = None
        refused = 0
        for _ in range(self.most_tried):
            priced = self.tally.price(self.costing, drawn(random))
            if isinstance(priced, Unfit):
                unfit, refused = unfit or priced, refused + 1
                if refused == MOST_REFUSED and not nearest:
                    break  # all of them: some are compiled as a whole, which takes long
            elif isinstance(priced, Excluded):
                reasons.add(priced.reason)
            elif priced.within:
                return priced
            else:
                note_nearest(self.space, priced, nearest)
        if unfit is not None and not nearest:
            raise unfit
        raise NoCandidate(self._none(nearest, reasons))

    def _none(self, nearest: dict[Keep, int], reasons: set[str]) -> Diagnostic:
        declared = self.space.declared
        lacking = [REASONS[reason][1] for reason in REASONS if reason in reasons]
        why = " or ".join(lacking) if not nearest else "no bound that is kept by any"
        found = say.NO_CANDIDATE.at(declared.name.span, tried=f"{self.most_tried:,}", name=self.space.name, why=why)
        for keep, value in nearest.items():
            found = found.with_notes(f"`keep {keep}`: the nearest has {value:,}")
        if nearest:
            return found.with_fix("widen the bounds")
        fixes = {
            "orphan": "let them be dropped: `orphans absorb else drop`",
            "stem": "leave a block that reads the stem, and one that reads that block, out of `parents`",
            "clash": "keep the levels of outputs apart",
        }
        return found.with_fix(next(fix for reason, fix in fixes.items() if reason in reasons))
