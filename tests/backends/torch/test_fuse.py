"""Fused modules: whatever was changed in a module by hand, its copy without norms gives the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import spinedsl
from spinedsl.agreement import lively_weights
from spinedsl.backends.torch import emit_module, filled
from spinedsl.ops.graph import flatten

NETWORK = """\
spine 1
import std.stems
block_type cell(x, channels, stride = 1) -> channels {
    let a = norm(conv(x, channels, kernel = 3, stride = stride))
    let b = norm(conv(act(a), channels, kernel = 3))
    return act(b)
}
block_type bare(x, channels, stride = 1) -> channels {
    return conv(x, channels, kernel = 3, stride = stride)
}
block_type normed(x, channels, stride = 1) -> channels {
    return norm(x)
}
network Net {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b: cell level 3 after s channels 8 repeat 2
    block c: bare level 3 after b channels 8
    block d: normed level 3 after c channels 8
    output P: d
}
"""
NORM, CONV = "b.rep1.a.norm", "b.rep1.a.conv"


def module() -> Any:
    """A network with two equal blocks, and a norm that stands in another row than its convolution."""
    program = spinedsl.program(spinedsl.Source.from_text(NETWORK))
    return filled(emit_module(program).decode(), program, lively_weights(flatten(program).parameters, 0)).eval()


def norms(network: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in network.modules())


def put(network: nn.Module, name: str, part: nn.Module) -> None:
    """A module in the place of another, with its tensors as far as they fit."""
    state = network.get_submodule(name).state_dict()
    own = part.state_dict()
    part.load_state_dict({key: value for key, value in state.items() if key in own}, strict=False)
    home, _, last = name.rpartition(".")
    setattr(network.get_submodule(home), last, part.eval())


class Loud(nn.Conv2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(super().forward(x))


class Squashed(nn.BatchNorm2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(super().forward(x))


def epsilon(network: nn.Module) -> None:
    part: Any = network.get_submodule(NORM)
    part.eps = 0.5


def own_forward(network: nn.Module) -> None:
    """A block's own children, between which something else happens."""
    block: Any = network.get_submodule("b.rep1")
    block.__class__ = type("Other", (type(block),), {"forward": lambda self, x: self.a.norm(self.a.conv(x).tanh())})


def assigned_forward(network: nn.Module) -> None:
    part: Any = network.get_submodule(CONV)
    part.forward = lambda x: nn.Conv2d.forward(part, x).tanh()


def doubled(network: nn.Module, name: str) -> None:
    """What comes out of a module is twice as much."""
    network.get_submodule(name).register_forward_hook(lambda part, given, result: result * 2)


def same_conv(network: nn.Module) -> None:
    """One convolution, with two norms."""
    network.get_submodule("b.rep1.a").conv = network.get_submodule("b.rep1.b.conv")


def chained(network: nn.Module, **parts: str) -> None:
    """A chain of its modules in another order, and with others between them."""
    holder: Any = network.get_submodule("b.rep1")
    others = {"extra": nn.LeakyReLU(0.1)}
    holder.a = nn.Sequential(
        OrderedDict((name, others.get(what) or holder.a.get_submodule(what)) for name, what in parts.items())
    )


def bare_norm(network: nn.Module, *names: str) -> None:
    """A norm that is made without some of its tensors."""
    for name in names:
        setattr(network.get_submodule(NORM), name, None)


def other_way(network: Any) -> None:
    """A network whose rows are called in another way."""
    network.forward = lambda x: {"P": network.d(network.c(network.b(network.s(x))).tanh())}


# What was changed by hand, and how many of the six norms stay.
CHANGED: dict[str, tuple[Callable[[nn.Module], object], int]] = {
    "nothing": (lambda network: None, 0),
    "other epsilon": (epsilon, 1),
    "other norm": (lambda network: put(network, NORM, nn.BatchNorm2d(8, eps=0.5)), 1),
    "equal norm": (lambda network: put(network, NORM, nn.BatchNorm2d(8, momentum=0.3)), 0),
    "norm of several devices": (lambda network: put(network, NORM, nn.SyncBatchNorm(8)), 0),
    "norm without scale": (lambda network: put(network, NORM, nn.BatchNorm2d(8, affine=False)), 1),
    "norm without statistics": (lambda network: put(network, NORM, nn.BatchNorm2d(8, track_running_stats=False)), 1),
    "norm of another class": (lambda network: put(network, NORM, Squashed(8)), 1),
    "convolution with bias": (lambda network: put(network, CONV, nn.Conv2d(8, 8, 3, padding=1)), 1),
    "convolution that reflects": (
        lambda network: put(network, CONV, nn.Conv2d(8, 8, 3, padding=1, bias=False, padding_mode="reflect")), 1,
    ),
    "convolution of another class": (lambda network: put(network, CONV, Loud(8, 8, 3, padding=1, bias=False)), 1),
    "convolution with another forward": (assigned_forward, 1),
    "one convolution in two places": (same_conv, 2),
    "weight that is made": (
        lambda network: nn.utils.parametrizations.weight_norm(network.get_submodule(CONV)), 1,
    ),
    "block with another forward": (own_forward, 2),
    "network with another forward": (other_way, 6),
    "norm without bias": (lambda network: bare_norm(network, "bias"), 1),
    "norm that lost its statistics": (lambda network: bare_norm(network, "running_mean", "running_var"), 1),
    "module put into a chain": (lambda network: chained(network, conv="conv", more="extra", norm="norm"), 1),
    "module that a chain has twice": (lambda network: chained(network, conv="conv", more="conv", norm="norm"), 1),
    "module put before a chain": (lambda network: chained(network, more="extra", conv="conv", norm="norm"), 1),
    "chain the other way round": (lambda network: chained(network, norm="norm", conv="conv"), 1),
    "hook on a convolution": (lambda network: doubled(network, CONV), 1),
    "hook on a norm": (lambda network: doubled(network, NORM), 1),
    "hook on a block": (lambda network: doubled(network, "b.rep1"), 0),
    "hook on a row between convolution and norm": (lambda network: doubled(network, "c"), 1),
}  # fmt: skip


@pytest.mark.parametrize(("change", "left"), CHANGED.values(), ids=[*CHANGED])
def test_what_was_changed_by_hand_gives_the_same(change: Callable[[nn.Module], object], left: int) -> None:
    torch.manual_seed(0)
    source = module()
    before = source(torch.ones(1, 3, 32, 32))["P"]
    change(source)
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        fused = spinedsl.fuse(source)
        wanted, found = source(x)["P"], fused(x)["P"]
    assert float((wanted - found).abs().max()) <= 1e-5 * float(wanted.abs().max())
    assert norms(fused) + sum(isinstance(part, nn.SyncBatchNorm) for part in fused.modules()) == left
    assert before.shape[1:] == found.shape[1:]


def test_fusing_again_changes_nothing() -> None:
    once = spinedsl.fuse(module())
    again = spinedsl.fuse(once)
    assert [*again.state_dict()] == [*once.state_dict()]
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in once.state_dict().items())


def test_a_module_of_narrow_numbers_keeps_norms_whose_factors_they_do_not_hold() -> None:
    source = module()
    with torch.no_grad():
        source.get_submodule(NORM).weight[0] = 6e4
        source.get_submodule(NORM).running_var[0] = 1e-4
    assert norms(spinedsl.fuse(source)) == 0
    fused = spinedsl.fuse(source.half())
    assert norms(fused) == 1
    assert all(bool(torch.isfinite(tensor).all()) for tensor in fused.state_dict().values())


SHARED = """\
spine 1
import std.stems
block_type cell(x, channels) -> channels {
    var y = x
    repeat i in 2 {
        y = act(shared norm(shared conv(y, channels, kernel = 3)))
    }
    repeat i in 3 {
        let z = conv(y, channels, kernel = 3) if i == 0 else y
        y = act(shared norm(z))
    }
    return y
}
network Net {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    block b: cell level 2 after s channels 8
    output P: b
}
"""


def test_a_norm_that_is_used_several_times_goes_where_it_can_go_everywhere() -> None:
    program = spinedsl.program(spinedsl.Source.from_text(SHARED))
    weights = lively_weights(flatten(program).parameters, 0)
    source: Any = filled(emit_module(program).decode(), program, weights).eval()
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        fused = spinedsl.fuse(source)
        wanted, found = source(x)["P"], fused(x)["P"]
    assert float((wanted - found).abs().max()) <= 1e-5 * float(wanted.abs().max())
    assert norms(source) == 3
    assert norms(fused) == 1


PARTS = """\
spine 1
import std.stems
block_type bare(x, channels, stride = 1) -> channels {
    return conv(x, channels, kernel = 3, stride = stride)
}
block_type normed(x, channels, stride = 1) -> channels {
    return norm(x)
}
network Pair {
    input x: level 2
    block a: normed level 2 after x channels 8
    block b: bare level 2 after a channels 8
    output P: b
}
network Net {
    input image: 3 x 32 x 32
    defaults { act relu, norm batch_norm }
    stem s: resnet_stem channels 8
    part n: Pair from s repeat 2
    output P: n
}
"""


def test_norms_stay_where_a_part_was_put_between_two_copies() -> None:
    program = spinedsl.program(spinedsl.Source.from_text(PARTS), network="Net")
    source: Any = filled(emit_module(program).decode(), program, lively_weights(flatten(program).parameters, 0)).eval()
    copies = dict(source.n.items())
    source.n = nn.ModuleDict({"rep0": copies["rep0"], "more": nn.Tanh(), "rep1": copies["rep1"]})
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        fused = spinedsl.fuse(source)
        torch.testing.assert_close(fused(x)["P"], source(x)["P"], rtol=1e-5, atol=1e-5)
    assert norms(fused) == 2
