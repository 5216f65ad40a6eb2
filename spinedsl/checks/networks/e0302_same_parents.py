"""E0302: same input twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Edit, Label, Rule
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0302",
    title="same input twice",
    message="block `{name}` takes `{parent}` twice",
    label="the second time",
    fix="name another block, or take this one away",
    default=Default.ERROR,
    explanation="""\
The two inputs of a block are two different blocks, as in SpineNet's search space (Du et al., CVPR
2020). The same one twice would only be resampled twice and added up. Usually one of the two names
is a slip.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 2  from b0, b0
    output C2: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 2  from s, b0
    output C2: b1
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks that take, or absorb, one block twice."""
    for row in network.rows.values():
        if row.declared.maps > 1 or (row.kind == "block" and row.declared.direct):
            continue  # each has a place of its own, or several are a mistake by themselves
        clauses = row.declared.clauses
        given = [
            (clause.value, clause.own or (None,) * len(clause.value))
            for clause in (clauses.get("from") or clauses.get("after"), clauses.get("absorb"))
            if clause is not None and isinstance(clause.value, tuple)
        ]
        if len({name.text for names, _ in given for name in names}) == sum(len(names) for names, _ in given):
            continue
        seen: dict[str, Span] = {}
        reported: set[str] = set()
        for names, own in given:
            before: Span | None = None
            for name, use in zip(names, own, strict=True):
                end = name.span.end if use is None else use.span.end
                if name.text in seen and name.text not in reported:
                    reported.add(name.text)
                    found = RULE.at(name.span, name=row.name, parent=name.text)
                    found = found.with_others(Label(seen[name.text], "the first time"))
                    edits: tuple[Edit, ...] = ()
                    if before is not None:
                        edits = (Edit(Span(name.span.source, before.end, end), ""),)
                    yield found.repaired(*edits)
                seen.setdefault(name.text, name.span)
                before = Span(name.span.source, name.span.start, end)
