"""The closed set of primitive operations: one row each, with attributes, shape rule, parameters, costs and reads.

What a row computes by stands in `rules`, `rearrange` and `channels`. The NumPy interpreter (`interpret`) and every
backend are further columns of this table, keyed by the same names; a test asks each of them for every primitive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from typing import TypeAlias

from spinedsl.brief import cut
from spinedsl.diagnostics import one_of
from spinedsl.ops import channels, rearrange, reductions, rules
from spinedsl.ops.channels import Channels, ReadRule
from spinedsl.ops.rules import Attributes, Initial, Parameter, Problem, pads
from spinedsl.ops.types import Type, Value
from spinedsl.record import Record, field, replace

__all__ = [
    "ALIASES",
    "FIXED",
    "PRIMITIVES",
    "ROLES",
    "SIZES",
    "SYMBOLS",
    "UNCUT",
    "WORDS",
    "Attribute",
    "Attributes",
    "Idle",
    "Initial",
    "Kind",
    "Parameter",
    "Primitive",
    "Problem",
    "pads",
]


class Kind(Enum):
    """What an attribute holds, in the words a message uses."""

    CHANNELS = "a number of channels"  # floored where it is bound, then at least 1
    COUNT = "a positive whole number"
    GROUPS = "a number of groups"  # as many as there are channels
    WHOLE = "a whole number, 0 or more"
    POSITION = "a position, from 0 on"
    RATIO = "a number"
    SHARE = "a share from 0 to 1"
    POSITIVE = "a number above 0"
    FLAG = "`true` or `false`"
    CHOICE = "one of its choices"
    PADDING = "`same`, `symmetric` or a whole number"
    INITIAL = "a number or `truncated_normal`"


class Idle(Record):
    """Where an attribute is not read: what `others` of the same operation are then, why, and what to do."""

    others: tuple[str, ...]
    holds: Callable[[Attributes], bool]
    why: str
    fix: str


class Attribute(Record):
    """An attribute with its default; `required` ones have none. `many`: a tuple of values, one or more.

    `idle` tells where it is not read, if there are such places.
    """

    name: str
    kind: Kind
    default: Value = 0
    required: bool = False
    choices: tuple[str, ...] = ()  # symbols that it may be
    many: bool = False
    pair: bool = False  # it may be a list of two, for height and width
    idle: tuple[Idle, ...] = ()
    yields: bool = False  # its choices are words elsewhere: definitions and values may have these names

    def __brief__(self) -> str:
        usual = "required" if self.required else f"{cut(str(self.default), 20)} unless given"
        return f"{self.name}: {cut(self.expected, 50)}, {usual}"

    @property
    def expected(self) -> str:
        """What it may be, in words."""
        return one_of(self.choices) if self.kind is Kind.CHOICE else self.kind.value


ShapeRule: TypeAlias = Callable[[Sequence[Type], Attributes], "Type | Problem"]
ParameterRule: TypeAlias = Callable[[Sequence[Type], Attributes], tuple[Parameter, ...]]
CostRule: TypeAlias = Callable[[Sequence[Type], Attributes, Type], int]


def _none(types: Sequence[Type], attributes: Attributes) -> tuple[Parameter, ...]:
    """No parameters."""
    return ()


MAPS, VECTORS = (4,), (2,)
EITHER = MAPS + VECTORS


class Primitive(Record):
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
    inputs: tuple[str, ...] = ("x",)  # how a call names them; those beyond `least` only by name
    fixes_size: int | None = None  # the input whose size the result, or a parameter, depends on
    sized: bool = False  # its last input is that of the network, whose size tells the size of every level
    lays_out: bool = False  # takes channels that `reshape` laid out along several axes
    reads: ReadRule = channels.everything  # the channels of each input that some channels of the result depend on
    narrows: bool = False  # even for all of its result it may read only a part of an input

    @property
    def has_weights(self) -> bool:
        """It has parameters, whatever it is applied to."""
        return self.parameters is not _none

    def depends_on(
        self, types: Sequence[Type], attributes: Attributes, result: Type, wanted: Channels
    ) -> tuple[Channels, ...]:
        """The channels of each input that `wanted` channels of the result depend on; of no channel, none."""
        return self.reads(types, attributes, result, wanted) if wanted else (0,) * len(types)

    def shape(self, types: Sequence[Type], attributes: Attributes) -> Type | Problem:
        """The type of the result, or why there is none."""
        for x in types:
            if x.rank not in self.ranks:
                wanted = "vectors" if self.ranks == VECTORS else "feature maps"
                return Problem(f"it takes {wanted}", culprit=x)
            if x.axes and not self.lays_out:
                return Problem("it takes channels in one row", culprit=x)
        result = self.rule(types, attributes)
        if isinstance(result, Problem):
            return result
        if types and types[0].batched and result.batched and self.inputs[0] != "like":
            return result
        # Of what stands at `like`, only the positions count.
        read = self.inputs.index("like") if "like" in self.inputs else len(types)
        batched = any(x.batched for x in types[:read])
        return result if result.batched == batched else replace(result, batched=batched)

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


# ---- the table ----

_PADDING = Attribute("padding", Kind.PADDING, "same", choices=("same", "symmetric"), pair=True)
_WINDOW = (
    Attribute("kernel", Kind.COUNT, required=True, pair=True),
    Attribute("stride", Kind.COUNT, 1, pair=True),
    _PADDING,
)
_EPSILON = Attribute("epsilon", Kind.POSITIVE, Fraction(1, 100_000))
_NO_BIAS = Idle(("bias",), lambda given: not given["bias"], "there is no bias", "say `bias = true`")
_ZEROS = Idle(("init",), lambda given: given["init"] == "zeros", "zeros have no variance", "say another `init`")
_A_NUMBER = Idle(
    ("init",), lambda given: not isinstance(given["init"], str), "a number has no variance",
    "say `init = truncated_normal`",
)  # fmt: skip
_INITIAL = (
    Attribute("init", Kind.CHOICE, "truncated_normal", choices=("truncated_normal", "uniform", "zeros")),
    Attribute("init_scale", Kind.POSITIVE, 1, idle=(_ZEROS,)),
    Attribute("init_fan", Kind.CHOICE, "fan_in", choices=("fan_in", "fan_out"), idle=(_ZEROS,)),
    Attribute("bias_init", Kind.RATIO, 0, idle=(_NO_BIAS,)),
)
_NOT_STANDARDISED = Idle(
    ("weight",), lambda given: given["weight"] == rules.PLAIN, "the kernel is not standardised",
    "say `weight = standardised`",
)  # fmt: skip
_NO_GAIN = Idle(
    ("weight",), lambda given: given["weight"] != rules.SCALED, "the kernel has no gain", "say `weight = scaled`"
)
_KERNEL = (
    Attribute("weight", Kind.CHOICE, rules.PLAIN, choices=rules.KERNELS, yields=True),
    Attribute("epsilon", Kind.POSITIVE, Fraction(1, 1_000_000), idle=(_NOT_STANDARDISED,)),
    Attribute("gamma", Kind.POSITIVE, 1, idle=(_NO_GAIN,)),
    Attribute("gain_init", Kind.RATIO, 1, idle=(_NO_GAIN,)),
)
_CHANNELS = Attribute("channels", Kind.CHANNELS, required=True)
_MODE = Attribute("mode", Kind.CHOICE, "nearest", choices=("nearest", "bilinear"))
_LEVEL = Attribute("level", Kind.WHOLE, required=True)
_RATE = Attribute("rate", Kind.SHARE, required=True)
_SIDES = tuple(Attribute(side, Kind.WHOLE, 0) for side in rearrange.SIDES)
_NO_SIDE = Idle(
    rearrange.SIDES, lambda given: not any(given[side] for side in rearrange.SIDES), "no side is padded",
    "say how far, as in `top = 1`",
)  # fmt: skip
_NO_NUMBER = Idle(
    ("mode",), lambda given: given["mode"] != "constant", "the map's own numbers are put around it",
    "say `mode = constant`",
)  # fmt: skip
_PADDED = (
    *_SIDES,
    Attribute("value", Kind.RATIO, 0, idle=(_NO_SIDE, _NO_NUMBER)),
    Attribute("mode", Kind.CHOICE, "constant", choices=rearrange.MODES, idle=(_NO_SIDE,), yields=True),
)
_OVER = Attribute("over", Kind.CHOICE, "both", choices=("both", "height", "width"), yields=True)
_VALUE = Attribute("value", Kind.RATIO, required=True)
_EXPONENT = Attribute("exponent", Kind.RATIO, required=True)
_FACTOR = Attribute("factor", Kind.COUNT, 2)


def _activation(name: str, *attributes: Attribute) -> Primitive:
    return Primitive(name, rules.same, attributes, activation=True, ranks=EITHER, lays_out=True, reads=channels.alike)


def _operator(name: str, rule: ShapeRule, reads: ReadRule, inputs: int, *attributes: Attribute) -> Primitive:
    return Primitive(name, rule, attributes, inputs, inputs, callable=False, ranks=EITHER, lays_out=True, reads=reads)


def _over_channels(name: str) -> Primitive:
    return Primitive(name, reductions.over_channels, ranks=EITHER, lays_out=True, reads=channels.folded)


_TABLE = (
    Primitive(
        "conv",
        rules.convolution,
        (
            _CHANNELS,
            *_WINDOW,
            Attribute("groups", Kind.GROUPS, 1),
            Attribute("dilation", Kind.COUNT, 1),
            Attribute("bias", Kind.FLAG, False),
            *_INITIAL,
            *_KERNEL,
        ),
        parameters=rules.convolution_parameters,
        multiply_adds=rules.convolution_cost,
        reads=channels.grouped,
    ),
    Primitive(
        "conv_transpose",
        rules.transposed,
        (
            _CHANNELS,
            Attribute("kernel", Kind.COUNT, required=True),
            Attribute("stride", Kind.COUNT, 2),
            Attribute("bias", Kind.FLAG, False),
            *_INITIAL,
        ),
        parameters=rules.transposed_parameters,
        multiply_adds=rules.transposed_cost,
    ),
    Primitive(
        "linear",
        rules.linear,
        (Attribute("features", Kind.CHANNELS, required=True), Attribute("bias", Kind.FLAG, True), *_INITIAL),
        parameters=rules.linear_parameters,
        multiply_adds=rules.linear_cost,
        ranks=VECTORS,
    ),
    Primitive(
        "channel_conv",
        rules.along_channels,
        (Attribute("kernel", Kind.COUNT, required=True), *_INITIAL[:2]),
        parameters=rules.along_channels_parameters,
        multiply_adds=rules.along_channels_cost,
        ranks=EITHER,
        reads=channels.neighbours,
    ),
    Primitive("flatten", rearrange.flattened, fixes_size=0, reads=channels.flattened),
    Primitive(
        "reshape",
        rearrange.reshaped,
        (Attribute("sizes", Kind.CHANNELS, required=True, many=True),),
        most=2,
        ranks=EITHER,
        inputs=("x", "like"),
        fixes_size=1,
        lays_out=True,
        reads=channels.laid_out,
        narrows=True,
    ),
    Primitive(
        "transpose",
        rearrange.transposed_axes,
        (Attribute("first", Kind.POSITION, 0), Attribute("second", Kind.POSITION, 1)),
        ranks=EITHER,
        lays_out=True,
        reads=channels.axes_swapped,
    ),
    Primitive(
        "batch_norm",
        rules.same,
        (Attribute("momentum", Kind.SHARE, Fraction(9, 10)), _EPSILON, Attribute("scale_init", Kind.RATIO, 1)),
        parameters=rules.batch_norm_parameters,
        ranks=EITHER,
        reads=channels.alike,
    ),
    Primitive(
        "layer_norm",
        rules.same,
        (_EPSILON,),
        parameters=rules.affine_parameters,
        ranks=EITHER,
        reads=channels.normed_channels,
        narrows=True,
    ),
    Primitive(
        "group_norm",
        rules.group_norm_shape,
        (Attribute("groups", Kind.GROUPS, required=True), _EPSILON),
        parameters=rules.affine_parameters,
        ranks=EITHER,
        reads=channels.normed_groups,
        narrows=True,
    ),
    _activation("relu"),
    _activation("relu6"),
    _activation("swish"),
    _activation("hard_swish"),
    _activation("sigmoid"),
    _activation("hard_sigmoid", Attribute("slope", Kind.POSITIVE, Fraction(1, 6))),
    _activation("gelu"),
    _activation("identity"),
    replace(_activation("softmax"), reads=channels.shares, narrows=True),
    _operator("add", rules.elementwise, channels.spread, 2),
    _operator("multiply", rules.elementwise, channels.spread, 2),
    _operator("add_scalar", rules.same, channels.alike, 1, _VALUE),
    replace(_operator("multiply_scalar", rules.same, channels.times_value, 1, _VALUE), narrows=True),
    _operator("divide", rules.elementwise, channels.spread, 2),
    _operator("maximum", rules.elementwise, channels.spread, 2),
    _operator("minimum", rules.elementwise, channels.spread, 2),
    _operator("maximum_scalar", rules.same, channels.alike, 1, _VALUE),
    _operator("minimum_scalar", rules.same, channels.alike, 1, _VALUE),
    replace(_operator("power", rules.same, channels.powered, 1, _EXPONENT), narrows=True),
    Primitive("exp", rules.same, ranks=EITHER, lays_out=True, reads=channels.alike),
    _over_channels("channel_mean"),
    _over_channels("channel_max"),
    _over_channels("channel_sum"),
    Primitive(
        "l2_normalise",
        rules.same,
        (Attribute("epsilon", Kind.POSITIVE, Fraction(1, 10**12)),),
        ranks=EITHER,
        lays_out=True,
        reads=channels.along_channels,
    ),
    Primitive("concat", rules.concatenate, least=1, most=None, ranks=EITHER, reads=channels.one_after_another),
    Primitive(
        "slice",
        rearrange.sliced,
        (_CHANNELS, Attribute("start", Kind.POSITION, 0)),
        ranks=EITHER,
        reads=channels.a_part,
        narrows=True,
    ),
    Primitive("pad", rearrange.padded, _PADDED, reads=channels.alike),
    Primitive("crop", rearrange.cropped, _SIDES, reads=channels.alike),
    Primitive("max_pool", rules.pool, _WINDOW, reads=channels.alike),
    Primitive("average_pool", rules.pool, _WINDOW, reads=channels.alike),
    Primitive("global_average_pool", rules.pooled, (_OVER,), reads=channels.alike),
    Primitive("global_max_pool", rules.pooled, (_OVER,), reads=channels.alike),
    Primitive("global_sum_pool", rules.pooled, (_OVER,), reads=channels.alike),
    Primitive(
        "adaptive_average_pool",
        reductions.to_grid,
        (Attribute("size", Kind.COUNT, required=True),),
        reads=channels.alike,
    ),
    Primitive("pixel_shuffle", reductions.to_positions, (_FACTOR,), reads=channels.gathered),
    Primitive("pixel_unshuffle", reductions.to_channels, (_FACTOR,), reads=channels.scattered),
    Primitive(
        "upsample", rules.upsample, (Attribute("levels", Kind.WHOLE, required=True), _MODE), reads=channels.alike
    ),
    Primitive(
        "resize", rules.resize, (_MODE,), least=2, most=2, inputs=("x", "like"), reads=channels.alike, narrows=True
    ),
    # What `resize` is where the other is a block, and what `upsample` ends with where sizes are rounded up.
    Primitive(
        "resize_to_level",
        rules.to_level,
        (_LEVEL, _MODE),
        least=2,
        most=2,
        callable=False,
        sized=True,
        reads=channels.alike,
    ),
    Primitive(
        "crop_to_level", rules.to_level, (_LEVEL,), least=2, most=2, callable=False, sized=True, reads=channels.alike
    ),
    Primitive(
        "parameter",
        rules.trainable,
        (
            _CHANNELS,
            Attribute("init", Kind.INITIAL, 1, choices=("truncated_normal",)),
            Attribute("init_scale", Kind.POSITIVE, 1, idle=(_A_NUMBER,)),
        ),
        least=0,
        most=1,
        parameters=rules.trainable_parameters,
        inputs=("like",),
        fixes_size=0,
        reads=channels.size_alone,
        narrows=True,
    ),
    Primitive(
        "constant",
        rules.constant,
        (Attribute("values", Kind.RATIO, required=True, many=True),),
        least=0,
        most=0,
        inputs=(),
    ),
    Primitive("dropout", rules.same, (_RATE,), ranks=EITHER, lays_out=True, reads=channels.alike),
    Primitive("stochastic_depth", rules.same, (_RATE,), reads=channels.alike),
)

PRIMITIVES: Mapping[str, Primitive] = {primitive.name: primitive for primitive in _TABLE}
ALIASES: Mapping[str, str] = {"silu": "swish"}
# They go down levels, which may reach beyond a size that was rounded up.
UNCUT = ("upsample", "conv_transpose", "pixel_shuffle")
FIXED = "fixed"  # among the sizes; no symbol, since a definition of that name may be given to another
SIZES = ("divisible", "any", FIXED)  # what `sizes` of a network's `rules` may be
OFFICIAL = "official"  # what `channels` there may be: rounded down, as official codes do
ROLES = ("act", "norm")  # stand for what the network's `defaults` choose
_CHOSEN = [attribute for primitive in _TABLE for attribute in primitive.attributes if attribute.choices]
WORDS = frozenset([choice for attribute in _CHOSEN if attribute.yields for choice in attribute.choices])
SYMBOLS = frozenset(
    [choice for attribute in _CHOSEN if not attribute.yields for choice in attribute.choices]
    + ["same", "symmetric", "divisible", "any", OFFICIAL]
    + [primitive.name for primitive in _TABLE if primitive.activation]
    + list(ALIASES)
)
