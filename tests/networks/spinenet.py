"""SpineNet-49 with levels up to 5 and dilated blocks, by the table of its blocks: what each reads, where it stands."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn

WIDTHS = {2: 64, 3: 128, 4: 256, 5: 256}
BLOCKS = (  # level, whether a bottleneck, what it reads, its dilation
    (2, True, (), 1), (2, True, (), 1), (2, True, (0, 1), 1), (4, False, (0, 1), 1), (3, True, (2, 3), 1),
    (4, True, (2, 4), 1), (5, False, (3, 5), 2), (4, True, (3, 5), 1), (5, False, (6, 7), 1), (5, False, (6, 8), 4),
    (5, True, (8, 9), 1), (5, True, (8, 10), 1), (4, True, (5, 10), 1), (3, True, (4, 10), 1), (5, True, (7, 12), 1),
    (5, True, (5, 14), 4), (5, True, (12, 14), 2),
)  # fmt: skip
ENDS = (13, 12, 14, 16, 15)


def padded(x: Tensor, kernel: int, value: float = 0.0) -> Tensor:
    """As TensorFlow pads an even size for a stride of 2: one more below and on the right."""
    less = (kernel - 2) // 2
    return F.pad(x, (less, kernel - 2 - less, less, kernel - 2 - less), value=value)


class Unit(nn.Module):
    """A convolution, a norm and perhaps an activation."""

    def __init__(
        self, given: int, made: int, kernel: int = 1, stride: int = 1, dilation: int = 1, *, active: bool = True
    ) -> None:
        super().__init__()
        around = dilation * (kernel // 2) if stride == 1 else 0
        self.conv = nn.Conv2d(given, made, kernel, stride, around, dilation, bias=False)
        self.norm, self.active, self.strided = nn.BatchNorm2d(made, eps=1e-3), active, stride > 1 and kernel > 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(padded(x, self.conv.kernel_size[0]) if self.strided else x))
        return y.relu() if self.active else y


class Block(nn.Module):
    """A bottleneck or a residual block; the first of a network makes the channels that it needs for its shortcut."""

    def __init__(self, given: int, width: int, dilation: int, *, narrow: bool) -> None:
        super().__init__()
        made = width * 4 if narrow else width
        if narrow:
            middle = Unit(width, width, 3, dilation=dilation)
            self.body = nn.Sequential(Unit(given, width), middle, Unit(width, made, active=False))
        else:
            last = Unit(width, width, 3, dilation=dilation, active=False)
            self.body = nn.Sequential(Unit(given, width, 3, dilation=dilation), last)
        self.past = Unit(given, made, active=False) if given != made else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.body(x) + self.past(x)
        return made.relu()


class Resampled(nn.Module):
    """Narrowed, brought to another level, and widened."""

    def __init__(self, given: int, width: int, down: int, made: int) -> None:
        super().__init__()
        narrow, self.down = width // 2, down
        halving = [Unit(narrow, narrow, 3, 2)] if down > 0 else []
        self.enter = nn.Sequential(Unit(given, narrow), *halving)
        self.leave = Unit(narrow, made, active=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.enter(x)
        for _ in range(self.down - 1):
            y = F.max_pool2d(padded(y, 3, -torch.inf), 3, 2)
        if self.down < 0:
            y = F.interpolate(y, scale_factor=2**-self.down)
        made: Tensor = self.leave(y)
        return made


class DilatedSpineNet49(nn.Module):
    """With a head for segmentation on all five of its outputs."""

    def __init__(self, classes: int = 19) -> None:
        super().__init__()
        self.stem = Unit(3, 64, 7, 2)
        self.blocks = nn.ModuleList()
        made: list[int] = []
        for number, (level, narrow, read, dilation) in enumerate(BLOCKS):
            wide = WIDTHS[level] * (4 if narrow else 1)
            block = Block(wide if read else (made or [64])[-1], WIDTHS[level], dilation, narrow=narrow)
            inputs = (Resampled(made[at], WIDTHS[BLOCKS[at][0]], level - BLOCKS[at][0], wide) for at in read)
            self.blocks.append(block)
            self.blocks.extend(inputs)
            made.append(wide)
            assert number + 1 == len(made)
        self.ends = nn.ModuleList(Unit(made[at], 256) for at in ENDS)
        steps = [BLOCKS[at][0] - 3 for at in ENDS]
        self.rising = nn.ModuleList(
            nn.Sequential(*(Unit(128 if step else 256, 128, 3) for step in range(max(1, count)))) for count in steps
        )
        self.scores = nn.Conv2d(128, classes, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        x = F.max_pool2d(padded(self.stem(image), 3, -torch.inf), 3, 2)
        maps: list[Tensor] = []
        made = iter(self.blocks)
        for _, _, read, _ in BLOCKS:
            block = next(made)
            arrived = [next(made)(maps[at]) for at in read]
            if len(maps) == 14:
                arrived.append(maps[11])
            maps.append(block(torch.as_tensor(sum(arrived)).relu() if read else (maps or [x])[-1]))
        given = [end(maps[at]) for end, at in zip(self.ends, ENDS, strict=True)]
        total = torch.zeros(1)
        for number, (y, steps) in enumerate(zip(given, self.rising, strict=True)):
            for step in steps:  # type: ignore[attr-defined]
                y = step(y)  # noqa: PLW2901
                if number:
                    y = F.interpolate(y, scale_factor=2, mode="bilinear")  # noqa: PLW2901
            total = total + y
        return [*given, self.scores(total)]
