"""Optimizers: which tensors decay, which optimizer moves them, and its state by name.

In: parameters by name, and settings. Out: a `torch.optim.Optimizer`; its state as tensors by name, and back. What has
one axis (norms, biases) does not decay; what is frozen is not given to the optimizer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

KINDS = ("sgd", "adamw")
_KEPT = {torch.optim.SGD: {"momentum_buffer"}, torch.optim.AdamW: {"step", "exp_avg", "exp_avg_sq"}}

Named = Mapping[str, nn.Parameter]


def groups(parameters: Named, decay: float) -> list[dict[str, Any]]:
    """Those that decay, and those that do not: norms and biases, which have one axis. Frozen ones are in neither."""
    moved = {name: parameter for name, parameter in parameters.items() if parameter.requires_grad}
    decayed = [name for name, parameter in moved.items() if parameter.ndim > 1]
    others = [name for name in moved if moved[name].ndim <= 1]
    found = [(decayed, decay), (others, 0.0)]
    return [
        {"params": [moved[name] for name in names], "names": names, "weight_decay": amount}
        for names, amount in found
        if names
    ]


def optimizer(parameters: Named, values: Mapping[str, Any]) -> torch.optim.Optimizer:
    """The optimizer of [optimizer]'s settings.

    Raises:
        ValueError: everything is frozen.
    """
    found = groups(parameters, values["weight_decay"])
    if not found:
        raise ValueError("nothing is left to train: every tensor is frozen")
    if values["name"] == "sgd":
        return torch.optim.SGD(
            found,
            lr=values["rate"],
            momentum=values["momentum"],
            nesterov=values["nesterov"] and values["momentum"] > 0,
        )
    first, second = values["betas"]
    return torch.optim.AdamW(found, lr=values["rate"], betas=(first, second), eps=values["epsilon"])


def set_rate(chosen: torch.optim.Optimizer, rate: float) -> None:
    """The rate of the next step, for all groups."""
    for group in chosen.param_groups:
        group["lr"] = rate


def clip(parameters: Iterable[nn.Parameter], most: float) -> Tensor:
    """Shorten all gradients together to a length of at most `most`; the length that they had."""
    return nn.utils.clip_grad_norm_(list(parameters), most)


def state_of(chosen: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimizer keeps, as `name/what` to tensors."""
    found = {}
    for group in chosen.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            for what, value in chosen.state.get(parameter, {}).items():
                if value is not None:
                    found[f"{name}/{what}"] = torch.as_tensor(value)
    return found


def restore(chosen: torch.optim.Optimizer, state: Mapping[str, Tensor]) -> None:
    """Put back what `state_of` gave, where the parameters are now; memory formats are those of the parameters.

    What an optimizer of another kind kept is left out.
    """
    held: dict[str, dict[str, Tensor]] = {}
    for full, value in state.items():
        name, _, what = full.rpartition("/")
        held.setdefault(name, {})[what] = value
    for group in chosen.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            if held.get(name, {}).keys() == _KEPT[type(chosen)]:
                chosen.state[parameter] = {what: _like(value, parameter) for what, value in held[name].items()}


def _like(value: Tensor, parameter: nn.Parameter) -> Tensor:
    """A tensor of the state where its parameter is. A count of steps stays where optimizers keep it."""
    if value.shape != parameter.shape or value.ndim == 0:
        return value.clone()
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
