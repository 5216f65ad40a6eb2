"""The adapter for detectron2, which no registry of packages has: with stand-ins of its interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spinedsl.backends.torch.adapters import ADAPTERS
from tests.hosts import stand_ins
from tests.hosts.stand_ins import Backbone, CfgNode, ShapeSpec
from tests.hosts.using import PYRAMID, images, imported, plain, same, stand_in
from tests.hosts.ways import COARSE, named


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    stand_in(monkeypatch, *stand_ins.detectron2())
    return imported(tmp_path, PYRAMID, "detectron2")


def test_it_is_built_by_name(generated: Any) -> None:
    build = generated.BACKBONE_REGISTRY["build_tiny_backbone"]
    model = build({}, ShapeSpec(channels=3)).eval()
    assert isinstance(model, Backbone)
    maps, expected = model(images()), plain(PYRAMID)(images())
    assert list(maps) == list(expected)
    assert same(list(maps.values()), list(expected.values()))


@pytest.mark.parametrize(("freeze_at", "trained"), [(0, 8), (1, 7), (2, 6), (8, 0)])
def test_freeze_at_counts_rows(generated: Any, freeze_at: int, trained: int) -> None:
    """As detectron2's own configuration says it: 1 is the stem. What is frozen computes as in evaluation."""
    cfg = CfgNode(MODEL=CfgNode(BACKBONE=CfgNode(NAME="build_tiny_backbone", FREEZE_AT=freeze_at)))
    model = generated.BACKBONE_REGISTRY["build_tiny_backbone"](cfg, ShapeSpec(channels=3)).train()
    rows = list(model.children())
    assert [all(p.requires_grad for p in row.parameters()) for row in rows] == [False] * freeze_at + [True] * trained
    assert [row.training for row in rows] == [False] * freeze_at + [True] * trained
    with pytest.raises(ValueError, match="9 rows cannot be frozen: the network has 8"):
        model.freeze(9)


def test_shapes_are_those_of_the_maps(generated: Any) -> None:
    model = generated.TinyBackbone(["P3", "P5"]).eval()
    maps, shapes = model(images()), model.output_shape()
    assert list(maps) == list(shapes) == ["P3", "P5"]
    for name, value in maps.items():
        assert value.shape[1:] == (shapes[name].channels, 64 // shapes[name].stride, 96 // shapes[name].stride)
    assert model.size_divisibility == model.padding_constraints["size_divisibility"] == 32
    with pytest.raises(ValueError, match="no feature map p3: there is P3, P4, P5"):
        generated.TinyBackbone(["p3"])


@pytest.mark.parametrize("names", [["P5", "P3"], ["P4"], ["P5", "P4", "P3"]])
def test_maps_and_their_shapes_come_in_one_order(names: list[str], generated: Any) -> None:
    model = generated.TinyBackbone(names).eval()
    assert list(model(images())) == list(model.output_shape()) == names


def test_weights_of_the_plain_module_load(generated: Any) -> None:
    module = plain(PYRAMID)
    module.reset(3)
    generated.TinyBackbone().load_state_dict(module.state_dict())


def test_every_name_that_detectron2_uses_is_kept_from_rows(generated: Any) -> None:
    own = set(dir(generated.TinyBackbone())) - set(dir(plain(PYRAMID)))
    assert {name for name in own if not name.startswith("_")} <= ADAPTERS["detectron2"].attributes


def test_a_network_that_is_called_like_one_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = stand_ins.detectron2()
    registry: Any = modules[-1]
    registry.BACKBONE_REGISTRY["build_resnet_backbone"] = own = object()
    stand_in(monkeypatch, *modules)
    generated = imported(tmp_path, named(PYRAMID, "ResNet"), "detectron2")
    assert generated.BACKBONE_REGISTRY["build_resnet_backbone"] is own
    model = generated.BACKBONE_REGISTRY["build_resnet_backbone_"]({}, ShapeSpec(channels=3)).eval()
    assert same(list(model(images()).values()), list(plain(PYRAMID)(images()).values()))


def test_maps_are_called_as_the_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that are maps of other rows."""
    stand_in(monkeypatch, *stand_ins.detectron2())
    generated = imported(tmp_path, COARSE, "detectron2")
    model = generated.CoarseBackbone(out_features=["C3", "C5"])
    assert [*model.output_shape()] == [*model(images())] == ["C3", "C5"]
