"""The weights and images of the stored outputs, as dumps of the official codes would hold them.

Each tensor is drawn from a generator seeded with the checksum of its reference name (`values.py`), in TensorFlow's
layout: kernels are (height, width, in, out), depthwise ones (height, width, in, 1).
`names_*.txt` tell which variables of the official codes these are; the product converts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spinedsl.ops.graph import Graph
from spinedsl.weights import Weights, convert
from spinedsl.weights.places import places
from spinedsl.weights.schemes import GARDEN
from tests.published.values import Array, image, official_value

DATA = Path(__file__).parent / "data"
__all__ = ["DATA", "Array", "Variable", "image", "official_value", "official_weights", "variables"]


@dataclass(frozen=True)
class Variable:
    """A variable of the official codes: its reference name, its shape there, and its name in each of the two."""

    reference: str
    shape: tuple[int, ...]
    garden: str  # tensorflow/models
    tpu: str  # tensorflow/tpu; empty where nobody listed it


def variables(model: str) -> list[Variable]:
    """Every variable of `spinenet49`, `spinenet_mobile49` or `resnet50`."""
    lines = (DATA / f"names_{model}.txt").read_text().splitlines()
    rows = [line.split(" ") for line in lines]
    return [
        Variable(reference, tuple(map(int, shape.split("x"))), garden, "".join(tpu))
        for reference, shape, garden, *tpu in rows
    ]


def official_weights(graph: Graph, model: str) -> Mapping[str, Array]:
    """The dump of a model of the official code that is built as this network, converted for it.

    The widths may be others than those of `model`: shapes are the network's.
    """
    reference = {variable.garden: variable.reference for variable in variables(model)}
    pairs = GARDEN.pair(places(graph), reference).pairs
    dump: dict[str, Array] = {}
    for name, theirs in pairs.items():
        shape = graph.parameters[name].shape
        if len(shape) == 4:
            out, in_, height, width = shape
            depthwise = reference[theirs].endswith(".depthwise_kernel")
            shape = (height, width, out, in_) if depthwise else (height, width, in_, out)
        dump[theirs] = official_value(reference[theirs], shape)
    converted = convert(graph, Weights("dump.npz", dump))
    assert converted.value is not None, converted.diagnostics
    return converted.value.tensors
