"""E0301: number of inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Rule
from spinedsl.diagnostics.plain import counted

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0301",
    title="number of inputs",
    message="{row} `{name}` has {got}, expected {expected}",
    label="{got}",
    default=Default.ERROR,
    explanation="""\
SpineNet's search space gives every block two input connections (Du et al., CVPR 2020, arXiv
1912.05027), so a block takes one or two, and more are likely to be a slip. A network of another
kind can say so for all its blocks: `rules { inputs 1..3 }`. An output reads one block, and `after`
connects one.
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
    block b2: residual  level 2  from s, b0, b1
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
    block b2: residual  level 2  from b0, b1
    output C2: b2
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Blocks whose `from` names too few or too many others, and outputs of several; absorbed maps are no inputs."""
    for row in network.rows.values():
        least, most = network.inputs_of(row.name)
        count = len({name.text for name in row.declared.sources})  # one named twice is another mistake
        clause = row.declared.clauses.get("from")
        if row.kind == "output" and count > 1 and clause is not None:
            found = RULE.at(clause.span, row="output", name=row.name, got=counted(count, "input"), expected="1")
            yield found.with_fix("join them in a block, and give that")
        if row.kind != "block" or clause is None or least <= count <= most or row.declared.maps > 1:
            continue
        expected = str(least) if least == most else f"{least} or {most}" if most == least + 1 else f"{least} to {most}"
        found = RULE.at(clause.span, row="block", name=row.name, got=counted(count, "input"), expected=expected)
        yield found.with_fix(
            f"let it read from {'fewer' if count > most else 'more'} blocks, or set "
            f"`rules {{ inputs {min(least, count)}..{max(most, count)} }}` for this network"
        )
