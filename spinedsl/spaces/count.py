"""Count: how many decisions a space has, exactly and factor by factor, and how many networks those are.

The number of decisions is a product: an order for each `permute`, parents for each slot, a level and a type for
each block. It is a whole number of any size. Which of them are candidates, after orphans and bounds, and as far as the
compiler takes them, is counted where the space is small, and else estimated from a sample, with an interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations, product
from math import comb, factorial, prod, sqrt

from spinedsl.record import Record
from spinedsl.spaces.costing import Costing, Priced
from spinedsl.spaces.draw import generator, uniform
from spinedsl.spaces.model import Genome, Space
from spinedsl.spaces.tally import Tally

Z = 1.959963984540054  # of an interval of 95%


class Factor(Record):
    """One factor of the number of decisions: what is chosen, as a formula, and how many choices that are."""

    what: str
    formula: str
    value: int


def interval(within: int, tried: int) -> tuple[float, float]:
    """Wilson's interval of 95% for a share, of which a sample has so many."""
    share = within / tried
    middle = (share + Z * Z / (2 * tried)) / (1 + Z * Z / tried)
    half = Z * sqrt(share * (1 - share) / tried + Z * Z / (4 * tried * tried)) / (1 + Z * Z / tried)
    return max(middle - half, 0.0), min(middle + half, 1.0)


class Enumerated(Record):
    """All decisions of a small space: what becomes of them, and how many different networks the candidates are."""

    tally: Tally
    different: int


def factors(space: Space) -> tuple[Factor, ...]:
    """The factors of the number of decisions, in the order of the space's rows."""
    found: list[Factor] = []
    for group in space.groups:
        names = [space.blocks[slot].name for slot in group]
        found.append(Factor(f"orders of {ranged(names)}", f"{len(group)}!", factorial(len(group))))
    for slots, pools, count in _runs(space):
        names = [space.blocks[slot].name for slot in slots]
        parts = [f"C({pool},{count})" for pool in pools]
        found.append(Factor(f"parents of {ranged(names)}", _product(parts), prod(comb(pool, count) for pool in pools)))
    for what, attribute in (("levels", "levels"), ("types", "types")):
        by_choices: dict[int, list[str]] = {}
        for block in space.blocks:
            by_choices.setdefault(len(getattr(block, attribute)), []).append(block.name)
        for choices, names in by_choices.items():
            if choices > 1:
                found.append(Factor(f"{what} of {ranged(names)}", f"{choices}^{len(names)}", choices ** len(names)))
    return tuple(found)


def decisions(space: Space) -> int:
    """How many decisions there are: genomes of the space."""
    return prod(factor.value for factor in factors(space))


def _runs(space: Space) -> Iterator[tuple[list[int], list[int], int]]:
    """Slots that follow each other and choose their parents alike, with the number of blocks that each may read."""
    slots: list[int] = []
    for slot, block in enumerate(space.blocks):
        if block.window is None:
            continue
        if slots and space.blocks[slots[-1]].window != block.window:
            yield _run(space, slots)
            slots = []
        slots.append(slot)
    if slots:
        yield _run(space, slots)


def _run(space: Space, slots: list[int]) -> tuple[list[int], list[int], int]:
    window = space.blocks[slots[0]].window
    assert window is not None
    return slots, [len(window.pool(slot)) for slot in slots], window.count


def _product(parts: list[str]) -> str:
    """`C(2,2) C(3,2) C(5,2)^7`: equal factors that follow each other as a power."""
    found: list[tuple[str, int]] = []
    for part in parts:
        if found and found[-1][0] == part:
            found[-1] = part, found[-1][1] + 1
        else:
            found.append((part, 1))
    return " ".join(part if times == 1 else f"{part}^{times}" for part, times in found)


def ranged(names: list[str]) -> str:
    """`b2..b11` for names that follow each other by number; else the first and how many more there are."""
    if len(names) == 1:
        return names[0]
    return f"{names[0]}..{names[-1]}" if len(names) > 2 else f"{names[0]}, {names[1]}"


# ---- every decision of a small space ----


def genomes(space: Space) -> Iterator[Genome]:
    """Every genome, each once."""
    orders = [list(permutations(group)) for group in space.groups]
    parents = [
        [()] if block.window is None else list(combinations(block.window.pool(slot), block.window.count))
        for slot, block in enumerate(space.blocks)
    ]
    levels = [range(len(block.levels)) for block in space.blocks]
    types = [range(len(block.types)) for block in space.blocks]
    for order in product(*orders):
        for chosen in product(*parents):
            for level in product(*levels):
                for type_ in product(*types):
                    yield Genome(order, chosen, level, type_)


def enumerate_space(space: Space, costing: Costing) -> Enumerated:
    """Every decision, the candidates among them, and the different networks among those.

    Two networks are the same if they differ in nothing but the names of blocks and the order of rows that do not read
    each other.
    """
    from spinedsl.spaces.same import form  # noqa: PLC0415  few ask for it

    tally = Tally()
    seen: set[object] = set()
    for genome in genomes(space):
        priced = tally.price(costing, genome)
        if isinstance(priced, Priced) and priced.within:
            seen.add(form(space, costing, genome, priced.candidate))
    return Enumerated(tally, len(seen))


# ---- a sample of a large one ----


def estimate(space: Space, costing: Costing, tried: int, seed: int) -> Tally:
    """What becomes of `tried` decisions, drawn alike."""
    tally = Tally()
    for number in range(tried):
        tally.price(costing, uniform(space, generator(seed, "estimate", number)))
    return tally
