"""Matching beside loops that say the papers' rules one place after another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spinedsl.tasks.detection.boxes import area, pairwise_iou
from spinedsl.tasks.detection.matching import (
    BACKGROUND,
    IGNORED,
    by_iou,
    by_range,
    spread,
    task_aligned,
    without_crowds,
)
from spinedsl.tasks.detection.places import anchors, points, ranges
from tests.tasks.detection.drawing import boxes, generator

SEEDS = range(25)


# ---- RetinaNet ----


def one_by_one(places: Tensor, objects: Tensor, high: float, low: float, force: bool) -> list[int]:
    """The rule of `by_iou`, an anchor at a time."""
    shares = pairwise_iou(places, objects).tolist()
    found = []
    for row in shares:
        best = max(row)
        found.append(row.index(best) if best >= high else IGNORED if best >= low else BACKGROUND)
    for place, row in enumerate(shares) if force else ():
        claims = [n for n, share in enumerate(row) if share > 0 and share == max(r[n] for r in shares)]
        if claims:
            found[place] = max(claims, key=lambda n: (row[n], -n))
    return found


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_by_iou_is_what_the_rule_says(whole: bool, force: bool) -> None:
    kinds = set()
    for seed in SEEDS:
        places, objects = boxes(60, seed, whole=whole), boxes(1 + seed % 6, seed + 100, whole=whole)
        found = by_iou(places, objects, force=force).tolist()
        assert found == one_by_one(places, objects, 0.5, 0.4, force)
        kinds |= {min(number, 0) for number in found}
    assert kinds == {0, BACKGROUND, IGNORED}


def test_every_object_that_overlaps_gets_an_anchor_or_lost_it_to_a_nearer_one() -> None:
    for seed in SEEDS:
        places, objects = boxes(50, seed), boxes(5, seed + 100)
        shares, found = pairwise_iou(places, objects), by_iou(places, objects)
        for number in range(5):
            best = int(shares[:, number].argmax())
            winner = int(found[best])
            assert winner == number or shares[best, winner] >= shares[best, number]


def test_small_objects_get_anchors_by_force_alone() -> None:
    """An object far smaller than any anchor: an IoU of 0.004 is the largest that it has."""
    places = anchors((4, 4), 16, [(4.0, 4.0)])
    tiny = torch.tensor([[22.0, 22.0, 26.0, 26.0]])
    assert (by_iou(places, tiny, force=False) == BACKGROUND).all()
    assert (by_iou(places, tiny) == 0).sum() >= 1
    nowhere = torch.tensor([[900.0, 900, 910, 910], [5, 5, 5, 9]])
    assert (by_iou(places, nowhere) == BACKGROUND).all()


def test_thresholds_are_where_the_paper_has_them() -> None:
    places = torch.tensor([[0.0, 0, 10, 5], [0, 0, 10, 4], [0, 0, 10, 3.9], [0, 0, 10, 10]])
    assert by_iou(places, torch.tensor([[0.0, 0, 10, 10]])).tolist() == [0, IGNORED, BACKGROUND, 0]


def test_images_without_objects_are_background() -> None:
    places, nothing = boxes(7, 0), torch.empty(0, 4)
    assert by_iou(places, nothing).tolist() == [BACKGROUND] * 7
    middle, strides, reach = places[:, :2], torch.ones(7), torch.tensor([[0.0, 9e9]]).expand(7, 2)
    assert by_range(middle, strides, reach, nothing).tolist() == [BACKGROUND] * 7
    aligned = task_aligned(middle, nothing, torch.empty(0).long(), torch.rand(7, 3), places)
    assert aligned.found.tolist() == [BACKGROUND] * 7
    assert aligned.scores.tolist() == [0] * 7
    assert by_iou(torch.empty(0, 4), places).shape == (0,)


def test_a_crowd_makes_background_ignored_and_nothing_else() -> None:
    places = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [6, 0, 16, 10], [50, 50, 60, 60]])
    found, crowds = torch.tensor([0, BACKGROUND, BACKGROUND, BACKGROUND]), torch.tensor([[0.0, 0, 11, 11]])
    assert without_crowds(found, places, crowds).tolist() == [0, IGNORED, BACKGROUND, BACKGROUND]
    assert without_crowds(found, places, torch.empty(0, 4)).tolist() == found.tolist()


# ---- FCOS ----


def pyramid(strides: tuple[int, ...] = (8, 16, 32), extent: int = 96) -> tuple[Tensor, Tensor, Tensor]:
    made = [points((extent // stride, extent // stride), stride) for stride in strides]
    counts = [len(one) for one in made]
    return torch.cat(made), spread([float(s) for s in strides], counts), spread(ranges(strides), counts)


@pytest.mark.parametrize("radius", [1.5, None])
def test_by_range_is_what_the_rule_says(radius: float | None) -> None:
    places, strides, reach = pyramid()
    taken = 0
    for seed in SEEDS:
        objects = boxes(1 + seed % 5, seed, extent=80, whole=seed % 2 == 0)
        found = by_range(places, strides, reach, objects, radius=radius).tolist()
        for place, (x, y) in enumerate(places.tolist()):
            fits = []
            for number, (left, top, right, bottom) in enumerate(objects.tolist()):
                sides = (x - left, y - top, right - x, bottom - y)
                off = max(abs(x - (left + right) / 2), abs(y - (top + bottom) / 2))
                near = radius is None or off < radius * float(strides[place])
                if min(sides) > 0 and near and reach[place, 0] <= max(sides) <= reach[place, 1]:
                    fits.append((float(area(objects[number])), number))
            assert found[place] == (min(fits)[1] if fits else BACKGROUND)
            taken += bool(fits)
    assert taken > 100


def test_a_level_finds_what_has_its_size() -> None:
    places, strides, reach = pyramid((8, 16), 64)
    found = by_range(places, strides, reach, torch.tensor([[8.0, 8, 24, 24]]))
    assert set(strides[found == 0].tolist()) == {8}
    large = by_range(places, strides, reach, torch.tensor([[-70.0, -70, 130, 130]]))
    assert set(strides[large == 0].tolist()) == {16}


# ---- task-aligned ----


def test_task_aligned_is_what_the_rule_says() -> None:
    places, _, _ = pyramid()
    for seed in SEEDS:
        objects, labels = boxes(3, seed, extent=60), torch.tensor([0, 1, 0])
        scores = torch.rand(len(places), 2, generator=generator(seed))
        half = 4 + 30 * torch.rand(len(places), 2, generator=generator(seed + 50))
        predicted = torch.cat([places - half, places + half], 1)
        given = task_aligned(places, objects, labels, scores, predicted, most=5)
        shares = pairwise_iou(predicted, objects)
        wins: dict[int, list[int]] = {}
        for number, (left, top, right, bottom) in enumerate(objects.tolist()):
            inside = [n for n, (x, y) in enumerate(places.tolist()) if left < x < right and top < y < bottom]
            by = {n: float(scores[n, labels[number]] * shares[n, number] ** 6) for n in inside}
            for n in sorted(by, key=lambda n: -by[n])[:5]:
                wins.setdefault(n, []).append(number)
        expected = [BACKGROUND] * len(places)
        for n, numbers in wins.items():
            expected[n] = max(numbers, key=lambda number: float(shares[n, number]))
        assert given.found.tolist() == expected
        for number in range(3):
            mine = [n for n, one in enumerate(expected) if one == number]
            if mine and (top_share := float(shares[mine, number].max())) > 0:
                assert float(given.scores[mine].max()) == pytest.approx(top_share, rel=1e-4)
        assert (given.scores[given.found == BACKGROUND] == 0).all()
        assert ((given.scores >= 0) & (given.scores <= 1)).all()
