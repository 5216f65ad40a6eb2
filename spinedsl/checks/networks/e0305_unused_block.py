"""E0305: block that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Edit, Rule
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork, TypedRow

RULE = Rule(
    "E0305",
    title="block that nothing uses",
    message="nothing uses block `{name}`",
    label="its feature map reaches no output",
    fix="take the row away, or read it in a block below",
    default=Default.ERROR,
    explanation="""\
No output depends on this block: it would cost parameters and time and change nothing, and its
weights would get no gradient. Search finds such blocks, and SpineNet-49 has one too. Its published
code adds that map into the output block of the same level, silently; here the file says so, `absorb
b1`. Otherwise read the block further down, or drop it.
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
    block b1: residual  level 2  from s, b0
    block b2: residual  level 2  from s, b0
    output C2: b2
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
    block b2: residual  level 2  from s, b0  absorb b1
    output C2: b2
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks and stems that no row reads. What only they read follows from them, and is not reported."""
    rows = list(network.rows.values())
    if not any(row.is_end for row in rows):
        return
    used = {name.text for row in rows for name in (*row.declared.sources, *row.declared.absorbed)}
    used |= network.network.mentioned
    for position, row in enumerate(rows):
        if row.is_end or row.is_inner or row.name in used:
            continue
        found = RULE.at(row.span, name=row.name)
        host = _host(row, rows[position + 1 :])
        if host is not None:
            end = host.declared.row.span.end
            place = Span(host.declared.row.span.source, end, end)
            found = found.with_fix(
                f"let `{host.name}`, of the same level, absorb it", Edit(place, f" absorb {row.name}")
            )
        yield found.repaired()


def _host(row: TypedRow, below: list[TypedRow]) -> TypedRow | None:
    """A block further down whose join could add this one's map as it is."""
    for other in below:
        join = other.join
        if join is None or row.type is None or "absorb" in other.declared.clauses:
            continue
        if (join.type.level, join.type.channels) == (row.type.level, row.type.channels):
            return other
    return None
