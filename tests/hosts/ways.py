"""The ways of the five hosts to one network: how each builds it, asks it for maps and for what else backbones have.

`WAYS` has a row for each host. The table of tests (`test_table.py`) asks every row the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.hosts import stand_ins
from tests.hosts.using import PYRAMID, STAGES, host, imported, stand_in


@dataclass(frozen=True)
class Asked:
    """What a host is asked for, in no host's words. `frozen` counts rows from the first."""

    channels: int = 0  # 0: those that the network is written for
    chosen: tuple[int, ...] = ()  # maps; none: all
    frozen: int = 0
    checkpointed: bool = False


@dataclass(frozen=True)
class Way:
    """A host. `build` makes its backbone of a generated module, `maps` asks for feature maps, fine to coarse."""

    build: Callable[[ModuleType, str, Asked], Any]
    maps: Callable[[Any, Tensor], list[Tensor]]
    network: Callable[[Any], nn.Module] = lambda model: model  # whose children are the rows
    installed: bool = True
    stand_in: Callable[[], list[ModuleType]] = list
    takes: frozenset[str] = frozenset({"channels", "chosen", "frozen", "checkpointed"})


def _timm(module: ModuleType, name: str, asked: Asked) -> Any:
    import timm

    options = {"in_chans": asked.channels or None, "out_indices": asked.chosen or None}
    model = timm.create_model(name.lower(), features_only=True, **{k: v for k, v in options.items() if v is not None})
    if asked.frozen:
        rows = [row for row, _ in model.model.named_children()]
        timm.utils.freeze(model.model, rows[: asked.frozen])
    model.model.set_grad_checkpointing(asked.checkpointed)
    return model


def _torchvision(module: ModuleType, name: str, asked: Asked) -> Any:
    """The backbone of a detector."""
    rows = len(list(getattr(module, name)().children()))
    detector = getattr(module, f"retinanet_{name.lower()}")
    return detector(num_classes=2, trainable_backbone_layers=rows - asked.frozen).backbone


def _transformers(module: ModuleType, name: str, asked: Asked) -> Any:
    options = {"num_channels": asked.channels or None, "out_indices": asked.chosen or None}
    config = getattr(module, f"{name}Config")(**{k: v for k, v in options.items() if v is not None})
    model = getattr(module, f"{name}Backbone")(config)
    for row in list(model.model.children())[: asked.frozen]:
        row.requires_grad_(False)
    if asked.checkpointed:
        model.activation_checkpointing_enable()
    return model


def _detectron2(module: ModuleType, name: str, asked: Asked) -> Any:
    backbone = stand_ins.CfgNode(FREEZE_AT=asked.frozen)
    cfg = stand_ins.CfgNode(MODEL=stand_ins.CfgNode(BACKBONE=backbone))
    shape = stand_ins.ShapeSpec(channels=asked.channels or None)
    return module.BACKBONE_REGISTRY[f"build_{name.lower()}_backbone"](cfg, shape)


def _mmdet(module: ModuleType, name: str, asked: Asked) -> Any:
    options = {"in_channels": asked.channels or None, "out_indices": asked.chosen or None}
    given = {key: value for key, value in options.items() if value is not None}
    return module.MODELS.build(
        {"type": name, "frozen_stages": asked.frozen - 1, "with_cp": asked.checkpointed, **given}
    )


WAYS = {
    "timm": Way(_timm, lambda model, x: list(model(x)), lambda model: model.model),
    "torchvision": Way(_torchvision, lambda model, x: list(model(x).values()), takes=frozenset({"frozen"})),
    "transformers": Way(
        _transformers,
        lambda model, x: list(model(x).feature_maps),
        lambda model: model.model,
    ),
    "detectron2": Way(
        _detectron2,
        lambda model, x: list(model(x).values()),
        installed=False,
        stand_in=stand_ins.detectron2,
        takes=frozenset({"channels", "frozen"}),
    ),
    "mmdet": Way(_mmdet, lambda model, x: list(model(x)), installed=False, stand_in=stand_ins.mmdet),
}


def named(text: str, name: str) -> str:
    return re.sub(r"network \w+", f"network {name}", text)


def channels(count: int) -> str:
    """The small pyramid for images of so many channels."""
    return named(PYRAMID.replace("3 x 64 x 96", f"{count} x 64 x 96"), f"Of{count}")


def any_size(text: str) -> str:
    """The same, for images of any size."""
    return text.replace("defaults {", "rules { sizes any }\n    defaults {")


ANY_SIZE = named(any_size(PYRAMID), "AnySize")
COARSE = named(STAGES, "Coarse")
# The stem shows the image itself to what follows: nothing can take other channels alone.
MIXING = named(
    PYRAMID.replace("resnet_stem", "mixing").replace(
        "network Tiny",
        "stem_type mixing(image, channels) -> channels {\n"
        "    let seen = max_pool(concat(image, conv(image, 5, kernel = 3)), kernel = 3, stride = 4)\n"
        "    return relu(conv(seen, channels, kernel = 1))\n}\nnetwork Tiny",
    ),
    "Mixing",
)
# A block that weighs every position by a vector of all of them: the size is fixed.
FIXED = named(
    PYRAMID.replace(
        "network Tiny",
        "block_type weighed(x, channels, stride = 1) -> channels {\n"
        "    let weights = reshape(linear(flatten(x), channels * 6), channels, like = x)\n"
        "    return conv(x, channels, kernel = 1) * weights\n}\nnetwork Tiny",
    )
    .replace("\n\n    output", "\n    block b4: weighed level 5 after b3 channels 8\n\n    output")
    .replace("endpoint from b3", "endpoint from b4"),
    "Fixed",
)
# A batch norm of vectors, a trainable number for each channel, and a convolution along the channels.
VECTORS = named(
    PYRAMID.replace("b0: bottleneck", "b0: weighing").replace(
        "network Tiny",
        "block_type weighing(x, channels, stride = 1) -> channels {\n"
        "    let y = norm(conv(x, channels, kernel = 3, stride = stride)) * parameter(channels)\n"
        "    let weights = sigmoid(batch_norm(linear(flatten(global_average_pool(y)), channels)))\n"
        "    let spread = reshape(weights, channels, like = global_average_pool(y))\n"
        "    return act(channel_conv(y * spread, kernel = 3))\n}\nnetwork Tiny",
    ),
    "Vectors",
)
# Repetitions, layer norms, trainable numbers and stochastic depth, and no batch norm in the blocks.
NEXT = """\
spine 1
import std.blocks
import std.stems
import std.outputs

network Nexter {
    input image: 3 x 64 x 96
    defaults { act relu, norm batch_norm(momentum = 0.99, epsilon = 1e-3), conv(padding = same) }
    widths { level 2: 8, level 3: 12, level 4: 16 }

    stem s: resnet_stem channels 8
    block c2: convnext(scale = 0.5) level 2 after s
    block c3: convnext(scale = 0.5, rate = 0.2) level 3 after c2 repeat 3
    block c4: convnext(scale = 0.5, rate = 0.4) level 4 after c3 repeat 2

    output P2: endpoint from c2 channels 16
    output P3: endpoint from c3 channels 16
    output P4: endpoint from c4 channels 16
}
"""


@cache
def generated(adapter: str, text: str) -> ModuleType:
    """The generated file of a host, imported once: hosts refuse or complain about a second model of one name."""
    way = WAYS[adapter]
    if way.installed:
        host(adapter)
        return imported(Path(mkdtemp()), text, adapter)
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, *way.stand_in())
        return imported(Path(mkdtemp()), text, adapter)


def built(adapter: str, text: str, asked: Asked = Asked()) -> Any:
    """The host's backbone of a text."""
    found = re.search(r"network (\w+)", text)
    assert found is not None
    return WAYS[adapter].build(generated(adapter, text), found[1], asked)


def maps(adapter: str, model: Any, x: Tensor) -> list[Tensor]:
    """Its feature maps, fine to coarse."""
    return WAYS[adapter].maps(model, x)


def rows(adapter: str, model: Any) -> list[nn.Module]:
    """The rows of its network, in the order of the file; no head."""
    return [row for name, row in WAYS[adapter].network(model).named_children() if name != "head"]


def pictures(count: int = 2, channels: int = 3, height: int = 64, width: int = 96) -> Tensor:
    """Images from a seed."""
    return torch.randn(count, channels, height, width, generator=torch.Generator().manual_seed(1))
