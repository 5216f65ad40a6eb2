"""Outages: a database that does not answer is waited for, up to a limit, with a message at either end.

A worker that is begun before its server, or whose server is begun anew, goes on when it answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from spinedsl.diagnostics.plain import counted
from spinedsl.search.storage import Away, NoStudy, in_words, is_address, of_database, shown

T = TypeVar("T")
WAIT = 300  # seconds that a server may be away
FIRST, LONGEST = 0.25, 10.0  # seconds between two attempts; each is longer than the one before
HICCUP = 30  # seconds for errors of another kind, such as two writers in each other's way


class Outage:
    """What is known of a database that failed. `warn` is told once when that begins, and once when it is over."""

    def __init__(self, place: str, limit: float = WAIT, warn: Callable[[str], None] = lambda text: None) -> None:
        self.place, self.limit, self.warn = place, limit, warn
        self.since: float | None = None
        self.pause = FIRST
        self.told = False

    def wait(self, error: Exception) -> None:
        """Wait a while after an error, longer each time.

        Raises:
            NoStudy: no waiting helps, or it has been long enough.
            Exception: the error itself, if it is not the database's.
        """
        if not isinstance(error, NoStudy) and of_database(error) is None:
            raise error
        found = error if isinstance(error, NoStudy) else in_words(self.place, error)
        if not is_address(self.place) or (isinstance(error, NoStudy) and not isinstance(found, Away)):
            raise found from None
        now = time.monotonic()
        self.since = now if self.since is None else self.since
        left = self.since + (self.limit if isinstance(found, Away) else min(self.limit, HICCUP)) - now
        if left <= 0:
            if self.told:
                note = f"it was tried again for {counted(round(self.limit), 'second')}"
                found = type(found)(found.diagnostic.with_notes(note))
            raise found from None
        if isinstance(found, Away) and not self.told:
            self.told = True
            limit = counted(round(self.limit), "second")
            self.warn(f"study {shown(self.place)}: no server answers; it is tried again for {limit}")
        time.sleep(min(self.pause, left))
        self.pause = min(2 * self.pause, LONGEST)

    def over(self) -> None:
        """The database answered."""
        if self.told:
            self.warn(f"study {shown(self.place)}: the server answers again")
        self.since, self.pause, self.told = None, FIRST, False


def insist(act: Callable[[], T], outage: Outage) -> T:
    """Do something that needs the database, again while that is away.

    Raises:
        NoStudy: it was away for too long, or cannot be used.
    """
    while True:
        try:
            found = act()
        except Exception as error:  # noqa: BLE001  raised again if it is not the database's
            outage.wait(error)
        else:
            outage.over()
            return found
