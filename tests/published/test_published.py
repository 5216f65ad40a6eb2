"""SpineNet and ResNet-50 are the published ones: counts to the digit, and the official code's outputs for its weights.

Three witnesses that share nothing but the op program: the interpreter in NumPy, PyTorch and ONNX Runtime.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import spinedsl
from spinedsl.analysis import costs
from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.source import Source
from tests.published.reference import DATA, Array, image, official_weights

EXAMPLES = Path(__file__).parents[2] / "examples"
COUNTS: Mapping[str, Mapping[str, object]] = json.loads((DATA / "counts.json").read_text())
SCALED = 1e-5  # largest difference over the largest value


def example(network: str, size: tuple[int, int], act: str = "relu") -> Program:
    """A network of the examples at a size, perhaps with another activation."""
    file = EXAMPLES / ("resnet50.spine" if network == "ResNet50" else "spinenet.spine")
    source = Source.from_text(file.read_text().replace("act relu", f"act {act}"), file.name, str(file))
    return spinedsl.program(source, network=network, size=size)


@pytest.mark.parametrize("network", COUNTS)
def test_parameters_and_multiply_adds_equal_the_official_counts(network: str) -> None:
    published = COUNTS[network]
    by_size = published["multiply_adds"]
    assert isinstance(by_size, dict)
    assert by_size
    for size, multiply_adds in by_size.items():
        height, width = map(int, size.split("x"))
        counted = costs(flatten(example(network, (height, width))))
        assert counted.multiply_adds == multiply_adds, size
        assert counted.parameters == published["trainable"]
        assert counted.statistics == published["statistics"]


@dataclass(frozen=True)
class Case:
    """Stored outputs, and how the network that made them is written here."""

    file: str
    network: str
    size: tuple[int, int]
    act: str
    batch: int
    model: str  # whose variables the official code has
    rows: Callable[[str], str]  # name of the stored array -> name of our row
    make: Callable[[Case], Program] = lambda case: example(case.network, case.size, case.act)


CASES = [
    Case(
        "spinenet49_relu_128x128", "SpineNet49", (128, 128), "relu", 1, "spinenet49",
        lambda key: f"P{key[3:]}" if key.startswith("out") else f"b{key[4:]}",
    ),
    Case("spinenet49s_swish_128x256", "SpineNet49S", (128, 256), "swish", 1, "spinenet49", lambda key: f"P{key[3:]}"),
    Case(
        "spinenet49s_tpu_swish_224x224", "SpineNet49S", (224, 224), "swish", 1, "spinenet49",
        lambda key: f"P{key[3:]}",
        lambda case: spinedsl.program(Path(__file__).with_name("spinenet_tpu.spine"), network=case.network),
    ),
    Case("resnet50_relu_128x128", "ResNet50", (128, 128), "relu", 2, "resnet50", lambda key: f"C{key[3:]}"),
]  # fmt: skip


def at_any_size(network: str, size: tuple[int, int]) -> Program:
    """A network of the examples with its sizes rounded up."""
    file = EXAMPLES / "spinenet.spine"
    text = file.read_text().replace("    join activated_sum", "    rules { sizes any }\n    join activated_sum")
    return spinedsl.program(Source.from_text(text, file.name, str(file)), network=network, size=size)


@pytest.mark.parametrize(
    ("network", "published"),
    [("SpineNet49", "3.478"), ("SpineNet96", "5.723"), ("SpineNet143", "9.087"), ("SpineNet190", "19.111")],
)
def test_multiply_adds_of_classification_at_224_are_the_published_ones(network: str, published: str) -> None:
    counted = costs(flatten(at_any_size(network, (224, 224))))
    assert f"{counted.multiply_adds / 1e9:.3f}" == published
    assert counted.parameters == COUNTS[network]["trainable"]


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


@pytest.mark.parametrize("witness", [by_interpreter, by_torch, by_onnx_runtime])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_outputs_equal_the_official_code(
    case: Case, witness: Callable[[Program, Mapping[str, Array], Array, set[str]], dict[str, Array]]
) -> None:
    program = case.make(case)
    weights = official_weights(flatten(program), case.model)
    with np.load(DATA / f"{case.file}.npz") as stored:
        expected = {case.rows(key): stored[key].transpose(0, 3, 1, 2) for key in stored.files}
    values = witness(program, weights, image(*case.size, case.batch), set(expected))
    assert values.keys() == expected.keys()
    for row, theirs in expected.items():
        ours = values[row][: len(theirs)]
        assert ours.shape == theirs.shape, row
        assert np.abs(ours - theirs).max() <= SCALED * np.abs(theirs).max(), row
