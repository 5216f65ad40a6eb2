"""Fuse: a module that only runs, of one that `load` gave: batch norms become parts of the convolutions beside them.

In: a module, or one that holds such modules. Out: a copy in evaluation mode, channels last, with the same submodules:
where a norm was, there is `nn.Identity`. Which norms can go, the passes `fold` and `absorb` say, and recipes how.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from spinedsl.backends.torch.build import blank, program_of
from spinedsl.ops.graph import Graph, flatten
from spinedsl.passes import Form, as_written, filled
from spinedsl.passes.absorb import absorb
from spinedsl.passes.fold import fold

if TYPE_CHECKING:
    from torch import nn

MOST = float(np.finfo(np.float32).max)


class NotOurs(Exception):
    """No network in a module was built here."""


def fused(module: Any) -> nn.Module:
    """The module as one that only runs: without batch norms where these can be part of a convolution, channels last.

    Raises:
        NotOurs: no part of it is a network that was built in this process.
    """
    import torch  # noqa: PLC0415  only this needs it

    if not isinstance(module, torch.nn.Module) or not any(program_of(part) for part in module.modules()):
        raise NotOurs
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
    keep = frozenset(_kept(network, graph))
    while True:
        form = absorb(fold(as_written(graph, keep)))
        made, wrong = filled(form.recipes, tensors, _most(network))
        wrong |= _partly(graph, form)
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


def _partly(graph: Graph, form: Form) -> frozenset[str]:
    """The norms that would go in one place, and stay in another where the same module is used."""
    before, after = (
        Counter(node.home for node in one.nodes if node.primitive == "batch_norm") for one in (graph, form.graph)
    )
    return frozenset(home for home, count in after.items() if count < before[home])


def _gone(form: Form) -> Iterator[str]:
    """The norms that are part of a convolution now."""
    there = {node.home for node in form.graph.nodes if node.primitive == "batch_norm"}
    was = {name.rpartition(".")[0] for name in form.parameters if name.endswith(".running_var")}
    yield from sorted(was - there)


def _most(network: nn.Module) -> float:
    """The largest number that every tensor of a network holds."""
    import torch  # noqa: PLC0415  as above

    kinds = {tensor.dtype for tensor in network.parameters() if tensor.is_floating_point()}
    return min((float(torch.finfo(kind).max) for kind in kinds), default=MOST)


def _kept(network: nn.Module, graph: Graph) -> Iterator[str]:
    """The norms that stay: what stands there or beside is not what was compiled, or somebody listens between."""
    built = blank(type(network))
    homes = dict.fromkeys(node.home for node in graph.nodes if node.parameters)
    names = Counter(id(part) for home in homes if (part := _part(network, home)) is not None)
    plain = {home: _plain(network, built, home) and names[id(_part(network, home))] == 1 for home in homes}
    makers = {node.result: node for node in graph.nodes}
    for node in graph.nodes:
        for value in node.inputs:
            maker = makers.get(value)
            if maker is None or "batch_norm" not in (maker.primitive, node.primitive):
                continue
            parts = [one for one in (maker, node) if one.parameters]
            fit = all(plain[one.home] for one in parts)
            if not fit or len({tuple(_listeners(network, one.home)) for one in parts}) > 1:
                yield from (one.home for one in parts if one.primitive == "batch_norm")


def _plain(network: nn.Module, built: nn.Module, home: str) -> bool:
    """A module, and all that holds it, is what was compiled: of the same kinds and settings, without hooks."""
    steps = home.split(".")
    for count in range(len(steps) + 1):
        name = ".".join(steps[:count])
        found, wanted = _part(network, name), _part(built, name)
        if found is None or wanted is None or "forward" in vars(found):
            return False
        if not _same_kind(found, wanted) or not _same_settings(found, wanted):
            return False
    return not _heard(found)


def _part(network: nn.Module, name: str) -> nn.Module | None:
    try:
        return network.get_submodule(name)
    except AttributeError:
        return None


def _same_kind(found: nn.Module, wanted: nn.Module) -> bool:
    import torch  # noqa: PLC0415  as above

    if type(found) is torch.nn.SyncBatchNorm:  # what trains on several devices computes the same
        return isinstance(wanted, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)
    return type(found) is type(wanted)


def _same_settings(found: nn.Module, wanted: nn.Module) -> bool:
    """All that counts in evaluation: of a norm, not by how much its statistics move; of a container, what it runs."""
    import torch  # noqa: PLC0415  as above

    if isinstance(wanted, torch.nn.modules.batchnorm._BatchNorm):  # noqa: SLF001  the base of all batch norms
        names = ("num_features", "eps", "affine", "track_running_stats")
        tensors = ("weight", "bias", "running_mean", "running_var")
        there = all(getattr(found, name) is not None for name in tensors)
        return there and all(getattr(found, name) == getattr(wanted, name) for name in names)
    if type(wanted) in (torch.nn.Sequential, torch.nn.ModuleDict):  # these run what they hold, in its order
        return [*found._modules] == [*wanted._modules]  # noqa: SLF001  with what has two names
    return any(True for _ in wanted.children()) or found.extra_repr() == wanted.extra_repr()


def _heard(part: Any) -> bool:
    """Somebody is told what goes in or comes out, or makes its tensors."""
    return bool(part._forward_hooks or part._forward_pre_hooks) or hasattr(part, "parametrizations")  # noqa: SLF001


def _listeners(network: nn.Module, home: str) -> Iterator[str]:
    """The modules around one that are listened to: between two norms or convolutions of the same, nobody listens."""
    steps = home.split(".")
    for count in range(1, len(steps)):
        if _heard(network.get_submodule(name := ".".join(steps[:count]))):
            yield name
