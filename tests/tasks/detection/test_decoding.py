"""Decoding: boxes that were encoded are found; every choice beside loops over positions, anchors and classes."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from spinedsl.ops.detection import Detector, anchor_sides, logit
from spinedsl.tasks.detection import decode
from spinedsl.tasks.detection.coding import from_deltas, to_deltas, to_distances
from spinedsl.tasks.detection.decoding import boxes_at, candidates
from spinedsl.tasks.detection.places import anchors, points
from tests.tasks.detection.drawing import boxes, generator

SIDES = anchor_sides({"ratios": (Fraction(1, 2), 1, 2), "scales": 2, "size": 3})
ANCHORED = Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4"), (), SIDES)
POINTED = Detector("find", 3, (8, 16), ("s3", "s4"), ("b3", "b4"), ("q3", "q4"))
SIZE = (48, 64)


def outputs(detector: Detector, seed: int, images: int = 2, spread: float = 2.0) -> dict[str, Tensor]:
    many = max(1, len(detector.sides))
    made: dict[str, Tensor] = {}
    for number, stride in enumerate(detector.strides):
        size = (SIZE[0] // stride, SIZE[1] // stride)
        for kind, channels in ((detector.scores, 3 * many), (detector.boxes, 4 * many), (detector.quality, many)):
            for name in kind[number : number + 1]:
                made[name] = torch.randn(images, channels, *size, generator=generator(seed + len(made))) * spread
    if not detector.sides:
        made |= {name: made[name].abs() for name in detector.boxes}
    return made


def test_sides_are_those_of_the_paper() -> None:
    """Nine anchors at stride 8, of areas 32^2, 2^(2/3) and 2^(4/3) times that, of ratios 1:2, 1:1 and 2:1."""
    sides = anchor_sides({"ratios": (1, 2, Fraction(1, 2)), "scales": 3, "size": 4})
    assert len(sides) == 9
    for number, (width, height) in enumerate(sides):
        assert width * height * 64 == pytest.approx(32**2 * 2 ** (2 * (number // 3) / 3))
        assert width / height == pytest.approx([1, 2, 0.5][number % 3])
    assert anchor_sides({"ratios": (), "scales": 3, "size": 4}) == ()


@pytest.mark.parametrize("detector", [ANCHORED, POINTED], ids=["anchors", "points"])
@pytest.mark.parametrize("top", [1000, 7])
def test_candidates_are_what_a_loop_finds(detector: Detector, top: int) -> None:
    """By image, level, position, anchor and class, each number taken from its channel by hand."""
    given, many = outputs(detector, 3), max(1, len(detector.sides))
    for image, found in enumerate(candidates(detector, given, SIZE, score=0.3, top=top)):
        rows: list[tuple[float, float, int, list[float]]] = []
        for number, stride in enumerate(detector.strides):
            scores, codes = given[detector.scores[number]][image], given[detector.boxes[number]][image]
            height, width = codes.shape[-2:]
            level: list[tuple[float, float, int, list[float]]] = []
            for y in range(height):
                for x in range(width):
                    for a in range(many):
                        code = codes[4 * a : 4 * a + 4, y, x].tolist()
                        box = box_of(detector, a, x, y, stride, code)
                        for k in range(3):
                            value = float(scores[3 * a + k, y, x])
                            score = 1 / (1 + math.exp(-value))
                            if detector.quality:
                                q = float(given[detector.quality[number]][image, a, y, x])
                                score = math.sqrt(score / (1 + math.exp(-q)))
                            if score > 0.3:
                                level.append((score if detector.quality else value, score, k, box))
            level.sort(key=lambda row: -row[0])
            rows += level[:top]
        rows.sort(key=lambda row: -row[0])
        assert found.labels.tolist() == [row[2] for row in rows]
        assert torch.allclose(found.scores, torch.tensor([row[1] for row in rows]), atol=1e-6)
        assert torch.allclose(found.boxes, torch.tensor([row[3] for row in rows]), atol=1e-3)
        assert len(rows) > 10


def box_of(detector: Detector, anchor: int, x: int, y: int, stride: int, code: list[float]) -> list[float]:
    cx, cy = (x + 0.5) * stride, (y + 0.5) * stride
    if detector.sides:
        w, h = (side * stride for side in detector.sides[anchor])
        cx, cy = cx + code[0] * w, cy + code[1] * h
        w, h = w * math.exp(min(code[2], math.log(62.5))) / 2, h * math.exp(min(code[3], math.log(62.5))) / 2
        corners = [cx - w, cy - h, cx + w, cy + h]
    else:
        left, top, right, bottom = (one * stride for one in code)
        corners = [cx - left, cy - top, cx + right, cy + bottom]
    return [min(max(one, 0), limit) for one, limit in zip(corners, (SIZE[1], SIZE[0]) * 2, strict=True)]


@pytest.mark.parametrize("detector", [ANCHORED, POINTED], ids=["anchors", "points"])
def test_what_was_encoded_is_found(detector: Detector) -> None:
    """Objects written into silent heads by the codings come out as they were, and alone."""
    given, many = outputs(detector, 0, images=3), max(1, len(detector.sides))
    for name, values in given.items():
        values.fill_(-20 if name[0] != "q" else 20)
    wanted: list[list[tuple[list[float], int]]] = [[], [], []]
    for image, number, x, y, a, k in ((0, 0, 2, 1, 0, 2), (0, 1, 1, 2, many - 1, 0), (2, 0, 5, 4, 0, 1)):
        stride = detector.strides[number]
        size = (SIZE[0] // stride, SIZE[1] // stride)
        box = boxes(1, image + number, extent=30)
        at = y * size[1] + x
        if detector.sides:
            code = to_deltas(box, anchors(size, stride, detector.sides)[[at * many + a]])
        else:
            code = to_distances(box, points(size, stride)[[at]], torch.tensor([float(stride)]))
        given[detector.boxes[number]][image, 4 * a : 4 * a + 4, y, x] = code[0]
        given[detector.scores[number]][image, 3 * a + k, y, x] = 6 - number
        wanted[image].append((box[0].tolist(), k))
    found = decode(detector, given, SIZE)
    assert found.count.tolist() == [2, 0, 1]
    for image, rows in enumerate(wanted):
        assert found.of(image).labels.tolist() == [label for _, label in rows]
        expected = torch.tensor([box for box, _ in rows]).reshape(-1, 4)
        assert torch.allclose(found.of(image).boxes, expected, atol=1e-3)


def test_of_equal_logits_the_first_place_stays() -> None:
    given = {name: torch.zeros_like(values) for name, values in outputs(ANCHORED, 0, images=1).items()}
    (found,) = candidates(ANCHORED, given, SIZE, top=4)
    assert found.labels.tolist() == [0, 1, 2, 0] * 2
    assert torch.equal(found.boxes[0], found.boxes[2])


@pytest.mark.parametrize("detector", [ANCHORED, POINTED], ids=["anchors", "points"])
def test_thresholds_are_from_above_and_what_is_no_number_is_not_found(detector: Detector) -> None:
    given = outputs(detector, 5, images=1)
    for score in (0.0, 0.3, 0.9, 1.0):
        (found,) = candidates(detector, given, SIZE, score=score)
        assert (found.scores > score - 1e-6).all()
        assert bool(len(found.scores)) == (score < 1)
    for name in detector.scores:
        given[name][:, :, ::2] = float("nan")
    (found,) = candidates(detector, given, SIZE, top=5)
    assert len(found.scores) == 10
    for name in detector.scores:
        given[name][:] = float("nan")
    assert decode(detector, given, SIZE).count.tolist() == [0]


def test_the_score_of_a_logit() -> None:
    for share in (0.05, 0.5, 0.999):
        assert 1 / (1 + math.exp(-logit(share))) == pytest.approx(share)
    assert [logit(0), logit(1), logit(2)] == [-math.inf, math.inf, math.inf]


@pytest.mark.parametrize("detector", [ANCHORED, POINTED], ids=["anchors", "points"])
def test_half_precision_and_layout_do_not_matter(detector: Detector) -> None:
    given = {name: values.half() for name, values in outputs(detector, 7).items()}
    one = decode(detector, given, SIZE)
    other = decode(
        detector, {k: v.float().contiguous(memory_format=torch.channels_last) for k, v in given.items()}, SIZE
    )
    assert torch.equal(one.boxes, other.boxes)
    assert torch.equal(one.scores, other.scores)
    assert one.boxes.dtype == torch.float32


def test_boxes_of_a_level_are_those_that_are_found() -> None:
    given = outputs(ANCHORED, 9)
    made = boxes_at(ANCHORED, given["b3"], 8)
    assert made.shape == (2, 6 * 8 * 6, 4)
    expected = from_deltas(given["b3"][1, 8:12, 2, 3], anchors((6, 8), 8, SIDES)[(2 * 8 + 3) * 6 + 2])
    assert torch.equal(made[1, (2 * 8 + 3) * 6 + 2], expected)


@pytest.mark.parametrize("detector", [ANCHORED, POINTED], ids=["anchors", "points"])
@pytest.mark.parametrize("name", ["score", "overlap", "top", "most"])
def test_what_is_no_limit_is_refused(detector: Detector, name: str) -> None:
    given, share = outputs(detector, 4), name in ("score", "overlap")
    for value in (0, 0.5, 1) if share else (1, 2, 300):
        assert decode(detector, given, SIZE, **{name: value}).count.shape == (2,)  # type: ignore[arg-type]
    for value in (-0.1, 1.1, math.nan, math.inf) if share else (0, -1):
        with pytest.raises(ValueError, match=f"{name} must be from "):
            decode(detector, given, SIZE, **{name: value})  # type: ignore[arg-type]
    if not share:
        with pytest.raises(TypeError, match=f"{name} must be a whole number; got 1.5"):
            decode(detector, given, SIZE, **{name: 1.5})  # type: ignore[arg-type]
