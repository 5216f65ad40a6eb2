"""Marks: what a difference says of rows and connections, for the figure that shows both networks.

A row is marked for what its own clauses, its definitions and its operations say. What only follows from a change of a
row that feeds it, such as tensors of another shape, is left to that row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spinedsl.compare.model import Change, Difference, Reason, Tier
from spinedsl.compare.settings import modules_of
from spinedsl.draw.feeds import Feed, feeds
from spinedsl.draw.marks import ADDED, CHANGED, DROPPED, RENAMED, Mark, Marking
from spinedsl.ops.naming import row_of
from spinedsl.ops.program import Program, Row

ROWS = ("stem", "block", "output", "head")
SPEAKING = ("inputs", "type")  # clauses whose texts need no word before them
Ends = tuple[str, str]  # of an arrow: the names of its two rows


def markings(difference: Difference) -> tuple[Marking, Marking]:
    """Marks of the old network (dropped, renamed) and of the new one (added, renamed, changed)."""
    old, new = difference.old.program, difference.new.program
    changes = [change for change in difference.changes if change.kind in ROWS]
    renamed = {change.old: change.new for change in changes if change.how == "renamed"}
    dropped = {change.name for change in changes if change.how == "dropped"}
    names = {row.name: renamed.get(row.name, row.name) for row in old.rows if row.name not in dropped}
    before = [((names.get(feed.source), names.get(feed.target)), feed) for feed in feeds(old)]
    after = {(feed.source, feed.target): feed for feed in feeds(new)}
    notes = _Notes(new, after)
    notes.of_clauses(changes)
    notes.of_definitions({change.name for change in difference.changes if change.kind == "definition"})
    notes.of_operations(difference, names)
    notes.of_tasks([change for change in difference.changes if change.kind == "task"], difference)
    added = {change.name for change in changes if change.how == "added"}
    back = {now: was for was, now in renamed.items()}
    gone = {name: Mark(DROPPED) for name in dropped}
    gone |= {was: Mark(RENAMED, f"now {now}", f"now {now}") for was, now in renamed.items()}
    return (
        Marking(gone, {(feed.source, feed.target): Mark(DROPPED) for ends, feed in before if ends not in after}),
        Marking(dict(_rows(new, added, back, notes.rows)), dict(_arrows(dict(before), after, notes.arrows))),
    )


def _rows(
    new: Program, added: set[str], back: Mapping[str, str], notes: Mapping[str, list[str]]
) -> Iterator[tuple[str, Mark]]:
    for row in new.rows:
        texts, was = notes.get(row.name, []), back.get(row.name)
        if row.name in added:
            yield row.name, Mark(ADDED)
        elif was is not None:
            yield row.name, Mark(CHANGED if texts else RENAMED, "; ".join([f"was {was}", *texts]), f"was {was}")
        elif texts:
            yield row.name, Mark(CHANGED, "; ".join(texts))


def _arrows(
    before: Mapping[tuple[str | None, str | None], Feed], after: Mapping[Ends, Feed], notes: Mapping[Ends, list[str]]
) -> Iterator[tuple[Ends, Mark]]:
    for ends, feed in after.items():
        if ends not in before:
            yield ends, Mark(ADDED)
            continue
        kinds = [f"{feed.kind}, was {before[ends].kind}"] if feed.kind != before[ends].kind else []
        if texts := [*kinds, *notes.get(ends, [])]:
            yield ends, Mark(CHANGED, "; ".join(texts))


class _Notes:
    """What is reported about the rows and arrows of the new network, the plainest first."""

    def __init__(self, new: Program, arrows: Mapping[Ends, Feed]) -> None:
        self.named = {row.name: row for row in new.rows}
        self.feeds = arrows
        self.rows: dict[str, list[str]] = {}
        self.arrows: dict[Ends, list[str]] = {}
        self.scaled: set[str] = set()  # rows that are new, or whose level or channels changed

    def of_clauses(self, changes: list[Change]) -> None:
        """What the rows themselves say."""
        for change in changes:
            if change.how == "added" or change.what in ("level", "channels"):
                self.scaled.add(change.name)
            if change.how == "moved":
                self.rows.setdefault(change.name, []).append(f"moved, now {change.new}")
            elif change.what.startswith("resample"):
                for ends in self._resampled(self.named[change.name], change.what):
                    self.arrows.setdefault(ends, []).append(f"resampled by {change.new}, was {change.old}")
            elif change.how == "changed":
                word = "" if change.what in SPEAKING else f"{change.what} "
                self.rows.setdefault(change.name, []).append(f"{word}{change.new}, was {change.old}")

    def _resampled(self, row: Row, what: str) -> list[Ends]:
        """The arrows that `resample`, or `resample of input 2`, is about."""
        *_, last = what.split()
        chosen = [row.inputs[int(last) - 1]] if last.isdigit() else row.inputs
        return [(connection.source, row.name) for connection in chosen]

    def of_definitions(self, changed: set[str]) -> None:
        """What the definitions say that rows and connections use."""
        for row in self.named.values():
            own = (*row.calls, *([row.join] if row.join is not None else []))
            for name in sorted({module.definition for module in modules_of(own)} & changed):
                self.rows.setdefault(row.name, []).append(f"the definition {name} changed")
        for ends, feed in self.feeds.items():
            calls = [feed.resample] if feed.resample is not None else []
            for name in sorted({module.definition for module in modules_of(calls)} & changed):
                self.arrows.setdefault(ends, []).append(f"the definition {name} changed")

    def of_tasks(self, changes: list[Change], difference: Difference) -> None:
        """What their tasks say of heads; of a task that is dropped, of the head that had it."""
        for change in changes:
            program = (difference.old if change.how == "dropped" else difference.new).program
            task = next(task for task in program.tasks if task.name == change.name)
            how = f"{change.what} {change.new}, was {change.old}" if change.how == "changed" else change.how
            for head in dict.fromkeys(name for name in task.heads.values() if name in self.named):
                self.rows.setdefault(head, []).append(f"task {change.name} {how}")

    def of_operations(self, difference: Difference, names: Mapping[str, str]) -> None:
        """What operations and tensors say, where nothing else explains it: `defaults` that changed, for example."""
        only_renamed = {*difference.tensors.renamed, *difference.tensors.renamed.values()}
        rows: dict[str, list[str]] = {}
        arrows: dict[Ends, list[str]] = {}
        for reason in difference.reasons:
            name = row_of(reason.about, {*self.named, *names})
            rest = reason.about.removeprefix(name).removeprefix(".")
            row = self.named.get(names.get(name, name))
            if reason.about in only_renamed or row is None:
                continue
            part, _, inner = rest.partition(".")
            source = part.removeprefix("from_")
            ends = names.get(source, source), row.name
            if part != source and ends in self.feeds:
                if not self.scaled & set(ends):
                    arrows.setdefault(ends, []).append(f"{inner}: {reason.text}")
            elif not self._follows(reason, row, difference):
                rows.setdefault(row.name, []).append(f"{rest}: {reason.text}")
        self.rows |= {name: _first(texts) for name, texts in rows.items() if name not in self.rows}
        self.arrows |= {ends: _first(texts) for ends, texts in arrows.items() if ends not in self.arrows}

    def _follows(self, reason: Reason, row: Row, difference: Difference) -> bool:
        """A tensor has another shape because a row has that feeds this one."""
        fed = {connection.source for connection in row.inputs}
        return reason.tier is Tier.WEIGHTS and reason.about in difference.tensors.reshaped and bool(fed & self.scaled)


def _first(texts: list[str]) -> list[str]:
    return texts[:1] + ([f"and {len(texts) - 1} more"] if len(texts) > 1 else [])
