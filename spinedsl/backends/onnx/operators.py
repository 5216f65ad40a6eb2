"""The operator table: for each primitive, the operators of ONNX that do exactly that, in each opset from 13.

In: a `Step`, with the names of what goes in. Out: nodes in its sketch, the last of which makes the step's result. Every
composition is one that ONNX Runtime and OpenVINO recognise and run as one kernel, where they have it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeAlias, cast

from onnx import TensorProto

from spinedsl.backends.onnx.reductions import adaptive_average_pool, pixel_shuffle, pixel_unshuffle, pooled, reduced
from spinedsl.backends.onnx.sizes import crop_to_level, resize, resize_to_level, upsample
from spinedsl.backends.onnx.sketch import Shape, Step, Tensor, product
from spinedsl.backends.onnx.windows import average_pool, conv, conv_transpose, max_pool
from spinedsl.ops.rearrange import SIDES

_TO_THE_END = 2**31 - 1
Rule: TypeAlias = Callable[[Step], None]


def _real(step: Step, name: str) -> float:
    return float(cast(Fraction, step.attributes[name]))


def _plain(operator: str) -> Rule:
    """The same operator in ONNX, without attributes."""
    return lambda step: step.last(operator, *step.inputs)


def unchanged(step: Step) -> None:
    """Nothing to do in inference. `emit` leaves these out where the value needs no second name."""
    step.last("Identity", *step.inputs)


# ---- channels and vectors ----


def _channel_conv(step: Step) -> None:
    """As a convolution of a map whose lines are the channels, and whose columns are the positions."""
    (x,), side = step.inputs, step.count("kernel") // 2
    batch, channels, *positions = step.shape
    lines = Tensor((batch, 1, channels, product(positions)))
    shape = step.part("shape", "Shape", x, tensor=Tensor((len(step.shape),), TensorProto.INT64))
    laid = step.part("lines", "Reshape", x, step.numbers(0, 1, cast(int, channels), -1), tensor=lines)
    kernel = Tensor((1, 1, step.count("kernel"), 1))
    weight = step.part("kernel", "Unsqueeze", step.parameters["weight"], step.numbers(3), tensor=kernel)
    y = step.part("conv", "Conv", laid, weight, tensor=lines, pads=[side, 0, side, 0], kernel_shape=[2 * side + 1, 1])
    step.last("Reshape", y, shape)


def _linear(step: Step) -> None:
    parameters = [step.parameters[name] for name in ("weight", "bias") if name in step.parameters]
    step.last("Gemm", *step.inputs, *parameters, transB=1)


def _slice(step: Step) -> None:
    start = step.count("start")
    ends = step.numbers(start), step.numbers(start + step.count("channels"))
    step.last("Slice", *step.inputs, *ends, step.numbers(1))


def _pad(step: Step) -> None:
    top, bottom, left, right = (step.count(side) for side in SIDES)
    around = step.numbers(0, 0, top, left, 0, 0, bottom, right)
    value = [step.number(_real(step, "value"))] if step.attributes["mode"] == "constant" else []
    step.last("Pad", *step.inputs, around, *value, mode=cast(str, step.attributes["mode"]))


def _crop(step: Step) -> None:
    top, bottom, left, right = (step.count(side) for side in SIDES)
    ends = (-cut if cut else _TO_THE_END for cut in (bottom, right))
    step.last("Slice", *step.inputs, step.numbers(top, left), step.numbers(*ends), step.numbers(2, 3))


def _concat(step: Step) -> None:
    """What does not depend on the input stands beside every image of a batch."""
    batches = [shape[0] for shape in step.input_shapes]
    inputs = list(step.inputs)
    if len(set(batches)) > 1:
        every = Tensor((len(step.shape),), TensorProto.INT64)
        batch = step.shape_of("batch", inputs[batches.index(step.shape[0])], 0, 1)
        times = step.part("times", "Concat", batch, step.numbers(*[1] * (len(step.shape) - 1)), tensor=every, axis=0)
        for position, shape in enumerate(step.input_shapes):
            if shape[0] != step.shape[0]:
                spread = Tensor((step.shape[0], *shape[1:]))
                inputs[position] = step.part("spread", "Expand", inputs[position], times, tensor=spread)
    step.last("Concat", *inputs, axis=1)


def _reshape(step: Step) -> None:
    """The batch is kept by a 0; the positions too, and by their sizes at run time where those vary."""
    sizes = [size for size in step.shape[1:] if isinstance(size, int)]
    if len(sizes) == len(step.shape) - 1:
        step.last("Reshape", step.inputs[0], step.numbers(0, *sizes))
        return
    channels = [cast(int, size) for size in step.shape[1:-2]]
    positions = step.shape_of("positions", step.inputs[0], -2)
    whole = Tensor((len(step.shape),), TensorProto.INT64)
    shape = step.part("shape", "Concat", step.numbers(0, *channels), positions, tensor=whole, axis=0)
    step.last("Reshape", step.inputs[0], shape)


def _transpose(step: Step) -> None:
    perm = list(range(len(step.shape)))
    first, second = step.count("first") + 1, step.count("second") + 1
    perm[first], perm[second] = perm[second], perm[first]
    step.last("Transpose", *step.inputs, perm=perm)


def _parameter(step: Step) -> None:
    step.last("Unsqueeze", step.parameters["weight"], step.numbers(0))


def _constant(step: Step) -> None:
    values = step.numbers(*(float(value) for value in cast("tuple[Fraction, ...]", step.attributes["values"])))
    step.last("Unsqueeze", values, step.numbers(0, 2, 3))


# ---- normalisation ----


def _batch_norm(step: Step) -> None:
    parameters = (step.parameters[name] for name in ("weight", "bias", "running_mean", "running_var"))
    epsilon, momentum = _real(step, "epsilon"), _real(step, "momentum")
    step.last("BatchNormalization", *step.inputs, *parameters, epsilon=epsilon, momentum=momentum)


def _layer_norm(step: Step) -> None:
    """Over the channels, which must stand last for the operator."""
    batch, channels, *positions = step.shape
    affine, epsilon = (step.parameters["weight"], step.parameters["bias"]), _real(step, "epsilon")
    if not positions and step.opset >= 17:
        step.last("LayerNormalization", *step.inputs, *affine, axis=-1, epsilon=epsilon)
        return
    if not positions:
        (x,) = step.inputs
        step.last("Add", _layer_norm_by_parts(step, x, Tensor(step.shape)), affine[1])
        return
    moved = Tensor((batch, *positions, channels))
    x = step.part("channels_last", "Transpose", *step.inputs, tensor=moved, perm=[0, 2, 3, 1])
    if step.opset < 17:
        scaled = _layer_norm_by_parts(step, x, moved)
        y = step.part("shifted", "Add", scaled, affine[1], tensor=moved)
    else:
        y = step.part("norm", "LayerNormalization", x, *affine, tensor=moved, axis=-1, epsilon=epsilon)
    step.last("Transpose", y, perm=[0, 3, 1, 2])


def _layer_norm_by_parts(step: Step, x: str, moved: Tensor) -> str:
    """Before opset 17, but for the shift, in the form that ONNX Runtime fuses to one kernel."""
    one = Tensor((*moved.shape[:-1], 1))
    centred = step.part("centred", "Sub", x, step.reduced("mean", "ReduceMean", x, -1, one), tensor=moved)
    square = step.part("square", "Pow", centred, step.number(2), tensor=moved)
    variance = step.reduced("variance", "ReduceMean", square, -1, one)
    safe = step.part("safe", "Add", variance, step.above_zero(_real(step, "epsilon")), tensor=one)
    normed = step.part("norm", "Div", centred, step.part("deviation", "Sqrt", safe, tensor=one), tensor=moved)
    return step.part("scaled", "Mul", normed, step.parameters["weight"], tensor=moved)


def _group_norm(step: Step) -> None:
    """Before opset 21 there is no sound GroupNormalization: each group becomes one channel of an instance norm."""
    (x,), groups = step.inputs, step.count("groups")
    batch, channels, *positions = step.shape
    grouped = Tensor((batch, groups, product((cast(int, channels) // groups, *positions))))
    shape = step.part("shape", "Shape", x, tensor=Tensor((len(step.shape),), TensorProto.INT64))
    flat = step.part("grouped", "Reshape", x, step.numbers(0, groups, -1), tensor=grouped)
    ones, zeros = step.numbers(*[1.0] * groups), step.numbers(*[0.0] * groups)
    epsilon = _real(step, "epsilon")
    normed = step.part("norm", "InstanceNormalization", flat, ones, zeros, tensor=grouped, epsilon=epsilon)
    y = step.part("ungrouped", "Reshape", normed, shape)
    step.last("Add", step.part("scaled", "Mul", y, _over_map(step, "weight")), _over_map(step, "bias"))


def _l2_normalise(step: Step) -> None:
    """By parts: ONNX's LpNormalization has nothing against a length of 0."""
    (x,) = step.inputs
    length = Tensor((step.shape[0], 1, *step.shape[2:]))
    norm = step.reduced("norm", "ReduceL2", x, 1, length)
    step.last("Div", x, step.part("length", "Max", norm, step.above_zero(_real(step, "epsilon")), tensor=length))


def _over_map(step: Step, name: str) -> str:
    """A parameter of one number for each channel, shaped to meet a map; a vector it meets as it is."""
    if len(step.shape) == 2:
        return step.parameters[name]
    shape: Shape = (step.shape[1], 1, 1)
    return step.part(f"{name}_map", "Unsqueeze", step.parameters[name], step.numbers(1, 2), tensor=Tensor(shape))


# ---- activations and arithmetic ----


def _relu6(step: Step) -> None:
    step.last("Clip", *step.inputs, step.number(0), step.number(6))


def _swish(step: Step) -> None:
    (x,) = step.inputs
    step.last("Mul", x, step.part("sigmoid", "Sigmoid", x))


def _hard_swish(step: Step) -> None:
    if step.opset >= 14:
        step.last("HardSwish", *step.inputs)
        return
    (x,) = step.inputs
    step.last("Mul", x, step.part("gate", "HardSigmoid", x, alpha=1 / 6, beta=0.5))


def _hard_sigmoid(step: Step) -> None:
    """`relu6(x + 3) * slope` ends at 6 slopes, ONNX's HardSigmoid at 1.

    The clip comes last because OpenVINO takes the literal form with a slope near 1/6, such as 0.16667, for HardSigmoid.
    """
    (x,) = step.inputs
    slope = cast(Fraction, step.attributes["slope"])
    if slope == Fraction(1, 6):
        step.last("HardSigmoid", x, alpha=float(slope), beta=0.5)
        return
    line = step.part("line", "Add", step.part("steep", "Mul", x, step.number(slope)), step.number(3 * slope))
    step.last("Clip", line, step.number(0), step.number(6 * slope))


def _gelu(step: Step) -> None:
    """By the error function, in the form that ONNX Runtime and OpenVINO know as one operator."""
    (x,) = step.inputs
    erf = step.part("erf", "Erf", step.part("scaled", "Div", x, step.number(math.sqrt(2))))
    double = step.part("double", "Mul", x, step.part("share", "Add", erf, step.number(1)))
    step.last("Mul", double, step.number(0.5))


def _power(step: Step) -> None:
    exponent = cast(Fraction, step.attributes["exponent"])
    if exponent in (-1, Fraction(1, 2)):
        step.last("Reciprocal" if exponent == -1 else "Sqrt", *step.inputs)
    else:
        step.last("Pow", *step.inputs, step.number(exponent))


def _with_scalar(operator: str) -> Rule:
    return lambda step: step.last(operator, *step.inputs, step.number(_real(step, "value")))


OPERATORS: Mapping[str, Rule] = {
    "conv": conv,
    "conv_transpose": conv_transpose,
    "linear": _linear,
    "channel_conv": _channel_conv,
    "flatten": lambda step: step.last("Flatten", *step.inputs, axis=1),
    "reshape": _reshape,
    "transpose": _transpose,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "relu": _plain("Relu"),
    "relu6": _relu6,
    "swish": _swish,
    "hard_swish": _hard_swish,
    "sigmoid": _plain("Sigmoid"),
    "hard_sigmoid": _hard_sigmoid,
    "gelu": _gelu,
    "identity": unchanged,
    "softmax": lambda step: step.last("Softmax", *step.inputs, axis=1),
    "add": _plain("Add"),
    "multiply": _plain("Mul"),
    "add_scalar": _with_scalar("Add"),
    "multiply_scalar": _with_scalar("Mul"),
    "divide": _plain("Div"),
    "maximum": _plain("Max"),
    "minimum": _plain("Min"),
    "maximum_scalar": _with_scalar("Max"),
    "minimum_scalar": _with_scalar("Min"),
    "power": _power,
    "exp": _plain("Exp"),
    "channel_mean": reduced("ReduceMean", 1),
    "channel_max": reduced("ReduceMax", 1),
    "channel_sum": reduced("ReduceSum", 1),
    "l2_normalise": _l2_normalise,
    "concat": _concat,
    "slice": _slice,
    "pad": _pad,
    "crop": _crop,
    "max_pool": max_pool,
    "average_pool": average_pool,
    "global_average_pool": pooled("ReduceMean", "GlobalAveragePool"),
    "global_max_pool": pooled("ReduceMax", "GlobalMaxPool"),
    "global_sum_pool": pooled("ReduceSum"),
    "adaptive_average_pool": adaptive_average_pool,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "upsample": upsample,
    "resize": resize,
    "resize_to_level": resize_to_level,
    "crop_to_level": crop_to_level,
    "parameter": _parameter,
    "constant": _constant,
    "dropout": unchanged,
    "stochastic_depth": unchanged,
}
