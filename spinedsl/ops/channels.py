"""Which channels of its inputs an operation reads for some channels of its result: a column of the primitive table.

In: the types of the inputs, the attributes, the type of the result, and a set of its channels that is not empty. Out:
for each input, the channels that those depend on: all of them where that is not sure, none where only the size counts.

A set of channels is a whole number whose bit c stands for channel c, counted in the order of the axes where `reshape`
laid the channels out. `ALL`, every bit of which is 1, stands for all channels, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeAlias, cast

from spinedsl.ops.rules import Attributes
from spinedsl.ops.types import Type

Channels: TypeAlias = int
ALL: Channels = -1

ReadRule: TypeAlias = Callable[[Sequence[Type], Attributes, Type, Channels], tuple[Channels, ...]]


def count(wanted: Channels, channels: int) -> int:
    """How many of so many channels a set holds."""
    return channels if wanted == ALL else wanted.bit_count()


def whole(wanted: Channels, channels: int) -> Channels:
    """The same set, as `ALL` if it holds all of so many channels."""
    return ALL if count(wanted, channels) == channels else wanted


def _marks(wanted: Channels, channels: int) -> str:
    """A `1` or `0` for each channel, in their order: texts, since shifting a long number for each would take long."""
    return f"{wanted & (1 << channels) - 1:0{channels}b}"[::-1]


def _set(marks: str) -> Channels:
    """The channels that are marked."""
    return int(marks[::-1], 2)


def _blocks(wanted: Channels, blocks: int, size: int) -> Channels:
    """Of blocks of `size` channels each, those that the set has a channel of."""
    if wanted == ALL:
        return ALL
    marks = _marks(wanted, blocks * size)
    return _set("".join(["1" if "1" in marks[at : at + size] else "0" for at in range(0, blocks * size, size)]))


def _filled(wanted: Channels, blocks: int, size: int) -> Channels:
    """All channels of the blocks that a set holds."""
    return ALL if wanted == ALL else _set("".join([mark * size for mark in _marks(wanted, blocks)]))


def _mapped(wanted: Channels, sources: Sequence[int], channels: int) -> Channels:
    """Of so many channels of an input, those that a set comes from, by the source of each channel of the result."""
    marks = ["0"] * channels
    for source, mark in zip(sources, _marks(wanted, len(sources)), strict=True):
        if mark == "1":
            marks[source] = mark
    return _set("".join(marks))


# ---- the rules ----


def everything(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Every channel of every input: what holds where nothing better is known."""
    return (ALL,) * len(types)


def alike(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """The same channels of the first input; of what stands at `like`, only the size."""
    return (wanted, *(0 for _ in types[1:]))


def size_alone(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """No channel of any input."""
    return (0,) * len(types)


def times_value(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Nothing is left of what is multiplied by 0."""
    return (wanted if attributes["value"] else 0,)


def spread(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Channel by channel; one channel, or an axis of 1, is spread over the others."""
    return tuple(_before_spreading(wanted, x, result) for x in types)


def _before_spreading(wanted: Channels, x: Type, result: Type) -> Channels:
    if wanted == ALL or x.channels == result.channels:
        return wanted
    sources = [0]
    for size, wide in zip(x.axes or (x.channels,), result.axes or (result.channels,), strict=True):
        sources = [before * size + (at if size == wide else 0) for before in sources for at in range(wide)]
    return _mapped(wanted, sources, x.channels)


def grouped(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Every channel of the groups that are touched."""
    groups = cast(int, attributes["groups"])
    if groups == 1:
        return (ALL,)
    touched = _blocks(wanted, groups, result.channels // groups)
    return (_filled(touched, groups, types[0].channels // groups),)


def neighbours(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Those on both sides of each, as far as a kernel along the channels reaches."""
    if wanted == ALL:
        return (ALL,)
    side = cast(int, attributes["kernel"]) // 2
    found = 0
    for shift in range(side + 1):
        found |= wanted << shift | wanted >> shift
    return (found & (1 << result.channels) - 1,)


def normed_groups(
    types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels
) -> tuple[Channels, ...]:
    """The same; a group of one number is always 0 after it."""
    single = result.is_vector or (result.is_pooled and (result.height, result.width) == (1, 1))
    if single and result.channels == attributes["groups"]:
        return (0,)
    return grouped(types, attributes, result, wanted)


def normed_channels(
    types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels
) -> tuple[Channels, ...]:
    """All of them; one channel alone is always 0 after it."""
    return (ALL if result.channels > 1 else 0,)


def along_channels(
    types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels
) -> tuple[Channels, ...]:
    """Along the first axis, the others each by itself."""
    inner = prod(result.axes[1:])
    if not result.axes or wanted == ALL:
        return (ALL,)
    marks = _marks(wanted, result.channels)
    return (_set("".join(["1" if "1" in marks[at::inner] else "0" for at in range(inner)]) * result.axes[0]),)


def shares(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """The same; a share of one alone is always 1."""
    if (result.axes or (result.channels,))[0] == 1:
        return (0,)
    return along_channels(types, attributes, result, wanted)


def one_after_another(
    types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels
) -> tuple[Channels, ...]:
    """The part of the result that each input is."""
    found: list[Channels] = []
    for x in types:
        found.append(ALL if wanted == ALL else wanted & (1 << x.channels) - 1)
        wanted = wanted if wanted == ALL else wanted >> x.channels
    return tuple(found)


def a_part(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """As many as there are, from `start` on."""
    if result.channels == types[0].channels:
        return (wanted,)
    return ((wanted & (1 << result.channels) - 1) << cast(int, attributes["start"]),)


def flattened(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """The channels of which a number is read: each is a block of the vector."""
    x = types[0]
    return (_blocks(wanted, x.channels, x.height * x.width),)


def laid_out(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """The order of the numbers stays. With `like`, a channel is a block of the vector."""
    if len(types) == 1:
        return (wanted,)
    return _filled(wanted, result.channels, result.height * result.width), 0


def axes_swapped(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """The channels that changed places with these."""
    axes = types[0].axes
    if wanted == ALL or not axes:
        return (wanted,)
    steps = [prod(axes[axis + 1 :]) for axis in range(len(axes))]
    first, second = cast(int, attributes["first"]), cast(int, attributes["second"])
    steps[first], steps[second] = steps[second], steps[first]
    sources = [0]
    for size, step in zip(result.axes, steps, strict=True):
        sources = [before + at * step for before in sources for at in range(size)]
    return (_mapped(wanted, sources, types[0].channels),)


def folded(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Of every place on the other axes, all along the first."""
    x = types[0]
    first = (x.axes or (x.channels,))[0]
    return (ALL if wanted == ALL else _set(_marks(wanted, result.channels) * first),)


def powered(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Channel by channel; what is raised to 0 is always 1."""
    return (wanted if attributes["exponent"] else 0,)


def gathered(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """Of each channel the block that its positions come from."""
    return (_filled(wanted, result.channels, types[0].channels // result.channels),)


def scattered(types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels) -> tuple[Channels, ...]:
    """The channels that have one of these as a part."""
    return (_blocks(wanted, types[0].channels, result.channels // types[0].channels),)
