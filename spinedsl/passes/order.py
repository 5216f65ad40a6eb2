"""Order: additions in an order that leaves less to do, and activations before enlargements.

Needs sums of maps of one shape that nothing else reads, and upsamples by nearest neighbours. Promises the same up to
the rounding of sums in another order: maps that are enlarged alike are added before that, and convolutions that `pair`
can join stand beside each other. An activation before an enlargement gives the same bits.
"""

from __future__ import annotations

from collections.abc import Hashable

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.types import Type
from spinedsl.passes.below import moved
from spinedsl.passes.form import Form, Wiring, only_read, settled, tidied, wiring
from spinedsl.passes.pair import alike
from spinedsl.record import replace


def order(form: Form) -> Form:
    """With additions and activations in another order."""
    return settled(moved(form, _activation), _once)


def _once(form: Form) -> Form:
    """With every sum in another order that has to be: each addition inside of one is read by that alone."""
    graph = form.graph
    wired, types = wiring(graph), list(graph.types)
    inner = {value for node in graph.nodes if node.primitive == "add" for value in node.inputs}
    nodes: list[Node] = []
    changed = False
    for node in graph.nodes:
        top = node.result not in inner or only_read(graph, wired, node.result) is None
        made = _reordered(graph, wired, node, types) if node.primitive == "add" and top else None
        nodes += [node] if made is None else made
        changed |= made is not None
    return tidied(form, nodes, types=types) if changed else form


def _activation(node: Node) -> bool:
    return PRIMITIVES[node.primitive].activation and node.primitive not in ("softmax", "identity")


def _terms(graph: Graph, wired: Wiring, node: Node) -> list[int]:
    """What a sum adds, from left to right; sums of sums that nothing else reads are opened."""
    found = []
    for value in node.inputs:
        maker = only_read(graph, wired, value)
        plain = maker is not None and maker.primitive == "add" and graph.types[value] == graph.types[node.result]
        found += _terms(graph, wired, maker) if plain and maker is not None else [value]
    return found


def _reordered(graph: Graph, wired: Wiring, root: Node, types: list[Type]) -> list[Node] | None:
    """The operations of one sum in another order; None where it is right as it is."""
    terms = _terms(graph, wired, root)
    if any(graph.types[value] != graph.types[root.result] for value in terms) or len(set(terms)) < len(terms):
        return None
    groups: dict[Hashable, list[int]] = {}
    for value in terms:
        groups.setdefault(_kind(graph, wired, value), []).append(value)
    wanted = [value for group in groups.values() for value in group]
    enlarged = [
        group for kind, group in groups.items() if isinstance(kind, tuple) and kind[0] == "up" and len(group) > 1
    ]
    if wanted == terms and not enlarged:
        return None
    made: list[Node] = []
    for group in enlarged:
        up, *others = (graph.nodes[wired.makers[value]] for value in group)
        total = _sum(root, [up.inputs[0], *(other.inputs[0] for other in others)], types, made)
        types.append(graph.types[up.result])
        made.append(replace(up, inputs=(total, *up.inputs[1:]), result=len(types) - 1))
        at = wanted.index(group[0])
        wanted = [value for value in wanted if value not in group]
        wanted.insert(at, len(types) - 1)
    if len(wanted) == 1:
        made[-1] = replace(made[-1], result=root.result)
    else:
        _sum(root, wanted, types, made, root.result)
    return made


def _sum(root: Node, values: list[int], types: list[Type], made: list[Node], result: int | None = None) -> int:
    """Additions of some values from left to right; the value of all."""
    total = values[0]
    for position, value in enumerate(values[1:], 2):
        if result is not None and position == len(values):
            number = result
        else:
            types.append(types[total])
            number = len(types) - 1
        made.append(replace(root, inputs=(total, value), result=number))
        total = number
    return total


def _kind(graph: Graph, wired: Wiring, value: int) -> Hashable:
    """What stands together in a sum: what is enlarged alike, convolutions that can be joined, and all that is alone."""
    maker = only_read(graph, wired, value)
    if maker is None:
        return value
    if maker.primitive == "upsample" and maker.attributes["mode"] == "nearest":
        return "up", maker.attributes["levels"], graph.types[maker.inputs[0]]
    if maker.primitive == "conv" and wired.alone(maker) and maker.attributes["groups"] == 1:
        return alike(maker, graph)
    return value
