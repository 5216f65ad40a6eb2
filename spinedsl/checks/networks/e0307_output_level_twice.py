"""E0307: two outputs of one level."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Label, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork, TypedRow

RULE = Rule(
    "E0307",
    title="two outputs of one level",
    message="outputs `{first}` and `{second}` are both at level {level}",
    label="level {level} again",
    fix="take one of them away, or say `rules {{ outputs any }}`",
    default=Default.ERROR,
    explanation="""\
The outputs are a pyramid, one map a level: a detection head assigns objects to levels by their size
and expects each level once. SpineNet has exactly one output block for each of its levels (Du et
al., CVPR 2020). Give one of the two another level, or join them in a block.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 2  after b0
    output low: b0
    output top: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output low: b0
    output top: b1
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Outputs of a level that an output before has: a pyramid names each scale once."""
    by_level: dict[int, TypedRow] = {}
    if network.outputs_any or network.network.is_part:
        return
    for row in network.rows.values():
        level = row.type.level if row.kind == "output" and row.type is not None else None
        if level is None:
            continue
        if level in by_level and not network.network.may_edit(_names(by_level[level], row)):
            first = by_level[level]
            found = RULE.at(row.span, first=first.name, second=row.name, level=level)
            yield found.with_others(Label(first.span, f"level {level} here first")).repaired()
        by_level.setdefault(level, row)


def _names(*rows: TypedRow) -> set[str]:
    return {name for row in rows for name in (row.name, *(source.text for source in row.declared.sources))}
