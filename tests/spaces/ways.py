"""Depth and entropy by the longest ways through the graph that the compiler makes of a candidate."""

from __future__ import annotations

from math import log, prod

from spinedsl.ops.graph import Graph
from spinedsl.spaces.candidates import Candidates, Priced


def measured(space: Candidates, one: Priced, graph: Graph) -> tuple[float, float]:
    """Both, from the candidate's graph, all stages included."""
    depth: dict[int, float] = {0: 0.0}
    spread: dict[int, float] = {0: 0.0}
    for node in graph.nodes:
        shape = graph.parameters[node.parameters["weight"]].shape if "weight" in node.parameters else ()
        layer = len(shape) > 1
        depth[node.result] = max(depth[value] for value in node.inputs) + layer
        spread[node.result] = max(spread[value] for value in node.inputs) + (log(prod(shape[1:])) if layer else 0)
    left = {row.block for row in one.candidate.rows if row is not None}
    ends = [graph.rows[space.space.blocks[block].name] for block in space.space.ends if block in left]
    sizes = [log(graph.types[end].channels * graph.types[end].height * graph.types[end].width) for end in ends]
    entropy = [spread[end] * size for end, size in zip(ends, sizes, strict=True)]
    return sum(depth[end] for end in ends) / len(ends), sum(entropy) / len(ends)
