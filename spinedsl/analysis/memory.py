"""Activation memory of one forward pass: the largest sum of feature maps that are alive at once.

It is what an engine needs that runs the operations one by one in this order, writes each result into memory of its own,
and frees it after its last reader; what only asks for a map's size is none. The image counts until it was read for the
last time, outputs to the end, weights not at all. Where the same numbers come out in the same order (`reshape`,
`flatten`, in inference `dropout`, a `crop` that cuts nothing) no memory is needed. Engines that fuse operations, or
compute in place, need less. Eager PyTorch needs more: a `forward` holds every row's map until it returns.
"""

from __future__ import annotations

from math import prod
from typing import cast

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.types import Type

BYTES = 4  # of a float32
UNCHANGED = frozenset({"identity", "reshape", "flatten", "dropout", "stochastic_depth"})
CUT = frozenset({"slice", "crop", "crop_to_level"})  # unchanged where they cut nothing
STORED = frozenset({"parameter", "constant"})  # numbers of the network, not of the image


def peak_activation_bytes(graph: Graph) -> int:
    """Bytes at the fullest moment, for one image at the program's input size."""
    sizes, holder = _memory(graph)
    last_use = {holder[value]: at for at, node in enumerate(graph.nodes) for value in (*read(node), node.result)}
    kept = {holder[value] for value in graph.outputs.values()}
    alive = peak = sizes[0]
    for at, node in enumerate(graph.nodes):
        alive += sizes[node.result]
        peak = max(peak, alive)
        ended = {holder[value] for value in (*read(node), node.result)} - kept
        alive -= sum(sizes[value] for value in ended if last_use[value] == at)
    return peak


def read(node: Node) -> tuple[int, ...]:
    """The values whose numbers an operation reads, not their size alone."""
    primitive = PRIMITIVES[node.primitive]
    if "like" in primitive.inputs:
        return node.inputs[: primitive.inputs.index("like")]
    return node.inputs[:-1] if primitive.sized else node.inputs


def _memory(graph: Graph) -> tuple[list[int], list[int]]:
    """Of each value the bytes that are written for it, and the value in whose memory it is."""
    sizes = [_bytes(type_) for type_ in graph.types]
    holder = list(range(len(sizes)))
    for node in graph.nodes:
        if node.primitive in STORED:
            sizes[node.result] = 0
        elif unchanged(node, graph):
            sizes[node.result] = 0
            holder[node.result] = holder[node.inputs[0]]
    return sizes, holder


def unchanged(node: Node, graph: Graph) -> bool:
    """The same numbers come out in the same order."""
    if node.primitive == "transpose":
        first, second = sorted(cast(int, node.attributes[name]) for name in ("first", "second"))
        moved = graph.types[node.inputs[0]].shape[first : second + 1]
        return first == second or sum(size > 1 for size in moved) < 2
    if node.primitive in CUT:
        return graph.types[node.inputs[0]].shape == graph.types[node.result].shape
    return node.primitive in UNCHANGED


def row_activation_bytes(graph: Graph) -> dict[str, int]:
    """Bytes of each row's own feature map, or of all that a head gives."""
    return {row.name: sum(_bytes(graph.types[graph.rows[name]]) for name in row.values) for row in graph.program.rows}


def _bytes(type_: Type) -> int:
    return prod(type_.shape) * BYTES
