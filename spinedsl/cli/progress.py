"""Progress: what is being done, in one line that is rewritten, where somebody is looking and it takes long.

Only a terminal is told, on standard error, and only of what is not done after two seconds: a pipe or a log never gets a
line. It is gone before anything else is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from spinedsl.cli.voice import LINE, MANNER, columns

PATIENCE = 2.0  # seconds of silence
CLEAR = "\r\x1b[2K"

Say = Callable[[str], None]


class Clock(Protocol):
    """Calls something after some seconds, unless it is told not to."""

    def start(self) -> None:
        """Begin to wait."""

    def cancel(self) -> None:
        """No longer wait."""


def timer(seconds: float, then: Callable[[], None]) -> Clock:
    """The machine's clock."""
    from threading import Timer  # noqa: PLC0415  most commands are done before anybody asks

    found = Timer(seconds, then)
    found.daemon = True
    return found


class Progress:
    """One line on a terminal: the phase at hand, from the moment on at which it has taken long."""

    def __init__(self, stream: TextIO, clock: Callable[[float, Callable[[], None]], Clock] = timer) -> None:
        self.stream, self.text, self.shown, self.over = stream, "", False, False
        self.clock = clock(PATIENCE, self.late)
        self.clock.start()

    def say(self, text: str) -> None:
        """A phase begins."""
        self.text = text
        if self.shown:
            self.draw()

    def late(self) -> None:
        """It has taken long: from now on each phase is shown."""
        if not self.over:
            self.shown = True
            self.draw()

    def draw(self) -> None:
        """Write the line over the one before."""
        if self.text:
            line = f"spine: {self.text} …"
            encoding = self.stream.encoding or "utf-8"
            line = line[: columns(self.stream) - 1].encode(encoding, "replace").decode(encoding)
            self.stream.write(f"{CLEAR}{line}")
            self.stream.flush()

    def clear(self) -> None:
        """Take the line away: something else is to be printed."""
        if self.shown:
            self.stream.write(CLEAR)
            self.stream.flush()

    def close(self) -> None:
        """Nothing is shown any more."""
        self.over = True
        self.clock.cancel()
        self.clear()


def _silent(text: str) -> None:
    """Nobody is looking."""


@contextmanager
def phases(clock: Callable[[float, Callable[[], None]], Clock] = timer) -> Iterator[Say]:
    """What is told of each phase of long work. It says nothing with `-q`, and where standard error is no terminal."""
    if MANNER.quiet or not sys.stderr.isatty():
        yield _silent
        return
    progress = Progress(sys.stderr, clock)
    LINE.append(progress.clear)
    try:
        yield progress.say
    finally:
        LINE.remove(progress.clear)
        progress.close()
