"""Pairs of images for verification: those of a list, or drawn so that no identity is in two folds.

In: pairs as a list names them, or labels. Out: `Pairs`, numbers of images as tensors; figures of their scores with
weights, as a bootstrap over identities needs them.

A bootstrap over pairs would take them for independent, and pairs of one person are not. So identities are drawn with
replacement, and a pair counts as often as its identities were drawn: once for each draw of the one identity, or for
each two draws of the two (the vertex bootstrap: Snijders and Borgatti, Connections 22(2), 1999).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from spinedsl.record import Record
from spinedsl.tasks.embedding import Operating
from spinedsl.tasks.intervals import Interval

ENUMERATED = 2_000_000  # pairs that are listed to choose some; of more, numbers are drawn
ROUNDS = 40  # of such draws


class Pairs(Record, eq=False):
    """Pairs of images: the numbers of both, whether they show one identity, and the fold from 0, each a tensor."""

    first: Tensor
    second: Tensor
    same: Tensor
    fold: Tensor

    def __brief__(self) -> str:
        return f"{len(self):,}, {int(self.same.sum()):,} of one identity, in {self.folds} folds"

    def __len__(self) -> int:
        return len(self.same)

    @property
    def folds(self) -> int:
        """How many folds there are."""
        return int(self.fold.max()) + 1 if len(self) else 0


def listed(pairs: Iterable[Any], folds: int = 10) -> Pairs:
    """Pairs of a list, each with `first`, `second`, `same` and `fold`.

    Where the list has one fold, it is divided into `folds`, or fewer where there are not as many pairs of each kind:
    the pairs of one identity one after the other, and those of two too.
    """
    rows = [(one.first, one.second, one.same, one.fold) for one in pairs]
    table = torch.tensor(rows, dtype=torch.long).reshape(-1, 4)
    found = Pairs(table[:, 0], table[:, 1], table[:, 2].bool(), table[:, 3])
    if found.folds != 1:
        return found
    kinds = [int(found.same.sum()), int((~found.same).sum())]
    folds = max(1, min(folds, *kinds))
    fold = torch.empty(len(found), dtype=torch.long)
    for kind, count in zip((found.same, ~found.same), kinds, strict=True):
        fold[kind] = torch.arange(count) * folds // max(count, 1)
    return Pairs(found.first, found.second, found.same, fold)


# ---- drawn from labels ----


def drawn(labels: Tensor, folds: int = 10, most: int = 6_000, seed: int = 0) -> Pairs:
    """Pairs for verification: each identity is in one fold, and each fold has as many pairs of one as of two.

    There are `folds`, or fewer where there are not two identities for each, and at most `most` pairs. Identities of
    several images are spread evenly over folds. The same seed gives the same pairs.
    """
    generator = torch.Generator().manual_seed(seed)
    groups, sizes = torch.unique(labels, return_inverse=True, return_counts=True)[1:]
    folds = max(1, min(folds, len(sizes) // 2))
    order = torch.randperm(len(sizes), generator=generator)
    order = order[sizes[order].eq(1).long().argsort(stable=True)]  # those of one image last
    fold_of = torch.empty_like(order)
    fold_of[order] = torch.arange(len(order)) % folds
    parts = []
    for fold in range(folds):
        images = (fold_of[groups] == fold).nonzero()[:, 0]
        each = most // folds // 2
        one, two = (some_pairs(images, groups, each, generator, same=same) for same in (True, False))
        both = min(len(one), len(two))
        parts += [_of(one[:both], fold, same=True), _of(two[:both], fold, same=False)]
    whole = [torch.cat(columns) for columns in zip(*parts, strict=True)]
    # A fold of identities with one image each has no pairs, and is none.
    whole[3] = torch.unique(whole[3], return_inverse=True)[1]
    return Pairs(whole[0], whole[1], whole[2].bool(), whole[3])


def every(labels: Tensor, most: int = 100_000, seed: int = 0) -> Pairs:
    """All pairs of the images, or of each kind `most` that are drawn; in one fold."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.arange(len(labels))
    parts = [_of(some_pairs(images, labels, most, generator, same=same), 0, same=same) for same in (True, False)]
    first, second, same, fold = (torch.cat(columns) for columns in zip(*parts, strict=True))
    return Pairs(first, second, same.bool(), fold)


def _of(pairs: Tensor, fold: int, *, same: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return pairs[:, 0], pairs[:, 1], torch.full((len(pairs),), int(same)), torch.full((len(pairs),), fold)


def some_pairs(images: Tensor, labels: Tensor, most: int, generator: torch.Generator, *, same: bool) -> Tensor:
    """Pairs among these images, of one identity or of two, in random order: all, or `most` of them: (pairs, 2)."""
    own = labels[images]
    order = own.argsort(stable=True)
    sizes = torch.unique_consecutive(own[order], return_counts=True)[1]
    ones = sizes * (sizes - 1) // 2
    total = len(images) * (len(images) - 1) // 2
    if same:
        chosen = _chosen(int(ones.sum()), most, generator)
        group = torch.searchsorted(ones.cumsum(0), chosen, right=True)
        within = triangle(chosen - (ones.cumsum(0) - ones)[group])
        begins = sizes.cumsum(0) - sizes
        found: Tensor = images[order[begins[group][:, None] + within]]
        return found
    if total <= ENUMERATED:
        found = triangle(torch.arange(total))
        found = found[own[found[:, 0]] != own[found[:, 1]]]
        return images[found[torch.randperm(len(found), generator=generator)[:most]]]
    ranks = torch.empty(0, dtype=torch.long)
    for _ in range(ROUNDS):
        more = torch.randint(total, (2 * most,), generator=generator)
        both = triangle(more)
        ranks = torch.unique(torch.cat([ranks, more[own[both[:, 0]] != own[both[:, 1]]]]))
        if len(ranks) >= most:
            break
    return images[triangle(ranks[torch.randperm(len(ranks), generator=generator)[:most]])]


def _chosen(count: int, most: int, generator: torch.Generator) -> Tensor:
    """Numbers below `count` in random order, none twice: all, or `most` of them."""
    if count <= ENUMERATED:
        return torch.randperm(count, generator=generator)[:most]
    found: Tensor = torch.unique(torch.randint(count, (2 * most,), generator=generator))
    return found[torch.randperm(len(found), generator=generator)[:most]]


def triangle(ranks: Tensor) -> Tensor:
    """The pairs i < j that stand at these places of (0, 1), (0, 2), (1, 2), (0, 3), …: (ranks, 2)."""
    second = ((1 + (1 + 8 * ranks.double()).sqrt()) / 2).long()
    second -= (second * (second - 1) // 2 > ranks).long()  # rounding of the root
    second += (second * (second + 1) // 2 <= ranks).long()
    return torch.stack([ranks - second * (second - 1) // 2, second], 1)


# ---- figures with weights, and their intervals ----


class Ranked:
    """Scores in falling order, ready for figures of many weights: of `rate_at`, one pass over them each."""

    def __init__(self, scores: Tensor, same: Tensor, right: Tensor | None = None) -> None:
        """Of scores that should be accepted where they are of the `same`; of those, where they are `right` too."""
        order = scores.double().argsort(descending=True, stable=True)
        self.order, self.same = order, same.bool()[order]
        self.right = self.same if right is None else self.same & right.bool()[order]
        self.values = scores.double()[order]
        self.ends = torch.ones(len(order), dtype=torch.bool)  # the last of equal scores
        self.ends[:-1] = self.values[:-1] > self.values[1:]

    def rate_at(self, most: float, weights: Tensor) -> float:
        """The weighted share of the same that is accepted, and right, where at most the share `most` of others is.

        Without one of the kinds it is no number.
        """
        return self.rates_at([most], weights)[0]

    def rates_at(self, mosts: Sequence[float], weights: Tensor) -> list[float]:
        """The same at several shares."""
        ordered = weights[self.order]
        total, other = float(ordered[self.same].sum()), float(ordered[~self.same].sum())
        if not total or not other:
            return [math.nan] * len(mosts)
        right, wrong = (torch.where(kind, ordered, 0.0).cumsum(0)[self.ends] for kind in (self.right, ~self.same))
        # Both only rise, so the last that is allowed is found by halving.
        limits = torch.tensor([most * other + 1e-9 for most in mosts], dtype=torch.float64)
        ends = torch.searchsorted(wrong, limits, right=True).tolist()
        return [float(right[end - 1]) / total if end else 0.0 for end in ends]


def interval(figure: Callable[[Tensor], float], first: Tensor, second: Tensor, **how: Any) -> Interval:
    """The interval of one figure, as `intervals` has it of several."""
    return intervals(lambda weights: [figure(weights)], first, second, **how)[0]


def intervals(
    figures: Callable[[Tensor], Sequence[float]],
    first: Tensor,
    second: Tensor,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Interval]:
    """The intervals of figures of pairs, where identities are drawn anew.

    Args:
        figures: the figures where each pair has this weight, or nan where there is none.
        first: the identity of each pair's first image.
        second: of its second one.
        level: the confidence.
        resamples: how often identities are drawn anew.
        seed: of the drawing.

    Raises:
        ValueError: there are no pairs.
    """
    if not len(first):
        raise ValueError("an interval needs a pair or more")
    both = torch.unique(torch.stack([first, second]), return_inverse=True)[1]
    count, one = int(both.max()) + 1, both[0] == both[1]
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(resamples):
        times = torch.bincount(torch.randint(count, (count,), generator=generator), minlength=count).double()
        found.append(figures(torch.where(one, times[both[0]], times[both[0]] * times[both[1]])))
    whole = figures(torch.ones(len(first), dtype=torch.float64))
    return [_ends(value, [row[n] for row in found], level) for n, value in enumerate(whole)]


def _ends(whole: float, found: Sequence[float], level: float) -> Interval:
    """The interval of a figure, by the figures of resamples; those that are no number say nothing."""
    values = torch.tensor([value for value in found if not math.isnan(value)], dtype=torch.float64)
    if not len(values):
        return Interval(whole, math.nan, math.nan, level)
    low, high = values.quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)).tolist()
    return Interval(whole, low, high, level)


def weighted_mean(values: Tensor) -> Callable[[Tensor], float]:
    """The mean of values with weights, as `interval` asks for it."""
    numbers = values.double()

    def mean(weights: Tensor) -> float:
        total = float(weights.sum())
        return float((numbers * weights).sum()) / total if total else math.nan

    return mean


def operating_points(scores: Tensor, same: Tensor) -> list[Operating]:
    """All operating points from accepting nothing to accepting everything: the curve of TAR over FAR.

    Raises:
        ValueError: there are no pairs of one of the kinds.
    """
    ranked = Ranked(scores, same)
    right, wrong = (kind.double().cumsum(0)[ranked.ends] for kind in (ranked.same, ~ranked.same))
    if not len(right) or not right[-1] or not wrong[-1]:
        raise ValueError("a curve needs pairs of one identity and of two")
    values = ranked.values[ranked.ends].tolist()
    rates = zip((right / right[-1]).tolist(), (wrong / wrong[-1]).tolist(), values, strict=True)
    return [Operating(0.0, 0.0, math.inf), *(Operating(*one) for one in rates)]


def accuracy_by_fold(verdicts: Tensor, fold: Tensor) -> Callable[[Tensor], float]:
    """The mean over folds of the share of right verdicts with weights, as `interval` asks for it."""
    numbers, count = verdicts.double(), int(fold.max()) + 1

    def mean(weights: Tensor) -> float:
        totals = torch.zeros(count, dtype=torch.float64).index_add(0, fold, weights)
        rights = torch.zeros(count, dtype=torch.float64).index_add(0, fold, weights * numbers)
        there = totals > 0
        return float((rights[there] / totals[there]).mean()) if bool(there.any()) else math.nan

    return mean
