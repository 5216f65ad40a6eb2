"""Activation memory of one forward pass: the largest sum of feature maps that are alive at once.

A map lives from the operation that makes it to the last that reads it; the input and the outputs are counted too. Each
operation has a result of its own, as in eager PyTorch in inference; engines that fuse or reorder need less.
"""

from __future__ import annotations

from math import prod

from spinedsl.ops.graph import Graph

BYTES = 4  # of a float32


def peak_activation_bytes(graph: Graph) -> int:
    """Bytes at the fullest moment, for one image at the program's input size."""
    sizes = [prod(type_.shape) * BYTES for type_ in graph.types]
    last_use = {value: position for position, node in enumerate(graph.nodes) for value in node.inputs}
    kept = set(graph.outputs.values())
    alive = peak = sizes[0]
    for position, node in enumerate(graph.nodes):
        alive += sizes[node.result]
        peak = max(peak, alive)
        for value in {*node.inputs, node.result}:
            if last_use.get(value, position) == position and value not in kept:
                alive -= sizes[value]
    return peak


def row_activation_bytes(graph: Graph) -> dict[str, int]:
    """Bytes of each row's own feature map, or of all that a head gives."""
    return {
        row.name: sum(prod(graph.types[graph.rows[name]].shape) * BYTES for name in row.values)
        for row in graph.program.rows
    }
