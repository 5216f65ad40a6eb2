"""Definitions that generated files copy, each only into files that use it. Nothing imports this module.

They stand here as code, not as text in a template, so that they are checked, typed and tested like the rest.
"""

import math
import warnings
from collections import OrderedDict
from zlib import crc32

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn


def chain(**modules: nn.Module) -> nn.Sequential:
    """Modules one after another, by name."""
    return nn.Sequential(OrderedDict(modules))


def leave_out(rows: tuple[str, ...], module: nn.Module, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Before a state dict is loaded: take out the tensors of rows that this network was compiled without."""
    left = [name for name in state if name.startswith(tuple(f"{prefix}{row}." for row in rows))]
    for name in left:
        del state[name]
    if left:
        tensors = "1 tensor" if len(left) == 1 else f"{len(left)} tensors"
        warnings.warn(f"{tensors} of rows that are left out: {', '.join(rows)}", stacklevel=2)


def check_size(x: Tensor, divisor: int) -> None:
    """Refuse images whose height or width the divisor does not divide; while a graph is recorded there are no sizes."""
    height: object = x.shape[-2]
    width: object = x.shape[-1]
    if isinstance(height, int) and isinstance(width, int) and (height % divisor or width % divisor):
        fitting = f"{-(-height // divisor) * divisor}x{-(-width // divisor) * divisor}"
        raise ValueError(f"height and width must divide by {divisor}, got {height}x{width}: pad images to {fitting}")


def check_fixed(size: object, fixed: int, axis: str) -> None:
    """Refuse images of another height or width than the network was compiled for."""
    if isinstance(size, int) and size != fixed:
        raise ValueError(f"the network was compiled for a {axis} of {fixed}, got {size}")


class Repeated(nn.Module):
    """Modules one after another, named `rep0`, `rep1` and so on."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.count = len(modules)
        for i, module in enumerate(modules):
            self.add_module(f"rep{i}", module)

    def forward(self, x: Tensor) -> Tensor:
        for i in range(self.count):
            x = getattr(self, f"rep{i}")(x)
        return x


class RepeatedAtSizes(nn.Module):
    """Modules one after another, named `rep0`, `rep1` and so on, that need the sizes of the levels."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.count = len(modules)
        for i, module in enumerate(modules):
            self.add_module(f"rep{i}", module)

    def forward(self, x: Tensor, sizes: list[tuple[int, int]]) -> Tensor:
        for i in range(self.count):
            x = getattr(self, f"rep{i}")(x, sizes)
        return x


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME pads a size that the stride divides: what is odd goes after."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, dilation: int = 1, groups: int = 1, bias: bool = True
    ) -> None:
        total = max((kernel - 1) * dilation + 1 - stride, 0)
        super().__init__(inputs, outputs, kernel, stride, total // 2, dilation, groups, bias)
        self.odd = total % 2

    def forward(self, x: Tensor) -> Tensor:
        if self.odd:
            x = F.pad(x, (0, 1, 0, 1))
        return super().forward(x)


def same_padding(kernel: int, stride: int) -> tuple[int, int, int, int]:
    """Left, right, top and bottom, as TensorFlow's SAME pads a size that the stride divides: what is odd goes after."""
    total = max(kernel - stride, 0)
    return (total // 2, total - total // 2) * 2


def same_pad(x: Tensor, kernel: int, stride: int, even: int = -1, value: float = 0.0) -> Tensor:
    """Pad as TensorFlow's SAME, for the size that the map has: what is odd goes after. Or `even` on every side."""
    sides: list[int] = []
    for size in (x.shape[3], x.shape[2]):
        total = kernel - stride + -size % stride if even < 0 else 2 * even
        if kernel < stride:  # else it is never below 0, and a traced size may stand here
            total = max(total, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides, value=value)


class SamePaddedConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME, for the size that the map has."""

    def forward(self, x: Tensor) -> Tensor:
        reach = (self.kernel_size[0] - 1) * self.dilation[0] + 1
        return super().forward(same_pad(x, reach, self.stride[0]))


def same_average_pool(x: Tensor, kernel: int, stride: int, even: int = -1) -> Tensor:
    """Mean of each window over what lies inside the map."""
    inside = same_pad(torch.ones_like(x[:1, :1]), kernel, stride, even)
    return F.avg_pool2d(same_pad(x, kernel, stride, even), kernel, stride) / F.avg_pool2d(inside, kernel, stride)


def level_sizes(image: Tensor, highest: int) -> list[tuple[int, int]]:
    """Height and width of the maps of each level: the image's divided by 2**level, rounded up."""
    height, width = image.shape[2], image.shape[3]
    return [(-(-height // 2**level), -(-width // 2**level)) for level in range(highest + 1)]


def crop_to(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut off what reaches beyond a size, below and on the right."""
    return x[:, :, : size[0], : size[1]]


def resize_nearest(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Position i of n takes from i * old / n, rounded down: in whole numbers, so that every size is exact."""
    rows, columns = (
        torch.arange(new, device=x.device) * old // new for old, new in zip(x.shape[2:], size, strict=True)
    )
    return x[:, :, rows[:, None], columns]


def average_pool(x: Tensor, kernel: int, stride: int, padding: tuple[int, int, int, int]) -> Tensor:
    """Mean of each window over what lies inside the map."""
    inside = F.pad(torch.ones_like(x[:1, :1]), padding)
    return F.avg_pool2d(F.pad(x, padding), kernel, stride) / F.avg_pool2d(inside, kernel, stride)


def stochastic_depth(x: Tensor, rate: float, training: bool) -> Tensor:
    """In training, drop each sample with probability `rate` and scale up those that stay."""
    if not training:
        return x
    kept = torch.rand(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device) >= rate
    return x * kept / max(1 - rate, 1e-6)


def concat(*maps: Tensor, varying: int) -> Tensor:
    """Along the channels. What does not depend on the input stands beside every image of the map that is `varying`."""
    every_image = torch.zeros_like(maps[varying][:, :1])
    return torch.cat([x + every_image for x in maps], 1)


def crop(x: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
    """The map without its outermost rows and columns."""
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


class Constant(nn.Module):
    """A fixed number for each channel. It is no part of the state."""

    map: Tensor

    def __init__(self, *numbers: float) -> None:
        super().__init__()
        self.numbers = numbers
        self.register_buffer("map", torch.empty(1, len(numbers), 1, 1), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        self.map.copy_(torch.tensor(self.numbers).reshape(self.map.shape))

    def forward(self) -> Tensor:
        return self.map


class Trainable(nn.Module):
    """A trainable number for each channel, or for each position of it. With a variance, `reset` draws them."""

    def __init__(
        self, channels: int, height: int = 1, width: int = 1, init: float = 1.0, variance: float = 0.0
    ) -> None:
        super().__init__()
        self.init, self.variance = init, variance
        self.weight = nn.Parameter(torch.empty(channels, height, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, self.init)

    def forward(self) -> Tensor:
        return self.weight[None]


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def hashed(name: str, count: int) -> Tensor:
    """Numbers between 0 and 1 that depend on the name and their position alone, the same on every machine."""

    def mix(x: Tensor) -> Tensor:
        x = (x ^ (x >> 16)) * 0x7FEB352D & 0xFFFFFFFF
        x = (x ^ (x >> 15)) * 0x846CA68B & 0xFFFFFFFF
        return x ^ (x >> 16)

    return (mix(mix(torch.arange(count)) ^ crc32(name.encode())).double() + 0.5) / 2**32


def uniform(name: str, shape: torch.Size, variance: float) -> Tensor:
    """Evenly spread numbers of a variance."""
    return ((2 * hashed(name, shape.numel()) - 1) * math.sqrt(3 * variance)).reshape(shape)


def truncated_normal(name: str, shape: torch.Size, variance: float) -> Tensor:
    """Normal numbers of a variance, cut off at two standard deviations: an inverse distribution, fitted to 1e-8."""
    q = (hashed(name, shape.numel()) - 0.5) * 0.9544997361036416
    t = q * q
    top, bottom = torch.zeros_like(t), torch.zeros_like(t)
    for a in (0.192955432, 1.0083880312, -2.5677180409, 1.7371194356, -0.46048350305, 0.042573098567):
        top.mul_(t).add_(a)
    for b in (1.0, -1.5724635229, 0.86491135693, -0.20149244742, 0.016984211183):
        bottom.mul_(t).add_(b)
    return (q * top / bottom * (math.sqrt(variance) / 0.8796256610342398)).reshape(shape)
