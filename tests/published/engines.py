"""Values of rows of a network, outputs or not, by each engine: what published outputs are compared with."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
import onnxruntime
import torch

from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from tests.published.values import Array


def by_interpreter(program: Program, weights: Mapping[str, Array], pixels: Array, rows: set[str]) -> dict[str, Array]:
    """Values of rows, by the NumPy interpreter."""
    values = run(flatten(program), weights, pixels)
    return {row: values[row] for row in rows}


def by_torch(program: Program, weights: Mapping[str, Array], pixels: Array, rows: set[str]) -> dict[str, Array]:
    """Values of rows, by the generated PyTorch module; blocks are overheard on their last module."""
    module = torch_backend.build(program).eval()
    state = {name: torch.from_numpy(value) for name, value in weights.items()}
    missing, unexpected = module.load_state_dict(state, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    heard: dict[str, Array] = {}
    for row in rows - set(program.outputs):
        last = program.row(row).calls[-1].path
        module.get_submodule(".".join(last)).register_forward_hook(
            lambda _module, _inputs, output, row=row: heard.__setitem__(row, output.numpy())
        )
    with torch.no_grad():
        outputs = module(torch.from_numpy(pixels))
    return heard | {name: output.numpy() for name, output in outputs.items() if name in rows}


def by_onnx_runtime(program: Program, weights: Mapping[str, Array], pixels: Array, rows: set[str]) -> dict[str, Array]:
    """Values of rows, by ONNX Runtime; blocks are made outputs of the graph."""
    model = onnx.load_from_string(onnx_backend.emit_model(program, weights, dynamic=frozenset({"batch"})))
    inner = sorted(rows - set(program.outputs))
    model.graph.output.extend(info for info in model.graph.value_info if info.name in inner)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs() if output.name in rows]
    return dict(zip(names, session.run(names, {program.input_name: pixels}), strict=True))
