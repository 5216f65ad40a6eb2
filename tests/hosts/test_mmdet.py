"""The adapter for MMDetection: with its registry and base class, or stand-ins of the same interface."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from spinedsl.backends.torch.adapters import ADAPTERS
from tests.hosts import stand_ins
from tests.hosts.using import PYRAMID, images, imported, plain, same, stand_in
from tests.hosts.ways import VECTORS, generated, named

pytestmark = pytest.mark.filterwarnings("default")  # a host's own are not ours to mend


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MMDetection's registry of models, with the network in it."""
    real = find_spec("mmdet") is not None and find_spec("mmcv") is not None and find_spec("mmcv._ext") is not None
    if not real:
        stand_in(monkeypatch, *stand_ins.mmdet())
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


@pytest.mark.parametrize(("stages", "frozen"), [(-1, 0), (0, 1), (1, 2), (7, 8)])
def test_frozen_stages_are_rows(registry: Any, stages: int, frozen: int) -> None:
    """Stage 0 is the stem, as in MMDetection's own backbones; also after `train`, which every epoch begins with."""
    model = registry.build({"type": "Tiny", "frozen_stages": stages}).train()
    rows = list(model.children())
    assert [row.training for row in rows] == [False] * frozen + [True] * (len(rows) - frozen)
    assert [any(p.requires_grad for p in row.parameters()) for row in rows] == [row.training for row in rows]
    norm = model.s.enter.norm
    before = norm.running_mean.clone()
    model(images())
    assert torch.equal(norm.running_mean, before) == (frozen > 0)


def test_norms_are_evaluated_if_that_is_asked(registry: Any) -> None:
    model = registry.build({"type": "Tiny", "norm_eval": True}).train()
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)
    assert all(norm.weight.requires_grad for norm in norms)
    assert model.s.training
    assert model.s.enter.conv.training


def test_what_cannot_be_is_refused(registry: Any) -> None:
    for options, message in {
        ("out_indices", (0, 3)): r"out_indices is \(0, 3\), but the network gives 3 maps",
        ("frozen_stages", 8): "frozen_stages is 8, but there are stages 0 to 7",
        ("in_channels", 0): "at least one channel, got 0",
    }.items():
        with pytest.raises(ValueError, match=message):
            registry.build({"type": "Tiny", **dict([options])})
    with pytest.raises(TypeError, match="output_stride"):
        registry.build({"type": "Tiny", "output_stride": 16})


def test_norms_of_vectors_are_evaluated_too() -> None:
    model = generated("mmdet", VECTORS).MODELS.build({"type": "Vectors", "norm_eval": True}).train()
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert any(isinstance(norm, nn.BatchNorm1d) for norm in norms)
    assert not any(norm.training for norm in norms)


def test_a_network_that_is_called_like_one_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = stand_ins.mmdet()
    registry: Any = modules[0]
    registry.MODELS.found["ResNet"] = own = object()
    stand_in(monkeypatch, *modules)
    module = imported(tmp_path, named(PYRAMID, "ResNet"), "mmdet")
    assert module.MODELS.found["ResNet"] is own
    model = module.MODELS.build({"type": "ResNetBackbone"}).eval()
    assert same(list(model(images())), list(plain(PYRAMID)(images()).values()))
