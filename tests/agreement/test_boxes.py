"""When two engines found the same boxes: what rounding may decide, and what it may not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spinedsl.agreement.boxes import Near, same_boxes
from spinedsl.ops.detection import Limits
from spinedsl.tasks.detection.suppression import Candidates, stay

Row = tuple[float, float, float, float, float, int]  # left, top, right, bottom, score, label
LIMITS, NEAR = Limits(score=0.05, overlap=0.5, most=3), Near(score=1e-4, sides=0.01)
BIG: Row = (0, 0, 20, 10, 0.9, 0)
APART: Row = (50, 50, 60, 60, 0.7, 1)


class Seen(NamedTuple):
    sides: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


def seen(*rows: Row) -> Seen:
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Seen(table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(np.int64))


def changed(row: Row, left: float = 0.0, score: float = 0.0, label: int = 0) -> Row:
    return (row[0] + left, *row[1:4], row[4] + score, row[5] + label)


CASES: dict[str, tuple[list[Row], list[Row], tuple[int, int, int]]] = {
    # by one engine, by the other; how many both have, how many rounding accounts for, and how many nothing does
    "the same": ([BIG, APART], [BIG, APART], (2, 0, 0)),
    "nothing": ([], [], (0, 0, 0)),
    "rounded": ([BIG, APART], [changed(BIG, 0.004), changed(APART, score=5e-5)], (2, 0, 0)),
    "another place": ([BIG], [changed(BIG, 0.02)], (0, 0, 2)),
    "another score": ([BIG], [changed(BIG, score=-2e-4)], (0, 0, 2)),
    "another class": ([BIG], [changed(BIG, label=1)], (0, 0, 2)),
    "one more": ([BIG, APART], [BIG], (1, 0, 1)),
    "one more, of the other": ([BIG], [BIG, APART], (1, 0, 1)),
    "one more at the threshold": ([BIG, (50, 50, 60, 60, 0.050004, 1)], [BIG], (1, 1, 0)),
    "one more above the threshold": ([BIG, (50, 50, 60, 60, 0.0502, 1)], [BIG], (1, 0, 1)),
    "twice": ([BIG, BIG], [BIG, APART], (1, 0, 2)),
    "equal scores in another order": ([BIG, changed(APART, score=0.2)], [changed(APART, score=0.2), BIG], (2, 0, 0)),
    "a tie of two that overlap": ([(0, 0, 20, 10, 0.9, 0)], [(1, 0, 21, 10, 0.9, 0)], (0, 2, 0)),
    "two that overlap, and no tie": ([(0, 0, 20, 10, 0.9, 0)], [(1, 0, 21, 10, 0.89, 0)], (0, 0, 2)),
    "an overlap at the limit": ([BIG, (0, 0, 10.001, 10, 0.8, 0)], [BIG], (1, 1, 0)),
    "an overlap above the limit": ([BIG, (0, 0, 11, 10, 0.8, 0)], [BIG], (1, 0, 1)),
    "an overlap at the limit, of another class": ([BIG, (0, 0, 10.001, 10, 0.8, 1)], [BIG], (1, 0, 1)),
    "what a tie frees": (
        [(0, 0, 20, 10, 0.9, 0), (10, 0, 30, 10, 0.8, 0)], [(4, 0, 24, 10, 0.9, 0)], (0, 3, 0),
    ),
    "the last of as many as there may be": (
        [BIG, APART, (0, 90, 9, 99, 0.3, 0)], [BIG, APART, (0, 70, 9, 79, 0.300002, 0)], (2, 2, 0),
    ),
    "worse than the last": ([BIG, APART, (0, 90, 9, 99, 0.3, 0)], [BIG, APART, (0, 70, 9, 79, 0.4, 0)], (2, 1, 1)),
    "more than there may be": ([BIG], [BIG, APART, APART, APART], (0, 0, 1)),
    "scores that rise": ([BIG, APART], [APART, BIG], (0, 0, 1)),
    "no number": ([BIG], [(0, 0, float("nan"), 9, 0.9, 0)], (0, 0, 1)),
}  # fmt: skip


OTHERS: list[Row] = [(1, 0, 21, 10, 0.9, 0), (4, 0, 24, 10, 0.9, 0), (0, 70, 9, 79, 0.3, 0), (0, 70, 9, 79, 0.4, 0)]
MADE_UP = {"a tie of two that overlap", "what a tie frees", "the last of as many as there may be"}


@pytest.mark.parametrize("name", CASES)
def test_what_counts_as_the_same(name: str) -> None:
    first, second, expected = CASES[name]
    found = same_boxes(seen(*first), seen(*second), LIMITS, NEAR, lambda: seen(*first, *OTHERS))
    assert (found.both, found.near, len(found.odd)) == expected, found


@pytest.mark.parametrize("name", sorted(MADE_UP))
def test_a_box_that_there_was_not_to_choose_from_is_no_tie(name: str) -> None:
    """A decoding that shifts all boxes alike has ties with each of those that are right."""
    first, second, _ = CASES[name]
    assert same_boxes(seen(*first), seen(*second), LIMITS, NEAR, lambda: seen(*first)).odd


def test_a_level_that_was_cut_off_accounts_for_what_stood_there() -> None:
    found = same_boxes(seen(BIG, APART), seen(BIG), LIMITS, NEAR, lambda: seen(BIG), cuts=[0.7000001])
    assert (found.near, found.odd) == (1, ())


@pytest.mark.parametrize("seed", range(30))
def test_rounding_of_scores_changes_nothing_that_is_not_accounted_for(seed: int) -> None:
    """Crowds of boxes with many ties, kept by real suppression, from scores that differ in their last digits."""
    draw = torch.Generator().manual_seed(seed)
    starts = torch.rand(120, 2, generator=draw) * 40
    boxes = torch.cat([starts, starts + 8 + torch.rand(120, 2, generator=draw) * 12], 1)
    scores = (torch.rand(120, generator=draw) * 20).round() / 20 * 0.9 + 0.06
    labels = torch.randint(2, (120,), generator=draw)
    limits = Limits(score=0.0, overlap=0.4, most=25)
    kept = []
    for noise in (0.0, 2e-6):
        noisy = scores + torch.randn(120, generator=draw) * noise
        at = stay(Candidates(boxes, noisy, labels), overlap=limits.overlap, most=limits.most)
        kept.append(Seen(boxes[at].numpy(), noisy[at].numpy(), labels[at].numpy()))
    choice = Seen(boxes.numpy(), scores.numpy(), labels.numpy())
    found = same_boxes(kept[0], kept[1], limits, NEAR, lambda: choice)
    assert not found.odd
    assert found.both
    assert seed or found.near, "of the first draw, some boxes are others"
    moved = Seen(kept[1].sides + np.float32(1), *kept[1][1:])
    assert len(same_boxes(kept[0], moved, limits, NEAR, lambda: choice).odd) > 10
