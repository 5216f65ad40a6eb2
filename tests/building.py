"""Programs made by hand, for tests of what reads programs: no language, no checks, just operations.

A definition is a function from a feature map to an operand; `Network` puts definitions into rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops import program
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.primitives import PRIMITIVES, Problem
from spinedsl.ops.program import (
    Call,
    Connection,
    Formal,
    Let,
    Module,
    Op,
    Operand,
    Program,
    Ref,
    Return,
    Row,
    SourceText,
)
from spinedsl.ops.trace import Trace
from spinedsl.ops.types import Attr, Literal, Loc, Opaque, Type, Value
from spinedsl.record import replace

Definition: TypeAlias = Callable[[Ref], Operand]
HERE = Loc("net.spine", 1)
INPUT = Type(3, 32, 48, 0)


def literal(value: Value) -> Attr:
    """A compile-time value as if it were written in the file."""
    return Attr(value, Literal(value))


def op(primitive: str, *inputs: Operand, path: str | None = None, shared: bool = False, **attributes: Value) -> Op:
    """An operation, typed by the table, with defaults filled in. Its path is the primitive's name unless given."""
    row = PRIMITIVES[primitive]
    given = {attribute.name: attributes.get(attribute.name, attribute.default) for attribute in row.attributes}
    given |= {a.name: (given[a.name],) for a in row.attributes if a.many and not isinstance(given[a.name], tuple)}
    assert not set(attributes) - set(given), f"{primitive} has no {set(attributes) - set(given)}"
    result = row.shape([*map(type_of, inputs), *([INPUT] if row.sized else [])], given)
    assert not isinstance(result, Problem), result.text
    parts = tuple(path.split(".")) if path else (primitive,) if row.callable else ()
    arguments = {name: literal(value) for name, value in given.items()}
    return Op(primitive, primitive, inputs, arguments, parts, shared, result, Opaque(), HERE)


def type_of(operand: Operand) -> Type:
    """The type of one feature map."""
    assert isinstance(operand, Ref | Op | Call)
    return operand.type


def module(definition: Definition, x: Type, name: str = "block") -> Module:
    """The definition expanded for a map of type `x`."""
    trace = Trace(program.Definition(name, "block_type", (Let(1, "let", "y", 1, HERE), Return(2, HERE)), HERE))
    result = definition(Ref("x", x, Opaque(), value=trace.value(x, Opaque())))
    (value,) = trace.makes(1, result)
    trace.gives(2, Ref("y", type_of(result), Opaque(), value=value))
    return trace.module((Formal("x", "map", None),), {"x": x}, {})


def call(definition: Definition, x: Type, *path: str, shared: bool = False) -> Call:
    """A use of the definition by a row."""
    made = module(definition, x)
    return Call(made, {"x": Ref("x", x, Opaque())}, {}, path, shared, made.type, Opaque(), HERE)


@dataclass
class Network:
    """A program in the making."""

    input_type: Type = INPUT
    rows: list[Row] = field(default_factory=list)
    static_axes: dict[str, Loc] = field(default_factory=dict)

    def type_of(self, name: str) -> Type:
        """The type that a row gives."""
        return next((row.type for row in self.rows if row.name == name), self.input_type)

    def block(self, name: str, definition: Definition, source: str = "image", kind: str = "block") -> Network:
        """A row that applies a definition."""
        made = call(definition, self.type_of(source), name)
        self.rows.append(self.row(kind, name, source, (made,), made.type))
        return self

    def output(self, name: str, source: str) -> Network:
        """An output that is a row's own map."""
        self.rows.append(self.row("output", name, source, (), self.type_of(source)))
        return self

    @staticmethod
    def row(kind: str, name: str, source: str, calls: tuple[Call, ...], type: Type) -> Row:  # noqa: A002
        """A row with one direct input."""
        type_name = "block" if calls else ""
        inputs = (Connection(source, None),)
        return Row(kind, name, type_name, type.level or 0, inputs, (), None, calls, False, type, HERE)

    def program(self, outputs: tuple[str, ...] | None = None) -> Program:
        """The program. Its outputs are the output rows, or the last row."""
        named = tuple(row.name for row in self.rows if row.kind == "output") or (self.rows[-1].name,)
        sources = (
            SourceText("net.spine", "spine 1\n# é\n", "net.spine"),
            SourceText("std/blocks.spine", "spine 1\n", "std/blocks.spine"),
        )
        return Program(
            "Net", "image", self.input_type, tuple(self.rows), outputs or named, 16, self.static_axes, sources, HERE
        )


def single(definition: Definition, x: Type = INPUT) -> Program:
    """A network of one block `b` and an output `P` that is the block's map."""
    return Network(x).block("b", definition).output("P", "b").program()


def weights_for(graph: Graph, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Random numbers for every parameter, variances above 0."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, parameter in graph.parameters.items():
        numbers = random.normal(0, 0.5, parameter.shape)
        tensors[name] = (np.abs(numbers) + 0.5 if name.endswith("running_var") else numbers).astype(np.float32)
    return tensors


def image_for(program: Program, seed: int = 0, batch: int = 1, times: int = 1) -> NDArray[np.float32]:
    """A random input; `times` as high as the program says, unless it is of one size."""
    x, times = program.input_type, 1 if program.static_axes else times
    random = np.random.default_rng(seed)
    return (2 * random.standard_normal((batch, x.channels, x.height * times, x.width))).astype(np.float32)


def changed(program: Program, **fields: Any) -> Program:
    """The program with some fields replaced."""
    return replace(program, **fields)


# ---- one case or more for each primitive ----


def _conv(**attributes: Any) -> Definition:
    return lambda x: op("conv", x, **attributes)


def _then(primitive: str, **attributes: Any) -> Definition:
    """The primitive on a convolution of 12 channels, so that it meets more than three."""
    return lambda x: op(primitive, op("conv", x, channels=12, kernel=1, path="first"), **attributes)


def _gate(primitive: str, first: bool = False) -> Definition:
    """A map and one pooled to 1x1."""

    def definition(x: Ref) -> Operand:
        y = op("conv", x, channels=12, kernel=1, path="first")
        pooled = op("global_average_pool", op("conv", x, channels=12, kernel=1, path="second"))
        return op(primitive, pooled, y) if first else op(primitive, y, pooled)

    return definition


def _scaled(x: Ref) -> Operand:
    y = op("conv", x, channels=12, kernel=1, path="first")
    return op("multiply", y, op("parameter", channels=12, init=Fraction(1, 10), path="gamma"))


def _half(x: Operand) -> Operand:
    return op("max_pool", x, kernel=2, stride=2)


def _flat(x: Operand) -> Operand:
    return op("flatten", op("global_average_pool", x))


def _of_vector(primitive: str, **attributes: Any) -> Definition:
    return lambda x: op(primitive, _flat(x), **attributes)


def _padded(x: Operand, n: int = 1) -> Op:
    return op("pad", x, top=n, bottom=n, left=n, right=n)


def _laid(x: Operand, *sizes: int) -> Op:
    """Twelve channels, laid out."""
    return op("reshape", op("conv", x, channels=12, kernel=1, path="first"), sizes=sizes)


def _gate_of_each(x: Operand) -> Op:
    """Four numbers that weight three groups of four."""
    gate = op("conv", op("global_average_pool", x), channels=4, kernel=1, path="gate")
    return op("multiply", _laid(x, 3, 4), op("sigmoid", op("reshape", gate, sizes=(1, 4))))


def _pieces(x: Operand) -> Op:
    """Four quarters of each 2x2 as channels: positions are moved by way of a vector."""
    type_ = type_of(x)
    height, width = type_.height // 2, type_.width // 2
    y = op("reshape", op("flatten", x), sizes=(type_.channels, height, 2, width, 2))
    for first, second in ((1, 2), (2, 4), (3, 4)):  # channels, 2, 2, height, width
        y = op("transpose", y, first=first, second=second)
    return op("reshape", op("reshape", y, sizes=type_.channels * height * width * 4), _half(x), sizes=12)


def _line(primitive: str, over: str, kernel: tuple[int, int], **attributes: Any) -> Definition:
    """What a convolution makes of a map pooled over one side, as a gate of it."""
    return lambda x: op("multiply", x, op("conv", op(primitive, x, over=over), channels=3, kernel=kernel, **attributes))


def _crossed(x: Operand) -> Op:
    """A map of what is known of its row and of its column, normalised and beside itself."""
    rows, columns = op("global_max_pool", x, over="width"), op("global_average_pool", x, over="height")
    whole = op("add", op("group_norm", rows, groups=1), op("layer_norm", columns))
    return op("concat", op("maximum", whole, op("global_average_pool", x)), x)


def _among_images(x: Operand) -> Op:
    """Channels that depend on the image between those that do not."""
    pooled = op("global_average_pool", x)
    return op("concat", op("parameter", channels=2), pooled, op("constant", values=(Fraction(1, 3), -2)))


_ONE_A_SIDE: dict[str, Any] = {"top": 1, "bottom": 1, "left": 1, "right": 1}
CASES: dict[str, tuple[str, Definition]] = {
    "conv1": ("conv", _conv(channels=5, kernel=1)),
    "conv3": ("conv", _conv(channels=5, kernel=3)),
    "conv2 same": ("conv", _conv(channels=5, kernel=2)),
    "conv4 same stride 2": ("conv", _conv(channels=5, kernel=4, stride=2)),
    "conv3 stride 2": ("conv", _conv(channels=5, kernel=3, stride=2)),
    "conv7 stride 4": ("conv", _conv(channels=5, kernel=7, stride=4)),
    "conv1 stride 2": ("conv", _conv(channels=5, kernel=1, stride=2)),
    "conv3 symmetric": ("conv", _conv(channels=5, kernel=3, stride=2, padding="symmetric")),
    "conv4 symmetric": ("conv", _conv(channels=5, kernel=4, stride=2, padding="symmetric")),
    "conv4 no padding": ("conv", _conv(channels=5, kernel=4, stride=4, padding=0)),
    "conv7 padding 3": ("conv", _conv(channels=5, kernel=7, stride=2, padding=3)),
    "conv 1x7": ("conv", _conv(channels=5, kernel=(1, 7))),
    "conv 7x1, padded": ("conv", _conv(channels=5, kernel=(7, 1), padding=(3, 0), bias=True)),
    "conv 2x3, stride 2": ("conv", _conv(channels=5, kernel=(2, 3), stride=2)),
    "conv 3x5, dilation": ("conv", _conv(channels=5, kernel=(3, 5), dilation=2, padding="symmetric")),
    "max_pool 3x1": ("max_pool", lambda x: op("max_pool", x, kernel=(3, 1))),
    "average_pool 2x5": ("average_pool", lambda x: op("average_pool", x, kernel=(2, 5), stride=2)),
    "conv standardised": ("conv", _conv(channels=5, kernel=3, weight="standardised", epsilon=Fraction(1, 1000))),
    "conv standardised, by groups": (
        "conv",
        _then("conv", channels=24, kernel=(3, 1), groups=12, stride=2, bias=True, weight="standardised"),
    ),
    "conv scaled": ("conv", _conv(channels=5, kernel=2, stride=2, weight="scaled", gamma=Fraction(17, 10))),
    "conv scaled, 1x1": ("conv", _then("conv", channels=5, kernel=1, bias=True, weight="scaled")),
    "conv dilation": ("conv", _conv(channels=5, kernel=3, dilation=3)),
    "conv bias": ("conv", _conv(channels=5, kernel=3, bias=True)),
    "conv groups": ("conv", _then("conv", channels=8, kernel=3, groups=4)),
    "conv depthwise": ("conv", _then("conv", channels=12, kernel=5, groups=12, stride=2)),
    "conv depthwise times 2": ("conv", _then("conv", channels=24, kernel=3, groups=12, bias=True, dilation=2)),
    "batch_norm": ("batch_norm", lambda x: op("batch_norm", x)),
    "batch_norm epsilon": ("batch_norm", lambda x: op("batch_norm", x, epsilon=Fraction(1, 10))),
    "layer_norm": ("layer_norm", _then("layer_norm")),
    "layer_norm epsilon": ("layer_norm", _then("layer_norm", epsilon=Fraction(1, 10))),
    "group_norm": ("group_norm", _then("group_norm", groups=4)),
    "group_norm one": ("group_norm", _then("group_norm", groups=1, epsilon=Fraction(1, 10))),
    "group_norm each": ("group_norm", _then("group_norm", groups=12)),
    "relu": ("relu", lambda x: op("relu", x)),
    "relu6": ("relu6", lambda x: op("relu6", op("multiply_scalar", x, value=5))),
    "swish": ("swish", lambda x: op("swish", x)),
    "hard_swish": ("hard_swish", lambda x: op("hard_swish", op("multiply_scalar", x, value=2))),
    "sigmoid": ("sigmoid", lambda x: op("sigmoid", op("multiply_scalar", x, value=20))),
    "hard_sigmoid": ("hard_sigmoid", lambda x: op("hard_sigmoid", x)),
    "hard_sigmoid literal": ("hard_sigmoid", lambda x: op("hard_sigmoid", x, slope=Fraction(16667, 100_000))),
    "hard_sigmoid steep": ("hard_sigmoid", lambda x: op("hard_sigmoid", x, slope=Fraction(1, 5))),
    "gelu": ("gelu", lambda x: op("gelu", x)),
    "identity": ("identity", lambda x: op("identity", x)),
    "add": ("add", lambda x: op("add", x, op("relu", x))),
    "add pooled": ("add", _gate("add")),
    "add vectors": ("add", lambda x: op("add", _flat(x), _flat(x))),
    "concat vectors": ("concat", lambda x: op("concat", _flat(x), op("relu", _flat(x)))),
    "add itself": ("add", lambda x: op("add", x, x)),
    "multiply": ("multiply", lambda x: op("multiply", x, op("sigmoid", x))),
    "multiply pooled first": ("multiply", _gate("multiply", first=True)),
    "multiply one channel": ("multiply", lambda x: op("multiply", x, op("conv", x, channels=1, kernel=3))),
    "add_scalar": ("add_scalar", lambda x: op("add_scalar", x, value=Fraction(-1, 3))),
    "multiply_scalar": ("multiply_scalar", lambda x: op("multiply_scalar", x, value=Fraction(16667, 100_000))),
    "concat": ("concat", lambda x: op("concat", x, op("relu", x), op("conv", x, channels=5, kernel=1))),
    "concat one": ("concat", lambda x: op("concat", x)),
    "max_pool": ("max_pool", lambda x: op("max_pool", x, kernel=3, stride=2)),
    "max_pool 2": ("max_pool", lambda x: op("max_pool", x, kernel=2, stride=2)),
    "max_pool symmetric": ("max_pool", lambda x: op("max_pool", x, kernel=3, stride=2, padding="symmetric")),
    "max_pool 4 symmetric": ("max_pool", lambda x: op("max_pool", x, kernel=4, stride=2, padding="symmetric")),
    "max_pool 5 stride 4": ("max_pool", lambda x: op("max_pool", x, kernel=5, stride=4)),
    "max_pool stride 1": ("max_pool", lambda x: op("max_pool", x, kernel=2)),
    "average_pool": ("average_pool", lambda x: op("average_pool", x, kernel=3, stride=2)),
    "average_pool 2": ("average_pool", lambda x: op("average_pool", x, kernel=2, stride=2)),
    "average_pool stride 1": ("average_pool", lambda x: op("average_pool", x, kernel=5, padding=2)),
    "global_average_pool": ("global_average_pool", lambda x: op("global_average_pool", x)),
    "upsample": ("upsample", lambda x: op("upsample", op("max_pool", x, kernel=2, stride=2), levels=1)),
    "upsample 3": ("upsample", lambda x: op("upsample", op("conv", x, channels=4, kernel=8, stride=8), levels=3)),
    "upsample 0": ("upsample", lambda x: op("upsample", x, levels=0)),
    "upsample bilinear": ("upsample", lambda x: op("upsample", _half(x), levels=1, mode="bilinear")),
    "upsample bilinear 3": (
        "upsample",
        lambda x: op("upsample", op("conv", x, channels=4, kernel=8, stride=8), levels=3, mode="bilinear"),
    ),
    "resize up": ("resize", lambda x: op("resize", _half(x), x)),
    "resize down": ("resize", lambda x: op("resize", x, _half(x))),
    "resize bilinear": ("resize", lambda x: op("resize", _half(x), x, mode="bilinear")),
    "resize bilinear down": ("resize", lambda x: op("resize", x, _half(_half(x)), mode="bilinear")),
    "resize pooled": ("resize", lambda x: op("resize", op("global_average_pool", x), x)),
    "resize_to_level up": ("resize_to_level", lambda x: op("resize_to_level", _half(_half(x)), level=1)),
    "resize_to_level down": ("resize_to_level", lambda x: op("resize_to_level", x, level=4)),
    "resize_to_level same": ("resize_to_level", lambda x: op("relu", op("resize_to_level", x, level=0))),
    "resize_to_level bilinear": (
        "resize_to_level",
        lambda x: op("resize_to_level", _half(x), level=0, mode="bilinear"),
    ),
    "crop_to_level": ("crop_to_level", lambda x: op("crop_to_level", x, level=2)),
    "conv_transpose": ("conv_transpose", lambda x: op("conv_transpose", _half(x), channels=5, kernel=2)),
    "conv_transpose 4": ("conv_transpose", lambda x: op("conv_transpose", _half(x), channels=5, kernel=4, bias=True)),
    "conv_transpose stride 4": (
        "conv_transpose",
        lambda x: op("conv_transpose", _half(_half(x)), channels=2, kernel=8, stride=4),
    ),
    "conv_transpose stride 1": ("conv_transpose", lambda x: op("conv_transpose", x, channels=5, kernel=3, stride=1)),
    "linear": ("linear", _of_vector("linear", features=7)),
    "linear without bias": ("linear", _of_vector("linear", features=7, bias=False)),
    "flatten": ("flatten", _flat),
    "softmax": ("softmax", lambda x: op("softmax", x)),
    "softmax of a vector": ("softmax", _of_vector("softmax")),
    "l2_normalise": ("l2_normalise", lambda x: op("l2_normalise", x)),
    "l2_normalise of a vector": ("l2_normalise", _of_vector("l2_normalise", epsilon=10)),
    "pad": ("pad", lambda x: op("pad", x, top=1, bottom=2, left=3, value=Fraction(-1, 2))),
    "pad, mirrored": ("pad", lambda x: op("pad", x, top=3, bottom=1, left=5, mode="reflect")),
    "pad, mirrored almost whole": ("pad", lambda x: op("pad", _half(x), top=15, right=23, mode="reflect")),
    "pad with its edge": ("pad", lambda x: op("pad", x, bottom=40, left=3, right=60, mode="edge")),
    "pad, mirrored, then pools": (
        "pad",
        lambda x: op(
            "average_pool",
            op("average_pool", op("pad", x, mode="reflect", **_ONE_A_SIDE), kernel=2, padding=0),
            kernel=2,
            stride=2,
            padding=0,
        ),
    ),
    "pad, then a convolution": ("pad", lambda x: op("conv", _padded(x), channels=5, kernel=3, padding=0)),
    "pad odd, then a stride": (
        "pad",
        lambda x: op("conv", op("pad", x, bottom=1, right=1), channels=5, kernel=3, stride=2, padding=0),
    ),
    "pad, then two that shrink": (
        "pad",
        lambda x: op("max_pool", op("conv", _padded(x, 2), channels=5, kernel=3, padding=0), kernel=3, padding=0),
    ),
    "pad, then a norm": ("pad", lambda x: op("group_norm", _padded(op("conv", x, channels=4, kernel=1)), groups=2)),
    "pad, then upsample": ("pad", lambda x: op("upsample", _padded(_half(x)), levels=1)),
    "crop": ("crop", lambda x: op("crop", x, top=2, right=3)),
    "crop all sides": ("crop", lambda x: op("crop", x, top=1, bottom=1, left=2, right=2)),
    "crop what was padded": ("crop", lambda x: op("crop", op("pad", x, top=1, left=2), bottom=1, right=2)),
    "pad, then resize": ("pad", lambda x: op("resize", _padded(_half(x)), _padded(x, 2))),
    "reshape": ("reshape", lambda x: _laid(x, 2, 6)),
    "reshape, gate": ("reshape", _gate_of_each),
    "reshape, softmax": ("reshape", lambda x: op("softmax", _laid(x, 2, 6))),
    "reshape, again": ("reshape", lambda x: op("reshape", op("reshape", _laid(x, 2, 6), sizes=(3, 2, 2)), sizes=12)),
    "reshape of a vector": ("reshape", lambda x: op("reshape", op("linear", _flat(x), features=6), sizes=(2, 3))),
    "reshape like a pooled map": ("reshape", lambda x: op("reshape", _flat(x), op("global_average_pool", x), sizes=3)),
    "reshape by way of a vector": ("reshape", _pieces),
    "transpose": ("transpose", lambda x: op("transpose", _laid(x, 2, 6))),
    "transpose three": ("transpose", lambda x: op("transpose", _laid(x, 2, 3, 2), first=2, second=1)),
    "transpose one": ("transpose", lambda x: op("transpose", x, second=0)),
    "channel shuffle": ("transpose", lambda x: op("reshape", op("transpose", _laid(x, 4, 3)), sizes=12)),
    "constant": ("constant", lambda x: op("add", x, op("constant", values=(Fraction(1, 3), -2, 0)))),
    "constant of one": ("constant", lambda x: op("multiply", x, op("constant", values=Fraction(1, 3)))),
    "concat among images": ("concat", _among_images),
    "parameter of positions": ("parameter", lambda x: op("add", x, op("parameter", x, channels=3))),
    "slice": ("slice", lambda x: op("slice", x, channels=2, start=1)),
    "slice of a vector": ("slice", _of_vector("slice", channels=1)),
    "divide": ("divide", lambda x: op("divide", x, op("add_scalar", op("sigmoid", x), value=1))),
    "divide pooled": (
        "divide",
        lambda x: op("divide", x, op("add_scalar", op("global_average_pool", op("sigmoid", x)), value=1)),
    ),
    "maximum": ("maximum", lambda x: op("maximum", x, op("conv", x, channels=3, kernel=1))),
    "maximum of one channel": ("maximum", lambda x: op("maximum", op("channel_mean", x), x)),
    "minimum": ("minimum", lambda x: op("minimum", x, op("conv", x, channels=3, kernel=1))),
    "minimum pooled": ("minimum", _gate("minimum")),
    "maximum_scalar": ("maximum_scalar", lambda x: op("maximum_scalar", x, value=Fraction(1, 2))),
    "minimum_scalar": ("minimum_scalar", lambda x: op("minimum_scalar", x, value=-1)),
    "power": ("power", lambda x: op("power", x, exponent=3)),
    "power, square": ("power", lambda x: op("power", x, exponent=2)),
    "power, inverse": ("power", lambda x: op("power", op("add_scalar", op("relu", x), value=1), exponent=-1)),
    "power, root": ("power", lambda x: op("power", op("relu", x), exponent=Fraction(1, 2))),
    "power, fraction": (
        "power",
        lambda x: op("power", op("add_scalar", op("sigmoid", x), value=1), exponent=Fraction(-5, 2)),
    ),
    "exp": ("exp", lambda x: op("exp", x)),
    "exp of a vector": ("exp", _of_vector("exp")),
    "channel_mean": ("channel_mean", _then("channel_mean")),
    "channel_mean of a vector": ("channel_mean", _of_vector("channel_mean")),
    "channel_mean laid out": ("channel_mean", lambda x: op("channel_mean", _laid(x, 3, 4))),
    "channel_max": ("channel_max", _then("channel_max")),
    "channel_max of a vector": ("channel_max", _of_vector("channel_max")),
    "channel_max laid out": ("channel_max", lambda x: op("channel_max", _laid(x, 3, 4))),
    "channel_sum": ("channel_sum", _then("channel_sum")),
    "channel_sum of a vector": ("channel_sum", _of_vector("channel_sum")),
    "channel_sum laid out": ("channel_sum", lambda x: op("channel_sum", _laid(x, 3, 4))),
    "global_max_pool": ("global_max_pool", lambda x: op("global_max_pool", x)),
    "global_sum_pool": ("global_sum_pool", lambda x: op("global_sum_pool", x)),
    "global_average_pool over the width": ("global_average_pool", lambda x: op("global_average_pool", x, over="width")),
    "global_average_pool over the height": ("global_average_pool", _line("global_average_pool", "height", (3, 5))),
    "global_max_pool over the width": ("global_max_pool", _line("global_max_pool", "width", (5, 1), padding=(2, 0))),
    "global_max_pool over the height": ("global_max_pool", lambda x: op("global_max_pool", _half(x), over="height")),
    "global_sum_pool over the width": ("global_sum_pool", _then("global_sum_pool", over="width")),
    "global_sum_pool over the height, then the width": (
        "global_sum_pool",
        lambda x: op("global_sum_pool", op("global_sum_pool", x, over="height"), over="width"),
    ),
    "global pools over both sides, one by one": ("global_max_pool", _crossed),
    "adaptive_average_pool": ("adaptive_average_pool", lambda x: op("adaptive_average_pool", x, size=4)),
    "adaptive_average_pool uneven": ("adaptive_average_pool", lambda x: op("adaptive_average_pool", x, size=7)),
    "adaptive_average_pool, then a convolution": (
        "adaptive_average_pool",
        lambda x: op("conv", op("adaptive_average_pool", x, size=6), channels=5, kernel=3),
    ),
    "adaptive_average_pool, flat": (
        "adaptive_average_pool",
        lambda x: op("linear", op("flatten", op("adaptive_average_pool", x, size=3)), features=4),
    ),
    "adaptive_average_pool, and back": (
        "adaptive_average_pool",
        lambda x: op("resize", op("adaptive_average_pool", _half(x), size=3), x, mode="bilinear"),
    ),
    "adaptive_average_pool, gates": (
        "adaptive_average_pool",
        lambda x: op("multiply", *(op(name, op("adaptive_average_pool", x, size=2)) for name in ("relu", "sigmoid"))),
    ),
    "channel_conv": ("channel_conv", lambda x: op("channel_conv", x, kernel=3)),
    "channel_conv 5, as a gate": (
        "channel_conv",
        lambda x: op("multiply", x, op("sigmoid", op("channel_conv", op("global_average_pool", x), kernel=5))),
    ),
    "channel_conv, wider than a vector": (
        "channel_conv",
        lambda x: op("channel_conv", op("flatten", op("global_average_pool", x)), kernel=99),
    ),
    "pixel_shuffle": ("pixel_shuffle", lambda x: op("pixel_shuffle", op("conv", _half(x), channels=12, kernel=1))),
    "pixel_shuffle 4": (
        "pixel_shuffle",
        lambda x: op("pixel_shuffle", op("conv", _half(_half(x)), channels=32, kernel=1), factor=4),
    ),
    "pixel_unshuffle": ("pixel_unshuffle", lambda x: op("pixel_unshuffle", x)),
    "pixel_unshuffle 4": ("pixel_unshuffle", lambda x: op("pixel_unshuffle", x, factor=4)),
    "dropout": ("dropout", lambda x: op("dropout", x, rate=Fraction(1, 5))),
    "parameter": ("parameter", _scaled),
    "stochastic_depth": ("stochastic_depth", lambda x: op("stochastic_depth", x, rate=Fraction(1, 5))),
}


FIXED = frozenset({"reshape by way of a vector", "parameter of positions"})  # what has to be of one size


def open_axes(program: Program) -> frozenset[str]:
    """Every axis that may vary."""
    return frozenset({"batch", "height", "width"}) - set(program.static_axes)


def case(name: str) -> tuple[Program, Graph]:
    """The program of a case, and its graph."""
    program = single(CASES[name][1])
    if name in FIXED:
        program = changed(program, static_axes={"height": HERE, "width": HERE})
    return program, flatten(program)
