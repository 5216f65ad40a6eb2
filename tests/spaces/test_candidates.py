"""Laws of candidates: whatever is drawn, changed or crossed compiles, lies in its space, and costs what it should."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinedsl
from benchmarks.candidates import hold
from spinedsl import checks as say
from spinedsl import driver, edit, search
from spinedsl.analysis import costs, peak_activation_bytes
from spinedsl.compare import Tier, compare, side
from spinedsl.ir.typed import TypedNetwork
from spinedsl.ops.graph import flatten
from spinedsl.record import replace
from spinedsl.search import commands
from spinedsl.search.engines import ENGINES
from spinedsl.source import Source
from spinedsl.spaces import draw
from spinedsl.spaces.candidates import MAX_TRIED, figure
from spinedsl.spaces.model import Keep, shortened
from spinedsl.syntax.format import format_source
from spinedsl.testing.space import STANDARD
from spinedsl.testing.spaces import spaces
from tests.profiles import drawn
from tests.search.spaces import NET

EXAMPLES = Path(__file__).parents[2] / "examples"
FILE = EXAMPLES / "spaces.spine"
NAMES = ("ScalePermuted", "Adjusted", "AroundSpineNet49", "WindowOfFour", "Neck")
SEEDS = st.integers(0, 2**32)


@cache
def opened(name: str) -> search.Candidates:
    return search.open_space(FILE, name)


def held(space: search.Candidates, one: search.Priced) -> None:
    """The laws of one candidate."""
    text = space.text(one)
    source = Source.from_text(text, "candidate.spine")
    program = spinedsl.program(source)
    assert format_source(source).value == text
    graph = flatten(program)
    assert costs(graph) == one.costs
    assert one.within
    for keep in space.space.keeps:
        value = peak_activation_bytes(graph) if keep.figure == "memory" else figure(one, keep.figure)
        assert value is not None
        assert keep.holds(value)
    analysis = driver.analyse(source).value
    assert analysis is not None
    answer = search.contains(space, analysis.checked["Candidate"].typed)
    assert answer.reasons == ()
    assert answer.genome is not None
    again = space.price(answer.genome)
    assert isinstance(again, search.Priced)
    assert answer.called or space.text(again) == text  # blocks that are alike may be named either way
    assert again.costs == one.costs


@given(st.sampled_from(NAMES), SEEDS, st.integers(0, 10**6))
@drawn(25)
def test_what_is_sampled_is_a_candidate(name: str, seed: int, number: int) -> None:
    space = opened(name)
    held(space, space.sample(seed, number))


@given(spaces(), SEEDS)
@drawn(15)
def test_candidates_of_random_spaces_are_what_they_should_be(text: str, seed: int) -> None:
    """Whatever rows a network has, and whatever a space chooses of them; what it refuses, it refuses again."""
    source = STANDARD.source(text)
    space = search.Candidates(search.open_space(source).space, most_tried=40)
    try:
        one = space.sample(seed, 0)
        held(space, one)
        near = space.mutate(one.genome, seed, 1)
        held(space, near)
        held(space, space.crossover(one.genome, near.genome, seed, 2))
    except search.NoCandidate:
        return
    except search.Unfit as told:
        message = told.diagnostic.message
        for candidates in (space, search.Candidates(space.space, most_tried=40)):
            with pytest.raises(search.Unfit) as again:
                drawn_again(candidates, seed)
            assert again.value.diagnostic.message == message


def test_a_block_that_keeps_its_inputs_keeps_what_resamples_them() -> None:
    fed = "from b1, b2\n"
    text = NET.replace(fed, "from b1 resample spinenet(alpha = 1), b2\n")
    assert fed in NET
    choices = ("level_shift b3: 0..1 within 2..5", "types b3: residual, bottleneck", "parents b2, b4: 2 of all")
    source = Source.from_text("\n    ".join([f"{text}space Some of Net {{", *choices]) + "\n}\n")
    space = search.open_space(source)
    for number in range(6):
        one = space.sample(0, number)
        held(space, one)
        row = next(line for line in space.text(one).splitlines() if "block b3" in line)
        assert "from b1 resample spinenet(alpha = 1), b2" in row


def drawn_again(space: search.Candidates, seed: int) -> None:
    one = space.sample(seed, 0)
    near = space.mutate(one.genome, seed, 1)
    space.crossover(one.genome, near.genome, seed, 2)


@given(st.sampled_from(NAMES), SEEDS)
@drawn(15)
def test_what_is_changed_or_crossed_is_a_candidate(name: str, seed: int) -> None:
    space = opened(name)
    one, other = space.sample(seed, 0), space.sample(seed, 1)
    held(space, space.mutate(one.genome, seed, 2))
    held(space, space.crossover(one.genome, other.genome, seed, 3))


@given(st.sampled_from(NAMES), SEEDS, st.integers(0, 3))
@drawn(12)
def test_edits_make_the_same_network_as_the_text(name: str, seed: int, number: int) -> None:
    space = opened(name)
    one = space.sample(seed, number)
    base = space.space.network.unit.file.source
    changes = space.edits(one)
    if not changes.items:
        return
    edited = edit.apply(base, changes, base=space.space.network.name, name="Edited")
    difference = compare(side(edited, network="Edited"), side(Source.from_text(space.text(one), "candidate.spine")))
    assert difference.tier is Tier.NONE


@given(st.sampled_from(NAMES), SEEDS, st.integers(0, 100))
@drawn(30)
def test_the_same_seed_is_the_same_candidate(name: str, seed: int, number: int) -> None:
    one = opened(name).sample(seed, number)
    other = search.open_space(FILE, name)
    other.sample(seed, number + 1)  # whatever was drawn before
    assert other.sample(seed, number) == one
    assert other.mutate(one.genome, seed, number) == opened(name).mutate(one.genome, seed, number)


@given(st.sampled_from(NAMES), SEEDS)
@drawn(60)
def test_a_mutation_changes_one_decision(name: str, seed: int) -> None:
    space = opened(name).space
    genome = draw.uniform(space, draw.generator(seed))
    changed = draw.mutated(space, genome, draw.generator(seed, 1))
    differ = [
        kind for kind in ("orders", "parents", "levels", "types") if getattr(genome, kind) != getattr(changed, kind)
    ]
    assert len(differ) == 1
    one, other = getattr(genome, differ[0]), getattr(changed, differ[0])
    (at,) = [index for index, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    if differ == ["orders"]:
        assert sorted(one[at]) == sorted(other[at])
        assert sum(a != b for a, b in zip(one[at], other[at], strict=True)) == 2
    if differ == ["parents"]:
        assert len(set(one[at]) & set(other[at])) == len(one[at]) - 1


def test_every_mutation_is_another_genome() -> None:
    space = opened("Adjusted").space
    for number in range(600):
        genome = draw.uniform(space, draw.generator(11, number))
        assert draw.mutated(space, genome, draw.generator(12, number)) != genome


@given(st.sampled_from(NAMES), SEEDS)
@drawn(60)
def test_what_is_crossed_has_each_decision_from_one_of_the_two(name: str, seed: int) -> None:
    space = opened(name).space
    one, other = (draw.uniform(space, draw.generator(seed, which)) for which in (0, 1))
    both = draw.crossed(space, one, other, draw.generator(seed, 2))
    for kind in ("parents", "levels", "types"):
        pairs = zip(getattr(one, kind), getattr(other, kind), getattr(both, kind), strict=True)
        assert all(found in (a, b) for a, b, found in pairs)
    for order, group in zip(both.orders, space.groups, strict=True):
        assert sorted(order) == sorted(group)


def test_genomes_and_candidates_of_other_spaces_are_refused() -> None:
    space, other = opened("Neck"), opened("Adjusted")
    one, foreign = space.sample(0), other.sample(0)
    shifted = [replace(one.genome, parents=((0, 1), *one.genome.parents[1:]))]
    shifted += [replace(one.genome, levels=tuple(level + 1 for level in one.genome.levels))]
    shifted += [replace(one.genome, orders=tuple(order[::-1] + order[:1] for order in one.genome.orders))]
    taken: tuple[Callable[[Any], object], ...] = (
        lambda genome: space.mutate(genome, 0),
        lambda genome: space.crossover(one.genome, genome, 0),
        lambda genome: space.crossover(genome, one.genome, 0),
        space.price,
    )
    for take in taken:
        assert take(one.genome) is not None
        for genome in (foreign.genome, *shifted):
            with pytest.raises(ValueError, match="it is no genome of space `Neck`"):
                take(genome)
        with pytest.raises(TypeError, match=r"expected a genome; got Priced.*: give its `genome`"):
            take(one)
    writing: tuple[Callable[[Any], object], ...] = (space.text, space.edits)
    for write in writing:
        with pytest.raises(ValueError, match="it is no genome of space `Neck`"):
            write(foreign)
        with pytest.raises(TypeError, match="expected a candidate, as `sample` gives it; got Genome"):
            write(one.genome)


def test_every_choice_is_drawn_about_as_often_as_the_others() -> None:
    space = opened("Adjusted").space
    tried = 4000
    drawn_ = [draw.uniform(space, draw.generator(7, number)) for number in range(tried)]
    for kind, block, choices in (("levels", 2, 4), ("types", 2, 2), ("parents", 6, 10)):
        found: dict[object, int] = {}
        for genome in drawn_:
            value = getattr(genome, kind)[block]
            found[value] = found.get(value, 0) + 1
        assert len(found) == choices
        assert all(0.75 < times * choices / tried < 1.25 for times in found.values())
    first = [genome.orders[0][0] for genome in drawn_]
    assert len(set(first)) == 10


# ---- published networks ----


@pytest.mark.parametrize(
    ("space", "file", "network"),
    [
        ("ScalePermuted", "permuted", "R0SP53"),
        ("Adjusted", "permuted", "R0SP53"),
        ("Adjusted", "spinenet", "SpineNet49"),
        ("AroundSpineNet49", "spinenet", "SpineNet49"),
        ("WindowOfFour", "spinenet", "SpineNet49"),
        ("Neck", "spaces", "Neck50"),
    ],
)
def test_the_published_networks_lie_in_their_spaces(space: str, file: str, network: str) -> None:
    source = EXAMPLES / f"{file}.spine"
    answer = search.contains(opened(space), _typed(source, network))
    assert answer.genome is not None
    found = opened(space).price(answer.genome)
    assert isinstance(found, search.Priced)
    assert found.costs == costs(flatten(spinedsl.program(source, network=network)))


@pytest.mark.parametrize(
    ("space", "file", "network", "reason"),
    [
        ("ScalePermuted", "spinenet", "SpineNet49", "no block of space `ScalePermuted` can be `b3`"),
        ("WindowOfFour", "permuted", "R0SP53", "`b9` reads `b4`, which is not among the last 4 blocks above it"),
        ("Adjusted", "spinenet", "SpineNet49S", "can be `b2`"),
        ("Adjusted", "spinenet", "SpineNet96", "can be `b2`"),
        ("Adjusted", "resnet", "ResNet50", "it has no output `P3`"),
        ("Adjusted", "permuted", "RetinaNetR0SP53", "head `scores` is not in network `R0SP53`"),
        ("Adjusted", "spinenet_tpu", "SpineNet49_TPU", "can be `b0`"),
    ],
)
def test_other_networks_do_not_and_the_reason_is_told(space: str, file: str, network: str, reason: str) -> None:
    answer = search.contains(opened(space), _typed(EXAMPLES / f"{file}.spine", network))
    assert answer.genome is None
    assert any(reason in found.message for found in answer.reasons), [found.message for found in answer.reasons]


def _typed(path: Path, network: str) -> TypedNetwork:
    source = spinedsl.parse(path).value
    assert source is not None
    analysis = driver.analyse(source.source, None, network).value
    assert analysis is not None
    return analysis.checked[network].typed


def test_the_candidates_of_a_space_say_what_they_are() -> None:
    assert repr(small("orphans exclude")) == "<space Small of Net: 36 decisions>"


# ---- bounds, orphans ----


def small(*rows: str, network: str = NET) -> search.Candidates:
    body = "\n    ".join(["permute b2..b3", "parents b2..b4: 2 of all", *rows])
    return search.open_space(Source.from_text(f"{network}\nspace Small of Net {{\n    {body}\n}}\n"))


@pytest.mark.parametrize("levels", ["2..top", "(top - 3)..top", "2..lowest + 3"])
def test_widths_are_edited_in_levels_that_parameters_name(levels: str) -> None:
    widths = "widths { level 2..5: 16 }"
    network = NET.replace("network Net {", "network Net(top = 5) {\n    let lowest = 2")
    network = network.replace(widths, f"widths {{ level {levels}: 16 }}")
    edits = "widths { level lowest + 2: 8 * top }"
    text = f"{network}\nnetwork Wide = Net with {{ {edits} }}\nspace Some of Wide {{ parents b2..b4: 2 of all }}\n"
    space = search.open_space(Source.from_text(text))
    for number in range(3):
        one = space.sample(0, number)
        held(space, one)
        assert "widths { level 2: 16, level 3: 16, level 4: 8 * top, level 5: 16 }" in space.text(one)


def test_a_bound_that_nothing_keeps_is_told_with_the_nearest() -> None:
    space = search.Candidates(small("keep multiply_adds <= 1K").space, most_tried=50)
    with pytest.raises(search.NoCandidate, match="of 50 decisions of space `Small`, none is a candidate") as told:
        space.sample(0)
    (note,) = told.value.diagnostic.notes
    assert note.startswith("`keep multiply_adds <= 1K`: the nearest has ")
    assert MAX_TRIED > 1000


@pytest.mark.parametrize("figure_", ["multiply_adds", "parameters", "memory"])
def test_bounds_are_kept_exactly(figure_: str) -> None:
    free = small(
        "orphans absorb else drop", "types b2..b4: residual, bottleneck", "level_shift b2..b3: -1..1 within 2..5"
    )
    values = []
    for number in range(40):
        one = free.sample(0, number)
        graph = flatten(spinedsl.program(Source.from_text(free.text(one))))
        values.append(peak_activation_bytes(graph) if figure_ == "memory" else figure(one, figure_))
    bound = sorted(value for value in values if value is not None)[15]
    rows = ("orphans absorb else drop", "types b2..b4: residual, bottleneck", "level_shift b2..b3: -1..1 within 2..5")
    for operator in ("<=", "<", ">=", ">"):
        if not any(Keep(figure_, operator, bound).holds(value) for value in values if value is not None):
            continue  # the stem's map is the largest of most
        kept = small(*rows, f"keep {figure_} {operator} {bound}")
        found = [kept.sample(1, number) for number in range(15)]
        for one in found:
            graph = flatten(spinedsl.program(Source.from_text(kept.text(one))))
            value = peak_activation_bytes(graph) if figure_ == "memory" else figure(one, figure_)
            assert value is not None
            assert {"<=": value <= bound, "<": value < bound, ">=": value >= bound, ">": value > bound}[operator]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (90 * 10**9, "90G"), (5 * 10**18, "5e+06T"), (1_500_000, "1.5M"), (999, "999"), (1234, "1234"),
        (12_345_670, "12345670"), (12_345_680, "12345680"), (12_345_700, "12345.7K"), (10**400, f"1{388 * '0'}T"),
        (Fraction(1, 2), "0.5"), (Fraction(12_345_678, 10_000), "1234.5678"), (Fraction(10, 3), "10/3"),
        (Fraction(15, 10**9), "1.5e-08"), (Fraction(12_345_678, 10**9), "0.012345678"),
    ],
)  # fmt: skip
def test_bounds_are_written_exactly(number: int | Fraction, text: str) -> None:
    assert shortened(number) == text
    size = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}.get(text[-1])
    assert number == (Fraction(text) if size is None else Fraction(text[:-1]) * size)


def test_bounds_meet_where_a_number_keeps_both() -> None:
    bounds = [Keep("memory", how, Fraction(n, 2)) for how in ("<=", "<", ">=", ">") for n in range(2, 9)]
    for one, other in product(bounds, repeat=2):
        both = any(one.holds(number) and other.holds(number) for number in range(-9, 20))
        assert one.meets(other) == both, (one, other)


def test_what_reaches_a_bound_is_within_it() -> None:
    free = small("orphans absorb else drop")
    least = min(free.sample(0, number).costs.parameters for number in range(40))
    kept = small("orphans absorb else drop", f"keep parameters <= {least}")
    assert kept.sample(1).costs.parameters == least


@pytest.mark.parametrize("fate", ["absorb else exclude", "absorb else drop", "drop", "exclude"])
def test_what_nothing_reads_meets_the_fate_that_the_space_says(fate: str) -> None:
    space = small(f"orphans {fate}")
    sizes: set[int] = set()
    absorbs = 0
    for number in range(60):
        one = space.sample(2, number)
        program = spinedsl.program(Source.from_text(space.text(one)))
        blocks = [row for row in program.rows if row.kind == "block"]
        sizes.add(len(blocks))
        absorbs += any(row.absorbed for row in blocks)
    assert (min(sizes) < 5) == fate.endswith("drop")
    assert (absorbs > 0) == fate.startswith("absorb")


def reasons(space: search.Candidates, text: str) -> list[str]:
    """Why a network is no candidate."""
    analysis = driver.analyse(Source.from_text(text, "changed.spine")).value
    assert analysis is not None
    return [one.message for one in search.contains(space, analysis.checked["Candidate"].typed).reasons]


ODD = "block_type odd(x, channels, stride = 1) -> channels { return norm(conv(x, channels, kernel = 3, groups = 3)) }"


def test_what_was_dropped_may_have_been_what_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its first type nothing compiles, with its second it would be absorbed."""
    network = FIXED.replace("after b1", "from b1, b2").replace("    output P3: b2\n", "")
    network = network.replace("level 3  from s, b1", "level 4  from b0, b1").replace(
        "network Net", f"{ODD}\n\nnetwork Net"
    )
    rows = "parents b2..b3: 2 of all\n    types b2: odd, residual, bottleneck\n    orphans absorb else drop"
    space = search.open_space(Source.from_text(f"{network}\nspace Small of Net {{\n    {rows}\n}}\n"))
    fewer = [one for one in (space.sample(0, number) for number in range(20)) if None in one.candidate.rows]
    assert fewer
    for one in fewer:
        held(space, one)
    (tmp_path / "other.spine").write_text(space.text(fewer[0]))
    command = f"cat {tmp_path / 'other.spine'}"
    study = search.run(space, "depth", engine="local", budget=11, mutate_with=command)
    assert study.settled[10].origin == "command"
    assert study.text(study.settled[10]) == space.text(fewer[0])

    wrong = say.UNFIT_CANDIDATE.at(Source("x", "").span(0, 0), name="Small", code="E0500", message="it")

    def refused(*_: object) -> None:
        raise search.Unfit(wrong, wrong)

    monkeypatch.setattr(commands, "contains", refused)
    with pytest.raises(search.Failed, match="no candidate of space `Small`") as told:
        search.run(space, "depth", engine="local", budget=11, mutate_with=command, warn=lambda text: None)
    assert told.value.diagnostic.label == wrong.message


def test_a_network_beyond_a_bound_lies_outside() -> None:
    free = small("orphans absorb else exclude")
    text = free.text(free.sample(0))
    assert reasons(free, text) == []
    parameters = free.sample(0).costs.parameters
    assert reasons(small("orphans absorb else exclude", f"keep parameters <= {parameters}"), text) == []
    beyond = reasons(small("orphans absorb else exclude", f"keep parameters < {parameters}"), text)
    assert beyond == [f"it has {parameters:,} parameters"]


def test_what_does_not_compile_is_drawn_anew_and_told_where_nothing_does() -> None:
    text = NET.replace(
        "network Net",
        "block_type grouped(x, channels, stride = 1) -> channels {\n"
        "    return conv(x, channels, kernel = 3, stride = stride, groups = 3)\n}\n\nnetwork Net",
    )
    space = small("types b2..b4: residual, grouped", network=text)
    found = [space.sample(0, number) for number in range(20)]
    assert all("grouped(" not in space.text(one).split("network")[1] for one in found)
    again = small("types b2..b4: residual, grouped", network=text)
    assert [again.sample(0, number).genome for number in reversed(range(20))] == [one.genome for one in found[::-1]]
    for number, one in enumerate(found):
        space.mutate(one.genome, 1, number)
        space.crossover(one.genome, found[0].genome, 2, number)
    for engine in ENGINES:
        study = search.run(space, "depth", engine=engine, budget=25)
        assert [one.slot for one in study.settled.values() if one.values is not None] == [*range(25)]
    only = small("types b2..b4: grouped", network=text)
    with pytest.raises(search.Unfit, match="space `Small` has a candidate with a mistake") as told:
        only.sample(0)
    assert told.value.diagnostic.code.id == "E1206"


FIXED = (
    NET[: NET.index("    block b1")]
    + """\
    block b1: residual  level 2  after b0
    block b2: residual  level 3  from s, b1
    block b3: residual  level 4  after b1
    output P3: b2
    output P4: b3
}
"""
)
PILED = "join_type piled(inputs) { return concat(inputs) }\n\n"


def fixed(*rows: str, join: str = "activated_sum") -> search.Candidates:
    text = FIXED.replace("join activated_sum", f"join {join}")
    if join == "piled":
        text = text.replace("network Net", f"{PILED}network Net")
    body = "\n    ".join(rows)
    return search.open_space(Source.from_text(f"{text}\nspace Small of Net {{\n    {body}\n}}\n"))


def test_a_row_that_reads_the_stem_costs_its_resampling_too() -> None:
    space = fixed("types b3: residual, bottleneck")
    held(space, space.sample(0))


def test_a_row_fed_by_after_joins_as_the_network_does_once_its_parents_are_chosen() -> None:
    space = fixed("parents b1..b3: 1 of all", "orphans absorb else drop")
    for number in range(8):
        held(space, space.sample(0, number))


def test_a_join_that_piles_its_maps_up_makes_blocks_that_differ() -> None:
    space = fixed("parents b2..b3: 2 of all", "orphans absorb else drop", join="piled")
    for number in range(8):
        held(space, space.sample(0, number))


def test_two_outputs_at_one_level_are_no_candidate() -> None:
    space = fixed("level_shift b2..b3: 0..1 within 2..5")
    levels = {tuple(row.level for row in space.sample(0, number).candidate.rows if row) for number in range(40)}
    assert levels == {(2, 2, 3, 4), (2, 2, 3, 5), (2, 2, 4, 5)}
    with pytest.raises(search.NoCandidate, match="none is a candidate") as told:
        fixed("level_shift b2..b3: 0..1 within 4..4").sample(0)
    assert "outputs are at levels of their own" in told.value.diagnostic.label


@pytest.mark.parametrize(
    ("before", "after", "expected"), [("after b1", "after b0", "`b1`"), ("from s, b1", "from s, b0", "`s` and `b1`")]
)
def test_a_block_that_reads_another_is_not_in_the_space(before: str, after: str, expected: str) -> None:
    space = fixed("types b3: residual, bottleneck")
    text = space.text(space.sample(0)).replace("  ", " ")
    while "  " in text:
        text = text.replace("  ", " ")
    assert before in text
    changed = Source.from_text(text.replace(before, after), "changed.spine")
    analysis = driver.analyse(changed).value
    assert analysis is not None
    answer = search.contains(space, analysis.checked["Candidate"].typed)
    assert [(one.message.split("`")[2], one.label) for one in answer.reasons] == [
        (" reads others than in the space", f"expected {expected}")
    ]


def test_what_the_compiler_refuses_it_refuses_again() -> None:
    candidates = fixed("level_shift b0: 0..1 within 2..3")
    messages = []
    for number in range(20):
        genome = draw.uniform(candidates.space, draw.generator(0, "again", number))
        for _ in range(2):
            try:
                candidates.price(genome)
            except search.Unfit as unfit:
                messages.append(unfit.diagnostic.message)
    assert len(messages) > 4
    assert len(messages) % 2 == 0
    assert len({*messages}) == 1


def test_the_benchmark_looks_at_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `make candidates` does with 100,000, on a few: it goes on where it stopped."""
    for number, looked in ((20, 10), (40, 15)):
        options = argparse.Namespace(folder=str(tmp_path), number=number, every=3)
        assert hold(options) == 0
        told = f"{number} of {number} candidates hold; {looked} were compiled and found again"
        assert told in capsys.readouterr().out


CONCATENATED = """\
spine 1
import std.blocks
import std.stems

resample_type moved(x, source, target) -> x.channels {
    var y = x
    if x.level > target.level { y = upsample(x, levels = x.level - target.level) }
    repeat max(target.level - x.level, 0) { y = max_pool(y, kernel = 3, stride = 2) }
    return y
}

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 8, level 3: 16, level 4: 32 }
    resample moved
    join concat
    stem s: resnet_stem channels 8
    block b0: residual level 2 after s
    block b1: residual level 3 after b0
    block b2: residual level 3 from b0, b1
    block b3: residual level 4 from b1, b2
    block b4: residual level 2 from b2, b3
    output P3: b4
}

space Wide of Net {
    permute b2..b4
    parents b2..b4: 2 of last 3
    types b2..b4: residual, bottleneck
    orphans absorb else exclude
}
"""


def test_what_a_block_costs_may_depend_on_what_it_reads(tmp_path: Path) -> None:
    """A join that concatenates gives more channels to a block that reads wider ones."""
    path = tmp_path / "wide.spine"
    path.write_text(CONCATENATED)
    space = search.open_space(path, "Wide")
    ones = [space.sample(3, number) for number in range(12)]
    for one in ones:
        held(space, one)
    assert len({one.costs.parameters for one in ones}) > 4


def test_types_that_are_given_definitions(tmp_path: Path) -> None:
    """A candidate brings along what its types are given, and costs what that makes of it."""
    path = tmp_path / "given.spine"
    path.write_text(
        """spine 1
import std.blocks
import std.resample
import std.stems

def thin(x, channels, stride = 1) { return norm(conv(x, channels, kernel = 1, stride = stride)) }
def thick(x, channels, stride = 1) { return norm(conv(act(x), channels, kernel = 3, stride = stride)) }
def soft(x) { return x * sigmoid(conv(x, x.channels, kernel = 1)) }

block_type cell(x, channels, stride = 1, op = thin, gate = relu) -> channels {
    let y = op(x, channels, stride = stride)
    return gate(op(y, channels) + y)
}

network Net(kind = thick) {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2..5: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 8
    block b2: cell level 2 from s
    block b3: cell(op = kind) level 3 from s, b2
    block b4: cell level 4 from b3, b2
    output P4: b4
}

space Space of Net {
    types b2..b4: cell, cell(op = thick), cell(op = thick, gate = soft), residual
}
"""
    )
    space = search.open_space(path, "Space")
    found = [space.sample(0, number) for number in range(6)]
    for one in found:
        held(space, one)
    assert len({one.costs.parameters for one in found}) > 2
