"""A search space with every name found, and the record of the decisions that make one candidate of it.

A network's block rows stand in *slots*, numbered from the top. A `permute` lets its blocks change places among the
slots that they have together; parents are chosen by slot, so that whatever is chosen is a network: a parent always
stands above. Blocks are numbered too, by the slots in which the network itself has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor, inf

from spinedsl.brief import counted, cut
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network
from spinedsl.ir.typed import TypedNetwork
from spinedsl.record import Record
from spinedsl.syntax import tree

FIGURES = ("multiply_adds", "parameters", "memory")  # what a `keep` may bound
LARGEST, MOST_DIGITS = 10**300, 400  # that are written as decimal numbers
FATES = ("absorb", "drop", "exclude")  # of a block that nothing reads


class Window(Record):
    """How the parents of a slot are chosen: `count` of the `last` blocks above, or of all where it is None."""

    count: int
    last: int | None

    def pool(self, slot: int) -> range:
        """The slots that a block in `slot` may read."""
        return range(0 if self.last is None else max(slot - self.last, 0), slot)


class Block(Record, eq=False):
    """A block row. Where nothing is chosen, `levels` and `types` have one entry, and `window` is None.

    `levels` are the levels by the place of the shift in its range: those of two shifts may be the same.
    `reads` are the numbers of the blocks that it reads as it is written; those that it absorbs are in `absorbs`.
    """

    name: str
    row: tree.Row
    levels: tuple[int, ...]
    types: tuple[tree.Use, ...]
    window: Window | None
    reads: tuple[int, ...]
    absorbs: tuple[int, ...]
    direct: bool  # fed by `after`, so that nothing can be absorbed
    low: int = 0  # the first shift

    def __brief__(self) -> str:
        return f"{cut(self.name, 40)}: {counted(len(self.levels), 'level')}, {counted(len(self.types), 'type')}"


class Keep(Record):
    """A bound on a figure of a candidate."""

    figure: str
    operator: str
    bound: int | Fraction

    def holds(self, value: int) -> bool:
        """Whether a value of the figure is within the bound."""
        if self.operator in ("<=", "<"):
            return value < self.bound or (value == self.bound and self.operator == "<=")
        return value > self.bound or (value == self.bound and self.operator == ">=")

    @property
    def room(self) -> tuple[float, float]:
        """The least and the greatest whole number within the bound."""
        if self.operator in ("<=", "<"):
            return -inf, floor(self.bound) if self.operator == "<=" else ceil(self.bound) - 1
        return ceil(self.bound) if self.operator == ">=" else floor(self.bound) + 1, inf

    def meets(self, other: Keep) -> bool:
        """Some whole number is within both bounds."""
        return max(self.room[0], other.room[0]) <= min(self.room[1], other.room[1])

    def __str__(self) -> str:
        return f"{self.figure} {self.operator} {shortened(self.bound)}"


class Space(Record, eq=False):
    """A search space.

    `groups` are the slots of each `permute`. `ends` has the blocks that outputs or heads read, by number, and whether
    an output does. `fates` is what becomes of a block that nothing reads, what is tried first standing first.
    """

    name: str
    declared: tree.Space
    unit: Unit  # of its file
    network: Network
    typed: TypedNetwork
    blocks: tuple[Block, ...]
    groups: tuple[tuple[int, ...], ...]
    ends: dict[int, bool]
    fates: tuple[str, ...]
    keeps: tuple[Keep, ...]

    def __brief__(self) -> str:
        return f"{cut(self.name, 40)} of {cut(self.network.name, 40)}: {counted(len(self.blocks), 'block')}"


class Genome(Record):
    """The decisions of one candidate.

    Attributes:
        orders: of each group, the block in each of its slots.
        parents: of each slot, the slots that its block reads, lowest first; empty where none are chosen.
        levels: of each block, which of its levels it has.
        types: of each block, which of its types it has.
    """

    orders: tuple[tuple[int, ...], ...]
    parents: tuple[tuple[int, ...], ...]
    levels: tuple[int, ...]
    types: tuple[int, ...]


def shortened(number: int | Fraction, *, exact: bool = True) -> str:
    """`90G` for 90,000,000,000. With a letter only where that gives the number exactly, unless six digits will do."""
    for letter, times in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("K", 10**3)):
        share = Fraction(number, times)
        if share >= 1 and share.denominator in (1, 2, 4, 5, 10, 20, 25, 50, 100):
            text = rounded(share)
            if Fraction(text) == share or not exact:
                return f"{text}{letter}"
    if Fraction(number).denominator == 1:
        return f"{number}"
    text = rounded(number)
    return text if Fraction(text) == number or not exact else _decimal(Fraction(number))


def rounded(number: int | Fraction) -> str:
    """A number to six digits."""
    return f"{float(number):g}" if number < LARGEST else f"{number}"


def _decimal(number: Fraction) -> str:
    """A number that is not whole with all its digits; as a ratio where these have no end."""
    for digits in range(1, MOST_DIGITS):
        if (number * 10**digits).denominator == 1:
            text = str(int(number * 10**digits)).zfill(digits + 1)
            return f"{text[:-digits]}.{text[-digits:]}"
    return f"{number}"


def placed(space: Space, genome: Genome) -> tuple[int, ...]:
    """The block in each slot."""
    found = list(range(len(space.blocks)))
    for slots, order in zip(space.groups, genome.orders, strict=True):
        for slot, block in zip(slots, order, strict=True):
            found[slot] = block
    return tuple(found)


def numbers(space: Space, names: Iterable[str]) -> dict[str, int]:
    """The numbers of blocks by name, of those that there are."""
    known = {block.name: number for number, block in enumerate(space.blocks)}
    return {name: known[name] for name in names if name in known}
