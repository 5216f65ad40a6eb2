"""W0705: channels that are no multiple."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.brief import counted
from spinedsl.checks.accept import accept
from spinedsl.diagnostics import Default, Diagnostic, Label, LintSetting, Rule

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork, TypedRow

RULE = Rule(
    "W0705",
    title="channels that are no multiple",
    message="`{name}` has {channels} channels, which is no multiple of {multiple}",
    label="the next {next}",
    settings=(LintSetting("multiple", default=8, least=2, most=1024, meaning="what channels are to be a multiple of"),),
    default=Default.OFF,
    explanation="""\
Matrix units and vector lanes take channels by the eight, or by another power of two: with 36 channels they compute
40. Which number counts depends on the device: 8 for float16 on tensor cores, 16 for int8, 32 or more for others;
`--set W0705.multiple=16` says so. The 41, 83 and 166 channels of SpineNet-49S cost ONNX Runtime 12% of the time, unless
`spine compile -O2 --for onnxruntime` fills them up. A width that was found by search, or has to stay as it was trained,
is no mistake, so this is off by default. Asked for the maps between rows alone.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: residual level 3 after s channels 36
    output C3: b0
}
""",
    right="""\
spine 1
import std.blocks
import std.stems

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 32
    block b0: residual level 3 after s channels 40
    output C3: b0
}
""",
)
SHOWN = 3  # further rows of the same width


def check(network: TypedNetwork, multiple: int) -> Iterator[Diagnostic]:
    """Rows whose maps have other channels. Rows of one level that get them from the network are told together."""
    found: dict[object, list[TypedRow]] = {}
    for row in network.rows.values():
        made = row.kind in ("stem", "block") or (
            row.kind == "output" and row.calls
        )  # not one that is another row's map
        if made and row.type is not None and not row.type.is_vector and row.type.channels % multiple:
            own = "channels" in row.declared.clauses or row.level is None
            found.setdefault(row.name if own else (row.level, row.type.channels), []).append(row)
    for first, *others in found.values():
        assert first.type is not None
        channels = first.type.channels
        below, above = channels // multiple * multiple, -(-channels // multiple) * multiple
        nearest = f"{below} or {above}" if below else str(above)
        place = first.declared.clauses["channels"].span if "channels" in first.declared.clauses else first.span
        told = RULE.at(
            place,
            name=first.name,
            channels=channels,
            multiple=multiple,
            next=f"multiple is {above}" if not below else f"multiples are {below} and {above}",
        )
        told = told.with_notes(
            f"matrix units and vector lanes take channels {multiple} at a time, and a part takes as long as all: "
            f"of {above} lanes {above - channels} do nothing, {(above - channels) / above:.0%}"
        )
        told = told.with_others(*(Label(other.span, f"`{other.name}` too") for other in others[:SHOWN]))
        more = (
            [f"{counted(len(others) - SHOWN, 'further row')} of level {first.level} too"] if len(others) > SHOWN else []
        )
        yield accept(network, told.with_notes(*more), f"choose {nearest} channels")
