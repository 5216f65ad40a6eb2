"""Cells of timm's NASNet, and YOLOv8 as its table of layers has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tests.networks.others import Pools, Unit


class NASNetA(nn.Module):
    """Normal cells of timm with a reduction between stages, as for small images. A cell reads the two before it."""

    def __init__(self, cells: Any, width: int = 8, repeats: int = 2, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width * 3, 3, padding=1, bias=False), nn.BatchNorm2d(width * 3, eps=1e-3)
        )
        self.cells = nn.ModuleList()
        before, given = width * 3, width * 3
        for stage in range(3):
            wide = width << stage
            kinds = [cells.NormalCell] * repeats
            if stage:
                kinds = [cells.ReductionCell0, cells.FirstCell, *kinds[1:]]
            for kind in kinds:
                first = kind is cells.FirstCell
                self.cells.append(kind(before, wide // 2 if first else wide, given, wide))
                if first:
                    self.put_last(self.cells[-1])
                before, given = given, wide * (4 if kind is cells.ReductionCell0 else 6)
        self.scores = nn.Linear(given, classes)

    @staticmethod
    def put_last(cell: nn.Module) -> None:
        """What reads the larger map comes first, as in the other cells."""
        for name, module in [*cell.named_children()]:
            if not name.startswith(("path", "final")):
                delattr(cell, name)
                setattr(cell, name, module)

    def forward(self, image: Tensor) -> Tensor:
        before = given = self.stem(image)
        for cell in self.cells:
            before, given = given, cell(given, before)
        scores: Tensor = self.scores(given.relu().mean((2, 3)))
        return scores


class Split(nn.Module):
    """The half of what is read goes through pairs of convolutions, and every result stands beside the others."""

    def __init__(self, given: int, made: int, depth: int = 1, *, added: bool = False) -> None:
        super().__init__()
        half = made // 2
        self.enter, self.added = Unit(given, made), added
        self.pairs = nn.ModuleList(nn.Sequential(Unit(half, half, 3), Unit(half, half, 3)) for _ in range(depth))
        self.leave = Unit((2 + depth) * half, made)

    def forward(self, x: Tensor) -> Tensor:
        maps = [*self.enter(x).chunk(2, 1)]
        for pair in self.pairs:
            maps.append(maps[-1] + pair(maps[-1]) if self.added else pair(maps[-1]))
        left: Tensor = self.leave(torch.cat(maps, 1))
        return left


class YOLOv8n(nn.Module):
    """Backbone, a neck that goes up and down again, and the two branches of its head at three levels."""

    def __init__(self, classes: int = 80, bins: int = 64) -> None:
        super().__init__()
        self.early = nn.Sequential(
            Unit(3, 16, 3, 2), Unit(16, 32, 3, 2), Split(32, 32, added=True),
            Unit(32, 64, 3, 2), Split(64, 64, 2, added=True),
        )  # fmt: skip
        self.middle = nn.Sequential(Unit(64, 128, 3, 2), Split(128, 128, 2, added=True))
        self.late = nn.Sequential(Unit(128, 256, 3, 2), Split(256, 256, added=True), Pools(256))
        self.up = nn.ModuleList([Split(384, 128), Split(192, 64)])
        self.down = nn.ModuleList([Split(192, 128), Unit(64, 64, 3, 2), Split(384, 256), Unit(128, 128, 3, 2)])
        self.branches = nn.ModuleList(
            nn.Sequential(Unit(width, hidden, 3), Unit(hidden, hidden, 3), nn.Conv2d(hidden, made, 1))
            for width in (64, 128, 256) for hidden, made in ((bins, bins), (80, classes))
        )  # fmt: skip

    def forward(self, image: Tensor) -> list[Tensor]:
        twice = nn.Upsample(scale_factor=2)
        three = self.early(image)
        four = self.middle(three)
        five = self.late(four)
        between = self.up[0](torch.cat([twice(five), four], 1))
        maps = [self.up[1](torch.cat([twice(between), three], 1))]
        maps.append(self.down[0](torch.cat([self.down[1](maps[-1]), between], 1)))
        maps.append(self.down[2](torch.cat([self.down[3](maps[-1]), five], 1)))
        pairs = zip(self.branches[::2], self.branches[1::2], strict=True)
        return [torch.cat([boxes(x), scores(x)], 1) for x, (boxes, scores) in zip(maps, pairs, strict=True)]


def makers(timm: Any) -> dict[str, Callable[[], nn.Module]]:
    """Each network by its file's name."""
    return {"nasnet_a": lambda: NASNetA(timm.models.nasnet), "yolov8n": YOLOv8n}
