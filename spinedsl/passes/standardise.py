"""Standardise: kernels that a convolution standardises become plain ones, made once of its tensors.

Needs convolutions that standardise. Promises the same up to the rounding of the kernel, which is computed in float64;
the passes after it meet a convolution like any other.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

from spinedsl.ops.graph import Node
from spinedsl.ops.rules import PLAIN, SCALED, gain_factor, is_plain
from spinedsl.passes.form import Form, merged
from spinedsl.passes.recipes import Recipe, gained, standardised
from spinedsl.record import replace


def standardise(form: Form) -> Form:
    """With plain kernels. Convolutions that share their tensors share what is made of them."""
    nodes: list[Node] = []
    made: dict[str, tuple[tuple[int, ...], Recipe]] = {}
    for node in form.graph.nodes:
        if is_plain(node.attributes):
            nodes.append(node)
            continue
        weight = node.parameters["weight"]
        shape, name = form.graph.parameters[weight].shape, f"{weight}.standardised"
        recipe = standardised(form.recipe(weight), float(cast(Fraction, node.attributes["epsilon"])))
        if node.attributes["weight"] == SCALED:
            recipe = gained(recipe, form.recipe(node.parameters["gain"]), gain_factor(node.attributes, shape))
        made[name] = shape, recipe
        named = {last: full for last, full in node.parameters.items() if last != "gain"} | {"weight": name}
        nodes.append(replace(node, attributes={**node.attributes, "weight": PLAIN}, parameters=named))
    return merged(form, nodes, made)
