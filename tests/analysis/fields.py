"""Receptive fields measured: two witnesses that know nothing of how they are computed in closed form.

`by_autograd` asks the generated PyTorch module which columns of the image have a gradient. `by_sets` walks the graph
with the set of columns that each position reads, for networks whose fields are too wide to be run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import reduce
from math import ceil, floor, lcm
from operator import or_
from typing import Any, TypeAlias

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from spinedsl.agreement.witnesses import module_of
from spinedsl.ops.graph import Graph, Node, flatten
from spinedsl.ops.program import Program
from tests.analysis.live import rows_run
from tests.analysis.weights import positive

AT_ONCE = 8  # positions, an image each


def unit(program: Program) -> int:
    """Pixels after which every map begins anew: the least common multiple of their strides."""
    return lcm(*(stride for type_ in flatten(program).types for stride in type_.strides))


# ---- by PyTorch's gradients ----

SOFT = ("sigmoid", "hardsigmoid")
PLAIN = ("relu", "relu6", "hardtanh", "silu", "hardswish", "gelu")


class Smooth(TorchFunctionMode):
    """Nothing loses a gradient: activations that may be flat become lines, the largest of a window its mean."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in PLAIN:
            return args[0] * 1.0
        if name in ("maximum", "minimum"):
            return args[0] * 1.0 + args[1]
        if name in ("clamp", "exp", "sqrt"):
            return args[0] * 1.0
        if name == "amax":
            return args[0].mean(*args[1:], **kwargs)
        if name in SOFT:
            return torch.nn.functional.softsign(args[0])
        if name == "softmax":
            return args[0] + args[0].mean(1, keepdim=True)
        if name == "pad":
            kwargs["value"] = 0.0
        if name == "max_pool2d":
            return torch.nn.functional.avg_pool2d(*args, **{k: v for k, v in kwargs.items() if k in KEPT})
        return func(*args, **kwargs)


KEPT = ("kernel_size", "stride", "padding", "ceil_mode")


def by_autograd(
    build: Callable[[int, int], Program], length: int, *, thin: int = 64, rows: Collection[str] = ()
) -> dict[str, int | None]:
    """For each row, or those named, the most pixels from the first with a gradient to the last; None where all have.

    `build` gives the network for a height and a width; one of them is `length`, the other `thin`.
    """
    found: dict[str, list[int]] = {}
    for axis in (2, 3):
        program = build(*((length, thin) if axis == 2 else (thin, length)))
        module = module_of(program, positive(flatten(program)), np.float64)
        shape = (AT_ONCE, *program.input_type.shape)
        image = torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
        with Smooth():
            values_by_row = rows_run(program, module, image)
        for row, values in values_by_row.items():
            if rows and row not in rows:
                continue
            found.setdefault(row, []).extend(
                width for value in values for width in _widths(value, image, axis, unit(program))
            )
    whole = length - unit(program)  # a stride may leave out what lies at the border
    return {row: None if max(widths) > whole else max(widths) for row, widths in found.items()}


def _widths(value: torch.Tensor, image: torch.Tensor, axis: int, seen: int) -> Iterator[int]:
    """Of each position of `seen` pixels in the middle: what it has in an image of its own, several a step."""
    if value.dim() == 2:
        value = value[:, :, None, None]
    size = value.shape[axis]
    count = min(size, -(-size * seen // image.shape[axis]))
    first = (size - count) // 2
    along = value.movedim(axis, 1).expand(AT_ONCE, -1, -1, -1)
    source = torch.Generator().manual_seed(1)
    for start in range(first, first + count, AT_ONCE):
        positions = range(start, min(start + AT_ONCE, first + count))
        asked = torch.stack([along[index, position] for index, position in enumerate(positions)])
        shares = torch.rand(asked.shape, generator=source, dtype=torch.float64) + 0.5
        total = (asked * shares).sum() + 0 * image.sum()  # so that what reads nothing has a gradient, of zeros
        (gradient,) = torch.autograd.grad(total, image, retain_graph=True)
        for index in range(len(positions)):
            reached = gradient[index].abs().movedim(axis - 1, 0).flatten(1).sum(1).nonzero()
            yield int(reached.max() - reached.min() + 1) if len(reached) else 0


# ---- by sets of columns ----

Sets: TypeAlias = list[int]  # of each position a number whose bits are the columns that it reads


def by_sets(graph: Graph, length: int) -> dict[str, int | None]:
    """The same for a graph that takes no channels apart, along one axis of an image of any `length` that it takes."""
    sets: dict[int, Sets] = {0: [1 << column for column in range(length)]}
    last = {value: position for position, node in enumerate(graph.nodes) for value in node.inputs}
    kept = set(graph.rows.values())
    for position, node in enumerate(graph.nodes):
        sets[node.result] = _propagated(node, [sets[value] for value in node.inputs])
        for value in set(node.inputs):
            if last[value] == position and value not in kept:
                del sets[value]
    widths = {
        row.name: max(_extent(columns, length) for name in row.values for columns in _middle(sets[graph.rows[name]]))
        for row in graph.program.rows
    }
    whole = length - unit(graph.program)
    return {row: None if width > whole else width for row, width in widths.items()}


def _middle(sets: Sets) -> Sets:
    return sets[len(sets) // 3 : -(-2 * len(sets) // 3)] or sets


def _extent(columns: int, length: int) -> int:
    return columns.bit_length() - (columns & -columns).bit_length() + 1 if columns else 0


def _together(sets: Sequence[int]) -> int:
    return reduce(or_, sets, 0)


def _propagated(node: Node, inputs: list[Sets]) -> Sets:
    attributes: Mapping[str, Any] = node.attributes
    x = inputs[0] if inputs else []
    beyond = ("slice", "reshape", "transpose", "pad", "crop", "pixel_shuffle", "adaptive_average_pool")
    if node.primitive in beyond or attributes.get("over", "both") != "both":
        raise NotImplementedError(node.primitive)
    if node.primitive == "pixel_unshuffle":  # of all channels together, as what follows reads them
        factor = attributes["factor"]
        return [_together(x[start : start + factor]) for start in range(0, len(x), factor)]
    if node.primitive == "crop_to_level":
        return x[: -(-len(inputs[1]) >> attributes["level"])]
    if node.primitive in ("parameter", "constant"):
        return [0] * max(len(x), 1)
    if node.primitive in ("global_average_pool", "global_max_pool", "global_sum_pool", "flatten", "linear"):
        return [_together(x)]
    if node.primitive == "group_norm":
        return [_together(x)] * len(x)
    if node.primitive == "conv_transpose":
        kernel, stride = attributes["kernel"], attributes["stride"]
        spread = [0] * (len(x) * stride + kernel)
        for position, columns in enumerate(x):
            for offset in range(kernel):
                spread[position * stride + offset] |= columns
        cut = (kernel - stride) // 2
        return spread[cut : cut + len(x) * stride]
    if "stride" in attributes:
        kernel, stride, dilation = attributes["kernel"], attributes["stride"], attributes.get("dilation", 1)
        reach = (kernel - 1) * dilation + 1
        padding = attributes["padding"]
        around = {"same": max(reach - stride, 0), "symmetric": (reach - 1) // 2 * 2}.get(padding)
        around = 2 * padding if around is None else around
        padded = [0] * (around // 2) + x + [0] * (around - around // 2)
        starts = range(0, len(padded) - reach + 1, stride)
        return [_together(padded[start : start + reach : dilation]) for start in starts]
    if "mode" in attributes:
        size = len(x) << attributes["levels"] if node.primitive == "upsample" else len(inputs[1])
        size = -(-size >> attributes["level"]) if node.primitive == "resize_to_level" else size
        made: Sets = []
        for position in range(size):
            place = (position + 0.5) * len(x) / size - 0.5
            at = (place, place) if attributes["mode"] == "bilinear" else ((position * len(x)) // size,) * 2
            made.append(x[max(floor(at[0]), 0)] | x[min(ceil(at[1]), len(x) - 1)])
        return made
    longest = max(map(len, inputs))
    return [_together(columns) for columns in zip(*(sets * (longest // len(sets)) for sets in inputs), strict=True)]
