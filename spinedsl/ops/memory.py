"""Activation memory of one forward pass: the largest sum of feature maps that are alive at once.

It is what an engine needs that runs the operations one by one in this order, writes each result into memory of its own,
and frees it after its last reader; what only asks for a map's size is none. The image counts until it was read for the
last time, outputs to the end, weights not at all. Where the same numbers come out in the same order (`reshape`,
`flatten`, in inference `dropout`, a `crop` that cuts nothing) no memory is needed. Engines that fuse operations, or
compute in place, need less. Eager PyTorch needs more: a `forward` holds every row's map until it returns.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import cast

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.types import Type
from spinedsl.record import Record

BYTES = 4  # of a float32
UNCHANGED = frozenset({"identity", "reshape", "flatten", "dropout", "stochastic_depth"})
CUT = frozenset({"slice", "crop", "crop_to_level"})  # unchanged where they cut nothing
STORED = frozenset({"parameter", "constant"})  # numbers of the network, not of the image
WRITES_OVER = frozenset({"add", "multiply", "batch_norm", "add_scalar", "multiply_scalar"})  # and activations


def peak_activation_bytes(graph: Graph) -> int:
    """Bytes at the fullest moment, for one image at the program's input size."""
    return max(curve(graph, Memory.of(graph)), default=_bytes(graph.types[0]))


class Memory(Record, eq=False):
    """Of each value the bytes that are written for it, and the value in whose memory it is."""

    sizes: list[int]
    holder: list[int]

    @staticmethod
    def of(graph: Graph, *, in_place: bool = False) -> Memory:
        """The memory of a graph's values. `in_place`: what is read once is written over where that can be.

        So do engines: activations, norms and sums write where a map stands that nothing else reads.
        """
        sizes, holder = _memory(graph)
        if in_place:
            over = written_over(graph)
            for node in graph.nodes:
                if (value := over.get(node.result, node.inputs[0] if unchanged(node, graph) else None)) is not None:
                    sizes[node.result], holder[node.result] = 0, holder[value]
        return Memory(sizes, holder)


def curve(graph: Graph, memory: Memory) -> list[int]:
    """Bytes alive while each operation runs, in the order of the graph."""
    sizes, holder = memory.sizes, memory.holder
    last_use = {holder[value]: at for at, node in enumerate(graph.nodes) for value in (*read(node), node.result)}
    kept = {holder[value] for value in graph.outputs.values()}
    alive, found = sizes[0], []
    for at, node in enumerate(graph.nodes):
        alive += sizes[node.result]
        found.append(alive)
        ended = {holder[value] for value in (*read(node), node.result)} - kept
        alive -= sum(sizes[value] for value in ended if last_use[value] == at)
    return found


def written_over(graph: Graph) -> dict[int, int]:
    """For each value that may be written where an input of its operation stands, that input: nothing else reads it."""
    sizes, _ = _memory(graph)
    reads = Counter(value for node in graph.nodes for value in node.inputs)
    reads.update(graph.outputs.values())
    found: dict[int, int] = {}
    for node in graph.nodes:
        if sizes[node.result] and (PRIMITIVES[node.primitive].activation or node.primitive in WRITES_OVER):
            alone = (value for value in node.inputs if value and reads[value] == 1 and sizes[value])
            over = next((value for value in alone if graph.types[value] == graph.types[node.result]), None)
            if over is not None:
                found[node.result] = over
    return found


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
