"""Check files: every mistake at once, each with its place and a fix."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from spinedsl import driver
from spinedsl.cli.lints import Asker, lint_arguments
from spinedsl.cli.options import files_argument, format_argument, input_argument, network_argument
from spinedsl.cli.terminal import for_programs, read_source, say_diagnostics, spine_files
from spinedsl.cli.voice import UsageError, summary
from spinedsl.diagnostics import Diagnostic, Severity, in_order
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.typed import InputSize

EXAMPLES = """\
examples:
  spine check net.spine
  spine check examples/spinenet.spine --input 512x512
  spine check --format sarif examples/ > spine.sarif
  git show HEAD:net.spine | spine check -
  spine check net.spine --deny W07 --warn W0705            lints: which fail the check, which are shown as well

Lints are the warnings W07…; CODES are codes or beginnings of codes, with commas between them. The longest that fits
counts. The nearest spine.toml above a file, or pyproject.toml with [tool.spine], can have the same, such as
`deny = ["W0702"]`, and [W0702] with `levels = 4`; the options here count more. An `allow` row in a file stands whatever
is denied.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    files_argument(parser)
    network_argument(parser, "; only it is checked")
    input_argument(parser)
    lint_arguments(parser)
    format_argument(parser, "sarif", "github")


def run(options: argparse.Namespace) -> int:
    """Check each file; status 1 if any has an error."""
    size = InputSize(*options.input) if options.input is not None else None
    found: list[Diagnostic] = []
    own: list[Diagnostic] = []  # what a file reports about itself, before what others report that import it
    known: list[str] = []
    files = networks = 0
    asker = Asker(options)
    for name in spine_files(options.files):
        asked = asker.switches(name)
        switches = asked.value or driver.USUAL
        source = read_source(name)
        outcome = source.then(partial(driver.analyse, size=size, only=options.network, switches=switches))
        found += asked.diagnostics
        if asked.value is not None:
            own += (one for one in outcome.diagnostics if one.span.source is source.value)
            found += outcome.diagnostics
        files += asked.value is not None
        if outcome.value is not None:
            known += outcome.value.networks
            networks += (
                len(outcome.value.networks) if options.network is None else options.network in outcome.value.networks
            )
    if options.network is not None and options.network not in known and not found:
        raise UsageError(_no_network(options.network, known))
    found = list(in_order([*own, *found]))
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    if options.format != "human":
        print(for_programs(found, options.format))
        return 1 if errors else 0
    if not found:
        if files:
            summary(f"{counted(files, 'file')} checked, {counted(networks, 'network')}: no mistakes")
        return 0
    say_diagnostics(found, sys.stdout)
    counts = [counted(count, word) for count, word in ((errors, "error"), (len(found) - errors, "warning")) if count]
    more = next((f"; `spine explain {d.code.id}` says more" for d in found if d.severity is Severity.ERROR), "")
    summary(f"{counted(files, 'file')} checked: {', '.join(counts)}{more}")
    return 1 if errors else 0


def _no_network(name: str, known: list[str]) -> str:
    from spinedsl.diagnostics import nearest, one_of  # noqa: PLC0415  only for errors

    near = nearest(name, known)
    hint = f"; did you mean `{near}`?" if near else f": there is {one_of(known, conjunction='and', limit=40)}"
    return f"no file has a network `{name}`{hint}"
