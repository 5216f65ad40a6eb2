"""What a comparison finds, as data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from spinedsl.analysis import Costs
from spinedsl.compare.side import Side
from spinedsl.record import Record


class Tier(IntEnum):
    """Whom a change breaks, from nobody upwards; each tier contains those below it."""

    NONE = 0  # the same numbers from the same weights
    NUMERIC = 1  # the same weights load, and give other numbers
    WEIGHTS = 2  # a checkpoint no longer loads
    INTERFACE = 3  # what goes in or what comes out is another thing

    @property
    def word(self) -> str:
        """As options and JSON spell it."""
        return self.name.lower()

    @property
    def means(self) -> str:
        """One line of words."""
        return _MEANINGS[self]


_MEANINGS = {
    Tier.NONE: "the same weights give the same numbers",
    Tier.NUMERIC: "the same weights load, and give other numbers",
    Tier.WEIGHTS: "weights of the old network do not load",
    Tier.INTERFACE: "what goes in or comes out is another thing",
}


class Reason(Record):
    """Why a comparison has at least this tier: one sentence, and what it is about, a tensor, output or operation."""

    tier: Tier
    about: str
    text: str


class Change(Record):
    """One thing that changed: of a row, a part, a setting or a definition (`kind`), by `name`.

    `how` is `added`, `dropped`, `renamed`, `moved`, or `changed`; then `what` names the clause. `old` and `new` are
    texts, empty where there is none.
    """

    kind: str
    name: str
    how: str
    what: str = ""
    old: str = ""
    new: str = ""


class Tensors(Record):
    """How tensors by the old network's names fit the new one's. `renamed` leads from old to new names."""

    missing: Mapping[str, tuple[int, ...]]  # of the new network, with their shapes
    unexpected: Mapping[str, tuple[int, ...]]  # of the old network
    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]  # old and new shape
    renamed: Mapping[str, str]  # where the same tensor, by its place in an equal row, has another name

    @property
    def fit(self) -> bool:
        """A strict load succeeds."""
        return not (self.missing or self.unexpected or self.reshaped)

    @property
    def convertible(self) -> bool:
        """It does after renaming."""
        return (
            not self.reshaped
            and self.missing.keys() == set(self.renamed.values())
            and self.unexpected.keys() == self.renamed.keys()
        )


class Difference(Record, eq=False):
    """Two networks compared. `notes` are changes that no tier counts, such as where fresh weights start."""

    old: Side
    new: Side
    changes: tuple[Change, ...]
    reasons: tuple[Reason, ...]
    tensors: Tensors
    notes: tuple[str, ...]

    @property
    def tier(self) -> Tier:
        """The highest that has a reason."""
        return max((reason.tier for reason in self.reasons), default=Tier.NONE)

    @property
    def costs(self) -> tuple[Costs, Costs]:
        """Before and after."""
        return self.old.costs, self.new.costs
