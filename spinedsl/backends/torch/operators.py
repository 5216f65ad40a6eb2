"""The PyTorch column of the primitive table: how each operation is constructed as a module and called as a function.

In: a `Place`, an operation with the scope to write its numbers in. Out: documents of Python. An operation that owns
parameters is a module; the others are modules in a chain of modules, and functions elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import cast

from spinedsl.backends.torch.body import ManyAt, OpAt, Scalar
from spinedsl.backends.torch.expressions import ATOM, PRODUCT, SIGN, SUM, literal, power
from spinedsl.backends.torch.layout import Bracket, Doc, Joined, call, flat, named
from spinedsl.backends.torch.place import Code, Modules, Place, Row, of_one_kind, unchanged
from spinedsl.backends.torch.rearrange import concat, crop, each_of, pad, reshape, slice_, transpose
from spinedsl.backends.torch.windows import (
    average_pool,
    average_pool_call,
    chains,
    conv,
    conv_call,
    fixed,
    max_pool,
    max_pool_call,
    never_by_size,
)
from spinedsl.ops.types import Value

# ---- other operations with weights ----


def _conv_transpose(place: Place) -> Modules:
    kernel, stride = place.scalar("kernel").values, place.scalar("stride").values
    cut = Scalar({use: (cast(int, kernel[use]) - cast(int, stride[use])) // 2 for use in kernel})
    arguments: list[Doc] = [place.in_channels(), place.number("channels"), place.number("kernel")]
    arguments.append(named("stride", place.number("stride")))
    arguments += [named("padding", place.write(cut, "padding"))] if cut.constant != 0 else []
    return "", call("nn.ConvTranspose2d", *arguments, *place.optional(bias=True))


def _channel_conv(place: Place) -> Modules:
    return "", call("ChannelConv1d", place.number("kernel"))


def _linear(place: Place) -> Modules:
    return "", call("nn.Linear", place.in_channels(), place.number("features"), *place.optional(bias=True))


# ---- normalisation ----


def _epsilon(place: Place) -> list[Doc]:
    return [named("eps", doc) for doc in [place.number("epsilon")] if place.constant("epsilon") != Fraction(1, 100_000)]


def _of_vectors(place: Place) -> bool:
    """It normalises vectors; all uses of a class do, or none (`written.wiring`)."""
    return all(type_.is_vector for (type_,) in place.op.types.values())


def _batch_norm(place: Place) -> Modules:
    share = place.scalar("momentum")
    momentum = Scalar({use: 1 - cast(Fraction, value) for use, value in share.values.items()})
    usual = momentum.constant == Fraction(1, 10)
    moving = [] if usual else [named("momentum", place.write(momentum, "momentum"))]
    kind = "nn.BatchNorm1d" if _of_vectors(place) else "nn.BatchNorm2d"
    return "", call(kind, place.in_channels(), *_epsilon(place), *moving)


def _layer_norm(place: Place) -> Modules:
    kind = "nn.LayerNorm" if _of_vectors(place) else "LayerNorm2d"
    return "", call(kind, place.in_channels(), *_epsilon(place))


def _group_norm(place: Place) -> Modules:
    return "", call("nn.GroupNorm", place.number("groups"), place.in_channels(), *_epsilon(place))


# ---- one number at a time ----


def _elementwise(module: str, function: str) -> Row:
    return Row(lambda place: ("", f"{module}()"), lambda place, inputs: Code(call(function, inputs[0].doc)))


def _sixth(op: OpAt) -> bool:
    """The slope that PyTorch's own has."""
    return op.attributes["slope"].constant == Fraction(1, 6)


def _hard_sigmoid(place: Place, inputs: Sequence[Code]) -> Code:
    if _sixth(place.op):
        return Code(call("F.hardsigmoid", inputs[0].doc))
    inner = call("F.relu6", _join(inputs[0].within(SUM), "+", "3"))
    return Code(_join(inner, "*", place.write(of_one_kind(place.scalar("slope")), "slope", SIGN)), PRODUCT)


def _add_scalar(place: Place, inputs: Sequence[Code]) -> Code:
    constant = place.constant("value")
    left = inputs[0].within(SUM)
    if isinstance(constant, int | Fraction) and constant < 0:
        return Code(_join(left, "-", literal(-constant)), SUM)
    return Code(_join(left, "+", place.write(of_one_kind(place.scalar("value")), "offset", PRODUCT)), SUM)


def _multiply_scalar(place: Place, inputs: Sequence[Code]) -> Code:
    if place.constant("value") == -1:
        negated = inputs[0].within(SIGN)
        return Code(f"-{flat(negated)}", SIGN, negated)
    return Code(
        _join(inputs[0].within(PRODUCT), "*", place.write(of_one_kind(place.scalar("value")), "factor", SIGN)), PRODUCT
    )


# ---- several inputs ----


def _join(left: Doc, operator: str, right: Doc) -> Joined:
    """`left operator right`, one level deep with what is joined already on the left."""
    if isinstance(left, Joined) and (operator in "*/") == (left.rest[0][0] in "*/"):
        return Joined(left.first, (*left.rest, (operator, right)))
    return Joined(flat(left) if isinstance(left, Joined) else left, ((operator, right),))


def _add(place: Place, inputs: Sequence[Code]) -> Code:
    """A sum from left to right; of a list, all of it."""
    operand = place.op.inputs[0]
    if isinstance(operand, ManyAt) and operand.name:
        return Code(call("add_up", inputs[0].doc))
    total, *others = inputs
    if not others:
        return total
    doc = total.within(SUM)
    for other in others:
        if other.negated is not None and len(place.op.inputs) == 2:
            doc = _join(doc, "-", other.negated)  # `a + (-b)` was written as `a - b`
        else:
            doc = _join(doc, "+", other.within(PRODUCT))
    return Code(doc, SUM)


def _multiply(place: Place, inputs: Sequence[Code]) -> Code:
    return Code(_join(inputs[0].within(PRODUCT), "*", inputs[1].within(SIGN)), PRODUCT)


def _divide(place: Place, inputs: Sequence[Code]) -> Code:
    return Code(_join(inputs[0].within(PRODUCT), "/", inputs[1].within(SIGN)), PRODUCT)


def _both(function: str) -> Row:
    return Row(function=lambda place, inputs: Code(call(function, inputs[0].doc, inputs[1].doc)))


def _bounded(side: str) -> Row:
    """`x.clamp(min=0.5)`."""

    def function(place: Place, inputs: Sequence[Code]) -> Code:
        bound = named(side, place.write(of_one_kind(place.scalar("value")), "bound"))
        return _method("clamp", inputs[0], bound)

    return Row(function=function)


def _power(place: Place, inputs: Sequence[Code]) -> Code:
    (x,), constant = inputs, place.constant("exponent")
    if constant == -1:
        return Code(_join("1", "/", x.within(SIGN)), PRODUCT)
    if constant == Fraction(1, 2):
        return Code(call("torch.sqrt", x.doc))
    exponent = place.write(of_one_kind(place.scalar("exponent")), "exponent", SIGN)
    return Code(power(flat(x.within(ATOM)), exponent), SIGN)


def _method(method: str, x: Code, *arguments: Doc) -> Code:
    """`x.method(…)`; of what is a call itself `torch.method(x, …)`."""
    inner = x.within(ATOM)
    if isinstance(inner, Bracket):
        return Code(call(f"torch.{method}", inner, *arguments))
    return Code(call(f"{flat(inner)}.{method}", *arguments))


def _reduced(method: str, axes: str) -> Row:
    return Row(function=lambda place, inputs: _method(method, inputs[0], axes, named("keepdim", "True")))


# ---- size and the rest ----


_AXES: Mapping[str, Value] = {"both": (2, 3), "height": 2, "width": 3}


def _over_positions(method: str) -> Callable[[Place, Sequence[Code]], Code]:
    """Over the positions, or over one side of them."""

    def function(place: Place, inputs: Sequence[Code]) -> Code:
        over = place.scalar("over").values
        axes = Scalar({use: _AXES[cast(str, side)] for use, side in over.items()})
        return _method(method, inputs[0], place.write(axes, "axis"), named("keepdim", "True"))

    return function


def _whole(op: OpAt) -> bool:
    """Over both sides."""
    return op.attributes["over"].constant == "both"


def _sized(module: str, function: str, attribute: str) -> Row:
    """An operation with one number, which is a module in a chain."""
    return Row(
        lambda place: ("", call(module, place.number(attribute))),
        lambda place, inputs: Code(call(function, inputs[0].doc, place.number(attribute))),
    )


def _scale_factor(place: Place) -> str:
    constant = place.constant("levels")
    if isinstance(constant, int):
        return str(2.0**constant)
    return power("2.0", place.number("levels", SIGN))


def _upsample_function(place: Place, inputs: Sequence[Code]) -> Code:
    if place.constant("levels") == 0:
        return inputs[0]
    scale = named("scale_factor", _scale_factor(place))
    return Code(call("F.interpolate", inputs[0].doc, scale, named("mode", place.number("mode"))))


def _upsample(place: Place) -> Modules:
    mode = place.optional(mode="nearest")
    return "", call("nn.Upsample", named("scale_factor", _scale_factor(place)), *mode)


def _resize(place: Place, inputs: Sequence[Code]) -> Code:
    x, like = inputs
    size = f"{flat(like.within(ATOM))}.shape[2:]"
    return Code(call("F.interpolate", x.doc, named("size", size), named("mode", place.number("mode"))))


def _crop_to_level(place: Place, inputs: Sequence[Code]) -> Code:
    return Code(call("crop_to", inputs[0].doc, place.level_size()))


def _resize_to_level(place: Place, inputs: Sequence[Code]) -> Code:
    size = place.level_size()
    if place.constant("mode") == "nearest":
        return Code(call("resize_nearest", inputs[0].doc, size))
    return Code(call("F.interpolate", inputs[0].doc, named("size", size), named("mode", place.number("mode"))))


def _l2_normalise(place: Place, inputs: Sequence[Code]) -> Code:
    usual = place.constant("epsilon") == Fraction(1, 10**12)
    return Code(call("F.normalize", inputs[0].doc, *([] if usual else [named("eps", place.real("epsilon"))])))


def _parameter(place: Place) -> Modules:
    """The number that it starts with, or the variance of drawn ones; and the size of the map that it is like."""
    start, scale = place.scalar("init").values, place.scalar("init_scale").values
    drawn = {use: isinstance(value, str) for use, value in start.items()}
    init = Scalar({use: 0 if drawn[use] else value for use, value in start.items()}, place.scalar("init").exprs)
    variance = Scalar({use: scale[use] if drawn[use] else 0 for use in start}, place.scalar("init_scale").exprs)
    arguments: list[Doc] = [place.number("channels")]
    if any(place.op.types.values()):
        for side in ("height", "width"):
            sizes = Scalar({use: getattr(like, side) for use, (like,) in place.op.types.items()})
            arguments.append(place.write(sizes, f"{place.op.path[0]}_{side}"))
    arguments += [named("init", place.write(init, "init"))] if init.constant != 1 else []
    arguments += [named("variance", place.write(variance, "variance"))] if variance.constant != 0 else []
    return "", call("Trainable", *arguments)


def _constant(place: Place) -> Modules:
    return "", call("Constant", *(place.write(value, "number") for value in each_of(place.scalar("values"))))


def _given(place: Place, inputs: Sequence[Code]) -> Code:
    """A submodule that takes nothing."""
    return Code(call(place.member))


def _drops(op: OpAt) -> bool:
    return op.attributes["rate"].constant != 0


def _dropping(function: str) -> Row:
    """What drops numbers in training; nothing at all where its rate is always 0."""

    def drop(place: Place, inputs: Sequence[Code]) -> Code:
        if not _drops(place.op):
            return inputs[0]
        return Code(call(function, inputs[0].doc, place.real("rate"), "self.training"))

    return Row(function=drop, trains=_drops)


OPERATORS: Mapping[str, Row] = {
    "conv": Row(conv, conv_call, owns=True, chains=chains),
    "conv_transpose": Row(_conv_transpose, owns=True),
    "linear": Row(_linear, owns=True),
    "channel_conv": Row(_channel_conv, owns=True),
    "flatten": Row(
        lambda place: ("", "nn.Flatten()"), lambda place, inputs: Code(call("torch.flatten", inputs[0].doc, "1"))
    ),
    "reshape": Row(function=reshape),
    "transpose": Row(function=transpose),
    "batch_norm": Row(_batch_norm, owns=True),
    "layer_norm": Row(_layer_norm, owns=True),
    "group_norm": Row(_group_norm, owns=True),
    "relu": _elementwise("nn.ReLU", "F.relu"),
    "relu6": _elementwise("nn.ReLU6", "F.relu6"),
    "swish": _elementwise("nn.SiLU", "F.silu"),
    "hard_swish": _elementwise("nn.Hardswish", "F.hardswish"),
    "sigmoid": _elementwise("nn.Sigmoid", "torch.sigmoid"),
    "hard_sigmoid": Row(lambda place: ("", "nn.Hardsigmoid()"), _hard_sigmoid, chains=_sixth),
    "gelu": _elementwise("nn.GELU", "F.gelu"),
    "identity": Row(lambda place: ("", "nn.Identity()"), unchanged),
    "softmax": Row(
        lambda place: ("", "nn.Softmax(1)"), lambda place, inputs: Code(call("torch.softmax", inputs[0].doc, "1"))
    ),
    "add": Row(function=_add),
    "multiply": Row(function=_multiply),
    "add_scalar": Row(function=_add_scalar),
    "multiply_scalar": Row(function=_multiply_scalar),
    "divide": Row(function=_divide),
    "maximum": _both("torch.maximum"),
    "minimum": _both("torch.minimum"),
    "maximum_scalar": _bounded("min"),
    "minimum_scalar": _bounded("max"),
    "power": Row(function=_power),
    "exp": Row(function=lambda place, inputs: Code(call("torch.exp", inputs[0].doc))),
    "channel_mean": _reduced("mean", "1"),
    "channel_max": _reduced("amax", "1"),
    "channel_sum": _reduced("sum", "1"),
    "l2_normalise": Row(function=_l2_normalise),
    "concat": Row(function=concat),
    "pad": Row(function=pad),
    "crop": Row(function=crop),
    "slice": Row(function=slice_),
    "max_pool": Row(max_pool, max_pool_call, chains=never_by_size),
    "average_pool": Row(average_pool, average_pool_call, chains=fixed),
    "global_average_pool": Row(lambda place: ("", "nn.AdaptiveAvgPool2d(1)"), _over_positions("mean"), chains=_whole),
    "global_max_pool": Row(function=_over_positions("amax")),
    "global_sum_pool": Row(function=_over_positions("sum")),
    "adaptive_average_pool": _sized("nn.AdaptiveAvgPool2d", "F.adaptive_avg_pool2d", "size"),
    "pixel_shuffle": _sized("nn.PixelShuffle", "F.pixel_shuffle", "factor"),
    "pixel_unshuffle": _sized("nn.PixelUnshuffle", "F.pixel_unshuffle", "factor"),
    "upsample": Row(_upsample, _upsample_function),
    "resize": Row(function=_resize),
    "resize_to_level": Row(function=_resize_to_level),
    "crop_to_level": Row(function=_crop_to_level),
    "parameter": Row(_parameter, _given, owns=True, chains=lambda op: False),
    "constant": Row(_constant, _given, owns=True, chains=lambda op: False),
    "dropout": _dropping("F.dropout"),
    "stochastic_depth": _dropping("stochastic_depth"),
}
