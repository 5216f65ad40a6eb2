"""Laws of all candidates of small spaces, whose blocks take maps one by one, ask for widths, and read several stems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import spinedsl
from spinedsl import driver, search
from spinedsl.analysis import costs
from spinedsl.diagnostics import Severity
from spinedsl.ops.graph import flatten
from spinedsl.search.figures import figure
from spinedsl.source import Source
from spinedsl.spaces import count, draw
from tests.profiles import drawn
from tests.spaces.ways import measured

TEXT = """\
spine 1
import std.blocks
import std.resample
import std.stems

block_type gate(a, b, channels, stride = 1) -> channels {{ return norm(conv(act(a), channels, kernel = 3)) + b }}
block_type cell(x, channels, stride = 1, in_channels = channels) -> channels * 4 {{
    return norm(conv(act(x), channels * 4, kernel = 3, stride = stride))
}}
stem_type deep(x, channels) -> channels {{
    var y = conv(x, channels, kernel = 3, stride = 4)
    repeat 5 {{ y = act(conv(y, channels, kernel = 1)) }}
    return y
}}
join_type chained(maps) {{
    var y = first(maps)
    each m in rest(maps) {{ y = act(conv(y + m, y.channels, kernel = 3)) }}
    return y
}}

network Net {{
    input image: 3 x 64 x 64
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..5: 8 }}
    rules {{ outputs any }}
    resample spinenet
    join {join}
    {rows}
}}

space Small of Net {{
    {choices}
}}
"""
STEM = "stem s: resnet_stem channels 8"


def small(rows: Sequence[str], choices: Sequence[str], join: str = "activated_sum") -> str:
    return TEXT.format(join=join, rows="\n    ".join(rows), choices="\n    ".join(choices))


def opened(*parts: Sequence[str], join: str = "activated_sum") -> search.Candidates:
    rows, choices = parts
    return search.open_space(Source.from_text(small(rows, choices, join)))


def candidates(space: search.Candidates) -> Iterator[search.Priced]:
    """All of them."""
    for genome in count.genomes(space.space):
        if isinstance(priced := space.price(genome), search.Priced) and priced.within:
            yield priced


def held(space: search.Candidates, one: search.Priced) -> None:
    """It compiles, and has the costs and figures that are told of it."""
    graph = flatten(spinedsl.program(Source.from_text(space.text(one), "candidate.spine")))
    assert costs(graph) == one.costs
    depth, entropy = measured(space, one, graph)
    assert figure("depth", space)(one) == pytest.approx(depth)
    assert figure("entropy", space)(one) == pytest.approx(entropy)


def all_held(space: search.Candidates) -> int:
    """So it is of all of them; how many there are."""
    every = [*candidates(space)]
    for one in every:
        held(space, one)
    return len(every)


def absorbed(space: search.Candidates) -> list[int]:
    """How many blocks each candidate absorbs."""
    return [sum(len(row.absorbed) for row in one.candidate.rows if row is not None) for one in candidates(space)]


# ---- stems ----

STEMS = (
    STEM,
    "stem t: resnet_stem channels 8",
    "block b0: residual level 2 after s",
    "block b1: residual level 2 after t",
    "block b2: residual level 3 from b0, b1",
    "block b3: residual level 4 from b0, b2",
    "output P4: b3",
)


def test_a_stem_that_nothing_reads_is_in_no_candidate() -> None:
    space = opened(STEMS, ("parents b2..b3: 2 of all", "orphans drop"))
    tally = count.enumerate_space(space.space, space.costing).tally
    assert (tally.candidates, tally.others["stem"], space.decisions) == (3, 0, 3)
    space = opened(STEMS, ("parents b2: 1 of all", "parents b3: 2 of all", "orphans drop"))
    tally = count.enumerate_space(space.space, space.costing).tally
    assert (tally.candidates, tally.others["stem"]) == (all_held(space), 2) == (4, 2)
    assert [*tally.words()] == ["2 leave a stem unread"]


def test_a_stem_that_no_block_is_left_to_read_is_told() -> None:
    space = opened(STEMS, ("parents b2..b3: 1 of all", "orphans drop"))
    with pytest.raises(search.NoCandidate, match="none is a candidate") as told:
        space.sample(0)
    found = told.value.diagnostic
    assert "none whose stems are all read" in found.label
    assert "leave a block that reads the stem" in found.fixes[0].text


def test_a_block_whose_parents_are_chosen_reads_no_stem() -> None:
    rows = (*STEMS[:3], "block b1: residual level 3 from b0, t", "output P3: b1")
    space = opened(rows, ("parents b1: 1 of all",))
    tally = count.enumerate_space(space.space, space.costing).tally
    assert (tally.candidates, tally.others["stem"]) == (0, 1)


# ---- orphans ----


@pytest.mark.parametrize(("level", "expected"), [(3, [0, 0, 0, 1, 1, 1]), (4, [0] * 6)])
def test_a_block_that_takes_its_maps_one_by_one_absorbs_none(level: int, expected: list[int]) -> None:
    """What stands below it at that level does."""
    rows = (
        STEM,
        "block b0: residual level 2 after s",
        "block b1: residual level 3 from b0, s",
        "block b2: residual level 3 from b0, b1",
        "block b3: gate level 3 from b0, b1",
        f"block b4: residual level {level} from b2, b3",
        "output P3: b3",
        "output P4: b4",
    )
    space = opened(rows, ("parents b4: 2 of all", "orphans absorb else drop"))
    assert all_held(space) == space.decisions == 6
    assert sorted(absorbed(space)) == expected


@pytest.mark.parametrize(("orphan", "count_"), [("residual", 1), ("cell", 0)])
def test_an_orphan_is_absorbed_where_the_join_takes_its_channels(orphan: str, count_: int) -> None:
    rows = (
        STEM,
        "block b0: residual level 2 after s",
        "block b1: residual level 3 from b0, s",
        f"block b2: {orphan} level 3 from b0, b1",
        "block b3: cell level 3 from b1, b2",
        "output P3: b3",
    )
    space = opened(rows, ("parents b3: 2 of all", "orphans absorb else drop"))
    assert all_held(space) == space.decisions == 3
    assert absorbed(space)[0] == count_


# ---- depth and entropy ----

CHAIN = (
    STEM,
    "block b0: residual level 2 after s",
    "block b1: residual level 3 after b0",
    "block b2: residual level 3 from b0, b1",
    "block b3: residual level 3 from b1, b2",
    "block b4: residual level 3 from b2, b3",
    "output P3: b4",
)


@pytest.mark.parametrize("join", ["activated_sum", "chained", "concat"])
def test_figures_do_not_depend_on_what_was_measured_before(join: str) -> None:
    choices = ("parents b2..b4: 2 of all", "orphans absorb else drop")
    space = opened(CHAIN, choices, join=join)
    depth, entropy = figure("depth", space), figure("entropy", space)
    for one in candidates(space):
        held(space, one)
        fresh = opened(CHAIN, choices, join=join)
        assert (depth(one), entropy(one)) == (figure("depth", fresh)(one), figure("entropy", fresh)(one))


@pytest.mark.parametrize("row", ["gate level 2 from s, b0", "residual level 2 from t", "residual level 2 from b0, t"])
def test_a_stem_that_a_block_joins_is_resampled(row: str) -> None:
    rows = [*CHAIN[:2], f"block b1: {row}", *CHAIN[3:]]
    if row.endswith("t"):
        rows.insert(0, "stem t: deep channels 8")
    assert all_held(opened(rows, ("parents b2..b4: 2 of all", "orphans absorb else drop")))


# ---- networks beside a space ----


def sharing(before: str) -> str:
    """A space over a block type of two convolutions, with some of its words before each of them."""
    twice = f"repeat 2 {{ y = {before} }}"
    types = f"block_type twice(x, channels, stride = 1) -> channels {{\n    var y = x\n    {twice}\n    return y\n}}"
    rows = (STEM, "block b0: residual level 2 after s", "block b1: twice level 2 from s, b0", "output P2: b1")
    return small(rows, ("types b1: twice",)).replace("\nnetwork", f"{types}\n\nnetwork", 1)


@pytest.mark.parametrize("other", ["act(conv(y, 8, kernel = 3))", "act(shared conv(y, 8, kernel = 3))"])
@pytest.mark.parametrize("own", ["act(conv(y, 8, kernel = 3))", "act(shared conv(y, 8, kernel = 3))"])
def test_convolutions_that_share_their_weights_are_others(own: str, other: str) -> None:
    space = search.open_space(Source.from_text(sharing(own)))
    analysis = driver.analyse(Source.from_text(sharing(other))).value
    assert analysis is not None
    answer = search.contains(space, analysis.checked["Net"].typed)
    assert (answer.genome is not None) == (own == other)


# ---- of any space ----

TYPES = ("residual", "bottleneck", "cell")
JOINS = ("activated_sum", "concat", "chained")
FATES = ("absorb else drop", "absorb else exclude", "drop", "exclude")


@st.composite
def spaces(draw: st.DrawFn) -> str:
    """Small spaces, of which everything but a stem that nothing is left to read, or an orphan, compiles."""
    stems = draw(st.integers(1, 2))
    rows = [STEM, "stem t: resnet_stem channels 8"][:stems]
    rows += [f"block b{at}: residual level 2 after {'st'[at]}" for at in range(stems)]
    names = [f"b{at}" for at in range(stems)]
    if stems == 1:
        names.append("s")
    read: set[str] = set()
    choices = []
    for at in range(stems, stems + draw(st.integers(2, 4))):
        type_, level = draw(st.sampled_from((*TYPES, "gate"))), draw(st.integers(2, 3))
        alike = [name for name in names if name == "s" or f"level {level}" in row_of(rows, name)]
        if type_ == "gate" and (len(alike) < 2 or level != 2):
            type_ = "residual"
        sources = draw(st.permutations(alike if type_ == "gate" else names))[:2]
        rows.append(f"block b{at}: {type_} level {level} from {', '.join(sources)}")
        if type_ != "gate" and draw(st.integers(0, 3)):
            above = len([name for name in names if name != "s"])
            choices.append(f"parents b{at}: {draw(st.integers(1, min(above, 2)))} of all")
            if draw(st.booleans()):
                choices.append(f"types b{at}: {', '.join(draw(st.permutations(TYPES))[:2])}")
        read.update(sources)
        names.append(f"b{at}")
    ends = [name for name in names if name not in read and name != "s"]
    ends += [name for name in names if name in read and name != "s" and draw(st.integers(0, 4)) == 0]
    rows += [f"output P{name}: {name}" for name in ends]
    choices.append(f"orphans {draw(st.sampled_from(FATES))}")
    return small(rows, choices, draw(st.sampled_from(JOINS)))


def row_of(rows: Sequence[str], name: str) -> str:
    return next(row for row in rows if row.startswith(f"block {name}:"))


@given(spaces(), st.integers(0, 2**32))
@drawn(15)
def test_what_is_no_candidate_does_not_compile_and_what_is_one_does(text: str, seed: int) -> None:
    source = Source.from_text(text)
    assume(not any(found.severity is Severity.ERROR for found in driver.analyse(source).diagnostics))
    space = search.open_space(source)
    for number in range(3):
        genome = draw.uniform(space.space, draw.generator(seed, number))
        try:
            priced = space.price(genome)
        except search.Unfit as told:
            assert told.found.code.id != "E0308", text  # noqa: PT017
            continue
        if isinstance(priced, search.Priced):
            held(space, priced)
