"""The inputs of a block are different blocks: the paper's space has two different ones."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork
from spinedsl.source import Span


def same_parents(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks that take, or absorb, one block twice."""
    for row in typed.rows.values():
        seen: dict[str, Span] = {}
        for name in (*row.declared.sources, *row.declared.absorbed):
            if name.text in seen:
                yield (
                    say.SAME_PARENTS.at(name.span, name=row.name, parent=name.text)
                    .with_others(Label(seen[name.text], "the first time"))
                    .with_fix("name another block, or take one away")
                )
            seen[name.text] = name.span
