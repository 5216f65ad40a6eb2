"""Format files in place, in the one canonical form. Comments and groups of lines are kept."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from spinedsl.cli.options import files_argument
from spinedsl.cli.output import write_over
from spinedsl.cli.terminal import read_source, say_diagnostics, spine_files
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics.plain import counted, one_line, printable
from spinedsl.source import Source
from spinedsl.syntax.format import format_source

EXAMPLES = """\
examples:
  spine fmt net.spine                 rewrite the file
  spine fmt --check examples/         status 1 if a file is not formatted, nothing written
  spine fmt --diff net.spine          show what would change, nothing written
  spine fmt - < net.spine             standard input to standard output
  spine fmt --line-ending lf net.spine

The line ends of a file stay what most of them are, LF or CRLF, so that a checkout on Windows keeps its own;
--line-ending chooses another. A byte-order mark is removed.
"""
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    files_argument(parser)
    parser.add_argument(
        "--line-ending", choices=("auto", *LINE_ENDS), default="auto", metavar="KIND",
        help="lf, crlf, or auto: what most lines of the file end with (default auto)",
    )  # fmt: skip
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="write nothing; status 1 if a file is not formatted")
    how.add_argument("--diff", action="store_true", help="write nothing; print what would change, status 1 if anything")


def run(options: argparse.Namespace) -> int:
    """Format each file; status 1 where one could not be formatted, or would change and may not."""
    if "-" in options.files and len(options.files) > 1:
        raise UsageError("- stands alone: standard input is one text")
    results = [_one(name, options) for name in spine_files(options.files)]
    failed, changed = sum(r == "failed" for r in results), sum(r == "changed" for r in results)
    if options.files != ["-"] and results:
        would = "would change" if options.check or options.diff else "formatted"
        wrong = f", {failed} with mistakes" if failed else ""
        right = len(results) - changed - failed
        as_is = "as it should be" if right == 1 else "as they should be"
        note(f"{counted(len(results), 'file')}: {changed} {would}, {right} {as_is}{wrong}")
    return 1 if failed or (changed and (options.check or options.diff)) else 0


def _one(name: str, options: argparse.Namespace) -> str:
    """Format one file: what became of it: `same`, `changed` or `failed`."""
    source = read_source(name)
    text = source.then(format_source)
    if source.value is None or text.value is None:
        say_diagnostics(text.diagnostics, sys.stderr)
        return "failed"
    before = _as_it_stands(name, source.value)
    after = text.value.replace("\n", LINE_ENDS.get(options.line_ending, source.value.line_end))
    if name == "-" and not (options.check or options.diff):
        sys.stdout.write(after)
        return "same" if before == after else "changed"
    if before == after:
        return "same"
    if options.diff:
        _print_diff(name, before, after)
    elif options.check:
        print(f"{one_line(name)}: not formatted")
    elif (problem := write_over(Path(name), after.encode())) is not None:
        say_diagnostics([problem], sys.stderr)
        return "failed"
    return "changed"


def _as_it_stands(name: str, source: Source) -> str:
    """The text with the line ends and byte-order mark that reading took away: they too are to be put right."""
    if name == "-":
        return source.text.replace("\n", source.line_end)
    return Path(name).read_bytes().decode("utf-8")


def _print_diff(name: str, before: str, after: str) -> None:
    import difflib  # noqa: PLC0415  for --diff only

    old, new = (re.split("\r\n|\r|\n", text.removeprefix("\ufeff")) for text in (before, after))
    lines = list(difflib.unified_diff(old, new, one_line(name), f"{one_line(name)} (formatted)", lineterm=""))
    if not lines:
        ends = "CRLF" if after.endswith("\r\n") else "LF"
        lines = [
            f"{one_line(name)}: its line ends become {ends}, or a byte-order mark goes; its lines stay as they are"
        ]
    print("\n".join(printable(line) for line in lines))
