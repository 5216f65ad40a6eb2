"""What stands in a network by itself: its rows and its parts, as they are written and edited.

In: a resolved network. Out: rows and parts by name, and the texts that edits have for them.
"""

from __future__ import annotations

from typing import TypeAlias

from spinedsl.edit import type_of
from spinedsl.ir.edits.standing import RowEdit, name_of
from spinedsl.ir.networks import Network
from spinedsl.record import replace
from spinedsl.source import Span
from spinedsl.syntax import tree
from spinedsl.syntax.format import text_of

Placed: TypeAlias = "tree.Row | tree.Part"


def standing(network: Network) -> dict[str, Placed]:
    """The rows and parts of a network; not the rows inside parts."""
    whole = network.declared.whole
    if whole is None:
        return {row.name: row.row for row in network.rows}
    found: dict[str, Placed] = {}
    for item in whole.items:
        if isinstance(item, tree.Row | tree.Part):
            found[item.name.text] = item
        elif isinstance(item, tree.Outputs) and item.sources is not None and any(one.text for one in item.names):
            found |= _each(item, network.declared)
    return found


def reached_inside(network: Network) -> list[str]:
    """The rows of parts that edits were about."""
    edits = [one for one in network.declared.inside if isinstance(one, RowEdit)]
    return [name for one in edits if "." in (name := name_of(one))]


def _each(item: tree.Outputs, declared: tree.Network) -> dict[str, tree.Row]:
    """`output P3, P4: n` as a row for each: `output P3: n.P3`."""
    texts = [text for name in item.sources or () for text in _gives(name.text, declared)]
    return {
        name.text: tree.Row("output", name, tree.Use(tree.Name(text, name.span), (), name.span), (), name.span)
        for name, text in zip(item.names, texts, strict=True)
        if name.text
    }


def _gives(name: str, declared: tree.Network) -> list[str]:
    """What a name stands for that several outputs read: itself, or each output of a part."""
    rows = declared.given.get(name, ())
    if len(rows) < 2:
        return [name]
    outputs = {
        given[0]: one for one, given in declared.given.items() if one.rpartition(".")[0] == name and len(given) == 1
    }
    return [outputs.get(row, row) for row in rows]


def type_text(row: Placed) -> str:
    """The type of a row, the network of a part, or the row that an output gives as it is."""
    if isinstance(row, tree.Part):
        return type_of(row.use, row.shared)
    plain = row.kind == "output" and not row.clauses and not row.use.arguments
    return row.use.name.text if plain else text_of(row.use.span)


def clause_text(clause: tree.Clause) -> str:
    """What a clause says."""
    if isinstance(clause, _Spelled):
        return clause.text
    return text_of(Span(clause.span.source, clause.keyword.span.end, clause.span.end))


class _Spelled(tree.Clause, eq=False):
    """A clause with the text that an edit has for it."""

    text: str = ""


def spelled(row: tree.Row, network: Network) -> tree.Row:
    """A row of a part as an edit says it: rows by their full names, unless an edit does so already."""
    if "." not in row.name.text:
        return row
    own = [one.span for one in network.declared.inside]
    clauses = tuple(
        clause
        if not isinstance(clause.value, tuple) or any(_stands_in(clause.span, span) for span in own)
        else _Spelled(clause.keyword, clause.value, clause.span, clause.own, _names(clause.value, clause.own))
        for clause in row.clauses
    )
    return replace(row, clauses=clauses)


def _stands_in(span: Span, whole: Span) -> bool:
    return span.source is whole.source and whole.start <= span.start and span.end <= whole.end


def _names(names: tuple[tree.Name, ...], own: tuple[tree.Use | None, ...]) -> str:
    """Rows by their full names, with what each alone goes through."""
    return ", ".join(
        name.text + (f" resample {text_of(use.span)}" if use is not None else "")
        for name, use in zip(names, own or (None,) * len(names), strict=True)
    )
