"""Fold: a batch norm becomes part of the convolution, or the linear layer, before it.

Needs one of a plain kernel, also a transposed convolution, that only the norm reads. Where several have its tensors,
the same norm stands behind each; a value that is an output stays. Promises the same up to the rounding of kernel and
bias: factors are computed in float64. Where a factor is no number of float32, `levels.optimised` is told so and keeps
that norm.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from spinedsl.ops.graph import Node
from spinedsl.ops.rules import is_plain
from spinedsl.passes.form import Form, Wiring, merged, only_read, settled, wiring
from spinedsl.passes.recipes import Recipe, scaled, shifted
from spinedsl.record import replace

OUTPUTS = {"conv": 0, "conv_transpose": 1, "linear": 0}  # the axis of a kernel along which its outputs stand


def fold(form: Form) -> Form:
    """With norms folded into the convolutions before them, one after the other where several follow."""
    return settled(form, _once)


def _once(form: Form) -> Form:
    graph = form.graph
    wired, nodes = wiring(graph), {node.result: node for node in graph.nodes}
    behind: dict[str, list[tuple[Node, Node]]] = {}  # by kernel: convolutions, and the norms after them
    for norm in graph.nodes:
        if norm.primitive != "batch_norm" or norm.home in form.keep:
            continue
        conv = only_read(graph, wired, norm.inputs[0])
        if conv is not None and conv.primitive in OUTPUTS and is_plain(conv.attributes):
            behind.setdefault(conv.parameters["weight"], []).append((conv, norm))
    made: dict[str, tuple[tuple[int, ...], Recipe]] = {}
    for pairs in behind.values():
        if _together(pairs, wired):
            for conv, norm in pairs:
                nodes[norm.result], own = _folded(conv, norm, form)
                made |= own
    return merged(form, nodes.values(), made)


def _together(pairs: list[tuple[Node, Node]], wired: Wiring) -> bool:
    """After every convolution that has a kernel, mostly one, stands the same norm, by its tensors."""
    (conv, norm), *others = pairs
    if any(wired.sharing[name] != len(pairs) for name in conv.parameters.values()):
        return False
    shared = (conv.parameters, norm.parameters, norm.attributes["epsilon"])
    return all((one.parameters, after.parameters, after.attributes["epsilon"]) == shared for one, after in others)


def _folded(conv: Node, norm: Node, form: Form) -> tuple[Node, dict[str, tuple[tuple[int, ...], Recipe]]]:
    """The convolution that does both, and shape and recipe of its two tensors."""
    epsilon = float(cast(Fraction, norm.attributes["epsilon"]))
    axis = OUTPUTS[conv.primitive]
    weight, bias = conv.parameters["weight"], conv.parameters.get("bias")
    shape = form.graph.parameters[weight].shape
    kept = None if bias is None else form.recipe(bias)
    name = weight.rpartition(".weight")[0]
    made = {
        f"{name}.weight.folded": (shape, scaled(form.recipe(weight), norm.home, epsilon, axis)),
        f"{name}.bias.folded": ((shape[axis],), shifted(kept, norm.home, epsilon)),
    }
    named = dict(zip(("weight", "bias"), made, strict=True))
    node = replace(conv, attributes={**conv.attributes, "bias": True}, parameters=named, result=norm.result)
    return node, made
