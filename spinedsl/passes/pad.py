"""Pad: channels filled up with zeros to a multiple of what a runtime computes at once.

Needs maps whose every maker and reader is a convolution with tensors of its own, or works on each channel by itself;
joined lists only where convolutions read them. Promises the same bits where the runtime adds in the same order: what is
added to a sum is 0 times a number. Where that would be more than a quarter of the map, it stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.memory import read
from spinedsl.ops.primitives import PRIMITIVES, Parameter
from spinedsl.ops.rules import is_plain
from spinedsl.passes.form import Form, Wiring, tensor, tidied, wiring
from spinedsl.passes.recipes import Recipe, Segments, padded
from spinedsl.record import replace

BLOCK = 16  # channels that ONNX Runtime's convolutions keep together, where the processor has AVX-512; 8 divide it
MOST = Fraction(1, 4)  # of a map may be zeros
# One channel of the result is computed of that channel alone, and is a number where the channel holds zeros.
CHANNELWISE = frozenset(
    """
    add multiply add_scalar multiply_scalar maximum minimum maximum_scalar minimum_scalar max_pool average_pool
    global_average_pool global_max_pool global_sum_pool adaptive_average_pool upsample resize resize_to_level
    crop_to_level pad crop
    """.split()
)


def pad(form: Form) -> Form:
    """With channels filled up."""
    graph, wired = form.graph, wiring(form.graph)
    groups = _Groups(graph, wired)
    layouts = groups.layouts()
    if not any(zeros for layout in layouts.values() for _, zeros in layout):
        return form
    types = list(graph.types)
    for value, layout in layouts.items():
        types[value] = replace(types[value], channels=_size(layout))
    nodes: list[Node] = []
    parameters: dict[str, Parameter] = {}
    recipes: dict[str, Recipe] = {}
    for node in graph.nodes:
        own = groups.kinds.get(node.result)
        if own is None:
            nodes.append(node)
            continue
        out, given = layouts.get(node.result), layouts.get(node.inputs[0])
        changed = {axis: part for axis, part in ((0, out), (1, given)) if part is not None and own[axis]}
        attributes, named = dict(node.attributes), dict(node.parameters)
        for last, name in node.parameters.items():
            axes = {axis: part for axis, part in changed.items() if axis < (1 if last == "bias" else 2)}
            if not axes:
                continue
            shape = list(graph.parameters[name].shape)
            for axis, part in axes.items():
                shape[axis] = _size(part)
            named[last] = f"{name}.padded"
            parameters[named[last]] = tensor(last, tuple(shape))
            recipes[named[last]] = padded(form.recipe(name), axes.get(0), axes.get(1))
        if 0 in changed and node.primitive == "conv":
            attributes["channels"] = _size(changed[0])
            if node.attributes["groups"] != 1:
                attributes["groups"] = _size(changed[0])
        nodes.append(replace(node, attributes=attributes, parameters=named))
    return tidied(form, nodes, types=types, parameters=parameters, recipes=recipes)


def _size(layout: Segments) -> int:
    return sum(real + zeros for real, zeros in layout)


class _Groups:
    """Values that have the same channels, and which of them may have more."""

    def __init__(self, graph: Graph, wired: Wiring) -> None:
        self.graph, self.wired = graph, wired
        self.parent = list(range(len(graph.types)))
        self.fixed = {0, *graph.outputs.values()}
        # Of what has tensors: whether its outputs, and its inputs, may be more.
        self.kinds: dict[int, tuple[bool, bool]] = {}
        self.joined: list[Node] = []
        self.readers: dict[int, list[Node]] = {}
        for node in graph.nodes:
            for value in node.inputs:
                self.readers.setdefault(value, []).append(node)
        for node in graph.nodes:
            self.read(node)
        self.closed = {self.root(value) for value in self.fixed}

    def root(self, value: int) -> int:
        """The value that stands for its group."""
        while self.parent[value] != value:
            self.parent[value] = self.parent[self.parent[value]]
            value = self.parent[value]
        return value

    def read(self, node: Node) -> None:
        """What an operation says of the values around it."""
        types = self.graph.types
        alone = self.wired.alone(node) and is_plain(node.attributes)
        if node.primitive == "conv" and alone and node.attributes["groups"] == 1:
            self.kinds[node.result] = True, True
        elif node.primitive == "conv" and alone and self._depthwise(node):
            self.kinds[node.result] = True, False
            self.parent[self.root(node.result)] = self.root(node.inputs[0])
        elif node.primitive == "linear" and alone:
            self.kinds[node.result] = False, True
            self.fixed.add(node.result)
        elif node.primitive == "concat" and self._for_convolutions(node):
            self.joined.append(node)
            self.fixed.add(node.result)
        elif node.primitive in CHANNELWISE or self._activation(node):
            values = [*read(node), node.result]
            for value in values:
                if types[value].channels != types[node.result].channels or types[value].axes:
                    self.fixed.update(values)
                self.parent[self.root(value)] = self.root(node.result)
        else:
            self.fixed.update((*node.inputs, node.result))

    @staticmethod
    def _activation(node: Node) -> bool:
        return PRIMITIVES[node.primitive].activation and node.primitive != "softmax"

    def _depthwise(self, node: Node) -> bool:
        channels = self.graph.types[node.inputs[0]].channels
        return node.attributes["groups"] == channels == self.graph.types[node.result].channels

    def _for_convolutions(self, node: Node) -> bool:
        """Only convolutions without groups, with tensors of their own, read the list."""
        if node.result in self.graph.outputs.values():
            return False
        return all(
            one.primitive == "conv"
            and one.attributes["groups"] == 1
            and self.wired.alone(one)
            and is_plain(one.attributes)
            for one in self.readers.get(node.result, ())
        )

    def layouts(self) -> dict[int, Segments]:
        """For each value that gets more channels, numbers and zeros in turns."""
        found: dict[int, Segments] = {}
        for value in self.values():
            channels = self.graph.types[value].channels
            zeros = -channels % BLOCK
            if self.root(value) not in self.closed and zeros and Fraction(zeros, channels) <= MOST:
                found[value] = [[channels, zeros]]
        for node in self.joined:
            parts = [found.get(value, [[self.graph.types[value].channels, 0]]) for value in node.inputs]
            if any(zeros for part in parts for _, zeros in part):
                found[node.result] = [segment for part in parts for segment in part]
        return found

    def values(self) -> Iterator[int]:
        """Every value that some operation makes."""
        return (node.result for node in self.graph.nodes)
