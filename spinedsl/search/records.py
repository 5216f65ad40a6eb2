"""What a study keeps: the format that workers, reports and whoever reads the database agree on.

A study of Optuna has one user attribute, `spine`: the `Setup`, as JSON.

    format      1
    space       name of the space; `digest` tells it from others, whatever the file is called (`digest_of`)
    sources     every file that is needed to open the space, by its path from their common folder; `entry` is the first
    engine      name of the engine (`engines.ENGINES`)
    seed        of all that is drawn
    budget      how many candidates are evaluated; it may grow later
    objectives  what is measured, in the order of the values: [name, "maximize" or "minimize"]
    command     of `--fitness-command`, or null; a Python callable stands as `callable MODULE.NAME`
    mutator     of `--mutate-with`, or null
    version     of spine, by which it was begun
    training    of what `--train` names, or null: {"settings", "data"}, as `Training` has them
    halving     [first, factor] of successive halving, or null: candidates are compared after `first` steps of training,
                then after `factor` times as many, and so on, and one of `factor` goes on

A *slot* is one of the candidates that the budget pays for, numbered from 0. A trial of Optuna is one attempt at a slot.
Its user attributes:

    spine       the `Proposal`, written before anything is measured:
                  genome   the decisions: {"orders", "parents", "levels", "types"}, as `spaces.model.Genome` has them
                  digest   of the candidate's rows: equal for candidates whose texts are equal
                  origin   how it came about: sample, mutate, crossover, controller or command
                  parents  slots of the candidates that it was made of; the first is the one to compare it with
                  costs    {"parameters", "multiply_adds"}, and "memory" where the space bounds it
    retry       [slot, attempt, number], only of trials that repeat the trial of that number, whose worker died; others
                are the first attempt at the next slot, so that slots follow from the numbers of trials (`ledger`)
    failed      why its evaluation gave no value: such a slot is paid for, and not tried again
    stopped     true where its worker was stopped in the middle, by a person or a mistake
    curve       [step, value] for each time that a training was looked at in the middle, and at its end

The values of a trial are those of the objectives. A trial that is COMPLETE counts; so does one that is PRUNED, with the
value that it had reached. One that is FAIL and has no `failed` was lost with its worker, or was not evaluated at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from spinedsl.brief import brief
from spinedsl.record import Record, asdict, field
from spinedsl.spaces import written
from spinedsl.spaces.costing import Priced
from spinedsl.spaces.model import Genome, Space, shortened

FORMAT = 1
ATTRIBUTE, RETRY, FAILED, STOPPED, CURVE = "spine", "retry", "failed", "stopped", "curve"  # user attributes
DAMAGED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)  # raised by what is kept
DIRECTIONS = ("maximize", "minimize")  # as Optuna spells them


class Objective(Record):
    """Something that is measured, and whether more of it is better."""

    name: str
    direction: str

    def __str__(self) -> str:
        return f"{self.name}:{self.direction[:3]}"


class Training(Record):
    """How candidates are trained: what all workers have to agree on.

    `settings` are those of the configuration by section, but for what belongs to a machine: paths, devices, threads.
    `data` has a digest of what each path leads to, so that workers see that they have the same images.
    """

    settings: Mapping[str, Any]
    data: Mapping[str, str]

    def parts(self) -> dict[str, str]:
        """Each setting by its dotted name, and each digest, as messages show them."""
        found: dict[str, str] = {}
        for section, values in self.settings.items():
            named = values.items() if isinstance(values, Mapping) else [("", values)]
            for name, value in named:
                found[f"{section}.{name}".rstrip(".")] = json.dumps(value, sort_keys=True)
        return found | {f"digest of {name}": value for name, value in self.data.items()}


class Setup(Record):
    """What is searched, and how."""

    space: str
    digest: str
    sources: Mapping[str, str] = field(repr=False)
    entry: str
    engine: str
    seed: int
    budget: int
    objectives: tuple[Objective, ...]
    command: str | None = None
    mutator: str | None = None
    version: str = ""
    training: Training | None = None
    halving: tuple[int, int] | None = None

    @property
    def directions(self) -> list[Literal["minimize", "maximize"]]:
        """Of each objective, as Optuna takes them."""
        return ["maximize" if one.direction == "maximize" else "minimize" for one in self.objectives]

    def to_json(self) -> dict[str, Any]:
        """As the study keeps it."""
        return {
            "format": FORMAT, "space": self.space, "digest": self.digest, "sources": dict(self.sources),
            "entry": self.entry, "engine": self.engine, "seed": self.seed, "budget": self.budget,
            "objectives": [[one.name, one.direction] for one in self.objectives],
            "command": self.command, "mutator": self.mutator, "version": self.version,
            "training": None if self.training is None else asdict(self.training),
            "halving": None if self.halving is None else list(self.halving),
        }  # fmt: skip

    @staticmethod
    def from_json(kept: Mapping[str, Any]) -> Setup:
        """What was kept.

        Raises:
            ValueError: it is none, or of another format.
        """
        try:
            if kept["format"] != FORMAT:
                found = None
            else:
                training, halving = kept.get("training"), kept.get("halving")
                sources = {name: _text(text) for name, text in kept["sources"].items()}
                found = Setup(
                    str(kept["space"]), str(kept["digest"]), sources,
                    str(kept["entry"]), str(kept["engine"]), int(kept["seed"]), int(kept["budget"]),
                    tuple(Objective(_text(name), _text(direction)) for name, direction in kept["objectives"]),
                    _text(kept["command"], None), _text(kept["mutator"], None), str(kept.get("version", "")),
                    None if training is None else Training(dict(training["settings"]), dict(training["data"])),
                    None if halving is None else (int(halving[0]), int(halving[1])),
                )  # fmt: skip
        except DAMAGED as error:
            raise ValueError(f"what it says of the search is damaged: {error}") from None
        if found is None:
            raise ValueError(f"its format is {kept['format']}, and this version reads {FORMAT}")
        return found


def _text(kept: object, *others: object) -> Any:
    """What has to be a text, or one of others.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(kept, str) and kept not in others:
        raise TypeError(f"expected a text, got {brief(kept)}")
    return kept


class Proposal(Record):
    """A candidate to be measured, and where it came from."""

    priced: Priced
    origin: str
    parents: tuple[int, ...] = ()

    def to_json(self, space: Space) -> dict[str, Any]:
        """As a trial keeps it."""
        costs: dict[str, int] = {
            "parameters": self.priced.costs.parameters,
            "multiply_adds": self.priced.costs.multiply_adds,
        }
        if self.priced.memory is not None:
            costs["memory"] = self.priced.memory
        return {
            "genome": genome_to_json(self.priced.genome), "digest": digest_of_rows(space, self.priced),
            "origin": self.origin, "parents": list(self.parents), "costs": costs,
        }  # fmt: skip


class Finished(Record):
    """A slot that is settled. `values` are those of the objectives; None where the evaluation failed, see `why`.

    One that was `pruned` was given up in the middle of its training, with the value that it had reached. `curve` has
    the value after each number of steps that it was looked at.
    """

    slot: int
    genome: Genome
    values: tuple[float, ...] | None
    digest: str
    origin: str
    parents: tuple[int, ...]
    costs: Mapping[str, int]
    why: str = ""
    pruned: bool = False
    curve: Mapping[int, float] = {}


def finished(
    slot: int,
    kept: Mapping[str, Any],
    values: tuple[float, ...] | None,
    why: str = "",
    *,
    pruned: bool = False,
    curve: Iterable[Sequence[float]] = (),
) -> Finished:
    """What a trial that is settled says of its slot.

    Raises:
        KeyError, TypeError, ValueError: something is missing, or is not what it should be; others of `DAMAGED` too.
    """
    parents = _whole(kept["parents"])
    if not all(0 <= one < slot for one in parents):
        raise ValueError(f"its parents are {brief(parents)}")
    costs = dict(kept["costs"])
    if not all(isinstance(costs[name], int) for name in ("parameters", "multiply_adds")):
        raise ValueError(f"its costs are {brief(costs)}")
    return Finished(
        slot, genome_from_json(kept["genome"]), values, _text(kept["digest"]), _text(kept["origin"]), parents,
        costs, why, pruned, {int(step): float(value) for step, value in curve},
    )  # fmt: skip


def genome_to_json(genome: Genome) -> dict[str, Any]:
    """The decisions as lists."""
    return {
        "orders": [list(order) for order in genome.orders],
        "parents": [list(parents) for parents in genome.parents],
        "levels": list(genome.levels),
        "types": list(genome.types),
    }


def genome_from_json(kept: Mapping[str, Any]) -> Genome:
    """The decisions again.

    Raises:
        KeyError, TypeError: some are missing, or are no whole numbers.
    """
    return Genome(
        tuple([_whole(order) for order in kept["orders"]]),
        tuple([_whole(parents) for parents in kept["parents"]]),
        _whole(kept["levels"]),
        _whole(kept["types"]),
    )


def _whole(kept: Iterable[object]) -> tuple[int, ...]:
    """Whole numbers.

    Raises:
        TypeError: some are none.
    """
    found = tuple(one for one in kept if type(one) is int)
    if len(found) != len(list(kept)):
        raise TypeError(f"expected whole numbers, got {brief(kept)}")
    return found


def digest_of_rows(space: Space, priced: Priced) -> str:
    """What tells candidates of a space apart by their texts, without formatting those."""
    return hashlib.sha256(written.rows(space, priced.candidate).encode()).hexdigest()[:16]


def digest_of(space: Space, *, exact: bool = True) -> str:
    """What tells a space from others: all that its candidates, and which of them there are, depend on.

    Not `exact` are the digests of studies that were begun when bounds were read to six digits.
    """
    blocks = [
        [
            block.name, block.levels, [use.span.text for use in block.types],
            None if block.window is None else [block.window.count, block.window.last],
            block.reads, block.absorbs, block.direct,
        ]
        for block in space.blocks
    ]  # fmt: skip
    bounds = [f"{keep.figure} {keep.operator} {shortened(keep.bound, exact=exact)}" for keep in space.keeps]
    parts = [
        space.name, blocks, space.groups, sorted(space.ends.items()), space.fates, bounds,
        written.definitions(space), written.frame(space),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
