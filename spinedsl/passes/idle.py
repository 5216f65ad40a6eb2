"""Idle: operations that do nothing in inference are left out.

Needs nothing. Promises the same bits: `identity`, dropout and stochastic depth, an upsample by no level, a pad or crop
of no side, times 1, plus 0, a list of one map, all of a map's channels. What was read from them is read from before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from spinedsl.ops.graph import Graph, Node
from spinedsl.passes.form import Form, tidied
from spinedsl.record import replace


def idle(form: Form) -> Form:
    """Without the operations that do nothing."""
    graph = form.graph
    stands_for = list(range(len(graph.types)))
    nodes = []
    for node in graph.nodes:
        inputs = tuple(stands_for[value] for value in node.inputs)
        if _does_nothing(node, graph):
            stands_for[node.result] = inputs[0]
        else:
            nodes.append(replace(node, inputs=inputs))
    rows = {name: stands_for[value] for name, value in graph.rows.items()}
    outputs = {name: stands_for[value] for name, value in graph.outputs.items()}
    return tidied(replace(form, graph=replace(graph, rows=rows, outputs=outputs)), nodes)


def _does_nothing(node: Node, graph: Graph) -> bool:
    rule = _RULES.get(node.primitive)
    return rule is not None and graph.types[node.inputs[0]] == graph.types[node.result] and rule(node)


def _always(node: Node) -> bool:
    return True


_RULES: Mapping[str, Callable[[Node], bool]] = {
    "identity": _always,
    "dropout": _always,
    "stochastic_depth": _always,
    "upsample": lambda node: node.attributes["levels"] == 0,
    "pad": _always,  # of the same type: no side
    "crop": _always,
    "multiply_scalar": lambda node: cast(int, node.attributes["value"]) == 1,
    "add_scalar": lambda node: cast(int, node.attributes["value"]) == 0,
    "concat": lambda node: len(node.inputs) == 1,
    "slice": _always,  # of the same type: it takes all channels
}
