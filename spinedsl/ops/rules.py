"""Rules of the primitive table: what shape comes out, which tensors an operation has, and what it costs.

In: the types of the inputs and the attributes. Out: the type of the result or a `Problem` in words; `Parameter`s; a
number of multiply-adds. `primitives` puts them into rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod, sqrt
from typing import TypeAlias, cast

from spinedsl.ops.types import Type, Value, at_level, by, vector
from spinedsl.record import Record, replace

Attributes: TypeAlias = Mapping[str, Value]


class Problem(Record):
    """Why a shape rule refuses, in words, and which input or attribute is to blame."""

    text: str
    size: tuple[int, int] | None = None  # the size that came out, where it is the size that does not fit
    culprit: Type | None = None  # an input that is of another kind than the operation takes, where that is it
    fix: str = ""  # what to do about it, where something can be done
    otherwise: Type | None = None  # what comes out where a network takes one size, and its maps need not fit levels


class Initial(Record):
    """How a parameter starts: `constant` (value), or `truncated_normal` or `uniform` of variance `value` / `fan`."""

    how: str
    value: Fraction | int
    fan: int = 1


class Parameter(Record):
    """A tensor that belongs to an operation: `name` is the last part of its canonical name."""

    name: str
    shape: tuple[int, ...]
    initial: Initial
    trainable: bool = True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


# ---- shape rules ----


WHOLE = 0, 0  # what a map exceeds its level's size by, usually
RESIZE = "give it the size of another map first: `resize(x, like = …)`"
FLATTEN = "flatten both of them, or neither"
SPREADS = "`+` and `*` spread it over a map of that size by themselves"
ALIKE = "bring them to one size first, by `pad`, `crop` or `resize`"
# What the kernel of a convolution is: its tensor `weight`; that with mean 0 and variance 1 for each output (Qiao et al.
# 2019); or that times a trainable `gain` and gamma / sqrt(fan_in) (Brock et al. 2021).
PLAIN, STANDARDISED, SCALED = KERNELS = ("plain", "standardised", "scaled")


def _number(attributes: Attributes, name: str) -> int:
    return cast(int, attributes[name])


def in_axes(x: Type) -> str:
    """How the channels stand: `64`, or `2x32` where they are laid out."""
    return by(x.axes or (x.channels,))


def pads(kernel: int, stride: int, dilation: int, padding: Value, size: int = 0) -> tuple[int, int]:
    """Padding before and after an axis of `size`; 0 stands for every size that the stride divides.

    `same` pads as TensorFlow does, so that size / stride comes out, rounded up; `symmetric` half the kernel a side.
    """
    reach = (kernel - 1) * dilation + 1
    if padding == "same":
        total = max(reach - stride + -size % stride, 0)
        return total // 2, total - total // 2
    if padding == "symmetric":
        return (reach - 1) // 2, (reach - 1) // 2
    return cast(int, padding), cast(int, padding)


def along(value: Value, axis: int) -> Value:
    """What is given for both sides alike, or of a pair that of the height (0) or the width (1)."""
    return value[axis] if isinstance(value, tuple) else value


def kernel_of(attributes: Attributes) -> tuple[int, int]:
    """Height and width of a kernel."""
    return cast("tuple[int, int]", tuple(along(attributes["kernel"], axis) for axis in (0, 1)))


def window(attributes: Attributes, axis: int) -> tuple[int, int, int, Value]:
    """Kernel, stride, dilation and padding of a window along the height (0) or the width (1)."""
    kernel, stride, padding = (along(attributes[name], axis) for name in ("kernel", "stride", "padding"))
    return cast(int, kernel), cast(int, stride), cast(int, attributes.get("dilation", 1)), padding


def oblong(attributes: Attributes) -> bool:
    """The kernel, the stride or the padding of a window is another along the width."""
    return any(isinstance(attributes.get(name), tuple) for name in ("kernel", "stride", "padding"))


def _window(x: Type, channels: int, attributes: Attributes) -> Type | Problem:
    """Result of sliding a window: the size divided by the stride and rounded up, the level up by its logarithm."""
    high = window(attributes, 0)
    square = not oblong(attributes)
    sides = (high, high if square else window(attributes, 1))
    around = (above := pads(*high), above if square else pads(*sides[1]))
    reaches = [(kernel - 1) * dilation + 1 for kernel, _, dilation, _ in sides]
    down, right = high[1], sides[1][1]
    if x.is_pooled:
        return _pooled_window(x, channels, attributes, around, reaches)
    if x.over:
        return _strip_window(x, channels, attributes, around, reaches)
    same = attributes["padding"] == "same"
    if same:
        height, width = -(-x.height // down), -(-x.width // right)
    else:
        height = (x.height + sum(around[0]) - reaches[0]) // down + 1
        width = (x.width + sum(around[1]) - reaches[1]) // right + 1
    whole = -(-(x.height - x.extra[0]) // down), -(-(x.width - x.extra[1]) // right)
    if height < 1 or width < 1:
        kernel = by(attributes["kernel"])
        problem = f"kernel {kernel} and padding {_around(around)} leave nothing of {x.size}"
        return Problem(problem, fix="take a smaller kernel, or crop less")
    extra = height - whole[0], width - whole[1]
    lines, columns = x.strides
    level, stride = stands_at(lines * down, columns * right)
    result = Type(channels, height, width, level, stride=stride, extra=extra)
    if same and x.extra != WHOLE and (x.extra[0] % down or x.extra[1] % right):
        problem = f"`padding = same` for a stride of {by(attributes['stride'])}, which does not divide {x.size}"
        fix = "give the padding as a number: `padding = 0` takes what `pad` put around"
        return Problem(problem, fix=fix, otherwise=result)
    if x.extra == WHOLE and extra != WHOLE:
        return Problem(_in_words(attributes, around), (height, width), otherwise=result)
    return result


def stands_at(lines: int, columns: int) -> tuple[int | None, int | tuple[int, int]]:
    """Level and `Type.stride` of a map, by how many of the input's rows and columns lie between its positions."""
    if lines != columns:
        return None, (lines, columns)
    return (None, lines) if lines & (lines - 1) else (lines.bit_length() - 1, 0)


def no_level(x: Type) -> str:
    """Where a map stands that has no level, or one of two strides, in words."""
    return f"stride {by(x.stride)}" if x.stride and not x.over else x.where


def of_one_size(result: Type | Problem) -> Type | Problem:
    """What comes out where the input has one size: maps of another size than their level, and of two strides.

    A map of two strides, powers of two, then has the level of the larger.
    """
    if isinstance(result, Problem):
        return of_one_size(result.otherwise) if result.otherwise is not None else result
    if result.level is None and isinstance(result.stride, tuple) and not result.over:
        coarser = max(result.stride)
        if not any(stride & (stride - 1) for stride in result.stride):
            return replace(result, level=coarser.bit_length() - 1)
    return result


def _pooled_window(
    x: Type, channels: int, attributes: Attributes, around: Sequence[tuple[int, int]], reaches: Sequence[int]
) -> Type | Problem:
    """On a map of a size of its own: 1x1 stays so, another becomes what the window makes of it."""
    strides = [window(attributes, axis)[1] for axis in (0, 1)]
    height, width = (
        (size + sum(both) - reach) // stride + 1
        for size, both, reach, stride in zip((x.height, x.width), around, reaches, strides, strict=True)
    )
    one = (x.height, x.width) == (1, 1)
    if one and (height, width) != (1, 1):
        return Problem(f"{_in_words(attributes, around)} make {height}x{width} of a pooled map")
    if attributes["padding"] == "same" and not one and (x.height % strides[0] or x.width % strides[1]):
        problem = f"`padding = same` for a stride of {by(attributes['stride'])}, which does not divide {x.size}"
        return Problem(problem, fix="give the padding as a number")
    if height < 1 or width < 1:
        return Problem(f"{_in_words(attributes, around)} leave nothing of {x.size}", fix="take a smaller kernel")
    return Type(channels, height, width, None)


def _strip_window(
    x: Type, channels: int, attributes: Attributes, around: Sequence[tuple[int, int]], reaches: Sequence[int]
) -> Type | Problem:
    """On a map pooled over one side: it keeps the size that it has."""
    height, width = (
        size + sum(both) - reach + 1 for size, both, reach in zip((x.height, x.width), around, reaches, strict=True)
    )
    if attributes["stride"] != 1:
        problem = f"a stride of {by(attributes['stride'])} of a map pooled over its {x.over}"
        return Problem(problem, fix="take the stride before the map is pooled")
    if (height, width) != (x.height, x.width):
        made = f"make {height}x{width}" if min(height, width) > 0 else "leave nothing"
        problem = f"{_in_words(attributes, around)} {made} of {x.size}, a map pooled over its {x.over}"
        return Problem(problem, fix="let it keep the size: `padding = same`")
    return replace(x, channels=channels)


def _around(around: Sequence[tuple[int, int]]) -> str:
    return " by ".join(dict.fromkeys(f"{before}+{after}" for before, after in around))


def _in_words(attributes: Attributes, around: Sequence[tuple[int, int]]) -> str:
    kernel, stride = by(attributes["kernel"]), by(attributes["stride"])
    return f"kernel {kernel}, stride {stride} and padding {_around(around)}"


def uneven_stride(attributes: Attributes) -> Problem | None:
    """Why a window cannot stand where sizes divide: its stride is no power of two."""
    stride = attributes.get("stride", 1)
    if not any(side & (side - 1) for side in (cast(int, along(stride, axis)) for axis in (0, 1))):
        return None
    return Problem(f"a stride is a power of two, so that levels stay whole; got {by(stride)}")


def size_not_kept(attributes: Attributes, extra: int = 0, axis: int = 0) -> tuple[int, int, int] | None:
    """A height (or a width) of which a window does not make size / stride, rounded up; what it makes and should.

    Of a map that exceeds its level's size by `extra`, what it makes may exceed that too, but always by as much.
    """
    kernel, stride, dilation, padding = window(attributes, axis)
    reach = (kernel - 1) * dilation + 1

    def given(size: int) -> int:
        both = sum(pads(kernel, stride, dilation, padding, size + extra))
        return max((size + extra + both - reach) // stride + 1, 0)

    large = (reach + abs(extra)) * stride
    more = given(large) - large // stride if extra else 0
    for size in (*range(reach, reach + stride), *range(1, reach)):  # all remainders, best without what is too small
        if given(size) != -(-size // stride) + more and size + extra > 0:
            return size, given(size), -(-size // stride) + more
    return None


def is_plain(attributes: Attributes) -> bool:
    """The kernel of a convolution is its tensor `weight` itself."""
    return attributes.get("weight", PLAIN) == PLAIN


def gain_factor(attributes: Attributes, weight: Sequence[int]) -> float:
    """What a scaled kernel, whose tensor `weight` has that shape, is multiplied by beside its `gain`."""
    return float(cast(Fraction, attributes["gamma"])) / sqrt(prod(weight[1:]))


def convolution(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Groups divide both sides; then as any window. What is standardised has more numbers than one."""
    groups, channels = _number(attributes, "groups"), _number(attributes, "channels")
    if types[0].channels % groups:
        return Problem(f"{groups} groups do not divide {types[0].channels} input channels")
    if channels % groups:
        return Problem(f"{groups} groups do not divide {channels} output channels")
    if not is_plain(attributes) and types[0].channels == groups and kernel_of(attributes) == (1, 1):
        problem = "a standardised kernel of one number for each output, which is always 0"
        return Problem(problem, fix="take a larger kernel, fewer groups or `weight = plain`")
    return _window(types[0], channels, attributes)


def pool(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """As any window, each channel by itself."""
    return _window(types[0], types[0].channels, attributes)


def same(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """What comes in."""
    return types[0]


def elementwise(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Equal shapes, or a map pooled to 1x1, or one channel, spread over the other. So does an axis of 1."""
    left, right = types
    if left.rank != right.rank:
        return Problem("a feature map and a vector", fix=FLATTEN)
    if left.axes or right.axes:
        if len(left.axes) != len(right.axes) or any(
            a != b and 1 not in (a, b) for a, b in zip(left.axes, right.axes, strict=True)
        ):
            problem = " and ".join(f"{in_axes(x)} channels" for x in types)
            return Problem(problem, fix="lay both out alike; an axis of 1 spreads over the other")
        axes = tuple(map(max, left.axes, right.axes))
        spread = [replace(x, axes=(), channels=prod(axes)) for x in types]
        result = elementwise(spread, attributes)
        return replace(result, axes=axes) if isinstance(result, Type) else result
    if left.is_vector:
        return left if left.channels == right.channels else Problem(f"{left.channels} and {right.channels} numbers")
    if left.over or right.over:
        return _strips(left, right)
    if left.is_pooled:
        left, right = right, left
    if left.channels != right.channels and 1 not in (left.channels, right.channels):
        return Problem(f"{types[0].channels} channels and {types[1].channels} channels")
    if not right.is_pooled and (left.level, left.stride) != (right.level, right.stride):
        return Problem(f"{types[0].where} and {types[1].where}")
    if right.is_pooled and not left.is_pooled and (right.height, right.width) != (1, 1):
        return Problem(f"{types[0].size} and {types[1].size}", fix=RESIZE)
    if not right.is_pooled and left.extra != right.extra:
        return Problem(f"{types[0].size} and {types[1].size}", fix=ALIKE)
    if (right.height, right.width) not in ((1, 1), (left.height, left.width)) and (left.height, left.width) != (1, 1):
        return Problem(f"{types[0].size} and {types[1].size}")
    channels = max(left.channels, right.channels)
    height, width = max(left.height, right.height), max(left.width, right.width)
    return Type(channels, height, width, left.level, stride=left.stride, extra=left.extra)


def _strips(left: Type, right: Type) -> Type | Problem:
    """Two maps, one of them at least pooled over one side, along which it spreads over the other."""
    if left.channels != right.channels and 1 not in (left.channels, right.channels):
        return Problem(f"{left.channels} channels and {right.channels} channels")
    steps = [_steps(left), _steps(right)]
    sides = ((left.height, right.height), (left.width, right.width))
    for (first, second), pair, extra in zip(
        zip(*steps, strict=True), sides, zip(left.extra, right.extra, strict=True), strict=True
    ):
        if first and second and first != second:
            return Problem(f"{left.where} and {right.where}", fix="pool maps of one size")
        if (first and second and extra[0] != extra[1]) or (1 not in pair and pair[0] != pair[1]):
            return Problem(f"{left.size} and {right.size}", fix="pool maps of one size")
    lines, columns = (max(pair) for pair in zip(*steps, strict=True))
    level, stride = stands_at(lines, columns)
    (height, width), channels = (max(pair) for pair in sides), max(left.channels, right.channels)
    extra = left.extra[0] or right.extra[0], left.extra[1] or right.extra[1]
    return Type(channels, height, width, level, stride=stride, extra=extra)


def _steps(x: Type) -> tuple[int, int]:
    """Its strides, of what is pooled 0."""
    if x.is_pooled:
        return 0, 0
    return x.stride if isinstance(x.stride, tuple) else x.strides


def concatenate(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Equal places, channels one after another."""
    first = types[0]
    if first.is_vector and all(other.is_vector for other in types):
        return vector(sum(x.channels for x in types))
    for other in types[1:]:
        if other.rank != first.rank:
            return Problem("feature maps and vectors", fix=FLATTEN)
        if (other.level, other.stride) != (first.level, first.stride):
            return Problem(f"{first.where} and {other.where}")
        if (other.height, other.width) != (first.height, first.width):
            return Problem(f"{first.size} and {other.size}", fix=ALIKE)
    return replace(first, channels=sum(x.channels for x in types))


def upsample(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """The size times 2^levels, that many levels down."""
    x, levels = types[0], _number(attributes, "levels")
    if x.level is None or x.stride:
        return Problem(f"a map that is {no_level(x)} has no level to go down from", fix=RESIZE)
    if levels > x.level:
        return Problem(f"a map of level {x.level} cannot go down {levels} levels")
    return _magnified(x, x.channels, levels, x.level)


def resize(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """The size and level of the other map.

    Engines round the positions of `nearest` in float32, which is exact only for a ratio that is a power of two.
    """
    x, like = types
    strip = next((type_ for type_ in types if type_.over), None)
    if strip is not None:
        return Problem(f"a map pooled over its {strip.over}", fix=SPREADS)
    pooled = [type_.size for type_ in types if type_.is_pooled and (type_.height, type_.width) != (1, 1)]
    if attributes["mode"] == "nearest" and pooled and x.size != like.size:
        problem = f"`mode = nearest` from {x.size} to {like.size}, of which one is pooled"
        return Problem(problem, fix="say `mode = bilinear`")
    placed = all(type_.level is not None or isinstance(type_.stride, tuple) for type_ in types)
    if attributes["mode"] == "nearest" and placed:
        x_at, like_at = ([extra * step for extra, step in zip(one.extra, one.strides, strict=True)] for one in types)
        if x_at != like_at:
            problem = f"`mode = nearest` from {x.size} to {like.size}, whose ratio is no power of two"
            return Problem(problem, fix="say `mode = bilinear`, or `crop` and `pad` both alike")
    return replace(like, channels=x.channels)


def to_level(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """The size that the maps of a level have, for the network's input, which is the second map."""
    (x, image), level = types, _number(attributes, "level")
    if x.over:
        return Problem(f"a map pooled over its {x.over}", fix=SPREADS)
    return Type(x.channels, at_level(image.height, level), at_level(image.width, level), level)


def transposed(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """The size times the stride, the level down by its logarithm."""
    x = types[0]
    kernel, stride = _number(attributes, "kernel"), _number(attributes, "stride")
    if stride & (stride - 1):
        return Problem(f"a stride is a power of two, so that levels stay whole; got {stride}")
    if kernel < stride or (kernel - stride) % 2:
        problem = f"a kernel of {kernel} for a stride of {stride}: it is the stride plus an even number"
        return Problem(problem, fix=f"take `kernel = {max(kernel + 1, stride)}`")
    levels = stride.bit_length() - 1
    if x.level is None or x.stride:
        return Problem(f"a map that is {no_level(x)} has no level to go down from", fix=RESIZE)
    if levels > x.level:
        fix = f"a stride of at most {1 << x.level}"
        return Problem(f"a map of level {x.level} cannot go down {levels} levels", fix=fix)
    return _magnified(x, _number(attributes, "channels"), levels, x.level)


def _magnified(x: Type, channels: int, levels: int, level: int) -> Type:
    """2^levels times the size, `levels` down from `level`."""
    extra = x.extra[0] << levels, x.extra[1] << levels
    return Type(channels, x.height << levels, x.width << levels, level - levels, extra=extra)


def linear(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """As many numbers as it says."""
    return vector(_number(attributes, "features"))


def along_channels(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """What comes in: a kernel of an odd length has a middle."""
    kernel = _number(attributes, "kernel")
    if kernel % 2 == 0:
        return Problem(f"a kernel of {kernel} along the channels has no middle", fix=f"take `kernel = {kernel + 1}`")
    return types[0]


def pooled(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """One number for each channel; over one side alone, one for each row or column of it."""
    x, over = types[0], attributes["over"]
    if over == "both" or x.over not in ("", over):
        return Type(x.channels, 1, 1, None)
    if x.is_pooled or x.over:
        how = f"over its {x.over}" if x.over else f"to {x.size}"
        return Problem(f"a map pooled {how} already", fix="do it before the map is pooled")
    lines, columns = x.strides
    if over == "width":
        return replace(x, width=1, level=None, stride=(lines, 0), extra=(x.extra[0], 0))
    return replace(x, height=1, level=None, stride=(0, columns), extra=(0, x.extra[1]))


def group_norm_shape(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Groups divide the channels; of a vector, each has more numbers than one."""
    (x,), groups = types, _number(attributes, "groups")
    if x.channels % groups:
        return Problem(f"{groups} groups do not divide {x.channels} channels")
    if x.is_vector and x.channels == groups:
        return Problem(f"{groups} groups of one number, which is always 0 after it", fix="take fewer groups")
    return x


def trainable(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """A map of 1x1, or of the size and level of another one."""
    channels = _number(attributes, "channels")
    return replace(types[0], channels=channels) if types else Type(channels, 1, 1, None)


def constant(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """A map of 1x1: each number is a channel."""
    return Type(len(cast("tuple[Value, ...]", attributes["values"])), 1, 1, None)


# ---- parameters and costs ----


def _spread(attributes: Attributes, fan_in: int, fan_out: int) -> Initial:
    how, scale = cast(str, attributes["init"]), cast(Fraction, attributes["init_scale"])
    if how == "zeros":
        return Initial("constant", 0)
    return Initial(how, scale, fan_in if attributes["init_fan"] == "fan_in" else fan_out)


def convolution_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """Kernels by output channel, and perhaps a bias and a gain."""
    groups, channels = (_number(attributes, name) for name in ("groups", "channels"))
    per_group, (high, wide) = types[0].channels // groups, kernel_of(attributes)
    initial = _spread(attributes, per_group * high * wide, channels // groups * high * wide)
    weight = Parameter("weight", (channels, per_group, high, wide), initial)
    return (weight, *_bias(channels, attributes), *_gain(channels, attributes))


def _gain(channels: int, attributes: Attributes) -> tuple[Parameter, ...]:
    start = Initial("constant", cast(Fraction, attributes["gain_init"]))
    return (Parameter("gain", (channels,), start),) if attributes["weight"] == SCALED else ()


def _bias(channels: int, attributes: Attributes) -> tuple[Parameter, ...]:
    start = Initial("constant", cast(Fraction, attributes["bias_init"]))
    return (Parameter("bias", (channels,), start),) if attributes["bias"] else ()


def convolution_cost(types: Sequence[Type], attributes: Attributes, result: Type) -> int:
    """A kernel for each number that comes out."""
    groups, (high, wide) = _number(attributes, "groups"), kernel_of(attributes)
    return result.height * result.width * result.channels * (types[0].channels // groups) * high * wide


def transposed_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """Inputs first, as PyTorch and ONNX have it; a result is reached by one in stride x stride of the kernel."""
    kernel, stride, channels = (_number(attributes, name) for name in ("kernel", "stride", "channels"))
    inputs, window = types[0].channels, kernel * kernel
    reached = inputs * window // (stride * stride)
    weight = Parameter("weight", (inputs, channels, kernel, kernel), _spread(attributes, reached, channels * window))
    return (weight, *_bias(channels, attributes))


def transposed_cost(types: Sequence[Type], attributes: Attributes, result: Type) -> int:
    """A kernel for each number that goes in."""
    x, kernel = types[0], _number(attributes, "kernel")
    return x.height * x.width * x.channels * result.channels * kernel * kernel


def linear_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """A row for each number that comes out, and perhaps a bias."""
    inputs, features = types[0].channels, _number(attributes, "features")
    weight = Parameter("weight", (features, inputs), _spread(attributes, inputs, features))
    return (weight, *_bias(features, attributes))


def linear_cost(types: Sequence[Type], attributes: Attributes, result: Type) -> int:
    """Every pair once."""
    return types[0].channels * result.channels


def along_channels_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """One kernel, in the shape that PyTorch and ONNX have for a convolution of one axis."""
    kernel = _number(attributes, "kernel")
    return (Parameter("weight", (1, 1, kernel), _spread({**attributes, "init_fan": "fan_in"}, kernel, 0)),)


def along_channels_cost(types: Sequence[Type], attributes: Attributes, result: Type) -> int:
    """The kernel for each number that comes out."""
    return prod(result.shape) * _number(attributes, "kernel")


def batch_norm_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """Scale and shift, and what training tracks."""
    shape = (types[0].channels,)
    return (
        Parameter("weight", shape, Initial("constant", cast(Fraction, attributes["scale_init"]))),
        Parameter("bias", shape, Initial("constant", 0)),
        Parameter("running_mean", shape, Initial("constant", 0), trainable=False),
        Parameter("running_var", shape, Initial("constant", 1), trainable=False),
    )


def affine_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """Scale and shift."""
    return batch_norm_parameters(types, {"scale_init": 1})[:2]


def trainable_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """One number for each channel, or for each position of it."""
    height, width = (types[0].height, types[0].width) if types else (1, 1)
    start, scale = attributes["init"], cast(Fraction, attributes["init_scale"])
    initial = Initial(start, scale) if isinstance(start, str) else Initial("constant", cast(Fraction, start))
    return (Parameter("weight", (_number(attributes, "channels"), height, width), initial),)
