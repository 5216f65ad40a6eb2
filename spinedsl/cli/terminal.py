"""What the commands share: the files that the command line names, and printing."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TextIO

from spinedsl import checks as say
from spinedsl import driver, reading
from spinedsl.cli.voice import MANNER, UsageError, clear, page_of, warn
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics.plain import one_line
from spinedsl.source import Source

STDIN = "<stdin>"  # what messages call standard input
READ: deque[Source] = deque(maxlen=16)  # what was read last: a fault's report repeats it


def read_source(name: str) -> Outcome[Source]:
    """A file named on the command line; `-` is standard input."""
    outcome = _standard_input() if name == "-" else driver.read(name, name)
    if outcome.value is not None:
        READ.append(outcome.value)
    elif name != "-" and (near := _like(name)):
        return Outcome(None, tuple(one.with_fix(f"did you mean `{near}`?") for one in outcome.diagnostics))
    return outcome


def _like(name: str) -> str:
    """What is there in place of a file that is not, if something is like it."""
    from spinedsl.diagnostics import nearest_file  # noqa: PLC0415  most files are there

    folder, last = os.path.split(name)
    try:
        near = nearest_file(last, sorted(os.listdir(folder or "."))) if last and not os.path.lexists(name) else None
    except (OSError, ValueError):
        return ""
    return reading.legible(os.path.join(folder, near)) if near is not None else ""


def named(file: str) -> str:
    """A file as messages name it."""
    return STDIN if file == "-" else one_line(file)


def _standard_input() -> Outcome[Source]:
    reason = "it is closed"  # as by `<&-`
    if sys.stdin is not None:
        try:
            return reading.read_bytes(sys.stdin.buffer, STDIN)
        except OSError as error:
            reason = reading.reason_of(error)
    return Outcome(None, (say.CANNOT_READ.at(Source(STDIN, "").span(0, 0), path=STDIN, reason=reason),))


def spine_files(names: Iterable[str]) -> Iterator[str]:
    """Files as they are named; of a folder every `.spine` file below it, in order."""
    named = list(names)
    if named.count("-") > 1:
        raise UsageError("- is given twice: standard input is one text")
    for name in named:
        if name != "-" and os.path.isdir(name):
            from spinedsl.cli.folders import IGNORE, files_below, holds_files  # noqa: PLC0415  for folders only

            found = files_below(name)
            if not found:
                but = f" but what {IGNORE} leaves out" if holds_files(name) else ""
                warn(f"no .spine file in {one_line(name)}{but}")
            yield from found
        else:
            yield name


def rendered(diagnostics: Iterable[Diagnostic], stream: TextIO, margin: int = 0) -> str:
    """Diagnostics as `stream` can show them, with `margin` columns left free."""
    from spinedsl.diagnostics.render import render  # noqa: PLC0415  a clean file has nothing to render

    page = page_of(stream)
    return render(diagnostics, colour=page.colour, width=page.width - margin)


def say_mistakes(diagnostics: Iterable[Diagnostic]) -> None:
    """Print why a command ends here: on standard error, or as the result where results are for programs."""
    if MANNER.format == "human":
        say_diagnostics(diagnostics, sys.stderr)
        return
    clear()
    print(for_programs(diagnostics, MANNER.format))


def for_programs(diagnostics: Iterable[Diagnostic], how: str) -> str:
    """Diagnostics in one of the formats for programs."""
    from spinedsl import __version__  # noqa: PLC0415  a person needs none of it
    from spinedsl.diagnostics.machine import to_github, to_json, to_sarif  # noqa: PLC0415

    if how == "sarif":
        return to_sarif(diagnostics, __version__)
    return to_json(diagnostics) if how == "json" else to_github(diagnostics)


def say_diagnostics(diagnostics: Iterable[Diagnostic], stream: TextIO) -> None:
    """Print diagnostics, coloured on a terminal, as wide as it is."""
    clear()
    encoding = stream.encoding or "utf-8"
    print(rendered(diagnostics, stream).encode(encoding, "backslashreplace").decode(encoding), file=stream)
