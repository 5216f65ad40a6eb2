"""What edits did to a network, so that a message about the result can show where it was done."""

from __future__ import annotations

from spinedsl.record import Record, field
from spinedsl.source import Span


class Trace(Record, frozen=False, eq=False):
    """By the names of rows, and the words of settings. Edits of an edited network go on with what was done before."""

    root: Span  # name of the network that was written out
    dropped: dict[str, Span] = field(default_factory=dict)
    placed: dict[str, tuple[Span, str]] = field(default_factory=dict)  # moved or added, with the word for it
    written: dict[str, Span] = field(default_factory=dict)  # where what was changed stands
    unread: dict[str, Span] = field(default_factory=dict)  # edits that took away a reading of a row
    meant: set[str] = field(default_factory=set)  # rows that edits may be about which could not be made

    def further(self) -> Trace:
        """A copy, for edits of the result."""
        return Trace(
            self.root, dict(self.dropped), dict(self.placed), dict(self.written), dict(self.unread), {*self.meant}
        )
