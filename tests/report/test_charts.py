"""The charts: fronts, hypervolumes, medians and bands, each against another way to the same number."""

from __future__ import annotations

import itertools
import math
import statistics
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.report.chart import Chart, series
from spinedsl.report.convergence import caught_up, curves, quartiles
from spinedsl.report.runs import runs_of
from spinedsl.report.scale import axis, seconds, short, told_apart
from spinedsl.search.pareto import Scores, hypervolume, joined, undominated
from tests.report.studies import study_of

EIGHTHS = st.integers(0, 8).map(lambda number: number / 8)


def points_of(dimensions: int) -> st.SearchStrategy[list[Scores]]:
    """Points on a grid, so that many are equal in a direction."""
    return st.lists(st.tuples(*[EIGHTHS] * dimensions), min_size=1, max_size=12)


POINTS = st.integers(1, 4).flatmap(points_of)


@given(POINTS)
def test_the_front_are_the_points_that_no_other_dominates(points: list[Scores]) -> None:
    front = undominated(points)
    expected = {
        one
        for one in points
        if not any(other != one and all(a >= b for a, b in zip(other, one, strict=True)) for other in points)
    }
    assert front == sorted(expected, reverse=True)
    grown: list[Scores] = []
    for point in points:
        grown = joined(grown, point)
    assert sorted(grown, reverse=True) == front


@given(POINTS)
def test_the_hypervolume_counts_the_cells_of_a_grid(points: list[Scores]) -> None:
    dimensions = len(points[0])
    cells = itertools.product(range(8), repeat=dimensions)
    covered = sum(
        any(all(8 * value > cell for value, cell in zip(point, place, strict=True)) for point in points)
        for place in cells
    )
    assert hypervolume(points) == pytest.approx(covered / 8**dimensions)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12))
def test_quartiles_are_those_of_the_library(values: list[float]) -> None:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    assert quartiles(values) == pytest.approx((low, middle, high))


def test_a_curve_is_the_median_of_what_runs_had_reached(tmp_path: Path) -> None:
    studies = [study_of(tmp_path / f"{seed}.db", "random", seed, budget=12 + 4 * (seed == 2)) for seed in range(3)]
    studies.append(study_of(tmp_path / "local.db", "local", budget=12))
    runs = runs_of(studies)
    assert [run.label for run in runs] == ["random, seed 0", "random, seed 1", "random, seed 2", "local, seed 0"]
    objective = studies[0].setup.objectives[0]
    random, local = curves(runs, studies[0].setup.objectives)
    assert (random.engine, random.runs, local.runs) == ("random", 3, 1)
    assert random.counts == list(range(1, 17))
    for at, count in enumerate(random.counts):
        reached = [
            max(one.values[0] for slot, one in study.settled.items() if slot < count and one.values)
            for study in studies[:3]
            if len(study.settled) >= count
        ]
        assert random.middle[at] == pytest.approx(statistics.median(reached))
    assert list(local.low) == list(local.middle) == list(local.high)
    when = caught_up(local, random.middle[-1], objective)
    assert when is None or local.middle[when - 1] >= random.middle[-1] > local.middle[max(when - 2, 0)] or when == 1


@pytest.mark.parametrize("values", [[0, 1], [3.5, 3.5], [1.2e9, 9.9e10], [-4, 1e-7], [0]])
def test_an_axis_has_room_for_its_values(values: list[float]) -> None:
    found = axis("x", values)
    assert all(found.low < value < found.high for value in values)
    assert 2 <= len(found.ticks) <= 12
    assert all(found.low <= tick <= found.high for tick in found.ticks)


def test_series_differ_without_their_colours() -> None:
    styles = series(["random", "evolution", "local", "nsga2", "controller"]).values()
    assert len({style.shape for style in styles}) == len({style.dashes for style in styles}) == 5
    chart = Chart("<b>", axis("<i>", [0, 1]), axis("y", [0, 1]))
    for style in styles:
        chart.line([(0, 0), (1, 1)], "line", style.hue, style.dashes)
        chart.mark((1, 1), "<u>", style.shape, style.hue, "<s>", "<a>")
        chart.name((1, 1), style)
    svg = str(chart.svg())
    assert not any(f"<{letter}>" in svg for letter in "bius")
    assert svg.count("<u>") == 0
    assert svg.count("&lt;u&gt;") == 5


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e6))
def test_no_two_numbers_of_an_axis_look_alike(low: float, share: float) -> None:
    ticks = axis("words", [low, low + max(abs(low), 1e-3) * share]).ticks
    assert len(set(told_apart(ticks))) == len(ticks)


def test_numbers_at_an_axis() -> None:
    assert told_apart([1.7e6, 1.75e6, 1.8e6]) == ["1.7M", "1.75M", "1.8M"]
    assert told_apart([100e3, 150e3, 200e3]) == ["100k", "150k", "200k"]
    assert told_apart([123.4e6, 123.5e6]) == ["123.4M", "123.5M"]
    assert told_apart([9_500, 10_750, 12_000]) == ["9500", "10.75k", "12k"]
    assert told_apart([-0.5, 0, 0.5, 1]) == ["-0.5", "0", "0.5", "1"]
    assert told_apart([7.0]) == ["7"]
    assert told_apart([0, 0.5, 1]) == ["0", "0.5", "1"]


def test_numbers_in_few_letters() -> None:
    assert [short(value) for value in (0, 1.5, 9999, 12_000, 26.9e9, 90e9, 2e6, -3e9)] == [
        "0", "1.5", "9999", "12k", "26.9G", "90G", "2M", "-3G",
    ]  # fmt: skip
    assert [seconds(value) for value in (None, 0.008, 12, 300, 90_000)] == ["", "8 ms", "12.0 s", "5 min", "25.0 h"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.sampled_from([0, 0.02, 0.04]))
def test_an_axis_holds_whatever_a_number_may_be(values: list[float], margin: float) -> None:
    found = axis("x", values, margin=margin)
    assert all(-1e-9 <= found.share(value) <= 1 + 1e-9 for value in values)
    assert all(map(math.isfinite, found.ticks))
    assert len(told_apart(found.ticks)) == len(found.ticks) <= 12


def test_quartiles_lie_between_numbers_however_far_apart() -> None:
    most = sys.float_info.max
    assert quartiles([-most, most]) == pytest.approx((-most / 2, 0.0, most / 2))
    assert quartiles([most, most]) == pytest.approx((most, most, most))
    assert short(most) == "1.798e+308"
