"""Draw genomes: at random, as a small change of one, or of two. Whatever is drawn is valid by its form.

Everything is a function of the space and of the generator that is given: the same seed gives the same genomes, whoever
draws them, in whichever order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from math import comb
from random import Random
from typing import TypeVar

from spinedsl.spaces.model import Genome, Space, Window

T = TypeVar("T")
MOST_LISTED = 4096  # choices of parents that are listed


def generator(seed: int | str, *numbers: int | str) -> Random:
    """The generator of the candidate of these numbers, whatever was drawn before."""
    return Random("/".join(map(str, (seed, *numbers))))  # noqa: S311  nothing here is a secret


def fits(space: Space, genome: Genome) -> bool:
    """Whether a genome makes the decisions of a space, each within what may be chosen."""
    blocks = space.blocks
    if not len(blocks) == len(genome.parents) == len(genome.levels) == len(genome.types):
        return False
    if [tuple(sorted(order)) for order in genome.orders] != [tuple(sorted(group)) for group in space.groups]:
        return False
    return all(
        0 <= level < len(block.levels)
        and 0 <= type_ < len(block.types)
        and (parents == () if block.window is None else _allowed(block.window, slot, parents))
        for slot, (block, parents, level, type_) in enumerate(
            zip(blocks, genome.parents, genome.levels, genome.types, strict=True)
        )
    )


def _allowed(window: Window, slot: int, parents: tuple[int, ...]) -> bool:
    """Whether a block in a slot may read these slots."""
    pool = window.pool(slot)
    return len(set(parents)) == len(parents) == window.count and all(one in pool for one in parents)


def uniform(space: Space, random: Random) -> Genome:
    """Every decision at random, each choice as likely as the others."""
    one = random.random
    return Genome(
        orders=tuple([_shuffled(group, random) for group in space.groups]),
        parents=tuple([_parents(block.window, slot, random) for slot, block in enumerate(space.blocks)]),
        levels=tuple([int(one() * len(block.levels)) if len(block.levels) > 1 else 0 for block in space.blocks]),
        types=tuple([int(one() * len(block.types)) if len(block.types) > 1 else 0 for block in space.blocks]),
    )


def _shuffled(group: tuple[int, ...], random: Random) -> tuple[int, ...]:
    order = list(group)
    random.shuffle(order)
    return tuple(order)


def _parents(window: Window | None, slot: int, random: Random) -> tuple[int, ...]:
    if window is None:
        return ()
    pool = window.pool(slot)
    if comb(len(pool), window.count) > MOST_LISTED:
        return tuple(sorted(random.sample(pool, window.count)))
    choices = _choices(window, slot)
    return choices[int(random.random() * len(choices))]


@lru_cache(maxsize=1024)
def _choices(window: Window, slot: int) -> tuple[tuple[int, ...], ...]:
    """All that a slot may read."""
    return tuple(combinations(window.pool(slot), window.count))


def decisions(space: Space) -> list[tuple[str, int]]:
    """Every decision that has more than one choice: its kind, and the group, slot or block that it is about."""
    found = [("order", number) for number, group in enumerate(space.groups) if len(group) > 1]
    for slot, block in enumerate(space.blocks):
        window = block.window
        found += [("parents", slot)] if window is not None and len(window.pool(slot)) > window.count else []
        found += [("level", slot)] if len(set(block.levels)) > 1 else []
        found += [("type", slot)] if len(block.types) > 1 else []
    return found


def mutated(space: Space, genome: Genome, random: Random) -> Genome:
    """The genome with one decision made otherwise: the smallest step. The same where there is nothing to choose.

    An order is changed by two blocks changing places, parents by one of them; each kind of decision is as likely as it
    is frequent, an order counting for each of its blocks.
    """
    choices = [
        choice
        for choice in decisions(space)
        for _ in range(len(space.groups[choice[1]]) if choice[0] == "order" else 1)
    ]
    if not choices:
        return genome
    kind, number = random.choice(choices)
    if kind == "order":
        order = list(genome.orders[number])
        one, other = random.sample(range(len(order)), 2)
        order[one], order[other] = order[other], order[one]
        return _with(genome, orders=_put(genome.orders, number, tuple(order)))
    if kind == "parents":
        window = space.blocks[number].window
        assert window is not None
        own = genome.parents[number]
        out = random.randrange(len(own))
        new = random.choice([slot for slot in window.pool(number) if slot not in own])
        return _with(genome, parents=_put(genome.parents, number, tuple(sorted({*own, new} - {own[out]}))))
    if kind == "level":
        block = space.blocks[number]
        level = block.levels[genome.levels[number]]
        others = [shift for shift, reached in enumerate(block.levels) if reached != level]
        return _with(genome, levels=_put(genome.levels, number, random.choice(others)))
    others = [one for one in range(len(space.blocks[number].types)) if one != genome.types[number]]
    return _with(genome, types=_put(genome.types, number, random.choice(others)))


def crossed(space: Space, one: Genome, other: Genome, random: Random) -> Genome:
    """Each decision from one of the two. A group has the order of one of them up to a slot, then that of the other."""

    def either(a: Sequence[T], b: Sequence[T]) -> tuple[T, ...]:
        return tuple([random.choice(pair) for pair in zip(a, b, strict=True)])

    orders = [_ordered(*pair, random) for pair in zip(one.orders, other.orders, strict=True)]
    return Genome(
        orders=tuple(orders),
        parents=either(one.parents, other.parents),
        levels=either(one.levels, other.levels),
        types=either(one.types, other.types),
    )


def _ordered(one: tuple[int, ...], other: tuple[int, ...], random: Random) -> tuple[int, ...]:
    first, second = (one, other) if random.random() < 0.5 else (other, one)
    begun = first[: random.randint(0, len(first))]
    return (*begun, *(block for block in second if block not in begun))


def _put(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    return (*items[:at], item, *items[at + 1 :])


def _with(
    genome: Genome,
    orders: tuple[tuple[int, ...], ...] | None = None,
    parents: tuple[tuple[int, ...], ...] | None = None,
    levels: tuple[int, ...] | None = None,
    types: tuple[int, ...] | None = None,
) -> Genome:
    return Genome(
        genome.orders if orders is None else orders,
        genome.parents if parents is None else parents,
        genome.levels if levels is None else levels,
        genome.types if types is None else types,
    )
