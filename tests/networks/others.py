"""Networks that no package here has, written in PyTorch once more."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Unit(nn.Sequential):
    """A convolution, a norm and an activation."""

    def __init__(self, given: int, made: int, kernel: int = 1, stride: int = 1, padding: int | None = None) -> None:
        around = kernel // 2 if padding is None else padding
        conv = nn.Conv2d(given, made, kernel, stride, around, bias=False)
        super().__init__(conv, nn.BatchNorm2d(made, eps=1e-3, momentum=0.03), nn.SiLU())


class Bottleneck(nn.Module):
    """Two convolutions, and the way past them where it is added."""

    def __init__(self, channels: int, added: bool) -> None:
        super().__init__()
        self.first, self.second, self.added = Unit(channels, channels), Unit(channels, channels, 3), added

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return x + y if self.added else y


class C3(nn.Module):
    """A cross stage with three convolutions."""

    def __init__(self, given: int, made: int, depth: int = 1, added: bool = True) -> None:
        super().__init__()
        half = made // 2
        self.past, self.enter = Unit(given, half), Unit(given, half)
        self.inner = nn.Sequential(*(Bottleneck(half, added) for _ in range(depth)))
        self.leave = Unit(2 * half, made)

    def forward(self, x: Tensor) -> Tensor:
        joined: Tensor = self.leave(torch.cat([self.inner(self.enter(x)), self.past(x)], 1))
        return joined


class Pools(nn.Module):
    """Three pools of 5 one after another, beside what they read."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter, self.leave = Unit(channels, channels // 2), Unit(2 * channels, channels)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.enter(x)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        left: Tensor = self.leave(torch.cat(maps, 1))
        return left


class YOLOv5s(nn.Module):
    """Release 6 at scale s, row by row: where each row reads from, as the table of the release counts them."""

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        up = nn.Upsample(scale_factor=2)
        rows = [
            Unit(3, 32, 6, 2, 2), Unit(32, 64, 3, 2), C3(64, 64, 1), Unit(64, 128, 3, 2), C3(128, 128, 2),
            Unit(128, 256, 3, 2), C3(256, 256, 3), Unit(256, 512, 3, 2), C3(512, 512, 1), Pools(512),
            Unit(512, 256), up, nn.Identity(), C3(512, 256, 1, False),
            Unit(256, 128), up, nn.Identity(), C3(256, 128, 1, False),
            Unit(128, 128, 3, 2), nn.Identity(), C3(256, 256, 1, False),
            Unit(256, 256, 3, 2), nn.Identity(), C3(512, 512, 1, False),
        ]  # fmt: skip
        # In the order in which ours makes them: what brings a map to a block comes after the block.
        self.made = nn.ModuleList([*rows[:18], rows[20], rows[18], rows[23], rows[21]])
        self.rows = tuple(rows)
        self.joined = {12: 6, 16: 4, 19: 14, 22: 10}
        self.read = (17, 20, 23)
        self.predict = nn.ModuleList(nn.Conv2d(width, 3 * (5 + classes), 1) for width in (128, 256, 512))

    def forward(self, image: Tensor) -> list[Tensor]:
        found: list[Tensor] = []
        y = image
        for number, row in enumerate(self.rows):
            y = torch.cat([y, found[self.joined[number]]], 1) if number in self.joined else row(y)
            found.append(y)
        return [conv(found[row]) for conv, row in zip(self.predict, self.read, strict=True)]
