"""Theoretical receptive field: how many input pixels, along one axis, can reach the numbers at a position of a map.

From the first pixel to the last, at the position that reads the widest, over all channels, and in an image that is
large enough: neither its borders nor sizes that are rounded to whole ones make a field smaller. What comes together on
several ways counts from where it stands, so that a shift between them counts as well (Araujo, Norris and Sim,
"Computing receptive fields of convolutional neural networks", Distill 2019). Vectors and maps pooled to 1x1 have one
position, which reads the whole image, and so do what such a gate multiplies and a norm over all positions. A map pooled
over one side alone reads all of that side. What `pad` mirrors at a border counts as if the map went on.

In: a graph. Out: the field of every row. Each primitive has its row in `RULES`: the reach of its result, channel by
channel, by those of its inputs. The operations of `reach` say it for positions, here is which channels are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from math import ceil, floor, inf, prod
from typing import TypeAlias, cast

from spinedsl.analysis.reach import NOTHING, PIXEL, Reach, Taps, read, united, whole
from spinedsl.ops.channels import ALL
from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES, pads
from spinedsl.ops.rules import oblong, window
from spinedsl.ops.types import Type
from spinedsl.record import Record

Runs: TypeAlias = tuple[tuple[int, Reach], ...]  # of channels one after another, those that are alike together


class At(Record):
    """An operation at work: the types that go in, the type that comes out, and along which axis."""

    node: Node
    types: tuple[Type, ...]
    result: Type
    axis: int  # 0: from line to line, 1: from column to column

    def number(self, name: str, usual: int = 1) -> int:
        """An attribute."""
        return cast(int, self.node.attributes.get(name, usual))

    def through(self, runs: Runs, taps: Taps) -> Runs:
        """What the channels read through positions of the first input."""
        known: dict[Reach, Reach] = {}
        for _, reach in runs:
            if reach not in known:
                known[reach] = read(reach, _step(self.types[0], self.axis), taps, _step(self.result, self.axis))
        return _merged((count, known[reach]) for count, reach in runs)


Rule: TypeAlias = Callable[[At, Sequence[Runs]], Runs]


def receptive_fields(graph: Graph) -> dict[str, int | None]:
    """Of each row, in input pixels; None where it is the whole image. Of what a head gives, the widest."""
    fields = dict.fromkeys((row.name for row in graph.program.rows), 0.0)
    for axis in (0, 1) if any(map(_uneven, graph.nodes)) else (0,):
        reached = _reached(graph, axis)
        for row in graph.program.rows:
            widths = (united(reach for _, reach in reached[graph.rows[name]]).width for name in row.values)
            fields[row.name] = max(fields[row.name], *widths)
    return {name: None if width == inf else int(width) for name, width in fields.items()}


def _reached(graph: Graph, axis: int) -> dict[int, Runs]:
    """What the channels of every value read."""
    reached: dict[int, Runs] = {0: ((graph.input_type.channels, PIXEL),)}
    for node in graph.nodes:
        types, result = tuple(graph.types[value] for value in node.inputs), graph.types[node.result]
        # Of some inputs no number matters: the size alone, or not even that where a map is multiplied by 0.
        reads = PRIMITIVES[node.primitive].reads(types, node.attributes, result, ALL)
        inputs = [
            reached[value] if matters else ((type_.channels, NOTHING),)
            for value, type_, matters in zip(node.inputs, types, reads, strict=True)
        ]
        reached[node.result] = RULES[node.primitive](At(node, types, result, axis), inputs)
    return reached


# ---- positions ----


def _step(type_: Type, axis: int) -> int:
    """How many input pixels lie from one position to the next along an axis; 1 where there is only one."""
    return type_.strides[axis]


def _uneven(node: Node) -> bool:
    """Heights and widths may come to stand otherwise."""
    if node.attributes.get("over", "both") != "both":
        return True
    if ("stride" in node.attributes and oblong(node.attributes)) or node.primitive == "pixel_unshuffle":
        return True
    sides = [node.attributes.get(side, 0) for side in ("top", "left", "bottom", "right")]
    return sides[:2] != sides[2:] or sides[0] != sides[1]


def _window(at: At, inputs: Sequence[Runs]) -> Runs:
    """A window of the map, moved by the stride."""
    kernel, stride, dilation, padding = window(at.node.attributes, at.axis)
    before, _ = pads(kernel, stride, dilation, padding)
    reach = (kernel - 1) * dilation
    return at.through(inputs[0], lambda p: (p * stride - before, p * stride - before + reach))


def _transposed(at: At, inputs: Sequence[Runs]) -> Runs:
    """Every position spreads over `kernel` others, of which half the overlap is cut off before the first."""
    kernel, stride = at.number("kernel"), at.number("stride")
    cut = (kernel - stride) // 2
    return at.through(inputs[0], lambda p: (-((kernel - 1 - cut - p) // stride), (p + cut) // stride))


def _resized(at: At, inputs: Sequence[Runs]) -> Runs:
    """Position p takes from floor(p * ratio), or, bilinear, from both sides of (p + 1/2) * ratio - 1/2.

    A map that is `stretched` falls otherwise on the pixels at each place of the image: all of them count.
    """
    ratio = Fraction(_step(at.result, at.axis), _step(at.types[0], at.axis))
    stretched = _stretch(at.types[0], at.result, at.axis)
    half = Fraction(at.node.attributes["mode"] == "bilinear", 2)

    def taps(position: int) -> tuple[int, int]:
        place = (position + half) * ratio - half
        last = place + max(stretched, Fraction(0))
        return floor(place + min(stretched, Fraction(0))), ceil(last) if half else floor(last)

    return at.through(inputs[0], taps)


def _stretch(x: Type, like: Type, axis: int) -> Fraction:
    """By how many positions a map is too long for the other, whose ends it nevertheless meets."""
    return x.extra[axis] - like.extra[axis] * Fraction(_step(like, axis), _step(x, axis))


def _shifted(side: int) -> Rule:
    """So many positions more (1) or less (-1) before the first."""

    def rule(at: At, inputs: Sequence[Runs]) -> Runs:
        before = side * at.number(("top", "left")[at.axis], 0)
        return at.through(inputs[0], lambda p: (p - before, p - before))

    return rule


def _shuffled(at: At, inputs: Sequence[Runs]) -> Runs:
    """Positions of a square come from the channels of one, each of which counts for all of the square."""
    factor = at.number("factor")
    squares = _grouped(inputs[0], at.result.channels, at.result.channels)
    return at.through(squares, lambda p: (p // factor, p // factor))


def _unshuffled(at: At, inputs: Sequence[Runs]) -> Runs:
    """Each channel becomes one for every place of a square: row by row, column by column in those."""
    factor = at.number("factor")
    places = [(place // factor, place % factor)[at.axis] for place in range(factor * factor)]

    def shifted(by: int) -> Runs:
        return at.through(inputs[0], lambda p: (p * factor + by, p * factor + by))

    listed = [_listed(shifted(by)) for by in range(factor)]
    return _merged((1, listed[by][channel]) for channel in range(at.types[0].channels) for by in places)


def _pooled(at: At, inputs: Sequence[Runs]) -> Runs:
    if at.node.attributes.get("over", "both") == ("width", "height")[at.axis]:
        return inputs[0]
    return _merged((count, whole(reach)) for count, reach in inputs[0])


# ---- channels ----


def _merged(runs: Iterable[tuple[int, Reach]]) -> Runs:
    """Neighbours that are alike, together."""
    together = groupby(runs, key=lambda run: run[1])
    return tuple((sum(count for count, _ in found), reach) for reach, found in together)


def _listed(runs: Runs) -> list[Reach]:
    return [reach for count, reach in runs for _ in range(count)]


def _all(runs: Runs, count: int) -> Runs:
    """So many channels, each of which reads all that come in."""
    return ((count, united(reach for _, reach in runs)),)


def _grouped(runs: Runs, groups: int, count: int) -> Runs:
    """The same group by group: `count` channels come out."""
    if len(runs) == 1:
        return ((count, runs[0][1]),)
    listed, size = _listed(runs), sum(number for number, _ in runs) // groups
    parts = (listed[start : start + size] for start in range(0, len(listed), size))
    return _merged((count // groups, united(part)) for part in parts)


def _axes(type_: Type) -> tuple[int, ...]:
    return type_.axes or (type_.channels,)


def _places_of(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every channel's place on the axes, in order."""
    if not axes:
        yield ()
        return
    for first in range(axes[0]):
        for rest in _places_of(axes[1:]):
            yield (first, *rest)


def _same(at: At, inputs: Sequence[Runs]) -> Runs:
    return inputs[0]


def _convolved(at: At, inputs: Sequence[Runs]) -> Runs:
    return _window(at, [_grouped(inputs[0], at.number("groups"), at.result.channels)])


def _convolved_transposed(at: At, inputs: Sequence[Runs]) -> Runs:
    return _transposed(at, [_all_channels(at, inputs)])


def _all_channels(at: At, inputs: Sequence[Runs]) -> Runs:
    return _all(inputs[0], at.result.channels)


def _flattened(at: At, inputs: Sequence[Runs]) -> Runs:
    """The one position of a vector reads what all those of the map do."""
    times = prod(at.types[0].shape) // at.types[0].channels
    return _merged((count * times, whole(reach)) for count, reach in inputs[0])


def _reshaped(at: At, inputs: Sequence[Runs]) -> Runs:
    """The same channels; of a vector, as many numbers for each channel as it has positions."""
    channels = at.result.channels
    return _grouped(inputs[0], channels, channels) if len(inputs) > 1 else inputs[0]


def _swapped(at: At, inputs: Sequence[Runs]) -> Runs:
    """Two axes change places, and channels with them."""
    if len(inputs[0]) == 1:
        return inputs[0]
    axes, listed = _axes(at.types[0]), _listed(inputs[0])
    number = {place: listed[index] for index, place in enumerate(_places_of(axes))}
    first, second = at.number("first"), at.number("second")

    def before(place: tuple[int, ...]) -> tuple[int, ...]:
        there = list(place)
        there[first], there[second] = there[second], there[first]
        return tuple(there)

    return _merged((1, number[before(place)]) for place in _places_of(_axes(at.result)))


def _over_first_axis(at: At, inputs: Sequence[Runs]) -> Runs:
    """All channels of an axis together: of all, where they stand in one row."""
    first = _axes(at.types[0])[0]
    return _merged(_along_first(inputs[0], at.result.channels // first) * first)


def _folded(at: At, inputs: Sequence[Runs]) -> Runs:
    """What stands along the first axis becomes one."""
    return _along_first(inputs[0], at.result.channels)


def _along_first(runs: Runs, rest: int) -> Runs:
    """For each place on the axes behind the first, all that stands there."""
    if rest == 1 or len(runs) == 1:
        return _all(runs, rest)
    listed = _listed(runs)
    return _merged((1, united(listed[index::rest])) for index in range(rest))


def _over_positions(at: At, inputs: Sequence[Runs]) -> Runs:
    """Groups of channels, each over all positions."""
    return _pooled(at, [_grouped(inputs[0], at.number("groups"), at.result.channels)])


def _both(at: At, inputs: Sequence[Runs]) -> Runs:
    """Channel by channel; an axis of one spreads over the other's."""
    count = at.result.channels
    if all(len(runs) == 1 for runs in inputs):
        return ((count, united(runs[0][1] for runs in inputs)),)
    left, right = (_spread(_axes(type_), runs, _axes(at.result)) for type_, runs in zip(at.types, inputs, strict=True))
    return _merged((1, united(pair)) for pair in zip(left, right, strict=True))


def _spread(axes: tuple[int, ...], runs: Runs, to: tuple[int, ...]) -> list[Reach]:
    listed = _listed(runs)
    if axes == to:
        return listed
    number = {place: listed[index] for index, place in enumerate(_places_of(axes))}
    return [
        number[tuple(0 if size == 1 else index for index, size in zip(place, axes, strict=True))]
        for place in _places_of(to)
    ]


def _concatenated(at: At, inputs: Sequence[Runs]) -> Runs:
    return _merged(run for runs in inputs for run in runs)


def _sliced(at: At, inputs: Sequence[Runs]) -> Runs:
    if len(inputs[0]) == 1:
        return ((at.result.channels, inputs[0][0][1]),)
    start = at.number("start")
    return _merged((1, reach) for reach in _listed(inputs[0])[start : start + at.result.channels])


def _neighbours(at: At, inputs: Sequence[Runs]) -> Runs:
    """Each channel and those beside it."""
    if len(inputs[0]) == 1:
        return inputs[0]
    listed, side = _listed(inputs[0]), at.number("kernel") // 2
    return _merged((1, united(listed[max(0, c - side) : c + side + 1])) for c in range(len(listed)))


def _independent(at: At, inputs: Sequence[Runs]) -> Runs:
    """Nothing of the image; of what stands at `like` only the size counts."""
    return ((at.result.channels, NOTHING),)


RULES: Mapping[str, Rule] = {
    "conv": _convolved,
    "conv_transpose": _convolved_transposed,
    "linear": _all_channels,
    "channel_conv": _neighbours,
    "flatten": _flattened,
    "reshape": _reshaped,
    "transpose": _swapped,
    "batch_norm": _same,
    "layer_norm": _all_channels,
    "group_norm": _over_positions,
    "relu": _same,
    "relu6": _same,
    "swish": _same,
    "hard_swish": _same,
    "sigmoid": _same,
    "hard_sigmoid": _same,
    "gelu": _same,
    "identity": _same,
    "softmax": _over_first_axis,
    "add": _both,
    "multiply": _both,
    "add_scalar": _same,
    "multiply_scalar": _same,
    "divide": _both,
    "maximum": _both,
    "minimum": _both,
    "maximum_scalar": _same,
    "minimum_scalar": _same,
    "power": _same,
    "exp": _same,
    "channel_mean": _folded,
    "channel_max": _folded,
    "channel_sum": _folded,
    "l2_normalise": _over_first_axis,
    "concat": _concatenated,
    "slice": _sliced,
    "pad": _shifted(1),
    "crop": _shifted(-1),
    "max_pool": _window,
    "average_pool": _window,
    "global_average_pool": _pooled,
    "global_max_pool": _pooled,
    "global_sum_pool": _pooled,
    "adaptive_average_pool": _pooled,
    "pixel_shuffle": _shuffled,
    "pixel_unshuffle": _unshuffled,
    "upsample": _resized,
    "resize": _resized,
    "resize_to_level": _resized,
    "crop_to_level": _same,
    "parameter": _independent,
    "constant": _independent,
    "dropout": _same,
    "stochastic_depth": _same,
}
