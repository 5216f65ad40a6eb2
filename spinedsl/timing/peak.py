"""What one core can do at most, as measured: multiply-adds and bytes a second. Times of networks are shares of it.

Out: rates by CPU time. What they are depends on what else the core does (its other thread, its heat), so a bench asks
for them in every round. The multiply-adds are those of the fastest
of a few kernels in float32 that stay in the caches, by whatever is installed: products of matrices by NumPy and by ONNX
Runtime, a convolution by PyTorch; which library knows a processor best differs. The bytes are those of copying what
does not fit into the caches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from spinedsl.extras import missing
from spinedsl.record import Record

SIDES = (192, 256, 384)  # of matrices
MAP = (1, 128, 28, 28)  # of the convolution, to as many channels, with kernels of 3 x 3
WORK = 2e8  # multiply-adds of one measurement
TIMES = 5  # of each, of which the best counts
COPIED = 2**28  # bytes: more than any cache holds

Clock: TypeAlias = Callable[[], float]


class Kernel(Record, eq=False):
    """Something that only multiplies and adds: so many at once, and a function that does them."""

    work: int
    run: Callable[[], object]

    def rate(self, clock: Clock, least: float = WORK) -> float:
        """Multiply-adds in a second of the clock, over at least so many of them."""
        times = max(1, round(least / self.work))
        start = clock()
        for _ in range(times):
            self.run()
        return times * self.work / max(clock() - start, 1e-9)


class Peak(Record):
    """Multiply-adds in float32, and bytes read or written in memory: of one core, in a second."""

    multiply_adds: float
    bytes: float


def measured_peak(clock: Clock = time.process_time) -> Peak:
    """The peak of a core of this machine, in a second or two."""
    kernel = fastest(clock)
    return Peak(max(kernel.rate(clock) for _ in range(TIMES)), _copied(clock))


def fastest(clock: Clock = time.process_time) -> Kernel:
    """The kernel that comes nearest to the peak of this machine."""
    found = [(max(kernel.rate(clock) for _ in range(TIMES)), kernel) for kernel in _kernels()]
    return max(found, key=lambda one: one[0])[1]


def _kernels() -> Iterator[Kernel]:
    draw = np.random.default_rng(0)
    for side in SIDES:
        matrix = draw.random((side, side), dtype=np.float32)
        yield Kernel(side**3, _numpy(matrix))
        if not missing(("onnx", "onnxruntime")):
            yield Kernel(side**3, _onnx_runtime(matrix))
    if not missing(("torch",)):
        _, channels, height, width = MAP
        kernel = draw.random((channels, channels, 3, 3), np.float32)
        yield Kernel(kernel.size * height * width, _torch(draw.random(MAP, np.float32), kernel))


def _numpy(matrix: Any) -> Callable[[], object]:
    into = np.empty_like(matrix)
    return lambda: np.matmul(matrix, matrix, out=into)


def _onnx_runtime(matrix: Any) -> Callable[[], object]:
    import onnxruntime  # noqa: PLC0415  where it is installed
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    shape = list(matrix.shape)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("a", "c")]
    node = helper.make_node("MatMul", ["a", "b"], ["c"])
    graph = helper.make_graph([node], "product", values[:1], values[1:], [numpy_helper.from_array(matrix, "b")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"a": matrix})


def _torch(image: Any, kernel: Any) -> Callable[[], object]:
    import torch  # noqa: PLC0415  where it is installed

    one, other = (torch.from_numpy(array).to(memory_format=torch.channels_last) for array in (image, kernel))
    return lambda: torch.conv2d(one, other, padding=1)


def _copied(clock: Clock) -> float:
    there = np.zeros(COPIED // 4, dtype=np.float32)
    into = np.ones_like(there)
    return 2 * COPIED / _best(lambda: np.copyto(into, there), clock)


def _best(run: Callable[[], object], clock: Clock) -> float:
    """The least time of some runs, after one that does not count."""
    run()
    found = []
    for _ in range(TIMES):
        start = clock()
        run()
        found.append(clock() - start)
    return max(min(found), 1e-9)
