"""Marks: what changed between two networks, on the rows and arrows of a figure. `compare` finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from fractions import Fraction

from spinedsl.draw.feeds import Feed, feeds
from spinedsl.ops.program import Call, Program, Row
from spinedsl.ops.types import Value
from spinedsl.record import Record, field

ADDED, DROPPED, CHANGED = "added", "dropped", "changed"
KINDS = (ADDED, DROPPED, CHANGED)
FILLED_IN = frozenset({"channels", "stride"})  # arguments that a row's own clauses decide


class Mark(Record):
    """What happened to a row or an arrow: `added`, `dropped` or `changed`, and in words how."""

    kind: str
    note: str = ""

    def __str__(self) -> str:
        """One line of words."""
        return f"{self.kind}: {self.note}" if self.note else self.kind


class Marking(Record):
    """Marks of one network: of rows (outputs too) by name, of arrows by the names of the two blocks."""

    rows: Mapping[str, Mark] = field(default_factory=dict)
    arrows: Mapping[tuple[str, str], Mark] = field(default_factory=dict)


def compare(old: Program, new: Program) -> tuple[Marking, Marking]:
    """Marks of the old network (what is dropped) and of the new one (what is added and what is changed)."""
    before, after = {row.name: row for row in old.rows}, {row.name: row for row in new.rows}
    moved = _moved([name for name in before if name in after], [name for name in after if name in before])
    dropped = {name: Mark(DROPPED) for name in before if name not in after}
    added: dict[str, Mark] = {}
    for name, row in after.items():
        if name not in before:
            added[name] = Mark(ADDED)
        elif notes := [*_differences(before[name], row), *(["stands elsewhere in the order"] if name in moved else [])]:
            added[name] = Mark(CHANGED, "; ".join(notes))
    left = {(feed.source, feed.target): feed for feed in feeds(old)}
    right = {(feed.source, feed.target): feed for feed in feeds(new)}
    return (
        Marking(dropped, {ends: Mark(DROPPED) for ends in left if ends not in right}),
        Marking(added, dict(_arrows(left, right))),
    )


def _arrows(
    left: Mapping[tuple[str, str], Feed], right: Mapping[tuple[str, str], Feed]
) -> Iterator[tuple[tuple[str, str], Mark]]:
    for ends, feed in right.items():
        if ends not in left:
            yield ends, Mark(ADDED)
        elif (was := _manner(left[ends])) != (now := _manner(feed)):
            yield ends, Mark(CHANGED, f"{now}, was {was}")


def _manner(feed: Feed) -> str:
    return f"resampled by {_call(feed.resample)}" if feed.resample is not None else feed.kind


def _moved(before: list[str], after: list[str]) -> set[str]:
    """Names that do not keep their place among the others."""
    kept = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return set(after) - {name for block in kept for name in after[block.b : block.b + block.size]}


def _differences(old: Row, new: Row) -> Iterator[str]:
    was, now = _clauses(old), _clauses(new)
    for clause, text in now.items():
        if text != was[clause]:
            yield f"{text or f'no {clause}'}, was {was[clause] or f'without {clause}'}"


def _clauses(row: Row) -> dict[str, str]:
    """What a row says, in words, clause by clause."""
    sources = ", ".join(connection.source for connection in row.inputs)
    return {
        "type": _call(row.calls[0]) if row.calls else "the map as it is",
        "level": f"level {row.level}" if row.level is not None else "no level",
        "channels": f"{row.type.channels} channels",
        "inputs": f"from {sources}" if row.join is not None or row.kind in ("output", "head") else f"after {sources}",
        "absorb": f"absorbs {', '.join(row.absorbed)}" if row.absorbed else "",
        "repeat": f"{len(row.calls)} times" if row.calls else "",
        "join": f"joined by {_call(row.join)}" if row.join is not None else "",
    }


def _call(call: Call) -> str:
    """A definition with the arguments that are not what it would take by itself."""
    defaults = {formal.name: formal.default.value for formal in call.module.formals if formal.default is not None}
    words = ", ".join(
        f"{name} = {_value(attr.value)}"
        for name, attr in call.module.scalars.items()
        if "." not in name and name not in FILLED_IN and attr.value != defaults.get(name)
    )
    return f"{call.module.definition}({words})" if words else call.module.definition


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{float(value):g}" if isinstance(value, Fraction) else str(value)
