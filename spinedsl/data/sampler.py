"""Which pictures a step takes, as a function of the step.

In: a seed, how many samples there are, how large a batch is, and the number of a step. Out: their indices. Nothing is
kept between steps, so a run that resumes needs to know its step and no more.

A batch is that of all processes and of all parts that are accumulated, together: `part` says which of it one takes, and
all parts together are what one process without accumulation takes, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from spinedsl.data.draws import Draws, Purpose
from spinedsl.record import Record

Indices = NDArray[np.int64]


@lru_cache(maxsize=4)  # the epoch at hand, and the next one, of training and perhaps of another set
def order(seed: int, epoch: int, count: int) -> Indices:
    """The order in which an epoch takes the samples: a permutation of 0 to `count` - 1. Nobody writes to it."""
    found = Draws(seed, epoch, purpose=Purpose.ORDER).permutation(count)
    found.flags.writeable = False
    return found


class Groups(Record, eq=False):
    """Samples by class, of which `each` of one class stand side by side. What does not fill a group is left out."""

    labels: Indices
    each: int

    @cached_property
    def count(self) -> int:
        """How many samples an epoch takes: those that fill groups."""
        sizes = np.unique(self.labels, return_counts=True)[1]
        return int((sizes // self.each * self.each).sum())


@lru_cache(maxsize=4)
def order_together(groups: Groups, seed: int, epoch: int) -> Indices:
    """The order in which an epoch takes the samples of groups: both groups and who stands in which are drawn anew."""
    draws = Draws(seed, epoch, purpose=Purpose.ORDER)
    drawn = draws.permutation(len(groups.labels))
    by_class = drawn[np.argsort(groups.labels[drawn], kind="stable")]
    labels = groups.labels[by_class]
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]]) if len(labels) else np.empty(0, dtype=np.int64)
    sizes = np.diff(np.r_[starts, len(labels)])
    within = np.arange(len(labels)) - np.repeat(starts, sizes)
    full = by_class[within < np.repeat(sizes // groups.each * groups.each, sizes)].reshape(-1, groups.each)
    found: Indices = full[draws.permutation(len(full))].reshape(-1)
    found.flags.writeable = False
    return found


class Plan(Record):
    """How training goes through `count` samples in batches of `batch`, which are never smaller.

    What does not fill a batch at the end of an epoch is left out, another part of the samples in each epoch. With
    `groups`, `count` is theirs, and a batch and its parts hold whole ones.

    Raises:
        ValueError: no batch can be filled.
    """

    seed: int
    count: int
    batch: int
    groups: Groups | None = None

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError(f"a batch has at least one sample, got {self.batch}")
        if self.count < self.batch:
            raise ValueError(f"{self.count} samples do not fill a batch of {self.batch}")
        if self.groups is not None and self.count != self.groups.count:
            raise ValueError(f"groups have {self.groups.count} samples, got a count of {self.count}")

    @property
    def steps_per_epoch(self) -> int:
        """Batches that an epoch fills."""
        return self.count // self.batch

    def epoch(self, step: int) -> int:
        """The epoch, from 0, of a step, from 0."""
        return step // self.steps_per_epoch

    def indices(self, step: int) -> Indices:
        """The samples of a step, from 0."""
        epoch, within = divmod(step, self.steps_per_epoch)
        taken = (
            order(self.seed, epoch, self.count)
            if self.groups is None
            else order_together(self.groups, self.seed, epoch)
        )
        return taken[within * self.batch : (within + 1) * self.batch]

    def part(self, step: int, part: int, parts: int) -> Indices:
        """The samples that one of `parts` equal parts of a step's batch takes.

        Raises:
            ValueError: the batch cannot be divided into so many equal parts, or there is no such part.
        """
        if parts < 1 or self.batch % parts:
            raise ValueError(f"a batch of {self.batch} does not divide into {parts} equal parts")
        if not 0 <= part < parts:
            raise ValueError(f"there is no part {part} of {parts}")
        size = self.batch // parts
        if self.groups is not None and size % self.groups.each:
            raise ValueError(f"a part of {size} samples does not hold whole groups of {self.groups.each}")
        return self.indices(step)[part * size : (part + 1) * size]


def in_order(count: int, batch: int, rank: int = 0, ranks: int = 1) -> Iterator[Indices]:
    """All samples once, in their order, for evaluation: the batches that one of `ranks` processes takes.

    The last ones may be smaller, and the processes' shares differ by a sample at most.
    """
    share = np.array_split(np.arange(count, dtype=np.int64), ranks)[rank]
    for start in range(0, len(share), batch):
        yield share[start : start + batch]
