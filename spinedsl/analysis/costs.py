"""Parameters and multiply-adds, from the shapes of a graph.

Multiply-adds count convolutions and linear layers, as the paper's "FLOPs" do; one image, at the program's input size.
"""

from __future__ import annotations

from spinedsl.ops.graph import Graph
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.record import Record


class Costs(Record):
    """What a network, or a row of it, costs. `statistics` are the numbers that training tracks but does not learn."""

    parameters: int = 0
    statistics: int = 0
    multiply_adds: int = 0

    def __add__(self, other: Costs) -> Costs:
        """Costs of both together."""
        return Costs(
            self.parameters + other.parameters,
            self.statistics + other.statistics,
            self.multiply_adds + other.multiply_adds,
        )


def costs(graph: Graph) -> Costs:
    """Costs of the whole network; parameters that operations share count once."""
    return sum(costs_by_row(graph).values(), Costs())


def costs_by_row(graph: Graph) -> dict[str, Costs]:
    """Costs of each row, in running order; what it resamples and joins included."""
    by_row = {row.name: Costs() for row in graph.program.rows}
    counted: set[str] = set()
    for node in graph.nodes:
        types = [graph.types[value] for value in node.inputs]
        trainable = statistics = 0
        for name in node.parameters.values():
            parameter = graph.parameters[name]
            if name in counted:
                continue
            counted.add(name)
            if parameter.trainable:
                trainable += parameter.elements
            else:
                statistics += parameter.elements
        work = PRIMITIVES[node.primitive].multiply_adds(types, node.attributes, graph.types[node.result])
        by_row[node.row] += Costs(trainable, statistics, work)
    return by_row
