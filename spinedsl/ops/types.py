"""What flows through a program: feature maps with a level, and compile-time values with the expression they came from.

An expression is kept beside each value because readable code needs it: `channels * 4` says more than `256`. It is a
small tree of its own, in the names of the definition that it stands in.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from spinedsl.brief import brief, cut, short_path
from spinedsl.record import Record

Value: TypeAlias = int | Fraction | bool | str | tuple["Value", ...]

SINGLE_MOST = float.fromhex("0x1.fffffep127")  # the largest number of float32
SINGLE_LEAST = 2.0**-126  # the smallest above 0; runtimes may take those that have fewer digits for 0


class Type(Record):
    """A feature map of shape (batch, channels, height, width). `level` L means stride 2^L; None a map that is pooled.

    Of rank 2 it is a vector, of shape (batch, channels), with neither height, width nor level. A map between levels has
    none either: its `stride`, 0 elsewhere, is no power of two, or another for the height than for the width. Where the
    input has one size, a map of two strides has the level of the larger. A map pooled over one side alone has a stride
    of 0 there, and one position. `reshape` lays the channels out along several `axes`, which then stand in their place.
    """

    channels: int
    height: int
    width: int
    level: int | None
    rank: int = 4
    stride: int | tuple[int, int] = 0
    axes: tuple[int, ...] = ()  # two or more, or none
    extra: tuple[int, int] = (0, 0)  # by how much height and width exceed those of the strides, after `pad` or `crop`
    batched: bool = True  # False: it does not depend on the input, and its batch is 1

    @property
    def size(self) -> str:
        """`height x width` in words."""
        return f"{self.height}x{self.width}"

    @property
    def strides(self) -> tuple[int, int]:
        """How many of the input's rows and columns lie from one position to the next; 1 of what has no place in it."""
        stride = self.stride or 1 << (self.level or 0)
        return (stride[0] or 1, stride[1] or 1) if isinstance(stride, tuple) else (stride, stride)

    @property
    def over(self) -> str:
        """The side alone that it is pooled over: `height` or `width`; empty for every other map."""
        if not isinstance(self.stride, tuple) or 0 not in self.stride:
            return ""
        return "width" if self.stride[0] else "height"

    @property
    def is_vector(self) -> bool:
        """Of shape (batch, channels)."""
        return self.rank == 2

    @property
    def is_pooled(self) -> bool:
        """Of a size of its own, 1x1 but for `adaptive_average_pool`, whatever the size of the network's input."""
        return self.rank == 4 and self.level is None and not self.stride

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes for one image."""
        channels = self.axes or (self.channels,)
        return channels if self.is_vector else (*channels, self.height, self.width)

    def __str__(self) -> str:
        sizes = by(self.shape)
        if self.is_vector:
            return f"{sizes} (vector)"
        more = "" if self.extra == (0, 0) else f" {self.extra[0]:+}x{self.extra[1]:+}"
        return f"{sizes} ({self.where}{more})"

    def __brief__(self) -> str:
        return str(self)

    @property
    def where(self) -> str:
        """The level or the stride in words."""
        if self.over:
            return f"pooled over its {self.over}, stride {max(self.strides)}"
        if self.level is None:
            return f"stride {by(self.stride)}" if self.stride else "pooled"
        return f"level {self.level}, stride {by(self.stride)}" if self.stride else f"level {self.level}"


def vector(features: int) -> Type:
    """The type of a vector."""
    return Type(features, 1, 1, None, rank=2)


def by(value: Value) -> str:
    """One number, or two as in `3x1`."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def at_level(size: int, level: int) -> int:
    """Height or width of the maps of a level, for an input of `size`: divided by 2^level, rounded up."""
    return -(-size >> level)


class Loc(Record):
    """A line of a `.spine` file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def __brief__(self) -> str:
        return f"{short_path(self.file)}:{self.line}"


# ---- expressions over compile-time values ----


class Literal(Record):
    """A number, flag or symbol as written."""

    value: Value

    def __brief__(self) -> str:
        return brief(self.value)


class Name(Record):
    """A parameter, a compile-time `let` or the index of a `repeat`.

    `binder` numbers the statement that binds it in its definition; it is 0 for a parameter.
    """

    name: str
    binder: int = 0

    def __brief__(self) -> str:
        return cut(self.name, 40)


class Property(Record):
    """`base.name` of a feature map or a block, such as `x.channels`."""

    base: str
    name: str

    def __brief__(self) -> str:
        return f"{cut(self.base, 40)}.{self.name}"


class Operation(Record):
    """An operator or function over expressions: `+ - * / == … and or not if`, `floor`, `round`, `max`, `min`."""

    operator: str
    operands: tuple[Expr, ...]

    def __brief__(self) -> str:
        parts = ["…" if isinstance(part, Operation) else part.__brief__() or "opaque" for part in self.operands[:3]]
        return f"{self.operator} of {', '.join(parts)}" + ", …" * (len(self.operands) > 3)


class Opaque(Record):
    """A value that no expression in this definition's own names gives."""


Expr: TypeAlias = Literal | Name | Property | Operation | Opaque


class Attr(Record):
    """A compile-time value and where it comes from."""

    value: Value
    expr: Expr

    def __brief__(self) -> str:
        held = brief(self.value)
        return held if isinstance(self.expr, Literal | Opaque) else f"{held} = {self.expr.__brief__()}"
