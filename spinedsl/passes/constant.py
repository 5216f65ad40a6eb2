"""Constant: arithmetic on numbers of the file is done once, when the network is compiled.

Needs `constant` operations. Promises numbers that are exact fractions, rounded once where the network would round after
each step. What float32 does not hold is left to be computed, and is infinite there.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias, cast

from spinedsl.ops.graph import Node
from spinedsl.ops.types import SINGLE_MOST
from spinedsl.passes.form import Form, tidied
from spinedsl.record import replace

Numbers: TypeAlias = tuple[Fraction, ...]


def constant(form: Form) -> Form:
    """With constants in the place of what only reads constants."""
    known: dict[int, Numbers] = {}
    nodes = []
    for node in form.graph.nodes:
        numbers = _numbers(node, known)
        if numbers is None or max(map(abs, numbers)) > SINGLE_MOST:
            nodes.append(node)
            continue
        known[node.result] = numbers
        values = tuple(numbers)
        nodes.append(replace(node, primitive="constant", inputs=(), attributes={"values": values}, parameters={}))
    return tidied(form, nodes)


def _numbers(node: Node, known: dict[int, Numbers]) -> Numbers | None:
    """What a value is, one number a channel; None where that depends on more than the file."""
    if node.primitive == "constant":
        return tuple(map(Fraction, cast("tuple[int, ...]", node.attributes["values"])))
    if not node.inputs or any(value not in known for value in node.inputs):
        return None
    first = known[node.inputs[0]]
    by = Fraction(cast(int, node.attributes.get("value", 0)))
    if node.primitive == "add_scalar":
        return tuple(number + by for number in first)
    if node.primitive == "multiply_scalar":
        return tuple(number * by for number in first)
    if node.primitive == "relu":
        return tuple(max(number, Fraction(0)) for number in first)
    if node.primitive in ("add", "multiply"):
        return _together(node, first, known[node.inputs[1]])
    return None


def _together(node: Node, first: Numbers, second: Numbers) -> Numbers:
    """Channel by channel; one number meets every channel."""
    count = max(len(first), len(second))
    first, second = (part * count if len(part) == 1 else part for part in (first, second))
    pairs = zip(first, second, strict=True)
    return tuple(a + b if node.primitive == "add" else a * b for a, b in pairs)
