"""Rewrites of a network that cannot matter: other names, the parents of a sum swapped, independent rows reordered.

In: a checked file and a network of it. Out: a `Rewritten` file, whose network computes the same function of the same
weights; None where there is nothing to rewrite.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from spinedsl import driver, edit
from spinedsl.ir.networks import RowDecl
from spinedsl.record import Record
from spinedsl.source import Source
from spinedsl.syntax.parse import tokens_of

COMMUTATIVE = ("activated_sum", "plain_sum")  # joins of the prelude
UNUSED = "\ndef nobody_uses_this__(x) {\n    return relu(x)\n}\n"


class Rewritten(Record):
    """The file after a rewrite, the network to compile, and whether rows have other names."""

    source: Source
    network: str
    renamed: bool = False


def renamed(analysis: driver.Analysis, name: str) -> Rewritten | None:
    """Every block and stem has another name, wherever it is written."""
    source, network = analysis.source, analysis.networks[name]
    taken = set(analysis.unit.definitions) | set(analysis.networks)
    for other in analysis.networks.values():
        taken |= {parameter.name.text for parameter in other.declared.parameters}
        taken |= {let.name.text for let in other.lets}
    rows = {row.name for row in network.rows if row.row.kind in ("stem", "block")} - taken
    if not rows or any(row.row.name.span.source is not source for row in network.rows):
        return None
    definitions = [definition.span for definition in analysis.unit.file.definitions]
    text, end = "", 0
    for token, following in pairwise(tokens_of(source)):
        at = token.start_pos or 0
        if (
            token.type == "NAME"
            and token.value in rows
            and following.type != "EQUAL"  # the name of an argument
            and not any(span.start <= at < span.end for span in definitions)
        ):
            text += f"{source.text[end:at]}other_{token.value}"
            end = at + len(token.value)
    return Rewritten(Source.from_text(text + source.text[end:], source.name, source.origin), name, renamed=True)


def swapped(analysis: driver.Analysis, name: str) -> Rewritten | None:
    """The inputs of every sum in the other order."""
    changes = [
        edit.Change(row.name, edit.clauses(from_=[source.text for source in reversed(row.sources)]))
        for row in analysis.networks[name].rows
        if row.row.kind == "block" and len(row.sources) > 1 and not row.own and row.join is not None and _adds(row)
    ]
    return _edited(analysis, name, edit.Edits(changes)) if changes else None


def _adds(row: RowDecl) -> bool:
    """The join of the row is a sum of the prelude."""
    assert row.join is not None
    _, defined = row.join
    return defined.name in COMMUTATIVE and defined.unit.file.source.name.startswith("std/")


def reordered(analysis: driver.Analysis, name: str) -> Rewritten | None:
    """Two neighbours, neither of which reads the other, in the other order."""
    for above, below in pairwise(analysis.networks[name].rows):
        read = {source.text for source in (*below.sources, *below.absorbed)}
        if above.row.kind == below.row.kind == "block" and above.name not in read:
            return _edited(analysis, name, edit.Edits([edit.Move(below.name, before=above.name)]))
    return None


def with_unused_definition(analysis: driver.Analysis, name: str) -> Rewritten | None:
    """A definition more, which nothing uses."""
    source = analysis.source
    return Rewritten(Source.from_text(source.text.rstrip("\n") + "\n" + UNUSED, source.name, source.origin), name)


def _edited(analysis: driver.Analysis, name: str, edits: edit.Edits) -> Rewritten:
    fresh = f"{name}__rewritten"
    return Rewritten(edit.apply(analysis.source, edits, base=name, name=fresh), fresh)


REWRITES: dict[str, Callable[[driver.Analysis, str], Rewritten | None]] = {
    "renaming blocks": renamed,
    "swapping the parents of a sum": swapped,
    "reordering independent blocks": reordered,
    "an unused definition": with_unused_definition,
}
