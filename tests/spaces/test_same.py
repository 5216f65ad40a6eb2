"""Different networks of small spaces, against the texts of their candidates compared by networkx.

Every candidate is compiled as a file of its own, and compared by what its rows say: nothing of how the package tells
candidates apart is used. How many decisions there are, and which are candidates, is told beside each space by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import networkx as nx  # type: ignore[import-untyped]
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spinedsl import driver, search
from spinedsl.ir.typed import TypedNetwork
from spinedsl.source import Source
from spinedsl.spaces import count, same
from spinedsl.spaces.same import Graph
from spinedsl.syntax.format import text_of
from spinedsl.testing.spaces import NAME, spaces
from tests.profiles import drawn

MOST = 48  # decisions of a random space
FILE = """\
spine 1
import std.blocks
import std.resample
import std.stems

block_type cell(x, y, channels, stride = 1) -> channels {{
    return norm(conv(act(x), channels, kernel = 3)) + y
}}

block_type towers(x, channels, stride = 1) -> channels {{
    var y = conv(x, channels, kernel = 1, stride = stride)
    each k in [1, 3] {{ y = y + norm(conv(x, channels, kernel = k, stride = stride)) }}
    return y
}}

join_type gated(maps) {{
    return first(maps) * sigmoid(sum(rest(maps)))
}}

resample_type downwards(x, source, target) -> target.in_channels {{
    var y = conv(x, target.in_channels, kernel = 1)
    repeat target.level - source.level {{ y = max_pool(y, kernel = 3, stride = 2) }}
    return y
}}

network Net {{
    input image: 3 x 32 x 32
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..5: 8 }}
    rules {{ inputs 1..3 }}
    resample spinenet
    join sum
    stem s: resnet_stem channels 8
    block b0: residual level 2 after s
    block b1: residual level 3 after b0
{rows}
}}

space Space of Net {{
{choices}
}}
"""
ALIKE = (
    "block b2: residual level 3 from b0; block b3: residual level 3 from b0; block b4: towers level 4 from b2, b3, b1"
)
CELL = ALIKE.replace("towers level 4 from b2, b3, b1", "cell level 3 from b2, b3")
TWO = (
    "block b2: residual level 3 from b0, b1; block b3: residual level 4 from b1, b2; "
    "block b4: residual level 4 from b2, b3"
)
CHAIN = (
    "block b2: residual level 3 from b1; block b3: residual level 3 from b2; block b4: residual level 3 from b3; "
    "output P: b4"
)
CASES = {  # rows below the first two; changes of the others; choices; decisions; candidates; different networks
    "types of blocks that are alike": (
        f"{ALIKE}; output P: b4", "", "types b2..b3: residual, bottleneck, towers", 9, 9, 6,
    ),
    "the same, one with its width said": (
        f"{ALIKE}; output P: b4".replace("3 from b0; block b4", "3 from b0 channels 8; block b4"), "",
        "types b2..b3: residual, bottleneck, towers", 9, 9, 6,
    ),
    "the same, each read by an output": (
        f"{ALIKE}; output P: b4; output Q: b2; output R: b3", "outputs any", "types b2..b3: residual, towers", 4, 4, 4,
    ),
    "levels of blocks that are alike": (f"{ALIKE}; output P: b4", "", "level_shift b2..b3: -1..1", 9, 9, 6),
    "inputs one by one": (
        f"{CELL}; output P: b4".replace("from b0; block b4", "from b1; block b4"), "",
        "parents b2..b3: 1 of all; orphans drop", 6, 6, 6,
    ),
    "inputs one by one, of types": (
        f"{CELL}; output P: b4".replace("from b0;", "from b0, b1;"), "", "types b2..b3: residual, towers", 4, 4, 4,
    ),
    "inputs one by one, of blocks that change places": (
        f"{CELL}; output P: b4".replace("from b0; block b4", "from b1; block b4"), "",
        "permute b2..b3; parents b2..b3: 1 of last 2; types b2..b3: residual, towers; orphans drop", 32, 32, 28,
    ),
    "an input with its own resampling": (
        f"{ALIKE}; output P: b4".replace("from b2, b3, b1", "from b2 resample downwards, b3, b1"), "",
        "types b2..b3: residual, towers", 4, 4, 4,
    ),
    "outputs of one level": (
        f"{TWO}; output P: b3; output Q: b4", "outputs any", "level_shift b3..b4: -1..0 within 3..4", 4, 4, 4,
    ),
    "outputs of levels of their own": (
        f"{TWO}; output P: b2; output Q: b4", "", "level_shift b2: 0..1; level_shift b4: -1..0", 4, 2, 2,
    ),
    "a join of two maps or more": (
        f"{TWO}; output P: b4", "join gated", "parents b2..b4: 2 of all; orphans absorb else drop", 18, 18, 18,
    ),
    "a resampling that takes its own level alone": (
        CHAIN, "resample identity", "permute b2..b4; parents b2..b4: 1 of last 2; orphans drop", 48, 30, 3,
    ),
    "a resampling that leads down alone": (
        CHAIN, "resample downwards", "parents b2..b4: 1 of all; level_shift b3: 0..1; orphans drop", 48, 42, 6,
    ),
}  # fmt: skip


def opened(case: str) -> search.Candidates:
    """The space of a case."""
    rows, changed, choices, *_ = CASES[case]
    text = FILE.format(rows=rows.replace("; ", "\n"), choices=choices.replace("; ", "\n"))
    if changed:
        word = changed.split()[0]
        before = {"outputs": "inputs 1..3", "join": "join sum", "resample": "resample spinenet"}[word]
        text = text.replace(before, f"inputs 1..3, {changed}" if word == "outputs" else changed)
    return search.open_space(Source.from_text(text))


def graph_of(network: TypedNetwork) -> nx.DiGraph:
    """Rows by what they say, names left out but those of stems, outputs and heads."""
    graph = nx.DiGraph()
    for row in network.rows.values():
        declared = row.declared
        clauses = [
            text_of(clause.span)
            for name, clause in declared.clauses.items()
            if name not in ("level", "channels", "from", "after", "absorb")
        ]
        name = "" if row.kind == "block" else row.name
        what = (
            row.kind,
            name,
            text_of(declared.row.use.span),
            row.level,
            row.channels,
            sorted(clauses),
            declared.direct,
        )
        graph.add_node(row.name, what=str(what))
        own = [text_of(one[0].span) if one is not None else "" for one in declared.own]
        listed = row.kind != "block" or declared.maps > 1 or any(own)
        for at, source in enumerate(declared.sources):
            how = graph.get_edge_data(source.text, row.name, {"how": ""})["how"]
            how += f"{at} {own[at] if own else ''};" if listed else "joined;"
            graph.add_edge(source.text, row.name, how=how)
        for one in declared.absorbed:
            graph.add_edge(one.text, row.name, how="absorbed")
    return graph


def different(networks: list[TypedNetwork]) -> int:
    """How many of the networks are not the same but for names and order."""
    found: dict[str, list[nx.DiGraph]] = {}
    for graph in map(graph_of, networks):
        alike = found.setdefault(str(sorted(what for _, what in graph.nodes(data="what"))), [])
        if not any(nx.is_isomorphic(graph, other, dict.__eq__, dict.__eq__) for other in alike):
            alike.append(graph)
    return sum(map(len, found.values()))


def candidates(space: search.Candidates) -> Iterator[TypedNetwork]:
    """Every candidate, from its text."""
    for genome in count.genomes(space.space):
        try:
            priced = space.price(genome)
        except search.Unfit:
            continue
        if isinstance(priced, search.Priced) and priced.within:
            analysis = driver.analyse(Source.from_text(space.text(priced))).value
            assert analysis is not None
            yield analysis.checked["Candidate"].typed


@pytest.mark.parametrize("case", CASES)
def test_networks_of_small_spaces_are_counted_as_by_hand(case: str) -> None:
    *_, decisions, within, networks = CASES[case]
    space = opened(case)
    found = count.enumerate_space(space.space, space.costing)
    assert (space.decisions, found.tally.candidates, found.different) == (decisions, within, networks)
    assert different([*candidates(space)]) == networks


@given(spaces())
@drawn(12)
def test_networks_of_random_spaces_are_counted_as_their_texts_differ(text: str) -> None:
    space = search.open_space(Source.from_text(text), NAME)
    assume(1 < space.decisions <= MOST)
    found = count.enumerate_space(space.space, space.costing)
    networks = [*candidates(space)]
    assert len(networks) == found.tally.candidates
    assert different(networks) == found.different


@pytest.mark.parametrize("case", CASES)
def test_every_candidate_lies_in_its_space_whatever_its_blocks_are_called(case: str) -> None:
    space = opened(case)
    networks = [*candidates(space)]
    for typed in networks[:: max(len(networks) // 6, 1)]:
        text = typed.network.declared.span.source.text
        for given_ in (text, re.sub(r"\bb(\d)\b", lambda found: f"x{9 - int(found[1])}", text)):
            analysis = driver.analyse(Source.from_text(given_)).value
            assert analysis is not None
            answer = search.contains(space, analysis.checked["Candidate"].typed)
            assert answer.genome is not None, (given_, answer.reasons)
            again = space.price(answer.genome)
            assert isinstance(again, search.Priced)
            made = driver.analyse(Source.from_text(space.text(again))).value
            assert made is not None
            assert different([typed, made.checked["Candidate"].typed]) == 1


def test_inputs_one_by_one_in_another_order_lie_outside() -> None:
    text = FILE.format(
        rows=f"{CELL}; output P: b4".replace("from b0;", "from b0, b1;").replace("; ", "\n"),
        choices="types b3: residual, towers",
    )
    space = search.open_space(Source.from_text(text))
    outside = text[: text.index("space Space")].replace("block b3: residual", "block b3: towers")
    for order, expected in (("b2, b3", None), ("b3, b2", "reads the same as in the space in another order")):
        analysis = driver.analyse(Source.from_text(outside.replace("from b2, b3", f"from {order}"))).value
        assert analysis is not None
        answer = search.contains(space, analysis.checked["Net"].typed)
        assert [one.message for one in answer.reasons] == ([] if expected is None else [f"`b4` {expected}"])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], Graph]:
    """A few nodes of two colours, which read and absorb what stands above them."""
    count_ = draw(st.integers(1, 6))
    reads, absorbs = [], []
    for node in range(count_):
        above = draw(st.lists(st.sampled_from(range(node)), unique=True, max_size=3)) if node else []
        cut, apart = draw(st.integers(0, len(above))), draw(st.booleans())
        reads.append(tuple((at if apart else 0, one) for at, one in enumerate(above[:cut])))
        absorbs.append(tuple(above[cut:]))
    return draw(st.lists(st.integers(0, 1), min_size=count_, max_size=count_)), Graph(tuple(reads), tuple(absorbs))


@given(graphs())
def test_of_twins_that_are_exchangeable_one_is_enough(given_: tuple[list[int], Graph]) -> None:
    """The form is that of all of them, tried one after another."""
    with pytest.MonkeyPatch.context() as patch:
        found = same._least(*given_)
        patch.setattr(same, "_exchangeable", lambda twins, graph: False)
        assert found == same._least(*given_)


def test_many_twins_are_told_apart_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight blocks that read one and are read by one there are 40,320 orders."""
    steps: list[int] = []
    refined = same._refined

    def counted(*given_: Any) -> Any:
        steps.append(1)
        return refined(*given_)

    monkeypatch.setattr(same, "_refined", counted)
    reads = ((), *[((0, 0),)] * 8, tuple((0, one) for one in range(1, 9)))
    same._least([0, *[1] * 8, 2], Graph(reads, ((),) * 10))
    assert len(steps) == 8
