"""When two candidates are the same network: when they differ in names and in the order of rows alone.

A candidate is a graph whose nodes are its blocks, coloured by what they are; its *form* is the same for graphs that
are the same up to names. Colours are refined by those of what a block reads and of what reads it; where blocks stay
alike, each of them is told apart in turn, and the least of the resulting lists is the form.

What a block joins is a set; where each input has a meaning of its own, it is a list.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TypeAlias

from spinedsl.ir.networks import RowDecl
from spinedsl.record import Record
from spinedsl.spaces.costing import Costing
from spinedsl.spaces.decode import Candidate, Placed
from spinedsl.spaces.model import Genome, Space
from spinedsl.spaces.several import told_apart
from spinedsl.syntax.format import text_of

Inputs: TypeAlias = tuple[tuple[int, int], ...]  # of a node: places among what it reads, 0 in a set, and the nodes
IN_THE_GRAPH = ("level", "from", "after", "absorb", "channels")  # clauses that colours and edges tell


class Graph(Record):
    """What each node reads, and what it absorbs."""

    reads: tuple[Inputs, ...]
    absorbs: tuple[tuple[int, ...], ...]


def form(space: Space, costing: Costing, genome: Genome, candidate: Candidate) -> Hashable:
    """What candidates that are the same network have in common, and no others."""
    rows = [(slot, row) for slot, row in enumerate(candidate.rows) if row is not None]
    number = {slot: node for node, (slot, _) in enumerate(rows)}
    ends = _ends(space)
    colours: list[str] = []
    reads: list[Inputs] = []
    for _, row in rows:
        declared = costing.declared[space.blocks[row.block].name]
        apart = told_apart(declared)
        fed = [*enumerate(row.parents if row.chosen else _fed(costing, declared, row))]
        reads.append(tuple((at if apart else 0, number[one]) for at, one in fed if isinstance(one, int)))
        others = sorted((at if apart else 0, one) for at, one in fed if isinstance(one, str))
        colours.append(repr((_colour(space, costing, genome, row), others, ends.get(row.block, ()))))
    ranks = {colour: rank for rank, colour in enumerate(sorted(set(colours)))}
    absorbs = tuple(tuple(number[orphan] for orphan in row.absorbed) for _, row in rows)
    return tuple(sorted(colours)), _least([ranks[colour] for colour in colours], Graph(tuple(reads), absorbs))


def _fed(costing: Costing, declared: RowDecl, row: Placed) -> Iterator[int | str]:
    """What a block reads as it is written: blocks by their slots, stems by their names."""
    parents = iter(row.parents)
    for name in declared.sources:
        yield next(parents) if name.text in costing.blocks else name.text


def _ends(space: Space) -> dict[int, tuple[tuple[str, int], ...]]:
    """Which outputs and heads read a block, by number, and in which of their places."""
    found: dict[int, tuple[tuple[str, int], ...]] = {}
    numbers = {block.name: number for number, block in enumerate(space.blocks)}
    for row in space.network.rows:
        for at, source in enumerate(row.sources if row.row.kind in ("output", "head") else ()):
            if source.text in numbers:
                number = numbers[source.text]
                found[number] = (*found.get(number, ()), (row.name, at))
    return found


def _colour(space: Space, costing: Costing, genome: Genome, row: Placed) -> Hashable:
    """What a block is, but for what it reads and what it is called."""
    block = space.blocks[row.block]
    declared = costing.declared[block.name]
    use = block.types[row.type]
    defined = costing.defined(use)
    clauses = [c for c in block.row.clauses if c.keyword.text not in IN_THE_GRAPH]
    own = [text_of(one[0].span) if one is not None else "" for one in declared.own] if not row.chosen else []
    return (
        defined.unit.file.source.name,
        text_of(use.span),
        row.level,
        costing.rows[costing.kind(genome, row.block)].channels,
        sorted(text_of(clause.span) for clause in clauses),
        block.direct,
        own,
    )


def _least(colours: list[int], graph: Graph) -> Hashable:
    """The least list of a graph: each node in the order of its colour, with the places of what it reads."""
    colours = _refined(colours, graph)
    alike: dict[int, list[int]] = {}
    for node, colour in enumerate(colours):
        alike.setdefault(colour, []).append(node)
    twins = next((nodes for _, nodes in sorted(alike.items()) if len(nodes) > 1), None)
    if twins is None:
        order = sorted(range(len(colours)), key=colours.__getitem__)
        place = {node: index for index, node in enumerate(order)}
        return tuple(
            (
                tuple(sorted((at, place[one]) for at, one in graph.reads[node])),
                tuple(sorted(place[one] for one in graph.absorbs[node])),
            )
            for node in order
        )
    found = []
    for node in twins[:1] if _exchangeable(twins, graph) else twins:
        told = [2 * colour + 1 for colour in colours]
        told[node] -= 1
        found.append(_least(told, graph))
    return min(found)  # type: ignore[type-var]


def _exchangeable(twins: list[int], graph: Graph) -> bool:
    """Nodes that read the same and are read alike, so that it makes no difference which of them stands first."""
    readers = _readers(graph)
    around = {(tuple(sorted(graph.reads[one])), frozenset(graph.absorbs[one]), tuple(readers[one])) for one in twins}
    return len(around) == 1


def _readers(graph: Graph) -> list[list[tuple[int, int]]]:
    """By what each node is read: in which place of it, and -1 where it is absorbed; and that node."""
    readers: list[list[tuple[int, int]]] = [[] for _ in graph.reads]
    for node, above in enumerate(graph.reads):
        for at, one in above:
            readers[one].append((at, node))
    for node, orphans in enumerate(graph.absorbs):
        for one in orphans:
            readers[one].append((-1, node))
    return readers


def _refined(colours: list[int], graph: Graph) -> list[int]:
    """Colours told apart by their neighbours' until nothing changes."""
    readers = _readers(graph)
    while True:
        seen = [
            (
                colours[node],
                tuple(sorted((at, colours[one]) for at, one in graph.reads[node])),
                tuple(sorted(colours[one] for one in graph.absorbs[node])),
                tuple(sorted((at, colours[one]) for at, one in readers[node])),
            )
            for node in range(len(colours))
        ]
        ranks = {key: rank for rank, key in enumerate(sorted(set(seen)))}
        refined = [ranks[key] for key in seen]
        if len(set(refined)) == len(set(colours)):
            return refined
        colours = refined
