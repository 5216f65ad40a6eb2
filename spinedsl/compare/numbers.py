"""Whether two graphs compute the same: every value numbered by what it is made of, in both graphs alike.

Two values have one number if they come by the same operations from the same tensors, whatever their rows are called and
in whichever order these stand. What makes no difference to any bit is left out: where tensors start, attributes that
others leave without a meaning, `identity`, the order of two addends or factors; and, for sizes that divide, what cuts
maps to them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES, pads
from spinedsl.ops.rules import window
from spinedsl.ops.types import Value

COMMUTE = frozenset({"add", "multiply", "maximum", "minimum"})
CUTS = "crop_to_level"  # changes nothing where sizes divide
PADDED_ALIKE = frozenset({"conv", "max_pool"})  # it counts how much they pad, not how that is written


def numbered(graph: Graph, table: dict[Hashable, int], *, divided: bool) -> list[int]:
    """A number for each value of a graph; `table` has those given so far, also for other graphs.

    `divided`: for inputs whose sizes divide by the network's strides, all that one of both networks takes.
    """
    numbers = [table.setdefault("input", len(table))]
    for node in graph.nodes:
        sources = [numbers[value] for value in node.inputs]
        if node.primitive == "identity" or (divided and node.primitive == CUTS):
            numbers.append(sources[0])
            continue
        if node.primitive in COMMUTE and len(sources) == 2:
            sources.sort()
        key = node.primitive, effective(node, divided=divided), tuple(node.parameters.items()), tuple(sources)
        numbers.append(table.setdefault(key, len(table)))
    return numbers


def effective(node: Node, *, divided: bool) -> frozenset[tuple[str, Value]]:
    """The attributes of an operation that its results depend on."""
    known = PRIMITIVES[node.primitive].attributes
    unread = {one.name for one in known if any(idle.holds(node.attributes) for idle in one.idle)}
    attributes: Mapping[str, Value] = {
        name: value for name, value in node.attributes.items() if not starts(name) and name not in unread
    }
    if node.primitive in PADDED_ALIKE and divided:
        attributes = {**attributes, "padding": tuple(pads(*window(attributes, axis)) for axis in (0, 1))}
    return frozenset(attributes.items())


def starts(attribute: str) -> bool:
    """An attribute that says only where tensors start."""
    return attribute.startswith("init") or attribute.endswith("_init")
