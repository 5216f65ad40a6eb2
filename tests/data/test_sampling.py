"""What is drawn, and which samples a step takes: functions of seed, epoch and step, held as laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spinedsl.data.draws import Draws, Purpose
from spinedsl.data.sampler import Groups, Plan, in_order, order, order_together

SEEDS = st.integers(0, 2**64 - 1)


@given(SEEDS, st.integers(0, 1000), st.integers(0, 200))
def test_an_epoch_takes_every_sample_once(seed: int, epoch: int, count: int) -> None:
    assert sorted(order(seed, epoch, count).tolist()) == list(range(count))


@given(SEEDS, st.integers(1, 60), st.integers(1, 60), st.data())
def test_any_step_is_had_without_those_before(seed: int, count: int, batch: int, data: st.DataObject) -> None:
    plan = Plan(seed, max(count, batch), batch)
    step = data.draw(st.integers(0, 5 * plan.steps_per_epoch))
    epoch = plan.epoch(step)
    walked = [order(seed, e, plan.count)[: plan.steps_per_epoch * batch] for e in range(epoch + 1)]
    assert np.array_equal(np.concatenate(walked)[step * batch : (step + 1) * batch], plan.indices(step))


@given(SEEDS, st.integers(1, 8), st.integers(1, 8), st.integers(0, 50))
def test_parts_make_up_the_batch_in_its_order(seed: int, size: int, parts: int, step: int) -> None:
    plan = Plan(seed, 3 * size * parts + 1, size * parts)
    taken = [plan.part(step, part, parts) for part in range(parts)]
    assert {len(part) for part in taken} == {size}
    assert np.array_equal(np.concatenate(taken), plan.indices(step))


LABELS = st.lists(st.integers(0, 6), max_size=60).map(lambda found: np.array(found, dtype=np.int64))


@given(SEEDS, LABELS, st.integers(1, 5), st.integers(0, 50))
def test_images_of_a_class_stand_together(seed: int, labels: NDArray[np.int64], each: int, epoch: int) -> None:
    taken = order_together(Groups(labels, each), seed, epoch)
    assert len(set(taken.tolist())) == len(taken) == Groups(labels, each).count
    assert all(len(set(group)) == 1 for group in labels[taken].reshape(-1, each).tolist())
    left = np.bincount(np.delete(labels, taken), minlength=7)
    assert left.tolist() == (np.bincount(labels, minlength=7) % each).tolist()
    again = order_together(Groups(labels.copy(), each), seed, epoch)
    assert np.array_equal(again, taken)


def test_groups_and_who_stands_in_them_are_drawn_anew() -> None:
    groups = Groups(np.repeat(np.arange(4), 5), 2)
    epochs = [order_together(groups, 0, epoch) for epoch in range(60)]
    assert {int(found) for taken in epochs for found in taken} == set(range(20))  # nobody is left out for ever
    assert {int(taken[0]) // 5 for taken in epochs} == set(range(4))
    assert len({frozenset(taken[:2].tolist()) for taken in epochs}) > 20


@given(SEEDS, st.integers(1, 3), st.integers(1, 3), st.integers(0, 20))
def test_parts_hold_whole_groups(seed: int, size: int, parts: int, step: int) -> None:
    groups = Groups(np.arange(40) % 8, 2)
    plan = Plan(seed, groups.count, 2 * size * parts, groups)
    taken = [plan.part(step, part, parts) for part in range(parts)]
    assert all(len(set(pair)) == 1 for part in taken for pair in (part % 8).reshape(-1, 2).tolist())
    assert np.array_equal(np.concatenate(taken), plan.indices(step))


@given(st.integers(0, 100), st.integers(1, 9), st.integers(1, 5))
def test_evaluation_takes_each_sample_once_and_in_order(count: int, batch: int, ranks: int) -> None:
    shares = [list(in_order(count, batch, rank, ranks)) for rank in range(ranks)]
    taken = [index for share in shares for indices in share for index in indices]
    assert taken == list(range(count))
    assert all(0 < len(indices) <= batch for share in shares for indices in share)
    lengths = [sum(map(len, share)) for share in shares]
    assert max(lengths) - min(lengths) <= 1


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(order(seed, epoch, 50).tolist()) for seed in range(10) for epoch in range(10)}
    assert len(orders) == 100


def test_what_is_drawn_stays_what_it_is() -> None:
    """Philox by its published words: a run of today can be resumed with the NumPy of tomorrow."""
    assert order(7, 3, 10).tolist() == [0, 8, 3, 5, 6, 7, 4, 9, 2, 1]
    draws = Draws(1, 2, 3)
    assert [draws.below(1000) for _ in range(4)] == [411, 967, 295, 106]


def test_the_words_are_those_of_its_authors() -> None:
    """Of Philox 4x64-10 for a counter and a key of zeros; NumPy counts up before the first block."""
    bits = np.random.Philox(counter=np.full(4, 2**64 - 1, np.uint64), key=np.zeros(2, np.uint64))
    assert [int(word) for word in bits.random_raw(2)] == [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC]


def test_streams_never_share_a_number() -> None:
    streams = [
        Draws(seed, epoch, index, purpose, branch).words(8)
        for seed in (0, 1, 2**64 - 1)
        for epoch in (0, 1)
        for index in (0, 1)
        for purpose in (Purpose.ORDER, Purpose.AUGMENT)
        for branch in (0, 1)
    ]
    words = np.concatenate(streams)
    assert len(set(words.tolist())) == len(words)


@given(SEEDS, st.lists(st.integers(0, 40), max_size=6))
def test_words_come_in_the_same_order_however_they_are_asked_for(seed: int, counts: list[int]) -> None:
    draws, single = Draws(seed), Draws(seed)
    for count in counts:
        words = draws.words(count).tolist()
        assert [int(single.share() * 2**53) for _ in range(count)] == [word >> 11 for word in words]
        assert draws.below(2**64) == single.below(2**64)


def test_numbers_are_spread_evenly() -> None:
    draws = Draws(5)
    shares = [draws.share() for _ in range(4000)]
    assert 0 <= min(shares) < 0.01
    assert 0.99 < max(shares) < 1
    assert np.mean(shares) == pytest.approx(0.5, abs=0.02)
    counts = np.bincount([draws.below(7) for _ in range(7000)], minlength=7)
    assert counts.min() > 880
    assert len(counts) == 7
    assert sum(draws.chance(0.25) for _ in range(4000)) == pytest.approx(1000, abs=120)
    assert not any(draws.chance(0) for _ in range(100))
    assert all(draws.chance(1) for _ in range(100))
    assert draws.between(3, 3) == 3


@pytest.mark.parametrize(
    ("count", "batch", "message"),
    [
        (3, 4, "3 samples do not fill a batch of 4"),
        (3, 0, "a batch has at least one sample, got 0"),
        (0, 1, "0 samples"),
    ],
)
def test_a_batch_that_cannot_be_filled_is_refused(count: int, batch: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Plan(0, count, batch)


def test_parts_that_there_are_not_are_refused() -> None:
    plan = Plan(0, 10, 6)
    with pytest.raises(ValueError, match="a batch of 6 does not divide into 4 equal parts"):
        plan.part(0, 0, 4)
    with pytest.raises(ValueError, match="there is no part 3 of 3"):
        plan.part(0, 3, 3)
    groups = Groups(np.arange(20) % 4, 2)
    with pytest.raises(ValueError, match="a part of 3 samples does not hold whole groups of 2"):
        Plan(0, groups.count, 6, groups).part(0, 0, 2)
    with pytest.raises(ValueError, match="groups have 16 samples, got a count of 20"):
        Plan(0, 20, 6, groups)
