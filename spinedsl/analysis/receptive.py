"""Theoretical receptive field: how many input pixels, along one axis, can reach a value of a feature map.

Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill 2019, without alignment:
of several ways the widest counts. A map that was pooled to 1x1 sees the whole image.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from spinedsl.ops.graph import Graph, Node

Field = tuple[int, Fraction]  # width in input pixels, and the distance between neighbours


def receptive_fields(graph: Graph) -> dict[str, int | None]:
    """Of each row, in input pixels; None where it is the whole image."""
    fields: dict[int, Field | None] = {0: (1, Fraction(1))}
    for node in graph.nodes:
        fields[node.result] = _after(node, [fields[value] for value in node.inputs])
    reached = {row: fields[value] for row, value in graph.rows.items()}
    return {row: None if field is None else field[0] for row, field in reached.items()}


def _after(node: Node, inputs: list[Field | None]) -> Field | None:
    if node.primitive == "global_average_pool" or any(field is None for field in inputs):
        return None
    fields = cast(list[Field], inputs)
    width, step = (
        max((field[0] for field in fields), default=1),
        max((field[1] for field in fields), default=Fraction(1)),
    )
    if "kernel" in node.attributes:
        kernel, stride = cast(int, node.attributes["kernel"]), cast(int, node.attributes["stride"])
        reach = (kernel - 1) * cast(int, node.attributes.get("dilation", 1))
        return int(width + reach * step), step * stride
    if node.primitive == "upsample":
        return width, step / 2 ** cast(int, node.attributes["levels"])
    return width, step
