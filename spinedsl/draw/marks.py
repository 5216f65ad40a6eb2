"""Marks: what is reported about the rows and arrows of a figure, as between two networks."""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl.record import Record, field

ADDED, DROPPED, RENAMED, CHANGED = "added", "dropped", "renamed", "changed"
KINDS = (ADDED, DROPPED, RENAMED, CHANGED)


class Mark(Record):
    """What happened to a row or an arrow: one of `KINDS`, in words how, and what to write into the block."""

    kind: str
    note: str = ""
    label: str = ""

    def __str__(self) -> str:
        """One line of words."""
        return f"{self.kind}: {self.note}" if self.note else self.kind


class Marking(Record):
    """Marks of one network: of rows (outputs too) by name, of arrows by the names of the two blocks."""

    rows: Mapping[str, Mark] = field(default_factory=dict)
    arrows: Mapping[tuple[str, str], Mark] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """What to write beside the name of a row, if anything."""
        return self.rows[name].label if name in self.rows else ""
