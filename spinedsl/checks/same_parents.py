"""The inputs of a block are different blocks: the paper's space has two different ones."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork
from spinedsl.source import Span
from spinedsl.syntax import tree


def same_parents(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks that take, or absorb, one block twice."""
    for row in typed.rows.values():
        seen: dict[str, Span] = {}
        said: set[str] = set()
        for names in (row.declared.sources, row.declared.absorbed):
            before: tree.Name | None = None
            for name in names:
                if name.text in seen and name.text not in said:
                    said.add(name.text)
                    found = say.SAME_PARENTS.at(name.span, name=row.name, parent=name.text)
                    found = found.with_others(Label(seen[name.text], "the first time"))
                    edits: tuple[Edit, ...] = ()
                    if before is not None:
                        edits = (Edit(Span(name.span.source, before.span.end, name.span.end), ""),)
                    yield found.with_fix("name another block, or take this one away", *edits)
                seen.setdefault(name.text, name.span)
                before = name
