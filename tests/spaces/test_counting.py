"""Numbers of decisions against the paper's and against counting one by one; different networks against networkx."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, permutations, product
from math import comb, factorial, prod
from pathlib import Path

import networkx as nx  # type: ignore[import-untyped]
import pytest

import spinedsl
from spinedsl import search
from spinedsl.ops.program import Program
from spinedsl.source import Source
from spinedsl.spaces import count

EXAMPLES = Path(__file__).parents[2] / "examples"
PAPER = 15_897_070_781_839_228_211_822_592_000_000_000_000
BASE = """\
spine 1
import std.blocks
import std.resample
import std.stems

network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..5: 16 }}
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 16
    block b0: residual  level 2  after s
    block b1: residual  level 3  after b0
{rows}
    output P: {last}
}}
"""


def test_the_paper_s_space_has_the_number_of_decisions_that_others_count() -> None:
    """15 blocks, of which 5 are outputs, behind 2 others; parents in a window of 5: PyGlove's own count."""
    space = search.spaces(EXAMPLES / "spaces.spine")["Adjusted"]
    windows = prod(comb(min(above, 5), 2) for above in range(2, 12)) * prod(comb(above, 2) for above in range(12, 17))
    assert count.decisions(space) == factorial(10) * factorial(5) * 4**10 * 2**15 * windows == PAPER


def test_the_other_spaces_of_the_examples() -> None:
    spaces = search.spaces(EXAMPLES / "spaces.spine")
    wide = prod(comb(above, 2) for above in range(12, 17)) * factorial(10) * factorial(5)
    assert count.decisions(spaces["ScalePermuted"]) == wide * prod(comb(min(above, 5), 2) for above in range(2, 12))
    four = wide * prod(comb(min(above, 4), 2) for above in range(2, 12)) * 4**10 * 2**15
    assert count.decisions(spaces["WindowOfFour"]) == four
    assert count.decisions(spaces["AroundSpineNet49"]) == PAPER
    assert count.decisions(spaces["Neck"]) == 2 * comb(5, 2) ** 2


# ---- small spaces, one by one, by texts that are written here ----


def graph_of(program: Program) -> nx.DiGraph:
    """A network as blocks and what they read, without names but that of the output."""
    graph = nx.DiGraph()
    for row in program.rows:
        graph.add_node(row.name, what=(row.kind, row.type_name, row.level, row.type.channels, row.name == "s"))
        for connection in row.inputs:
            graph.add_edge(connection.source, row.name, how="read")
        for name in row.absorbed:
            graph.add_edge(name, row.name, how="absorbed")
    return graph


def different(programs: list[Program]) -> int:
    """How many of the networks are not the same but for names and order."""
    found: dict[str, list[nx.DiGraph]] = {}
    for program in programs:
        graph = graph_of(program)
        degrees = (
            (str(what), graph.in_degree(node), graph.out_degree(node)) for node, what in graph.nodes(data="what")
        )
        key = str(sorted(degrees))
        alike = found.setdefault(key, [])
        if not any(
            nx.is_isomorphic(
                graph,
                other,
                node_match=lambda a, b: a.get("what") == b.get("what"),
                edge_match=lambda a, b: a["how"] == b["how"],
            )
            for other in alike
        ):
            alike.append(graph)
    return sum(map(len, found.values()))


def everything(
    movable: list[str],
    levels: Mapping[str, list[int]],
    types: Mapping[str, list[str]],
    window: int,
    *,
    permuted: bool,
) -> list[Program | None]:
    """Every choice, compiled; the last block is the output and stands last. None: a block is read by nothing.

    Written without what the package has for spaces: orders, parents, levels and types are gone through by hand.
    """
    *moved, last = movable
    found: list[Program | None] = []
    for order in permutations(moved) if permuted else [tuple(moved)]:
        placed = ["b0", "b1", *order, last]
        pools = [placed[max(0, at - window) : at] for at in range(2, len(placed))]
        for parents in product(*[combinations(pool, 2) for pool in pools]):
            for level in product(*[levels[name] for name in movable]):
                for type_ in product(*[types[name] for name in movable]):
                    chosen = dict(zip(placed[2:], parents, strict=True))
                    at = dict(zip(movable, level, strict=True))
                    of = dict(zip(movable, type_, strict=True))
                    found.append(written(placed, chosen, at, of, last))
    return found


def written(
    placed: list[str], chosen: Mapping[str, tuple[str, ...]], level: dict[str, int], type_: dict[str, str], last: str
) -> Program | None:
    """The network, its orphans absorbed by the output where level and channels are equal, else None."""
    out = {name: 16 * (4 if type_.get(name, "residual") == "bottleneck" else 1) for name in placed}
    read = {"b0", last} | {parent for parents in chosen.values() for parent in parents}
    orphans = [name for name in placed if name not in read]
    fitting = [o for o in orphans if level.get(o, 3) == level[last] and out[o] == out[last]]
    if orphans != fitting:
        return None
    rows = [
        f"    block {name}: {type_[name]} level {level[name]} from {', '.join(chosen[name])}"
        + (f" absorb {', '.join(fitting)}" if name == last and fitting else "")
        for name in placed[2:]
    ]
    return spinedsl.program(Source.from_text(BASE.format(rows="\n".join(rows), last=last)))


@pytest.mark.parametrize(
    ("choices", "blocks", "window", "permuted", "levels", "types"),
    [
        (["permute b2..b4"], 4, 3, True, {}, ()),
        (["permute b2..b4"], 4, 3, True, {f"b{n}": [4] for n in range(2, 6)}, ()),
        (["level_shift b3..b4: -1..1 within 2..4"], 3, 3, False, {"b3": [2, 3, 4], "b4": [3, 4, 4]}, ()),
        (["permute b2..b3", "types b2..b4: residual, bottleneck"], 3, 3, True, {}, ("b2", "b3", "b4")),
    ],
    ids=["orders", "alike", "levels", "types"],
)
def test_small_spaces_are_counted_as_by_hand(
    choices: list[str], blocks: int, window: int, permuted: bool, levels: dict[str, list[int]], types: tuple[str, ...]
) -> None:
    movable = [f"b{number}" for number in range(2, 2 + blocks)]
    rows = [f"    {one}" for one in [*choices, f"parents b2..{movable[-1]}: 2 of last {window}"]]
    if permuted:  # the last block, which the output reads, chooses its parents alike, and stays where it is
        rows.append("    orphans absorb else exclude")
    text = "\n".join([chain(movable, levels), "space Small of Net {", *rows, "}", ""])
    space = search.open_space(Source.from_text(text))
    by_hand = everything(
        movable,
        {one: levels.get(one) or [LEVELS[one]] for one in movable},
        {one: ["residual", "bottleneck"] if one in types else ["residual"] for one in movable},
        window,
        permuted=permuted,
    )
    found = count.enumerate_space(space.space, space.costing)
    programs = [program for program in by_hand if program is not None]
    assert found.tally.tried == len(by_hand) == space.decisions
    assert found.tally.candidates == len(programs)
    assert found.tally.others == {"orphan": len(by_hand) - len(programs), "clash": 0, "stem": 0, "bound": 0, "unfit": 0}
    assert found.different == different(programs)
    assert 1 < found.different < found.tally.candidates <= space.decisions


THIRDS = """
block_type thirds(x, channels, stride = 1) -> channels {
    return conv(x, channels, kernel = 3, stride = stride, groups = 3)
}
"""


def thirds(*rows: str) -> search.Candidates:
    """A space whose type `thirds` compiles for no block, since 3 divides no width."""
    text = chain(["b2", "b3"], {}).replace("\nnetwork", f"{THIRDS}\nnetwork", 1)
    text += "\n".join(["space Small of Net {", *(f"    {row}" for row in rows), "}", ""])
    return search.open_space(Source.from_text(text))


def test_what_does_not_compile_is_counted_apart() -> None:
    space = thirds("types b2..b3: residual, thirds, bottleneck")
    found = count.enumerate_space(space.space, space.costing)
    assert (found.tally.candidates, found.different) == (4, 4), "two blocks, two types that compile"
    assert found.tally.others == {"orphan": 0, "clash": 0, "stem": 0, "bound": 0, "unfit": 5}
    assert found.tally.mistake is not None
    assert (found.tally.mistake.code.id, found.tally.mistake.span.text[:5]) == ("E0501", "conv(")
    found.tally.refuse()
    sample = count.estimate(space.space, space.costing, 90, seed=0)
    assert sample.tried == 90
    assert 25 < sample.candidates < 55, "of 90 decisions, 4 of 9 are candidates"
    low, high = count.interval(sample.candidates, sample.tried)
    assert low < 4 / 9 < high


def test_a_space_of_which_nothing_compiles_is_a_mistake() -> None:
    space = thirds("types b3: thirds")
    tally = count.enumerate_space(space.space, space.costing).tally
    assert (tally.candidates, tally.others["unfit"]) == (0, 1)
    with pytest.raises(search.Unfit, match="has a candidate with a mistake, E0501"):
        tally.refuse()
    bound = thirds("types b2..b3: residual, thirds", "keep parameters <= 1")
    count.enumerate_space(bound.space, bound.costing).tally.refuse()  # what compiles is beyond the bound


def test_the_interval_is_wilsons() -> None:
    for within, interval in ((0, [0, 0.2775]), (5, [0.2366, 0.7634]), (10, [0.7225, 1])):
        assert list(count.interval(within, 10)) == pytest.approx(interval, abs=1e-4)


def test_what_was_drawn_in_vain_is_counted() -> None:
    space = thirds("types b2..b3: residual, thirds, bottleneck")
    drawn = [space.sample(0, number) for number in range(40)]
    assert space.tally.candidates == len(drawn)
    assert space.tally.others["unfit"] > 10
    assert list(space.tally.words()) == [f"{space.tally.others['unfit']} do not compile"]


LEVELS = {"b2": 4, "b3": 3, "b4": 4, "b5": 4}


def chain(movable: list[str], levels: Mapping[str, list[int]]) -> str:
    """The network that a space is of: each block reads the two above it."""
    only = {one: values[0] for one, values in levels.items() if len(values) == 1}
    above = ["b0", "b1", *movable]
    lines = [
        f"    block {one}: residual level {only.get(one) or LEVELS[one]} from {above[at]}, {above[at + 1]}"
        for at, one in enumerate(movable)
    ]
    return BASE.format(rows="\n".join(lines), last=movable[-1])
