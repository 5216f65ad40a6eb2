"""Run a search from a Python program, or open one that was run."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spinedsl import __version__
from spinedsl.brief import brief
from spinedsl.diagnostics import nearest
from spinedsl.diagnostics.plain import one_line
from spinedsl.extras import SEARCH, TRAIN, require
from spinedsl.given import whole
from spinedsl.search.commands import FITNESS, MUTATE, changing, words_of
from spinedsl.search.engines import CHANGING, ENGINES, PACKAGES, SEVERAL, make
from spinedsl.search.fitness import (
    CALLABLE,
    COMMAND,
    TRAINED,
    WAYS,
    Callable_,
    Fitness,
    objective,
    of_callable,
    of_figures,
)
from spinedsl.search.opening import open_space
from spinedsl.search.outage import WAIT, Outage, insist
from spinedsl.search.records import Finished, Objective, Setup, Training, digest_of
from spinedsl.search.storage import GRACE
from spinedsl.search.study import Study, create, find, in_memory, see_same_training, sources_of
from spinedsl.search.worker import Worker
from spinedsl.source import Source
from spinedsl.spaces.candidates import Candidates

if TYPE_CHECKING:
    from spinedsl.search.trained import Changes, Trainer
    from spinedsl.training.config import Given

Halving: TypeAlias = tuple[int, int]  # the steps before the first comparison, and of how many candidates one goes on
NOT_ASKED = "`fitness_command` measures the figure `command`, which is not among what is measured"


def by_warning(text: str) -> None:
    """Say what goes wrong where nobody else does."""
    warnings.warn(text, stacklevel=2)


def run(
    space: str | Path | Source | Candidates,
    fitness: Callable_ | str | Sequence[str] | None = None,
    *,
    name: str | None = None,
    engine: str = "evolution",
    budget: int = 100,
    seed: int = 0,
    directions: Sequence[str] | None = None,
    fitness_command: str | None = None,
    mutate_with: str | None = None,
    train: Given | None = None,
    changes: Changes | None = None,
    halving: Halving | None = None,
    study: str | Path | None = None,
    study_name: str | None = None,
    hear: Callable[[Finished], None] = lambda one: None,
    warn: Callable[[str], None] = by_warning,
    grace: int = GRACE,
    wait: float = WAIT,
) -> Study:
    """Search a space, and give the study with all that was tried: see its `best`, `front` and `text`.

    Args:
        space: a file, or the candidates of a space.
        fitness: a callable that takes a `Measured` and returns a number, or as many as there are `directions`; or names
            of figures, as in `["depth", "multiply_adds:min"]`. If not given, `trained` with `train`, `command` with
            `fitness_command`, else `depth`.
        name: which space, where the file has several.
        engine: one of `engines.ENGINES`.
        budget: how many candidates are measured, those of earlier runs of the study included.
        seed: of all that is drawn.
        directions: "max" or "min" for each number that a callable returns. If not given, one, of which more is better.
        fitness_command: measures the figure `command`.
        mutate_with: a command that makes one candidate of another.
        train: a configuration as `spinedsl.train` takes it: measures the figure `trained`.
        changes: settings by section that stand instead of the configuration's.
        halving: the steps after which candidates are compared first, and the factor of successive halving, for what
            is trained, or callables that `report`. If not given, none is given up.
        study: a path, or the address of a database; without it, the study is of this process alone.
        study_name: by which the study is found again, if not by that of the space.
        hear: told of each candidate that is settled.
        warn: told of what goes wrong without ending the search; if not given, it is a `UserWarning`.
        grace: seconds after which a worker that gives no sign of life counts as dead.
        wait: seconds that a server of PostgreSQL may be away, when the search begins or later.

    Raises:
        Mistakes: the file, the configuration or its images have mistakes.
        ValueError: there is no such space, engine or figure, they do not go together, or something counts for nothing.
        Failed, NoCandidate, Unfit, NoStudy: the search cannot go on; `diagnostic` says why.
        MissingPackage: Optuna, or what engine or training need, is not installed.
    """
    if whole(grace, "grace") < 1:
        raise ValueError(f"grace is a second or more; got {grace}")
    if name is not None and isinstance(space, Candidates):
        raise ValueError("`name` chooses a space of a file, and candidates of one are given: leave it out")
    if changes is not None and train is None:
        raise ValueError("`changes` are of a configuration: give it by `train`")
    if study_name is not None and study is None:
        raise ValueError("`study_name` is of a search that is kept: say where by `study`")
    candidates = space if isinstance(space, Candidates) else open_space(space, name)
    trainer = None if train is None else trainer_of(train, candidates, changes)
    training = None if trainer is None else trainer.training
    if fitness is None:
        fitness = TRAINED if trainer is not None else COMMAND if fitness_command is not None else "depth"
    if callable(fitness):
        if fitness_command is not None:
            raise ValueError(NOT_ASKED)
        called = f"{CALLABLE} {getattr(fitness, '__module__', '')}.{getattr(fitness, '__qualname__', '')}"
        objectives = tuple(Objective(CALLABLE, way) for way in _ways(directions))
        setup = setup_of(candidates, engine, budget, seed, objectives, called, mutate_with, training, halving)
        measured: Fitness = of_callable(fitness, len(objectives))
    else:
        if not isinstance(fitness, Iterable):
            raise TypeError(f"fitness must be a callable, or names as `depth`; got {brief(fitness)}")
        if directions is not None:
            raise ValueError(
                "`directions` are of what a callable returns; of a figure, write `depth:max` or `depth:min`"
            )
        objectives = tuple(map(objective, [fitness] if isinstance(fitness, str) else fitness))
        if fitness_command is not None and all(one.name != COMMAND for one in objectives):
            raise ValueError(NOT_ASKED)
        setup = setup_of(candidates, engine, budget, seed, objectives, fitness_command, mutate_with, training, halving)
        measured = of_figures(objectives, candidates, fitness_command, trainer)
    kept = begin(study, study_name, setup, candidates, warn, grace, wait)
    work_on(kept, measured, hear, warn, grace, fitness_command, mutate_with, wait=wait)
    return kept


def _ways(directions: object) -> list[str]:
    """Whether more or less is better, of each number that a callable returns.

    Raises:
        TypeError: it is no list of words. ValueError: a word is another one.
    """
    if directions is None:
        return [WAYS["max"]]
    if isinstance(directions, str) or not isinstance(directions, Sequence):
        raise TypeError(f'directions must be a list, as in ["max", "min"]; got {brief(directions)}')
    wrong = next((one for one in directions if not isinstance(one, str) or one not in WAYS), None)
    if wrong is not None:
        raise ValueError(f"a direction is `max` or `min`; got {brief(wrong)}")
    return [WAYS[one] for one in directions]


def begin(
    study: str | Path | None,
    name: str | None,
    setup: Setup,
    candidates: Candidates,
    warn: Callable[[str], None],
    grace: int = GRACE,
    wait: float = WAIT,
) -> Study:
    """A search that begins, or goes on: in a place, or without one in memory. A server that is away is waited for.

    Raises:
        NoStudy: the place cannot be used, or holds another search.
    """
    if study is None:
        return in_memory(setup, candidates)
    place = str(study)
    return insist(lambda: create(place, name, setup, candidates, grace), Outage(place, wait, warn))


def setup_of(
    candidates: Candidates,
    engine: str,
    budget: int,
    seed: int,
    objectives: tuple[Objective, ...],
    command: str | None,
    mutator: str | None,
    training: Training | None = None,
    halving: Halving | None = None,
) -> Setup:
    """What is searched, and how; looked at before anything is begun.

    Raises:
        ValueError: parts of it are not there, or do not go together.
    """
    if engine not in ENGINES:
        near = nearest(engine, ENGINES)
        hint = f"did you mean `{near}`?" if near else f"there is {', '.join(ENGINES)}"
        raise ValueError(f"there is no engine `{engine}`: {hint}")
    require(*SEARCH, *PACKAGES.get(engine, ()))
    _see_numbers(budget, seed)
    if not objectives:
        raise ValueError("nothing is to be measured: name a fitness")
    twice = next((one for one in objectives if sum(one.name == other.name for other in objectives) > 1), None)
    if twice is not None and twice.name != CALLABLE:
        raise ValueError(f"fitness `{twice.name}` is given twice")
    if len(objectives) > 1 and engine not in SEVERAL:
        raise ValueError(f"engine `{engine}` has one objective, and {len(objectives)} are given: choose `nsga2`")
    if mutator is not None and engine not in CHANGING:
        raise ValueError(
            f"engine `{engine}` changes no candidates, so {MUTATE} has no use: choose {' or '.join(CHANGING)}"
        )
    asked = any(one.name == COMMAND for one in objectives)
    if asked and command is None:
        raise ValueError("fitness `command` is measured by --fitness-command, which is not given")
    for what, given in (("--fitness-command", command if asked else None), (MUTATE, mutator)):
        if given is not None:
            try:
                words_of(given)
            except ValueError as error:
                raise ValueError(f"{what} cannot be split into words: {str(error).lower()}") from None
    trained = any(one.name == TRAINED for one in objectives)
    if trained != (training is not None):
        raise ValueError(
            "fitness `trained` is measured by --train CONFIG, which is not given"
            if trained
            else "--train measures the fitness `trained`, which is not among what is measured"
        )
    if halving is not None:
        _see_halving(halving, objectives)
    sources, entry = sources_of(candidates.space.unit.file.source)
    return Setup(
        candidates.space.name, digest_of(candidates.space), sources, entry, engine, seed, budget, objectives, command,
        mutator, __version__, training, halving,
    )  # fmt: skip


def _see_numbers(budget: object, seed: object) -> None:
    """That a search has a budget and a seed.

    Raises:
        TypeError: one is no whole number. ValueError: the budget pays for nothing.
    """
    whole(seed, "seed")
    if whole(budget, "budget") < 1:
        raise ValueError(f"a budget is 1 or more; got {budget}")


def _see_halving(halving: object, objectives: tuple[Objective, ...]) -> None:
    """That successive halving has numbers that it can have, and something to compare.

    Raises:
        TypeError: it is something else. ValueError: it has not.
    """
    if not isinstance(halving, Sequence) or len(halving) != 2:
        raise TypeError(f"halving must be two whole numbers, as in (100, 4); got {brief(halving)}")
    first, factor = (whole(one, "halving") for one in halving)
    if first < 1 or factor < 2:
        raise ValueError(f"successive halving begins after a step or more, with a factor of 2 or more; got {halving}")
    if len(objectives) > 1:
        raise ValueError("successive halving compares by one objective, and several are given: leave it out")
    if objectives[0].name not in (TRAINED, CALLABLE):
        raise ValueError(f"successive halving is of what is trained, and `{objectives[0].name}` is measured at once")


def trainer_of(
    train: Given,
    candidates: Candidates,
    changes: Changes | None = None,
    hear: Callable[[int, int], None] | None = None,
) -> Trainer:
    """What trains candidates by a configuration; all of it is looked at.

    Raises:
        Mistakes: with every one that there is.
        MissingPackage: what training needs is not installed.
    """
    require(*SEARCH, *TRAIN)
    from spinedsl.search.trained import prepare  # noqa: PLC0415  torch is only needed here

    return prepare(train, candidates, changes, hear)


def open_study(place: str | Path, name: str | None = None) -> Study:
    """A search that was run, or runs: with all that is settled so far.

    Raises:
        NoStudy: there is none; `diagnostic` says why.
        MissingPackage: Optuna is not installed.
    """
    require(*SEARCH)
    study = find(str(place), name)
    study.refresh()
    return study


def work_on(
    study: Study,
    fitness: Fitness | None = None,
    hear: Callable[[Finished], None] = lambda one: None,
    warn: Callable[[str], None] = lambda text: None,
    grace: int = GRACE,
    fitness_command: str | None = None,
    mutate_with: str | None = None,
    trainer: Trainer | None = None,
    wait: float = WAIT,
) -> None:
    """Work on a study until its budget is paid for. Without `fitness` it is that of the study.

    A server of PostgreSQL that does not answer is waited for, `wait` seconds at most.

    A study is data, whoever wrote it: a command that stands in it is run only if it is given here too. So it is with a
    training: `trainer` is of a configuration of this machine, which has to say what the study's does but for paths.

    Raises:
        ValueError: it is measured by a Python callable, which no study keeps; or its commands are not those given.
        Failed, NoCandidate, Unfit, NoStudy: as `run`.
    """
    setup = study.setup
    require(*SEARCH, *PACKAGES.get(setup.engine, ()))
    if fitness is None:
        if any(one.name == CALLABLE for one in setup.objectives):
            raise ValueError(f"it is measured by a Python {setup.command}: work on it by `spinedsl.search.run`")
        _confirm(FITNESS, setup.command, fitness_command)
        if (setup.training is None) != (trainer is None):
            raise ValueError(
                "the study trains nothing: leave --train out"
                if setup.training is None
                else "the study trains its candidates by a configuration: give it too, with paths of this machine, by "
                "--train CONFIG"
            )
        if trainer is not None:
            fix = "give the configuration that the search began with; only paths, devices and threads may differ"
            see_same_training(study.place, setup.training, trainer.training, fix)
        fitness = of_figures(setup.objectives, study.candidates, setup.command, trainer)
    _confirm(MUTATE, setup.mutator, mutate_with)
    change = changing(setup.mutator, study.candidates, warn) if setup.mutator is not None else None
    engine = make(setup.engine, study.candidates, setup.seed, setup.objectives, change)
    Worker(study, engine, fitness, hear, grace, Outage(study.place, wait, warn)).work()


def _confirm(option: str, kept: str | None, given: str | None) -> None:
    """A command of a study has to be given by whoever works on it."""
    if kept == given:
        return
    if kept is None:
        raise ValueError(f"the study runs no command by {option}: leave it out")
    read, fix = one_line(kept), f"give it too, if it is what you want to run: {option} {shlex.quote(one_line(kept))}"
    other = "" if given is None else f", and `{one_line(given)}` is given"
    raise ValueError(f"the study has a command for {option}, `{read}`{other}; {fix}")
