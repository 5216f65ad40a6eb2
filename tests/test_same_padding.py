"""SAME padding is TensorFlow's, for every window, stride and size that can be: in all three witnesses.

The reference is the rule of TensorFlow's documentation, written out for one axis: of n numbers, ceil(n / s) windows and
max((ceil(n / s) - 1) * s + k - n, 0) zeros around them, of which the smaller half goes before.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from spinedsl.backends import onnx as onnx_backend
from spinedsl.backends import torch as torch_backend
from spinedsl.ops.graph import flatten
from spinedsl.ops.interpret import run
from spinedsl.ops.program import Program
from spinedsl.ops.types import Type
from spinedsl.record import replace
from tests.building import image_for, op, single, weights_for

Array = NDArray[np.float32]
KERNELS, STRIDES, DILATIONS = range(1, 9), (1, 2, 4, 8), (1, 2, 3)
WINDOWS = [("conv", k, s, d) for k, s, d in product(KERNELS, STRIDES, DILATIONS) if s == 1 or d == 1]
WINDOWS += [(pool, k, s, 1) for pool, k, s in product(("max_pool", "average_pool"), KERNELS, STRIDES)]


def places(size: int, kernel: int, stride: int, dilation: int) -> list[list[int]]:
    """For each window along an axis, the positions that it reads; those in the padding are outside 0 to size."""
    count = -(-size // stride)
    total = max((count - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return [[index * stride - total // 2 + step * dilation for step in range(kernel)] for index in range(count)]


def interpreted(program: Program, weights: dict[str, Array], image: Array) -> Array:
    result: Array = run(flatten(program), weights, image)["P"]
    return np.asarray(result[0])


def by_torch(program: Program, weights: dict[str, Array], image: Array) -> Array:
    module = torch_backend.build(replace(program, divisor=8)).eval()  # which the sizes of the image divide by
    module.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    with torch.no_grad():
        result: Array = module(torch.from_numpy(image))["P"].numpy()
    return np.asarray(result[0])


def by_onnx_runtime(program: Program, weights: dict[str, Array], image: Array) -> Array:
    """With height and width open, so that the padding does not come from the size."""
    data = onnx_backend.emit_model(program, weights, dynamic=frozenset({"height", "width"}))
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    result: Array = session.run(["P"], {"image": image})[0]
    return np.asarray(result[0])


def slid(image: Array, weight: Array | None, primitive: str, rows: list[list[int]], columns: list[list[int]]) -> Array:
    """Every window of one image, by definition."""
    height, width = image.shape[1:]
    results = []
    for window in product(rows, columns):
        read = [(h, w) for h in range(len(window[0])) for w in range(len(window[1]))]
        inside = [(h, w) for h, w in read if 0 <= window[0][h] < height and 0 <= window[1][w] < width]
        values = np.array([image[:, window[0][h], window[1][w]] for h, w in inside])
        if weight is not None:
            results.append(sum(weight[:, :, h, w] @ value for (h, w), value in zip(inside, values, strict=True)))
        else:
            results.append(values.max(0) if primitive == "max_pool" else values.mean(0))
    return np.array(results).T.reshape(-1, len(rows), len(columns))


@pytest.mark.parametrize(("primitive", "kernel", "stride", "dilation"), WINDOWS)
def test_same(primitive: str, kernel: int, stride: int, dilation: int) -> None:
    attributes: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": "same"}
    if primitive == "conv":
        attributes |= {"channels": 3, "dilation": dilation}
    program = single(lambda x: op(primitive, x, **attributes), Type(2, 8, 24, 0))
    graph = flatten(program)
    weights, image = weights_for(graph), image_for(program)
    weight = next(iter(weights.values()), None)
    rows, columns = (places(size, kernel, stride, dilation) for size in image.shape[2:])
    expected = slid(image[0], weight, primitive, rows, columns)
    for witness in (interpreted, by_torch, by_onnx_runtime):
        got = witness(program, weights, image)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max(), witness.__name__
