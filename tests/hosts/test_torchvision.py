"""The adapter for torchvision's detectors, in torchvision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch

from tests.hosts.using import PYRAMID, host, images, imported, plain, same
from tests.scripting import scripted

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch, at what torchvision calls


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The generated file, with torchvision installed; what torchvision would compile runs as it is written."""
    host("torchvision")
    with torch.compiler.set_stance("force_eager"):
        yield imported(tmp_path_factory.mktemp("torchvision"), PYRAMID, "torchvision")


def targets() -> list[dict[str, torch.Tensor]]:
    boxes = [[8.0, 8.0, 40.0, 40.0], [20.0, 10.0, 60.0, 50.0]]
    return [{"boxes": torch.tensor([box]), "labels": torch.tensor([1])} for box in boxes]


def small(detector: Any, **options: Any) -> Any:
    """A detector for small images of any form."""
    return detector(num_classes=3, min_size=64, max_size=128, **options)


@pytest.mark.parametrize("name", ["retinanet_tiny", "fasterrcnn_tiny"])
def test_a_detector_trains_and_detects(generated: Any, name: str) -> None:
    model = small(getattr(generated, name))
    losses = model([*images(2, 64, 70)], targets())
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert all(parameter.grad is not None for parameter in model.backbone.parameters())
    model.eval()
    getattr(model, "roi_heads", model).score_thresh = 0.0
    with torch.no_grad():
        found = model([*images(1, 64, 70), *images(1, 50, 90)])
    assert [set(entry) for entry in found] == [{"boxes", "scores", "labels"}] * 2
    assert all(len(entry["boxes"]) > 0 for entry in found)


@pytest.mark.filterwarnings("ignore:RetinaNet always returns:UserWarning")
@pytest.mark.parametrize("name", ["retinanet_tiny", "fasterrcnn_tiny"])
def test_a_detector_can_be_scripted(generated: Any, name: str) -> None:
    model = small(getattr(generated, name)).eval()
    script = scripted(model)
    if name != "fasterrcnn_tiny":  # it needs operators that an incomplete torchvision has not
        model.score_thresh = script.score_thresh = 0.0
        with torch.no_grad():
            (wanted,), (_, (found,)) = model([*images(1, 64, 70)]), script([*images(1, 64, 70)])
        assert len(wanted["boxes"]) > 0
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            torch.testing.assert_close(found[key], value)


def test_images_are_padded_to_what_the_network_divides(generated: Any) -> None:
    model = small(generated.retinanet_tiny)
    seen = []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape[-2:]))
    model.eval()
    with torch.no_grad():
        model([*images(1, 64, 70)])
    assert seen == [(64, 96)]


def test_anchors_fit_the_levels(generated: Any) -> None:
    retinanet, fasterrcnn = small(generated.retinanet_tiny), small(generated.fasterrcnn_tiny)
    assert retinanet.anchor_generator.sizes == ((32, 40, 50), (64, 80, 101), (128, 161, 203))
    assert fasterrcnn.rpn.anchor_generator.sizes == ((32,), (64,), (128,))
    assert fasterrcnn.roi_heads.box_roi_pool.featmap_names == ["P3", "P4", "P5"]


def test_a_trained_backbone_and_other_options_are_taken(generated: Any) -> None:
    backbone = generated.Tiny()
    backbone.reset(5)
    model = small(generated.retinanet_tiny, backbone=backbone, score_thresh=0.4, size_divisible=64)
    assert model.backbone is backbone
    assert (model.score_thresh, model.transform.size_divisible) == (0.4, 64)


def test_the_backbone_is_the_plain_network(generated: Any) -> None:
    backbone = generated.Tiny().eval()
    assert backbone.out_channels == 16
    assert same(list(backbone(images()).values()), list(plain(PYRAMID)(images()).values()))


def test_boxes_that_overlap_are_suppressed() -> None:
    """The stand-in for torchvision's operator, where it is used."""
    operators = pytest.importorskip("tests.hosts.operators")
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 10, 5]])
    scores = torch.tensor([0.5, 0.9, 0.1, 0.3])
    assert operators.nms(boxes, scores, 0.5).tolist() == [1, 2]
    assert operators.nms(boxes, scores, 0.6).tolist() == [1, 3, 2]
    assert operators.nms(boxes[:0], scores[:0], 0.5).tolist() == []


@pytest.mark.parametrize(("higher", "divisor"), [(-1, 16), (0, 32), (1, 64)])
def test_any_divisor_is_padded_to(higher: int, divisor: int, generated: Any, tmp_path: Path) -> None:
    """The detectors pad to what the network says, and no further, not to what they would by themselves."""
    text = PYRAMID.replace("level 2: 4, level 3..5: 8", "widths").replace("3 x 64 x 96", "3 x 128 x 128")
    text = re.sub(r"(level |P)([345])\b", lambda parts: f"{parts[1]}{int(parts[2]) + higher}", text)
    module = imported(tmp_path, text.replace("{ widths }", "{ level 2..6: 8 }"), "torchvision")
    for name in ("retinanet_tiny", "fasterrcnn_tiny"):
        model = small(getattr(module, name)).eval()
        with patch.object(model.backbone, "forward", wraps=model.backbone.forward) as seen, torch.no_grad():
            model([*images(1, 64, 70)])
        assert seen.call_args.args[0].shape[-2:] == (64, -(-70 // divisor) * divisor)
