"""What a network's convolutions cost where channels are computed several at a time, and a part takes as long as all.

Runtimes keep maps in blocks of 8 or 16 channels: a width that is no multiple is filled up, in what a convolution reads
as in what it gives. Inside of block types too, where most of the work is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spinedsl.ops.graph import Node, of_module
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.types import Type
from spinedsl.record import Record, field

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork
    from spinedsl.ops.program import Module


class Odd(Record):
    """A width that fills no blocks: the convolutions that it is in, and the multiply-adds that it alone adds."""

    convolutions: int
    added: int


class Lanes(Record, frozen=False):
    """Multiply-adds of convolutions as asked for, and with widths filled up; what is odd, by width."""

    asked: int = 0
    computed: int = 0
    odd: dict[int, Odd] = field(default_factory=dict)

    def add(self, other: Lanes) -> None:
        """Those of a module."""
        self.asked += other.asked
        self.computed += other.computed
        for width, one in other.odd.items():
            self.count(width, one)

    def count(self, width: int, more: Odd) -> None:
        """A width in some more convolutions."""
        before = self.odd.get(width, Odd(0, 0))
        self.odd[width] = Odd(before.convolutions + more.convolutions, before.added + more.added)


def lanes(network: TypedNetwork, multiple: int) -> Lanes:
    """Those of all rows whose modules are known."""
    found, known = Lanes(), dict[int, Lanes]()
    for row in network.rows.values():
        for call in row.uses:
            if id(call.module) not in known:
                known[id(call.module)] = _of(call.module, multiple, image=row.kind == "stem")
            found.add(known[id(call.module)])
    return found


def filled(width: int, multiple: int) -> int:
    """A width as it is computed."""
    return -(-width // multiple) * multiple


def _of(module: Module, multiple: int, *, image: bool) -> Lanes:
    found = Lanes()
    nodes, types, _ = of_module(module)
    for node in nodes:
        if node.primitive not in ("conv", "conv_transpose"):
            continue
        asked = PRIMITIVES[node.primitive].multiply_adds(
            [types[n] for n in node.inputs], node.attributes, types[node.result]
        )
        found.asked, computed = found.asked + asked, asked
        widths = _widths(node, types, image=image)
        for width in widths:
            computed = computed * filled(width, multiple) // width
        for width in dict.fromkeys(width for width in widths if width % multiple):
            times = widths.count(width)
            found.count(width, Odd(1, asked * filled(width, multiple) ** times // width**times - asked))
        found.computed += computed
    return found


def _widths(node: Node, types: Sequence[Type], *, image: bool) -> list[int]:
    """The widths that are filled up: what is given, and what is read unless it is the image, which is never blocked."""
    groups = node.attributes.get("groups", 1)
    given, read = types[node.result].channels, types[node.inputs[0]].channels
    widths = [given] if groups in (1, given) else []
    return [*widths, read] if groups == 1 and not (image and node.inputs[0] == 0) else widths
