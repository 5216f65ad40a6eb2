"""Whether two graphs compute the same: every value numbered by what it is made of, in both graphs alike.

Two values have one number if they come by the same operations from the same tensors, whatever their rows are called and
in whichever order these stand. What makes no difference to any bit is left out: where tensors start, attributes that
others leave without a meaning, `identity`, the order of two addends or factors; how padding is written, as far as it
comes to the same for all inputs that both networks take; and what cuts maps to sizes that these have already.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from enum import Enum, auto

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES, pads
from spinedsl.ops.program import Program
from spinedsl.ops.rules import window
from spinedsl.ops.types import Value

COMMUTE = frozenset({"add", "multiply", "maximum", "minimum"})
CUTS = "crop_to_level"
PADDED_ALIKE = frozenset({"conv", "max_pool"})  # it counts how much they pad, not how that is written


class Sizes(Enum):
    """The sizes of the inputs that two networks are compared for: those that both take."""

    ONE = auto()  # that of the types
    DIVIDED = auto()  # all that divide by the network's strides
    ANY = auto()

    @classmethod
    def of_both(cls, old: Program, new: Program) -> Sizes:
        """One size where one of the two has it, any where both take any."""
        if old.one_size or new.one_size:
            return cls.ONE
        return cls.ANY if old.any_size and new.any_size else cls.DIVIDED


def numbered(graph: Graph, table: dict[Hashable, int], sizes: Sizes) -> list[int]:
    """A number for each value of a graph; `table` has those given so far, also for other graphs."""
    numbers = [table.setdefault("input", len(table))]
    for node in graph.nodes:
        sources = [numbers[value] for value in node.inputs]
        if passes_on(node, graph, sizes):
            numbers.append(sources[0])
            continue
        if node.primitive in COMMUTE and len(sources) == 2:
            sources.sort()
        key = node.primitive, effective(node, graph, sizes), tuple(node.parameters.items()), tuple(sources)
        numbers.append(table.setdefault(key, len(table)))
    return numbers


def passes_on(node: Node, graph: Graph, sizes: Sizes) -> bool:
    """An operation gives the map that it takes."""
    if node.primitive != CUTS:
        return node.primitive == "identity"
    taken, given = graph.types[node.inputs[0]], graph.types[node.result]
    return sizes is Sizes.DIVIDED or (sizes is Sizes.ONE and taken.shape == given.shape)


def effective(node: Node, graph: Graph, sizes: Sizes) -> frozenset[tuple[str, Value]]:
    """The attributes of an operation that its results depend on."""
    known = PRIMITIVES[node.primitive].attributes
    unread = {one.name for one in known if any(idle.holds(node.attributes) for idle in one.idle)}
    attributes: Mapping[str, Value] = {
        name: value for name, value in node.attributes.items() if not starts(name) and name not in unread
    }
    if node.primitive in PADDED_ALIKE:
        taken = graph.types[node.inputs[0]]
        size = (taken.height, taken.width) if sizes is Sizes.ONE or taken.is_pooled else (0, 0)
        around = tuple(_pads(*window(attributes, axis), side, sizes) for axis, side in enumerate(size))
        attributes = {**attributes, "padding": around}
    return frozenset(attributes.items())


def _pads(kernel: int, stride: int, dilation: int, padding: Value, size: int, sizes: Sizes) -> Value:
    """The padding before and after an axis of `size`, 0 where that is not known; `same` where it then depends on it."""
    if sizes is Sizes.ANY and not size and padding == "same" and stride > 1 and kernel > 1:
        return padding
    return pads(kernel, stride, dilation, padding, size)


def starts(attribute: str) -> bool:
    """An attribute that says only where tensors start."""
    return attribute.startswith("init") or attribute.endswith("_init")
