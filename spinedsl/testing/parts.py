"""Random parts: a network of maps that stands behind the last blocks of a random network, perhaps nested and repeated.

In: the uses of block types, and the rows whose maps a part is given. Out: the networks above, the row of the part, and
what it gives. Whether all of it is right is for the compiler to tell: a network that is refused goes without.
"""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl.record import Record

KINDS = 6  # the first three are none
MOST_MAPS = 2  # that a part takes
SHARED = 7  # of 11 or 13 parts that repeat, so many share their weights


class Folded(Record):
    """The text of the networks that are parts, the row that puts them in, and what it gives, by name."""

    networks: str
    row: str
    gives: tuple[str, ...]


def folded(
    number: int, uses: Sequence[str], given: Sequence[tuple[str, int]], own: str = "", *, shared: bool = False
) -> Folded | None:
    """A part for a number: of the rows `given` by name and level; None for the simplest numbers.

    It stands there once, twice or inside another part, perhaps with more of the same network behind it, and of
    some only the last output is read; its rows read each other directly or, the last, by `from`. `own` resamples one
    input alone: of that row, or all maps that the inner part gives, for a row behind it. What repeats may be `shared`.
    """
    kind = number % KINDS
    if kind < KINDS // 2 or not given:
        return None
    taken = given[-MOST_MAPS:]
    use = uses[number // KINDS % len(uses)]
    inputs = [f"    input i{n}: level {level}" for n, (_, level) in enumerate(taken)]
    first, *others = [level for _, level in taken]
    rows = [f"    block c0: {use} level {first} after i0"]
    alone = f" resample {own}" if own else ""
    rows += [f"    block c{n}: {use} level {level} from i{n}{alone}, c0" for n, level in enumerate(others, 1)]
    names = [f"c{n}" for n in range(len(taken))]
    settings = ["    defaults { act gelu }"] if number % 2 else []
    settings += [f"    widths {{ level 0..{max(first, *others, 0)}: 8 }}"] if number % 4 != 1 else []
    cell = "\n".join(["network Cell {", *inputs, *settings, *rows])
    text = f"{cell}\n    output {', '.join(names)}\n}}\n"
    repeat = " repeat 2" if number % 4 else ""
    once = "shared " if shared and repeat and number % 11 < SHARED else ""
    if kind == KINDS - 1:
        maps = ", ".join(f"i{n}" for n in range(len(taken)))
        inner = [f"    part cell: {once}Cell from {maps}{repeat}"]
        outputs = [f"    output {', '.join(names)}: cell"]
        if own:
            last = f"block d: {use} level {taken[-1][1]} from cell{alone}, i0"
            inner = ["    rules { inputs 1..3 }", *inner, f"    {last}"]
            outputs = [*(f"    output {name}: cell.{name}" for name in names[:-1]), f"    output {names[-1]}: d"]
        text += "\n".join(["", "network Around {", *inputs, *inner, *outputs, "}", ""])
    named = "Around" if kind == KINDS - 1 else "Cell"
    again = " repeat 2" if kind == KINDS - 2 or number % 5 == 0 else ""
    once = "shared " if shared and again and number % 13 < SHARED else ""
    row = f"part p: {once}{named} from {', '.join(name for name, _ in taken)}{again}"
    giver = "p"
    chained = shared and number % 13 >= SHARED  # then what is given has the channels that the part gives
    if number % 7 in (1, 2) or chained:
        behind, again = "Cell" if number % 7 == 1 else named, ""
        if chained:
            behind, again = f"shared {behind}", f" repeat {2 + number % 2}"
        giver, row = "q", f"{row}\n    part q: {behind} from p{again}"
    return Folded(text, row, tuple(f"{giver}.{name}" for name in names[-1 if number % 3 == 2 else 0 :]))
