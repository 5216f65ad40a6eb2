"""The state of a run: all that changes while it trains, as tensors by set and name, and back.

In: a module, the tensors that only training has, an optimizer, a moving average. Out: what a checkpoint holds. What is
random follows from the step, so the step is all that there is to keep of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from spinedsl.record import Record
from spinedsl.training import optim
from spinedsl.training.checkpoint import Checkpoint
from spinedsl.training.ema import Average

PURPOSES = 2**20  # numbers of parts of a step


class State(Record, frozen=False, eq=False):
    """What changes. `task` holds the tensors that only training has; `best` is the best figure so far."""

    module: nn.Module
    task: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average | None
    scaler: torch.amp.GradScaler | None
    step: int = 0
    best: float | None = None

    def sets(self, *, whole: bool) -> dict[str, dict[str, Tensor]]:
        """Its tensors by set and name; only the weights to use, unless it is the `whole` state."""
        found = {"model": dict(self.module.state_dict())}
        if self.average is not None:
            found["average"] = dict(self.average.tensors)
        if whole:
            return found | {"task": dict(self.task.state_dict()), "optimizer": optim.state_of(self.optimizer)}
        return {self.use: found[self.use], "task": dict(self.task.state_dict())}

    @property
    def use(self) -> str:
        """The set of weights that is for use."""
        return "model" if self.average is None else "average"

    def about(self) -> dict[str, Any]:
        """What of it is no tensor."""
        scaler = self.scaler.state_dict() if self.scaler is not None else None
        return {"step": self.step, "best": self.best, "use": self.use, "scaler": scaler}

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become what a checkpoint holds, whose tensors are those of this state."""
        with torch.no_grad():
            self.module.load_state_dict(checkpoint.sets["model"])
            self.task.load_state_dict(checkpoint.sets.get("task", {}))
        optim.restore(self.optimizer, checkpoint.sets.get("optimizer", {}))
        if self.average is not None:
            self.average.restore(checkpoint.sets["average"])
        if self.scaler is not None and checkpoint.about["scaler"]:
            self.scaler.load_state_dict(checkpoint.about["scaler"])
        self.step, self.best = checkpoint.about["step"], checkpoint.about["best"]


def seed_part(seed: int, step: int, part: int) -> None:
    """Set what dropout and stochastic depth draw from, for one part of a step's batch."""
    torch.manual_seed(((seed * 1_000_003 + step) * PURPOSES + part) % 2**64)


class Tensors(nn.Module):
    """The tensors that only a task's training has, drawn from a seed."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        for name, shape in shapes.items():
            drawn = torch.randn(shape, generator=generator) * 0.01
            self.register_parameter(name, nn.Parameter(drawn))

    def by_name(self) -> dict[str, Tensor]:
        """Its tensors."""
        return dict(self.named_parameters())
