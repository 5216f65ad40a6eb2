"""Fuse: a module that only runs, of one that `load` gave: batch norms become parts of the convolutions beside them.

In: a module, or one that holds such modules. Out: a copy in evaluation mode, channels last, with the same submodules:
where a norm was, there is `nn.Identity`. Which norms can go, the passes `fold` and `absorb` say, and recipes how.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from spinedsl.backends.torch.build import program_of
from spinedsl.ops.graph import Node, flatten
from spinedsl.passes import Form, as_written, filled
from spinedsl.passes.absorb import absorb
from spinedsl.passes.fold import fold

if TYPE_CHECKING:
    from torch import nn

MOST = float(np.finfo(np.float32).max)


def fused(module: Any) -> nn.Module:
    """The module as one that only runs: without batch norms where these can be part of a convolution, channels last.

    Raises:
        LookupError: no part of it is a network that was built in this process.
    """
    import torch  # noqa: PLC0415  only this needs it

    if not isinstance(module, torch.nn.Module) or not any(program_of(part) for part in module.modules()):
        raise LookupError("no network in it was built here")
    found = copy.deepcopy(module).requires_grad_(False).eval()
    for part in [*found.modules()]:
        if program_of(part) is not None:
            _fuse(part)
    return found.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _fuse(network: nn.Module) -> None:
    """Fold the norms of one network, in place."""
    import torch  # noqa: PLC0415  as above

    program = program_of(network)
    assert program is not None
    graph = flatten(program)
    tensors = {name: value.detach().double().cpu().numpy() for name, value in network.state_dict().items()}
    homes = {node.name: node.home for node in graph.nodes}  # a pass leaves the names of operations, not their tensors'
    keep = frozenset(node.home for node in graph.nodes if node.primitive == "batch_norm" and not _plain(network, node))
    keep |= {norm for node in graph.nodes if not _plain(network, node) for norm in _beside(node, graph.nodes)}
    while True:
        form = absorb(fold(as_written(graph, keep)))
        made, wrong = filled(form.recipes, tensors, MOST)
        if not wrong:
            break
        keep |= wrong
    for node in form.graph.nodes:
        for last, name in node.parameters.items():
            if name in form.recipes:
                part: Any = network.get_submodule(homes[node.name])
                like = part.weight
                value = torch.from_numpy(made[name]).to(like.device, like.dtype)
                setattr(part, last, torch.nn.Parameter(value, requires_grad=False))
    for name in _gone(form):
        home, _, last = name.rpartition(".")
        setattr(network.get_submodule(home), last, torch.nn.Identity())


def _gone(form: Form) -> Iterator[str]:
    """The norms that are part of a convolution now."""
    there = {node.home for node in form.graph.nodes if node.primitive == "batch_norm"}
    was = {name.rpartition(".")[0] for name in form.parameters if name.endswith(".running_var")}
    yield from sorted(was - there)


def _plain(network: nn.Module, node: Node) -> bool:
    """What stands in the place of an operation is what was compiled, and nothing listens to it."""
    import torch  # noqa: PLC0415  as above

    if not node.parameters:
        return True
    try:
        part: Any = network.get_submodule(node.home)
    except AttributeError:
        return False
    kinds: tuple[type, ...] = (torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.Linear)
    kinds += (torch.nn.modules.batchnorm._BatchNorm,)  # noqa: SLF001
    heard = part._forward_hooks or part._forward_pre_hooks or hasattr(part, "parametrizations")  # noqa: SLF001
    return isinstance(part, kinds) and not heard


def _beside(node: Node, nodes: tuple[Node, ...]) -> Iterator[str]:
    """The norms that read what an operation gives, or give what it reads."""
    for other in nodes:
        if other.primitive == "batch_norm" and (node.result in other.inputs or other.result in node.inputs):
            yield other.home
