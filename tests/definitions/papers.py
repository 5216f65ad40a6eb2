"""Networks of other papers once more, as in `reference.py`: operations that are arguments called where they stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

from tests.definitions.parts import Outputs, Weights, conv, norm

Operation: TypeAlias = Callable[[str, Tensor], Tensor]


def nas_bench_201(w: Weights, image: Tensor) -> Outputs:
    def convolution(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return norm(w, f"{name}.norm", conv(w, f"{name}.conv", x.relu(), stride))

    def pool(name: str, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    def skip(name: str, x: Tensor) -> Tensor:
        return x

    def zero(name: str, x: Tensor) -> Tensor:
        return x * 0

    def cell(name: str, x: Tensor, operations: Sequence[Operation]) -> Tensor:
        op01, op02, op12, op03, op13, op23 = operations
        n1 = op01(f"{name}.n1", x)
        n2 = op02(f"{name}.n2.op02", x) + op12(f"{name}.n2.op12", n1)
        return op03(f"{name}.op03", x) + op13(f"{name}.op13", n1) + op23(f"{name}.op23", n2)

    x = F.conv2d(image, w["s.conv.weight"], stride=4)
    for copy in range(2):
        x = cell(f"c0.rep{copy}", x, (convolution, skip, pool, zero, convolution, convolution))
    z = convolution("r0.z.op_2", convolution("r0.z.op", convolution("r0.y", x, 2)))
    shortcut = norm(w, "r0.norm", conv(w, "r0.conv", F.avg_pool2d(x, 2)))
    return [cell("c1", z + shortcut * 0.5, (convolution, convolution, convolution, zero, pool, skip))]


def darts_v2(w: Weights, image: Tensor) -> Outputs:
    def squeezed(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return norm(w, f"{name}.norm", conv(w, f"{name}.conv", x.relu(), stride))

    def separable(name: str, x: Tensor) -> Tensor:
        point = norm(w, f"{name}.point1.norm", conv(w, f"{name}.point1.conv", conv(w, f"{name}.depth1.conv", x.relu())))
        return norm(w, f"{name}.norm", conv(w, f"{name}.conv", conv(w, f"{name}.depth2.conv", point.relu())))

    def dilated(name: str, x: Tensor) -> Tensor:
        kernel = w[f"{name}.depth.conv.weight"]
        depth = F.conv2d(x.relu(), kernel, padding=2, dilation=2, groups=len(kernel))
        return norm(w, f"{name}.norm", conv(w, f"{name}.conv", depth))

    def skip(name: str, x: Tensor) -> Tensor:
        return x

    def normal(name: str, h: Tensor, p: Tensor, operations: Sequence[Operation], stride: int = 1) -> Tensor:
        a, b, c, d, e, f, g, i = (
            partial(operation, f"{name}.{place}")
            for operation, place in zip(
                operations, ("n2.a", "n2.b", "n3.c", "n3.d", "n4.e", "n4.f", "n5.g", "n5.i"), strict=True
            )
        )
        n1, n0 = squeezed(f"{name}.n1", h), squeezed(f"{name}.n0", p, stride)
        n2 = a(n0) + b(n1)
        return torch.cat([n2, c(n0) + d(n1), e(n1) + f(n0), g(n0) + i(n2)], 1)

    def reduction(name: str, h: Tensor, p: Tensor) -> Tensor:
        n1, n0 = (F.max_pool2d(squeezed(f"{name}.n{n}", x), 3, 2, 1) for n, x in ((1, h), (0, p)))
        n2 = n0 + n1
        return torch.cat([n2, n2 + n1, n0 + n2, n2 + n1], 1)

    s = F.conv2d(image, w["s.conv.weight"], stride=4)
    c0 = normal("c0", s, s, (separable,) * 5 + (skip, skip, dilated))
    c1 = reduction("c1", c0, s)
    others = (separable, separable, dilated, separable, skip, separable, skip, separable)
    return [normal("c2", c1, c0, others, 2)]


REFERENCES = {function.__name__: function for function in (nas_bench_201, darts_v2)}
