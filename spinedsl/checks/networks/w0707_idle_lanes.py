"""W0707: lanes that do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.brief import counted
from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, LintSetting, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "W0707",
    title="lanes that do nothing",
    message="the convolutions of `{name}` compute {more:.0%} more than they are asked for",
    label="{widths} fill no block of {multiple}",
    settings=(
        LintSetting("multiple", default=8, least=2, most=1024, meaning="how many channels are computed at a time"),
        LintSetting("percent", default=5, least=0, most=100, meaning="how much more is not much"),
    ),
    default=Default.OFF,
    explanation="""\
Runtimes keep maps in blocks of 8 channels, or of 16 where the processor has AVX-512, and fill up a width that is no
multiple: a convolution from 41 to 41 channels takes as long as one from 48 to 48. This adds that up over all
convolutions, also those inside of block types, whose widths W0705 does not see. `rules { channels multiple(8) }` rounds
the widths of a network, which makes another network of it. Weights that are there stay as they are by
`spine compile -O2 --for onnxruntime`, which fills up what the runtime would not. Off by default: a width that was
published is no mistake.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 64 * 0.65 }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output C3: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..3: 64 * 0.65 }
    rules { channels multiple(8) }
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
    output C3: b1
}
""",
)
SHOWN = 4  # widths, those that cost most first


def check(network: TypedNetwork, multiple: int, percent: int) -> Iterator[Diagnostic]:
    """The network, if its widths cost that much."""
    found = network.lanes(multiple)
    if not found.asked or (found.computed - found.asked) * 100 <= percent * found.asked:
        return
    odd = sorted(found.odd, key=lambda width: (-found.odd[width].added, width))
    widths = counted(odd[0], "channel") if len(odd) == 1 else f"{counted(len(odd), 'width')}"
    told = RULE.at(
        network.network.declared.name.span, name=network.name, more=found.computed / found.asked - 1,
        widths=widths, multiple=multiple,
    )  # fmt: skip
    for width in odd[:SHOWN]:
        idle, lanes = -width % multiple, width + -width % multiple
        told = told.with_notes(
            f"{counted(width, 'channel')}, in {counted(found.odd[width].convolutions, 'convolution')}: "
            f"of {lanes} lanes {idle} {'does' if idle == 1 else 'do'} nothing, {idle / lanes:.0%}"
        )
    if len(odd) > SHOWN:
        told = told.with_notes(f"and {counted(len(odd) - SHOWN, 'further width')}")
    rounds = network.multiple % multiple == 0
    repair = (
        "round those that definitions make"
        if rounds
        else f"round its widths: `rules {{ channels multiple({multiple}) }}`"
    )
    yield accept(network, told, repair)
