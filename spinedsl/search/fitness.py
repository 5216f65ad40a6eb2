"""Fitness: from a candidate to the values of the objectives.

Closed-form figures (`figures`), a short training (`trained`), a command that reads a `.spine` file and prints a number,
or a Python callable: whatever is measured, it is one function from a `Measured` to as many numbers as there are
objectives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeAlias

from spinedsl import checks as say
from spinedsl.analysis.costs import Costs
from spinedsl.brief import brief
from spinedsl.diagnostics import nearest
from spinedsl.search.commands import Failed, measure
from spinedsl.search.figures import WANTED, figure
from spinedsl.search.records import DIRECTIONS, Objective
from spinedsl.source import Source
from spinedsl.spaces.candidates import Candidates, Priced
from spinedsl.spaces.model import Genome

COMMAND, CALLABLE, TRAINED = "command", "callable", "trained"  # names of objectives that are no figure
MEASURED = frozenset({*WANTED, COMMAND, CALLABLE, TRAINED})
WAYS = {"max": "maximize", "min": "minimize", "maximize": "maximize", "minimize": "minimize"}


Reported: TypeAlias = Callable[[int, float, bool], None]  # steps, value, and whether it may be given up


class Measured:
    """A candidate as a fitness sees it: its text, costs and decisions, and which of the search it is."""

    def __init__(
        self, candidates: Candidates, priced: Priced, slot: int, reported: Reported = lambda step, value, prune: None
    ) -> None:
        self._candidates, self._priced, self.slot = candidates, priced, slot
        self._reported = reported

    @cached_property
    def text(self) -> str:
        """A `.spine` file with the candidate as its only network."""
        return self._candidates.text(self._priced)

    def report(self, step: int, value: float, *, prune: bool = True) -> None:
        """Say what a training has reached after so many steps: the study keeps it.

        It ends here, by an exception of Optuna's that has to go through, where successive halving gives the candidate
        up; never without `prune`, as at the last step.
        """
        self._reported(step, float(value), prune)

    @property
    def costs(self) -> Costs:
        """Parameters and multiply-adds."""
        return self._priced.costs

    @property
    def genome(self) -> Genome:
        """The decisions."""
        return self._priced.genome

    @property
    def priced(self) -> Priced:
        """What `spinedsl.spaces` knows of it."""
        return self._priced


Fitness: TypeAlias = Callable[[Measured], Sequence[float]]
Callable_: TypeAlias = Callable[[Measured], "float | Sequence[float]"]


def objective(text: str) -> Objective:
    """`depth`, `parameters:max`: what is measured, and which way is better.

    Raises:
        ValueError: nothing of that name is measured, or there is no such way.
    """
    if not isinstance(text, str):
        raise TypeError(f"expected the name of a figure, as `depth`; got {brief(text)}: one callable gives all numbers")
    name, _, way = text.partition(":")
    known = [*WANTED, COMMAND, TRAINED]
    if name not in known:
        near = nearest(name, known)
        hint = f"did you mean `{near}`?" if near else f"there is {', '.join(known)}"
        raise ValueError(f"there is no fitness `{name}`: {hint}")
    if way and way not in WAYS:
        raise ValueError(f"`{text}` says neither `max` nor `min` after the colon, as in `{name}:max`")
    if name == TRAINED and WAYS.get(way, DIRECTIONS[0]) != DIRECTIONS[0]:
        raise ValueError(f"`{text}`: more is better of what a training gives: leave out `:{way}`")
    return Objective(name, WAYS[way] if way else WANTED.get(name, DIRECTIONS[0]))


def of_figures(
    objectives: Sequence[Objective],
    candidates: Candidates,
    command: str | None,
    train: Callable[[Measured], float] | None = None,
) -> Fitness:
    """What measures figures; by a command, or by a training, where an objective is one."""
    measures: list[Callable[[Measured], float]] = []
    for one in objectives:
        if one.name == COMMAND:
            assert command is not None
            measures.append(_by_command(command))
        elif one.name == TRAINED:
            assert train is not None
            measures.append(train)
        else:
            measures.append(_by_figure(one.name, candidates))
    return lambda measured: [measure(measured) for measure in measures]


def _by_command(command: str) -> Callable[[Measured], float]:
    return lambda measured: measure(command, measured.text, measured.slot)


def _by_figure(name: str, candidates: Candidates) -> Callable[[Measured], float]:
    computed = figure(name, candidates)
    return lambda measured: computed(measured.priced)


def of_callable(function: Callable_, count: int) -> Fitness:
    """What measures by a Python callable, which gives a number, or as many as there are objectives."""

    def fitness(measured: Measured) -> Sequence[float]:
        given = function(measured)
        values = [given] if count == 1 and not isinstance(given, Sequence) else given
        try:
            found = [float(value) for value in values]  # type: ignore[union-attr]
        except (TypeError, ValueError, OverflowError):
            found = []
        if len(found) != count or not all(map(math.isfinite, found)):
            name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', brief(function))}"
            wrong = say.NO_NUMBER.at(Source(name, name).span(0, len(name)), got=f"the callable returned {brief(given)}")
            raise Failed(wrong.with_fix(f"return {'a number' if count == 1 else f'{count} numbers'}"))
        return found

    return fitness
