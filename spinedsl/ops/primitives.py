"""The closed set of primitive operations: one row each, with attributes, shape rule, parameters and multiply-adds.

In: the types of the inputs and the attributes, checked and with defaults filled in. Out: the type of the result, or a
`Problem` in words. The NumPy interpreter (`interpret`) and every backend are further columns of this table, keyed by
the same names; a test asks each of them for every primitive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from typing import TypeAlias, cast

from spinedsl.ops.types import Type, Value, vector

Attributes: TypeAlias = Mapping[str, Value]


class Kind(Enum):
    """What an attribute holds, in the words a message uses."""

    CHANNELS = "a number of channels"  # floored where it is bound, then at least 1
    COUNT = "a positive whole number"
    WHOLE = "a whole number, 0 or more"
    POSITION = "a position, from 0 on"
    RATIO = "a number"
    SHARE = "a share from 0 to 1"
    POSITIVE = "a number above 0"
    FLAG = "`true` or `false`"
    CHOICE = "one of its choices"
    PADDING = "`same`, `symmetric` or a whole number"


@dataclass(frozen=True)
class Attribute:
    """An attribute with its default; `required` ones have none."""

    name: str
    kind: Kind
    default: Value = 0
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Why a shape rule refuses, in words, and which input or attribute is to blame."""

    text: str
    size: tuple[int, int] | None = None  # the size that came out, where it is the size that does not fit
    rank: int | None = None  # the rank of an input that has to have another, where that is it


@dataclass(frozen=True, slots=True)
class Initial:
    """How a parameter starts: `constant` (value), or `truncated_normal` or `uniform` of variance `value` / `fan`."""

    how: str
    value: Fraction | int
    fan: int = 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor that belongs to an operation: `name` is the last part of its canonical name."""

    name: str
    shape: tuple[int, ...]
    initial: Initial
    trainable: bool = True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for size in self.shape:
            count *= size
        return count


ShapeRule: TypeAlias = Callable[[Sequence[Type], Attributes], "Type | Problem"]
ParameterRule: TypeAlias = Callable[[Sequence[Type], Attributes], tuple[Parameter, ...]]
CostRule: TypeAlias = Callable[[Sequence[Type], Attributes, Type], int]


def _none(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """No parameters."""
    return ()


MAPS, VECTORS = (4,), (2,)
EITHER = MAPS + VECTORS


@dataclass(frozen=True)
class Primitive:
    """A row of the table. `most` None means any number of inputs from `least` up; `ranks` are those that it takes."""

    name: str
    rule: ShapeRule
    attributes: tuple[Attribute, ...] = ()
    least: int = 1
    most: int | None = 1
    parameters: ParameterRule = _none
    multiply_adds: CostRule = field(default=lambda types, attributes, result: 0)
    callable: bool = True  # False: written as an operator, as `a + b`
    activation: bool = False
    ranks: tuple[int, ...] = MAPS
    inputs: tuple[str, ...] = ("x",)  # how a call names them
    fixes_size: bool = False  # what it makes of a map with a level depends on the map's size

    @property
    def has_weights(self) -> bool:
        """It has parameters, whatever it is applied to."""
        return self.parameters is not _none

    def shape(self, types: Sequence[Type], attributes: Attributes) -> Type | Problem:
        """The type of the result, or why there is none."""
        for x in types:
            if x.rank not in self.ranks:
                wanted = "vectors" if self.ranks == VECTORS else "feature maps"
                return Problem(f"it takes {wanted}", rank=x.rank)
        return self.rule(types, attributes)

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


# ---- shape rules ----


def _number(attributes: Attributes, name: str) -> int:
    return cast(int, attributes[name])


def pads(kernel: int, stride: int, dilation: int, padding: Value) -> tuple[int, int]:
    """Padding before and after each axis.

    `same` pads as TensorFlow does where the stride divides the size; `symmetric` half the kernel on each side.
    """
    reach = (kernel - 1) * dilation + 1
    if padding == "same":
        total = max(reach - stride, 0)
        return total // 2, total - total // 2
    if padding == "symmetric":
        return (reach - 1) // 2, (reach - 1) // 2
    return cast(int, padding), cast(int, padding)


def _window(x: Type, channels: int, attributes: Attributes) -> Type | Problem:
    """Result of sliding a window: the size divided by the stride, the level up by its logarithm."""
    kernel, stride = _number(attributes, "kernel"), _number(attributes, "stride")
    dilation = cast(int, attributes.get("dilation", 1))
    if stride & (stride - 1):
        return Problem(f"a stride is a power of two, so that levels stay whole; got {stride}")
    before, after = pads(kernel, stride, dilation, attributes["padding"])
    reach = (kernel - 1) * dilation + 1
    out = [(size + before + after - reach) // stride + 1 for size in (x.height, x.width)]
    expected = [size // stride for size in (x.height, x.width)]
    if x.level is None:
        if out != [1, 1]:
            got = f"{out[0]}x{out[1]} of a pooled map"
            return Problem(f"kernel {kernel}, stride {stride} and padding {before}+{after} make {got}")
        return Type(channels, 1, 1, None)
    if stride > 1 and (x.height % stride or x.width % stride):
        return Problem(f"a stride of {stride} does not divide {x.size}")
    if out != expected:
        return Problem(f"kernel {kernel}, stride {stride} and padding {before}+{after}", (out[0], out[1]))
    return Type(channels, expected[0], expected[1], x.level + stride.bit_length() - 1)


def _convolution(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    groups, channels = _number(attributes, "groups"), _number(attributes, "channels")
    if types[0].channels % groups:
        return Problem(f"{groups} groups do not divide {types[0].channels} input channels")
    if channels % groups:
        return Problem(f"{groups} groups do not divide {channels} output channels")
    return _window(types[0], channels, attributes)


def _pool(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    return _window(types[0], types[0].channels, attributes)


def _same(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    return types[0]


def _elementwise(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Equal shapes, or a map pooled to 1x1, or one channel, spread over the other."""
    left, right = types
    if left.rank != right.rank:
        return Problem("a feature map and a vector")
    if left.is_vector:
        return left if left.channels == right.channels else Problem(f"{left.channels} and {right.channels} numbers")
    if left.level is None and right.level is not None:
        left, right = right, left
    if left.channels != right.channels and 1 not in (left.channels, right.channels):
        return Problem(f"{types[0].channels} channels and {types[1].channels} channels")
    if right.level is not None and left.level != right.level:
        return Problem(f"level {types[0].level} and level {types[1].level}")
    if (right.height, right.width) not in ((1, 1), (left.height, left.width)) and (left.height, left.width) != (1, 1):
        return Problem(f"{types[0].size} and {types[1].size}")
    channels = max(left.channels, right.channels)
    return Type(channels, max(left.height, right.height), max(left.width, right.width), left.level)


def _concatenate(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    first = types[0]
    if first.is_vector and all(other.is_vector for other in types):
        return vector(sum(x.channels for x in types))
    for other in types[1:]:
        if other.rank != first.rank:
            return Problem("feature maps and vectors")
        if other.level != first.level:
            return Problem(f"level {first.level} and level {other.level}")
        if (other.height, other.width) != (first.height, first.width):
            return Problem(f"{first.size} and {other.size}")
    return Type(sum(x.channels for x in types), first.height, first.width, first.level)


def _upsample(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    x, levels = types[0], _number(attributes, "levels")
    if x.level is None:
        return Problem("a map pooled to 1x1 has no level to go down from")
    if levels > x.level:
        return Problem(f"a map of level {x.level} cannot go down {levels} levels")
    return Type(x.channels, x.height << levels, x.width << levels, x.level - levels)


def _resize(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    x, like = types
    return Type(x.channels, like.height, like.width, like.level)


def _transposed(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """The size times the stride, the level down by its logarithm."""
    x = types[0]
    kernel, stride = _number(attributes, "kernel"), _number(attributes, "stride")
    if stride & (stride - 1):
        return Problem(f"a stride is a power of two, so that levels stay whole; got {stride}")
    if kernel < stride or (kernel - stride) % 2:
        return Problem(f"a kernel of {kernel} and a stride of {stride}; the kernel is the stride plus an even number")
    levels = stride.bit_length() - 1
    if x.level is None:
        return Problem("a map pooled to 1x1 has no level to go down from")
    if levels > x.level:
        return Problem(f"a map of level {x.level} cannot go down {levels} levels")
    return Type(_number(attributes, "channels"), x.height * stride, x.width * stride, x.level - levels)


def _sliced(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    x, start, channels = types[0], _number(attributes, "start"), _number(attributes, "channels")
    if start + channels > x.channels:
        return Problem(f"channels {start} to {start + channels - 1} of {x.channels}")
    return replace(x, channels=channels)


def _flattened(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    x = types[0]
    return vector(x.channels * x.height * x.width)


def _linear(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    return vector(_number(attributes, "features"))


def _pooled(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    return Type(types[0].channels, 1, 1, None)


def _group_norm_shape(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    groups = _number(attributes, "groups")
    if types[0].channels % groups:
        return Problem(f"{groups} groups do not divide {types[0].channels} channels")
    return types[0]


def _trainable(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    return Type(_number(attributes, "channels"), 1, 1, None)


# ---- parameters and costs ----


def _spread(attributes: Attributes, fan_in: int, fan_out: int) -> Initial:
    how, scale = cast(str, attributes["init"]), cast(Fraction, attributes["init_scale"])
    if how == "zeros":
        return Initial("constant", 0)
    return Initial(how, scale, fan_in if attributes["init_fan"] == "fan_in" else fan_out)


def _convolution_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    kernel, groups, channels = (_number(attributes, name) for name in ("kernel", "groups", "channels"))
    per_group = types[0].channels // groups
    window = kernel * kernel
    initial = _spread(attributes, per_group * window, channels // groups * window)
    weight = Parameter("weight", (channels, per_group, kernel, kernel), initial)
    return (weight, *_bias(channels, attributes))


def _bias(channels: int, attributes: Attributes) -> tuple[Parameter, ...]:
    start = Initial("constant", cast(Fraction, attributes["bias_init"]))
    return (Parameter("bias", (channels,), start),) if attributes["bias"] else ()


def _convolution_cost(types: Sequence[Type], attributes: Attributes, result: Type) -> int:
    kernel, groups = _number(attributes, "kernel"), _number(attributes, "groups")
    return result.height * result.width * result.channels * (types[0].channels // groups) * kernel * kernel


def _transposed_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """Inputs first, as PyTorch and ONNX have it; a result is reached by one in stride x stride of the kernel."""
    kernel, stride, channels = (_number(attributes, name) for name in ("kernel", "stride", "channels"))
    inputs, window = types[0].channels, kernel * kernel
    reached = max(inputs * window // (stride * stride), 1)
    weight = Parameter("weight", (inputs, channels, kernel, kernel), _spread(attributes, reached, channels * window))
    return (weight, *_bias(channels, attributes))


def _transposed_cost(types: Sequence[Type], attributes: Attributes, result: Type) -> int:
    x, kernel = types[0], _number(attributes, "kernel")
    return x.height * x.width * x.channels * result.channels * kernel * kernel


def _linear_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    inputs, features = types[0].channels, _number(attributes, "features")
    weight = Parameter("weight", (features, inputs), _spread(attributes, inputs, features))
    return (weight, *_bias(features, attributes))


def _linear_cost(types: Sequence[Type], attributes: Attributes, result: Type) -> int:
    return types[0].channels * result.channels


def _batch_norm_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    shape = (types[0].channels,)
    return (
        Parameter("weight", shape, Initial("constant", cast(Fraction, attributes["scale_init"]))),
        Parameter("bias", shape, Initial("constant", 0)),
        Parameter("running_mean", shape, Initial("constant", 0), trainable=False),
        Parameter("running_var", shape, Initial("constant", 1), trainable=False),
    )


def _affine_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    return _batch_norm_parameters(types, {"scale_init": 1})[:2]


def _trainable_parameters(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    shape = (_number(attributes, "channels"), 1, 1)
    return (Parameter("weight", shape, Initial("constant", cast(Fraction, attributes["init"]))),)


# ---- the table ----

_PADDING = Attribute("padding", Kind.PADDING, "same")
_WINDOW = (Attribute("kernel", Kind.COUNT, required=True), Attribute("stride", Kind.COUNT, 1), _PADDING)
_EPSILON = Attribute("epsilon", Kind.POSITIVE, Fraction(1, 100_000))
_INITIAL = (
    Attribute("init", Kind.CHOICE, "truncated_normal", choices=("truncated_normal", "uniform", "zeros")),
    Attribute("init_scale", Kind.POSITIVE, 1),
    Attribute("init_fan", Kind.CHOICE, "fan_in", choices=("fan_in", "fan_out")),
    Attribute("bias_init", Kind.RATIO, 0),
)
_CHANNELS = Attribute("channels", Kind.CHANNELS, required=True)
_MODE = Attribute("mode", Kind.CHOICE, "nearest", choices=("nearest", "bilinear"))
_RATE = Attribute("rate", Kind.SHARE, required=True)


def _activation(name: str, *attributes: Attribute) -> Primitive:
    return Primitive(name, _same, attributes, activation=True, ranks=EITHER)


_TABLE = (
    Primitive(
        "conv",
        _convolution,
        (
            _CHANNELS,
            *_WINDOW,
            Attribute("groups", Kind.COUNT, 1),
            Attribute("dilation", Kind.COUNT, 1),
            Attribute("bias", Kind.FLAG, False),
            *_INITIAL,
        ),
        parameters=_convolution_parameters,
        multiply_adds=_convolution_cost,
    ),
    Primitive(
        "conv_transpose",
        _transposed,
        (
            _CHANNELS,
            Attribute("kernel", Kind.COUNT, required=True),
            Attribute("stride", Kind.COUNT, 2),
            Attribute("bias", Kind.FLAG, False),
            *_INITIAL,
        ),
        parameters=_transposed_parameters,
        multiply_adds=_transposed_cost,
    ),
    Primitive(
        "linear",
        _linear,
        (Attribute("features", Kind.CHANNELS, required=True), Attribute("bias", Kind.FLAG, True), *_INITIAL),
        parameters=_linear_parameters,
        multiply_adds=_linear_cost,
        ranks=VECTORS,
    ),
    Primitive("flatten", _flattened, fixes_size=True),
    Primitive(
        "batch_norm",
        _same,
        (Attribute("momentum", Kind.SHARE, Fraction(9, 10)), _EPSILON, Attribute("scale_init", Kind.RATIO, 1)),
        parameters=_batch_norm_parameters,
    ),
    Primitive("layer_norm", _same, (_EPSILON,), parameters=_affine_parameters),
    Primitive(
        "group_norm",
        _group_norm_shape,
        (Attribute("groups", Kind.COUNT, required=True), _EPSILON),
        parameters=_affine_parameters,
    ),
    _activation("relu"),
    _activation("relu6"),
    _activation("swish"),
    _activation("hard_swish"),
    _activation("sigmoid"),
    _activation("hard_sigmoid", Attribute("slope", Kind.POSITIVE, Fraction(1, 6))),
    _activation("gelu"),
    _activation("identity"),
    _activation("softmax"),
    Primitive("add", _elementwise, least=2, most=2, callable=False, ranks=EITHER),
    Primitive("multiply", _elementwise, least=2, most=2, callable=False, ranks=EITHER),
    Primitive("add_scalar", _same, (Attribute("value", Kind.RATIO, required=True),), callable=False, ranks=EITHER),
    Primitive("multiply_scalar", _same, (Attribute("value", Kind.RATIO, required=True),), callable=False, ranks=EITHER),
    Primitive("l2_normalise", _same, (Attribute("epsilon", Kind.POSITIVE, Fraction(1, 10**12)),), ranks=EITHER),
    Primitive("concat", _concatenate, least=1, most=None, ranks=EITHER),
    Primitive("slice", _sliced, (_CHANNELS, Attribute("start", Kind.POSITION, 0)), ranks=EITHER),
    Primitive("max_pool", _pool, _WINDOW),
    Primitive("average_pool", _pool, _WINDOW),
    Primitive("global_average_pool", _pooled),
    Primitive("upsample", _upsample, (Attribute("levels", Kind.WHOLE, required=True), _MODE)),
    Primitive("resize", _resize, (_MODE,), least=2, most=2, inputs=("x", "like")),
    Primitive(
        "parameter",
        _trainable,
        (_CHANNELS, Attribute("init", Kind.RATIO, 1)),
        least=0,
        most=0,
        parameters=_trainable_parameters,
    ),
    Primitive("dropout", _same, (_RATE,), ranks=EITHER),
    Primitive("stochastic_depth", _same, (_RATE,)),
)

PRIMITIVES: Mapping[str, Primitive] = {primitive.name: primitive for primitive in _TABLE}
ALIASES: Mapping[str, str] = {"silu": "swish"}
ROLES = ("act", "norm")  # stand for what the network's `defaults` choose
SYMBOLS = frozenset(
    [choice for primitive in _TABLE for attribute in primitive.attributes for choice in attribute.choices]
    + ["same", "symmetric"]
    + [primitive.name for primitive in _TABLE if primitive.activation]
    + list(ALIASES)
)
