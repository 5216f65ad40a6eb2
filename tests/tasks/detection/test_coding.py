"""Coding: inverses, numbers by hand, and what places there are."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.ops.detection import LARGEST
from spinedsl.tasks.detection.coding import centreness, from_deltas, from_distances, to_deltas, to_distances
from spinedsl.tasks.detection.places import anchors, points, ranges
from tests.tasks.detection.drawing import PROPER, generator, tensor


@given(st.lists(st.tuples(PROPER, PROPER), min_size=1, max_size=5))
def test_deltas_lead_back(pairs: list[tuple[list[float], list[float]]]) -> None:
    boxes, places = (tensor([pair[number] for pair in pairs]) for number in (0, 1))
    assert torch.allclose(from_deltas(to_deltas(boxes, places), places), boxes, atol=1e-4)


@given(st.lists(PROPER, min_size=1, max_size=5), st.sampled_from([4, 8, 128]))
def test_distances_lead_back(rows: list[list[float]], stride: int) -> None:
    boxes = tensor(rows)
    places, strides = torch.arange(2 * len(rows)).reshape(-1, 2).float(), torch.full((len(rows),), float(stride))
    assert torch.allclose(from_distances(to_distances(boxes, places, strides), places, strides), boxes, atol=1e-4)


def test_codes_by_hand() -> None:
    anchor, box = torch.tensor([[10.0, 20, 30, 60]]), torch.tensor([[20.0, 20, 40, 100]])
    assert to_deltas(box, anchor)[0].tolist() == pytest.approx([0.5, 0.5, 0, math.log(2)])
    point, stride = torch.tensor([[24.0, 40.0]]), torch.tensor([8.0])
    assert to_distances(box, point, stride)[0].tolist() == [0.5, 2.5, 2.0, 7.5]
    assert to_distances(box, torch.tensor([[0.0, 0.0]]), stride)[0, 0] == -2.5  # outside


def test_no_delta_makes_a_box_without_end() -> None:
    found = from_deltas(torch.tensor([[0.0, 0, 1e4, LARGEST]]), torch.tensor([[0.0, 0, 16, 16]]))
    assert found[0].tolist() == pytest.approx([8 - 500, 8 - 500, 8 + 500, 8 + 500])


def test_decoding_rounds_once() -> None:
    """Each number is what exact fractions give, rounded to the nearest float32; float32 all the way is not."""
    codes, places = torch.rand(50, 4, generator=generator(3)), torch.rand(50, 2, generator=generator(4)) * 999
    found = from_distances(codes, places, torch.full((50,), 12.0))
    assert found.dtype == torch.float32
    other = 0
    for code, place, box in zip(codes.tolist(), places.tolist(), found.tolist(), strict=True):
        for side, (sign, axis) in enumerate([(-1, 0), (-1, 1), (1, 0), (1, 1)]):
            exact = Fraction(place[axis]) + sign * 12 * Fraction(code[side])
            assert box[side] == float(np.float32(float(exact)))
            other += box[side] != float(np.float32(place[axis]) + np.float32(sign * 12) * np.float32(code[side]))
    assert other


def test_centreness_by_hand() -> None:
    found = centreness(torch.tensor([[1.0, 1, 1, 1], [1, 2, 3, 2], [1, 1, 4, 9], [0, 5, 5, 5], [0, 0, 0, 0]]))
    assert found.tolist() == pytest.approx([1, (1 / 3) ** 0.5, 1 / 6, 0, 0])


def test_points_and_anchors_stand_where_the_numbers_of_maps_do() -> None:
    found = points((2, 3), 8)
    assert found.tolist() == [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]
    sides = [(4.0, 4.0), (2.0, 8.0)]
    made = anchors((2, 3), 8, sides).reshape(2, 3, 2, 4)
    assert made[1, 2, 0].tolist() == [4, -4, 36, 28]
    assert made[1, 2, 1].tolist() == [12, -20, 28, 44]
    centres = (made[..., :2] + made[..., 2:]) / 2
    assert torch.equal(centres[:, :, 1].reshape(-1, 2), found)


def test_ranges_are_those_of_the_paper() -> None:
    expected = [(0, 64), (64, 128), (128, 256), (256, 512), (512, math.inf)]
    assert ranges([8, 16, 32, 64, 128]) == expected
    assert ranges([16]) == [(0, math.inf)]
