"""What an expression of a definition can be: a number, flag or symbol, feature maps, a block, or unknown."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, TypeAlias

from spinedsl.brief import counted
from spinedsl.ir.library import KIND_IN_WORDS, Defined
from spinedsl.ir.scalars import Poison, describe, is_number, key_of
from spinedsl.ops.program import Call, Many, Op, Ref
from spinedsl.ops.types import Type, Value
from spinedsl.record import Record
from spinedsl.source import Span

MAP_PROPERTIES = ("channels", "level", "height", "width")
BLOCK_PROPERTIES = ("channels", "in_channels", "out_channels", "level", "height", "width")


class Block(Record):
    """What a definition may ask of a block of the network. A None is what the block's type does not tell."""

    name: str
    level: int
    channels: int | None
    in_channels: int | None
    out_channels: int | None
    height: int
    width: int


class Held(Record, eq=False):
    """A definition by its name, which a parameter or a `let` holds. `span` is where it was named."""

    defined: Defined
    span: Span

    def __str__(self) -> str:
        return f"`{self.defined.name}`, {KIND_IN_WORDS[self.defined.kind]}"


FeatureMap: TypeAlias = Ref | Op | Call
Result: TypeAlias = "Value | FeatureMap | Many | Block | Held | Poison"
Environment: TypeAlias = dict[str, Result]

_SCALARS: Final = frozenset({int, Fraction, bool, str, tuple})
MAPS: Final = (Ref, Op, Call)  # for `isinstance`: a union would be built anew for every question


def type_of(value: Result) -> Type | None:
    """Type of a feature map; None of anything else."""
    return value.type if isinstance(value, MAPS) else None


def is_scalar(value: Result) -> bool:
    """A number, a flag, a symbol, or a list of numbers."""
    return is_number(value) or isinstance(value, bool | str | tuple)


def written(value: Result) -> Value | None:
    """A compile-time value as programs keep it, a definition by its name; None of anything else."""
    if type(value) in _SCALARS:
        return value  # type: ignore[return-value]
    return value.defined.name if isinstance(value, Held) else None


def memo_key(value: Result) -> object:
    """What a definition can see of an argument: of a feature map its type, not where it comes from."""
    if type(value) in _SCALARS:
        return key_of(value)
    if isinstance(value, MAPS):
        return value.type
    if isinstance(value, Many):
        return tuple([memo_key(item) for item in value.items])
    if isinstance(value, Held):
        return value.defined
    if isinstance(value, Block):
        # Its name is for messages: blocks of the same shape are resampled by the same module.
        return (Block, value.level, value.channels, value.in_channels, value.out_channels, value.height, value.width)
    return key_of(value)


def in_words(value: object) -> str:
    """A value in the words of a message."""
    if isinstance(value, MAPS):
        return f"a feature map of {value.type}"
    if isinstance(value, Many):
        return "a list of feature maps"
    if isinstance(value, Block):
        return f"block `{value.name}`"
    if isinstance(value, tuple):
        return f"a list of {counted(len(value), 'number')}"
    return describe(value)
