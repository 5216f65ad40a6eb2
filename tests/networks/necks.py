"""Detectors' necks once more in PyTorch, each as its authors have it, on backbones of timm and torchvision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn


def unit(given: int, made: int, kernel: int = 1, *, bias: bool = False, epsilon: float = 1e-5) -> nn.Sequential:
    """A convolution and a norm."""
    conv = nn.Conv2d(given, made, kernel, padding=kernel // 2, bias=bias)
    return nn.Sequential(conv, nn.BatchNorm2d(made, eps=epsilon))


def enlarged(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode="nearest")


class Cell(nn.Module):
    """A cell of NAS-FPN: which two maps each node reads, counted on from the five that the cell is given."""

    NODES = ((1, 3, 1), (1, 5, 1), (0, 6, 0), (6, 7, 1), (7, 8, 2), (6, 9, 4), (9, 10, 3))  # two maps, and a level
    ATTENDED = (0, 4, 5, 6)  # nodes in which the coarser map opens a gate for the other one
    LEFT = MappingProxyType({4: 2, 5: 4})  # nodes to which a map is added that nobody reads
    GIVEN = (7, 8, 9, 11, 10)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.nodes = nn.ModuleList(unit(width, width, 3) for _ in self.NODES)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        found = [*maps]
        for number, ((first, second, level), node) in enumerate(zip(self.NODES, self.nodes, strict=True)):
            size = maps[level].shape[2:]
            one, two = (self.moved(found[at], size) for at in (first, second))
            if number in self.ATTENDED:
                one = one * torch.amax(two, (2, 3), keepdim=True).sigmoid()
            left = found[self.LEFT[number]] if number in self.LEFT else 0
            found.append(node((one + two + left).relu()))
        return [found[at] for at in self.GIVEN]

    @staticmethod
    def moved(x: Tensor, size: torch.Size) -> Tensor:
        if x.shape[2] <= size[0]:
            return enlarged(x, size)
        by = x.shape[2] // size[0]
        return F.max_pool2d(x, by, by)


class NASFPN(nn.Module):
    """ResNet-50, convolutions to one width, two maps more, and the cells."""

    def __init__(self, resnet: Any, cells: int = 7, width: int = 256) -> None:
        super().__init__()
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.stages = nn.ModuleList([resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4])
        self.lateral = nn.ModuleList(unit(given, width) for given in (512, 1024, 2048))
        self.cells = nn.Sequential(*(Cell(width) for _ in range(cells)))

    def forward(self, image: Tensor) -> list[Tensor]:
        x, stages = self.stem(image), []
        for stage in self.stages:
            x = stage(x)
            stages.append(x)
        maps = [lateral(one) for lateral, one in zip(self.lateral, stages[1:], strict=True)]
        for _ in range(2):
            maps.append(F.max_pool2d(maps[-1], 2))
        given: list[Tensor] = self.cells(maps)
        return given


def halved(x: Tensor) -> Tensor:
    """A max pool of 3 and stride 2, padded as TensorFlow pads an even size: below and on the right."""
    return F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)


class Fused(nn.Module):
    """A node of BiFPN: maps at one size, fused by shares of trainable weights, then a separable convolution."""

    def __init__(self, given: Sequence[int], width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.pointwise = unit(width, width, bias=True, epsilon=1e-3)
        self.fitted = nn.ModuleList(
            unit(one, width, bias=True, epsilon=1e-3) if one != width else nn.Identity() for one in given
        )
        self.weights = nn.ParameterList(torch.ones(1) for _ in given)

    def forward(self, maps: Sequence[Tensor], size: torch.Size) -> Tensor:
        moved = [fit(x) for fit, x in zip(self.fitted, maps, strict=True)]
        moved = [halved(x) if x.shape[2] > size[0] else enlarged(x, size) for x in moved]
        shares = torch.stack([weight.relu() for weight in self.weights])
        shares = shares / (shares.sum() + 1e-4)
        y = sum(share * x for share, x in zip(shares, moved, strict=True))
        made: Tensor = self.pointwise(self.depthwise(F.silu(torch.as_tensor(y))))
        return made


class BiFPN(nn.Module):
    """A layer: down over the levels, then up, where the levels between read what they were given once more."""

    def __init__(self, given: Sequence[int], width: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(Fused((given[at], given[4] if at == 3 else width), width) for at in (3, 2, 1, 0))
        self.up = nn.ModuleList(
            Fused((given[at], width, width) if at < 4 else (given[at], width), width) for at in (1, 2, 3, 4)
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        tops = {4: maps[4]}
        for at, node in zip((3, 2, 1, 0), self.down, strict=True):
            tops[at] = node([maps[at], tops[at + 1]], maps[at].shape[2:])
        given = [tops[0]]
        for at, node in zip((1, 2, 3, 4), self.up, strict=True):
            middle = [tops[at]] if at < 4 else []
            given.append(node([maps[at], *middle, given[-1]], maps[at].shape[2:]))
        return given


class Tower(nn.Module):
    """Separable convolutions that all levels share, with norms of each level's own."""

    def __init__(self, width: int, outputs: int, depth: int = 3, levels: int = 5) -> None:
        super().__init__()
        made = [width] * depth + [outputs]
        self.convs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False), nn.Conv2d(width, one, 1))
            for one in made
        )
        self.depth = depth
        self.norms = nn.ModuleList(nn.BatchNorm2d(width, eps=1e-3) for _ in range(depth * levels))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        given = []
        for level, x in enumerate(maps):
            y = x
            for at in range(self.depth):
                y = F.silu(self.norms[level * self.depth + at](self.convs[at](y)))
            given.append(self.convs[-1](y))
        return given


class EfficientDet(nn.Module):
    """EfficientDet-D0 on timm's backbone of TensorFlow's padding, which gives maps at strides of 8, 16 and 32."""

    def __init__(self, backbone: nn.Module, width: int = 64, layers: int = 3, labels: int = 90) -> None:
        super().__init__()
        self.backbone = backbone
        self.coarser = unit(320, width, bias=True, epsilon=1e-3)
        given = (40, 112, 320, width, width)
        self.neck = nn.Sequential(*(BiFPN((width,) * 5 if layer else given, width) for layer in range(layers)))
        self.towers = nn.ModuleList([Tower(width, labels * 9), Tower(width, 36)])

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = [*self.backbone(image)]
        maps.append(halved(self.coarser(maps[-1])))
        maps.append(halved(maps[-1]))
        maps = self.neck(maps)
        return [*maps, *(y for tower in self.towers for y in tower(maps))]


def makers(timm: Any, torchvision: Any) -> dict[str, Callable[[], nn.Module]]:
    """Each network by its file's name."""
    indices = (2, 3, 4)
    return {
        "resnet50_nas_fpn": lambda: NASFPN(torchvision.models.resnet50()),
        "efficientdet_d0": lambda: EfficientDet(
            timm.create_model("tf_efficientnet_b0", features_only=True, out_indices=indices)
        ),
    }
