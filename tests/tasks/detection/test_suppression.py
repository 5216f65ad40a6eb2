"""Suppression beside ONNX Runtime's `NonMaxSuppression`, and beside a loop over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor

from spinedsl.tasks.detection.boxes import iou
from spinedsl.tasks.detection.suppression import NO_CLASS, Candidates, stay, suppressed
from tests.tasks.detection.drawing import boxes, generator


def candidates(seed: int, count: int, classes: int, *, whole: bool, few_scores: bool) -> Candidates:
    """Boxes of which many overlap; scores of which many are equal, if there are few."""
    scores = torch.rand(count, generator=generator(seed + 1))
    scores = (scores * 4).floor() / 8 + 0.1 if few_scores else scores * 0.9 + 0.05
    labels = torch.randint(classes, (count,), generator=generator(seed + 2))
    found = boxes(count, seed, extent=40, whole=whole)
    if seed % 3 == 0 and count > 4:
        found[1], found[2, 2:] = found[0], found[2, :2]  # one twice, and one without area
    return Candidates(found, scores, labels)


@pytest.fixture(scope="module")
def session() -> Any:
    inputs = [
        helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["b", "n", 4]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["b", "c", "n"]),
        helper.make_tensor_value_info("most", TensorProto.INT64, []),
        helper.make_tensor_value_info("overlap", TensorProto.FLOAT, []),
        helper.make_tensor_value_info("least", TensorProto.FLOAT, []),
    ]
    output = helper.make_tensor_value_info("found", TensorProto.INT64, ["k", 3])
    node = helper.make_node("NonMaxSuppression", [one.name for one in inputs], ["found"])
    graph = helper.make_graph([node], "nms", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def by_onnx(session: Any, images: list[Candidates], classes: int, overlap: float, most: int) -> list[list[int]]:
    """What stays of each image of a batch: by its operator, then by falling scores, of equal ones by class."""
    count = max(len(one.boxes) for one in images)
    given = np.zeros((len(images), count, 4), np.float32)
    scores = np.full((len(images), classes, count), -1, np.float32)
    for number, one in enumerate(images):
        given[number, : len(one.boxes)] = one.boxes.numpy()
        scores[number, one.labels.numpy(), np.arange(len(one.boxes))] = one.scores.numpy()
    limits = {"most": np.int64(most), "overlap": np.float32(overlap), "least": np.float32(0)}
    chosen = session.run(None, {"boxes": given, "scores": scores, **{k: np.array(v) for k, v in limits.items()}})[0]
    kept: list[list[int]] = []
    for number in range(len(images)):
        rows = [(int(c), int(n)) for image, c, n in chosen if image == number]
        rows.sort(key=lambda row: -float(scores[number, row[0], row[1]]))
        kept.append([n for _, n in rows][:most])
    return kept


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("few_scores", [True, False])
def test_it_is_that_of_onnx_in_its_order(session: Any, whole: bool, few_scores: bool) -> None:
    """150 batches of 1 to 4 images, sizes and thresholds drawn anew: the same boxes in the same order."""
    dropped = 0
    for seed in range(150):
        overlap, most = (0.5, 0.3, 0.7, 1 / 3)[seed % 4], (100, 5, 1)[seed % 3]
        images = [
            candidates(10 * seed + one, 1 + (7 * seed + one) % 40, 1 + seed % 3, whole=whole, few_scores=few_scores)
            for one in range(1 + seed % 4)
        ]
        expected = by_onnx(session, images, 1 + seed % 3, overlap, most)
        found = [stay(one, overlap=overlap, most=most).tolist() for one in images]
        assert found == expected
        dropped += sum(len(one.boxes) - len(kept) for one, kept in zip(images, found, strict=True))
        together = suppressed(images, overlap=overlap, most=most)
        for number, (one, kept) in enumerate(zip(images, found, strict=True)):
            assert torch.equal(together.of(number).boxes, one.boxes[kept])
            assert torch.equal(together.of(number).scores, one.scores[kept])
            assert torch.equal(together.of(number).labels, one.labels[kept])
    assert dropped > 1000


def test_it_is_what_a_loop_over_pairs_says() -> None:
    for seed in range(40):
        one = candidates(seed, 30, 2, whole=seed % 2 == 0, few_scores=True)
        kept: list[int] = []
        for number in sorted(range(30), key=lambda n: (-float(one.scores[n]), int(one.labels[n]), n)):
            rivals = [n for n in kept if one.labels[n] == one.labels[number]]
            if all(float(iou(one.boxes[n], one.boxes[number])) <= 0.5 for n in rivals):
                kept.append(number)
        assert stay(one).tolist() == kept


def test_padding_and_empty_images() -> None:
    none = Candidates(torch.empty(0, 4), torch.empty(0), torch.empty(0, dtype=torch.long))
    two = Candidates(torch.tensor([[0.0, 0, 4, 4], [9, 9, 12, 12]]), torch.tensor([0.3, 0.8]), torch.tensor([4, 0]))
    found = suppressed([none, two, none], most=3)
    assert found.count.tolist() == [0, 2, 0]
    assert found.boxes.shape == (3, 3, 4)
    assert found.boxes[1].tolist() == [[9, 9, 12, 12], [0, 0, 4, 4], [0, 0, 0, 0]]
    assert found.scores[1].tolist() == pytest.approx([0.8, 0.3, 0])
    assert found.labels.tolist() == [[NO_CLASS] * 3, [0, 4, NO_CLASS], [NO_CLASS] * 3]
    assert len(found.of(0).boxes) == 0
    assert suppressed([], most=2).boxes.shape == (0, 2, 4)


def _one(rows: list[tuple[list[float], float, int]]) -> Candidates:
    made: tuple[Tensor, Tensor, Tensor] = (
        torch.tensor([row[0] for row in rows]), torch.tensor([row[1] for row in rows]),
        torch.tensor([row[2] for row in rows]),
    )  # fmt: skip
    return Candidates(*made)


def test_edges_of_the_rule_by_hand() -> None:
    same, half = [0.0, 0, 2, 2], [0.0, 0, 2, 1]  # IoU exactly 1/2
    assert stay(_one([(same, 0.9, 0), (half, 0.8, 0)])).tolist() == [0, 1]  # not above it
    assert stay(_one([(same, 0.9, 0), (half, 0.8, 0)]), overlap=0.49).tolist() == [0]
    assert stay(_one([(same, 0.9, 0), (same, 0.95, 1)])).tolist() == [1, 0]  # of two classes
    assert stay(_one([(same, 0.9, 1), (same, 0.9, 0), (same, 0.9, 0)])).tolist() == [1, 0]  # by class, then as given
    flat = [1.0, 1, 1, 1]
    assert stay(_one([(flat, 0.9, 0), (flat, 0.8, 0), (same, 0.7, 0)])).tolist() == [0, 1, 2]
    # A box that is suppressed suppresses nothing.
    chain = [([0.0, 0, 10, 10], 0.9, 0), ([0.0, 3, 10, 13], 0.8, 0), ([0.0, 6, 10, 16], 0.7, 0)]
    assert stay(_one(chain)).tolist() == [0, 2]
    assert stay(_one(chain), most=1).tolist() == [0]
