"""Places: where on its maps a detector looks for objects, as points or as anchors.

In: the sizes of maps and their strides. Out: one tensor for each map, in pixels of the network's image. The order is
that of the maps' numbers with the channels last: rows from the top, in a row from the left, at a position anchor by
anchor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

Size = tuple[int, int]  # height and width of a map


def points(size: Size, stride: int, device: torch.device | str | None = None) -> Tensor:
    """The centres of a map's positions, x and y: (positions, 2), float32.

    Position i of a row is at (i + 1/2) times the stride: Tian et al., ICCV 2019, arXiv 1904.01355, section 3.1.
    """
    height, width = size
    x = (torch.arange(width, dtype=torch.float32, device=device) + 0.5) * stride
    y = (torch.arange(height, dtype=torch.float32, device=device) + 0.5) * stride
    return torch.stack([x.repeat(height), y.repeat_interleave(width)], 1)


def anchors(
    size: Size, stride: int, sides: Sequence[tuple[float, float]], device: torch.device | str | None = None
) -> Tensor:
    """Boxes around these points: (positions * anchors, 4), float32.

    Args:
        size: of the map.
        stride: of the map, in pixels.
        sides: width and height of each anchor, in strides, as `ops.detection.Anchors.sides` gives them.
    """
    half = torch.tensor(sides, dtype=torch.float64, device=device).mul(stride / 2).float()
    centres = points(size, stride, device)[:, None]
    return torch.cat([centres - half, centres + half], 2).reshape(-1, 4)


def ranges(strides: Sequence[int], smallest: float = 8.0) -> list[tuple[float, float]]:
    """The size of objects that each map finds, as FCOS has it: the farthest side of a box, in pixels, from and up to.

    Strides of 8, 16, …, 128 give 0 to 64, 64 to 128, …, 512 and more: Tian et al., section 3.2.

    Args:
        strides: from fine to coarse.
        smallest: the upper end of all but the last, in strides.
    """
    ends = [0.0, *(smallest * stride for stride in strides[:-1]), float("inf")]
    return list(pairwise(ends))
