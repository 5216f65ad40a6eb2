"""What the feature maps of a network hold while it runs: operation by operation, as written and in the best order.

In: a `Graph`. Out: `Held`s of it. Results are written over what nothing else reads, as engines do, so that this is less
than `ops.memory.peak_activation_bytes`, which gives each result memory of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl.ops.graph import Graph
from spinedsl.ops.memory import Memory, curve
from spinedsl.ops.order import Order, best_order, ordered
from spinedsl.record import Record


class Held(Record, eq=False):
    """Bytes alive while each operation runs, and the row that each is of."""

    curve: tuple[int, ...]
    rows: tuple[str, ...]

    @property
    def peak(self) -> int:
        """The fullest moment."""
        return max(self.curve, default=0)

    @property
    def by_row(self) -> Mapping[str, int]:
        """The fullest moment of each row, in the order in which the rows begin."""
        found: dict[str, int] = {}
        for row, held in zip(self.rows, self.curve, strict=True):
            found[row] = max(found.get(row, 0), held)
        return found


def held(graph: Graph) -> tuple[Held, Held, Order]:
    """As written, in the best order, and that order."""
    order = best_order(graph)
    return _held(graph), _held(ordered(graph, order)), order


def _held(graph: Graph) -> Held:
    found = curve(graph, Memory.of(graph, in_place=True))
    return Held(tuple(found), tuple(node.row for node in graph.nodes))
