"""The weights and images of the stored outputs, and the official names of our parameters.

Each tensor is drawn from a generator seeded with the checksum of its official name, in TensorFlow's layout: kernels are
(height, width, in, out), depthwise ones (height, width, channels, 1). The stored outputs were made with these values.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops.graph import Graph
from spinedsl.ops.program import Program

DATA = Path(__file__).parent / "data"
Array = NDArray[np.float32]

_CONVOLUTIONS = {"squeeze": "1", "spatial": "2", "expand": "3"}
_RESIDUAL = {"spatial": "1", "refine": "2"}
_MBCONV = {"expand": "0", "spatial": "1", "project": "2"}
_RESAMPLE = {"reduce": "reduce", "halve": "down", "expand": "expand"}
_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def _generator(key: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(key.encode()))  # the legacy stream, which never changes


def official_value(name: str, shape: tuple[int, ...]) -> Array:
    """The tensor of an official name, in TensorFlow's layout."""
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


def spinenet_name(program: Program, name: str) -> str:
    """Official name of a parameter of SpineNet."""
    row_name, *path, part, leaf = name.split(".")
    convolution = part == "conv"
    kind = "kernel" if convolution else _NORM[leaf]
    if row_name == "s":
        return f"stem.{part}.{kind}"
    if row_name.startswith("P"):
        return f"out{row_name[1:]}.{part}.{kind}"
    row = program.row(row_name)
    node = f"node{row_name[1:]}"
    if path[0].startswith("from_"):
        slot = [connection.source for connection in row.inputs].index(path[0].removeprefix("from_"))
        return f"{node}.in{slot}.{_RESAMPLE[path[1]]}{'' if convolution else '_norm'}.{kind}"
    if path[1] == "shortcut":
        return f"{node}.{path[0]}.{'shortcut' if convolution else 'norm0'}.{kind}"
    number = (_CONVOLUTIONS if row.type_name == "bottleneck" else _RESIDUAL)[path[1]]
    return f"{node}.{path[0]}.{part}{number}.{kind}"


def mobile_name(program: Program, name: str) -> str:
    """Official name of a parameter of SpineNet-Mobile."""
    row_name, *path, part, leaf = name.split(".")
    kind = ("kernel" if leaf == "weight" else leaf) if part == "conv" else _NORM[leaf]
    if not row_name.startswith("b"):
        return spinenet_name(program, name)
    node = f"node{row_name[1:]}"
    if path[0].startswith("from_"):
        slot = [connection.source for connection in program.row(row_name).inputs].index(path[0].removeprefix("from_"))
        step = "expand" if path[1] == "project" else f"dw{path[1].removeprefix('rep')}"
        if part == "norm":
            return f"{node}.in{slot}.{step}_norm.{kind}"
        return f"{node}.in{slot}.{step}.{kind if step == 'expand' else f'depthwise_{kind}'}"
    if path[0] == "excite":
        return f"{node}.rep0.{'se_reduce' if path[1] == 'squeeze' else 'se_expand'}.{kind}"
    if part == "conv" and path[0] == "spatial":
        kind = f"depthwise_{kind}"
    return f"{node}.rep0.{part}{_MBCONV[path[0]]}.{kind}"


def resnet_name(program: Program, name: str) -> str:
    """Official name of a parameter of ResNet-50."""
    row_name, *path, part, leaf = name.split(".")
    convolution = part == "conv"
    kind = "kernel" if convolution else _NORM[leaf]
    if row_name == "s":
        return f"stem.{part}.{kind}"
    block = f"stage{row_name[1:]}.block{path[0].removeprefix('rep')}"
    if path[1] == "shortcut":
        return f"{block}.{'shortcut' if convolution else 'norm0'}.{kind}"
    return f"{block}.{part}{_CONVOLUTIONS[path[1]]}.{kind}"


def official_weights(graph: Graph, official: Callable[[Program, str], str]) -> Mapping[str, Array]:
    """Every parameter of a graph with the value of its official name, in our layout: (out, in, height, width)."""
    weights: dict[str, Array] = {}
    for name, parameter in graph.parameters.items():
        theirs, shape = official(graph.program, name), parameter.shape
        if theirs.endswith(".depthwise_kernel"):
            value = official_value(theirs, (shape[2], shape[3], shape[0], shape[1])).transpose(2, 3, 0, 1)
        elif len(shape) == 4:
            value = official_value(theirs, (shape[2], shape[3], shape[1], shape[0])).transpose(3, 2, 0, 1)
        else:
            value = official_value(theirs, shape)
        weights[name] = np.ascontiguousarray(value)
    return weights
