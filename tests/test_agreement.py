"""The law that matters most: PyTorch, ONNX Runtime and the interpreter give the same numbers for the same weights."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

import spinedsl
from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.ops.primitives import Parameter
from spinedsl.ops.program import Program
from spinedsl.ops.types import Type
from spinedsl.ops.verify import verify
from spinedsl.source import Source
from tests.generate import NETWORKS
from tests.networks import networks

Array = NDArray[np.float32]
EXAMPLES = Path(__file__).parent.parent / "examples"
DEFINITIONS = Path(__file__).with_name("definitions")
SCALED = 1e-5  # largest difference over the largest value, for each output
EXACT = 1e-10  # the same in float64
FAMILY = [
    ("spinenet.spine", name) for name in ("SpineNet49S", "SpineNet96", "SpineNet143", "SpineNet143L", "SpineNet190")
]


def weights_of(parameters: Mapping[str, Parameter]) -> dict[str, Array]:
    """Seeded kernels; norms and biases that are not at rest, so that each of them shows in the outputs."""
    weights = {name: np.array(value) for name, value in seeded(parameters, 7).items()}
    for name, parameter in parameters.items():
        draw = np.random.default_rng(zlib.crc32(name.encode()))
        if name.endswith("running_var"):
            weights[name] = draw.uniform(0.5, 1.5, parameter.shape).astype(np.float32)
        elif len(parameter.shape) in (1, 3):
            weights[name] = (weights[name] + 0.1 * draw.standard_normal(parameter.shape)).astype(np.float32)
    return weights


def images(program: Program, sizes: list[tuple[int, int, int]]) -> list[Array]:
    """Seeded images of (batch, height, width)."""
    channels = program.input_type.channels
    return [np.random.default_rng(h + w).standard_normal((b, channels, h, w)).astype(np.float32) for b, h, w in sizes]


def assert_witnesses_agree(program: Program, sizes: list[tuple[int, int, int]]) -> None:
    """All three on the same weights and images; the ONNX model keeps open batch, and height and width unless fixed.

    The interpreter in float64 is the truth. PyTorch in float64 equals it to the last digits; both float32 engines are
    within `SCALED` of it, or as near as float32 comes to it at all where an output is what is left of large maps.
    """
    graph = flatten(program)
    verify(program)
    weights = weights_of(graph.parameters)
    dynamic = frozenset({"batch", "height", "width"}) - set(program.static_axes)
    model_bytes = onnx_backend.emit_model(program, weights, dynamic=dynamic)
    onnx.checker.check_model(onnx.load_from_string(model_bytes), full_check=True)
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    module = torch_backend.build(program).eval()
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    assert {name for name in module.state_dict() if not name.endswith("num_batches_tracked")} == weights.keys()
    for image in images(program, sizes):
        exact, rounded = run(graph, weights, image, dtype=np.float64), run(graph, weights, image)
        single = run_torch(module, image)
        double = run_torch(module.double(), image.astype(np.float64))
        module.float()
        by_onnx = dict(zip(program.outputs, session.run(None, {program.input_name: image}), strict=True))
        assert list(single) == [output.name for output in session.get_outputs()] == list(program.outputs)
        for name in program.outputs:
            type_ = graph.types[graph.outputs[name]]
            assert exact[name].shape == (image.shape[0], *shape_for(type_, image))
            most = np.abs(exact[name]).max()
            assert np.abs(double[name] - exact[name]).max() <= EXACT * most, name
            unavoidable = 10 * np.abs(rounded[name] - exact[name]).max()
            for witness in (single[name], by_onnx[name]):
                assert np.abs(witness - exact[name]).max() <= max(SCALED * most, unavoidable), name


def shape_for(type_: Type, image: Array) -> tuple[int, ...]:
    """The shape that a value has for one image of another size than the program's."""
    sides = [
        (size >> type_.level) + extra if type_.level is not None else 1
        for size, extra in zip(image.shape[2:], type_.extra, strict=True)
    ]
    return (*(type_.axes or (type_.channels,)), *(() if type_.is_vector else sides))


def run_torch(module: torch.nn.Module, image: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Outputs of a module, in its own order."""
    with torch.no_grad():
        features: OrderedDict[str, torch.Tensor] = module(torch.from_numpy(image))
    return {name: value.numpy() for name, value in features.items()}


@pytest.mark.parametrize(("file", "network"), [*NETWORKS.items(), *FAMILY])
def test_examples(file: str, network: str) -> None:
    program = spinedsl.program(EXAMPLES / file, network=network)
    side = program.divisor
    large = file in ("spinenet.spine", "retinanet.spine", "classifier.spine", "fpn.spine")
    assert_witnesses_agree(program, [(2, side, 2 * side)] if large else [(1, side, side), (2, 3 * side, side)])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_random_networks(text: str) -> None:
    outcome = spinedsl.check(Source.from_text(text))
    assert outcome.ok, outcome.diagnostics
    program = spinedsl.program(Source.from_text(text))
    assert_witnesses_agree(program, [(2, 2 * program.divisor, program.divisor)])


@pytest.mark.parametrize("path", [EXAMPLES / "tutorial/5_own_block.spine", DEFINITIONS / "blurred_stem.spine"])
def test_pytorch_and_onnx_start_from_the_same_values(path: Path) -> None:
    program = spinedsl.program(path)
    module = torch_backend.build(program).to_empty(device="cpu")
    for seed in (0, 1):
        cast(Any, module).reset(seed)
        for name, value in seeded(flatten(program).parameters, seed).items():
            assert np.array_equal(module.state_dict()[name].numpy(), value), name
    (image,) = images(program, [(2, program.input_type.height, program.input_type.width)])
    fresh = torch_backend.build(program)
    cast(Any, fresh).reset(1)
    for name, value in run_torch(fresh.eval(), image).items():
        assert np.array_equal(run_torch(module.eval(), image)[name], value), "what is no part of the state is there too"
