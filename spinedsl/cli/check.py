"""Check files: everything that is wrong, at once, each mistake with its place and its repair."""

from __future__ import annotations

import argparse
import sys

from spinedsl import __version__, driver
from spinedsl.cli.terminal import read_source, say_diagnostics, size_argument, spine_files
from spinedsl.diagnostics import Diagnostic, Severity, in_order
from spinedsl.ir.typed import InputSize

FORMATS = ("human", "json", "sarif", "github")
HELP = "say everything that is wrong with files"
EXAMPLES = """\
examples:
  spine check net.spine
  spine check examples/ --input 512x512
  spine check --format sarif examples/ > spine.sarif
  git show HEAD:net.spine | spine check -
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help=".spine files, folders of them, or - for standard input"
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="human", help="for people, for programs, or as GitHub's annotations"
    )
    parser.add_argument(
        "--input", metavar="HxW", type=size_argument, help="check for this height and width instead of the file's"
    )


def run(options: argparse.Namespace) -> int:
    """Check each file; status 1 if any has an error."""
    size = InputSize(*options.input) if options.input is not None else None
    found: list[Diagnostic] = []
    files = networks = 0
    for name in spine_files(options.files):
        outcome = read_source(name).then(lambda source: driver.analyse(source, size))
        found += outcome.diagnostics
        files += 1
        networks += len(outcome.value.networks) if outcome.value is not None else 0
    found = list(in_order(found))
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    if options.format != "human":
        print(_for_programs(found, options.format))
        return 1 if errors else 0
    if not found:
        print(f"{_plural(files, 'file')} checked, {_plural(networks, 'network')}: no mistakes")
        return 0
    say_diagnostics(found, sys.stdout)
    counts = [_plural(count, word) for count, word in ((errors, "error"), (len(found) - errors, "warning")) if count]
    more = next((f"; `spine explain {d.code.id}` says more" for d in found if d.severity is Severity.ERROR), "")
    print(f"{_plural(files, 'file')} checked: {', '.join(counts)}{more}")
    return 1 if errors else 0


def _for_programs(found: list[Diagnostic], how: str) -> str:
    from spinedsl.diagnostics.machine import to_github, to_json, to_sarif  # noqa: PLC0415  a person needs none of it

    if how == "sarif":
        return to_sarif(found, __version__)
    return to_json(found) if how == "json" else to_github(found)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
