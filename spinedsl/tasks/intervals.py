"""Intervals: how far a figure of a test set may be from what another such set would give.

In: a figure as a function of which cases count, and how many cases there are. Out: the figure with its interval, by the
percentile bootstrap (Efron and Tibshirani, 1993, chapter 13). The same seed gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from spinedsl.record import Record


class Interval(Record):
    """A figure, and the ends of the interval that holds it with this confidence."""

    value: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap(
    figure: Callable[[Tensor], float],
    count: int,
    *,
    groups: Tensor | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The interval of a figure over `count` cases.

    Args:
        figure: the figure of the cases with these numbers, some of which come several times.
        count: how many cases there are.
        groups: the group of each case, where cases of a group are not independent, such as images of one person: then
            whole groups are drawn.
        level: the confidence.
        resamples: how often cases are drawn anew.
        seed: of the drawing.

    Raises:
        ValueError: there are no cases.
    """
    if count < 1:
        raise ValueError("an interval needs a case or more")
    generator = torch.Generator().manual_seed(seed)
    members = None if groups is None else [(groups == group).nonzero()[:, 0] for group in torch.unique(groups)]
    found = torch.empty(resamples, dtype=torch.float64)
    for number in range(resamples):
        if members is None:
            cases = torch.randint(count, (count,), generator=generator)
        else:
            drawn = torch.randint(len(members), (len(members),), generator=generator)
            cases = torch.cat([members[int(group)] for group in drawn])
        found[number] = figure(cases)
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = found.quantile(ends)
    return Interval(figure(torch.arange(count)), float(low), float(high), level)


def mean_interval(values: Tensor, *, groups: Tensor | None = None, level: float = 0.95, seed: int = 0) -> Interval:
    """The interval of a mean, such as that of `right or not` over images."""
    numbers = values.double()
    return bootstrap(lambda cases: float(numbers[cases].mean()), len(numbers), groups=groups, level=level, seed=seed)
