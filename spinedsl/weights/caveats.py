"""Caveats: where a network computes something else with the weights of another code than that code did.

In: a graph and the scheme that the weights come from. Out: a sentence for each difference that the graph shows. What a
file of weights does not tell, such as the epsilon of a configuration, is no part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.naming import within
from spinedsl.ops.primitives import PRIMITIVES, pads
from spinedsl.ops.program import Row
from spinedsl.ops.rules import window
from spinedsl.ops.types import Value
from spinedsl.weights.schemes import GARDEN, PORT, TPU, Scheme


def caveats(graph: Graph, scheme: Scheme) -> tuple[str, ...]:
    """What the network does otherwise than the code that the weights come from; of heads, only its classifier."""
    heads = {row.name for row in graph.program.heads}
    nodes = [node for node in graph.nodes if node.row not in heads]
    return tuple(caveat for rule in _RULES[scheme.name] for caveat in rule(graph, nodes))


def _window(node: Node, padding: Value) -> tuple[tuple[int, int], ...]:
    return tuple(pads(*window({**node.attributes, "padding": padding}, axis)) for axis in (0, 1))


def _padding(primitive: str, wanted: str, what: str) -> Callable[[Graph, list[Node]], Iterator[str]]:
    def rule(graph: Graph, nodes: list[Node]) -> Iterator[str]:
        strided = [node for node in nodes if node.primitive == primitive and node.attributes["stride"] != 1]
        if any(_window(node, node.attributes["padding"]) != _window(node, wanted) for node in strided):
            yield f"its {what} have padding `{wanted}`; here they have another"

    return rule


def _one_pool(graph: Graph, nodes: list[Node]) -> Iterator[str]:
    """Two of the three codes go down by 8 with one pool."""
    pools = Counter(".".join([node.row, *within(node)[:1]]) for node in nodes if node.primitive == "max_pool")
    if any(count > 1 for name, count in pools.items() if ".from_" in name):
        yield "it resamples by 8 with one 5x5 pool of stride 4; here are two 3x3 pools of stride 2"


def _gate(wanted: str, inner: str) -> Callable[[Graph, list[Node]], Iterator[str]]:
    def rule(graph: Graph, nodes: list[Node]) -> Iterator[str]:
        gates = {node.primitive for node in nodes if node.primitive in {"sigmoid", "hard_sigmoid"}}
        if gates and gates != {wanted}:
            yield f"its squeeze-and-excitation has {inner} and a {wanted.replace('_', ' ')}; here it has not"

    return rule


def _epsilon(graph: Graph, nodes: list[Node]) -> Iterator[str]:
    used = {node.attributes["epsilon"] for node in nodes if node.primitive == "batch_norm"}
    if used - {Fraction(1, 100_000)}:
        yield "its batch norms have an epsilon of 1e-5; here they do not"


def _plain_endpoints(graph: Graph, nodes: list[Node]) -> Iterator[str]:
    outputs = {row.name for row in graph.program.rows if row.kind == "output"}
    if any(PRIMITIVES[node.primitive].activation for node in nodes if node.row in outputs):
        yield "its endpoints have no activation; here they have one"


def _linear_heads(graph: Graph) -> list[Row]:
    """Heads with a linear layer that read several maps."""
    names = {node.row for node in graph.nodes if node.primitive == "linear"}
    return [row for row in graph.program.heads if row.name in names and len(row.inputs) > 1]


def _one_map(graph: Graph, nodes: list[Node]) -> Iterator[str]:
    if heads := _linear_heads(graph):
        yield f"its classifier reads the coarsest map alone; here it reads {len(heads[0].inputs)}"


def _running_sum(graph: Graph, nodes: list[Node]) -> Iterator[str]:
    """Where sizes divide, it makes no difference in which steps a map becomes as large as the finest."""
    for head in _linear_heads(graph) if graph.program.any_size else ():
        order = [graph.program.row(connection.source).level or 0 for connection in head.inputs]
        if order != sorted(order, reverse=True):
            yield "its classifier adds the maps up from the coarsest to the finest; here each is resized at once"


_SYMMETRIC = _padding("conv", "symmetric", "strided convolutions")
_RULES = {
    GARDEN.name: (_padding("conv", "same", "strided convolutions"), _gate("hard_sigmoid", "relu"), _one_map),
    TPU.name: (_SYMMETRIC, _one_pool, _gate("sigmoid", "swish"), _running_sum),
    PORT.name: (_SYMMETRIC, _padding("max_pool", "symmetric", "pools"), _one_pool, _epsilon, _plain_endpoints),
}
