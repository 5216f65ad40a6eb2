"""Blocks that compute their maps a second time when their gradients are asked for, instead of keeping them.

In: a module and its program. Out: the same module, which holds less while it trains, and takes longer: of each
repetition of a row, and of each map that it resamples, only what goes in is kept. Losses, gradients and statistics are
the same to the last bit. How is what adapters do for their hosts.
"""

from __future__ import annotations

from torch import nn

from spinedsl.backends.torch.hosts import checkpoint_rows
from spinedsl.ops.program import Program


def recompute(network: nn.Module, program: Program) -> None:
    """Let the rows of a network compute twice. One without a module keeps nothing that it could make again."""
    names = dict.fromkeys(program.weights_of(row.name) for row in program.rows)
    there = dict(network.named_modules(remove_duplicate=False))
    checkpoint_rows([there[name] for name in names if name in there], enable=True)
