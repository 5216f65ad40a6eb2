"""Parameters and multiply-adds, from the shapes of a graph.

Multiply-adds count convolutions and linear layers, as the paper's "FLOPs" do; one image, at the program's input size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from spinedsl.ops.graph import Graph, Node, of_module
from spinedsl.ops.primitives import PRIMITIVES, Parameter
from spinedsl.ops.program import Module
from spinedsl.ops.types import Type
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
    return costs_of(graph.nodes, graph)


def costs_by_row(graph: Graph) -> dict[str, Costs]:
    """Costs of each row, in running order; what it resamples and joins included.

    Parameters that rows share, as copies of a `shared` part do, count in the first of them.
    """
    by_row: dict[str, list[Node]] = {row.name: [] for row in graph.program.rows}
    for node in graph.nodes:
        by_row[node.row].append(node)
    counted: set[str] = set()
    return {row: _summed(nodes, graph.types, graph.parameters, counted) for row, nodes in by_row.items()}


def costs_of(nodes: Iterable[Node], graph: Graph) -> Costs:
    """Costs of some operations of a graph; parameters that they share count once."""
    return _summed(nodes, graph.types, graph.parameters, set())


def costs_of_module(module: Module) -> Costs:
    """Costs of one use of a definition, whatever is around it."""
    return _summed(*of_module(module), set())


def _summed(
    nodes: Iterable[Node], value_types: Sequence[Type], parameters: Mapping[str, Parameter], counted: set[str]
) -> Costs:
    """Costs of operations, without the parameters that were `counted` before; theirs are added to these."""
    trainable = statistics = work = 0
    for node in nodes:
        types = [value_types[value] for value in node.inputs]
        work += PRIMITIVES[node.primitive].multiply_adds(types, node.attributes, value_types[node.result])
        for name in node.parameters.values():
            if name in counted:
                continue
            counted.add(name)
            parameter = parameters[name]
            if parameter.trainable:
                trainable += parameter.elements
            else:
                statistics += parameter.elements
    return Costs(trainable, statistics, work)
