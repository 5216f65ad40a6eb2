"""SpineNet, SpineNet-Mobile and ResNet-50 are the official ones: counts to the digit, outputs for the same weights.

Three witnesses that share nothing but the op program: the interpreter in NumPy, PyTorch and ONNX Runtime.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from spinedsl.analysis import costs
from spinedsl.ops.program import Program
from tests.published.engines import by_interpreter, by_onnx_runtime, by_torch
from tests.published.examples import graph_of
from tests.published.reference import DATA, Array, image, official_weights

COUNTS: Mapping[str, Any] = json.loads((DATA / "counts.json").read_text())
SCALED = 1e-5  # largest difference over the largest value


@pytest.mark.parametrize("network", COUNTS)
def test_parameters_and_multiply_adds_equal_the_official_counts(network: str) -> None:
    published = COUNTS[network]
    for size, multiply_adds in published["multiply_adds"].items():
        graph = graph_of(network, size)
        counted = costs(graph)
        assert counted.multiply_adds == multiply_adds, size
        assert counted.parameters == published["trainable"]
        assert counted.statistics == published["statistics"]
        assert sum(node.primitive == "conv" for node in graph.nodes) == published["convolutions"]
        assert sum(node.primitive == "batch_norm" for node in graph.nodes) == published["norms"]


@pytest.mark.parametrize("network", ["SpineNet49S", "SpineNet49", "SpineNet96", "SpineNet143", "SpineNetMobile49"])
def test_both_official_implementations_have_the_same_parameters(network: str) -> None:
    """Those of tensorflow/tpu that were built and counted."""
    assert costs(graph_of(f"{network}_TPU")).parameters == COUNTS[network]["trainable"]


def test_parameters_with_level_2() -> None:
    """The official SpineNet-49 with `min_level = 2`."""
    assert costs(graph_of("SpineNet49_P2")).parameters == 22_034_688


@dataclass(frozen=True)
class Case:
    """Stored outputs, and how the network that made them is written here.

    `batch` images went in; of them the first are stored, and of large maps the first channels.
    """

    file: str
    network: str  # or what makes it of one of the examples
    size: str
    batch: int = 1
    model: str = "spinenet49"  # whose variables the official code has

    @property
    def name(self) -> str:
        """The network's name and the file's: what `pytest -k` finds it by."""
        return f"{self.network.partition('(')[0]}-{self.file}"


def row_of(key: str, case: Case) -> str:
    """The row whose value was stored under a key: `out3` is the output of level 3, `node0` the first block."""
    if key.startswith("node"):
        return f"b{key[4:]}"
    return ("C" if case.model == "resnet50" else "P") + key[3:]


# The stored outputs have the same epsilon in both implementations.
CASES = [
    Case("spinenet49_relu_128x128", "SpineNet49", "128x128"),
    Case("spinenet49_relu_128x128_of_two", "SpineNet49", "128x128", batch=2),
    Case("spinenet49_swish_256x128", "SpineNet49(activation = swish)", "256x128"),
    Case("spinenet49s_swish_128x256", "SpineNet49S(activation = swish)", "128x256"),
    Case("spinenet_mobile49_swish_128x128", "SpineNetMobile49", "128x128", batch=2, model="spinenet_mobile49"),
    Case("resnet50_relu_128x128", "ResNet50", "128x128", batch=2, model="resnet50"),
    Case("spinenet49_tpu_relu_128x128", "SpineNet49_TPU(epsilon = 1e-3)", "128x128", batch=2),
    Case("spinenet49s_tpu_swish_224x224", "SpineNet49S_C_224(epsilon = 1e-3)", "224x224"),
]


@pytest.mark.parametrize("witness", [by_interpreter, by_torch, by_onnx_runtime])
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name) for case in CASES],
)
def test_outputs_equal_the_official_code(
    case: Case, witness: Callable[[Program, Mapping[str, Array], Array, set[str]], dict[str, Array]]
) -> None:
    graph = graph_of(case.network, case.size)
    weights = official_weights(graph, case.model)
    with np.load(DATA / f"{case.file}.npz") as stored:
        expected = {row_of(key, case): stored[key].transpose(0, 3, 1, 2) for key in stored.files}
    height, width = map(int, case.size.split("x"))
    values = witness(graph.program, weights, image(height, width, case.batch), set(expected))
    assert values.keys() == expected.keys()
    for row, theirs in expected.items():
        images, channels, *sides = theirs.shape
        assert values[row].shape[2:] == tuple(sides), row
        assert np.abs(values[row][:images, :channels] - theirs).max() <= SCALED * np.abs(theirs).max(), row
