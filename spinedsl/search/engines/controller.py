"""A controller: a recurrent network that writes candidates decision by decision, and is trained by what came of them.

As the SpineNet article searches: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017. An
LSTM reads the choice before and gives the chances of the next; a choice that no genome can have has none. The
gradient is REINFORCE's, with a moving average of the rewards as baseline, and a bonus for the entropy of the choices.
Rewards are divided by how far they usually are from the baseline, so that no figure needs a scale.

It learns from whole batches: of slots that follow each other, once all of them are settled, in their order. So what
it proposes depends on settled slots alone, and not on the order in which they came. The article does not say its
hyper-parameters; these are ours. A sequence of choices is `steps_of`: orders, parents in ascending order, levels,
types; each genome has exactly one.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, TypeAlias

import torch

from spinedsl.record import Record
from spinedsl.search.engines.engine import Told
from spinedsl.search.records import Finished, Proposal
from spinedsl.spaces.candidates import Priced, Unfit
from spinedsl.spaces.decode import Excluded
from spinedsl.spaces.model import Genome, Space

BATCH = 10  # slots that are learned from at once
HIDDEN, RATE = 64, 0.01
ENTROPY = 0.01  # of the bonus, for each choice
DECAY = 0.9  # of the baseline
MOST_ADVANTAGE = 1000.0  # ten times what ten rewards can come to, but for those near the end of all numbers
LARGEST = sys.float_info.max
AT_ONCE, MOST_DRAWS = 4, 64  # candidates that are written together, and how often for one slot

Chosen: TypeAlias = "tuple[int, ...]"


class Step(Record):
    """One choice: of `count` options, those that fit the choices before; `kind` and `place` say what it is about."""

    kind: str
    place: int
    at: int  # within the place: which slot of an order, or which of several parents
    count: int


def steps_of(space: Space) -> tuple[Step, ...]:
    """The choices of a genome, in the order in which they are made. What has one option is no choice."""
    found = [
        Step("order", number, at, len(group))
        for number, group in enumerate(space.groups)
        for at in range(len(group) - 1)
    ]
    for slot, block in enumerate(space.blocks):
        if block.window is not None and len(block.window.pool(slot)) > block.window.count:
            found += [Step("parents", slot, at, len(block.window.pool(slot))) for at in range(block.window.count)]
    for what in ("levels", "types"):
        found += [
            Step(what, number, 0, len(getattr(block, what)))
            for number, block in enumerate(space.blocks)
            if len(getattr(block, what)) > 1
        ]
    return tuple(found)


def allowed(space: Space, step: Step, before: Sequence[int]) -> list[bool]:
    """Which options a step has after the earlier choices of its own place."""
    if step.kind == "order":
        return [option not in before for option in range(step.count)]
    if step.kind == "parents":
        window = space.blocks[step.place].window
        assert window is not None
        least = before[-1] + 1 if before else 0
        return [least <= option <= step.count - (window.count - step.at) for option in range(step.count)]
    return [True] * step.count


def choices_of(space: Space, genome: Genome) -> Chosen:
    """The choices that give a genome."""
    return tuple(_choice(space, step, genome) for step in steps_of(space))


def _choice(space: Space, step: Step, genome: Genome) -> int:
    if step.kind == "order":
        return space.groups[step.place].index(genome.orders[step.place][step.at])
    if step.kind == "parents":
        window = space.blocks[step.place].window
        assert window is not None
        return window.pool(step.place).index(genome.parents[step.place][step.at])
    return (genome.levels if step.kind == "levels" else genome.types)[step.place]


def genome_of(space: Space, chosen: Chosen) -> Genome:
    """The genome that choices give."""
    by_place: dict[tuple[str, int], list[int]] = {}
    for step, choice in zip(steps_of(space), chosen, strict=True):
        by_place.setdefault((step.kind, step.place), []).append(choice)
    return Genome(
        tuple([_order(group, by_place.get(("order", at), [])) for at, group in enumerate(space.groups)]),
        tuple([_parents(space, slot, by_place.get(("parents", slot))) for slot in range(len(space.blocks))]),
        tuple([by_place.get(("levels", at), [0])[0] for at in range(len(space.blocks))]),
        tuple([by_place.get(("types", at), [0])[0] for at in range(len(space.blocks))]),
    )


def _order(group: tuple[int, ...], choices: Sequence[int]) -> tuple[int, ...]:
    first = [group[choice] for choice in choices]
    return (*first, *(block for block in group if block not in first))


def _parents(space: Space, slot: int, choices: Sequence[int] | None) -> tuple[int, ...]:
    window = space.blocks[slot].window
    if window is None:
        return ()
    pool = window.pool(slot)
    return tuple(pool) if choices is None else tuple(pool[choice] for choice in choices)


class Network(torch.nn.Module):
    """Gives the logits of each step: an LSTM over the choices, with an embedding of what each step is about."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self.widest = max(step.count for step in steps)
        self.about = torch.nn.Embedding(len(steps), HIDDEN)
        self.choice = torch.nn.Embedding(self.widest + 1, HIDDEN)  # the last one: nothing was chosen yet
        self.cell = torch.nn.LSTMCell(HIDDEN, HIDDEN)
        self.logits = torch.nn.Linear(HIDDEN, self.widest)
        self.usual = torch.nn.Embedding(len(steps), self.widest)  # what a step prefers, whatever came before
        torch.nn.init.zeros_(self.usual.weight)

    def first(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The state before the first of so many sequences."""
        return torch.zeros(count, HIDDEN), torch.zeros(count, HIDDEN)

    def forward(
        self, step: int, before: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Logits of shape (sequences, options) for a step, and the state after it."""
        at = torch.tensor(step)
        hidden, memory = self.cell(self.choice(before) + self.about(at), state)
        return self.logits(hidden) + self.usual(at), (hidden, memory)


class Controller(Told):
    """The network after all whole batches, and the slots that are settled since."""

    batch = BATCH

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.space = self.candidates.space
        self.steps = steps_of(self.space)
        self.waiting: dict[int, Finished] = {}
        self.learned = 0  # slots that were learned from
        self.baseline: float | None = None
        self.spread = 0.0
        if self.steps:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(_number(self.seed, "network"))
                self.network = Network(self.steps)
            self.optimizer = torch.optim.Adam(self.network.parameters(), RATE)

    def tell(self, trial: Finished) -> None:
        """Note one; learn where that makes a batch whole."""
        super().tell(trial)
        self.waiting[trial.slot] = trial
        while self.steps and all(slot in self.waiting for slot in self._next()):
            self._learn([self.waiting.pop(slot) for slot in self._next()])
            self.learned += self.batch

    def _next(self) -> range:
        return range(self.learned, self.learned + self.batch)

    def ask(self, slot: int) -> Proposal:
        """A candidate that the network writes; one at random where it writes none within the bounds."""
        if not self.steps:
            return self.sample(slot)
        again: Priced | None = None
        for genome in self._written(slot):
            try:
                priced = self.candidates.price(genome)
            except Unfit:
                continue
            if isinstance(priced, Excluded) or not priced.within:
                continue
            if genome not in self.tried:
                return Proposal(priced, "controller")
            again = again or priced
        return Proposal(again, "controller") if again is not None else self.sample(slot)

    def _written(self, slot: int) -> Iterator[Genome]:
        """Genomes by the network, as many as are looked at."""
        generator = torch.Generator().manual_seed(_number(self.seed, "write", slot))
        for _ in range(MOST_DRAWS):
            with torch.no_grad():
                chosen = self._run(AT_ONCE, None, generator)[0]
            for row in chosen.tolist():
                yield genome_of(self.space, tuple(row))

    def _run(
        self, count: int, given: torch.Tensor | None, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Choices of shape (sequences, steps), given or drawn; the log of their chance, and the entropy, of each."""
        before = torch.full((count,), self.network.widest)
        state = self.network.first(count)
        chances, entropies, chosen = torch.zeros(count), torch.zeros(count), []
        history: list[list[int]] = [[] for _ in range(count)]
        for number, step in enumerate(self.steps):
            if step.at == 0:
                history = [[] for _ in range(count)]
            logits, state = self.network(number, before, state)
            fits = torch.tensor([allowed(self.space, step, one) for one in history])
            log_chances = torch.log_softmax(logits[:, : step.count].masked_fill(~fits, -torch.inf), 1)
            if given is None:
                before = torch.multinomial(log_chances.exp(), 1, generator=generator)[:, 0]
            else:
                before = given[:, number]
            chosen.append(before)
            for one, choice in zip(history, before.tolist(), strict=True):
                one.append(choice)
            chances = chances + log_chances.gather(1, before[:, None])[:, 0]
            entropies = entropies - (log_chances.exp() * log_chances.masked_fill(~fits, 0)).sum(1)
        return torch.stack(chosen, 1), chances, entropies

    def _learn(self, trials: Sequence[Finished]) -> None:
        """One step of the gradient. What failed counts as the worst of its batch."""
        values = [self.scores(one)[0] for one in trials if one.values is not None]
        if not values:
            return
        worst = min(values)
        rewards = [worst if one.values is None else self.scores(one)[0] for one in trials]
        mean = _mean(rewards)
        if self.baseline is None:
            self.baseline = mean
        beyond = [_within(reward - self.baseline, LARGEST) for reward in rewards]
        spread = _mean([abs(one) for one in beyond])
        self.spread = spread if not self.spread else DECAY * self.spread + (1 - DECAY) * spread
        advantages = [_within(one / (self.spread or 1.0), MOST_ADVANTAGE) for one in beyond]
        self.baseline = DECAY * self.baseline + (1 - DECAY) * mean
        given = torch.tensor([choices_of(self.space, one.genome) for one in trials])
        _, chances, entropies = self._run(len(trials), given)
        loss = -(torch.tensor(advantages) * chances).mean() - ENTROPY * entropies.mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()


def _mean(values: Sequence[float]) -> float:
    """The mean, of numbers too whose sum is larger than any."""
    total = sum(values)
    return total / len(values) if isfinite(total) else _within(sum(value / len(values) for value in values), LARGEST)


def _within(value: float, most: float) -> float:
    return max(-most, min(most, value))


def _number(*parts: object) -> int:
    """A seed for PyTorch, of several parts."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:8], "big") >> 1
