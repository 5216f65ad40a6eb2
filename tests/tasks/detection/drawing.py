"""Random boxes for tests, and a few that have no area or lie exactly beside each other."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def boxes(count: int, seed: int, *, extent: float = 64, whole: bool = False) -> Tensor:
    """Boxes with an area; `whole` ones have whole numbers as corners, so many touch and many are equal."""
    drawn = torch.rand(count, 4, generator=generator(seed)) * extent
    corners = torch.cat([drawn[:, :2], drawn[:, :2] + 1 + drawn[:, 2:] / 2], 1)
    return (corners / 8).round() * 8 + torch.tensor([0.0, 0, 8, 8]) if whole else corners


NUMBERS = st.integers(-40, 40).map(lambda number: number / 2)
ANY = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(list)  # turned over and flat ones among them
PROPER = st.tuples(NUMBERS, NUMBERS, st.integers(1, 60), st.integers(1, 60)).map(
    lambda box: [box[0], box[1], box[0] + box[2] / 2, box[1] + box[3] / 2]
)


def tensor(rows: list[list[float]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
