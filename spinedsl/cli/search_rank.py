"""`spine search rank`: how far figures in closed form, and shorter trainings, agree with the whole training."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from spinedsl.brief import table
from spinedsl.cli.options import count, format_argument, seed_argument
from spinedsl.cli.voice import UsageError, warn
from spinedsl.diagnostics.plain import counted
from spinedsl.record import asdict

if TYPE_CHECKING:
    from spinedsl.search.ranking import Agreement, Ranked
    from spinedsl.search.study import Study

EPILOG = """\
examples:
  spine search run examples/spaces.spine --space Adjusted --train cells.toml --halving 0 --budget 40 --study cells.db
  spine search rank cells.db
  spine search rank cells.db --json

Of candidates that were trained to the end: Kendall's tau, from -1 to 1, of depth, parameters, multiply-adds, entropy,
and a regression on them (each candidate by one on all others) against what training gave; its p-value; and the interval
that holds it with 95% confidence over resampled candidates. Below, the same of what the candidates had reached after
fewer steps: where that is high enough, a search may train for so many.
"""
LEAST, FEWEST = 30, 5


def rank_arguments(actions: Any) -> None:
    """The action, with what it takes."""
    what = "tell how far cheap figures, and shorter trainings, agree with the whole training"
    parser = actions.add_parser("rank", help=what, description=f"{what.capitalize()}.")
    parser.epilog = EPILOG
    parser.add_argument("study", metavar="STUDY", help="a file of SQLite, or the address of a database")
    parser.add_argument("--name", metavar="NAME", help="name of the search, if it is not that of its space")
    parser.add_argument(
        "--least", metavar="N", type=count, default=LEAST, help=f"candidates that it takes (default {LEAST})"
    )
    seed_argument(parser, ": candidates are resampled")
    format_argument(parser)


def rank(options: argparse.Namespace) -> int:
    """Print the table."""
    from spinedsl.search import ranking  # noqa: PLC0415  only this command needs Optuna
    from spinedsl.search.running import open_study  # noqa: PLC0415

    if options.least < FEWEST:
        raise UsageError(f"--least is {FEWEST} or more: of fewer candidates nothing can be told")
    if options.seed < 0:
        raise UsageError("--seed is 0 or more")
    study, enough = open_study(options.study, options.name), ranking.ENOUGH
    try:
        found = ranking.rank(study, options.least, options.seed, warn)
    except ValueError as error:
        raise UsageError(f"{study.name}: {error}") from None
    if options.format == "json":
        print(json.dumps(_data(study, found), indent=2))
        return 0
    more = f", {found.repeated:,} more of a network that was trained before" if found.repeated else ""
    more += f", {found.pruned:,} more given up early" if found.pruned else ""
    more += f", {found.failed:,} without a value" if found.failed else ""
    print(
        f"{study.setup.space}, {found.objective}: {counted(found.candidates, 'candidate')} trained to the end{more}\n"
    )
    print("\n".join(table([("figure", "tau", "p", "95% interval"), *map(_row, found.figures)])))
    if found.steps:
        print()
        print("\n".join(table([("after steps", "tau", "p", "95% interval"), *map(_row, found.steps.values())])))
        last = max(found.steps)
        if found.enough is not None and found.enough < last:
            print(f"\nfrom step {found.enough:,} on, candidates stand nearly as at the end: tau is {enough} or more")
        elif len(found.steps) > 1:
            print(f"\nbefore step {last:,}, candidates stand otherwise than at the end: tau is below {enough}")
    return 0


def _row(one: Agreement) -> tuple[str, ...]:
    return one.name.replace("_", "-"), f"{one.tau:.2f}", f"{one.p:.2g}", f"{one.low:.2f} to {one.high:.2f}"


def _data(study: Study, found: Ranked) -> dict[str, object]:
    return {
        "space": study.setup.space,
        "objective": {"name": found.objective.name, "direction": found.objective.direction},
        "candidates": found.candidates,
        "repeated": found.repeated,
        "pruned": found.pruned,
        "failed": found.failed,
        "figures": [asdict(one) for one in found.figures],
        "steps": [
            {"step": step, "tau": one.tau, "p": one.p, "low": one.low, "high": one.high}
            for step, one in found.steps.items()
        ],
        "enough": found.enough,
    }
