"""A detector once more in PyTorch, as its paper has it: submodules in the order in which they run."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

LEVELS = (3, 4, 5)


class Unit(nn.Sequential):
    """A convolution, a norm and SiLU."""

    def __init__(self, given: int, made: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        conv = nn.Conv2d(given, made, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(made, eps=1e-3), nn.SiLU())


class Stage(nn.Module):
    """CSPNeXt's: one of two branches goes through a block with a depthwise 5x5; perhaps channel attention then."""

    def __init__(self, given: int, made: int, *, shortcut: bool = False, attend: bool = False) -> None:
        super().__init__()
        half = made // 2
        self.shortcut = shortcut
        self.main, self.short = Unit(given, half), Unit(given, half)
        self.block = nn.Sequential(Unit(half, half, 3), Unit(half, half, 5, groups=half), Unit(half, half))
        self.attention = nn.Conv2d(made, made, 1) if attend else None
        self.last = Unit(made, made)

    def forward(self, x: Tensor) -> Tensor:
        y = self.main(x)
        y = y + self.block(y) if self.shortcut else self.block(y)
        y = torch.cat([y, self.short(x)], 1)
        if self.attention is not None:
            y = y * F.hardsigmoid(self.attention(y.mean((2, 3), keepdim=True)))
        z: Tensor = self.last(y)
        return z


class Pools(nn.Module):
    """What is around each position, near and far."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.last = Unit(channels, channels // 2), Unit(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y: Tensor = self.last(torch.cat([x, *(F.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13))], 1))
        return y


class Neck(nn.Module):
    """PAFPN: up by nearest neighbours, then down by convolutions, which stand behind the stage that they feed."""

    def __init__(self, widths: tuple[int, int, int]) -> None:
        super().__init__()
        c3, c4, c5 = widths
        self.narrow5, self.up4, self.narrow4 = Unit(c5, c4), Stage(2 * c4, c4), Unit(c4, c3)
        self.up3 = Stage(2 * c3, c3)
        self.down4, self.stride4 = Stage(2 * c3, c4), Unit(c3, c3, 3, 2)
        self.down5, self.stride5 = Stage(2 * c4, c5), Unit(c4, c4, 3, 2)

    def forward(self, c3: Tensor, c4: Tensor, c5: Tensor) -> list[Tensor]:
        f5 = self.narrow5(c5)
        f4 = self.narrow4(self.up4(torch.cat([F.interpolate(f5, scale_factor=2), c4], 1)))
        n3 = self.up3(torch.cat([F.interpolate(f4, scale_factor=2), c3], 1))
        n4 = self.down4(torch.cat([self.stride4(n3), f4], 1))
        return [n3, n4, self.down5(torch.cat([self.stride5(n4), f5], 1))]


class Towers(nn.Module):
    """The convolutions are shared over levels; each level has norms and predictions of its own."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        pairs = [[nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2)] for _ in range(2)]
        self.shared = nn.ModuleList(nn.ModuleList(pair) for pair in pairs)
        self.levels = nn.ModuleList(self.level(channels, classes) for _ in LEVELS)

    @staticmethod
    def level(channels: int, classes: int) -> nn.ModuleList:
        """Norms of both towers, depth by depth; what predicts classes, and boxes."""
        norms = [nn.BatchNorm2d(channels, eps=1e-3) for _ in range(4)]
        return nn.ModuleList([*norms, nn.Conv2d(channels, classes, 1), nn.Conv2d(channels, 4, 1)])

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        given: list[Tensor] = []
        for level, module, x in zip(LEVELS, self.levels, maps, strict=True):
            own: list[nn.Module] = [*module.children()]
            shared: list[nn.Module] = [conv for pair in self.shared for conv in pair.children()]
            scores, boxes = x, x
            for depth in (0, 2):
                scores = F.silu(own[depth](shared[depth](scores)))
                boxes = F.silu(own[depth + 1](shared[depth + 1](boxes)))
            given += [own[4](scores), own[5](boxes).exp() * 2**level]
        return given


class RTMDetTiny(nn.Module):
    """CSPNeXt-tiny, PAFPN and the shared towers: Lyu et al., 2022, arXiv 2212.07784."""

    def __init__(self, classes: int = 80) -> None:
        super().__init__()
        self.stem = nn.Sequential(Unit(3, 12, 3, 2), Unit(12, 12, 3), Unit(12, 24, 3))
        self.stages = nn.ModuleList()
        for given, made in ((24, 48), (48, 96), (96, 192)):
            self.stages.append(nn.Sequential(Unit(given, made, 3, 2), Stage(made, made, shortcut=True, attend=True)))
        self.stages.append(nn.Sequential(Unit(192, 384, 3, 2), Pools(384), Stage(384, 384, attend=True)))
        self.neck = Neck((96, 192, 384))
        self.out = nn.ModuleList(Unit(width, 96, 3) for width in (96, 192, 384))
        self.towers = Towers(96, classes)

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = [self.stem(image)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        necked = self.neck(*maps[-3:])
        return list(self.towers([unit(x) for unit, x in zip(self.out, necked, strict=True)]))
