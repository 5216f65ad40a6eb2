"""Networks of any size: `rules { sizes any }` lets every level round its size up, the same in all three witnesses."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

import spinedsl
from spinedsl.analysis import costs
from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.ops.rules import pads
from spinedsl.ops.types import at_level
from spinedsl.source import Source
from spinedsl.testing import STANDARD, networks
from tests.profiles import drawn
from tests.witnesses import EXAMPLES, Array, assert_witnesses_agree, images, run_torch, weights_of

HARD = Path(__file__).with_name("any_size.spine")  # every operation whose padding or size depends on the input's
ANY = STANDARD.but(sizes=("any",))
SIZES = [(1, 77, 50), (2, 64, 64), (2, 5, 3), (1, 1, 1), (1, 33, 31), (1, 7, 129), (2, 97, 1)]


def any_size(text: str) -> str:
    """A network that rounds sizes up."""
    assert "    defaults " in text
    return text.replace("    defaults ", "    rules { sizes any }\n    defaults ", 1)


def example(file: str, network: str, size: tuple[int, int] | None = None) -> Program:
    """A network of the examples, of any size."""
    path = EXAMPLES / file
    return spinedsl.program(
        Source.from_text(any_size(path.read_text()), path.name, str(path)), network=network, size=size
    )


def test_the_hard_network_at_many_sizes() -> None:
    assert_witnesses_agree(spinedsl.program(HARD), SIZES)


@pytest.mark.parametrize(
    ("file", "network"),
    [
        ("spinenet.spine", "SpineNet49S"),
        ("spinenet_mobile.spine", "SpineNetMobile49XS"),
        ("resnet.spine", "ResNet50"),
        ("fpn.spine", "ResNet50FPN"),
    ],
)
def test_examples_at_sizes_that_do_not_divide(file: str, network: str) -> None:
    assert_witnesses_agree(example(file, network), [(1, 45, 75), (2, 9, 2)])


@drawn(60)
@given(networks(ANY), st.integers(1, 80), st.integers(1, 80))
def test_random_networks_at_random_sizes(text: str, height: int, width: int) -> None:
    program = spinedsl.program(Source.from_text(text), size=(height, width))
    assert (program.divisor, program.any_size) == (1, True)
    assert_witnesses_agree(program, [(2, height, width), (1, width, height + 1)])


@pytest.mark.parametrize("axes", [(), ("height",), ("width",), ("batch", "width")])
@pytest.mark.parametrize("size", [(77, 50), (40, 31), (6, 1)])
def test_onnx_with_some_axes_fixed(axes: tuple[str, ...], size: tuple[int, int]) -> None:
    program = spinedsl.program(HARD, size=size)
    graph = flatten(program)
    weights = weights_of(graph.parameters)
    model = onnx_backend.emit_model(program, weights, dynamic=frozenset(axes))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    other = (2 if "batch" in axes else 1, size[0] + 9 * ("height" in axes), size[1] + 13 * ("width" in axes))
    for image in images(program, [(1, *size), other]):
        exact = run(graph, weights, image, dtype=np.float64)
        for name, value in zip(program.outputs, session.run(None, {"image": image}), strict=True):
            assert value.shape == exact[name].shape
            assert np.abs(value - exact[name]).max() <= 1e-5 * np.abs(exact[name]).max(), name


@drawn(25)
@given(networks(ANY))
def test_sizes_that_divide_give_the_same_numbers_in_both_modes(text: str) -> None:
    divisible = text.replace("    rules { sizes any }\n", "", 1).replace("rules { sizes any, ", "rules { ", 1)
    assert divisible != text
    plain, rounded = (spinedsl.program(Source.from_text(t), size=(64, 32)) for t in (divisible, text))
    weights = weights_of(flatten(plain).parameters)
    assert weights.keys() == flatten(rounded).parameters.keys()
    (image,) = images(plain, [(1, 2 * plain.divisor, plain.divisor)])
    made, again = values(plain, weights, image), values(rounded, weights, image)
    # PyTorch takes other kernels where padding is an operation of its own; ONNX Runtime fuses others, in float32.
    for first, second, scaled in zip(made, again, (0, 1e-10, 1e-5), strict=True):
        assert first.keys() == second.keys()
        assert all(np.abs(first[name] - second[name]).max() <= scaled * np.abs(first[name]).max() for name in first)
    assert costs(flatten(plain)) == costs(flatten(rounded))


def values(program: Program, weights: dict[str, Array], image: Array) -> list[dict[str, Array]]:
    """The outputs by the interpreter, by PyTorch in float64 and by ONNX Runtime in float32."""
    made = run(flatten(program), weights, image)
    module = torch_backend.build(program).eval().double()
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    model = onnx_backend.emit_model(program, weights, dynamic=frozenset({"height", "width"}))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    by_onnx = dict(zip(program.outputs, session.run(None, {"image": image}), strict=True))
    return [{name: made[name] for name in program.outputs}, run_torch(module, image.astype(np.float64)), by_onnx]


@pytest.mark.parametrize("size", [(77, 50), (640, 480), (5, 3)])
def test_multiply_adds_equal_what_pytorch_counts(size: tuple[int, int]) -> None:
    for program in (spinedsl.program(HARD, size=size), example("spinenet.spine", "SpineNet49S", size)):
        module = torch_backend.build(program).eval()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            module(torch.zeros(1, 3, *size))
        assert counter.get_total_flops() == 2 * costs(flatten(program)).multiply_adds


@pytest.mark.parametrize("size", [(77, 50), (1, 1), (3, 40)])
def test_training_works_at_any_size(size: tuple[int, int]) -> None:
    program = spinedsl.program(HARD)
    module = torch_backend.build(program).train()
    outputs = module(torch.randn(2, 3, *size))
    for row in program.pyramid:
        assert row.level is not None
        assert outputs[row.name].shape[2:] == tuple(at_level(side, row.level) for side in size)
    torch.stack([value.square().mean() for value in outputs.values()]).sum().backward()  # type: ignore[no-untyped-call]
    assert all(tensor.grad is not None for tensor in module.parameters())


def test_the_module_says_that_it_takes_any_size() -> None:
    program = spinedsl.program(HARD)
    module = torch_backend.build(program)
    assert module.size_divisor == 1
    assert [info["reduction"] for info in cast(Any, module).feature_info] == [8, 16, 32]
    assert "any height and width (written for 77x50)" in torch_backend.emit_module(program).decode()


def test_export_at_a_size_that_does_not_divide() -> None:
    module = torch_backend.build(example("spinenet_mobile.spine", "SpineNetMobile49XS")).eval()
    image = torch.randn(1, 3, 150, 203)
    exported = torch.export.export(module, (image,)).module()
    for first, second in zip(module(image).values(), exported(image).values(), strict=True):
        torch.testing.assert_close(first, second)


def test_same_pads_every_size_to_the_size_by_the_stride_rounded_up() -> None:
    for kernel, stride, dilation, size in product(range(1, 8), range(1, 9), range(1, 4), range(1, 40)):
        before, after = pads(kernel, stride, dilation, "same", size)
        reach = (kernel - 1) * dilation + 1
        assert (size + before + after - reach) // stride + 1 == -(-size // stride)
        assert after - before in (0, 1)
        if size % stride == 0:
            assert pads(kernel, stride, dilation, "same") == (before, after)


# ---- the language ----

NETWORK = """
spine 1
import std.blocks
import std.stems
import std.resample
import std.outputs
{definitions}
network Net({parameters}) {{
    input image: 3 x 70 x 45
    defaults {{ act relu, norm batch_norm }}
    widths {{ level 2..5: 8 }}
    {rules}
    resample {resample}
    join activated_sum
    stem s: resnet_stem channels 8
    block b0: residual level 2 after s
    block b1: residual level 4 from s, b0
    block b2: residual level 3 from b0, b1
    output P3: endpoint from b2 channels 4
    output P4: endpoint from b1 channels 4
}}
{more}
"""
TO_TARGET = """
resample_type to_target(x, source, target, mode = nearest) -> target.in_channels {
    return conv(resize(x, like = target, mode = nearest), target.in_channels, kernel = 1)
}
"""
BY_WIDTH = """
resample_type by_width(x, source, target) -> target.in_channels {
    let y = resize(x, like = target)
    return conv(y, target.in_channels, kernel = 1 if x.width > target.width else 3)
}
"""


def net(
    rules: str = "rules { sizes any }", *, definitions: str = "", parameters: str = "", more: str = "",
    resample: str = "spinenet", network: str = "Net", size: tuple[int, int] | None = None,
) -> Program:  # fmt: skip
    """A small network, with what a test is about."""
    text = NETWORK.format(rules=rules, definitions=definitions, parameters=parameters, more=more, resample=resample)
    return spinedsl.program(Source.from_text(text, "net.spine"), network=network, size=size)


def test_sizes_may_be_a_parameter_of_the_network() -> None:
    family = {"parameters": "sizes = divisible", "more": "network Free = Net(sizes = any)"}
    with pytest.raises(spinedsl.Mistakes) as raised:
        net("rules { sizes sizes }", **family)  # type: ignore[arg-type]
    assert {found.code.id for found in raised.value.diagnostics} == {"E0402"}
    assert net("rules { sizes sizes }", **family, network="Free").any_size  # type: ignore[arg-type]
    assert not net("rules { sizes sizes }", **family, size=(64, 32)).any_size


@pytest.mark.parametrize("rules", ["rules { sizes any }", "rules { sizes divisible }"])
def test_a_resize_to_the_target_in_either_mode(rules: str) -> None:
    program = net(rules, definitions=TO_TARGET, resample="to_target", size=(64, 32))
    assert_witnesses_agree(program, [(1, 64, 32), (2, 48, 80)])


def test_a_definition_that_reads_the_width_fixes_the_width_alone() -> None:
    program = net(definitions=BY_WIDTH, resample="by_width")
    assert program.static_axes.keys() == {"width"}
    assert_witnesses_agree(program, [(1, 70, 45), (2, 33, 45)])
    with pytest.raises(ValueError, match="the network was compiled for a width of 45, got 46"):
        torch_backend.build(program)(torch.zeros(1, 3, 70, 46))
    with pytest.raises(ValueError, match="width is fixed"):
        onnx_backend.emit_model(program, weights_of(flatten(program).parameters), dynamic=frozenset({"width"}))
