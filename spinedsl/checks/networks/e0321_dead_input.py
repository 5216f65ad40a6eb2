"""E0321: input that no output depends on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.diagnostics import Default, Diagnostic, Label, Rule

if TYPE_CHECKING:
    from spinedsl.ir.dead import Lost, Part
    from spinedsl.ir.typed import TypedNetwork

RULE = Rule(
    "E0321",
    title="input that no output depends on",
    message="no output depends on `{source}`, an input of `{row}`",
    label="expected {expected} to be read, got none",
    default=Default.ERROR,
    explanation="""\
No channel of this input reaches an output. It would be resampled in vain, and the
weights that do so would never get a gradient. Here the join puts two maps of 32 channels side by side,
and the block slices the first 32 of those 64: all that it reads is the first map. Slices by
`x.channels`, as below, read both. A join of `first(maps)` alone, a factor of 0, or a map that only
serves as `like` leaves an input unread too. What is read is walked back from the outputs, channel by
channel, so it may be a block further down that leaves it out.
""",
    wrong="""\
spine 1
import std.blocks
import std.stems
import std.resample

join_type side_by_side(maps) -> first(maps).channels * len(maps) { return concat(maps) }

block_type two_ways(x, channels) -> channels {
    let a = conv(slice(x, channels / 2), channels / 2, kernel = 3)
    let b = conv(slice(x, channels / 2, start = channels / 2), channels / 2, kernel = 5)
    return concat(a, b)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    resample spinenet
    join side_by_side
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s     channels 32
    block b1: two_ways  level 2  from s, b0  channels 32
    output C2: b1
}
""",
    right="""\
spine 1
import std.blocks
import std.stems
import std.resample

join_type side_by_side(maps) -> first(maps).channels * len(maps) { return concat(maps) }

block_type two_ways(x, channels) -> channels {
    let part = x.channels / 2
    let a = conv(slice(x, part), channels / 2, kernel = 3)
    let b = conv(slice(x, part, start = part), channels / 2, kernel = 5)
    return concat(a, b)
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    resample spinenet
    join side_by_side
    stem s: resnet_stem channels 32
    block b0: residual  level 2  after s     channels 32
    block b1: two_ways  level 2  from s, b0  channels 32
    output C2: b1
}
""",
)


SHOWN = 3  # labels for what loses the input, and for further inputs that are lost there


def check(network: TypedNetwork) -> Iterator[Diagnostic]:
    """Inputs of rows that some output depends on, of which it reads no channel; told once for what loses several."""
    for lost in network.lost_inputs:
        first, *more = lost.inputs
        expected = "its one channel" if first.channels == 1 else f"at least one of its {first.channels} channels"
        found = RULE.at(first.place, source=first.source, row=first.row.name, expected=expected)
        where = [Label(part.place, _part_read(part)) for part in lost.parts]
        for loser in () if where else lost.losers:
            if loser.place is not None:
                label = f"`{loser.definition}` gives the same whatever `{loser.parameter}` is"
                where.append(Label(loser.place, label))
        others = [Label(other.place, f"nor on `{other.source}` of `{other.row.name}`") for other in more[:SHOWN]]
        yield found.with_others(*where[:SHOWN], *others).with_fix(_repair(lost))


def _part_read(part: Part) -> str:
    """What an operation reads of an input, in words."""
    if part.first < 0:
        return "takes no more than its size" if part.size else "gives the same whatever it is given"
    which = f"channel {part.first}" if part.first == part.last else f"channels {part.first} to {part.last}"
    return f"reads {which} of {part.channels}"


def _repair(lost: Lost) -> str:
    """What to do: in what loses the input, or in the row. A row whose inputs are all lost cannot do without them."""
    first = lost.inputs[0]
    repairs: list[str] = []
    for loser in lost.losers[:1]:
        if not loser.trusted:
            sliced = any(part.first >= 0 for part in lost.parts) and "[" not in loser.parameter
            how = f", as by a slice from `{loser.parameter}.channels / 2` on" if sliced else ""
            repairs.append(f"let `{loser.definition}` read all of `{loser.parameter}`{how}")
    declared = first.row.declared
    if len(declared.sources) + len(declared.absorbed) > sum(other.row is first.row for other in lost.inputs):
        repairs.append(f"take `{first.source}` out of the row")
    elif declared.sources:
        repairs.append("take the row away")
    return ", or ".join(repairs)
