"""Pair: two convolutions whose results are added become one, of both maps one after the other.

Needs two convolutions of one window, with plain kernels and without groups, each read by the addition alone and with
tensors of its own, and maps of one place. Where their inputs have more channels together than both results, joining
those costs more than the addition saves, and they stay. Promises the same up to the rounding of a sum in another order.
"""

from __future__ import annotations

from collections.abc import Hashable

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES, Parameter
from spinedsl.ops.rules import is_plain
from spinedsl.ops.types import Type
from spinedsl.passes.form import Form, Wiring, only_read, settled, tensor, tidied, wiring
from spinedsl.passes.recipes import Recipe, joined, summed
from spinedsl.record import replace

WINDOW = ("channels", "kernel", "stride", "padding", "dilation", "groups")


def pair(form: Form) -> Form:
    """With one convolution in the place of two and their sum, and so on where another is added to that."""
    return settled(form, _once)


def _once(form: Form) -> Form:
    graph = form.graph
    wired, types = wiring(graph), list(graph.types)
    nodes: list[Node] = []
    parameters: dict[str, Parameter] = {}
    recipes: dict[str, Recipe] = {}
    for node in graph.nodes:
        if node.primitive == "add" and (found := _pair(graph, wired, node)):
            nodes += _joined(form, node, *found, types, parameters, recipes)
        else:
            nodes.append(node)
    return tidied(form, nodes, types=types, parameters=parameters, recipes=recipes) if recipes else form


def alike(conv: Node, graph: Graph) -> Hashable:
    """What two convolutions have in common that can be one: the window, and the place of what they read."""
    x = graph.types[conv.inputs[0]]
    return (*(conv.attributes[name] for name in WINDOW), replace(x, channels=1))


def _pair(graph: Graph, wired: Wiring, add: Node) -> tuple[Node, Node] | None:
    first, second = (only_read(graph, wired, value) for value in add.inputs)
    if first is None or second is None or first is second:
        return None
    if any(conv.primitive != "conv" or conv.attributes["groups"] != 1 for conv in (first, second)):
        return None
    if not (is_plain(first.attributes) and is_plain(second.attributes)):
        return None
    if not (wired.alone(first) and wired.alone(second)) or alike(first, graph) != alike(second, graph):
        return None
    inputs = sum(graph.types[conv.inputs[0]].channels for conv in (first, second))
    pays = inputs <= 2 * graph.types[add.result].channels
    return (first, second) if pays else None


def _joined(
    form: Form, add: Node, first: Node, second: Node, types: list[Type], parameters: dict[str, Parameter],
    recipes: dict[str, Recipe],
) -> tuple[Node, Node]:  # fmt: skip
    """What stands in the place of an addition; its type, tensors and their recipes go with those of the others."""
    graph = form.graph
    type_ = PRIMITIVES["concat"].shape([graph.types[conv.inputs[0]] for conv in (first, second)], {})
    assert isinstance(type_, Type)
    types.append(type_)
    concat = replace(
        add, primitive="concat", inputs=(first.inputs[0], second.inputs[0]), attributes={}, parameters={},
        result=len(types) - 1,
    )  # fmt: skip
    weights = [conv.parameters["weight"] for conv in (first, second)]
    biases = [conv.parameters.get("bias") for conv in (first, second)]
    out, _, *window = graph.parameters[weights[0]].shape
    named, shapes = {"weight": f"{weights[0]}.joined"}, {"weight": (out, type_.channels, *window)}
    recipes[named["weight"]] = joined(*(form.recipe(name) for name in weights))
    if any(biases):
        named["bias"], shapes["bias"] = (
            f"{first.name}.bias.joined" if biases[0] is None else f"{biases[0]}.joined",
            (out,),
        )
        recipes[named["bias"]] = summed(*(None if name is None else form.recipe(name) for name in biases))
    parameters |= {name: tensor(last, shapes[last]) for last, name in named.items()}
    return concat, replace(
        first, inputs=(concat.result,), attributes={**first.attributes, "bias": any(biases)}, parameters=named,
        result=add.result,
    )  # fmt: skip
