"""Losses beside the papers' formulas, a number at a time, and their slopes beside finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from spinedsl.tasks.detection.losses import (
    centreness_loss,
    giou_loss,
    normaliser,
    quality_focal,
    sigmoid_focal,
    smooth_l1,
)
from tests.tasks.detection.drawing import boxes, generator


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed)) * 3


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.5, 0.0), (0.75, 1.5)])
def test_sigmoid_focal_is_the_formula(alpha: float, gamma: float) -> None:
    logits, targets = drawn(6, 4), (drawn(6, 4, seed=1) > 0).float()
    total = 0.0
    for x, wanted in zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True):
        share = 1 / (1 + math.exp(-x))
        right, weight = (share, alpha) if wanted else (1 - share, 1 - alpha)
        total -= weight * (1 - right) ** gamma * math.log(right)
    found = sigmoid_focal(logits, targets, 3, alpha=alpha, gamma=gamma)
    assert float(found) == pytest.approx(total / 3, rel=1e-5)


@pytest.mark.parametrize("beta", [2.0, 1.0])
def test_quality_focal_is_the_formula(beta: float) -> None:
    logits, targets = drawn(5, 3), torch.rand(5, 3, generator=generator(2)) * (drawn(5, 3, seed=1) > 0)
    total = 0.0
    for x, wanted in zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True):
        share = 1 / (1 + math.exp(-x))
        entropy = -(wanted * math.log(share) + (1 - wanted) * math.log(1 - share))
        total += abs(wanted - share) ** beta * entropy
    assert float(quality_focal(logits, targets, 2, beta=beta)) == pytest.approx(total / 2, rel=1e-5)


def test_smooth_l1_is_the_formula() -> None:
    given, wanted = drawn(9, 4) / 5, drawn(9, 4, seed=1) / 5
    for beta in (0.1, 1.0):
        off = (given - wanted).abs().flatten().tolist()
        total = sum(0.5 * one * one / beta if one < beta else one - 0.5 * beta for one in off)
        assert float(smooth_l1(given, wanted, 7, beta=beta)) == pytest.approx(total / 7, rel=1e-5)
        assert min(off) < beta < max(off)


def test_losses_of_boxes_by_hand() -> None:
    one, other = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1]]), torch.tensor([[1.0, 1, 3, 3], [0, 0, 1, 1]])
    assert float(giou_loss(one, other, 1)) == pytest.approx(1 - (1 / 7 - 2 / 9))
    weights = torch.tensor([0.5, 9.0])
    assert float(giou_loss(one, other, weights.sum(), weights)) == pytest.approx(0.5 * (1 - (1 / 7 - 2 / 9)) / 9.5)
    found = centreness_loss(torch.tensor([0.0, 2.0]), torch.tensor([0.25, 1.0]), 2)
    assert float(found) == pytest.approx((math.log(2) + math.log(1 + math.exp(-2))) / 2)


Loss = Callable[[Tensor], Tensor]
SLOPES: dict[str, tuple[Loss, Tensor]] = {
    "sigmoid_focal": (lambda x: sigmoid_focal(x, torch.tensor([[1.0, 0, 0], [0, 1, 0]]), 2), drawn(2, 3)),
    "quality_focal": (lambda x: quality_focal(x, torch.tensor([[0.3, 0, 0], [0, 1, 0]]), 2), drawn(2, 3)),
    "smooth_l1": (lambda x: smooth_l1(x, torch.zeros(3, 4), 2), drawn(3, 4)),
    "giou_loss": (lambda x: giou_loss(x, boxes(5, 1, extent=20), 2), boxes(5, 2, extent=20)),
    "centreness": (lambda x: centreness_loss(x, torch.tensor([0.1, 0.5, 0.9]), 2), drawn(3)),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slopes_are_those_of_the_curve(name: str) -> None:
    loss, at = SLOPES[name]
    at = at.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(loss(at), at)
    for number in range(at.numel()):
        step = torch.zeros_like(at).flatten()
        step[number] = 1e-2
        step = step.reshape(at.shape)
        with torch.no_grad():
            expected = (loss(at + step) - loss(at - step)) / 2e-2
        assert float(slopes.flatten()[number]) == pytest.approx(float(expected), abs=3e-3)


@pytest.mark.parametrize("value", [-200.0, 200.0, 1e30, -1e30])
def test_logits_without_bounds_give_numbers(value: float) -> None:
    x = torch.tensor([[value, -value]]).requires_grad_()
    for loss in (sigmoid_focal, quality_focal):
        (slopes,) = torch.autograd.grad(loss(x, torch.tensor([[1.0, 0.0]]), 1), x)
        assert slopes.isfinite().all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.999, 1.0, 1.5, 2.0])
def test_what_is_fully_right_has_a_slope_for_every_gamma(gamma: float) -> None:
    x = torch.tensor([18.0, -120.0, 0.0], requires_grad=True)
    targets = torch.tensor([1.0, 0.0, 0.0])
    for loss in (sigmoid_focal(x, targets, 1, gamma=gamma), quality_focal(x, targets, 1, beta=gamma)):
        (slope,) = torch.autograd.grad(loss, x)
        assert loss.isfinite()
        assert slope.isfinite().all()
        assert slope[:2].abs().max() < 1e-3 < slope[2]


def test_degenerate_boxes_have_slopes_that_are_numbers() -> None:
    flat = torch.tensor([[5.0, 5, 5, 5], [9, 9, 2, 2], [0, 0, 0, 3]]).requires_grad_()
    for wanted in (boxes(3, 1), flat.detach()):
        loss = giou_loss(flat, wanted, 3)
        assert torch.autograd.grad(loss, flat)[0].isfinite().all()
        assert float(loss.detach()) <= 2


def test_nothing_to_find_is_a_loss_of_zero() -> None:
    none = torch.empty(0, 4).requires_grad_()
    positives = normaliser(0)
    for loss in (
        smooth_l1(none, torch.empty(0, 4), positives), giou_loss(none, torch.empty(0, 4), positives),
        centreness_loss(none[:, 0], torch.empty(0), positives),
    ):  # fmt: skip
        assert float(loss.detach()) == 0
        loss.backward()  # type: ignore[no-untyped-call]


def test_positives_of_several_processes_give_what_one_would() -> None:
    """Gradients are averaged over processes: the mean of both sums by 1/2 of all positives is the sum by all."""
    logits, targets = drawn(6, 4), (drawn(6, 4, seed=1) > 1).float()
    whole = sigmoid_focal(logits, targets, normaliser(targets.sum()))
    shared = normaliser(targets.sum(), processes=2)
    halves = [sigmoid_focal(logits[part], targets[part], shared) for part in (slice(0, 2), slice(2, 6))]
    assert float(sum(halves) / 2) == pytest.approx(float(whole), rel=1e-6)
    assert float(normaliser(0)) == 1
    assert float(normaliser(1, processes=2)) == 0.5  # one positive of both processes is one of the whole batch
