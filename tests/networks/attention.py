"""Networks with attention along rows and columns: timm's module, or one written here, in networks of torchvision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Strips(nn.Module):
    """SPNet's block: means of rows and of columns, each by a convolution along it, spread over the map and added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0), bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1), bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, channels, 1)
        self.pools = (nn.AdaptiveAvgPool2d((None, 1)), nn.AdaptiveAvgPool2d((1, None)))

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (pool(x) for pool in self.pools)
        rows = self.bn1(self.conv1(rows)).expand(x.shape)
        columns = self.bn2(self.conv2(columns)).expand(x.shape)
        return x * torch.sigmoid(self.conv3(torch.relu(rows + columns)))


def strip_resnet50(torchvision: Any) -> nn.Module:
    """ResNet-50 with one in the last block of each stage, and in all blocks of the last."""
    made: nn.Module = torchvision.models.resnet50()
    for number in range(1, 5):
        stage = getattr(made, f"layer{number}")
        for block in stage if number == 4 else stage[-1:]:
            block.conv3 = nn.Sequential(Strips(block.conv2.out_channels), block.conv3)
    return made


def coordatt_mobilenet_v2(timm: Any, torchvision: Any) -> nn.Module:
    """MobileNetV2 with timm's coordinate attention behind each depthwise convolution of an expanded map."""
    made: Any = torchvision.models.mobilenet_v2()
    for block in made.features:
        layers = [*getattr(block, "conv", ())]
        if len(layers) == 4:  # expanded
            wide = layers[2].in_channels
            found = timm.layers.create_attn("coord", wide, rd_channels=max(8, wide // 32), bias=True)
            block.conv = nn.Sequential(*layers[:2], found, *layers[2:])
    network: nn.Module = made
    return network


def makers(timm: Any, torchvision: Any) -> dict[str, Callable[[], nn.Module]]:
    """Each network by its file's name."""
    return {
        "coordatt_mobilenet_v2": lambda: coordatt_mobilenet_v2(timm, torchvision),
        "strip_resnet50": lambda: strip_resnet50(torchvision),
    }
