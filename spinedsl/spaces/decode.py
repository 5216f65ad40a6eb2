"""Decode: from the decisions of a genome to the rows of a candidate, orphans absorbed or dropped, or why it is none.

A block that nothing reads is an orphan. It is absorbed by the block of its level that an output reads, as SpineNet's
code does, if that stands below it, joins its inputs, and the join takes as many channels; else the space says what
becomes of it. A stem whose readers are all dropped, or read others, makes a network that does not compile.
"""

from __future__ import annotations

from typing import Protocol

from spinedsl.record import Record
from spinedsl.spaces.model import Genome, Space, placed

# Why a genome is no candidate, of its block; and what there is none of, where all are no candidates.
REASONS = {
    "orphan": ("nothing reads `{name}`, and the space excludes that", "none whose blocks are all read or absorbed"),
    "clash": ("the output of `{name}` is at the level of another", "none whose outputs are at levels of their own"),
    "stem": ("nothing that is left reads the stem that `{name}` reads", "none whose stems are all read"),
}


class Known(Protocol):
    """What has to be known of a space's blocks, by their numbers.

    `joining` tells which join their inputs. `stems` has a block that reads each stem, and all that keep doing so.
    """

    joining: list[bool]
    stems: list[tuple[int, frozenset[int]]]

    def fits(self, genome: Genome, orphan: int, host: int) -> bool:
        """The join of a block takes as many channels as come out of another."""


class Placed(Record):
    """A block in its slot. `parents` and `absorbed` are slots; `chosen` tells that its parents were chosen."""

    block: int
    level: int
    type: int
    parents: tuple[int, ...]
    absorbed: tuple[int, ...]
    chosen: bool


class Excluded(Record):
    """A genome that is no candidate: for its block `block` one of `REASONS` holds."""

    block: int
    reason: str = "orphan"


class Candidate(Record):
    """The rows of a candidate by slot; None where the block was dropped."""

    rows: tuple[Placed | None, ...]


def decode(space: Space, genome: Genome, known: Known) -> Candidate | Excluded:
    """The rows that the decisions lead to. From the last slot up, so that what reads a block was decided before it."""
    blocks = space.blocks
    at = placed(space, genome)
    slot_of = {block: slot for slot, block in enumerate(at)}
    levels = [blocks[block].levels[genome.levels[block]] for block in range(len(blocks))]
    read: set[int] = {slot_of[block] for block in space.ends}
    absorbed: dict[int, list[int]] = {}
    rows: list[Placed | None] = [None] * len(at)
    for slot in range(len(at) - 1, -1, -1):
        number = at[slot]
        block = blocks[number]
        if slot not in read:
            host = _host(space, at, slot, levels, genome, known) if space.fates[0] == "absorb" else None
            if host is not None:
                absorbed.setdefault(host, []).insert(0, slot)
            elif space.fates[-1] == "drop":
                continue
            else:
                return Excluded(number)
        chosen = block.window is not None
        parents = genome.parents[slot] if chosen else tuple(slot_of[one] for one in block.reads)
        kept = tuple(slot_of[one] for one in block.absorbs)
        read.update(parents)
        read.update(kept)
        rows[slot] = Placed(number, levels[number], genome.types[number], parents, kept, chosen)
    for host, orphans in absorbed.items():
        row = rows[host]
        assert row is not None
        rows[host] = Placed(
            row.block, row.level, row.type, row.parents, tuple(sorted({*row.absorbed, *orphans})), row.chosen
        )
    if known.stems:
        left = {row.block for row in rows if row is not None}
        for reader, readers in known.stems:
            if left.isdisjoint(readers):
                return Excluded(reader, "stem")
    return Candidate(tuple(rows))


def _host(space: Space, at: tuple[int, ...], slot: int, levels: list[int], genome: Genome, known: Known) -> int | None:
    """The slot of the block that absorbs an orphan."""
    orphan = at[slot]
    for below in range(slot + 1, len(at)):
        block = at[below]
        if not space.ends.get(block) or levels[block] != levels[orphan] or not known.joining[block]:
            continue
        return below if known.fits(genome, orphan, block) else None
    return None
