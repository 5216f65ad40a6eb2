"""`spine search report`: one page of what one search found, or several of one space."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from spinedsl.cli.options import count, output_arguments
from spinedsl.cli.output import kind_of_figure, refused, write_output
from spinedsl.cli.progress import phases
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.draw.colours import THEMES

if TYPE_CHECKING:
    from spinedsl.search.study import Study

EXAMPLES = """\
examples:
  spine search report search.db -o report.html
  spine search report evolution.db random.db -o compared.html       engines and seeds beside each other
  spine search report postgresql://me@host/searches --name Adjusted -o report.html --top 5

The page opens without a network: the front, how the search went, the best networks as figures and how each came about,
all trials, and what was searched. Several searches have to be of one space and measured alike; lines are then medians
over the seeds of an engine, with bands between the quartiles. A search that still runs may be reported on.
"""
TOP = 3


def report_arguments(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The action and its arguments."""
    what = "write a page of what searches found"
    parser = actions.add_parser("report", help=what, description=f"{what.capitalize()}.")
    parser.epilog = EXAMPLES
    parser.add_argument(
        "studies", metavar="STUDY", nargs="+", help="files of SQLite, or addresses of databases; every search in each"
    )
    parser.add_argument(
        "--name", metavar="NAME", action="append", help="only the search of that name; may be given again"
    )
    parser.add_argument(
        "--top", metavar="N", type=count, default=TOP, help=f"how many networks are drawn (default {TOP})"
    )
    parser.add_argument("--theme", choices=THEMES, default="auto", help="for light or dark pages, as in `spine draw`")
    output_arguments(parser, "a .html file to write")


def report(options: argparse.Namespace) -> int:
    """Open the studies, and write the page.

    Raises:
        NoStudy: one cannot be used, or they cannot be put side by side.
    """
    from spinedsl.report import to_html  # noqa: PLC0415  only this action needs it

    kind_of_figure(options.output, ["html"])
    if status := refused(options.output, "html", force=options.force, reads=options.studies):
        return status
    with phases() as say:
        say("reading")
        studies = _opened(options)
        say("drawing")
        page = to_html(studies, top=options.top, theme=options.theme)
    if status := write_output(options.output, page.encode()):
        return status
    if options.output != "-":
        note(f"{counted(len(studies), 'run')} reported in {one_line(options.output)}")
    return 0


def _opened(options: argparse.Namespace) -> list[Study]:
    """Every study that is asked for."""
    from spinedsl.search.study import find, searches  # noqa: PLC0415  needs Optuna

    found: list[Study] = []
    known: set[str] = set()
    for place in dict.fromkeys(options.studies):
        names = searches(place)
        known.update(names)
        wanted = [name for name in names if options.name is None or name in options.name]
        found += [find(place, name) for name in wanted]
    for name in options.name or ():
        if name not in known:
            raise UsageError(f"there is no search `{one_line(name)}`: choose {', '.join(map(one_line, sorted(known)))}")
    return found
