"""Intervals: beside the normal approximation of a share, by seed, and wider where cases depend on one another."""

from __future__ import annotations

import pytest
import torch

from spinedsl.tasks.intervals import bootstrap, mean_interval


def test_the_interval_of_a_share_is_near_the_normal_one() -> None:
    right = torch.arange(400) % 5 != 0
    found = mean_interval(right)
    assert found.value == pytest.approx(0.8)
    half = 1.96 * (0.8 * 0.2 / 400) ** 0.5
    assert (found.low, found.high) == pytest.approx((0.8 - half, 0.8 + half), abs=0.006)
    assert str(found).startswith("0.8000 [0.7")


def test_it_follows_from_the_seed() -> None:
    values = torch.linspace(0, 1, 50)
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3)
    assert mean_interval(values, seed=3) != mean_interval(values, seed=4)


def test_whole_groups_are_drawn() -> None:
    values = torch.cat([torch.zeros(50), torch.ones(50)])
    groups = torch.arange(100) // 10
    alone, grouped = mean_interval(values), mean_interval(values, groups=groups)
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    seen: list[torch.Tensor] = []

    def figure(cases: torch.Tensor) -> float:
        seen.append(cases)
        return 0.0

    bootstrap(figure, 100, groups=groups, resamples=5)
    assert all(len(torch.unique(cases)) % 10 == 0 for cases in seen)


def test_an_interval_needs_a_case() -> None:
    with pytest.raises(ValueError, match="needs a case"):
        mean_interval(torch.empty(0))
