"""How far figures agree with training: against SciPy, by planted orders, and what is refused."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from spinedsl import search
from spinedsl.record import replace
from spinedsl.search.figures import figure
from spinedsl.search.ranking import FIGURES, agreement, fitted, left_out, p_value
from spinedsl.search.storage import NoStudy
from tests.search.spaces import SPACES

SPACE = "AroundSpineNet49"


@pytest.mark.parametrize(("count", "steps"), [(5, 0), (32, 0), (60, 0), (61, 0), (10, 1), (32, 4), (200, 5), (3, 1)])
def test_tau_is_that_of_scipy(count: int, steps: int) -> None:
    draw = np.random.default_rng(count)
    one = draw.normal(size=count)
    other = one * 0.3 + draw.normal(size=count)
    if steps:
        one, other = np.round(one * steps) / steps, np.round(other * steps) / steps
    expected = kendalltau(one, other)
    found = agreement("x", one.tolist(), other.tolist())
    assert found.tau == pytest.approx(expected.statistic, abs=1e-6)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.low <= found.tau <= found.high
    back = agreement("x", (-one).tolist(), other.tolist())
    assert back.tau == pytest.approx(-found.tau)
    assert back.p == pytest.approx(found.p)


def test_an_exact_p_value_is_the_share_of_orders() -> None:
    given = [2, 0, 1, 3, 5, 4]
    taus = [abs(kendalltau(range(6), order).statistic) for order in permutations(range(6))]
    own = abs(kendalltau(range(6), given).statistic)
    assert p_value(range(6), given) == pytest.approx(np.mean([tau >= own - 1e-12 for tau in taus]))


def test_what_does_not_vary_agrees_with_nothing() -> None:
    found = agreement("x", [1.0] * 8, [*map(float, range(8))])
    assert (found.tau, found.p, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)


def test_an_interval_holds_the_tau_of_the_population() -> None:
    """Of a normal pair, tau is 2 / pi * arcsin(correlation)."""
    draw = np.random.default_rng(0)
    expected = 2 / np.pi * np.arcsin(0.6)
    held = 0
    for _ in range(200):
        one = draw.normal(size=40)
        other = 0.6 * one + 0.8 * draw.normal(size=40)
        found = agreement("x", one.tolist(), other.tolist())
        held += found.low <= expected <= found.high
    assert held >= 180


def test_each_is_predicted_by_a_regression_on_all_others() -> None:
    draw = np.random.default_rng(1)
    columns = draw.normal(size=(4, 25))
    columns[1] *= 1e9
    values = columns[0] * 2 - columns[1] / 1e9 + draw.normal(size=25)
    found = left_out(columns.tolist(), values.tolist())
    assert found is not None
    for at in range(25):
        others = [one for one in range(25) if one != at]
        matrix = np.column_stack([np.ones(25), columns.T])
        scale = np.abs(matrix).max(axis=0)
        weights = np.linalg.lstsq(matrix[others] / scale, values[others], rcond=None)[0]
        assert found[at] == pytest.approx(float(matrix[at] / scale @ weights), rel=1e-6)
    assert left_out(columns[:, :9].tolist(), values[:9].tolist()) is None
    _, weights = fitted([[3.0] * 25, columns[0].tolist()], values.tolist())
    assert weights[1] == 0


OPENED = search.open_space(SPACES, SPACE)
DEPTH = figure("depth", OPENED)


def depth_of(candidate: search.Measured) -> float:
    """A training that goes the way of depth, the more so the longer it is."""
    depth = DEPTH(candidate.priced)
    draw = np.random.default_rng(candidate.slot)
    for step, share in ((10, 8.0), (20, 0.3), (30, 0.0)):
        candidate.report(step, depth + share * draw.normal() * 3, prune=step < 30)
    return float(depth)


def ranked(**more: Any) -> search.Ranked:
    return search.rank(search.run(OPENED, depth_of, engine="random", budget=32, **more))


def test_a_study_is_ranked_by_figures_and_steps() -> None:
    found = ranked()
    assert [one.name for one in found.figures] == [*FIGURES, "regression"]
    by_name = {one.name: one for one in found.figures}
    assert by_name["depth"].tau == pytest.approx(1, abs=1e-6)
    assert by_name["depth"].p < 1e-9
    assert by_name["regression"].tau > 0.99
    assert by_name["parameters"].tau < 0.9
    assert sorted(found.steps) == [10, 20, 30]
    taus = [found.steps[step].tau for step in (10, 20, 30)]
    assert taus[0] < 0.7 < taus[1] < taus[2]
    assert found.enough == 20
    assert (found.candidates, found.pruned, found.failed) == (32, 0, 0)


def test_less_is_better_where_the_study_says_so() -> None:
    found = ranked(directions=["min"])
    assert found.figures[0].tau == pytest.approx(-1, abs=1e-6)


def test_what_was_given_up_does_not_count() -> None:
    study = search.run(OPENED, depth_of, engine="random", budget=32, halving=(10, 2))
    pruned = [one for one in study.settled.values() if one.pruned]
    assert 8 < len(pruned) < 28
    with pytest.raises(NoStudy) as told:
        search.rank(study)
    assert told.value.diagnostic.code.id == "E1216"
    assert f"{32 - len(pruned)} candidates of study" in str(told.value)
    with pytest.warns(UserWarning, match="not drawn independently, but chosen by successive halving"):
        found = search.rank(study, least=5)
    assert (found.candidates, found.pruned) == (32 - len(pruned), len(pruned))


def test_a_network_counts_once_however_often_it_was_trained() -> None:
    study = search.run(OPENED, depth_of, engine="random", budget=32)
    expected = search.rank(study, least=20)
    twice = replace(study.settled[3], slot=32, values=(1e9,), curve={})
    study.settled[32] = twice
    assert search.rank(study, least=20) == replace(expected, repeated=1)
    for slot in range(4, 32):
        study.settled[slot] = replace(twice, slot=slot)
    with pytest.raises(NoStudy, match="4 different candidates of study"):
        search.rank(study)


def test_candidates_that_an_engine_proposed_are_warned_of() -> None:
    study = search.run(OPENED, depth_of, engine="evolution", budget=25)
    told: list[str] = []
    search.rank(study, least=5, warn=told.append)
    assert len(told) == 1
    assert told[0].startswith("its candidates were not drawn independently, but proposed by `evolution`")
    search.rank(search.run(OPENED, depth_of, engine="random", budget=25), least=5, warn=told.append)
    assert len(told) == 1


def test_figures_are_not_ranked_by_themselves() -> None:
    with pytest.raises(ValueError, match="nothing in it was trained"):
        search.rank(search.run(SPACES, "depth", name=SPACE, budget=5), least=5)
