"""The witnesses: engines that share no code of this package but what compiles for them.

Each is a row of `WITNESSES`: its packages, what installs it, and how it opens a network. What `open` gives takes a
batch of images and returns the outputs by name, in the engine's own order. Engines are imported when they are opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl.backends import AXES, DEFAULT_OPSET
from spinedsl.ops.program import Program
from spinedsl.record import Record

Array: TypeAlias = NDArray[Any]
Runner: TypeAlias = Callable[[Array], dict[str, Array]]

SINGLE = 1e-5  # largest scaled difference for an engine that computes in float32
DOUBLE = 1e-10  # the same in float64


class Witness(Record):
    """One engine. `tolerance` is the largest scaled difference from the reference; the last package is the engine's."""

    name: str
    packages: tuple[str, ...]
    extra: str
    tolerance: float
    open: Callable[[Program, Mapping[str, Array]], Runner]


@lru_cache(maxsize=1)
def _code(program: Program) -> str:
    """The generated PyTorch code, which several witnesses run one after the other."""
    from spinedsl.backends.torch import emit_module  # noqa: PLC0415

    return emit_module(program).decode()


def module_of(program: Program, weights: Mapping[str, Array], dtype: type[np.float32 | np.float64]) -> Any:
    """The generated PyTorch module, which must have just these weights. Constants of the file are of `dtype` too."""
    import torch  # noqa: PLC0415

    from spinedsl.backends.torch import filled  # noqa: PLC0415

    tensors = {name: value.astype(dtype, copy=False) for name, value in weights.items()}
    return filled(_code(program), program, tensors).eval().to(torch.float64 if dtype is np.float64 else torch.float32)


def _torch(program: Program, weights: Mapping[str, Array], dtype: type[np.float32 | np.float64]) -> Runner:
    import torch  # noqa: PLC0415

    module = module_of(program, weights, dtype)

    def run(image: Array) -> dict[str, Array]:
        with torch.inference_mode():
            return {name: value.numpy() for name, value in module(torch.from_numpy(image.astype(dtype))).items()}

    return run


def _torch_single(program: Program, weights: Mapping[str, Array]) -> Runner:
    return _torch(program, weights, np.float32)


def _torch_double(program: Program, weights: Mapping[str, Array]) -> Runner:
    return _torch(program, weights, np.float64)


def module_for_inference(program: Program, weights: Mapping[str, Array]) -> Any:
    """The module of the generated file for inference, which makes its tensors of these weights."""
    import torch  # noqa: PLC0415

    from spinedsl.backends.torch import emit_inference  # noqa: PLC0415
    from spinedsl.backends.torch.build import network_in  # noqa: PLC0415

    module = network_in(emit_inference(program).decode(), program)()
    module.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    return module


def _inference(program: Program, weights: Mapping[str, Array]) -> Runner:
    return _runs(module_for_inference(program, weights))


def _fused(program: Program, weights: Mapping[str, Array]) -> Runner:
    from spinedsl.backends.torch.fuse import fused  # noqa: PLC0415

    return _runs(fused(module_of(program, weights, np.float32)))


def _runs(module: Any) -> Runner:
    import torch  # noqa: PLC0415

    def run(image: Array) -> dict[str, Array]:
        with torch.inference_mode():
            return {name: value.numpy() for name, value in module(torch.from_numpy(image)).items()}

    return run


def _model(
    program: Program,
    weights: Mapping[str, Array],
    dynamic: frozenset[str] | None = None,
    opset: int = DEFAULT_OPSET,
    level: int = 0,
    runtime: str = "",
) -> bytes:
    """The ONNX model, with these axes open, or every one that can be; it must pass the checker."""
    import onnx  # noqa: PLC0415

    from spinedsl.backends.onnx import emit_model  # noqa: PLC0415
    from spinedsl.backends.onnx.target import Target  # noqa: PLC0415

    axes = frozenset(AXES) - set(program.static_axes) if dynamic is None else dynamic
    data = emit_model(program, weights, dynamic=axes, target=Target(opset), level=level, runtime=runtime)
    onnx.checker.check_model(data, full_check=True)
    return data


def _onnx_runtime(
    program: Program, weights: Mapping[str, Array], opset: int = DEFAULT_OPSET, level: int = 0, runtime: str = ""
) -> Runner:
    import onnxruntime  # noqa: PLC0415

    model = _model(program, weights, opset=opset, level=level, runtime=runtime)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda image: dict(zip(names, session.run(names, {program.input_name: image}), strict=True))


def _onnx_runtime_fixed(program: Program, weights: Mapping[str, Array], level: int = 0, runtime: str = "") -> Runner:
    """ONNX Runtime on a model without an open axis, whose outputs must have the shapes that it declares."""
    import onnxruntime  # noqa: PLC0415

    model = _model(program, weights, frozenset(), level=level, runtime=runtime)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    declared = {output.name: tuple(output.shape) for output in session.get_outputs()}

    def run(image: Array) -> dict[str, Array]:
        outputs = dict(zip(declared, session.run(list(declared), {program.input_name: image}), strict=True))
        for name, value in outputs.items():
            if value.shape != declared[name]:
                raise ValueError(f"{name} has shape {value.shape}, declared as {declared[name]}")
        return outputs

    return run


def _openvino(
    program: Program, weights: Mapping[str, Array], opset: int = DEFAULT_OPSET, level: int = 0, runtime: str = ""
) -> Runner:
    """OpenVINO would compute in bfloat16 where the processor can, so it is told to stay in float32."""
    import openvino  # noqa: PLC0415

    core = openvino.Core()
    model = core.read_model(_model(program, weights, opset=opset, level=level, runtime=runtime))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    ports = openvino_ports(compiled, program.outputs)

    def run(image: Array) -> dict[str, Array]:
        result = compiled({program.input_name: image})
        return {name: np.array(result[port]) for name, port in ports.items()}

    return run


def openvino_ports(compiled: Any, names: Iterable[str]) -> dict[str, Any]:
    """What a compiled model gives, by the names of outputs: a value that is a row's too has that name besides."""
    return {name: port for name in names for port in compiled.outputs if name in port.get_names()}


def witnesses_of(opset: int, level: int = 0, runtime: str = "") -> tuple[Witness, ...]:
    """Every witness; those that read ONNX get a model of that opset, level and runtime.

    OpenVINO, slow to open, stands last.
    """
    onnx_runtime, openvino = (
        partial(one, opset=opset, level=level, runtime=runtime) for one in (_onnx_runtime, _openvino)
    )
    return (
        Witness("PyTorch", ("torch",), "spinedsl[torch]", SINGLE, _torch_single),
        Witness("PyTorch in float64", ("torch",), "spinedsl[torch]", DOUBLE, _torch_double),
        Witness("ONNX Runtime", ("onnx", "onnxruntime"), "spinedsl[all]", SINGLE, onnx_runtime),
        Witness("OpenVINO", ("onnx", "openvino"), "openvino", SINGLE, openvino),
    )


WITNESSES = witnesses_of(DEFAULT_OPSET)
# The network rewritten for PyTorch: as a file of its own, and in place.
INFERENCE = Witness("PyTorch for inference", ("torch",), "spinedsl[torch]", SINGLE, _inference)
FUSED = Witness("PyTorch, fused", ("torch",), "spinedsl[torch]", SINGLE, _fused)


def fixed_of(level: int, runtime: str = "") -> Witness:
    """Of a model for one size, the program's own."""
    run = partial(_onnx_runtime_fixed, level=level, runtime=runtime)
    return Witness("ONNX Runtime at a fixed size", ("onnx", "onnxruntime"), "spinedsl[all]", SINGLE, run)


FIXED = fixed_of(0)
