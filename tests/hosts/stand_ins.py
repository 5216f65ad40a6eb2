"""Stand-ins for detectron2 and MMDetection, which are seldom installed: what their interfaces document, and no more."""

from __future__ import annotations

import copy
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import nn


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


class Functions(dict[str, Any]):
    """detectron2's registry: functions by name."""

    def register(self) -> Callable[[Any], Any]:
        def register(found: Any) -> Any:
            assert found.__name__ not in self
            self[found.__name__] = found
            return found

        return register


class CfgNode(dict[str, Any]):
    """A configuration of detectron2: a dictionary whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]


def detectron2() -> list[ModuleType]:
    """What an adapter imports of detectron2."""
    config, layers, modeling = (ModuleType(f"detectron2.{name}") for name in ("config", "layers", "modeling"))
    config.CfgNode = CfgNode  # type: ignore[attr-defined]
    layers.ShapeSpec = ShapeSpec  # type: ignore[attr-defined]
    modeling.Backbone, modeling.BACKBONE_REGISTRY = Backbone, Functions()  # type: ignore[attr-defined]
    return [config, layers, modeling]


def batched(images: list[torch.Tensor], padding_constraints: dict[str, int]) -> torch.Tensor:
    """Images as detectron2 lays them into one batch: at the top left, padded to what the backbone divides."""
    divisor = padding_constraints["size_divisibility"]
    height, width = (-(-max(image.shape[axis] for image in images) // divisor) * divisor for axis in (1, 2))
    batch = images[0].new_zeros(len(images), images[0].shape[0], height, width)
    for slot, image in zip(batch, images, strict=True):
        slot[:, : image.shape[1], : image.shape[2]] = image
    return batch


class Classes:
    """MMDetection's registry: classes by name; `build` takes a dictionary whose `type` is the name."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def register_module(self, name: str | None) -> Callable[[Any], Any]:
        def register(found: Any) -> Any:
            assert (name or found.__name__) not in self
            self.found[name or found.__name__] = found
            return found

        return register

    def build(self, config: dict[str, Any]) -> Any:
        options = dict(config)
        return self.found[options.pop("type")](**options)


class BaseModule(nn.Module):
    """`init_weights` loads what `init_cfg` names."""

    def __init__(self, init_cfg: Any = None) -> None:
        super().__init__()
        self.init_cfg = copy.deepcopy(init_cfg)

    def init_weights(self) -> None:
        if self.init_cfg:
            assert self.init_cfg["type"] == "Pretrained"
            self.load_state_dict(torch.load(self.init_cfg["checkpoint"], weights_only=True))


def mmdet() -> list[ModuleType]:
    """What an adapter imports of MMDetection."""
    registry, base = ModuleType("mmdet.registry"), ModuleType("mmengine.model")
    registry.MODELS = Classes()  # type: ignore[attr-defined]
    base.BaseModule = BaseModule  # type: ignore[attr-defined]
    return [registry, base]
