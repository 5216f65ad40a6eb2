"""Pairs: which are drawn, beside all of them; their figures beside a sweep; their intervals beside a formula."""

from __future__ import annotations

import math
from itertools import combinations
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from spinedsl.tasks import TASKS, pairs
from spinedsl.tasks.embedding import similarities, tar_at_far, verification
from spinedsl.tasks.pairs import Ranked, drawn, every, interval, listed, operating_points, triangle, weighted_mean


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rows(found: pairs.Pairs) -> list[tuple[int, int]]:
    return [(min(a, b), max(a, b)) for a, b in zip(found.first.tolist(), found.second.tolist(), strict=True)]


def test_places_in_the_triangle() -> None:
    assert triangle(torch.arange(6)).tolist() == [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
    for second in (94_906_266, 2**27 + 1):  # where the root of a double is rounded
        first = second * (second - 1) // 2
        assert triangle(torch.tensor([first - 1, first])).tolist() == [[second - 2, second - 1], [0, second]]


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 1, 2], [3] * 4, list(range(5)), [7, 7, 7, 1], [2]])
def test_all_pairs_are_all_and_each_once(labels: list[int]) -> None:
    found = every(torch.tensor(labels))
    assert sorted(rows(found)) == list(combinations(range(len(labels)), 2))
    for (first, second), same in zip(rows(found), found.same.tolist(), strict=True):
        assert (labels[first] == labels[second]) == same


def test_of_many_pairs_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "ENUMERATED", 100)
    labels = torch.arange(120) % 12
    found = every(labels, most=80, seed=3)
    assert (len(found), int(found.same.sum())) == (160, 80)
    assert len(set(rows(found))) == 160
    assert torch.equal(labels[found.first] == labels[found.second], found.same)
    again, other = every(labels, most=80, seed=3), every(labels, most=80, seed=4)
    assert rows(again) == rows(found) != rows(other)


def test_folds_share_no_identity_and_are_balanced() -> None:
    labels = torch.cat([torch.arange(30).repeat_interleave(4), torch.arange(100, 140)])  # 30 of four images, 40 of one
    found = drawn(labels, folds=10, seed=1)
    assert found.folds == 10
    seen: dict[int, int] = {}
    for first, second, fold in zip(found.first.tolist(), found.second.tolist(), found.fold.tolist(), strict=True):
        for image in (first, second):
            assert seen.setdefault(int(labels[image]), fold) == fold
    for fold in range(10):
        own = found.same[found.fold == fold]
        assert int(own.sum()) * 2 == len(own) == 36  # three identities with six pairs each
    assert drawn(torch.arange(12).repeat(2)).folds == 6
    assert drawn(torch.arange(2).repeat(3)).folds == 1
    assert drawn(torch.arange(9)).folds == 0


def test_a_list_of_one_fold_is_divided_by_kinds() -> None:
    one = [SimpleNamespace(first=n, second=n + 1, same=n < 6, fold=0) for n in range(12)]
    found = listed(one, 3)
    assert found.fold.tolist() == [0, 0, 1, 1, 2, 2] * 2
    assert listed(one[:7], 10).folds == 1
    several = [SimpleNamespace(first=n, second=n + 1, same=n < 2, fold=n % 2) for n in range(4)]
    assert listed(several, 10).fold.tolist() == [0, 1, 0, 1]


def test_folds_may_be_given_by_number() -> None:
    scores, same = numbers(60), numbers(60, seed=1) > 0
    fold = torch.arange(60) * 6 // 60
    assert verification(scores, same, fold) == verification(scores, same, 6)
    with pytest.raises(ValueError, match="2 folds or more"):
        verification(scores, same, torch.zeros(60, dtype=torch.long))


def swept(scores: Tensor, same: Tensor, weights: Tensor, far: float) -> float:
    """The best share that any threshold gives, tried one by one."""
    best = 0.0
    for threshold in [*scores.tolist(), math.inf]:
        accepted = scores >= threshold
        wrong = float(weights[accepted & ~same].sum() / weights[~same].sum())
        if wrong <= far + 1e-12:
            best = max(best, float(weights[accepted & same].sum() / weights[same].sum()))
    return best


@pytest.mark.parametrize("far", [0.0, 0.02, 0.1, 0.5, 1.0])
def test_weighted_tar_is_that_of_a_sweep(far: float) -> None:
    for seed in range(20):
        scores = (numbers(80, seed=seed) * 5).round() / 5  # some are equal
        same = numbers(80, seed=100 + seed) > 0
        ranked = Ranked(scores, same)
        weights = torch.randint(0, 4, (80,), generator=torch.Generator().manual_seed(seed)).double()
        assert ranked.rate_at(far, weights) == pytest.approx(swept(scores, same, weights, far))
        ones = torch.ones(80, dtype=torch.float64)
        assert ranked.rate_at(far, ones) == pytest.approx(tar_at_far(scores, same, far).rate)


def test_the_curve_is_that_of_a_sweep() -> None:
    scores, same = (numbers(50) * 4).round() / 4, numbers(50, seed=1) > 0
    points = operating_points(scores, same)
    assert (points[0].rate, points[0].false_rate) == (0.0, 0.0)
    assert [point.threshold for point in points[1:]] == sorted(set(scores.tolist()), reverse=True)
    for point in points[1:]:
        accepted = scores >= point.threshold
        assert point.rate == pytest.approx(float(accepted[same].double().mean()))
        assert point.false_rate == pytest.approx(float(accepted[~same].double().mean()))


def test_a_kind_that_is_missing_is_no_figure() -> None:
    assert math.isnan(Ranked(numbers(4), torch.ones(4, dtype=torch.bool)).rate_at(0.1, torch.ones(4)))
    with pytest.raises(ValueError, match="of one identity and of two"):
        operating_points(numbers(4), torch.zeros(4, dtype=torch.bool))


def test_the_interval_of_pairs_that_share_nothing_is_the_binomial_one() -> None:
    """Each pair is two images of an identity of its own: drawing identities is drawing pairs."""
    right = torch.arange(400) < 300
    identities = torch.arange(400)
    found = interval(weighted_mean(right), identities, identities, resamples=2000)
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert found.value == 0.75
    assert found.low == pytest.approx(0.75 - half, abs=0.006)
    assert found.high == pytest.approx(0.75 + half, abs=0.006)


def test_pairs_that_share_identities_have_a_wider_interval() -> None:
    """All 435 pairs of 30 identities, right where both are of one half: 30 cases, and not 435."""
    both = torch.tensor(list(combinations(range(30), 2)))
    right = (both < 15).all(1)
    wide = interval(weighted_mean(right), both[:, 0], both[:, 1])
    alone = interval(weighted_mean(right), torch.arange(len(both)), torch.arange(len(both)))
    assert wide.value == alone.value
    assert wide.high - wide.low > 1.5 * (alone.high - alone.low)


def test_an_interval_without_a_resample_is_no_number() -> None:
    one = torch.zeros(3, dtype=torch.long)
    found = interval(lambda weights: 1.0 if bool((weights == 1).all()) and len(weights) == 4 else math.nan, one, one)
    assert math.isnan(found.low)
    with pytest.raises(ValueError, match="a pair or more"):
        interval(weighted_mean(one), one[:0], one[:0])


def test_the_task_takes_pairs_of_a_list() -> None:
    vectors = torch.eye(4).repeat_interleave(2, 0)
    vectors[1], vectors[2] = vectors[2].clone(), vectors[1].clone()  # who is on the list is taken for another
    labels = torch.arange(8) // 2
    wrong = [
        SimpleNamespace(first=0, second=1, same=True, fold=0),
        SimpleNamespace(first=0, second=2, same=False, fold=1),
    ]
    right = [
        SimpleNamespace(first=4, second=5, same=True, fold=0),
        SimpleNamespace(first=4, second=6, same=False, fold=1),
    ]
    task = TASKS["embedding"]
    found = task.metrics(vectors, labels, listed(wrong + right))
    first, second = (torch.tensor([getattr(one, name) for one in wrong + right]) for name in ("first", "second"))
    scores = similarities(vectors[first], vectors[second])
    same, fold = torch.tensor([True, False, True, False]), torch.tensor([0, 1, 0, 1])
    assert found["verification"] == verification(scores, same, fold).mean == 0.0
    assert found["rank_1"] == 0.5
    assert "verification" not in task.metrics(vectors, labels)  # four pairs of each kind are too few for five folds
