"""E0401: level out of range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Label, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0401",
    title="level out of range",
    message="level {got} is out of range",
    label="expected {expected}",
    default=Default.ERROR,
    explanation="""\
A level is a whole number: a feature map of level L is the input divided by 2^L. Blocks stand at the
stem's level or above, since the stem's map is the finest that there is to read. The highest level
is 16.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 1..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 1  from s, b0
    output top: b1
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
    widths { level 1..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  from s, b0
    output top: b1
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks at a finer level than the one where the first stem ends. Other levels are found where they are read."""
    first = next((row for row in network.rows.values() if row.kind == "stem"), None)
    least = first.type.level if first is not None and first.type is not None else None
    if first is None or least is None:
        return
    for row in network.rows.values():
        clause = row.declared.clauses.get("level")
        if clause is not None and row.level is not None and row.level < least:
            found = RULE.at(clause.span, got=row.level, expected=f"{least} or more")
            found = found.with_others(Label(first.span, f"stem `{first.name}` ends at level {least}"))
            yield found.with_fix(f"no block stands below the stem: say `level {least}` or more")
