"""A moving average of a network's tensors, which is often better than the last of them.

In: a module after each step. Out: its average, which may stand in the module's place for a while. Whole numbers, such
as counts of steps, are not averaged but copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """The average of all tensors of a module: `decay` of it stays in each step, fewer in the first ones."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.module = module
        self.tensors = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
        own = module.state_dict()
        moved = [name for name, tensor in own.items() if tensor.is_floating_point()]
        self._averaged = [self.tensors[name] for name in moved]
        self._followed = [own[name].detach() for name in moved]
        self._copied = [name for name in own if name not in set(moved)]

    def update(self, step: int) -> None:
        """Take in the tensors after a step, counted from 0."""
        kept = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(self._averaged, self._followed, 1 - kept)
            own = self.module.state_dict()
            for name in self._copied:
                self.tensors[name].copy_(own[name])

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back an average that was kept."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(tensors[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The average in the module, and what the module makes of it in the average; afterwards its own tensors."""
        own = self.module.state_dict()
        kept = {name: tensor.detach().clone() for name, tensor in own.items()}
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(self.tensors[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, tensor in own.items():
                    self.tensors[name].copy_(tensor)
                    tensor.copy_(kept[name])
