"""Which names the body of a definition reads as feature maps, by its text alone."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.ops.primitives import ALIASES, PRIMITIVES
from spinedsl.syntax import tree


def read_as_maps(node: object, *, number: bool = False) -> Iterator[str]:
    """The names that stand where a feature map may: no attribute of an operation, condition or count is one."""
    if isinstance(node, tuple):
        for part in node:
            yield from read_as_maps(part, number=number)
    elif isinstance(node, tree.Ident):
        if not number:
            yield node.name
    elif isinstance(node, tree.Property):
        yield from read_as_maps(node.base)
    elif isinstance(node, tree.Call):
        operation = PRIMITIVES.get(ALIASES.get(node.callee.text, node.callee.text))
        maps = len(node.arguments)
        if operation is not None:
            maps = 1 if operation.attributes else maps
        for index, argument in enumerate(node.arguments):
            named = argument.name is not None and operation is not None and argument.name.text != "like"
            yield from read_as_maps(argument.value, number=number or named or index >= maps)
    elif isinstance(node, tree.If):
        yield from read_as_maps(node.condition, number=True)
        yield from read_as_maps((node.then, node.other))
    elif isinstance(node, tree.Repeat):
        yield from read_as_maps(node.count, number=True)
        yield from read_as_maps(node.body)
    elif isinstance(node, tree.Node):
        yield from read_as_maps(tree.parts(node), number=number)
