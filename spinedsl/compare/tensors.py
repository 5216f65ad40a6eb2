"""Tensors compared by name and shape, as a strict load does; and which tensor has only another name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spinedsl.compare.model import Tensors
from spinedsl.compare.rows import nodes_by_row
from spinedsl.compare.side import Side
from spinedsl.ops.graph import Node
from spinedsl.ops.naming import row_of
from spinedsl.ops.program import Row


def fit(old: Side, new: Side, found: Mapping[str, str]) -> Tensors:
    """How the old network's tensors fit the new one. `found` are the rows that both have, by their names."""
    before, after = ({name: p.shape for name, p in one.graph.parameters.items()} for one in (old, new))
    missing = {name: shape for name, shape in after.items() if name not in before}
    unexpected = {name: shape for name, shape in before.items() if name not in after}
    reshaped = {name: (shape, after[name]) for name, shape in before.items() if name in after and after[name] != shape}
    pairs = {**dict(_by_names(old, unexpected, found))}
    renamed = _each_once({was: now for was, now in pairs.items() if missing.get(now) == unexpected[was]})
    left = {name: shape for name, shape in unexpected.items() if name not in renamed}
    right = {name: shape for name, shape in missing.items() if name not in renamed.values()}
    renamed |= _each_once(dict(_by_places(old, new, left, right, found)))
    return Tensors(missing, unexpected, reshaped, renamed)


def _each_once(renamed: Mapping[str, str]) -> dict[str, str]:
    """The names without those whose new one an earlier one has: where copies come to share, the first goes on."""
    first: dict[str, str] = {}
    for was, now in renamed.items():
        first.setdefault(now, was)
    return {was: now for now, was in first.items()}


def _by_names(old: Side, names: Mapping[str, object], found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What tensors are called once their rows, and the rows that these read, have their new names."""
    rows: dict[str, Row] = {row.name: row for row in old.program.rows}
    for name in names:
        row = row_of(name, rows)
        rest = name.removeprefix(f"{row}.").split(".")
        if row not in found:
            continue
        for connection in rows[row].inputs:
            if rest[0] == f"from_{connection.source}" and connection.source in found:
                rest[0] = f"from_{found[connection.source]}"
                break
        yield name, ".".join([found[row], *rest])


def _by_places(
    old: Side, new: Side, left: Mapping[str, object], right: Mapping[str, object], found: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """In rows whose operations are the same but for the names in their definitions: tensors in their order."""
    here, there = nodes_by_row(old.graph), nodes_by_row(new.graph)
    for was, now in found.items():
        if [_form(node, old) for node in here[was]] != [_form(node, new) for node in there[now]]:
            continue
        for one, other in zip(_tensors(here[was]), _tensors(there[now]), strict=True):
            if one in left and other in right:
                yield one, other


def _form(node: Node, side: Side) -> tuple[object, ...]:
    return node.primitive, [(part, side.graph.parameters[name].shape) for part, name in node.parameters.items()]


def _tensors(nodes: Sequence[Node]) -> list[str]:
    return [name for node in nodes for name in node.parameters.values()]
