"""W0702: resampling over many levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, Label, LintSetting, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "W0702",
    title="resampling over many levels",
    message="`{target}` resamples `{source}` over {distance} levels",
    label="{distance} levels apart",
    fix="go by way of a block between",
    default=Default.WARNING,
    settings=(LintSetting("levels", default=3, least=1, most=16, meaning="how many levels are not far"),),
    explanation="""\
One resampling over more than three levels shrinks or stretches a map 16 times or more, and most of
what the source knew about places is lost on the way. The published SpineNets stay within three. If
you want it all the same, for instance because a search found it, write down why: `allow W0702
"found by search"`.
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
    block b0: residual  level 4  after s
    block b1: residual  level 6  from s, b0
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
    widths { level 2..7: 32 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 32
    block b0: residual  level 4  after s
    block b1: residual  level 5  from s, b0
    output top: b1
}
""",
)


def check(network: TypedNetwork, levels: int) -> Iterator[Diagnostic]:
    """Connections whose ends are more than so many levels apart."""
    for row in network.rows.values():
        for connection in row.inputs:
            source = network.rows[connection.source.text]
            if connection.resample is None or source.level is None or row.level is None:
                continue
            distance = abs(row.level - source.level)
            if distance > levels:
                found = RULE.at(connection.source.span, target=row.name, source=source.name, distance=distance)
                found = found.with_others(Label(source.span, f"`{source.name}` is at level {source.level}"))
                yield accept(network, found)
