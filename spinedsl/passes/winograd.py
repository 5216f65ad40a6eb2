"""Winograd: 3x3 convolutions are to compute four rows of the result from six of the map, with half of the products.

Needs a convolution that moves by 1, has no groups or dilation and keeps the size; as many channels as make up for what
goes in and comes out, and a height that four divide well. Promises the same up to the rounding of sums in another
order, as Lavin and Gray (2016) work them out. The graph stays, and says of such a convolution how many `rows` it
computes at once: how, the backend knows; the interpreter computes it as any other.
"""

from __future__ import annotations

from fractions import Fraction

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.rules import is_plain, kernel_of, pads, window
from spinedsl.ops.types import Type
from spinedsl.passes.form import Form, tidied
from spinedsl.passes.pad import BLOCK
from spinedsl.record import replace

ROWS = 4  # of the result that are computed together, from two more of the map
LEAST = 48  # channels, on either side
LOWEST = 8  # rows of a map
MOST = Fraction(5, 4)  # of the rows may be computed: those beyond the last are cut off


def winograd(form: Form) -> Form:
    """With such convolutions marked."""
    if form.numbers.half:  # whose digits these sums would use up
        return form
    nodes = [
        replace(node, attributes={**node.attributes, "rows": ROWS}) if pays(node, form) else node
        for node in form.graph.nodes
    ]
    return tidied(form, nodes) if any("rows" in node.attributes for node in nodes) else form


def pays(node: Node, form: Form) -> bool:
    """A convolution that is of the kind, and large enough."""
    if node.primitive != "conv" or kernel_of(node.attributes) != (3, 3) or node.attributes["groups"] != 1:
        return False
    if not is_plain(node.attributes):
        return False
    x, result = form.graph.types[node.inputs[0]], form.graph.types[node.result]
    for axis, size in enumerate((x.height, x.width)):
        kernel, stride, dilation, padding = window(node.attributes, axis)
        if (stride, dilation) != (1, 1) or pads(kernel, stride, dilation, padding, size) != (1, 1):
            return False
    wide = all(channels >= LEAST and channels % BLOCK == 0 for channels in (x.channels, result.channels))
    return wide and x.height >= LOWEST and tiles(x.height) * ROWS <= MOST * x.height and _divided(x, form)


def _divided(x: Type, form: Form) -> bool:
    """Where the height varies, four divide it, whatever it is."""
    if "height" not in form.numbers.dynamic or x.is_pooled:
        return True
    program = form.graph.program
    return not program.any_size and x.extra[0] == 0 and program.divisor // x.strides[0] % ROWS == 0


def tiles(height: int) -> int:
    """How many times so many rows are computed."""
    return -(-height // ROWS)


def by_rows(node: Node, graph: Graph) -> int:
    """Multiply-adds of a marked convolution: of six kernels of 1x3, and of the sums before and behind them."""
    x, result = graph.types[node.inputs[0]], graph.types[node.result]
    products, before, behind = 6 * 3 * x.channels * result.channels, 22 * x.channels, 5 * result.channels
    return tiles(result.height) * result.width * (products + before + behind)
