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
    """Of each row, in input pixels; None where it is the whole image. Of what a head gives, the widest."""
    fields: dict[int, Field | None] = {0: (1, Fraction(1))}
    for node in graph.nodes:
        fields[node.result] = _after(node, [fields[value] for value in node.inputs])
    return {row.name: _widest([fields[graph.rows[name]] for name in row.values]) for row in graph.program.rows}


def _widest(fields: list[Field | None]) -> int | None:
    return None if None in fields else max(field[0] for field in fields if field is not None)


def _after(node: Node, inputs: list[Field | None]) -> Field | None:
    if node.primitive in ("global_average_pool", "flatten") or any(field is None for field in inputs):
        return None
    fields = cast(list[Field], inputs)
    if node.primitive == "parameter":
        return 1, fields[0][1] if fields else Fraction(1)
    width, step = (
        max((field[0] for field in fields), default=1),
        max((field[1] for field in fields), default=Fraction(1)),
    )
    if node.primitive == "conv_transpose":
        kernel, stride = cast(int, node.attributes["kernel"]), cast(int, node.attributes["stride"])
        return int(width + (-(-kernel // stride) - 1) * step), step / stride
    if "kernel" in node.attributes:
        kernel, stride = cast(int, node.attributes["kernel"]), cast(int, node.attributes["stride"])
        reach = (kernel - 1) * cast(int, node.attributes.get("dilation", 1))
        return int(width + reach * step), step * stride
    if node.primitive in ("upsample", "resize", "resize_to_level"):
        beside = 0 if node.attributes["mode"] == "nearest" else step  # bilinear takes from two neighbours
        width = int(fields[0][0] + beside)
        if node.primitive == "resize":
            return width, fields[1][1]
        if node.primitive == "resize_to_level":
            return width, Fraction(1 << cast(int, node.attributes["level"]))
        return width, step / 2 ** cast(int, node.attributes["levels"])
    return width, step
