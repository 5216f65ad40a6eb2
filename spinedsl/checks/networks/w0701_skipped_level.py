"""W0701: output level skipped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, Label, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "W0701",
    title="output level skipped",
    message="the outputs leave out level {levels}",
    label="between `{below}` and `{above}`",
    fix="add an output there",
    default=Default.WARNING,
    explanation="""\
A detection head expects a pyramid without gaps: RetinaNet assigns objects by their size to one of
the levels P3 to P7 (Lin et al., ICCV 2017), and a missing one would leave its objects to anchors
that fit badly. It is a warning, since segmentation and classification may want just this. Then
write the reason in the network: `allow W0701 "the head reads levels 2 and 4 only"`.
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
    block b1: residual  level 4  after b0
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
    """Gaps in the pyramid of outputs."""
    outputs = [row for row in network.rows.values() if row.kind == "output"]
    if any(row.type is None for row in outputs):
        return  # the missing level may be the one that is not known
    rows = {row.type.level: row for row in outputs if row.type is not None and row.type.level is not None}
    for below, above in pairwise(sorted(rows)):
        if above - below < 2:
            continue
        missing = " and ".join(str(level) for level in range(below + 1, above))
        found = RULE.at(rows[above].span, levels=missing, below=rows[below].name, above=rows[above].name)
        found = found.with_others(Label(rows[below].span, f"level {below} here"))
        yield accept(network, found)
