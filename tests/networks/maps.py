"""Networks whose outputs are maps, once more in PyTorch: as their papers or their authors' code have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn


def unit(
    given: int, made: int, kernel: int = 1, stride: int = 1, dilation: int = 1, epsilon: float = 1e-5
) -> nn.Module:
    """A convolution and a norm."""
    conv = nn.Conv2d(given, made, kernel, stride, dilation * (kernel // 2), dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(made, eps=epsilon))


def resized(x: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class UNet(nn.Module):
    """Two convolutions at each level, down by max pools, up by transposed convolutions onto what was kept."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        widths = (64, 128, 256, 512, 1024)
        self.down = nn.ModuleList(self.twice(a, b) for a, b in zip((3, *widths[:-1]), widths, strict=True))
        self.rising = nn.ModuleList()
        for below, width in ((1024, 512), (512, 256), (256, 128), (128, 64)):
            self.rising.extend([self.twice(below, width), nn.ConvTranspose2d(below, width, 2, 2)])
        self.scores = nn.Conv2d(64, classes, 1)

    @staticmethod
    def twice(given: int, made: int) -> nn.Sequential:
        return nn.Sequential(unit(given, made, 3), nn.ReLU(), unit(made, made, 3), nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        maps: list[Tensor] = []
        for number, block in enumerate(self.down):
            maps.append(block(F.max_pool2d(maps[-1], 2) if number else image))
        y = maps.pop()
        for block, up in zip(self.rising[::2], self.rising[1::2], strict=True):
            y = block(torch.cat([maps.pop(), up(y)], 1))
        scores: Tensor = self.scores(y)
        return scores


class Residual(nn.Module):
    """A bottleneck whose norms and activations come first."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        half = made // 2
        self.body = nn.Sequential(
            nn.BatchNorm2d(given), nn.ReLU(), nn.Conv2d(given, half, 1),
            nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1),
            nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, made, 1),
        )  # fmt: skip
        self.past = nn.Conv2d(given, made, 1) if given != made else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.body(x) + self.past(x)
        return made


class Hourglass(nn.Module):
    """Kept at each of four levels, and halved; then doubled and added, level by level."""

    def __init__(self, width: int, depth: int = 4) -> None:
        super().__init__()
        self.going = nn.ModuleList(Residual(width, width) for _ in range(2 * depth))
        self.middle = Residual(width, width)
        self.rising = nn.ModuleList(Residual(width, width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for number, block in enumerate(self.going):
            if number % 2:
                x = block(F.max_pool2d(x, 2))
            else:
                kept.append(block(x))
        y = self.middle(x)
        for block in self.rising:
            y = kept.pop() + F.interpolate(block(y), scale_factor=2)
        made: Tensor = y
        return made


class Stack2(nn.Module):
    """Two of them, each with features and scores."""

    def __init__(self, width: int = 256, joints: int = 16) -> None:
        super().__init__()
        half = width // 2
        self.stem = nn.Sequential(nn.Conv2d(3, width // 4, 7, 2, 3), nn.BatchNorm2d(width // 4), nn.ReLU())
        self.enter = nn.Sequential(
            Residual(width // 4, half), nn.MaxPool2d(2), Residual(half, width), Residual(width, width)
        )
        self.first, self.score = self.stack(width), nn.Conv2d(width, joints, 1)
        self.back = nn.ModuleList([nn.Conv2d(width, width, 1), nn.Conv2d(joints, width, 1)])
        self.second, self.last = self.stack(width), nn.Conv2d(width, joints, 1)

    @staticmethod
    def stack(width: int) -> nn.Sequential:
        feature = (nn.Conv2d(width, width, 1), nn.BatchNorm2d(width), nn.ReLU())
        return nn.Sequential(Hourglass(width), Residual(width, width), *feature)

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.enter(self.stem(image))
        features = self.first(x)
        scores = self.score(features)
        x = x + self.back[0](features) + self.back[1](scores)
        return [scores, self.last(self.second(x))]


class PSPNet(nn.Module):
    """On torchvision's dilated ResNet."""

    def __init__(self, resnet: Any, classes: int = 19, bins: Sequence[int] = (1, 2, 3, 6)) -> None:
        super().__init__()
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.stages = nn.Sequential(resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
        self.bins = bins
        self.pooled = nn.ModuleList(unit(2048, 2048 // len(bins)) for _ in bins)
        self.merged = unit(4096, 512, 3)
        self.scores = nn.Conv2d(512, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.stages(self.stem(image))
        maps = [x]
        for cells, pooled in zip(self.bins, self.pooled, strict=True):
            maps.append(resized(pooled(F.adaptive_avg_pool2d(x, cells)).relu(), x.shape[2:]))
        y = self.scores(self.merged(torch.cat(maps, 1)).relu())
        return resized(y, image.shape[2:])


class Separable(nn.Module):
    """Twice: an activation, a depthwise convolution, a 1x1 one and a norm."""

    def __init__(self, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for step in (stride, 1):
            depthwise = nn.Conv2d(width, width, kernel, step, kernel // 2, groups=width, bias=False)
            self.layers.append(nn.Sequential(nn.ReLU(), depthwise, unit(width, width, epsilon=1e-3)))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class Atrous(nn.Module):
    """Dilated by 2, or on the halved map."""

    def __init__(self, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.conv = unit(width, width, kernel, dilation=2 if stride == 1 else 1, epsilon=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        y = x.relu()
        if self.stride > 1:
            y = resized(y, torch.Size(side // 2 for side in y.shape[2:]))
        made: Tensor = self.conv(y)
        return made


class Cell(nn.Module):
    """The operations of Auto-DeepLab's cell, and which states they read: 0 is the last cell's, 1 the one before."""

    OPERATIONS = (
        (Atrous, 5), (Separable, 3), (Separable, 3), (Atrous, 3), (Separable, 3), (Separable, 3),
        (Separable, 5), (Separable, 5), (Separable, 5), (Atrous, 5),
    )  # fmt: skip
    STATES = (1, 0, 1, 0, 3, 1, 4, 2, 3, 5)

    def __init__(self, given: int, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.before, self.given = unit(before, width, epsilon=1e-3), unit(given, width, epsilon=1e-3)
        self.operations = nn.ModuleList(
            operation(width, kernel, stride if state < 2 else 1)
            for (operation, kernel), state in zip(self.OPERATIONS, self.STATES, strict=True)
        )

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        if before.shape[2:] != x.shape[2:]:
            before = resized(before, x.shape[2:])
        states = [self.given(x.relu()), self.before(before.relu())]
        for number in range(0, len(self.STATES), 2):
            made = [self.operations[at](states[self.STATES[at]]) for at in (number, number + 1)]
            states.append(made[0] + made[1])
        return torch.cat(states[2:], 1)


class AutoDeepLab(nn.Module):
    """The path over levels: 0 is a stride of 4."""

    PATH = (0, 0, 0, 1, 2, 1, 2, 2, 3, 3, 2, 1)

    def __init__(self, width: int = 20, classes: int = 19) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, 64, 3, 2, epsilon=1e-3), nn.ReLU(), unit(64, 64, 3, epsilon=1e-3))
        self.enter = nn.Sequential(nn.ReLU(), unit(64, 128, 3, 2, epsilon=1e-3))
        self.cells = nn.ModuleList()
        given, before, level = 128, 64, 0
        for there in self.PATH:
            self.cells.append(Cell(given, before, width << there, 2 if there > level else 1))
            given, before, level = (width << there) * 5, given, there
        self.scores = nn.Conv2d(given, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        before = self.stem(image)
        x, level = self.enter(before), 0
        for there, cell in zip(self.PATH, self.cells, strict=True):
            y = F.interpolate(x, scale_factor=2, mode="bilinear") if there < level else x
            before, x, level = x, cell(y, before), there
        scores: Tensor = self.scores(x.relu())
        return scores


class CRNN(nn.Sequential):
    """The convolutions of CRNN, whose later pools halve the height alone."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        given = 1
        for number, made in enumerate((64, 128, 256, 256, 512, 512, 512)):
            layers.append(nn.Conv2d(given, made, 2 if number == 6 else 3, padding=int(number < 6)))
            if number in (2, 4, 6):
                layers.append(nn.BatchNorm2d(made))
            layers.append(nn.ReLU())
            if number in (0, 1):
                layers.append(nn.MaxPool2d(2))
            elif number in (3, 5):
                layers.append(nn.MaxPool2d(2, (2, 1), (0, 1)))
            given = made
        super().__init__(*layers)


class DeepLabV3Plus(nn.Module):
    """Five branches at a stride of 16, one of them pooled, and the map at a stride of 4 beside what is made of them."""

    def __init__(self, classes: int = 21) -> None:
        super().__init__()
        widths = ((3, 16, 2), (16, 16, 2), (16, 16, 1), (16, 24, 2), (24, 32, 2))
        self.stages = nn.ModuleList(unit(given, made, 3, stride) for given, made, stride in widths)
        kernels = ((1, 1), (3, 6), (3, 12), (3, 18), (1, 1))
        self.branches = nn.ModuleList(unit(32, 32, kernel, dilation=rate) for kernel, rate in kernels)
        self.project, self.low = unit(160, 32), unit(16, 12)
        self.decoded = nn.Sequential(unit(44, 32, 3), nn.ReLU(), unit(32, 32, 3), nn.ReLU())
        self.scores = nn.Conv2d(32, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        maps = [image]
        for stage in self.stages:
            maps.append(stage(maps[-1]).relu())
        low, x = maps[3], maps[5]
        found = [branch(x).relu() for branch in self.branches[:-1]]
        found.append(resized(self.branches[-1](x.mean((2, 3), keepdim=True)).relu(), x.shape[2:]))
        y = self.project(torch.cat(found, 1)).relu()
        y = torch.cat([resized(y, low.shape[2:]), self.low(low).relu()], 1)
        return resized(self.scores(self.decoded(y)), image.shape[2:])


def makers(torchvision: Any) -> dict[str, Callable[[], nn.Module]]:
    """Each network by its file's name."""
    dilated = (False, True, True)
    return {
        "crnn": CRNN,
        "unet": UNet,
        "hourglass_stack2": Stack2,
        "pspnet50": lambda: PSPNet(torchvision.models.resnet50(replace_stride_with_dilation=dilated)),
        "auto_deeplab": AutoDeepLab,
        "deeplabv3plus": DeepLabV3Plus,
    }
