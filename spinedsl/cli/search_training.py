"""The options of `spine search` by which candidates are trained."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from spinedsl import api
from spinedsl.cli.options import count
from spinedsl.cli.terminal import say_diagnostics, say_mistakes
from spinedsl.cli.train import changes_given, idle_threads
from spinedsl.cli.voice import UsageError
from spinedsl.search.opening import Candidates

if TYPE_CHECKING:
    from spinedsl.search.running import Halving
    from spinedsl.search.trained import Trainer

FACTOR = 4  # of successive halving, as Optuna has it


def training_arguments(parser: argparse.ArgumentParser, which: str = "") -> None:
    """The configuration, and other values of its settings."""
    what = f"a configuration of spine train: measures `trained`{which}"
    parser.add_argument("--train", metavar="CONFIG", help=what)
    parser.add_argument(
        "--change", metavar="KEY=VALUE", action="append", default=[],
        help="another value of a setting of --train, as in run.steps=100",
    )  # fmt: skip


def halving_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of successive halving."""
    parser.add_argument(
        "--halving", metavar="FACTOR", type=count,
        help=f"of so many candidates that are trained one goes on; 0: all do (default {FACTOR}, of one objective)",
    )  # fmt: skip
    parser.add_argument(
        "--first-rung",
        metavar="STEPS",
        type=count,
        help="of training, after which candidates are compared first (default: the first validation)",
    )


def trainer_of(options: argparse.Namespace, candidates: Candidates, say: Callable[[str], None]) -> Trainer | None:
    """What trains candidates; None where nothing does, or where there are mistakes, which are printed.

    Raises:
        UsageError: settings are given of a training that is none.
        Wrong: there are mistakes.
    """
    if options.train is None:
        if options.change:
            raise UsageError("--change is of the configuration of --train, which is not given")
        return None
    idle_threads()
    from spinedsl.search.running import trainer_of as made  # noqa: PLC0415  only this command needs Optuna

    def hear(done: int, of: int) -> None:
        say(f"looking at the images: {done:,} of {of:,}")

    try:
        trainer = made(options.train, candidates, changes_given(options.change), hear)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        raise Wrong from None
    if trainer.reported:
        say_diagnostics(trainer.reported, sys.stderr)
    return trainer


class Wrong(Exception):
    """There are mistakes, and they are printed."""


def halving_of(options: argparse.Namespace, trainer: Trainer | None, objectives: int) -> Halving | None:
    """Successive halving as it is asked for, or as it goes without saying.

    Raises:
        UsageError: something is asked for that is not done.
    """
    asked = "--halving" if options.halving is not None else "--first-rung" if options.first_rung is not None else None
    if asked is not None and trainer is None:
        raise UsageError(f"{asked} is of candidates that are trained: say how by --train CONFIG")
    if asked is not None and objectives > 1 and options.halving != 0:
        raise UsageError(f"{asked} compares by one objective, and {objectives} are given: leave it out")
    if options.halving == 1:
        raise UsageError("--halving 1 gives up none: 0 says so, 2 is the least factor")
    if options.halving == 0 and options.first_rung is not None:
        raise UsageError("--first-rung is of successive halving, and --halving 0 has none")
    if options.first_rung == 0:
        raise UsageError("--first-rung 0 is before the first step: give 1 or more")
    if trainer is None or options.halving == 0 or objectives > 1:
        return None
    return options.first_rung or trainer.validate_every, options.halving or FACTOR
