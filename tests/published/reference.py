"""The weights and images of the stored outputs, as dumps of the official codes would hold them.

Each tensor is drawn from a generator seeded with the checksum of its reference name, in TensorFlow's layout: kernels
are (height, width, in, out), depthwise ones (height, width, in, 1). The stored outputs were made with these values.
`names_*.txt` tell which variables of the official codes these are; the product converts them.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops.graph import Graph
from spinedsl.weights import Weights, convert
from spinedsl.weights.places import places
from spinedsl.weights.schemes import GARDEN

DATA = Path(__file__).parent / "data"
Array = NDArray[np.float32]


def _generator(key: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(key.encode()))  # the legacy stream, which never changes


def official_value(name: str, shape: tuple[int, ...]) -> Array:
    """The tensor of a reference name, in TensorFlow's layout."""
    draw = _generator("w:" + name)
    kind = name.rpartition(".")[2]
    if kind == "kernel":
        value = draw.standard_normal(shape) * np.sqrt(1.5 / np.prod(shape[:3]))
    elif kind == "depthwise_kernel":
        value = draw.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[:2]))
    elif kind == "gamma":
        value = 1.0 + 0.1 * draw.standard_normal(shape)
    elif kind == "moving_variance":
        value = draw.uniform(0.5, 1.5, shape)
    else:
        value = 0.1 * draw.standard_normal(shape)
    return np.asarray(value, dtype=np.float32)


def image(height: int, width: int, batch: int) -> Array:
    """Noise, waves and an offset in each channel, NCHW: outputs depend on where in the image they look."""
    draw = _generator(f"x:{batch}x{height}x{width}")
    pixels = 0.5 * draw.standard_normal((batch, height, width, 3))
    rows, columns = np.meshgrid(np.arange(height) / height, np.arange(width) / width, indexing="ij")
    for index in range(batch):
        for channel in range(3):
            for _ in range(3):
                fy, fx, phase, size = (draw.uniform(*ends) for ends in ((-3, 3), (-3, 3), (0, 6.28), (0.5, 1.5)))
                pixels[index, :, :, channel] += size * np.sin(6.283185307179586 * (fy * rows + fx * columns) + phase)
            pixels[index, :, :, channel] += draw.uniform(-1, 1)
    return np.ascontiguousarray(pixels.astype(np.float32).transpose(0, 3, 1, 2))


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
