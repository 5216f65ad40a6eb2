"""What the commands share: the files that the command line names, options in common, and printing."""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TextIO

from spinedsl import driver
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.record import Record
from spinedsl.source import Source

READ: deque[Source] = deque(maxlen=16)  # what was read last: a fault's report repeats it


class UsageError(Exception):
    """The command line itself is wrong: one sentence, exit status 2."""


def size_argument(text: str) -> tuple[int, int]:
    """`640x640` or `640`: height and width in pixels."""
    parts = text.lower().split("x")
    if not 1 <= len(parts) <= 2 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH, as in 640x640, got {text!r}")
    height, width = int(parts[0]), int(parts[-1])
    if not height or not width:
        raise argparse.ArgumentTypeError(f"an input has at least one pixel, got {text!r}")
    return height, width


def file_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose a network."""
    parser.add_argument("file", metavar="FILE", help="a .spine file, or - for standard input")
    parser.add_argument("--network", metavar="NAME", help="which network, where the file has several")


def network_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that choose a network and its input."""
    file_arguments(parser)
    parser.add_argument(
        "--input", metavar="HxW", type=size_argument, help="height and width of the input, instead of the file's"
    )


def outputs_argument(parser: argparse.ArgumentParser) -> None:
    """The option that chooses some of a network's outputs."""
    parser.add_argument(
        "--outputs", metavar="NAMES", type=_names, help="only these outputs, and what they need, as in P3,P4,P5"
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"expected names of outputs, as in P3,P4,P5, got {text!r}")
    return names


def read_source(name: str) -> Outcome[Source]:
    """A file named on the command line; `-` is standard input."""
    outcome = _standard_input() if name == "-" else driver.read(name, name)
    if outcome.value is not None:
        READ.append(outcome.value)
    return outcome


def _standard_input() -> Outcome[Source]:
    reason = "it is closed"  # as by `<&-`
    if sys.stdin is not None:
        try:
            return driver.read_bytes(sys.stdin.buffer, "<stdin>")
        except OSError as error:
            reason = driver.reason_of(error)
    return Outcome(None, (say.CANNOT_READ.at(Source("<stdin>", "").span(0, 0), path="<stdin>", reason=reason),))


def table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Lines of columns as wide as they have to be, to the right except those in `left`."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def spine_files(names: Iterable[str]) -> Iterator[str]:
    """Files as they are named; of a folder every `.spine` file below it, in order."""
    for name in names:
        if name != "-" and os.path.isdir(name):
            from pathlib import Path  # noqa: PLC0415  for folders only

            found = sorted(str(file) for file in Path(name).rglob("*.spine") if file.is_file())
            if not found:
                raise UsageError(f"no .spine file in {name}")
            yield from found
        else:
            yield name


class Page(Record):
    """What a stream can show."""

    width: int
    colour: bool

    def bold(self, text: str) -> str:
        """A heading; plain where there are no colours."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text


def page_of(stream: TextIO) -> Page:
    """Colours on a terminal, and its width; neither elsewhere."""
    terminal = stream.isatty()
    colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Page(columns(stream), colour)


def columns(stream: TextIO) -> int:
    """The width of a terminal; 120 of anything else."""
    if not stream.isatty():
        return 120
    import shutil  # noqa: PLC0415  for a terminal only

    return shutil.get_terminal_size((120, 40)).columns


def rendered(diagnostics: Iterable[Diagnostic], stream: TextIO, margin: int = 0) -> str:
    """Diagnostics as `stream` can show them, with `margin` columns left free."""
    from spinedsl.diagnostics.render import render  # noqa: PLC0415  a clean file has nothing to render

    page = page_of(stream)
    return render(diagnostics, colour=page.colour, width=page.width - margin)


def say_diagnostics(diagnostics: Iterable[Diagnostic], stream: TextIO) -> None:
    """Print diagnostics, coloured on a terminal, as wide as it is."""
    encoding = stream.encoding or "utf-8"
    print(rendered(diagnostics, stream).encode(encoding, "backslashreplace").decode(encoding), file=stream)
