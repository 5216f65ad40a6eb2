"""Cells whose operations are arguments once more, as in `reference.py`: each operation called where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

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


REFERENCES = {nas_bench_201.__name__: nas_bench_201}
