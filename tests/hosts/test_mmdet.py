"""The adapter for MMDetection: with its registry and base class, or stand-ins of the same interface."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from spinedsl.backends.torch.adapters import ADAPTERS
from tests.hosts.using import PYRAMID, images, imported, plain, same, stand_in

pytestmark = pytest.mark.filterwarnings("default")  # a host's own are not ours to mend


class Registry:
    """Classes by name; `build` takes a dictionary whose `type` is the name."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def register_module(self, name: str) -> Callable[[Any], Any]:
        def register(found: Any) -> Any:
            self.found[name] = found
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


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MMDetection's registry of models, with the network in it."""
    real = find_spec("mmdet") is not None and find_spec("mmcv") is not None and find_spec("mmcv._ext") is not None
    if not real:
        registry = ModuleType("mmdet.registry")
        registry.MODELS = Registry()  # type: ignore[attr-defined]
        base = ModuleType("mmengine.model")
        base.BaseModule = BaseModule  # type: ignore[attr-defined]
        stand_in(monkeypatch, registry, base)
    generated = imported(tmp_path, PYRAMID, "mmdet")
    yield generated.MODELS
    if real:
        generated.MODELS.module_dict.pop("Tiny")


def test_it_is_built_of_a_config(registry: Any) -> None:
    model = registry.build({"type": "Tiny"}).eval()
    maps = model(images())
    assert isinstance(maps, tuple)
    assert same(maps, list(plain(PYRAMID)(images()).values()))
    assert (model.size_divisor, model.out_channels) == (32, 16)
    chosen = registry.build({"type": "Tiny", "out_indices": (0, 2)}).eval()
    assert same(chosen(images()), [maps[0], maps[2]])


@pytest.mark.parametrize("indices", [(2, 0), (1,), (2, 1, 0), (0, -1)])
def test_maps_come_as_their_indices_say(registry: Any, indices: tuple[int, ...]) -> None:
    maps = list(plain(PYRAMID)(images()).values())
    chosen = registry.build({"type": "Tiny", "out_indices": indices}).eval()
    assert same(chosen(images()), [maps[i] for i in indices])


def test_a_checkpoint_of_the_plain_module_is_loaded(registry: Any, tmp_path: Path) -> None:
    module = plain(PYRAMID)
    module.reset(3)
    torch.save(module.state_dict(), tmp_path / "trained.pth")
    init = {"type": "Pretrained", "checkpoint": str(tmp_path / "trained.pth")}
    model = registry.build({"type": "Tiny", "init_cfg": init}).eval()
    model.init_weights()
    assert model.init_cfg == init
    assert same(model(images()), list(module(images()).values()))


def test_every_name_that_mmdet_uses_is_kept_from_rows(registry: Any) -> None:
    own = set(dir(registry.build({"type": "Tiny"}))) - set(dir(plain(PYRAMID)))
    assert {name for name in own if not name.startswith("_")} <= ADAPTERS["mmdet"].attributes
