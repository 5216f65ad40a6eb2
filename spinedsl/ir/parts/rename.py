"""Call things as they are called in the network written out: rows by their prefix, numbers by that of their part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from spinedsl.record import replace
from spinedsl.syntax import tree

T = TypeVar("T")
FIELDS = tree.FIELDS


def valued(node: T, names: Mapping[str, str]) -> T:
    """A node in which the names of values are others."""
    if not names:
        return node
    if isinstance(node, tuple):
        return tuple(valued(part, names) for part in node)  # type: ignore[return-value]
    if isinstance(node, tree.Ident):
        return replace(node, name=names[node.name]) if node.name in names else node
    if type(node) not in FIELDS:
        return node
    if isinstance(node, tree.ListOfEach):
        inner = {old: new for old, new in names.items() if old != node.name.text}
        return replace(node, value=valued(node.value, inner), items=valued(node.items, names))
    parts = {name: valued(getattr(node, name), names) for name in FIELDS[type(node)]}
    if isinstance(node, tree.Use) and node.name.text in names:
        parts["name"] = replace(node.name, text=names[node.name.text])
    if isinstance(node, tree.Call) and node.callee.text in names:
        parts["callee"] = replace(node.callee, text=names[node.callee.text])
    return replace(node, **parts)  # type: ignore[type-var]


def reread(row: tree.Row, sources: Callable[[tree.Name], tuple[tree.Name, ...]]) -> tree.Row:
    """A row that reads what `sources` make of each name that it reads."""
    clauses = tuple(_reread(clause, sources) for clause in row.clauses)
    use = row.use
    if row.kind == "output" and not row.clauses and not use.arguments:
        found = sources(use.name)
        use = replace(use, name=found[0]) if len(found) == 1 else use
    return replace(row, clauses=clauses, use=use)


def _reread(clause: tree.Clause, sources: Callable[[tree.Name], tuple[tree.Name, ...]]) -> tree.Clause:
    """A clause that names rows, with what each name stands for; the resampling of one input is that of all of these."""
    if not isinstance(clause.value, tuple):
        return clause
    found = [sources(name) for name in clause.value]
    own = tuple(use for use, names in zip(clause.own, found, strict=False) for _ in names)
    return replace(clause, value=tuple(name for names in found for name in names), own=own)
