"""Random search spaces that are valid by construction: rows decoded from small numbers, over random networks.

A row that the compiler refuses over that network is left out, so that what is drawn has one space, `Space`, of the
network `Net`. Whether anything in it is a candidate is not promised: a bound may be too narrow, and what a `permute`
or `types` allows may not compile everywhere, which is told when such a candidate is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from hypothesis import strategies as st

from spinedsl import driver
from spinedsl.analysis import costs
from spinedsl.diagnostics import Severity
from spinedsl.lower import lower
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from spinedsl.testing.networks import NAME as NETWORK
from spinedsl.testing.networks import networks
from spinedsl.testing.space import STANDARD, Space

# Numbers of a row: its kind; the first and the last block that it is about; what it says of them.
Draw: TypeAlias = tuple[int, int, int, int]
HIGHEST: Draw = (5, 7, 7, 255)
NAME = "Space"
FATES = ("absorb", "drop", "exclude", "absorb else drop", "absorb else exclude", "absorb else drop else exclude")
OPERATORS = ("<=", "<", ">=", ">")
SHARES = (20, 10, 40, 5)  # of twentieths of the network's own figure


def spaces(space: Space = STANDARD) -> st.SearchStrategy[str]:
    """Texts of files with one valid network, `Net`, and one valid search space over it, `Space`.

    The network takes more than one size.
    """
    rows = st.lists(st.tuples(*(st.integers(0, most) for most in HIGHEST)), min_size=1, max_size=7)
    space = space.but(sizes=tuple(size for size in space.sizes if size != "fixed") or ("divisible",))
    return st.builds(lambda text, drawn: to_text(space, text, drawn), networks(space, parts=False), rows)


def to_text(space: Space, text: str, drawn: Sequence[Draw]) -> str:
    """The text of a file with a network, and below it a search space decoded from numbers."""
    analysis = driver.analyse(space.source(text)).value
    assert analysis is not None
    checked = analysis.checked[NETWORK]
    names = [row.row.name.text for row in analysis.networks[NETWORK].rows if row.row.kind == "block"]
    closed = costs(flatten(lower(checked)))
    figures = {"multiply_adds": closed.multiply_adds, "parameters": closed.parameters, "memory": 1 << 16}
    rows: list[str] = []
    for draw in drawn:
        wanted = _rows(draw, names, space.blocks, figures)
        for more in (wanted, wanted[:1]) if len(wanted) > 1 else (wanted,):
            if _valid(space.source(_with_space(text, [*rows, *more]))):
                rows += more
                break
    return _with_space(text, rows)


def _rows(draw: Draw, names: Sequence[str], types: Sequence[str], figures: dict[str, int]) -> list[str]:
    """A row of a space; two for a `permute`, whose blocks seldom may change places if they keep their parents."""
    kind, *ends, more = draw
    low, high = sorted(end % len(names) for end in ends)
    blocks = names[low] if low == high else f"{names[low]}..{names[high]}"
    count, last = 1 + more % 2, 1 + more // 2 % 5
    parents = f"parents {blocks}: {count} of {f'last {max(last, count)}' if more % 3 else 'all'}"
    match kind:
        case 0:
            return [parents, f"permute {blocks}"]
        case 1:
            return [parents]
        case 2:
            lowest = more // 4 % 4
            return [f"level_shift {blocks}: {-(more % 3)}..{1 + more % 2} within {2 + lowest % 2}..{4 + lowest}"]
        case 3:
            chosen = dict.fromkeys(types[(more >> (2 * n)) % len(types)] for n in range(1 + more % 3))
            return [f"types {blocks}: {', '.join(chosen)}"]
        case 4:
            return [f"orphans {FATES[more % len(FATES)]}"]
        case _:
            figure = (*figures,)[more % 3]
            bound = max(figures[figure] * SHARES[more // 12 % 4] // 20, 1)
            return [f"keep {figure} {OPERATORS[more // 3 % 4]} {bound}"]


def _with_space(text: str, rows: Sequence[str]) -> str:
    return "\n".join([text.rstrip("\n"), "", f"space {NAME} of {NETWORK} {{", *(f"    {row}" for row in rows), "}\n"])


def _valid(source: Source) -> bool:
    return not any(found.severity is Severity.ERROR for found in driver.analyse(source).diagnostics)
