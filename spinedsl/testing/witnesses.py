"""The witnesses: PyTorch, ONNX Runtime and the reference interpreter, on the same weights and images.

The interpreter in float64 is the truth. PyTorch in float64 equals it to the last digits; both engines in float32 are
within `SCALED` of it, or as near as float32 comes to it at all where an output is what is left of large maps: ten times
what the interpreter loses in float32, or by weights that are off by the last bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl.backends import AXES
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.initial import seeded
from spinedsl.ops.interpret import run
from spinedsl.ops.primitives import Parameter
from spinedsl.ops.program import Program
from spinedsl.ops.types import at_level

Array: TypeAlias = NDArray[Any]
Size: TypeAlias = tuple[int, int, int]  # batch, height, width

SCALED = 1e-5  # largest difference over the largest value, for each output
EXACT = 1e-10  # the same in float64
HEADROOM = 10  # times what float32 loses


class Broken(Exception):
    """A law does not hold: what was promised, and what came instead."""


def weights_of(parameters: Mapping[str, Parameter]) -> dict[str, NDArray[np.float32]]:
    """Seeded kernels; norms and biases that are not at rest, so that each of them shows in the outputs."""
    weights = {name: np.array(value) for name, value in seeded(parameters, 7).items()}
    for name, parameter in parameters.items():
        draw = np.random.default_rng(zlib.crc32(name.encode()))
        if name.endswith("running_var"):
            weights[name] = draw.uniform(0.5, 1.5, parameter.shape).astype(np.float32)
        elif len(parameter.shape) == 1:
            weights[name] = (weights[name] + 0.1 * draw.standard_normal(parameter.shape)).astype(np.float32)
    return weights


def images(program: Program, sizes: Iterable[Size]) -> list[NDArray[np.float32]]:
    """Seeded images of (batch, height, width)."""
    channels = program.input_type.channels
    return [np.random.default_rng(h + w).standard_normal((b, channels, h, w)).astype(np.float32) for b, h, w in sizes]


def usual_sizes(program: Program) -> tuple[Size, ...]:
    """Small legal sizes: square and not, odd where the network takes them; as it says where a definition reads it."""
    fixed, axes, step = program.input_type, program.static_axes, program.divisor
    wanted = ((1, 33, 33), (2, 50, 37)) if program.any_size else ((1, step, step), (2, 2 * step, step))
    return tuple(
        (b, fixed.height if "height" in axes else h, fixed.width if "width" in axes else w) for b, h, w in wanted
    )


def expected_shapes(graph: Graph, size: Size) -> dict[str, tuple[int, ...]]:
    """The shape of every output for an input of a size, from the types alone."""
    shapes = {}
    for name, value in graph.outputs.items():
        type_ = graph.types[value]
        sides = (1 if type_.level is None else at_level(side, type_.level) for side in size[1:])
        shapes[name] = (size[0], type_.channels, *sides)[: type_.rank]
    return shapes


def agree(program: Program, sizes: Iterable[Size] = ()) -> None:
    """All three give the same shapes and numbers; the ONNX model keeps batch, height and width open where it can.

    Raises:
        Broken: they do not, or a model is not valid.
    """
    graph = flatten(program)
    weights = weights_of(graph.parameters)
    session = _session(program, weights, frozenset(AXES) - program.static_axes.keys())
    module = _module(program, weights)
    names = [output.name for output in session.get_outputs()]
    _require(names == list(program.outputs), f"ONNX gives {names}, expected {list(program.outputs)}")
    for image in images(program, tuple(sizes) or usual_sizes(program)):
        truth = _Truth(graph, weights, image)
        single = run_torch(module, image)
        double = run_torch(module.double(), image.astype(np.float64))
        module.float()
        by_onnx = dict(zip(names, session.run(None, {program.input_name: image}), strict=True))
        _require(list(single) == names, f"PyTorch gives {list(single)}, expected {names}")
        for name, shape in expected_shapes(graph, (image.shape[0], *image.shape[2:])).items():
            exact = truth.exact[name]
            _require(exact.shape == shape, f"{name} has shape {exact.shape}, expected {shape}")
            _near("PyTorch in float64", name, double[name], exact, EXACT * _most(exact))
            truth.near("PyTorch", name, single[name])
            truth.near("ONNX Runtime", name, by_onnx[name])


def agree_at_fixed_size(program: Program) -> None:
    """The ONNX model with no open axis gives, at the file's size, what the interpreter gives.

    Raises:
        Broken: it does not.
    """
    graph = flatten(program)
    weights = weights_of(graph.parameters)
    session = _session(program, weights, frozenset())
    size = (1, program.input_type.height, program.input_type.width)
    (image,) = images(program, [size])
    truth = _Truth(graph, weights, image)
    for output, value in zip(session.get_outputs(), session.run(None, {program.input_name: image}), strict=True):
        shape = expected_shapes(graph, size)[output.name]
        _require(tuple(output.shape) == shape, f"{output.name} is declared {output.shape}, expected {shape}")
        truth.near("ONNX Runtime at a fixed size", output.name, value)


def train(program: Program) -> None:
    """In training the shapes are those of inference, and every parameter of what is given gets a gradient.

    Raises:
        Broken: they are not.
    """
    import torch  # noqa: PLC0415

    graph = flatten(program)
    module = _module(program, weights_of(graph.parameters)).train()
    side = 2 * program.divisor if not program.any_size else 45
    fixed, axes = program.input_type, program.static_axes
    size = (2, fixed.height if "height" in axes else side, fixed.width if "width" in axes else side)
    (image,) = images(program, [size])
    torch.manual_seed(0)
    outputs = module(torch.from_numpy(image))
    for name, shape in expected_shapes(graph, size).items():
        _require(
            tuple(outputs[name].shape) == shape, f"{name} is {tuple(outputs[name].shape)} in training, not {shape}"
        )
    sum(value.square().mean() for value in outputs.values()).backward()
    without = [name for name, tensor in module.named_parameters() if tensor.grad is None]
    _require(not without, f"no gradient reaches {', '.join(without[:3])}")


def run_torch(module: Any, image: Array) -> dict[str, Array]:
    """Outputs of a module, in its own order."""
    import torch  # noqa: PLC0415

    with torch.no_grad():
        return {name: value.numpy() for name, value in module(torch.from_numpy(image)).items()}


def counted(program: Program) -> tuple[int, int]:
    """Trainable parameters and multiply-adds of the PyTorch module, counted by torch on tensors without memory."""
    import torch  # noqa: PLC0415
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    from spinedsl.backends.torch import build  # noqa: PLC0415

    module = build(program).eval().to("meta").requires_grad_(False)
    type_ = program.input_type
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, type_.channels, type_.height, type_.width, device="meta"))
    return sum(parameter.numel() for parameter in module.parameters()), counter.get_total_flops() // 2


def _session(program: Program, weights: Mapping[str, Array], dynamic: frozenset[str]) -> Any:
    import onnx  # noqa: PLC0415
    import onnxruntime  # noqa: PLC0415

    from spinedsl.backends.onnx import emit_model  # noqa: PLC0415

    data = emit_model(program, weights, dynamic=dynamic)
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


def _module(program: Program, weights: Mapping[str, Array]) -> Any:
    """The generated module with just these weights."""
    import torch  # noqa: PLC0415

    from spinedsl.backends.torch import build  # noqa: PLC0415

    module = build(program).eval()
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    names = {name for name in module.state_dict() if not name.endswith("num_batches_tracked")}
    _require(names == weights.keys(), f"the module's tensors are not the graph's: {sorted(names ^ weights.keys())[:3]}")
    return module


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise Broken(message)


def _most(values: Array) -> float:
    return float(np.abs(values).max())


def _near(witness: str, name: str, ours: Array, exact: Array, allowed: float) -> None:
    """Numbers are near the truth: none missing, none of another shape."""
    _require(ours.shape == exact.shape, f"{witness} gives {name} of shape {ours.shape}, expected {exact.shape}")
    _require(bool(np.isfinite(ours).all()), f"{witness} gives numbers in {name} that are not finite")
    difference = _most(ours - exact)
    _require(difference <= allowed, f"{witness} differs in {name} by {difference:.1e}, allowed {allowed:.1e}")


class _Truth:
    """The outputs for an image, and how near float32 can come to them, found out where it matters."""

    def __init__(self, graph: Graph, weights: Mapping[str, Array], image: Array) -> None:
        self.graph, self.weights, self.image = graph, weights, image
        self.exact = run(graph, weights, image, dtype=np.float64)

    @cached_property
    def lost(self) -> dict[str, float]:
        """What float32 loses of each output: in the maps, and in the last bit of weights."""
        rounded = run(self.graph, self.weights, self.image)
        draw = np.random.default_rng(0)
        off = {name: value * (1 + 2.0**-23 * draw.standard_normal(value.shape)) for name, value in self.weights.items()}
        trembling = run(self.graph, off, self.image, dtype=np.float64)
        return {name: max(_most(rounded[name] - v), _most(trembling[name] - v)) for name, v in self.exact.items()}

    def near(self, witness: str, name: str, ours: Array) -> None:
        """An engine in float32 is near enough."""
        exact = self.exact[name]
        allowed = SCALED * _most(exact)
        if ours.shape == exact.shape and not _most(ours - exact) <= allowed:
            allowed = max(allowed, HEADROOM * self.lost[name])
        _near(witness, name, ours, exact, allowed)
