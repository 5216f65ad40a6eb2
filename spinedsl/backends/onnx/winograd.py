"""A 3x3 convolution, four rows of its result at a time: F(4, 3) of Lavin and Gray (2016), along the columns.

In: a `Step` of a convolution that the pass `winograd` marked. Out: nodes in its sketch. Six sums of the rows of a map
(`SUMS`) go through a kernel of 1x3 each, which are sums of the rows of the network's own (`KERNELS`); four rows of the
result are sums of what comes out. That is 18 products for 36. Every operator but the last three is one that ONNX
Runtime runs in its blocked layout, and it makes the kernels when it loads the model: its tensors stay the network's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from onnx import TensorProto

from spinedsl.backends.onnx.sketch import Argument, Dimension, Scalar, Step, Tensor, multiple, product
from spinedsl.passes.winograd import ROWS, tiles

REACH = ROWS + 2  # rows of the map that so many of the result are computed from
# Of each sum, by which row of the map (from one above the first of the result) each is multiplied.
SUMS = (
    {0: 4, 2: -5, 4: 1},
    {1: -4, 2: -4, 3: 1, 4: 1},
    {1: 4, 2: -4, 3: -1, 4: 1},
    {1: -2, 2: -1, 3: 2, 4: 1},
    {1: 2, 2: -1, 3: -2, 4: 1},
    {1: 4, 3: -5, 5: 1},
)
KERNELS = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)


def by_rows(step: Step) -> None:
    """The convolution, of a map whose height is known, or divided by four."""
    writer = _Writer(step)
    batch, channels, count, width = writer.shape
    whole = product((count, ROWS))
    lines = Tensor((batch, channels, count, product((width, ROWS))))
    beside = step.part("rows", "Concat", *writer.rows(), tensor=lines, axis=3)
    if isinstance(width, int):
        shape = step.numbers(0, channels, -1, width)
    else:
        size, four = step.shape_of("width", step.inputs[0], 3, 4), Tensor((4,), TensorProto.INT64)
        shape = step.part("shape", "Concat", step.numbers(0, channels, -1), size, tensor=four, axis=0)
    if whole == step.shape[2]:
        step.last("Reshape", beside, shape)
        return
    uncut = step.part("whole", "Reshape", beside, shape, tensor=Tensor((batch, channels, whole, width)))
    step.last("Slice", uncut, step.numbers(0), step.numbers(cast(int, step.shape[2])), step.numbers(2))


def _tiles(height: Dimension) -> tuple[Dimension, int]:
    """How many there are, and how many rows of the last are beyond the map."""
    if isinstance(height, int):
        return tiles(height), -height % ROWS
    times, _, name = height.partition("*")
    return multiple(int(times) // ROWS, name), 0


class _Writer:
    """The nodes of one convolution. Its maps have one row for each tile of the result."""

    def __init__(self, step: Step) -> None:
        self.step = step
        batch, given, height, width = step.given[0]
        self.given, self.channels = cast(int, given), cast(int, step.shape[1])
        count, self.below = _tiles(height)
        self.shape = batch, self.channels, count, width
        self.bias = [step.parameters["bias"]] if "bias" in step.parameters else []

    def rows(self) -> tuple[str, str, str, str]:
        """The four rows of each tile. A sum of a convolution and a map is one operation where it runs."""
        one, two, three, four = (self.product(index) for index in (1, 2, 3, 4))
        near, apart = self.add("near", one, two), self.add("apart", self.times("less", two, -1), one)
        far, wide = self.add("far", three, four), self.add("wide", self.times("minus", four, -1), three)
        return (
            self.add("first", self.product(0, *self.bias), self.add("middle", near, far)),
            self.add("second", self.times("twice", wide, 2, *self.bias), apart),
            self.add("third", self.times("fourfold", far, 4, *self.bias), near),
            self.add("fourth", self.product(5, *self.bias), self.add("last", self.times("eightfold", wide, 8), apart)),
        )

    def product(self, index: int, *bias: str) -> str:
        """A sum of rows of the map, through its kernel."""
        taps = SUMS[index]
        first, last = min(taps), max(taps)
        dilation = 2 if last - first == 2 * (len(taps) - 1) else 1
        window: dict[str, Argument] = {
            "kernel_shape": [len(taps), 1], "strides": [ROWS, 1], "dilations": [dilation, 1],
            "pads": [1 - first, 0, last - ROWS + self.below, 0], "group": self.given,
        }  # fmt: skip
        kernel = self.same_for_all(tuple(taps.values()), self.given)
        shape = Tensor((self.shape[0], self.given, *self.shape[2:]))
        summed = self.step.part(f"sum.{index}", "Conv", self.step.inputs[0], kernel, tensor=shape, **window)
        beside: dict[str, Argument] = {"kernel_shape": [1, 3], "pads": [0, 1, 0, 1]}
        return self._part(f"product.{index}", "Conv", summed, self.kernel(index), *bias, **beside)

    def times(self, name: str, x: str, factor: int, *bias: str) -> str:
        """A map times a number."""
        kernel = self.same_for_all((factor,), self.channels)
        return self._part(name, "Conv", x, kernel, *bias, kernel_shape=[1, 1], group=self.channels)

    def add(self, name: str, one: str, other: str) -> str:
        """The sum of two maps."""
        return self._part(name, "Add", one, other)

    def _part(self, name: str, operator: str, *inputs: str, **arguments: Argument) -> str:
        return self.step.part(name, operator, *inputs, tensor=Tensor(self.shape), **arguments)

    def same_for_all(self, column: Sequence[int], channels: int) -> str:
        """A kernel of one column, the same for every channel."""

        def made() -> str:
            one, every = (Tensor((count, 1, len(column), 1)) for count in (1, channels))
            flat = self.step.part("column", "Reshape", *self._numbers(column, 1, 1, len(column), 1), tensor=one)
            whole = self.step.numbers(channels, 1, len(column), 1)
            return self.step.part("columns", "Expand", flat, whole, tensor=every)

        return self._once(made, "column", tuple(column), channels)

    def kernel(self, index: int) -> str:
        """One of six kernels of 1x3. Convolutions that share their tensors share these."""
        step, weight = self.step, self.step.parameters["weight"]
        shape = (self.channels, self.given, REACH, 3)

        def rows() -> str:
            """All of them, by one product of matrices: every row of nine numbers becomes one of eighteen."""
            pairs = self.channels * self.given
            nine = Tensor((pairs, 9))
            flat = step.part("kernel.flat", "Reshape", weight, step.numbers(pairs, 9), tensor=nine)
            mixed = step.part("kernel.mixed", "MatMul", flat, self._matrix(), tensor=Tensor((pairs, 18)))
            return step.part("kernel.rows", "Reshape", mixed, step.numbers(*shape), tensor=Tensor(shape))

        def made() -> str:
            ends, axis = (step.numbers(index), step.numbers(index + 1)), step.numbers(2)
            every, one = self._once(rows, "kernels", weight), Tensor((*shape[:2], 1, 3))
            return step.part(f"kernel.{index}", "Slice", every, *ends, axis, tensor=one)

        return self._once(made, "kernel", weight, index)

    def _matrix(self) -> str:
        mixed = [
            KERNELS[index][row] if column == other else 0.0
            for row in range(3) for column in range(3) for index in range(REACH) for other in range(3)
        ]  # fmt: skip
        made = partial(self.step.part, "kernel.matrix", "Reshape", *self._numbers(mixed, 9, 18), tensor=Tensor((9, 18)))
        return self._once(made, "matrix")

    def _numbers(self, values: Sequence[Scalar], *shape: int) -> tuple[str, str]:
        return self.step.numbers(*map(float, values)), self.step.numbers(*shape)

    def _once(self, make: Callable[[], str], *key: object) -> str:
        """A value that does not depend on the map: equal ones are made once in a model."""
        constants = self.step.sketch.constants
        if ("winograd", *key) not in constants:
            constants["winograd", *key] = make()
        return constants["winograd", *key]
