"""When two candidates are the same network: when they differ in names and in the order of rows alone.

A candidate is a graph whose nodes are its blocks, coloured by what they are; its *form* is the same for graphs that
are the same up to names. Colours are refined by those of what a block reads and of what reads it; where blocks stay
alike, each of them is told apart in turn, and the least of the resulting lists is the form.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

from spinedsl.spaces.costing import Costing
from spinedsl.spaces.decode import Candidate
from spinedsl.spaces.model import Genome, Space

Graph: TypeAlias = tuple[tuple[int, ...], ...]  # of each node, what it reads


def form(space: Space, costing: Costing, genome: Genome, candidate: Candidate) -> Hashable:
    """What candidates that are the same network have in common, and no others."""
    kept = [slot for slot, row in enumerate(candidate.rows) if row is not None]
    number = {slot: index for index, slot in enumerate(kept)}
    colours: list[Hashable] = []
    reads: list[tuple[int, ...]] = []
    absorbs: list[tuple[int, ...]] = []
    for slot in kept:
        row = candidate.rows[slot]
        assert row is not None
        block = space.blocks[row.block]
        fixed = row.block if row.block in space.ends or not row.chosen else -1  # outputs and what stays have names
        colours.append(repr((costing.kind(genome, row.block), fixed, block.name if fixed >= 0 else "")))
        reads.append(tuple(number[parent] for parent in row.parents))
        absorbs.append(tuple(number[orphan] for orphan in row.absorbed))
    ranks = {colour: rank for rank, colour in enumerate(sorted(set(map(str, colours))))}
    first = [ranks[str(colour)] for colour in colours]
    listed = _least(first, tuple(reads), tuple(absorbs))
    return tuple(sorted(ranks)), listed


def _least(colours: list[int], reads: Graph, absorbs: Graph) -> Hashable:
    """The least list of a graph: each node in the order of its colour, with the places of what it reads."""
    colours = _refined(colours, reads, absorbs)
    alike: dict[int, list[int]] = {}
    for node, colour in enumerate(colours):
        alike.setdefault(colour, []).append(node)
    twins = next((nodes for _, nodes in sorted(alike.items()) if len(nodes) > 1), None)
    if twins is None:
        order = sorted(range(len(colours)), key=colours.__getitem__)
        place = {node: index for index, node in enumerate(order)}
        return tuple(
            (tuple(sorted(place[one] for one in reads[node])), tuple(sorted(place[one] for one in absorbs[node])))
            for node in order
        )
    found = []
    for node in twins:
        told = [2 * colour + 1 for colour in colours]
        told[node] -= 1
        found.append(_least(told, reads, absorbs))
    return min(found)  # type: ignore[type-var]


def _refined(colours: list[int], reads: Graph, absorbs: Graph) -> list[int]:
    """Colours told apart by their neighbours' until nothing changes."""
    readers: list[list[tuple[int, int]]] = [[] for _ in colours]
    for node, above in enumerate(reads):
        for one in above:
            readers[one].append((0, node))
    for node, orphans in enumerate(absorbs):
        for one in orphans:
            readers[one].append((1, node))
    while True:
        seen = [
            (
                colours[node],
                tuple(sorted(colours[one] for one in reads[node])),
                tuple(sorted(colours[one] for one in absorbs[node])),
                tuple(sorted((how, colours[one]) for how, one in readers[node])),
            )
            for node in range(len(colours))
        ]
        ranks = {key: rank for rank, key in enumerate(sorted(set(seen)))}
        refined = [ranks[key] for key in seen]
        if len(set(refined)) == len(set(colours)):
            return refined
        colours = refined
