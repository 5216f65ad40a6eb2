"""Networks made of networks once more, as in `reference.py`: necks, hourglasses and stages written out in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

Weights: TypeAlias = Mapping[str, Tensor]
Outputs: TypeAlias = list[Tensor]


def conv(w: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    kernel = w[f"{name}.weight"]
    groups = x.shape[1] // kernel.shape[1]
    return F.conv2d(x, kernel, w.get(f"{name}.bias"), stride, kernel.shape[-1] // 2, groups=groups)


def norm(w: Weights, name: str, x: Tensor) -> Tensor:
    mean, var, weight, bias = (w[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, mean, var, weight, bias, eps=1e-3)


def unit(w: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    return norm(w, f"{name}.norm", conv(w, f"{name}.conv", x, stride))


def up(x: Tensor, times: int = 2) -> Tensor:
    return F.interpolate(x, scale_factor=times)


def down(x: Tensor, halvings: int = 1) -> Tensor:
    for _ in range(halvings):
        x = F.max_pool2d(x, 3, 2, 1)
    return x


def residual(w: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    y = unit(w, f"{name}.refine", unit(w, f"{name}.spatial", x, stride).relu())
    return (y + (unit(w, f"{name}.shortcut", x, stride) if f"{name}.shortcut.conv.weight" in w else x)).relu()


def bottleneck(w: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    y = unit(w, f"{name}.spatial", unit(w, f"{name}.squeeze", x).relu(), stride).relu()
    y = unit(w, f"{name}.expand", y)
    return (y + (unit(w, f"{name}.shortcut", x, stride) if f"{name}.shortcut.conv.weight" in w else x)).relu()


def nas_fpn(w: Weights, image: Tensor) -> Outputs:
    x = down(unit(w, "s.enter", image, 2).relu())
    stages: list[Tensor] = []
    for stage, (name, count) in enumerate({"c2": 3, "c3": 4, "c4": 6, "c5": 3}.items()):
        for number in range(count):
            x = bottleneck(w, f"{name}.rep{number}", x, 2 if stage and not number else 1)
        stages.append(x)
    maps = [unit(w, f"l{level}", stages[level - 2]) for level in (3, 4, 5)]
    maps += [down(maps[2]), down(maps[2], 2)]
    for cell in range(7):
        maps = _cell(w, f"cells.rep{cell}", maps)
    return maps


def _cell(w: Weights, name: str, maps: Sequence[Tensor]) -> list[Tensor]:
    p3, p4, p5, _, p7 = maps

    def merged(row: str, y: Tensor) -> Tensor:
        return unit(w, f"{name}.{row}", y.relu())

    def pooled(x: Tensor, y: Tensor) -> Tensor:
        return y + x * y.amax((2, 3), keepdim=True).sigmoid()

    s4 = merged("s4", merged("g4", pooled(p4, up(maps[3], 4))) + p4)
    first = merged("P3", up(s4) + p3)
    second = merged("P4", down(first) + s4)
    third = merged("P5", merged("t5", pooled(down(second), down(first, 2))) + p5)
    last = merged("P7", merged("t7", pooled(down(s4, 3), down(third, 2))) + p7)
    return [first, second, third, merged("P6", pooled(down(third), up(last))), last]


def efficientdet_neck(w: Weights, image: Tensor) -> Outputs:
    x = F.conv2d(image, w["s.conv.weight"], stride=4)
    maps: list[Tensor] = []
    for level in range(3, 8):
        x = unit(w, f"b{level}", x, 2).relu()
        maps.append(x)
    for layer in range(3):
        maps = _layer(w, f"neck.rep{layer}", maps)
    return maps


def _layer(w: Weights, name: str, maps: Sequence[Tensor]) -> list[Tensor]:
    p3, p4, p5, p6, p7 = maps

    def fused(row: str, *inputs: tuple[str, Tensor, Callable[[Tensor], Tensor]]) -> Tensor:
        total = y = torch.zeros(1, dtype=torch.float64)
        for index, (source, x, move) in enumerate(inputs):
            own = f"{name}.{row}.from_{source}"
            weight = w[f"{name}.{row}.join.x{index}.weight.parameter.weight"].relu()
            total, y = total + weight, y + weight * move(unit(w, own, x) if f"{own}.conv.weight" in w else x)
        y = F.silu(y / (total + 0.0001))
        return norm(w, f"{name}.{row}.norm", conv(w, f"{name}.{row}.conv_2", conv(w, f"{name}.{row}.conv", y)))

    def same(x: Tensor) -> Tensor:
        return x

    t6 = fused("t6", ("p6", p6, same), ("p7", p7, up))
    t5 = fused("t5", ("p5", p5, same), ("t6", t6, up))
    t4 = fused("t4", ("p4", p4, same), ("t5", t5, up))
    o3 = fused("P3", ("p3", p3, same), ("t4", t4, up))
    o4 = fused("P4", ("p4", p4, same), ("t4", t4, same), ("P3", o3, down))
    o5 = fused("P5", ("p5", p5, same), ("t5", t5, same), ("P4", o4, down))
    o6 = fused("P6", ("p6", p6, same), ("t6", t6, same), ("P5", o5, down))
    return [o3, o4, o5, o6, fused("P7", ("p7", p7, same), ("P6", o6, down))]


def hourglass(w: Weights, image: Tensor) -> Outputs:
    x = F.conv2d(image, w["s.conv.weight"], stride=4)
    x = residual(w, "b0", x)
    given: Outputs = []
    for stack in range(2):
        y = _hourglass(w, f"h{stack}", x, ("m3", "m4"))
        given.append(unit(w, f"f{stack}", y).relu())
        if not stack:
            x = x + F.conv2d(given[0], w["x1.conv.weight"])
    return given


def _hourglass(w: Weights, name: str, x: Tensor, inner: Sequence[str]) -> Tensor:
    """Down by a step, through another hourglass or a block, and up again onto what was kept."""
    kept, y = residual(w, f"{name}.kept", x), residual(w, f"{name}.down", x, 2)
    middle = f"{name}.inner"
    y = _hourglass(w, middle, y, inner[1:]) if len(inner) > 1 else residual(w, middle, y)
    return residual(w, f"{name}.y", kept + up(y))


def hrnet(w: Weights, image: Tensor) -> Outputs:
    x = unit(w, "enter", unit(w, "s", image, 2).relu(), 2).relu()
    for number in range(4):
        x = bottleneck(w, f"first.rep{number}", x)
    maps = _exchanged(w, "two", [unit(w, "t2", x).relu(), unit(w, "t3", x, 2).relu()])
    maps.append(unit(w, "t4", maps[-1], 2).relu())
    for number in range(4):
        maps = _exchanged(w, f"three.rep{number}", maps)
    maps.append(unit(w, "t5", maps[-1], 2).relu())
    for number in range(3):
        maps = _exchanged(w, f"four.rep{number}", maps)
    return maps


def _exchanged(w: Weights, name: str, maps: Sequence[Tensor]) -> list[Tensor]:
    """Four blocks in every branch, then each branch is the sum of all, at its size."""
    branches = [*maps]
    for number in range(4):
        branches = [residual(w, f"{name}.x{level}.rep{number}", x) for level, x in enumerate(branches, 2)]

    def moved(x: Tensor, source: int, target: int) -> Tensor:
        own = f"{name}.y{target}.from_x{source}"
        if source > target:
            return up(unit(w, own, x), 2 ** (source - target))
        for halving in range(target - source - 1):
            x = unit(w, f"{own}.rep{halving}", x, 2).relu()
        return unit(w, f"{own}.last", x, 2) if target > source else x

    levels = range(2, 2 + len(maps))
    sums = [sum(moved(x, s, t) for s, x in zip(levels, branches, strict=True)) for t in levels]
    return [torch.as_tensor(one).relu() for one in sums]


REFERENCES = {function.__name__: function for function in (nas_fpn, efficientdet_neck, hourglass, hrnet)}
