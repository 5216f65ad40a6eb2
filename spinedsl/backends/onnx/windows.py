"""Convolutions and pools in ONNX: what differs from the table is padding, which may depend on a size that is open.

In: a `Step`. Out: nodes in its sketch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias, cast

from onnx import TensorProto

from spinedsl.backends.onnx import winograd
from spinedsl.backends.onnx.kernels import kernel
from spinedsl.backends.onnx.sketch import Argument, Step, Tensor
from spinedsl.ops.primitives import pads
from spinedsl.ops.rules import kernel_of, window

Window: TypeAlias = dict[str, "Sequence[int] | str"]


def _window(step: Step) -> Window:
    """Attributes of a sliding window. `same` is spelled out as numbers, unless they depend on a size that is open.

    Then SAME_UPPER says it where engines follow it: without dilation, and for a kernel that reaches over the stride.
    """
    strides = [window(step.attributes, axis)[1] for axis in (0, 1)]
    made: Window = {"kernel_shape": list(kernel_of(step.attributes)), "strides": strides}
    if _open_padding(step):
        return {**made, "pads": [0] * 4} if _by_parts(step) else {**made, "auto_pad": "SAME_UPPER"}
    sizes = (size if isinstance(size, int) else 0 for size in step.given[0][2:])
    around = [pads(*window(step.attributes, axis), size) for axis, size in enumerate(sizes)]
    return {**made, "pads": [before for before, _ in around] + [after for _, after in around]}


def _open_padding(step: Step) -> bool:
    """What SAME pads depends on a size that is only known when the model runs."""
    open_size = any(isinstance(size, str) for size in step.given[0][2:])
    same = step.sketch.any_size and open_size and step.attributes["padding"] == "same"
    return same and max(kernel_of(step.attributes)) > 1 and step.count("stride") > 1


def _by_parts(step: Step) -> bool:
    """That padding is worked out by operators of its own."""
    dilated = cast(int, step.attributes.get("dilation", 1)) > 1
    return _open_padding(step) and (dilated or step.count("kernel") < step.count("stride"))


def _padded(step: Step, x: str, outside: float) -> str:
    """The map as `_window` expects it: `outside` put around it where that is not left to the window."""
    if not _by_parts(step):
        return x
    kernel, stride = step.count("kernel"), step.count("stride")
    reach = (kernel - 1) * cast(int, step.attributes.get("dilation", 1)) + 1
    two, four = Tensor((2,), TensorProto.INT64), Tensor((4,), TensorProto.INT64)
    size = step.shape_of("pad.size", x, 2, 4)
    rest = step.part(
        "pad.rest", "Mod", step.part("pad.less", "Neg", size, tensor=two), step.numbers(stride), tensor=two
    )
    total = step.part("pad.all", "Add", rest, step.numbers(reach - stride), tensor=two)
    total = step.part("pad.total", "Max", total, step.numbers(0), tensor=two)
    before = step.part("pad.before", "Div", total, step.numbers(2), tensor=two)
    after = step.part("pad.after", "Sub", total, before, tensor=two)
    padded = Tensor((*step.given[0][:2], "", ""))
    if step.opset < 18:  # which pads every axis
        none, eight = step.numbers(0, 0), Tensor((8,), TensorProto.INT64)
        around = step.part("pad.around", "Concat", none, before, none, after, tensor=eight, axis=0)
        return step.part("padded", "Pad", x, around, step.number(outside), tensor=padded)
    around = step.part("pad.around", "Concat", before, after, tensor=four, axis=0)
    return step.part("padded", "Pad", x, around, step.number(outside), step.numbers(2, 3), tensor=padded)


def conv(step: Step) -> None:
    """A convolution; what stands at ONNX's default is left out."""
    if "rows" in step.attributes:
        winograd.by_rows(step)
        return
    parameters = [kernel(step), *([step.parameters["bias"]] if "bias" in step.parameters else [])]
    dilation, groups = step.count("dilation"), step.count("groups")
    rare: dict[str, Argument] = {}
    if dilation != 1:
        rare["dilations"] = [dilation] * 2
    if groups != 1:
        rare["group"] = groups
    step.last("Conv", _padded(step, step.inputs[0], 0), *parameters, **_window(step), **rare)


def conv_transpose(step: Step) -> None:
    """A transposed convolution, what reaches over cut off evenly."""
    parameters = [step.parameters[name] for name in ("weight", "bias") if name in step.parameters]
    kernel, stride = step.count("kernel"), step.count("stride")
    window: Window = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [(kernel - stride) // 2] * 4}
    step.last("ConvTranspose", *step.inputs, *parameters, **window)


def max_pool(step: Step) -> None:
    """The largest in each window; padding is never it."""
    step.last("MaxPool", _padded(step, step.inputs[0], -math.inf), **_window(step))


def average_pool(step: Step) -> None:
    """What lies outside does not count."""
    (x,) = step.inputs
    if not _by_parts(step):
        step.last("AveragePool", x, **_window(step), count_include_pad=0)
        return
    shape = step.part("shape", "Shape", x, tensor=Tensor((4,), TensorProto.INT64))
    ones = step.part("ones", "Expand", step.number(1), shape, tensor=Tensor(step.given[0]))
    total = step.part("total", "AveragePool", _padded(step, x, 0), tensor=None, **_window(step))
    counted = step.part("counted", "AveragePool", _padded(step, ones, 0), tensor=None, **_window(step))
    step.last("Div", total, counted)
