"""Convolutions that standardise their kernel, in PyTorch: what their module holds, and that every tool takes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import spinedsl
from spinedsl.agreement.witnesses import module_of
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.source import Source

FILE = """\
spine 1

stem_type enter(image, channels) {
    return conv(image, channels, kernel = 7, stride = 2, weight = scaled, gamma = 1.7, bias = true)
}

block_type cell(x, channels, stride = 1, how = plain) -> channels {
    let first = act(norm(conv(x, channels, kernel = 3, stride = stride, weight = how, gain_init = 0.5)))
    var y = first
    repeat i in 2 { y = y + conv(y, channels, kernel = 1, weight = standardised if i == 0 else how) }
    repeat i in 2 { y = y + shared conv(y, channels, kernel = 3, dilation = i + 1, weight = scaled) }
    return y
}

network Net(sizes = divisible) {
    input image: 3 x 64 x 64
    defaults { act relu, norm group_norm(groups = 2), conv(epsilon = 1e-8) }
    rules { sizes sizes }
    stem s: enter channels 8
    block b2: cell                      level 2  after s   channels 8
    block b3: cell(how = standardised)  level 3  after b2  channels 8
    block b4: cell(how = scaled)        level 3  after b3  channels 8
    output P3: b4
}

network Free = Net(sizes = any)
"""


def made(network: str) -> nn.Module:
    return spinedsl.load(Source.from_text(FILE, "net.spine"), network=network)


def image(network: str) -> torch.Tensor:
    size = (2, 3, 64, 96) if network == "Net" else (2, 3, 61, 75)
    return torch.randn(size, generator=torch.Generator().manual_seed(0))


def test_names_and_starting_values() -> None:
    """The tensors are those of a convolution, and perhaps a gain."""
    state = made("Net").state_dict()
    assert [name for name in state if name.startswith("s.")] == ["s.conv.weight", "s.conv.bias", "s.conv.gain"]
    gains = {name: value.unique().tolist() for name, value in state.items() if name.endswith("gain")}
    assert gains == {
        "s.conv.gain": [1.0], "b2.conv.gain": [1.0], "b3.conv.gain": [1.0], "b4.first.conv.gain": [0.5],
        "b4.rep1.conv.gain": [1.0], "b4.conv.gain": [1.0],
    }  # fmt: skip


@pytest.mark.parametrize("network", ["Net", "Free"])
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_every_tool_takes_it(network: str) -> None:
    module, x = made(network).eval(), image(network)
    with torch.no_grad():
        expected = module(x)["P3"]
        for other in (
            torch.jit.script(module),
            torch.fx.symbolic_trace(module),
            torch.export.export(module, (x,)).module(),
        ):
            assert torch.allclose(other(x)["P3"], expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("network", ["Net", "Free"])
def test_it_trains(network: str) -> None:
    """A kernel's gradient is orthogonal to the kernel and to the constant, since neither changes what is computed."""
    module, x = made(network).double().train(), image(network).double()
    assert torch.equal(module(x)["P3"], module.eval()(x)["P3"])
    module.train()(x)["P3"].square().mean().backward()
    for name, part in module.named_modules():
        if not isinstance(part, nn.Conv2d):
            continue
        assert all(p.grad is not None and p.grad.abs().max() > 0 for p in part.parameters()), name
        if not hasattr(part, "eps"):
            continue
        weight, gradient = part.weight.detach(), part.weight.grad
        assert gradient is not None
        centred = weight - weight.mean((1, 2, 3), keepdim=True)
        size = float(gradient.abs().sum())
        assert float(gradient.sum((1, 2, 3)).abs().max()) < 1e-9 * size
        assert float((gradient * centred).sum((1, 2, 3)).abs().max()) < 1e-5 * size  # but for epsilon


def test_a_convolution_that_is_made_wider_scales_by_what_it_reads() -> None:
    """As adapters do it where an image has other channels."""
    text = FILE.replace("input image: 3", "input image: 5")
    wide = spinedsl.load(Source.from_text(text, "net.spine"), network="Net")
    stem: nn.Module = wide.get_submodule("s")
    given: nn.Module = made("Net").get_submodule("s")
    convolution: Any = given.get_submodule("conv")
    convolution.weight = nn.Parameter(stem.state_dict()["conv.weight"])
    x = torch.randn(1, 5, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(given(x), stem(x))


@pytest.mark.parametrize("network", ["Net", "Free"])
def test_kernels_have_mean_0_and_variance_1(network: str) -> None:
    program = spinedsl.program(Source.from_text(FILE, "net.spine"), network=network)
    module = module_of(program, seeded(flatten(program).parameters, 3), np.float64)
    found = [part for part in module.modules() if hasattr(part, "kernel")]
    assert len(found) == 11
    for part in found:
        kernel = part.kernel()
        if hasattr(part, "gain"):
            kernel = kernel / part.gain.reshape(-1, 1, 1, 1) / part.gamma * part.weight[0].numel() ** 0.5
        assert torch.allclose(kernel.mean((1, 2, 3)), torch.zeros(()).double(), atol=1e-12)
        assert torch.allclose(kernel.var((1, 2, 3), correction=0), torch.ones(()).double(), rtol=1e-4)
