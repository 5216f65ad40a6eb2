"""Below: a 1x1 convolution behind an enlargement to nearest neighbours moves before it, where the map is smaller.

Needs a convolution of kernel and stride 1 without padding, and an upsample or resize by nearest neighbours that only it
reads; a crop to the level may stand between. Promises the same bits: each position is computed from the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.types import Type
from spinedsl.passes.absorb import unpadded
from spinedsl.passes.form import Form, Wiring, only_read, settled, tidied, wiring
from spinedsl.record import replace

PLACED = ("upsample", "resize", "resize_to_level", "crop_to_level")  # they take each position from another


def below(form: Form) -> Form:
    """With 1x1 convolutions before enlargements."""
    return moved(form, lambda node: _one_by_one(node, any_size=form.graph.program.any_size))


def _one_by_one(node: Node, *, any_size: bool) -> bool:
    if node.primitive != "conv" or (node.attributes["kernel"], node.attributes["stride"]) != (1, 1):
        return False
    return unpadded(node, any_size=any_size)


def moved(form: Form, movable: Callable[[Node], bool]) -> Form:
    """With operations, each of one map and of one position at a time, before the enlargements that they follow."""
    return settled(form, lambda form: _once(form, movable))


def _once(form: Form, movable: Callable[[Node], bool]) -> Form:
    """With those moved that can be: each enlargement is read by one operation alone, so none stands in two chains."""
    graph = form.graph
    wired, nodes, types = wiring(graph), list(graph.nodes), list(graph.types)
    for at, node in enumerate(graph.nodes):
        if movable(node) and (chain := _chain(graph, wired, node)):
            _swap(graph, nodes, types, [*(wired.makers[one.result] for one in chain), at])
    return form if len(types) == len(graph.types) else tidied(form, nodes, types=types)


def _chain(graph: Graph, wired: Wiring, node: Node) -> list[Node]:
    """What the operation can move before, in running order: as far as the map gets smaller, perhaps nothing."""
    found: list[Node] = []
    best, least = 0, _area(graph, node.inputs[0])
    maker = only_read(graph, wired, node.inputs[0])
    while maker is not None and maker.primitive in PLACED and maker.attributes.get("mode", "nearest") == "nearest":
        found.append(maker)
        if _area(graph, maker.inputs[0]) < least:
            best, least = len(found), _area(graph, maker.inputs[0])
        maker = only_read(graph, wired, maker.inputs[0])
    return found[:best][::-1]


def _area(graph: Graph, value: int) -> int:
    return graph.types[value].height * graph.types[value].width


def _swap(graph: Graph, nodes: list[Node], types: list[Type], places: list[int]) -> None:
    """Let the last of some operations, each of which reads the one before it, run first."""
    *chain, last = (graph.nodes[place] for place in places)
    channels, value = graph.types[last.result].channels, chain[0].inputs[0]
    for place, node in zip(places, [last, *chain], strict=True):
        before = graph.types[chain[0].inputs[0] if node is last else node.result]
        if place == places[-1]:
            result = last.result
        else:
            types.append(replace(before, channels=channels))
            result = len(types) - 1
        nodes[place] = replace(node, inputs=(value, *node.inputs[1:]), result=result)
        value = result
