"""Absorb: a batch norm becomes part of the convolution after it.

Needs a norm that only the convolution reads, and a convolution whose tensors no other operation has, that puts no
zeros around the map at any size: what is 0 before a norm is not 0 behind it. Promises the same up to rounding.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from spinedsl.ops.graph import Node
from spinedsl.ops.primitives import pads
from spinedsl.ops.rules import is_plain, kernel_of, window
from spinedsl.passes.form import Form, merged, only_read, settled, wiring
from spinedsl.passes.recipes import Recipe, scaled_inputs, shifted_inputs
from spinedsl.record import replace


def absorb(form: Form) -> Form:
    """With norms taken into the convolutions after them, one after the other where several stand there."""
    return settled(form, _once)


def _once(form: Form) -> Form:
    graph = form.graph
    wired, nodes = wiring(graph), {node.result: node for node in graph.nodes}
    made: dict[str, tuple[tuple[int, ...], Recipe]] = {}
    for conv in graph.nodes:
        if conv.primitive != "conv" or not wired.alone(conv) or not is_plain(conv.attributes):
            continue
        if not unpadded(conv, any_size=graph.program.any_size):
            continue
        norm = only_read(graph, wired, conv.inputs[0])
        if norm is None or norm.primitive != "batch_norm" or norm.home in form.keep:
            continue
        own = _made(conv, norm, form)
        named = dict(zip(("weight", "bias"), own, strict=True))
        attributes = {**conv.attributes, "bias": True}
        nodes[conv.result] = replace(conv, inputs=norm.inputs, attributes=attributes, parameters=named)
        made |= own
    return merged(form, nodes.values(), made)


def unpadded(conv: Node, *, any_size: bool) -> bool:
    """It puts nothing around a map, of whatever size."""
    settled = kernel_of(conv.attributes) == (1, 1) or conv.attributes["padding"] != "same" or not any_size
    return settled and all(pads(*window(conv.attributes, axis)) == (0, 0) for axis in (0, 1))


def _made(conv: Node, norm: Node, form: Form) -> dict[str, tuple[tuple[int, ...], Recipe]]:
    """Shape and recipe of the two tensors of the convolution that does both."""
    epsilon, groups = float(cast(Fraction, norm.attributes["epsilon"])), cast(int, conv.attributes["groups"])
    weight, bias = conv.parameters["weight"], conv.parameters.get("bias")
    shape, kernel = form.graph.parameters[weight].shape, form.recipe(weight)
    kept = None if bias is None else form.recipe(bias)
    return {
        f"{weight}.absorbed": (shape, scaled_inputs(kernel, norm.home, epsilon, groups)),
        f"{bias or f'{conv.name}.bias'}.absorbed": (
            (shape[0],), shifted_inputs(kept, kernel, norm.home, epsilon, groups)
        ),
    }  # fmt: skip
