"""Readable, unique names for the values of a graph.

In: a `Graph`. Out: one name for each value: the input's own, a row's name for what the row gives, and for everything in
between the path of the operation. Text and ONNX use the same names, so that one can be read beside the other.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES


class Names:
    """Names given so far. `fresh` never gives one twice."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.counts: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        """Give `wanted` if it is free, else `wanted_2`, `wanted_3`, and so on."""
        name, count = wanted, self.counts.get(wanted, 1)
        while name in self.taken:
            count += 1
            name = f"{wanted}_{count}"
        self.counts[wanted] = count
        self.taken.add(name)
        return name


def names_for(graph: Graph) -> Names:
    """Names of which those of the input, the rows and the parameters are taken."""
    return Names([graph.program.input_name, *graph.rows, *graph.parameters])


def value_names(graph: Graph, names: Names) -> tuple[str, ...]:
    """The name of every value. Of rows that give the same value, the first lends it its name."""
    rows = {value: row for row, value in reversed(graph.rows.items())}
    rows[0] = graph.program.input_name
    given = [rows[0]] + [""] * (len(graph.types) - 1)
    for node in graph.nodes:
        given[node.result] = rows.get(node.result) or names.fresh(path_of(node))
    return tuple(given)


def path_of(node: Node) -> str:
    """Where an operation stands, perhaps not alone: `b5.squeeze.conv`, and `b5.add` for an operator such as `+`."""
    name = node.name if f"{node.name}.".startswith(f"{node.row}.") else f"{node.row}.{node.name}".rstrip(".")
    return name if PRIMITIVES[node.primitive].callable else f"{name}.{node.primitive}"


def within(node: Node) -> list[str]:
    """The steps of an operation's name below its row."""
    return node.name.removeprefix(f"{node.row}.").split(".") if node.name != node.row else []


def row_of(name: str, rows: Container[str]) -> str:
    """The row that a parameter or operation of that name belongs to: `n1.P4` of `n1.P4.conv`; else its first part."""
    found = name
    while found and found not in rows:
        found = found.rpartition(".")[0]
    return found or name.partition(".")[0]
