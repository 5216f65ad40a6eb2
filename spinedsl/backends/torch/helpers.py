"""Definitions that generated files copy, each only into files that use it. Nothing imports this module.

They stand here as code, not as text in a template, so that they are checked, typed and tested like the rest.
"""

import math
import warnings
from collections import OrderedDict
from collections.abc import Iterator
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
    height, width = x.shape[-2], x.shape[-1]
    if isinstance(height, int) and isinstance(width, int) and (height % divisor or width % divisor):
        fitting = f"{-(-height // divisor) * divisor}x{-(-width // divisor) * divisor}"
        raise ValueError(f"height and width must divide by {divisor}, got {height}x{width}: pad images to {fitting}")


def check_fixed(size: int, fixed: int, axis: str) -> None:
    """Refuse images of another height or width than the network was compiled for."""
    if isinstance(size, int) and size != fixed:
        raise ValueError(f"the network was compiled for a {axis} of {fixed}, got {size}")


class Repeated(nn.Sequential):
    """Modules one after another, named `rep0`, `rep1` and so on. What brings their input may be attached to them."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__(OrderedDict((f"rep{i}", module) for i, module in enumerate(modules)))
        self.names = tuple(self._modules)

    def __iter__(self) -> Iterator[nn.Module]:
        return (self.get_submodule(name) for name in self.names)

    def forward(self, x: Tensor) -> Tensor:
        for _, module in zip(self.names, self, strict=False):
            x = module(x)
        return x


class RepeatedAtSizes(nn.Sequential):
    """As `Repeated`, of modules that need the sizes of the levels."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__(OrderedDict((f"rep{i}", module) for i, module in enumerate(modules)))
        self.names = tuple(self._modules)

    def __iter__(self) -> Iterator[nn.Module]:
        return (self.get_submodule(name) for name in self.names)

    def forward(self, x: Tensor, sizes: list[tuple[int, int]]) -> Tensor:
        for _, module in zip(self.names, self, strict=False):
            x = module(x, sizes)
        return x


class Looped(nn.Module):
    """A module that goes over its submodules: whatever stands under their names when it runs."""

    def __init__(self) -> None:
        super().__init__()
        self._order: tuple[str, ...] = ()

    def _numbered(self, name: str, count: int) -> tuple[int | None, ...]:
        """For each submodule so far its number, if it is one of `name0`, `name1` and so on."""
        numbers = {f"{name}{i}": i for i in range(count)}
        self._order = tuple(self._modules)
        return tuple(numbers.get(name) for name in self._order)

    def children(self) -> Iterator[nn.Module]:
        """All submodules by position, also one that has two names."""
        there = {name: module for name, module in self._modules.items() if module is not None}
        if tuple(there)[: len(self._order)] != self._order:
            raise ValueError(f"modules may be replaced, not taken out or moved: {', '.join(self._order)}")
        return iter(there.values())


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
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def same_padding(kernel: int, stride: int) -> tuple[int, int, int, int]:
    """Left, right, top and bottom, as TensorFlow's SAME pads a size that the stride divides: what is odd goes after."""
    total = max(kernel - stride, 0)
    before, after = total // 2, total - total // 2
    return before, after, before, after


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
        x = same_pad(x, reach, self.stride[0])
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose kernel has mean 0 and variance 1 over all that each output reads (Qiao et al., 2019)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        eps: float = 1e-6,
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding, dilation, groups, bias)
        self.eps = eps

    def kernel(self) -> Tensor:
        return F.layer_norm(self.weight, self.weight.shape[1:], eps=self.eps)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel(), self.bias, self.stride, self.padding, self.dilation, self.groups)


class ScaledConv2d(StandardisedConv2d):
    """The same, times gamma / sqrt(fan-in) and a trainable gain for each output (Brock et al., 2021)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        eps: float = 1e-6,
        gamma: float = 1.0,
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding, dilation, groups, bias, eps)
        self.gamma = gamma
        self.gain = nn.Parameter(torch.ones(outputs))

    def kernel(self) -> Tensor:
        scale: Tensor = self.gain * (self.gamma * self.weight[0].numel() ** -0.5)
        return F.layer_norm(self.weight, self.weight.shape[1:], eps=self.eps) * scale.reshape(-1, 1, 1, 1)


def same_average_pool(x: Tensor, kernel: int, stride: int, even: int = -1) -> Tensor:
    """Mean of each window over what lies inside the map."""
    inside = same_pad(torch.ones_like(x[:1, :1]), kernel, stride, even)
    return F.avg_pool2d(same_pad(x, kernel, stride, even), kernel, stride) / F.avg_pool2d(inside, kernel, stride)


def level_sizes(image: Tensor, highest: int) -> list[tuple[int, int]]:
    """Height and width of the maps of each level: the image's divided by 2**level, rounded up."""
    height, width = image.shape[2], image.shape[3]
    return [(-(-height // (1 << level)), -(-width // (1 << level))) for level in range(highest + 1)]


def crop_to(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut off what reaches beyond a size, below and on the right."""
    return x[:, :, : size[0], : size[1]]


def resize_nearest(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Position i of n takes from i * old / n, rounded down: in whole numbers, so that every size is exact."""
    rows = torch.arange(size[0], device=x.device) * x.shape[2] // size[0]
    columns = torch.arange(size[1], device=x.device) * x.shape[3] // size[1]
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


def add_up(maps: list[Tensor]) -> Tensor:
    """The sum of the maps, from the first to the last."""
    total = maps[0]
    for x in maps[1:]:
        total = total + x
    return total


def concat(maps: list[Tensor], varying: int) -> Tensor:
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


class ChannelConv1d(nn.Conv1d):
    """A convolution along the channels: one kernel, of an odd length, for all of them at each position."""

    def __init__(self, kernel: int) -> None:
        super().__init__(1, 1, kernel, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        lines = x.reshape(x.shape[0], 1, x.shape[1], -1)
        return F.conv2d(lines, self.weight[..., None], padding=(self.kernel_size[0] // 2, 0)).reshape(x.shape)


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


def hashed(name: str, start: int, end: int) -> Tensor:
    """Numbers between -2**31 and 2**31 that depend on the name and their position alone, the same on every machine."""
    key = crc32(name.encode())
    x = torch.arange(start, end, dtype=torch.int32, device="cpu")
    for salt in (key - (key >> 31 << 32), -(1 << 31)):
        x ^= (x >> 16) & 0xFFFF
        x *= 0x7FEB352D
        x ^= (x >> 15) & 0x1FFFF
        x *= -0x7B935975
        x ^= (x >> 16) & 0xFFFF
        x ^= salt
    return x.double().add_(0.5)


def uniform(name: str, like: Tensor, variance: float) -> Tensor:
    """Evenly spread numbers of a variance, as many as `like` has."""
    found = torch.empty(like.shape, dtype=like.dtype, device="cpu")
    for start in range(0, 0 if like.is_meta else found.numel(), 1 << 15):
        part = found.view(-1)[start : start + (1 << 15)]
        part.copy_(hashed(name, start, start + part.numel()).mul_(2.0**-31).mul_(math.sqrt(3 * variance)))
    return found


def truncated_normal(name: str, like: Tensor, variance: float) -> Tensor:
    """Normal numbers of a variance, cut off at two standard deviations: an inverse distribution, fitted to 1e-8."""
    found = torch.empty(like.shape, dtype=like.dtype, device="cpu")
    for start in range(0, 0 if like.is_meta else found.numel(), 1 << 15):
        part = found.view(-1)[start : start + (1 << 15)]
        q = hashed(name, start, start + part.numel()).mul_(0.9544997361036416 / 2**32)
        t = q * q
        top, bottom = (t * 0.192955432).add_(1.0083880312), t - 1.5724635229
        for a in (-2.5677180409, 1.7371194356, -0.46048350305, 0.042573098567):
            top.mul_(t).add_(a)
        for b in (0.86491135693, -0.20149244742, 0.016984211183):
            bottom.mul_(t).add_(b)
        part.copy_(q.mul_(top).div_(bottom).mul_(math.sqrt(variance) / 0.8796256610342398))
    return found
