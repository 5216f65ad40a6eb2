"""E0402: input size does not divide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Edit, Rule
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0402",
    title="input size does not divide",
    message="{what} does not divide by {divisor}, which level {level} needs",
    label="{got} / {divisor} is not whole",
    fix="the nearest sizes that divide: {sizes}",
    default=Default.ERROR,
    explanation="""\
A map of level L is 2^L times smaller than the input. Where that does not come out whole, sizes have
to be rounded, and maps of different levels no longer lie on top of each other when they are
resampled and joined. So height and width divide by 2^(highest level): the message names the nearest
sizes that do.

Where another size has to do, `rules { sizes any }` in the network says so: every level then has the
input's size divided by 2^L and rounded up, and what goes down levels is cut to the size of its level.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 100 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 5 after s
    output C5: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 96 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..7: 32 }
    stem s: resnet_stem channels 32
    block b0: residual level 5 after s
    output C5: b0
}
""",
)


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Height and width that do not divide, with the nearest sizes that do; told once where they are the same."""
    declared, input_type = network.network.input, network.input_type
    if declared is None or input_type is None:
        return
    _, height, width = (expr.span for expr in declared.sizes)
    axes: list[tuple[str, int, tuple[Span, ...]]]
    if input_type.height == input_type.width:
        axes = [(f"an input of {input_type.size}", input_type.height, (height, width))]
    else:
        axes = [
            (f"an input height of {input_type.height}", input_type.height, (height,)),
            (f"an input width of {input_type.width}", input_type.width, (width,)),
        ]
    for what, got, places in axes:
        if got % network.divisor:
            outside = network.given_size is not None
            place = declared.span if outside else places[0].to(places[-1])
            level = network.divisor.bit_length() - 1
            found = RULE.at(place, what=what, got=got, divisor=network.divisor, level=level)
            yield _with_sizes(found, got, network.divisor, places, outside=outside)


def _with_sizes(found: Diagnostic, got: int, divisor: int, places: tuple[Span, ...], *, outside: bool) -> Diagnostic:
    """The same with the nearest sizes that divide; as an edit where numbers stand in the file."""
    if outside:
        found = found.with_notes("the size was given on the command line")
    found = found.with_notes("`rules { sizes any }` in the network would round sizes up")
    down, up = got // divisor * divisor, -(-got // divisor) * divisor
    sizes = [size for size in ((down, up) if got - down <= up - got else (up, down)) if size]
    edits = [Edit(place, str(sizes[0])) for place in places if place.text.isdigit()]
    if outside or len(edits) < len(places):
        edits = []
    return found.repaired(*edits, sizes=" or ".join(str(size) for size in sizes))
