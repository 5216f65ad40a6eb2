"""Average precision beside pycocotools, on random results with crowds and areas, and by hand."""

from __future__ import annotations

import math

import pytest
import torch

from spinedsl.tasks.detection import Candidates, Objects, average_precision
from spinedsl.tasks.detection.precision import results_of, truth_of, words
from tests.tasks.detection.drawing import boxes, generator

CLASSES = 3


def drawn(seed: int) -> tuple[list[Candidates], list[Objects]]:
    """Images with objects of every size, in crowds or without area among them; results near, doubled or missing."""
    found, there = [], []
    for image in range(6):
        own = 100 * seed + image
        count = (own * 7) % 6  # images without objects among them
        objects = boxes(count, own, extent=150) * (1 + torch.arange(count)[:, None] % 3)
        objects[: image == 3, 2] = objects[: image == 3, 0]  # one without area
        labels = torch.randint(CLASSES, (count,), generator=generator(own))
        crowds = torch.rand(count, generator=generator(own)) < 0.25
        areas = None if seed % 2 else torch.rand(count, generator=generator(own)) * 12000
        there.append(Objects(objects, labels, crowds, areas))
        near = objects.repeat(2, 1) + 5 * torch.randn(2 * count, 4, generator=generator(own + 1))
        guessed = torch.cat([near, boxes(5, own + 2, extent=150)])
        guessed = torch.cat([guessed[:, :2], torch.maximum(guessed[:, :2] + 1, guessed[:, 2:])], 1)
        kinds = torch.cat([labels.repeat(2), torch.randint(CLASSES, (5,), generator=generator(own + 3))])
        scores = (torch.rand(len(guessed), generator=generator(own + 4)) * 10).round() / 10
        found.append(Candidates(guessed, scores, kinds))
    return found, there


@pytest.mark.parametrize("seed", range(10))
def test_it_is_that_of_pycocotools(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    found, there = drawn(seed)
    known = coco.COCO()
    known.dataset = truth_of(there, CLASSES)
    known.createIndex()
    theirs = evaluation.COCOeval(known, known.loadRes(results_of(found)), "bbox")
    theirs.evaluate()
    theirs.accumulate()
    theirs.summarize()
    capsys.readouterr()
    ours = average_precision(found, there, CLASSES)
    assert capsys.readouterr() == ("", "")
    expected = [theirs.stats[number] for number in (0, 1, 2, 3, 4, 5, 8)]
    for (name, value), one in zip(words(ours).items(), expected, strict=True):
        assert (math.isnan(value) and one == -1) or value == pytest.approx(one, abs=1e-9), name
    assert 0.05 < ours.ap < 0.9
    there_are = [value for value in ours.by_class if not math.isnan(value)]
    assert sum(there_are) / len(there_are) == pytest.approx(ours.ap)


def one(*rows: tuple[list[float], float, int]) -> Candidates:
    made = [torch.tensor([row[part] for row in rows]) for part in range(3)]
    return Candidates(made[0].reshape(-1, 4).float(), made[1].float(), made[2].long())


def objects(*rows: tuple[list[float], int], crowds: list[bool] | None = None) -> Objects:
    given = torch.tensor([row[0] for row in rows]).reshape(-1, 4).float()
    flags = None if crowds is None else torch.tensor(crowds)
    return Objects(given, torch.tensor([row[1] for row in rows]).long(), flags)


BOX, OFF = [0.0, 0.0, 40.0, 40.0], [100.0, 100.0, 140.0, 140.0]


def test_figures_by_hand() -> None:
    perfect = average_precision([one((BOX, 0.9, 0))], [objects((BOX, 0))], 2)
    assert (perfect.ap, perfect.ap_50, perfect.medium, perfect.recall) == pytest.approx((1, 1, 1, 1))
    assert math.isnan(perfect.small)
    assert math.isnan(perfect.by_class[1])
    # A wrong box of a higher score: half of what is found is right, at every recall.
    half = average_precision([one((OFF, 0.9, 0), (BOX, 0.8, 0))], [objects((BOX, 0))], 1)
    assert half.ap == pytest.approx(0.5)
    # IoU 0.8: right at 0.50 to 0.80, and these are 7 of 10 overlaps.
    near = average_precision([one(([0.0, 0, 40, 32.1], 0.9, 0))], [objects((BOX, 0))], 1)
    assert near.ap == pytest.approx(0.7)
    assert (near.ap_50, near.ap_75) == pytest.approx((1, 1))
    other = average_precision([one((BOX, 0.9, 1))], [objects((BOX, 0))], 2)
    assert other.ap == 0
    in_crowd = average_precision(
        [one((BOX, 0.9, 0), ([60.0, 60, 80, 80], 0.95, 0))],
        [objects((BOX, 0), ([50.0, 50, 90, 90], 0), crowds=[False, True])], 1,
    )  # fmt: skip
    assert in_crowd.ap == pytest.approx(1)


def test_nothing_found_and_nothing_there() -> None:
    nothing = average_precision([one()], [objects((BOX, 0))], 1)
    assert nothing.ap == 0
    assert nothing.recall == 0
    assert math.isnan(average_precision([one((BOX, 0.9, 0))], [objects()], 1).ap)
    assert math.isnan(average_precision([], [], 2).ap)
    with pytest.raises(ValueError, match="results of 1 images for 2 images"):
        average_precision([one()], [objects(), objects()], 1)
