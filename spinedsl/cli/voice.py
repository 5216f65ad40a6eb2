"""How the command line speaks: notes, what `-q` leaves out, colours and widths.

Results go to standard output; everything else goes to standard error, where a line that is no diagnostic begins with
`spine:`. Nothing of the compiler is imported here: `spine --version` reads this too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TextIO

from spinedsl.record import Record

NARROW, USUAL = 20, 120  # columns: the least that is laid out for, and those of what is no terminal


class UsageError(Exception):
    """The command line itself is wrong: one sentence, exit status 2."""


class Manner:
    """How the command at hand is to speak: `quiet` is only mistakes and results, `format` that of what it prints."""

    quiet = False
    format = "human"


MANNER = Manner()
LINE: list[Callable[[], None]] = []  # what takes the line of progress away, where there is one


def note(text: str) -> None:
    """Say something that is neither a mistake nor a result, on standard error; `-q` leaves it out."""
    if not MANNER.quiet:
        warn(text)


def warn(text: str) -> None:
    """Say something that `-q` does not leave out: what is not as it was probably meant."""
    clear()
    print(f"spine: {text}", file=sys.stderr)


def clear() -> None:
    """Before something is printed: take the line of progress away."""
    for taken in LINE:
        taken()


def summary(text: str) -> None:
    """Say on standard output how it went, where the exit status says the same; `-q` leaves it out."""
    if not MANNER.quiet:
        print(text)


class Page(Record):
    """What a stream can show."""

    width: int
    colour: bool

    def bold(self, text: str) -> str:
        """A heading; plain where there are no colours."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text


def page_of(stream: TextIO) -> Page:
    """The width and whether there are colours.

    Colours are for terminals. NO_COLOR takes them away, before all else; FORCE_COLOR and CLICOLOR_FORCE (unless `0`)
    bring them elsewhere too; a terminal whose TERM is `dumb` has none.
    """
    if os.environ.get("NO_COLOR"):
        colour = False
    elif any(os.environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        colour = True
    else:
        colour = stream.isatty() and os.environ.get("TERM") != "dumb"
    return Page(columns(stream), colour)


def columns(stream: TextIO) -> int:
    """What COLUMNS says, else the width of the terminal, else 120."""
    given = os.environ.get("COLUMNS", "")
    width = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0
    if not width and stream.isatty():
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):  # a terminal that does not know
            width = 0
    return max(width, NARROW) if width else USUAL
