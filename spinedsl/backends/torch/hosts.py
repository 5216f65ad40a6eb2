"""Definitions that adapters copy, each only into files whose adapter uses it. Training alone imports one of them.

Rows are the modules of a network, in the order of the file: what a host calls stages. Like `helpers.py`, this is code
and no text in a template, so that it is checked, typed and tested like the rest.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def take_channels(network: nn.Module, convolutions: Sequence[str], channels: int) -> None:
    """Let the convolutions that read the image take so many channels. The caller initialises them."""
    if channels < 1:
        raise ValueError(f"an image has at least one channel, got {channels}")
    for name in convolutions:
        conv: Any = network.get_submodule(name)
        conv.in_channels = channels
        conv.weight = nn.Parameter(conv.weight.new_empty(conv.weight.shape[0], channels, *conv.weight.shape[2:]))


@contextmanager
def buffers_kept(module: nn.Module) -> Iterator[None]:
    """Give buffers their values back at the end: a second computation moves no running statistics."""
    kept = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        for buffer, value in kept:
            buffer.copy_(value)


def compute_twice(module: nn.Module, save: Callable[..., Any], *inputs: Any) -> Any:
    """A module's `forward`, of which only the inputs are saved for the gradients."""
    forward = functools.partial(type(module).forward, module)
    if torch.compiler.is_compiling():  # what is compiled computes functions again, without their side effects
        return save(forward, *inputs)
    return save(forward, *inputs, context_fn=lambda: (nullcontext(), buffers_kept(module)))


def checkpoint_rows(
    rows: Iterable[nn.Module], enable: bool, save: Callable[..., Any] | None = None, every: int = 1
) -> None:
    """Save only the inputs of each row, of each of its repetitions and of each resampling, or save everything again.

    With `every`, only those of every so many.
    """
    save = functools.partial(checkpoint, use_reentrant=False) if save is None else save
    parts: list[nn.Module] = []
    for row in rows:
        inner = dict(row.named_children())
        resampling = [part for name, part in inner.items() if name.startswith("from_")]
        repeated = [part for name, part in inner.items() if re.fullmatch(r"rep\d+", name)]
        parts += [*resampling, *(repeated or [row])]
    for number, part in enumerate(parts):
        part.__dict__.pop("forward", None)
        if enable and number % every == 0:
            part.__dict__["forward"] = functools.partial(compute_twice, part, save)


def freeze_rows(network: nn.Module, count: int) -> None:
    """Train the first rows of a network no further."""
    rows = list(network.children())
    if not 0 <= count <= len(rows):
        raise ValueError(f"{count} rows cannot be frozen: the network has {len(rows)}")
    for row in rows[:count]:
        row.requires_grad_(False)


class FrozenBatchNorm1d(nn.BatchNorm1d):
    """A batch norm of vectors whose statistics stay as they are, in training too."""

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


def evaluate_frozen(network: nn.Module, norms: bool) -> None:
    """Have what is not trained compute as in evaluation, and with `norms` every batch norm."""
    norm_kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)
    for module in (module for row in network.children() for module in row.modules()):
        trained = [parameter.requires_grad for parameter in module.parameters()]
        if (trained and not any(trained)) or (norms and isinstance(module, norm_kinds)):
            module.train(False)
