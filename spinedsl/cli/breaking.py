"""Compare all networks of two files by their names; exit status 1 if one changed by at least a tier.

For networks that are kept in git: put it before a merge. OLD and NEW are files, or REVISION:FILE.
"""

from __future__ import annotations

import argparse
import sys

from spinedsl import api, driver
from spinedsl.cli.diff import read_both, sides_arguments
from spinedsl.cli.options import format_argument
from spinedsl.cli.terminal import say_mistakes
from spinedsl.cli.voice import UsageError, page_of
from spinedsl.compare import NotCompared, Tier, Verdict, breaking, not_compared

EXAMPLES = """\
examples:
  spine breaking HEAD~1:net.spine net.spine                     fails if a checkpoint no longer loads
  spine breaking origin/main:nets/net.spine nets/net.spine --tier interface
  spine breaking v1.0:net.spine HEAD:net.spine --network SpineNet49 --tier numeric
  spine breaking origin/main:net.spine net.spine --format github

tiers, from the lowest up; each contains those below it:
  numeric    the same weights load, and give other numbers
  weights    weights of the old network do not load
  interface  the input, or an output's name, level or shape; also a network that
             is dropped, or now waits for values

exit status: 0 below the tier, 1 at or above it or where a file has mistakes, 2 wrong use
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    sides_arguments(parser)
    parser.add_argument(
        "--tier", choices=[tier.word for tier in Tier if tier], default=Tier.WEIGHTS.word,
        help="the lowest tier that fails; weights by default",
    )  # fmt: skip
    format_argument(parser, "github")


def run(options: argparse.Namespace) -> int:
    """Compare every network; status 1 if the tier is reached."""
    found = read_both(options.old, options.new)
    if found is None:
        return 1
    (old, was), (new, now) = found
    if was is not None or now is not None:
        raise UsageError("all networks are compared by their names: choose one by --network NAME, not by FILE:NAME")
    try:
        loaded = driver.load(old), driver.load(new)
        verdicts = breaking(*loaded, network=options.network)
        left_out = not_compared(*loaded, network=options.network)
    except api.Mistakes as mistakes:
        say_mistakes(mistakes.diagnostics)
        return 1
    except api.NetworkChoice as choice:
        raise UsageError(f"{choice} (--network NAME)") from None
    tier = Tier[options.tier.upper()]
    broken = any(verdict.tier >= tier for verdict in verdicts)
    _say(verdicts, left_out, tier, options.format)
    if options.format == "human" and broken:
        print(f"breaking: from {tier.name} up")
    return 1 if broken else 0


def _say(verdicts: tuple[Verdict, ...], left_out: tuple[NotCompared, ...], tier: Tier, how: str) -> None:
    from spinedsl.compare import machine, words  # noqa: PLC0415  one of the two is needed

    if how == "json":
        print(machine.to_json(machine.verdicts_plain(verdicts, tier, left_out)))
    elif how == "github":
        if text := machine.to_github(verdicts, tier, left_out):
            print(text)
    else:
        colour = page_of(sys.stdout).colour
        lines = [words.verdict_text(verdict, colour=colour) for verdict in verdicts]
        lines += [f"note: not compared: {one.text}" for one in left_out]
        print("\n".join(lines) or "no networks")
