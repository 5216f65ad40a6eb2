"""The forward pass of the official codes, read from their sources and written again in PyTorch, in float64.

A witness that shares nothing with the compiler: no example file, no op program, no primitive. It reproduces the stored
outputs, and then tells what the codes give for models, sizes and activations that nobody stored. On its way it names
each variable as the code does that it reads: `GARDEN` is tensorflow/models (`official/vision`), `TPU` is tensorflow/tpu
(`models/official/detection`). Where a code stops with an error, so does this.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tests.published.values import official_value

GARDEN, TPU = "garden", "tpu"

# Level, kind (bottleneck, residual, mbconv), the two parents, whether it is an output. Blocks 0 and 1 are the stem's.
SPINENET = """
2b0,1 4r0,1 3b2,3 4b2,4 6r3,5 4b3,5 5r6,7 7r6,8 5b8,9 5b8,10 4b5,10* 3b4,10* 5b7,12* 7b5,14* 6b12,14*
"""
MOBILE = """
2m0,1 2m1,2 4m1,2 3m3,4 4m3,5 6m4,6 4m4,6 5m7,8 7m7,9 5m9,10 5m9,11 4m6,11* 3m5,11* 5m8,13* 7m6,15* 6m13,15*
"""
FILTERS = {2: 64, 3: 128, 4: 256, 5: 256, 6: 256, 7: 256}
MOBILE_FILTERS = {0: 8, 1: 16, 2: 24, 3: 40, 4: 80, 5: 112, 6: 112, 7: 112}
LEVELS = range(3, 8)


@dataclass(frozen=True)
class Model:
    """A row of the codes' tables of scalings; `tower` and `convs` are those of RetinaNet's heads."""

    width: float
    repeats: int
    alpha: float
    endpoints: int
    tower: int
    convs: int = 4
    mobile: bool = False


MODELS = {
    "49S": Model(0.65, 1, 0.5, 128, 128),
    "49": Model(1.0, 1, 0.5, 256, 256),
    "96": Model(1.0, 2, 0.5, 256, 256),
    "143": Model(1.0, 3, 1.0, 256, 256),
    "143L": Model(1.3, 3, 1.0, 256, 256),
    "190": Model(1.3, 4, 1.0, 512, 512, 7),
    "Mobile49XS": Model(0.6, 1, 0.0, 24, 24, mobile=True),
    "Mobile49S": Model(0.65, 1, 0.0, 40, 40, mobile=True),
    "Mobile49": Model(1.0, 1, 0.0, 48, 48, mobile=True),
}
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "swish": lambda x: x * torch.sigmoid(x),
}
BLOCKS = {"b": "bottleneck_block", "r": "residual_block", "m": "inverted_bottleneck_block"}


class Official:
    """One run of one of the codes: `nodes` has the value of each block, `outputs` those of the levels by name.

    `variables` holds what the code would save, by its own names; every value is a function of the reference name.
    """

    def __init__(self, model: str, dialect: str, activation: str, epsilon: float = 1e-3) -> None:
        """The model's name in the codes' tables, whose code, and what a configuration says."""
        self.model, self.dialect, self.epsilon = MODELS[model], dialect, epsilon
        self.act = ACTIVATIONS[activation]
        self.variables: dict[str, NDArray[np.float32]] = {}
        self.nodes: list[Tensor] = []
        self.outputs: dict[str, Tensor] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._root = "" if dialect == GARDEN else ("spinenet_mbconv/" if self.model.mobile else "spinenet/")

    # ---- variables ----

    def _layer(self, scope: str, kind: str) -> str:
        """The name of one layer more: layers of a kind are counted within their scope."""
        count = self._counts[scope, kind]
        self._counts[scope, kind] += 1
        return f"{scope}{kind}_{count}" if count else f"{scope}{kind}"

    def variable(self, layer: str, reference: str, leaf: str, *shape: int) -> Tensor:
        """The variable of a layer."""
        value = official_value(f"{reference}.{leaf}", shape)
        self.variables[f"{layer}/{leaf}" + (":0" if self.dialect == GARDEN else "")] = value
        return torch.from_numpy(value).double()

    # ---- layers ----

    def _pad(self, x: Tensor, kernel: int, stride: int, value: float, *, symmetric: bool) -> Tensor:
        """SAME as TensorFlow pads, or half the kernel on each side."""
        sides: list[int] = []
        for n in (x.shape[3], x.shape[2]):
            total = kernel - 1 if symmetric else max((math.ceil(n / stride) - 1) * stride + kernel - n, 0)
            sides += [total // 2, total - total // 2]
        return functional.pad(x, sides, value=value)

    def convolved(self, x: Tensor, weight: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        """A convolution; tensorflow/tpu pads the strided ones by half the kernel."""
        symmetric = self.dialect == TPU and stride > 1
        padded = self._pad(x, weight.shape[2], stride, 0.0, symmetric=symmetric)
        return functional.conv2d(padded, weight, stride=stride, groups=groups)

    def _pool(self, x: Tensor, kernel: int, stride: int) -> Tensor:
        return functional.max_pool2d(self._pad(x, kernel, stride, -math.inf, symmetric=False), kernel, stride)

    def _conv(self, x: Tensor, layer: str, reference: str, channels: int, kernel: int = 1, stride: int = 1) -> Tensor:
        weight = self.variable(layer, reference, "kernel", kernel, kernel, x.shape[1], channels)
        return self.convolved(x, weight.permute(3, 2, 0, 1), stride)

    def _depthwise(self, x: Tensor, layer: str, reference: str, stride: int) -> Tensor:
        weight = self.variable(layer, reference, "depthwise_kernel", 3, 3, x.shape[1], 1)
        return self.convolved(x, weight.permute(2, 3, 0, 1), stride, groups=x.shape[1])

    def norm(self, x: Tensor, layer: str, reference: str) -> Tensor:
        """A batch norm in inference mode."""
        leaves = ("gamma", "beta", "moving_mean", "moving_variance")
        scale, shift, mean, variance = (
            self.variable(layer, reference, leaf, x.shape[1])[:, None, None] for leaf in leaves
        )
        return (x - mean) / torch.sqrt(variance + self.epsilon) * scale + shift

    def _normed(self, x: Tensor, scope: str, reference: str) -> Tensor:
        return self.norm(x, self._layer(scope, "batch_normalization"), reference)

    # ---- blocks ----

    def _block(self, x: Tensor, kind: str, width: int, scope: str, reference: str, stride: int = 1) -> Tensor:
        if self.dialect == GARDEN:
            scope = self._layer("", BLOCKS[kind]) + "/"
        if kind == "m":
            return self._mbconv(x, width, scope, reference, stride)
        out = width * (4 if kind == "b" else 1)
        shortcut = x
        if x.shape[1] != out:
            shortcut = self._conv(x, self._layer(scope, "conv2d"), f"{reference}.shortcut", out)
            shortcut = self._normed(shortcut, scope, f"{reference}.norm0")
        steps = ((width, 1), (width, 3), (out, 1)) if kind == "b" else ((width, 3), (width, 3))
        for number, (channels, kernel) in enumerate(steps, 1):
            x = self._conv(x, self._layer(scope, "conv2d"), f"{reference}.conv{number}", channels, kernel)
            x = self._normed(x, scope, f"{reference}.norm{number}")
            x = self.act(x) if number < len(steps) else self.act(x + shortcut)
        return x

    def _mbconv(self, x: Tensor, width: int, scope: str, reference: str, stride: int) -> Tensor:
        entering, wide = x, x.shape[1] * 6
        squeeze = max(1, int(x.shape[1] * 0.2))
        if self.dialect == GARDEN:  # the squeeze is a layer of its own, built last, and counts on
            expand, project, narrow, widen = (self._layer(scope, "conv2d") for _ in range(4))
            narrow, widen = (name.replace("/", "/squeeze_excitation/") for name in (narrow, widen))
        else:
            expand, narrow, widen, project = (self._layer(scope, "conv2d") for _ in range(4))
        x = self.act(self._normed(self._conv(x, expand, f"{reference}.conv0", wide), scope, f"{reference}.norm0"))
        x = self._depthwise(x, self._layer(scope, "depthwise_conv2d"), f"{reference}.conv1", stride)
        x = self.act(self._normed(x, scope, f"{reference}.norm1"))
        gate = self._conv(x.mean((2, 3), keepdim=True), narrow, f"{reference}.se_reduce", squeeze)
        gate = gate + self.variable(narrow, f"{reference}.se_reduce", "bias", squeeze)[:, None, None]
        gate = functional.relu(gate) if self.dialect == GARDEN else ACTIVATIONS["swish"](gate)
        gate = self._conv(gate, widen, f"{reference}.se_expand", wide)
        gate = gate + self.variable(widen, f"{reference}.se_expand", "bias", wide)[:, None, None]
        gate = torch.clamp(gate + 3, 0, 6) * 0.16667 if self.dialect == GARDEN else torch.sigmoid(gate)
        x = self._normed(self._conv(x * gate, project, f"{reference}.conv2", width), scope, f"{reference}.norm2")
        return x + entering if stride == 1 and entering.shape[1] == width else x

    # ---- resampling ----

    def _resample(self, x: Tensor, kind: str, size: int, target: tuple[int, int], scope: str, reference: str) -> Tensor:
        """From a width of `size` to the channels and the width of `target`, as of a block of some kind."""
        if self.model.mobile:
            return self._resample_mobile(x, size, target, scope, reference)
        channels, wanted = target
        narrow = int((x.shape[1] / 4 if kind == "b" else x.shape[1]) * self.model.alpha)
        x = self._conv(x, self._layer(scope, "conv2d"), f"{reference}.reduce", narrow)
        x = self.act(self._normed(x, scope, f"{reference}.reduce_norm"))
        height, width = x.shape[2:]
        if size > wanted:
            x = self._conv(x, self._layer(scope, "conv2d"), f"{reference}.down", narrow, 3, 2)
            x = self.act(self._normed(x, scope, f"{reference}.down_norm"))
            if self.dialect == GARDEN:
                left = size / 2
                while left > wanted:
                    x, left = self._pool(x, 3, 2), left / 2
            elif width // wanted > 2:
                stride = 2 if width % wanted else width // wanted // 2
                x = self._pool(x, 3 if width / wanted <= 4 else 5, stride)
            if self.dialect == TPU and x.shape[3] != wanted:
                x = nearest(x, int(wanted / width * height), wanted)
        elif size < wanted:
            if self.dialect == TPU and wanted % width:
                x = nearest(x, int(wanted / width * height), wanted)
            else:
                x = repeated(x, wanted // size)
        x = self._conv(x, self._layer(scope, "conv2d"), f"{reference}.expand", channels)
        return self._normed(x, scope, f"{reference}.expand_norm")

    def _resample_mobile(self, x: Tensor, size: int, target: tuple[int, int], scope: str, reference: str) -> Tensor:
        channels, wanted = target
        if self.dialect == TPU and max(size, wanted) % min(size, wanted):
            raise ValueError(f"{size} and {wanted} do not divide")
        if size < wanted:
            x = repeated(x, wanted // size)
        left, steps = float(size), 0
        while left > wanted:
            x = self._depthwise(x, self._layer(scope, "depthwise_conv2d"), f"{reference}.dw{steps}", 2)
            x = self.act(self._normed(x, scope, f"{reference}.dw{steps}_norm"))
            left, steps = left / 2, steps + 1
        x = self._conv(x, self._layer(scope, "conv2d"), f"{reference}.expand", channels)
        return self._normed(x, scope, f"{reference}.expand_norm")

    # ---- the network ----

    def run(self, pixels: NDArray[np.float32]) -> Official:
        """Images (batch, 3, height, width) through the whole backbone."""
        x = torch.from_numpy(pixels).double()
        self._stem(x)
        self._permuted(x.shape[3])
        return self

    def _filters(self, level: int) -> int:
        return int((MOBILE_FILTERS if self.model.mobile else FILTERS)[level] * self.model.width)

    def _stem(self, x: Tensor) -> None:
        root, layer = self._root, self._layer(self._root, "conv2d")
        if self.model.mobile:
            x = self._conv(x, layer, "stem.conv", self._filters(0), 3, 2)
            x = self.act(self._normed(x, root, "stem.norm"))
            for node in range(2):
                x = self._block(x, "m", self._filters(node + 1), root, f"node{node}.rep0", stride=node + 1)
                self.nodes.append(x)
            return
        x = self._conv(x, layer, "stem.conv", 64, 7, 2)
        x = self._pool(self.act(self._normed(x, root, "stem.norm")), 3, 2)
        for node in range(2):
            for repeat in range(self.model.repeats):
                x = self._block(x, "b", self._filters(2), root, f"node{node}.rep{repeat}")
            self.nodes.append(x)

    def _permuted(self, image_width: int) -> None:
        kinds = ["m", "m"] if self.model.mobile else ["b", "b"]
        sizes = [math.ceil(image_width / 2), math.ceil(image_width / 4)] if self.model.mobile else []
        sizes = sizes or [math.ceil(image_width / 4)] * 2
        readers = [0, 0]
        tops: dict[int, Tensor] = {}
        for index, row in enumerate((MOBILE if self.model.mobile else SPINENET).split()):
            level, kind, is_output = int(row[0]), row[1], row.endswith("*")
            parents = [int(parent) for parent in row[2:].rstrip("*").split(",")]
            node, wanted, filters = len(self.nodes), math.ceil(image_width / 2**level), self._filters(level)
            policy = f"{self._root}sub_policy{index}/"
            how = "sepconv" if self.model.mobile else "alpha"
            total: Tensor | None = None
            for slot, parent in enumerate(parents):
                scope = "" if self.dialect == GARDEN else f"{policy}resample_with_{how}_resample_{index}_{slot}/"
                size = sizes[parent] if self.dialect == GARDEN else self.nodes[parent].shape[3]
                target = filters * (4 if kind == "b" else 1), wanted
                reference = f"node{node}.in{slot}"
                x = self._resample(self.nodes[parent], kinds[parent], size, target, scope, reference)
                total = x if total is None else added(total, x)
                readers[parent] += 1
            assert total is not None
            for other, value in enumerate(self.nodes):
                fits = value.shape[3] == wanted and value.shape[1] == total.shape[1]
                if is_output and readers[other] == 0 and fits:
                    total = added(total, value)
                    readers[other] += 1
            x = self.act(total)
            for repeat in range(self.model.repeats):
                x = self._block(x, kind, filters, f"{policy}scale_permuted_block_{node}/", f"node{node}.rep{repeat}")
            self.nodes.append(x)
            kinds.append(kind)
            sizes.append(wanted)
            readers.append(0)
            if is_output:
                tops[level] = x
        if self.dialect == GARDEN and not self.model.mobile:  # a block of level 2, which is pruned, has had four
            self._counts["", "conv2d"] += 4
            self._counts["", "batch_normalization"] += 4
        for level in LEVELS:
            layer = self._layer(self._root, "conv2d")
            x = self._conv(tops[level], layer, f"out{level}.conv", self.model.endpoints)
            self.outputs[f"P{level}"] = self.act(self._normed(x, self._root, f"out{level}.norm"))


# ---- sizes ----


def added(first: Tensor, second: Tensor) -> Tensor:
    """The sum of maps of one size; the codes have no other."""
    if first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(second.shape)} cannot be added")
    return first + second


def repeated(x: Tensor, times: int) -> Tensor:
    """Each position `times` times, in both directions."""
    return x.repeat_interleave(times, 2).repeat_interleave(times, 3)


def nearest(x: Tensor, height: int, width: int) -> Tensor:
    """TensorFlow's `resize_nearest_neighbor`: the position below i * in / out, which it computes in float32."""
    for axis, out in ((2, height), (3, width)):
        scale = np.float32(x.shape[axis]) / np.float32(out)
        index = np.floor(np.arange(out, dtype=np.float32) * scale).astype(np.int64)
        x = x.index_select(axis, torch.from_numpy(np.minimum(index, x.shape[axis] - 1)))
    return x
