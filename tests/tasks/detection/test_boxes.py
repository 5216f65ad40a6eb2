"""Boxes: overlaps beside pycocotools and by hand, the laws of GIoU, letterboxes there and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spinedsl.data.preprocessing import Preprocessing
from spinedsl.tasks.detection.boxes import area, clip, giou, iou, pairwise_iou, placed, unplaced
from tests.tasks.detection.drawing import ANY, PROPER, boxes, tensor


def test_iou_is_that_of_pycocotools() -> None:
    mask = pytest.importorskip("pycocotools.mask")
    for whole in (False, True):
        one, other = (boxes(40, seed, whole=whole).double() for seed in (1, 2))
        sides = [torch.cat([b[:, :2], b[:, 2:] - b[:, :2]], 1).numpy() for b in (one, other)]
        expected = mask.iou(sides[0], sides[1], [0] * 40)
        assert np.allclose(pairwise_iou(one, other).numpy(), expected, rtol=1e-12, atol=1e-12)
        assert (expected > 0).sum() > 100


CASES = [  # by hand: two boxes, IoU, GIoU
    ([0, 0, 2, 2], [1, 1, 3, 3], 1 / 7, 1 / 7 - 2 / 9),
    ([0, 0, 2, 2], [0, 0, 2, 2], 1, 1),
    ([0, 0, 1, 1], [1, 0, 2, 1], 0, 0),  # beside each other
    ([0, 0, 1, 1], [3, 0, 4, 1], 0, -0.5),
    ([0, 0, 1, 1], [9, 9, 10, 10], 0, -0.98),
    ([0, 0, 4, 4], [1, 1, 2, 2], 1 / 16, 1 / 16),
    ([1, 1, 1, 3], [0, 0, 4, 4], 0, 0),  # one without area, inside
    ([2, 2, 2, 2], [2, 2, 2, 2], 0, 0),  # nothing at all
    ([3, 0, 1, 2], [0, 0, 4, 4], 0, 0),  # turned over
]


@pytest.mark.parametrize(("one", "other", "share", "general"), CASES)
def test_overlaps_by_hand(one: list[float], other: list[float], share: float, general: float) -> None:
    left, right = torch.tensor(one).double(), torch.tensor(other).double()
    assert float(iou(left, right)) == pytest.approx(share)
    assert float(giou(left, right)) == pytest.approx(general)


@given(st.lists(ANY, min_size=1, max_size=4), st.lists(ANY, min_size=1, max_size=4))
def test_overlaps_of_any_boxes_are_numbers_in_their_bounds(one: list[list[float]], other: list[list[float]]) -> None:
    shares = pairwise_iou(tensor(one), tensor(other))
    assert ((shares >= 0) & (shares <= 1)).all()
    general = giou(tensor(one)[:, None], tensor(other)[None])
    assert ((general >= -1) & (general <= 1)).all()
    assert torch.equal(shares, pairwise_iou(tensor(other), tensor(one)).T)


@given(PROPER, PROPER, st.integers(-20, 20), st.sampled_from([0.5, 2.0, 4.0]))
def test_laws_of_giou(one: list[float], other: list[float], shift: int, scale: float) -> None:
    a, b = tensor([one])[0].double(), tensor([other])[0].double()
    assert -1 < float(giou(a, b)) <= float(iou(a, b)) <= 1
    assert float(giou(a, a)) == 1
    assert float(giou(a, b)) == float(giou(b, a))
    assert float(giou(a * scale + shift, b * scale + shift)) == pytest.approx(float(giou(a, b)))


def test_a_clipped_box_is_inside() -> None:
    found = clip(torch.tensor([[-3.0, 2, 8, 50], [20, 20, 30, 30], [1, 1, 2, 2]]), 10, 6)
    assert found.tolist() == [[0, 2, 6, 10], [6, 10, 6, 10], [1, 1, 2, 2]]
    assert area(found).tolist() == [48, 0, 1]


@pytest.mark.parametrize("resize", ["letterbox", "stretch", "crop"])
@pytest.mark.parametrize("size", [(40, 100), (100, 40), (64, 64), (7, 300)])
def test_boxes_go_where_their_pixels_go_and_back(resize: str, size: tuple[int, int]) -> None:
    """A dark rectangle, fitted by Pillow, lies where its box says; and the way back is the inverse."""
    settings = Preprocessing(64, 96, resize=resize, interpolation="nearest", mean=(0.5,) * 3, std=(0.5,) * 3)
    height, width = size
    box = torch.tensor([[width * 0.25, height * 0.4, width * 0.75, height * 0.8]]).round()
    pixels = np.full((height, width, 3), 255, np.uint8)
    left, top, right, bottom = (int(number) for number in box[0])
    pixels[top:bottom, left:right] = 0
    placement = settings.placement(height, width)
    found = placed(box, placement)
    dark = np.argwhere(settings.fit(pixels)[:, :, 0] == 0)
    lowest, highest = dark.min(0), dark.max(0) + 1
    expected = torch.tensor([[lowest[1], lowest[0], highest[1], highest[0]]], dtype=torch.float32)
    assert torch.allclose(clip(found, 64, 96), expected, atol=1.0)
    assert torch.allclose(unplaced(found, placement), box, atol=1e-3)
