"""The adapter for detectron2, which no registry of packages has: with stand-ins of its interface."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from spinedsl.backends.torch.adapters import ADAPTERS
from tests.hosts.using import PYRAMID, images, imported, plain, same, stand_in


@dataclass
class ShapeSpec:
    """The shape of a map, as far as it is known."""

    channels: int | None = None
    height: int | None = None
    width: int | None = None
    stride: int | None = None


class Backbone(nn.Module, metaclass=ABCMeta):
    """What a detector of detectron2 calls."""

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def forward(self) -> dict[str, torch.Tensor]:
        """Feature maps by name."""

    @property
    def size_divisibility(self) -> int:
        return 0

    @property
    def padding_constraints(self) -> dict[str, int]:
        return {}

    def output_shape(self) -> dict[str, ShapeSpec]:
        return {}


class Registry(dict[str, Any]):
    """Functions by name."""

    def register(self) -> Callable[[Any], Any]:
        def register(found: Any) -> Any:
            self[found.__name__] = found
            return found

        return register


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    config, layers, modeling = (ModuleType(f"detectron2.{name}") for name in ("config", "layers", "modeling"))
    config.CfgNode = dict  # type: ignore[attr-defined]
    layers.ShapeSpec = ShapeSpec  # type: ignore[attr-defined]
    modeling.Backbone, modeling.BACKBONE_REGISTRY = Backbone, Registry()  # type: ignore[attr-defined]
    stand_in(monkeypatch, config, layers, modeling)
    return imported(tmp_path, PYRAMID, "detectron2")


def test_it_is_built_by_name(generated: Any) -> None:
    build = generated.BACKBONE_REGISTRY["build_tiny_backbone"]
    model = build({}, ShapeSpec(channels=3)).eval()
    assert isinstance(model, Backbone)
    maps, expected = model(images()), plain(PYRAMID)(images())
    assert list(maps) == list(expected)
    assert same(list(maps.values()), list(expected.values()))
    with pytest.raises(ValueError, match="images of 1 channels"):
        build({}, ShapeSpec(channels=1))


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
