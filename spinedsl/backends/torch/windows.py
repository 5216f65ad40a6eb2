"""Convolutions and pools in PyTorch: what differs from the table is padding, which PyTorch takes on both sides alike.

In: a `Place`. Out: documents of Python. Uneven padding is put around the map before the operation; padding that depends
on a stride which uses give differently is worked out by generated code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias, cast

from spinedsl.backends.torch.body import CallAt, OpAt, Scalar, Use
from spinedsl.backends.torch.expressions import SIGN, SUM
from spinedsl.backends.torch.layout import Doc, call, named
from spinedsl.backends.torch.place import Code, Modules, Place
from spinedsl.ops.primitives import Attributes, pads
from spinedsl.ops.rules import PLAIN, SCALED, STANDARDISED, along, kernel_of, oblong, window
from spinedsl.ops.types import Literal, Operation
from spinedsl.record import Record

WINDOW = ("kernel", "stride", "padding", "dilation")


class _Padding(Record):
    """Equal on all sides, as an argument of the operation itself, or put around the map before it; or none.

    A pool whose windows may reach `over` the end, where they see what lies inside, needs no more there.
    """

    inside: str = ""
    over: bool = False
    around: Doc = ""
    by_size: tuple[Doc, ...] = ()  # what works it out when the code runs: arguments of `same_pad` after the map

    def put_around(self, x: Doc, *value: Doc) -> Doc:
        """The map as the operation expects it, with 0 or `value` around it."""
        if self.by_size:
            return call("same_pad", x, *self.by_size, *value)
        return call("F.pad", x, self.around, *value) if self.around else x

    @property
    def argument(self) -> list[Doc]:
        """For the operation itself."""
        inside = [named("padding", self.inside)] if self.inside else []
        return [*inside, "ceil_mode=True"] if self.over else inside


_Sides: TypeAlias = tuple[tuple[int, int], tuple[int, int]]


def _given(op: OpAt, use: Use) -> Attributes:
    return {name: op.attributes[name].values[use] for name in WINDOW if name in op.attributes}


def _amounts(op: OpAt) -> dict[Use, _Sides]:
    """Padding before and after the height and the width, for every use."""
    amounts: dict[Use, _Sides] = {}
    for use, (x,) in op.types.items():
        given = _given(op, use)
        amounts[use] = pads(*window(given, 0), x.height), pads(*window(given, 1), x.width)
    return amounts


def _differs_by_side(op: OpAt) -> bool:
    """Some use has a kernel, a stride or a padding that is another along the width."""
    return any(oblong(_given(op, use)) for use in op.attributes["kernel"].values)


def _even(op: OpAt) -> bool:
    """Equal padding on all sides. PyTorch's pools take at most half a kernel of it themselves."""
    takes_all = op.primitive == "conv"
    return all(
        before == after and (takes_all or 2 * before <= kernel)
        for use, sides in _amounts(op).items()
        for (before, after), kernel in zip(sides, kernel_of(_given(op, use)), strict=True)
    )


def by_size(op: OpAt) -> bool:
    """SAME padding that depends on the size of the map."""
    stride, padding = (op.attributes[name].values for name in ("stride", "padding"))
    same = [use for use in stride if padding[use] == "same"]
    moves = (max(kernel_of(_given(op, use))) > 1 and stride[use] != 1 for use in same)
    return op.open_size and any(moves)


def _always_same(op: OpAt) -> bool:
    """No use says its padding in another way."""
    return set(op.attributes["padding"].values.values()) == {"same"}


def fixed(op: OpAt) -> bool:
    """Padding that the operation does itself, the same in every use."""
    return not by_size(op) and (_over(op) is not None or (_even(op) and len(set(_amounts(op).values())) == 1))


def never_by_size(op: OpAt) -> bool:
    """The padding is known before the code runs."""
    return not by_size(op)


def _over(op: OpAt) -> int | None:
    """How much a pool pads before each axis, where it pads one more after: the last window may reach over the end.

    That gives as many windows as the padding where a stride above 1 divides the size, and always where it is 2.
    """
    amounts = set(_amounts(op).values())
    if op.primitive == "conv" or by_size(op) or len(amounts) > 1:
        return None
    ((rows, columns),) = amounts
    before, after = rows
    if rows != columns:
        return None
    strides = {along(stride, axis) for stride in op.attributes["stride"].values.values() for axis in (0, 1)}
    whole = 1 not in strides and all(type_.extra == (0, 0) for types in op.types.values() for type_ in types)
    return before if after == before + 1 and (strides == {2} or whole) else None


def _inside(place: Place) -> Scalar:
    """Even padding, with ways to say it: half a kernel's reach, for kernels and dilations that a class is given."""
    halves = [Operation("//", (kernel, Literal(2))) for kernel in place.scalar("kernel").exprs]
    dilations = place.op.attributes["dilation"].exprs if "dilation" in place.op.attributes else ()
    exprs = halves + [Operation("*", (dilation, half)) for dilation in dilations for half in halves]
    halves_of = {use: (rows[0], columns[0]) for use, (rows, columns) in _amounts(place.op).items()}
    pairs = any(high != wide for high, wide in halves_of.values())
    return Scalar({use: both if pairs else both[0] for use, both in halves_of.items()}, tuple(exprs))


def _by_stride(place: Place) -> bool:
    """SAME padding that no one number says, since the stride differs between uses, and divides all their sizes."""
    differs = len(set(_amounts(place.op).values())) > 1 and not _differs_by_side(place.op) and _divides(place.op)
    same = set(place.scalar("padding").values.values()) == {"same"}
    return differs and same and not (_even(place.op) and place.scope.written(_inside(place)) is not None)


def _divides(op: OpAt) -> bool:
    """The stride of every use divides the map: always, but where a network takes inputs of one size."""
    strides = op.attributes["stride"].values
    sizes = (
        (size, along(strides[use], axis))
        for use, (x,) in op.types.items()
        for axis, size in enumerate((x.height, x.width))
    )
    return all(size % cast(int, stride) == 0 for size, stride in sizes)


def _padding(place: Place) -> _Padding:
    """What `pads` says for every use."""
    if by_size(place.op):
        return _Padding(by_size=(_reach(place), place.number("stride"), *_even_instead(place)))
    if _by_stride(place):
        return _Padding(around=call("same_padding", _reach(place), place.number("stride")))
    if (before := _over(place.op)) is not None:
        return _Padding(inside=str(before) if before else "", over=True)
    if _even(place.op):
        inside = _inside(place)
        return _Padding() if inside.constant in (0, (0, 0)) else _Padding(inside=place.write(inside, "padding"))
    sides = Scalar({use: (*columns, *rows) for use, (rows, columns) in _amounts(place.op).items()})
    return _Padding(around=place.write(sides, "padding"))


def _even_instead(place: Place) -> list[Doc]:
    """What uses say that do not pad SAME; -1 for those that do."""
    if _always_same(place.op):
        return []
    padding = place.scalar("padding").values
    amounts = _amounts(place.op).items()
    even = Scalar({use: -1 if padding[use] == "same" else rows[0] for use, (rows, _) in amounts})
    return [named("even", place.write(even, "padding"))]


def _reach(place: Place) -> str:
    """The numbers that a kernel spans."""
    if "dilation" not in place.op.attributes or place.constant("dilation") == 1:
        return place.number("kernel")
    return f"({place.number('kernel', SUM)} - 1) * {place.number('dilation', SIGN)} + 1"


# ---- convolutions ----


# The module of a kernel that is standardised; all uses of a class do that alike, or none (`written.wiring`).
STANDARDISING = {STANDARDISED: "StandardisedConv2d", SCALED: "ScaledConv2d"}


def _standardising(op: OpAt) -> str | None:
    """The class of a convolution that standardises its kernel. Another pads its map."""
    weight = op.attributes["weight"].constant
    assert isinstance(weight, str)
    return None if weight == PLAIN else STANDARDISING[weight]


def chains(op: OpAt) -> bool:
    """The module does all of the work."""
    return not by_size(op) or (_always_same(op) and _standardising(op) is None)


def unsettled(parts: Iterable[OpAt | CallAt]) -> frozenset[tuple[str, ...]]:
    """Paths of the shared convolutions that one module cannot do: iterations share weights, and move them otherwise."""
    seen: dict[tuple[str, ...], dict[int, set[object]]] = {}
    for op in parts:
        if isinstance(op, OpAt) and op.shared and op.primitive == "conv":
            moves = [op.attributes[name].values for name in ("stride", "padding", "dilation")]
            of_module = seen.setdefault(op.path, {})
            for use in op.channels.values:
                of_module.setdefault(use.module, set()).add(tuple(values[use] for values in moves))
    return frozenset(path for path, found in seen.items() if any(len(moves) > 1 for moves in found.values()))


def _settled(place: Place) -> bool:
    """One module does it, in all iterations."""
    return place.op.path not in place.scope.unsettled


def conv(place: Place) -> Modules:
    """The constructor; one that works out its own padding where no number says it."""
    arguments: list[Doc] = [place.in_channels(), place.number("channels"), place.number("kernel")]
    if (kind := _standardising(place.op)) is not None:
        return _standardised(place, kind, arguments)
    if by_size(place.op):
        own = "SamePaddedConv2d" if _always_same(place.op) else "nn.Conv2d"
        return "", call(own, *arguments, *place.optional(stride=1, dilation=1, groups=1, bias=True))
    if _by_stride(place):
        options = place.optional(dilation=1, groups=1, bias=True)
        return "", call("SameConv2d", *arguments, named("stride", place.number("stride")), *options)
    padding = _padding(place)
    arguments += [*place.optional(stride=1), *padding.argument, *place.optional(dilation=1, groups=1, bias=True)]
    return call("nn.ZeroPad2d", padding.around) if padding.around else "", call("nn.Conv2d", *arguments)


def _standardised(place: Place, kind: str, arguments: list[Doc]) -> Modules:
    """The constructor of a convolution that standardises its kernel, and that of the padding."""
    padding = _padding(place)
    arguments += [*place.optional(stride=1), *padding.argument, *place.optional(dilation=1, groups=1, bias=True)]
    if place.constant("epsilon") != Fraction(1, 1_000_000):
        arguments.append(named("eps", place.real("epsilon")))
    if kind == STANDARDISING[SCALED] and place.constant("gamma") != 1:
        arguments.append(named("gamma", place.real("gamma")))
    return call("nn.ZeroPad2d", padding.around) if padding.around else "", call(kind, *arguments)


def conv_call(place: Place, inputs: Sequence[Code]) -> Code:
    """The convolution outside a chain, on its padded input."""
    x, member, kind = inputs[0].doc, place.member, _standardising(place.op)
    if kind is None and _settled(place) and (chains(place.op) if by_size(place.op) else _by_stride(place)):
        return Code(call(member, x))
    padding = _padding(place)
    x = padding.put_around(x)
    # Of one that stands beside a shared one of its name, only the module knows how it makes its kernel.
    if _settled(place) or (kind is not None and not place.op.shared):
        return Code(call(member, x))
    moves = [*place.optional(stride=1), *padding.argument, *place.optional(dilation=1, groups=1)]
    kernel = f"{member}.weight" if kind is None else f"{member}.kernel()"
    return Code(call("F.conv2d", x, kernel, f"{member}.bias", *moves))


# ---- pools ----


def _pool_arguments(place: Place, padding: _Padding) -> list[Doc]:
    return [place.number("kernel"), named("stride", place.number("stride")), *padding.argument]


_LOWEST = 'float("-inf")'


def max_pool(place: Place) -> Modules:
    """The constructor, and that of the padding."""
    padding = _padding(place)
    before = call("nn.ConstantPad2d", padding.around, _LOWEST) if padding.around else ""
    return before, call("nn.MaxPool2d", *_pool_arguments(place, padding))


def max_pool_call(place: Place, inputs: Sequence[Code]) -> Code:
    """The function on its padded input."""
    padding = _padding(place)
    x = padding.put_around(inputs[0].doc, named("value", _LOWEST))
    return Code(call("F.max_pool2d", x, *_pool_arguments(place, padding)))


_INSIDE_ONLY = "count_include_pad=False"


def average_pool(place: Place) -> Modules:
    """The constructor, where the padding is `fixed`."""
    padding = _padding(place)
    uncounted = [_INSIDE_ONLY] if padding.argument else []
    return "", call("nn.AvgPool2d", *_pool_arguments(place, padding), *uncounted)


def average_pool_call(place: Place, inputs: Sequence[Code]) -> Code:
    """The function; padding does not count."""
    padding = _padding(place)
    if padding.by_size:
        return Code(call("same_average_pool", inputs[0].doc, *padding.by_size))
    if padding.around:
        window = (place.number("kernel"), place.number("stride"))
        return Code(call("average_pool", inputs[0].doc, *window, padding.around))
    uncounted = [_INSIDE_ONLY] if padding.argument else []
    return Code(call("F.avg_pool2d", inputs[0].doc, *_pool_arguments(place, padding), *uncounted))
