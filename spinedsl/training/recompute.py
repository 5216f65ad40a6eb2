"""Blocks that compute their maps a second time when their gradients are asked for, instead of keeping them.

In: a module and its program. Out: the same module, which holds less while it trains, and takes longer: of each
repetition of a row, and of each map that it resamples, only what goes in is kept. Losses, gradients and statistics are
the same to the last bit: the second time random numbers are those of the first, and batch norms leave their statistics
alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from spinedsl.ops.program import Program


def recompute(network: nn.Module, program: Program) -> int:
    """Let the blocks of a network compute twice; how many there are."""
    units = [*dict.fromkeys(_units(network, program))]
    for unit in units:
        unit.forward = _Twice(unit)
    return len(units)


def _units(network: nn.Module, program: Program) -> Iterator[Any]:
    """What computes twice: of each row its repetitions and resamplings, or all of it where it has none."""
    for row in program.rows:
        try:
            part = network.get_submodule(program.weights_of(row.name))
        except AttributeError:
            continue  # without tensors: it keeps nothing that it could make again
        repetitions = [child for name, child in part.named_children() if name.startswith("rep")]
        yield from repetitions if isinstance(part, nn.Sequential) and repetitions else [part]
        yield from (child for name, child in part.named_children() if name.startswith("from_"))


class _Twice:
    """What a module does, with its maps made again for the gradients."""

    def __init__(self, part: nn.Module) -> None:
        self.part = part

    def __call__(self, *given: Any) -> Any:
        """Run the module."""
        forward = type(self.part).forward
        if not torch.is_grad_enabled():
            return forward(self.part, *given)
        return checkpoint(forward, self.part, *given, use_reentrant=False, context_fn=self.contexts)

    def contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """What surrounds the first run, and the second."""
        return nullcontext(), _unmoved(self.part)


@contextmanager
def _unmoved(part: nn.Module) -> Iterator[None]:
    """Batch norms move copies of their statistics, which go: the first run has moved them."""
    norms = [one for one in part.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]  # noqa: SLF001
    own = [(norm, dict(norm.named_buffers(recurse=False))) for norm in norms if norm.training]
    for norm, buffers in own:
        for name, buffer in buffers.items():
            setattr(norm, name, buffer.clone())
    try:
        yield
    finally:
        for norm, buffers in own:
            for name, buffer in buffers.items():
                setattr(norm, name, buffer)
