"""A run before its first step: network, task and optimizer, with the weights that it begins with.

In: the set-up of a run, and where it computes. Out: what changes as it trains; or what is wrong with the weights, with
what is frozen, and with the run's folder. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spinedsl import checks as say
from spinedsl.backends.torch import build
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.record import Record
from spinedsl.training import optim
from spinedsl.training.config import at_odds
from spinedsl.training.devices import Place
from spinedsl.training.ema import Average
from spinedsl.training.fine import Taken, freeze, take
from spinedsl.training.messages import nowhere
from spinedsl.training.setup import Setup
from spinedsl.training.state import State, Tensors
from spinedsl.writing import refusal


class Ready(Record, eq=False):
    """A run that can make its first step, and what was taken of other weights, where it begins with some."""

    state: State
    taken: Taken | None


def ready(setup: Setup, place: Place, *, fresh: bool) -> Outcome[Ready]:
    """The run at its first step. One that is `fresh`, and does not resume, gets the weights that it asks for."""
    config = setup.config
    module: Any = build(setup.network.program)
    module.reset(config.run["seed"])
    reported = list(_folder(config.path(config.run, "output") or Path()))
    path = config.path(config.weights, "from") if fresh else None
    taken: Taken | None = None
    if path is not None:
        outcome = take(module, setup.network.program, path, config.weights["key"], config.weights["prefix"])
        taken = outcome.value
        reported += outcome.diagnostics
    freeze(module, setup.frozen, norms=config.weights["freeze_norms"])
    try:
        state = _state(setup, place, module)
    except ValueError as error:
        return Outcome(None, (*reported, at_odds(config, ("weights", "freeze"), str(error))))
    return Outcome(Ready(state, taken), tuple(reported))


def _folder(folder: Path) -> Iterator[Diagnostic]:
    """That the run's folder can be written to."""
    reason = refusal(folder)
    if reason:
        yield say.CANNOT_WRITE.at(nowhere(), path=str(folder), reason=reason)


def _state(setup: Setup, place: Place, module: nn.Module) -> State:
    """What changes as a run trains.

    Raises:
        ValueError: everything is frozen.
    """
    config = setup.config
    shapes = {} if setup.loss is not None else setup.task.tensors(setup.features, setup.classes, config.task)
    task: nn.Module = Tensors(shapes, config.run["seed"])
    if isinstance(setup.loss, nn.Module):
        task = setup.loss
    module, task = module.to(place.device), task.to(place.device)
    if place.channels_last:
        module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    named = {**dict(module.named_parameters()), **{f"task:{name}": p for name, p in task.named_parameters()}}
    optimizer = optim.optimizer(named, config.optimizer)
    average = Average(module, config.run["average"]) if config.run["average"] else None
    return State(module, task, optimizer, average, place.scaler())
