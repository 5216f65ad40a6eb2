"""What edits did to a network, so that a message about the result can show where it was done."""

from __future__ import annotations

from spinedsl.brief import Table
from spinedsl.record import Record, field
from spinedsl.source import Span


class Trace(Record, frozen=False, eq=False):
    """By the names of rows, and the words of settings. Edits of an edited network go on with what was done before."""

    root: Span  # name of the network that was written out
    dropped: dict[str, Span] = field(default_factory=Table)
    placed: dict[str, tuple[Span, str]] = field(default_factory=Table)  # moved or added, with the word for it
    written: dict[str, Span] = field(default_factory=Table)  # where what was changed stands
    unread: dict[str, Span] = field(default_factory=Table)  # edits that took away a reading of a row
    meant: set[str] = field(default_factory=set, repr=False)  # rows that edits may be about which could not be made

    def gone(self, name: str) -> Span | None:
        """Where an edit dropped the row or part of that name, or the part whose row it was."""
        while name:
            if name in self.dropped:
                return self.dropped[name]
            name = name.rpartition(".")[0]
        return None

    def placed_with(self, name: str) -> tuple[Span, str] | None:
        """Where an edit put the row of that name, or the part whose row it is, and the word for it."""
        return self.placed.get(name) or self.placed.get(name.partition(".")[0])

    def further(self) -> Trace:
        """A copy, for edits of the result."""
        dropped, placed = Table(self.dropped), Table(self.placed)
        return Trace(self.root, dropped, placed, Table(self.written), Table(self.unread), {*self.meant})
