"""Embeddings: ArcFace beside pytorch-metric-learning, figures beside cases that can be counted by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from spinedsl.tasks import TASKS, Reading
from spinedsl.tasks.embedding import (
    arcface,
    choose_threshold,
    contrastive,
    margin_at,
    margined,
    nearest_in,
    pairs_of,
    rank_1,
    rank_1_within,
    similarities,
    tar_at_far,
    tpir_at_fpir,
    verification,
)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ---- ArcFace ----


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.5, 1.2])
def test_arcface_is_that_of_a_public_library(margin: float) -> None:
    library = pytest.importorskip("pytorch_metric_learning.losses")
    theirs = library.ArcFaceLoss(7, 16, margin=math.degrees(margin), scale=30)
    embeddings, labels = drawn(64, 16).requires_grad_(), torch.arange(64) % 7
    # Some far beyond the angle at which the margin would pass half a turn.
    weight = drawn(7, 16, seed=1)
    with torch.no_grad():
        embeddings[:8] = -weight[labels[:8]] + 0.1 * drawn(8, 16, seed=2)
    theirs.W.data = weight.T.clone()
    ours = weight.clone().requires_grad_()
    loss = arcface(embeddings, ours, labels, scale=30, margin=margin)
    expected = theirs(embeddings, labels)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    mine = torch.autograd.grad(loss, [embeddings, ours])
    other = torch.autograd.grad(expected, [embeddings, theirs.W])
    assert torch.allclose(mine[0], other[0], rtol=1e-4, atol=1e-5)
    assert torch.allclose(mine[1], other[1].T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("labels", ["pairs", "uneven"])
def test_the_contrastive_loss_is_that_of_a_public_library(labels: str) -> None:
    library = pytest.importorskip("pytorch_metric_learning.losses")
    given = torch.arange(24) // 2 if labels == "pairs" else torch.tensor([0] * 5 + [1] * 3 + list(range(2, 18)))
    embeddings = drawn(24, 8).requires_grad_()
    loss = contrastive(embeddings, given, temperature=0.2)
    expected = library.SupConLoss(temperature=0.2)(embeddings, given)
    mine, other = (torch.autograd.grad(one, embeddings)[0] for one in (loss, expected))
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert torch.allclose(mine, other, rtol=1e-4, atol=1e-6)


def test_the_contrastive_loss_by_hand() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    expected = -math.log(math.e**2 / (math.e**2 + 1))  # of the first two, whose cosine with the third is 0
    found = contrastive(embeddings, torch.tensor([0, 0, 1]), temperature=0.5)
    assert float(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("count", [1, 3])
def test_where_no_two_images_are_of_one_identity_there_is_no_loss(count: int) -> None:
    embeddings = drawn(count, 4).requires_grad_()
    loss = contrastive(embeddings, torch.arange(count))
    (gradient,) = torch.autograd.grad(loss, embeddings)
    assert loss.detach().item() == 0
    assert not gradient.any()


def test_without_a_margin_it_is_a_softmax_of_cosines() -> None:
    embeddings, weight, labels = drawn(5, 4), drawn(3, 4, seed=1), torch.tensor([0, 1, 2, 0, 1])
    cosines = torch.stack([F.cosine_similarity(embeddings, one[None]) for one in weight], 1)
    expected = F.cross_entropy(10 * cosines, labels)
    assert float(arcface(embeddings, weight, labels, scale=10, margin=0)) == pytest.approx(
        float(expected.detach()), rel=1e-5
    )


def test_the_margin_adds_to_the_angle_and_the_loss_always_falls_with_it() -> None:
    angles = torch.linspace(0, math.pi, 201, dtype=torch.float64)
    embeddings = torch.stack([angles.cos(), angles.sin()], 1)
    found = margined(embeddings, torch.tensor([[1.0, 0.0]]), torch.zeros(201, dtype=torch.long), 0.5)[:, 0]
    below = angles <= math.pi - 0.5
    assert torch.allclose(found[below].double(), (angles[below] + 0.5).cos(), atol=1e-6)
    assert all(later < earlier for earlier, later in pairwise(found.tolist()))


@pytest.mark.parametrize("cosine", [1.0, -1.0])
def test_gradients_are_finite_where_embedding_and_vector_are_parallel(cosine: float) -> None:
    embeddings = torch.tensor([[cosine, 0.0]], requires_grad=True)
    arcface(embeddings, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0])).backward()  # type: ignore[no-untyped-call]
    assert embeddings.grad is not None
    assert bool(embeddings.grad.isfinite().all())


def test_half_precision_is_computed_in_float32() -> None:
    embeddings, weight, labels = drawn(6, 8).bfloat16(), drawn(3, 8, seed=1), torch.arange(6) % 3
    assert torch.equal(arcface(embeddings, weight, labels), arcface(embeddings.float(), weight, labels))


def test_the_margin_grows_in_its_warm_up() -> None:
    assert [margin_at(step, 0.5, 4) for step in (0, 1, 2, 4, 9)] == [0, 0.125, 0.25, 0.5, 0.5]
    assert margin_at(0, 0.5, 0) == 0.5


# ---- verification ----

SCORES = torch.tensor([0.9, 0.8, 0.4, 0.7, 0.3, 0.2, 0.1, 0.0])
SAME = torch.tensor([1, 1, 1, 0, 0, 0, 0, 0]).bool()


def test_similarity_is_the_cosine() -> None:
    first, second = torch.tensor([[3.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 2.0], [-2.0, -2.0]])
    assert similarities(first, second).tolist() == pytest.approx([0.0, -1.0])


def test_the_threshold_is_the_lowest_that_tells_most_right() -> None:
    # From 0.35 on 7 of 8 are right, and from 0.75 on too: the lower one is taken.
    assert choose_threshold(SCORES, SAME) == pytest.approx(0.35)
    assert choose_threshold(torch.tensor([0.2, 0.4]), torch.tensor([False, False])) == math.inf
    assert choose_threshold(torch.tensor([0.2, 0.4]), torch.tensor([True, True])) == -math.inf
    assert choose_threshold(torch.tensor([0.5, 0.5, 0.7]), torch.tensor([True, False, True])) == -math.inf


def test_each_fold_is_told_by_the_threshold_of_the_others() -> None:
    scores = torch.tensor([0.9, 0.1, 0.8, 0.6, 0.75, 0.2])
    same = torch.tensor([True, False, True, False, True, False])
    found = verification(scores, same, 3)
    assert found.thresholds == pytest.approx((0.675, 0.475, 0.7))
    assert found.accuracies == (1.0, 0.5, 1.0)
    assert found.mean == pytest.approx(5 / 6)
    assert found.deviation == pytest.approx(math.sqrt(((1 / 6) ** 2 * 2 + (1 / 3) ** 2) / 2))
    with pytest.raises(ValueError, match="2 folds or more"):
        verification(scores, same, 7)


@pytest.mark.parametrize(
    ("far", "rate", "false_rate"), [(0.0, 2 / 3, 0.0), (0.19, 2 / 3, 0.0), (0.2, 1.0, 0.2), (1.0, 1.0, 1.0)]
)
def test_tar_at_far(far: float, rate: float, false_rate: float) -> None:
    found = tar_at_far(SCORES, SAME, far)
    assert (found.rate, found.false_rate) == pytest.approx((rate, false_rate))
    assert int((SCORES[~SAME] >= found.threshold).sum()) == round(false_rate * 5)


def test_equal_scores_are_accepted_or_refused_together() -> None:
    scores, same = torch.tensor([0.5, 0.5, 0.5, 0.1]), torch.tensor([True, False, False, False])
    found = tar_at_far(scores, same, 0.34)
    assert (found.rate, found.false_rate) == (0.0, 0.0)


def test_there_have_to_be_pairs_of_both_kinds() -> None:
    with pytest.raises(ValueError, match="should be refused"):
        tar_at_far(torch.tensor([0.5]), torch.tensor([True]), 0.1)
    with pytest.raises(ValueError, match="should be accepted"):
        tar_at_far(torch.tensor([0.5]), torch.tensor([False]), 0.1)


# ---- identification ----

GALLERY = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
PEOPLE = torch.tensor([5, 6, 7])


def test_rank_1_is_the_share_whose_nearest_is_their_own() -> None:
    probes = torch.tensor([[0.9, 0.1], [0.6, 0.5], [-1.0, 0.2], [0.1, 3.0]])
    assert rank_1(GALLERY, PEOPLE, probes, torch.tensor([5, 6, 7, 6])) == 0.75
    best, at = nearest_in(GALLERY, probes[:1])
    assert at.tolist() == [0]
    assert best.tolist() == pytest.approx([0.9 / math.hypot(0.9, 0.1)])
    assert nearest_in(GALLERY, torch.tensor([[1.0, 1.0]]))[1].tolist() == [0], "the first of equal ones"


def test_rank_1_within_leaves_out_the_image_itself_and_those_that_are_alone() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0], [0.9, 0.3]])
    assert rank_1_within(vectors, torch.tensor([0, 0, 1, 1, 2])) == 1.0
    assert rank_1_within(vectors, torch.tensor([0, 0, 1, 2, 1])) == pytest.approx(1 / 2)


def test_many_probes_give_what_few_do(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = drawn(23, 5)
    expected = nearest_in(vectors, vectors, but_itself=True)
    monkeypatch.setattr("spinedsl.tasks.embedding.ROWS", 4)
    found = nearest_in(vectors, vectors, but_itself=True)
    assert torch.allclose(found[0], expected[0])
    assert torch.equal(found[1], expected[1])
    assert not bool((found[1] == torch.arange(23)).any())


def test_tpir_at_fpir_counts_known_probes_that_are_named_rightly() -> None:
    known, right = torch.tensor([0.9, 0.8, 0.6, 0.3]), torch.tensor([True, False, True, True])
    unknown = torch.tensor([0.7, 0.5, 0.2, 0.1])
    strict = tpir_at_fpir(known, right, unknown, 0.0)
    assert (strict.rate, strict.false_rate) == (0.25, 0.0)
    loose = tpir_at_fpir(known, right, unknown, 0.25)
    assert (loose.rate, loose.false_rate) == (0.5, 0.25)


# ---- pairs ----


@pytest.mark.parametrize("sizes", [(3, 3), (1, 4, 2), (2,) * 9, (5, 1, 1, 1)])
def test_pairs_are_as_many_of_both_kinds_and_none_comes_twice(sizes: tuple[int, ...]) -> None:
    labels = torch.cat([torch.full((size,), number) for number, size in enumerate(sizes)])
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]
    first, second, same = pairs_of(labels)
    assert torch.equal(same, labels[first] == labels[second])
    assert same.tolist() == [True, False] * (len(same) // 2)
    found = [frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    assert len(set(found)) == len(found)
    assert all(len(pair) == 2 for pair in found)
    there = sum(size * (size - 1) // 2 for size in sizes)
    total = len(labels) * (len(labels) - 1) // 2
    possible = min(there, total - there)
    assert 0.5 * possible <= len(found) / 2 <= possible


def test_pairs_have_a_limit_and_may_be_none() -> None:
    assert len(pairs_of(torch.arange(100) % 5, most=7)[0]) == 14
    assert len(pairs_of(torch.arange(6))[0]) == 0
    assert len(pairs_of(torch.zeros(6).long())[0]) == 0


def test_the_task_gives_unit_vectors_and_figures() -> None:
    task = TASKS["embedding"]
    labels = torch.arange(20) % 4
    reading = Reading("id", ("id",), 4)
    vectors = task.decode(reading, {"id": F.one_hot(labels, 4) * 3 + 0.1 * drawn(20, 4)}, (8, 8), {})
    assert torch.allclose(vectors.norm(dim=1), torch.ones(20))
    assert task.metrics(vectors, labels) == {"verification": 1.0, "tar_at_far_1": 1.0, "rank_1": 1.0}
    assert task.metrics(vectors[:3], torch.arange(3)) == {}
    assert task.tensors(128, 10, task.values({})) == {"identities": (10, 128)}
    assert task.tensors(128, 10, task.values({"loss": "contrastive"})) == {}
    values = task.values({"scale": 8.0, "margin": 0.4, "margin_warm_up": 10})
    tensors = {"identities": drawn(4, 4, seed=3)}
    expected = arcface(vectors, tensors["identities"], labels, scale=8, margin=0.2)
    assert torch.equal(task.loss(reading, {"id": vectors}, labels, tensors, values, 5).loss, expected)
