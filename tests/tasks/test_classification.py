"""Classification: losses beside formulas written out, figures beside counts by hand."""

from __future__ import annotations

import math

import pytest
import torch

from spinedsl.tasks import TASKS, Reading
from spinedsl.tasks.classification import (
    balanced_accuracy,
    confusion,
    cross_entropy,
    mixup,
    one_hot,
    ranks,
    recalls,
    top_k,
)

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 1.0], [-2.0, 0.0, 4.0]])
TARGETS = torch.tensor([0, 2, 1, 2])


def by_hand(shares: list[list[float]], weights: list[float] | None = None) -> float:
    """The mean of -sum(share * log probability), weighted by the class where shares are whole."""
    total = amount = 0.0
    for row, share in zip(LOGITS.tolist(), shares, strict=True):
        normal = math.log(sum(math.exp(one) for one in row))
        weight = 1.0 if weights is None else weights[share.index(max(share))]
        total += weight * sum(-part * (one - normal) for part, one in zip(share, row, strict=True))
        amount += weight
    return total / amount


def whole() -> list[list[float]]:
    return one_hot(TARGETS, 3).tolist()


def test_cross_entropy_is_the_formula() -> None:
    assert float(cross_entropy(LOGITS, TARGETS)) == pytest.approx(by_hand(whole()), rel=1e-6)
    assert float(cross_entropy(LOGITS, one_hot(TARGETS, 3))) == pytest.approx(by_hand(whole()), rel=1e-6)


def test_smoothing_spreads_a_part_of_the_target_evenly() -> None:
    smooth = [[0.9 * one + 0.1 / 3 for one in row] for row in whole()]
    assert float(cross_entropy(LOGITS, TARGETS, smoothing=0.1)) == pytest.approx(by_hand(smooth), rel=1e-6)


def test_weights_count_images_by_their_class() -> None:
    weights = [1.0, 2.0, 5.0]
    found = cross_entropy(LOGITS, TARGETS, weights=torch.tensor(weights))
    assert float(found) == pytest.approx(by_hand(whole(), weights), rel=1e-6)


def test_half_precision_is_computed_in_float32() -> None:
    exact = cross_entropy(LOGITS.bfloat16().float(), TARGETS)
    assert cross_entropy(LOGITS.bfloat16(), TARGETS).dtype == torch.float32
    assert torch.equal(cross_entropy(LOGITS.bfloat16(), TARGETS), exact)


def test_mixup_mixes_images_and_targets_alike() -> None:
    images = torch.arange(4.0).reshape(2, 1, 1, 2)
    mixed, shares = mixup(images, one_hot(torch.tensor([0, 1]), 2), 0.75, torch.tensor([1, 0]))
    assert mixed.flatten().tolist() == [0.5, 1.5, 1.5, 2.5]
    assert shares.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_ranks_of_equal_logits_and_of_what_is_no_number() -> None:
    assert ranks(LOGITS, TARGETS).tolist() == [0, 1, 1, 0]
    assert ranks(torch.tensor([[5.0, 5.0, 1.0, 5.0]] * 4), torch.arange(4)).tolist() == [0, 1, 3, 2]
    assert ranks(torch.tensor([[math.nan, 1.0]]), torch.tensor([0])).tolist() == [2]


def test_top_k_counts() -> None:
    assert [top_k(LOGITS, TARGETS, k) for k in (1, 2, 3)] == [0.5, 1.0, 1.0]


def test_confusion_and_what_follows_from_it() -> None:
    counts = confusion(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert recalls(counts)[:2].tolist() == [0.5, 1.0]
    assert math.isnan(float(recalls(counts)[2]))
    assert balanced_accuracy(counts) == 0.75


def test_the_task_gives_shares_and_figures() -> None:
    task = TASKS["classification"]
    reading, outputs = Reading("logits", ("logits",), 3), {"logits": LOGITS}
    shares = task.decode(reading, outputs, (8, 8), {})
    assert torch.allclose(shares.sum(1), torch.ones(4))
    assert task.metrics(shares, TARGETS) == {"top_1": 0.5, "balanced": pytest.approx((1 + 0 + 0.5) / 3)}
    assert set(task.metrics(torch.eye(6), torch.arange(6))) == {"top_1", "top_5", "balanced"}
    values = {"class_weights": [1.0, 2.0, 5.0], "smoothing": 0.0, "mixup": 0.0}
    taught = task.loss(reading, outputs, TARGETS, {}, values, 0)
    assert taught.count is not None
    assert float(taught.loss / taught.count) == pytest.approx(by_hand(whole(), [1, 2, 5]), rel=1e-6)
    nothing = task.loss(
        reading, outputs, torch.zeros(4, dtype=torch.long), {}, {**values, "class_weights": [0, 0.1, 0]}, 0
    )
    assert nothing.count is not None
    assert (float(nothing.loss), float(nothing.count)) == (0, 0)
    assert task.loss(reading, outputs, TARGETS, {}, {**values, "class_weights": []}, 0).count is None
