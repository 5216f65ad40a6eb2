"""Traffic: the bytes that operations move between memory and processor, of one image, in float32.

An operation reads its maps and its tensors once and writes its result once. What changes one position of one map at a
time (activations, norms of statistics, arithmetic with a number) is done where that map is written, as every engine
does it, and what only renames numbers moves none. Caches that hold a map until it is read make it less.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.memory import BYTES, STORED, read, unchanged
from spinedsl.ops.primitives import PRIMITIVES

ON_THE_WAY = frozenset(
    {"batch_norm", "add_scalar", "multiply_scalar", "maximum_scalar", "minimum_scalar", "power", "exp"}
)  # beside activations; done while the map is written


class Work(NamedTuple):
    """An operation's multiply-adds and bytes."""

    multiply_adds: int
    bytes: int

    def seconds(self, multiply_adds: float, bytes_: float) -> float:
        """The least time that it takes where so many of each are done in a second: the longer of both."""
        return max(self.multiply_adds / multiply_adds, self.bytes / bytes_)

    def bound_by_work(self, multiply_adds: float, bytes_: float) -> bool:
        """The multiply-adds take longer than the bytes."""
        return self.multiply_adds / multiply_adds > self.bytes / bytes_


def work_by_row(graph: Graph) -> dict[str, list[Work]]:
    """The operations of each row that do or move something, in running order."""
    found: dict[str, list[Work]] = {row.name: [] for row in graph.program.rows}
    for node in graph.nodes:
        types = [graph.types[value] for value in node.inputs]
        adds = PRIMITIVES[node.primitive].multiply_adds(types, node.attributes, graph.types[node.result])
        work = Work(adds, _bytes(node, graph))
        if any(work):
            found[node.row].append(work)
    return found


def _bytes(node: Node, graph: Graph) -> int:
    """What an operation reads and writes."""
    activation = PRIMITIVES[node.primitive].activation and node.primitive != "softmax"
    if activation or node.primitive in ON_THE_WAY | STORED or unchanged(node, graph):
        return 0
    maps = [prod(graph.types[value].shape) for value in (*read(node), node.result)]
    tensors = [graph.parameters[name].elements for name in node.parameters.values()]
    return BYTES * (sum(maps) + sum(tensors))
