"""Places: the operations of a network that have weights, each with its place in the row.

In: a `Graph`. Out: its weighted operations in the order in which other codes build them: stem, blocks, outputs by
level, then heads; in a block its projection first. What other codes name by order or by place is found from this.
"""

from __future__ import annotations

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.naming import within
from spinedsl.ops.program import Row
from spinedsl.record import Record

STEM, BLOCK, RESAMPLE, OUTPUT, HEAD, PYRAMID = "stem", "block", "resample", "output", "head", "pyramid"
_OF_PYRAMIDS = frozenset({"lateral", "merged", "smooth", "normed"})  # types of `std.fpn`, which has no code's order
_PROJECTION = "shortcut"  # the part of a path that names a block's projection


class Place(Record, eq=False):
    """A weighted operation: what it is part of, and where that stands.

    `index` counts the rows of its sort: blocks that resample what they read apart from those that do not, as
    `permuted` tells. `repeat` is the iteration of a block, `slot` the input that a resampling belongs to; of the norm
    of a head they are how many of its level stand before it, and that level, which `slot` is in a feature pyramid too.
    """

    node: Node
    row: Row
    part: str
    permuted: bool
    index: int
    repeat: int = 0
    slot: int = 0

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of its name below the row and, in a repeated one, the iteration."""
        steps = within(self.node)
        return tuple(steps[1:] if self.row.repeated or self.part == RESAMPLE else steps)

    @property
    def is_projection(self) -> bool:
        """It is the projection of a block, or the norm of that."""
        return self.part == BLOCK and _PROJECTION in self.path

    @property
    def kind(self) -> str:
        """`norm`, `linear`, `depthwise` or `conv`."""
        if self.node.primitive == "batch_norm":
            return "norm"
        if self.node.primitive == "linear":
            return "linear"
        return "depthwise" if self.node.attributes["groups"] != 1 else "conv"


def places(graph: Graph) -> list[Place]:
    """Every convolution and batch norm, and linear layers of heads, in the order in which other codes build them."""
    rows = [row for row in graph.program.rows if row.kind in {"stem", "block"}]
    rows += sorted((row for row in graph.program.rows if row.kind == "output"), key=lambda row: row.level or 0)
    nodes: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.primitive in {"conv", "batch_norm"}:
            nodes.setdefault(node.row, []).append(node)
    counts: dict[tuple[str, bool], int] = {}
    found: list[Place] = []
    for row in rows:
        permuted = any(connection.resample is not None for connection in row.inputs)
        index = counts[row.kind, permuted] = counts.get((row.kind, permuted), -1) + 1
        ours = [_place(node, row, index, permuted=permuted) for node in nodes.get(row.name, ())]
        found += sorted(ours, key=lambda place: (place.part != RESAMPLE, place.repeat, not place.is_projection))
    return found + _of_heads(graph)


def _of_heads(graph: Graph) -> list[Place]:
    """What is shared over levels stands where it is first used."""
    heads = {row.name: row for row in graph.program.heads}
    found: list[Place] = []
    seen: set[str] = set()
    norms: dict[tuple[str, int], int] = {}
    for node in graph.nodes:
        new = node.row in heads and not seen & set(node.parameters.values())
        if not new or node.primitive not in {"conv", "batch_norm", "linear"}:
            continue
        seen |= set(node.parameters.values())
        level, repeat = graph.types[node.result].level or 0, 0
        if node.primitive == "batch_norm":
            repeat = norms[node.row, level] = norms.get((node.row, level), -1) + 1
        index = list(heads).index(node.row)
        found.append(Place(node, heads[node.row], HEAD, permuted=False, index=index, repeat=repeat, slot=level))
    return found


def _place(node: Node, row: Row, index: int, *, permuted: bool) -> Place:
    if row.type_name in _OF_PYRAMIDS:
        return Place(node, row, PYRAMID, permuted, index, slot=row.level or 0)
    step = within(node)[0]
    sources = [connection.resample.path[-1] for connection in row.inputs if connection.resample is not None]
    if step in sources:
        return Place(node, row, RESAMPLE, permuted, index, slot=sources.index(step))
    repeat = int(step.removeprefix("rep")) if row.repeated else 0
    return Place(node, row, row.kind, permuted, index, repeat)
