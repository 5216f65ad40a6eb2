"""Definitions that files for inference copy: how their tensors are made of those of the network as it is trained.

Like `helpers.py`, this is code and no text in a template. The steps are those of `passes/recipes.py`, in float64.
"""

import torch
from torch import Tensor, nn


def taken(tensors: dict[str, Tensor], name: str) -> Tensor:
    """A tensor of the network as it is trained, in float64."""
    return tensors[name].double()


def line(tensors: dict[str, Tensor], norm: str, epsilon: float) -> tuple[Tensor, Tensor]:
    """A batch norm as what it is in inference: a factor and a summand for each channel."""
    factor = taken(tensors, f"{norm}.weight") / torch.sqrt(taken(tensors, f"{norm}.running_var") + epsilon)
    return factor, taken(tensors, f"{norm}.bias") - taken(tensors, f"{norm}.running_mean") * factor


def scaled(kernel: Tensor, norm: tuple[Tensor, Tensor], axis: int) -> Tensor:
    """A kernel whose outputs, along an axis, are multiplied as the norm behind it does."""
    if len(norm[0]) != kernel.shape[axis]:
        raise ValueError(f"a norm of {len(norm[0])} channels stands behind a kernel with {kernel.shape[axis]}")
    shape = [1] * kernel.dim()
    shape[axis] = -1
    return kernel * norm[0].reshape(shape)


def shifted(bias: Tensor | None, norm: tuple[Tensor, Tensor]) -> Tensor:
    """The bias that goes with it."""
    return norm[1] if bias is None else bias * norm[0] + norm[1]


def by_group(kernel: Tensor, numbers: Tensor, groups: int) -> Tensor:
    """For each output of a kernel the numbers of the inputs that it reads."""
    outputs, inputs = kernel.shape[:2]
    each = numbers.reshape(groups, 1, inputs).expand(groups, outputs // groups, inputs)
    return each.reshape(outputs, inputs, 1, 1)


def scaled_inputs(kernel: Tensor, norm: tuple[Tensor, Tensor], groups: int) -> Tensor:
    """A kernel whose inputs are multiplied as the norm before it does."""
    return kernel * by_group(kernel, norm[0], groups)


def shifted_inputs(bias: Tensor | None, kernel: Tensor, norm: tuple[Tensor, Tensor], groups: int) -> Tensor:
    """The bias that goes with it."""
    found = (kernel * by_group(kernel, norm[1], groups)).sum((1, 2, 3))
    return found if bias is None else found + bias


def standardised(kernel: Tensor, epsilon: float) -> Tensor:
    """A kernel with mean 0 and variance 1 over all that each output reads."""
    centred = kernel - kernel.mean((1, 2, 3), keepdim=True)
    return centred / torch.sqrt((centred * centred).mean((1, 2, 3), keepdim=True) + epsilon)


def gained(kernel: Tensor, gain: Tensor, factor: float) -> Tensor:
    """A kernel whose outputs are multiplied by a gain each, and all by one number."""
    return kernel * (gain * factor).reshape(-1, 1, 1, 1)


class Folded(nn.Module):
    """A network that only runs. It takes its own tensors, or makes them of those of the network as it is trained."""

    unread: tuple[str, ...] = ()  # what names of tensors begin with that are of no use to it

    def fold(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return tensors


class ReadTensors(dict[str, Tensor]):
    """Of the tensors of a state dict those that were read, without the prefix."""

    def __init__(self, state: dict[str, Tensor], prefix: str) -> None:
        super().__init__()
        self.state, self.prefix = state, prefix

    def __missing__(self, name: str) -> Tensor:
        if f"{self.prefix}{name}" not in self.state:
            raise ValueError(f"these are not the tensors of the network: there is no {name}")
        self[name] = self.state[f"{self.prefix}{name}"]
        return self[name]


def fold_first(module: Folded, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    """Before a state dict is loaded: of the tensors of the network as it is trained, make those of this module.

    What is no tensor of that network stays, so that PyTorch reports it.
    """
    names = [f"{prefix}{name}" for name in module.state_dict()]
    given = [name[len(prefix) :] for name in state if name.startswith(prefix)]
    if all(name in state for name in names) or not given:
        return
    read = ReadTensors(state, prefix)
    with torch.no_grad():
        made = module.fold(read)
    for name, tensor in made.items():
        if not bool(torch.isfinite(tensor.float()).all()):
            raise ValueError(f"{name} would not be finite: these norms cannot be folded, keep the file with norms")
    for name in given:
        if name in read or name.endswith("num_batches_tracked") or name.startswith(module.unread):
            del state[f"{prefix}{name}"]
    for name, tensor in made.items():
        state[f"{prefix}{name}"] = tensor.to(torch.float32)
