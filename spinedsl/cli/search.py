"""Search a space for better networks, on one machine or on many.

`spine search FILE` is short for `spine search run FILE`.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from spinedsl.brief import table
from spinedsl.cli.options import count, file_argument, format_argument, output_arguments, seed_argument
from spinedsl.cli.output import refused_folder, write_folder
from spinedsl.cli.progress import phases
from spinedsl.cli.search_progress import told_of_interruption, watched
from spinedsl.cli.search_rank import rank, rank_arguments
from spinedsl.cli.search_report import report, report_arguments
from spinedsl.cli.search_training import Wrong, halving_arguments, halving_of, trainer_of, training_arguments
from spinedsl.cli.terminal import named, read_source, say_mistakes
from spinedsl.cli.voice import UsageError, note, summary, warn
from spinedsl.diagnostics import one_of
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.extras import RANK, SEARCH, TRAIN, require
from spinedsl.search.commands import FITNESS, MUTATE
from spinedsl.search.engines import ENGINES
from spinedsl.search.opening import Candidates, open_source

if TYPE_CHECKING:
    from spinedsl.search.records import Finished
    from spinedsl.search.study import Study

EXAMPLES = """\
examples:
  spine search run examples/spaces.spine --space AroundSpineNet49 --fitness depth --budget 200
  spine search run examples/spaces.spine --space Adjusted --fitness-command ./score --budget 500 --study search.db
  spine search run examples/spaces.spine --space Adjusted --train cells.toml --budget 100 --study search.db
  spine search worker --study search.db --train cells.toml   one more process for the same budget
  spine search show search.db -o best                        the best candidates, as .spine files
  spine search front search.db                               of several objectives, those that none is better than
  spine search report search.db -o report.html               a page with all that was found
  spine search rank search.db                                what cheap figures and short trainings tell of long ones
"""
RUN = """\
examples:
  spine search run examples/spaces.spine --space AroundSpineNet49 --fitness depth --budget 200
  spine search run examples/spaces.spine --space Adjusted --engine nsga2 --fitness entropy --fitness parameters
  spine search run examples/spaces.spine --space Adjusted --fitness-command ./score --study postgresql://me@host/x
  spine search run examples/spaces.spine --space Adjusted --train cells.toml --change run.epochs=1 --study search.db

Engines: random, evolution (regularised), local (the smallest change of the best), nsga2 (several objectives), and
controller (a recurrent network that learns by REINFORCE, as the SpineNet article searches; needs PyTorch).
Fitness: depth, entropy, parameters, multiply_adds and memory in closed form, and `command`, what the command of
--fitness-command prints; `:max` or `:min` after a name says which way is better. Every candidate keeps the bounds of
the space exactly. How far a figure in closed form agrees with training on your images, `spine search rank` tells.

With --train, each candidate is trained as that configuration says, in place of its network. Its value, `trained`, is
the figure of the validation images by which spine train chooses its best checkpoint. Where these are looked at in
between, successive halving gives candidates up: of --halving, one goes on.

Without --study a search is of this process alone. With one, more workers may help, on any machine that reaches it;
what is interrupted goes on with the same command, and a larger budget goes further.
"""
WORKER = """\
examples:
  spine search worker --study search.db
  spine search worker --study postgresql://me@host/searches --name Adjusted --fitness-command ./score
  spine search worker --study postgresql://me@host/searches --name Cells --train cells.toml

A worker ends when the budget is paid for. It may be killed: what it had begun is measured again by another, after the
grace period, and counts once. Everything that it needs is in the study but the commands and the images: a study is
data, and what stands in it is run only if the same command is given here. A configuration of --train has to say what
the study's does, with paths of this machine.
"""
SHOW = """\
examples:
  spine search show search.db
  spine search show search.db --top 3 -o best
"""
FRONT = """\
examples:
  spine search front search.db
  spine search front search.db -o front

The front are the candidates that no other is better than in every objective; of one objective, the best.
"""
TOP = 10
BUDGET = 100
GRACE, WAIT = 60, 300


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    run = actions.add_parser("run", help="search a space", description="Search a space for better networks.")
    run.epilog = RUN
    file_argument(run)
    run.add_argument("--space", metavar="NAME", help="which space, where the file has several")
    run.add_argument("--engine", choices=tuple(ENGINES), default="evolution", help="what proposes candidates")
    run.add_argument("--budget", metavar="N", type=count, help=f"candidates that are measured (default {BUDGET})")
    run.add_argument(
        "--fitness",
        metavar="NAME",
        action="append",
        help="what is measured, as in depth or parameters:max; may be given again",
    )
    training_arguments(run)
    halving_arguments(run)
    _command_arguments(run, "")
    run.add_argument("--study", metavar="STUDY", help="a file of SQLite, or the address of a database, to keep it in")
    _name_argument(run)
    _grace_argument(run)
    _wait_argument(run)
    seed_argument(run)
    output_arguments(run, "a folder to write the best candidates to", required=False)
    _top_argument(run)
    format_argument(run)

    worker = actions.add_parser("worker", help="work on a search", description="Work on a search that was begun.")
    worker.epilog = WORKER
    worker.add_argument("--study", metavar="STUDY", required=True, help="where the search is kept")
    training_arguments(worker, ", as the study has it")
    _command_arguments(worker, ", as the study has it")
    _name_argument(worker)
    _grace_argument(worker)
    _wait_argument(worker)

    for name, what, epilog in (
        ("show", "list the best candidates of a search", SHOW),
        ("front", "list the candidates that no other is better than in every objective", FRONT),
    ):
        action = actions.add_parser(name, help=what, description=f"{what.capitalize()}.")
        action.epilog = epilog
        action.add_argument("study", metavar="STUDY", help="a file of SQLite, or the address of a database")
        _name_argument(action)
        if name == "show":
            _top_argument(action)
        output_arguments(action, "a folder to write these candidates to", required=False)
        format_argument(action)
    report_arguments(actions)
    rank_arguments(actions)


def _command_arguments(parser: argparse.ArgumentParser, which: str) -> None:
    what = f"measures `command`: takes a .spine file, prints a number{which}"
    parser.add_argument(FITNESS, metavar="COMMAND", help=what)
    what = f"changes candidates: takes a .spine text, prints another{which}"
    parser.add_argument(MUTATE, metavar="COMMAND", help=what)


def _name_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="NAME", help="name of the search, if it is not that of its space")


def _grace_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grace", metavar="SECONDS", type=count, default=GRACE,
        help=f"without a sign of life until a worker counts as dead (default {GRACE})",
    )  # fmt: skip


def _wait_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", metavar="SECONDS", type=count, default=WAIT,
        help=f"for a server that does not answer, at first or later (default {WAIT})",
    )  # fmt: skip


def _top_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--top", metavar="N", type=count, help=f"how many of the best (default {TOP})")


def run(options: argparse.Namespace) -> int:
    """Search, work, or look."""
    require(
        *(RANK if options.action == "rank" else SEARCH), *(TRAIN if getattr(options, "train", None) is not None else ())
    )
    from spinedsl.search.commands import Failed  # noqa: PLC0415  only this command needs Optuna
    from spinedsl.search.opening import NoCandidate, Unfit  # noqa: PLC0415
    from spinedsl.search.storage import NoStudy  # noqa: PLC0415

    try:
        if options.action == "run":
            return _search(options)
        if options.action == "report":
            return report(options)
        if options.action == "rank":
            return rank(options)
        return _work(options) if options.action == "worker" else _look(options)
    except (Failed, NoCandidate, Unfit, NoStudy) as error:
        say_mistakes([error.diagnostic])
        return 1
    except Wrong:
        return 1


# ---- searching ----


def _search(options: argparse.Namespace) -> int:
    from spinedsl.search.fitness import COMMAND, TRAINED, of_figures  # noqa: PLC0415
    from spinedsl.search.fitness import objective as read  # noqa: PLC0415
    from spinedsl.search.running import begin, setup_of, work_on  # noqa: PLC0415

    _refuse_unread(options)
    candidates = _candidates(options)
    if candidates is None:
        return 1
    named = list(options.fitness or ())
    if options.fitness_command is not None and not any(one.partition(":")[0] == COMMAND for one in named):
        named.insert(0, COMMAND)
    if options.train is not None and not any(one.partition(":")[0] == TRAINED for one in named):
        named.insert(0, TRAINED)
    if not named:
        raise UsageError("say what is measured: `--fitness depth`, `--train CONFIG`, or `--fitness-command COMMAND`")
    if options.output is not None and (
        status := refused_folder(options.output, [], force=options.force, reads=[options.file])
    ):
        return status
    try:
        objectives = tuple(map(read, named))
        with phases() as say:
            trainer = trainer_of(options, candidates, say)
        setup = setup_of(
            candidates, options.engine, options.budget or BUDGET, options.seed, objectives, options.fitness_command,
            options.mutate_with, None if trainer is None else trainer.training,
            halving_of(options, trainer, len(objectives)),
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(str(error)) from None
    study = begin(options.study, options.name, setup, candidates, warn, options.grace, options.wait)
    if options.budget is not None and options.budget < study.setup.budget:
        warn(f"the search has a budget of {counted(study.setup.budget, 'candidate')}, which --budget may only raise")
    with watched(study) as hear, told_of_interruption(study):
        fitness = of_figures(objectives, candidates, setup.command, trainer)
        work_on(study, fitness, hear, warn, options.grace, None, options.mutate_with, wait=options.wait)
    return _say(study, study.best[: _top(options)], options)


def _refuse_unread(options: argparse.Namespace) -> None:
    """What is given has to be of something that is done."""
    if options.study is None and options.name is not None:
        raise UsageError("--name is of a search that is kept: say where by --study")
    if options.study is None and options.grace != GRACE:
        raise UsageError("--grace is of workers that share a study: say which by --study")
    if options.study is None and options.wait != WAIT:
        raise UsageError("--wait is of a server that keeps the study: say which by --study")
    if options.grace < 3:
        raise UsageError("--grace is 3 seconds or more: a worker gives a sign of life every second at most")
    if options.force and options.output is None:
        raise UsageError("--force is of what -o writes: nothing is written here")
    if options.top == 0:
        raise UsageError("--top 0 lists nothing: give 1 or more")
    if options.budget == 0:
        raise UsageError("--budget 0 measures nothing: give 1 or more")


def _candidates(options: argparse.Namespace) -> Candidates | None:
    """The candidates of the space that is named; None where the file has mistakes, which are printed."""
    source = read_source(options.file)
    if source.value is None:
        say_mistakes(source.diagnostics)
        return None
    outcome = open_source(source.value)
    if outcome.value is None:
        say_mistakes(outcome.diagnostics)
        return None
    spaces = outcome.value
    if not spaces:
        raise UsageError(f"{named(options.file)} has no search space: `spine docs spaces` says how one is written")
    if options.space is not None and options.space not in spaces:
        raise UsageError(f"there is no space `{one_line(options.space)}` in it: choose {one_of(spaces)}")
    if options.space is None and len(spaces) > 1:
        raise UsageError(f"it has {counted(len(spaces), 'space')}: choose one by --space NAME, {one_of(spaces)}")
    return Candidates(spaces[options.space or next(iter(spaces))])


def _work(options: argparse.Namespace) -> int:
    from spinedsl.search.outage import Outage, insist  # noqa: PLC0415
    from spinedsl.search.running import work_on  # noqa: PLC0415
    from spinedsl.search.study import find  # noqa: PLC0415

    if options.grace < 3:
        raise UsageError("--grace is 3 seconds or more: a worker gives a sign of life every second at most")
    outage = Outage(options.study, options.wait, warn)
    study = insist(lambda: find(options.study, options.name, options.grace, write=True), outage)
    with phases() as say:
        trainer = trainer_of(options, study.candidates, say)
    with watched(study) as hear, told_of_interruption(study):
        try:
            commands = (options.fitness_command, options.mutate_with)
            work_on(study, None, hear, warn, options.grace, *commands, trainer, wait=options.wait)
        except ValueError as error:
            raise UsageError(str(error)) from None
    summary(f"{study.setup.space}: {counted(len(study.settled), 'candidate')} of {study.setup.budget:,} measured")
    return 0


# ---- looking ----


def _look(options: argparse.Namespace) -> int:
    from spinedsl.search.running import open_study  # noqa: PLC0415

    if options.force and options.output is None:
        raise UsageError("--force is of what -o writes: nothing is written here")
    if options.action == "show" and options.top == 0:
        raise UsageError("--top 0 lists nothing: give 1 or more")
    study = open_study(options.study, options.name)
    chosen = study.front if options.action == "front" else study.best[: _top(options)]
    return _say(study, chosen, options)


def _top(options: argparse.Namespace) -> int:
    return TOP if options.top is None else int(options.top)


def _say(study: Study, chosen: list[Finished], options: argparse.Namespace) -> int:
    """List candidates, and write them if asked to."""
    if options.output is not None:
        files = [f"{study.setup.space}-{one.slot:06d}.spine" for one in chosen]
        if status := refused_folder(options.output, files, force=options.force):
            return status
        texts = ((name, _text(study, one)) for name, one in zip(files, chosen, strict=True))
        if status := write_folder(options.output, texts):
            return status
        note(f"{counted(len(files), 'candidate')} written to {one_line(options.output)}")
    if options.format == "json":
        print(json.dumps(_data(study, chosen), indent=2))
        return 0
    setup = study.setup
    pruned = sum(one.pruned for one in study.settled.values())
    failed = sum(one.values is None for one in study.settled.values())
    more = f", {pruned:,} given up early" if pruned else ""
    more += f", {failed:,} without a value" if failed else ""
    objectives = ", ".join(map(str, setup.objectives))
    print(
        f"{setup.space}, by {setup.engine} with seed {setup.seed}, for {objectives}: "
        f"{len(study.settled):,} of {counted(setup.budget, 'candidate')} measured{more}"
    )
    if not chosen:
        return 0
    measured = [one.name for one in setup.objectives]
    costs = [one for one in ("multiply_adds", "parameters") if one not in measured]
    head = ("candidate", *measured, *(one.replace("_", "-") for one in costs), "from")
    rows = [
        (
            str(one.slot), *map(_number, one.values or ()), *(f"{one.costs[cost]:,}" for cost in costs),
            " ".join([one.origin, *map(str, one.parents)]),
        )
        for one in chosen
    ]  # fmt: skip
    print("\n".join(table([head, *rows])))
    return 0


def _text(study: Study, one: Finished) -> bytes:
    values = ", ".join(
        f"{objective.name} {_number(value)}"
        for objective, value in zip(study.setup.objectives, one.values or (), strict=False)
    )
    setup = study.setup
    search = f"space {setup.space} with seed {setup.seed}"
    head = f"# Candidate {one.slot} of a search of {search}, by spine search: {values}.\n"
    return (head + study.text(one)).encode()


def _data(study: Study, chosen: list[Finished]) -> dict[str, Any]:
    from spinedsl.search.records import genome_to_json  # noqa: PLC0415

    setup = study.setup
    return {
        "space": setup.space,
        "engine": setup.engine,
        "seed": setup.seed,
        "budget": setup.budget,
        "measured": len(study.settled),
        "objectives": [{"name": one.name, "direction": one.direction} for one in setup.objectives],
        "candidates": [
            {
                "candidate": one.slot, "values": one.values, "digest": one.digest, "origin": one.origin,
                "parents": one.parents, "costs": dict(one.costs), "genome": genome_to_json(one.genome),
            }
            for one in chosen
        ],
    }  # fmt: skip


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


__all__ = ["arguments", "run"]
