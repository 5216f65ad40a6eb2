"""The reference interpreter: runs a graph in NumPy, in code that can be checked against the definitions by reading.

In: a `Graph`, its parameters by canonical name, and a batch of images. Out: the feature map of every row, by row name.
It is a column of the primitive table: what an operation means is what this file does. Batch norm uses its running
statistics and stochastic depth does nothing, as in inference. Sizes come from the image, not from the types, so that it
runs every size that the network takes. Sums over many numbers are taken in float64, whatever type the maps have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops.graph import Graph
from spinedsl.ops.primitives import Attributes, pads
from spinedsl.ops.rearrange import SIDES
from spinedsl.ops.rules import SCALED, gain_factor, is_plain, window
from spinedsl.ops.types import Type, at_level

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]  # an operation's parameters by the last part of their names
Rule: TypeAlias = Callable[[Sequence[Array], Attributes, Arrays, Type], Array]  # the last: what comes out


def run(
    graph: Graph,
    weights: Mapping[str, Array],
    image: Array,
    *,
    dtype: type[np.float32 | np.float64] = np.float32,
) -> dict[str, Array]:
    """The value of every row. `image` has shape (batch, channels, height, width); maps are computed in `dtype`.

    A map is dropped after its last use, unless it is a row's.
    """
    values: dict[int, Array] = {0: image.astype(dtype)}
    kept = set(graph.rows.values())
    last = _last_uses(graph)
    for position, node in enumerate(graph.nodes):
        parameters = {last_part: weights[name].astype(dtype) for last_part, name in node.parameters.items()}
        inputs = [values[value] for value in node.inputs]
        result = RULES[node.primitive](inputs, node.attributes, parameters, graph.types[node.result])
        values[node.result] = result.astype(dtype, copy=False)
        for value in node.inputs:
            if last[value] == position and value not in kept:
                values.pop(value, None)
    return {row: values[value] for row, value in graph.rows.items()}


def _last_uses(graph: Graph) -> dict[int, int]:
    last: dict[int, int] = {}
    for position, node in enumerate(graph.nodes):
        for value in node.inputs:
            last[value] = position
    return last


def _real(attributes: Attributes, name: str) -> float:
    return float(cast(int, attributes[name]))


def _whole(attributes: Attributes, name: str) -> int:
    return cast(int, attributes[name])


# ---- windows ----


def _windows(x: Array, attributes: Attributes, outside: float) -> Iterator[tuple[int, int, Array]]:
    """For each position (i, j) of the kernel, the numbers it meets, for all positions of the window at once.

    `outside` is what the padding holds. Every array given is a view of shape (batch, channels, height out, width out).
    """
    sides = [window(attributes, axis) for axis in (0, 1)]
    (high, below, dilation, _), (wide, beside, *_) = sides
    around = [pads(*side, size) for side, size in zip(sides, x.shape[2:], strict=True)]
    padded = np.pad(x, ((0, 0), (0, 0), *around), constant_values=outside)
    for i in range(high):
        for j in range(wide):
            down, right = i * dilation, j * dilation
            ends = padded.shape[2] - (high - 1) * dilation + down, padded.shape[3] - (wide - 1) * dilation + right
            yield i, j, padded[:, :, down : ends[0] : below, right : ends[1] : beside]


def _conv(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Sum over kernel positions of a matrix product over the channels of each group."""
    (x,) = inputs
    groups, weight = _whole(attributes, "groups"), _kernel(attributes, parameters)
    channels, per_group = weight.shape[:2]
    weight = weight.reshape(groups, channels // groups, per_group, *weight.shape[2:])
    total: Array | float = 0.0
    for i, j, met in _windows(x, attributes, 0):
        batch, _, height, width = met.shape
        columns = met.reshape(batch, groups, per_group, height * width).astype(np.float64)
        total = total + weight[:, :, :, i, j] @ columns
    result = cast(Array, total).reshape(batch, channels, height, width)
    return result + _channelwise(parameters["bias"], result) if attributes["bias"] else result


def _kernel(attributes: Attributes, parameters: Arrays) -> Array:
    """The tensor `weight`, standardised over all that each output reads where the convolution says so."""
    weight = parameters["weight"].astype(np.float64)
    if is_plain(attributes):
        return weight
    kernel = _standardised(weight, (1, 2, 3), _real(attributes, "epsilon"))
    if attributes["weight"] != SCALED:
        return kernel
    return kernel * parameters["gain"].reshape(-1, 1, 1, 1) * gain_factor(attributes, weight.shape)


def _conv_transpose(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Every number spreads a kernel's worth over the result, of which half the overlap is cut off on each side."""
    (x,) = inputs
    kernel, stride, weight = _whole(attributes, "kernel"), _whole(attributes, "stride"), parameters["weight"]
    batch, _, height, width = x.shape
    cut = (kernel - stride) // 2
    whole = np.zeros((batch, weight.shape[1], (height - 1) * stride + kernel, (width - 1) * stride + kernel))
    columns = x.reshape(batch, x.shape[1], height * width).astype(np.float64)
    for i in range(kernel):
        for j in range(kernel):
            spread = weight[:, :, i, j].T.astype(np.float64) @ columns
            ends = i + (height - 1) * stride + 1, j + (width - 1) * stride + 1
            whole[:, :, i : ends[0] : stride, j : ends[1] : stride] += spread.reshape(batch, -1, height, width)
    result = whole[:, :, cut : cut + height * stride, cut : cut + width * stride]
    return result + _channelwise(parameters["bias"], result) if attributes["bias"] else result


def _channel_conv(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """One kernel along the channels of each position, with zeros beyond the first and the last."""
    (x,), kernel = inputs, parameters["weight"].reshape(-1)
    side = len(kernel) // 2
    wide = np.pad(x, [(0, 0), (side, side), *[(0, 0)] * (x.ndim - 2)])
    return cast(Array, sum(factor * wide[:, at : at + x.shape[1]] for at, factor in enumerate(kernel)))


def _linear(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    result = inputs[0].astype(np.float64) @ parameters["weight"].T.astype(np.float64)
    return result + parameters["bias"] if attributes["bias"] else cast(Array, result)


def _max_pool(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """The largest in each window; padding is never it."""
    result: Array | None = None
    for _, _, met in _windows(inputs[0], attributes, -math.inf):
        result = met if result is None else np.maximum(result, met)
    return cast(Array, result)


def _average_pool(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """The mean of each window over what lies inside the map; padding does not count."""
    (x,) = inputs
    total = sum(met for _, _, met in _windows(x.astype(np.float64), attributes, 0))
    counted = sum(met for _, _, met in _windows(np.ones((1, 1, *x.shape[2:])), attributes, 0))
    return cast(Array, total / counted)


_SIDES = {"both": (2, 3), "height": (2,), "width": (3,)}


def _global_average_pool(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    over = _SIDES[cast(str, attributes["over"])]
    return cast(Array, inputs[0].mean(over, dtype=np.float64, keepdims=True))


def _global_max_pool(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    return cast(Array, inputs[0].max(_SIDES[cast(str, attributes["over"])], keepdims=True))


def _global_sum_pool(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    over = _SIDES[cast(str, attributes["over"])]
    return cast(Array, inputs[0].sum(over, dtype=np.float64, keepdims=True))


def _adaptive_average_pool(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Position i of n is the mean from floor(i * size / n) to before ceil((i + 1) * size / n)."""
    x, count = inputs[0].astype(np.float64), _whole(attributes, "size")
    for axis in (2, 3):
        size = x.shape[axis]
        parts = [range(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        x = np.concatenate([x.take(part, axis=axis).mean(axis, keepdims=True) for part in parts], axis=axis)
    return x


def _pixel_shuffle(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Channel (c, i, j) of a position is channel c at row i and column j of its square."""
    (x,), factor = inputs, _whole(attributes, "factor")
    batch, _, height, width = x.shape
    apart = x.reshape(batch, gives.channels, factor, factor, height, width).transpose(0, 1, 4, 2, 5, 3)
    return apart.reshape(batch, gives.channels, height * factor, width * factor)


def _pixel_unshuffle(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """The other way round."""
    (x,), factor = inputs, _whole(attributes, "factor")
    batch, channels, height, width = x.shape
    apart = x.reshape(batch, channels, height // factor, factor, width // factor, factor).transpose(0, 1, 3, 5, 2, 4)
    return apart.reshape(batch, gives.channels, height // factor, width // factor)


def _power(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """In float64, since small numbers have large negative powers."""
    with np.errstate(all="ignore"):
        return np.power(inputs[0].astype(np.float64), _real(attributes, "exponent"))


def _exp(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.exp(x)


def _divide(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    with np.errstate(all="ignore"):
        return cast(Array, inputs[0] / inputs[1])


def _upsample(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """To 2^levels times the size."""
    times = 1 << _whole(attributes, "levels")
    return _resized(inputs[0], (inputs[0].shape[2] * times, inputs[0].shape[3] * times), attributes)


def _resized(x: Array, size: tuple[int, ...], attributes: Attributes) -> Array:
    """Position i of n takes from floor(i * in / n) of `in`, or, bilinear, from around (i + 1/2) * in / n - 1/2."""
    for axis, new in zip((2, 3), size, strict=True):
        old = x.shape[axis]
        if attributes["mode"] == "nearest":
            x = x.take(np.arange(new) * old // new, axis=axis)
            continue
        place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        below = np.floor(place).astype(int)
        shape = [-1 if other == axis else 1 for other in range(4)]
        share = (place - below).reshape(shape)
        x = x.take(below, axis=axis) * (1 - share) + x.take(np.minimum(below + 1, old - 1), axis=axis) * share
    return x


def _at_level(image: Array, attributes: Attributes) -> tuple[int, ...]:
    """Height and width of a level's maps."""
    return tuple(at_level(size, _whole(attributes, "level")) for size in image.shape[2:])


def _crop_to_level(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """What reaches beyond the level's size is cut off."""
    x, image = inputs
    height, width = _at_level(image, attributes)
    return x[:, :, :height, :width]


def _slice(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    start = _whole(attributes, "start")
    return inputs[0][:, start : start + _whole(attributes, "channels")]


def _pad(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    top, bottom, left, right = (_whole(attributes, side) for side in SIDES)
    around = ((0, 0), (0, 0), (top, bottom), (left, right))
    if attributes["mode"] == "constant":
        return np.pad(inputs[0], around, constant_values=_real(attributes, "value"))
    return np.pad(inputs[0], around, mode="reflect" if attributes["mode"] == "reflect" else "edge")


def _crop(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    (x,) = inputs
    top, bottom, left, right = (_whole(attributes, side) for side in SIDES)
    return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def _reshape(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """The channels along other axes; the positions are those of the last input, and come last."""
    positions = () if gives.is_vector else inputs[-1].shape[-2:]
    return inputs[0].reshape(inputs[0].shape[0], *(gives.axes or (gives.channels,)), *positions)


def _transpose(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Two axes change places; the batch is none of them."""
    return np.swapaxes(inputs[0], _whole(attributes, "first") + 1, _whole(attributes, "second") + 1)


def _concat(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Along the channels. What does not depend on the input is the same for every image."""
    batch = max(x.shape[0] for x in inputs)
    return np.concatenate([np.broadcast_to(x, (batch, *x.shape[1:])) for x in inputs], axis=1)


def _constant(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Numbers of float32, as parameters are."""
    values = [float(value) for value in cast("tuple[Fraction, ...]", attributes["values"])]
    return np.array(values, np.float32).reshape(1, -1, 1, 1)


def _l2_normalise(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Length 1 over the channels at each position."""
    x = inputs[0].astype(np.float64)
    return cast(Array, x / np.maximum(np.sqrt(np.square(x).sum(1, keepdims=True)), _real(attributes, "epsilon")))


# ---- normalisation ----


def _channelwise(parameter: Array, like: Array) -> Array:
    """A number for each channel, in the shape that meets maps, (batch, channels, height, width), or vectors."""
    return parameter.reshape(1, -1, *[1] * (like.ndim - 2))


def _standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """Mean 0 and variance 1 over `axes`."""
    wide = x.astype(np.float64)
    mean = wide.mean(axes, keepdims=True)
    variance = np.square(wide - mean).mean(axes, keepdims=True)
    return cast(Array, (wide - mean) / np.sqrt(variance + epsilon))


def _affine(x: Array, parameters: Arrays) -> Array:
    return x * _channelwise(parameters["weight"], x) + _channelwise(parameters["bias"], x)


def _batch_norm(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    mean, variance = (_channelwise(parameters[f"running_{name}"], inputs[0]) for name in ("mean", "var"))
    return _affine((inputs[0] - mean) / np.sqrt(variance + _real(attributes, "epsilon")), parameters)


def _layer_norm(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Over the channels at each position."""
    return _affine(_standardised(inputs[0], (1,), _real(attributes, "epsilon")), parameters)


def _group_norm(inputs: Sequence[Array], attributes: Attributes, parameters: Arrays, gives: Type) -> Array:
    """Over the channels of each group and all positions."""
    (x,) = inputs
    grouped = x.reshape(len(x), _whole(attributes, "groups"), -1)
    return _affine(_standardised(grouped, (2,), _real(attributes, "epsilon")).reshape(x.shape), parameters)


# ---- one number at a time ----


def _relu6(x: Array) -> Array:
    return np.minimum(np.maximum(x, 0), 6)


def _sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), without a large power for any x."""
    power = np.exp(-np.abs(x))
    return cast(Array, np.where(x >= 0, 1, power) / (1 + power))


def _softmax(x: Array) -> Array:
    """Over the channels; the largest is taken away first, so that no power is large."""
    power = np.exp(x - x.max(1, keepdims=True))
    return cast(Array, power / power.sum(1, keepdims=True))


_error_function = np.vectorize(math.erf, otypes=[np.float64])


def _gelu(x: Array) -> Array:
    """Multiply by the share of the normal distribution below x."""
    return cast(Array, x * 0.5 * (1 + _error_function(x / math.sqrt(2))))


def _each(function: Callable[[Array], Array]) -> Rule:
    """The rule of an operation without attributes or parameters."""
    return lambda inputs, attributes, parameters, gives: function(inputs[0])


RULES: Mapping[str, Rule] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "linear": _linear,
    "channel_conv": _channel_conv,
    "flatten": _each(lambda x: x.reshape(x.shape[0], -1)),
    "reshape": _reshape,
    "transpose": _transpose,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "relu": _each(lambda x: np.maximum(x, 0)),
    "relu6": _each(_relu6),
    "swish": _each(lambda x: x * _sigmoid(x)),
    "hard_swish": _each(lambda x: x * _relu6(x + 3) / 6),
    "sigmoid": _each(_sigmoid),
    "hard_sigmoid": lambda inputs, attributes, parameters, gives: _relu6(inputs[0] + 3) * _real(attributes, "slope"),
    "gelu": _each(_gelu),
    "identity": _each(lambda x: x),
    "softmax": _each(_softmax),
    "add": lambda inputs, attributes, parameters, gives: inputs[0] + inputs[1],
    "multiply": lambda inputs, attributes, parameters, gives: inputs[0] * inputs[1],
    "add_scalar": lambda inputs, attributes, parameters, gives: inputs[0] + _real(attributes, "value"),
    "multiply_scalar": lambda inputs, attributes, parameters, gives: inputs[0] * _real(attributes, "value"),
    "divide": _divide,
    "maximum": lambda inputs, attributes, parameters, gives: np.maximum(inputs[0], inputs[1]),
    "minimum": lambda inputs, attributes, parameters, gives: np.minimum(inputs[0], inputs[1]),
    "maximum_scalar": lambda inputs, attributes, parameters, gives: np.maximum(inputs[0], _real(attributes, "value")),
    "minimum_scalar": lambda inputs, attributes, parameters, gives: np.minimum(inputs[0], _real(attributes, "value")),
    "power": _power,
    "exp": _each(_exp),
    "channel_mean": _each(lambda x: x.mean(1, dtype=np.float64, keepdims=True)),
    "channel_max": _each(lambda x: x.max(1, keepdims=True)),
    "channel_sum": _each(lambda x: x.sum(1, dtype=np.float64, keepdims=True)),
    "l2_normalise": _l2_normalise,
    "concat": _concat,
    "slice": _slice,
    "pad": _pad,
    "crop": _crop,
    "max_pool": _max_pool,
    "average_pool": _average_pool,
    "global_average_pool": _global_average_pool,
    "global_max_pool": _global_max_pool,
    "global_sum_pool": _global_sum_pool,
    "adaptive_average_pool": _adaptive_average_pool,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "upsample": _upsample,
    "resize": lambda inputs, attributes, parameters, gives: _resized(inputs[0], inputs[1].shape[2:], attributes),
    "resize_to_level": lambda inputs, attributes, parameters, gives: _resized(
        inputs[0], _at_level(inputs[1], attributes), attributes
    ),
    "crop_to_level": _crop_to_level,
    "parameter": lambda inputs, attributes, parameters, gives: parameters["weight"][None],
    "constant": _constant,
    "dropout": _each(lambda x: x),
    "stochastic_depth": _each(lambda x: x),
}
