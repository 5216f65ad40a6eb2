"""An operation at its place in a class, with the scope to write its numbers in; and a row of the table that does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from spinedsl.backends.torch.body import ManyAt, OpAt, Scalar
from spinedsl.backends.torch.expressions import ATOM
from spinedsl.backends.torch.layout import Doc, call, flat, named
from spinedsl.backends.torch.scope import Scope
from spinedsl.ops.types import Value
from spinedsl.record import Record


class Code(Record):
    """An expression of Python, and how tightly it binds; of `-x`, also `x`."""

    doc: Doc
    binds: int = ATOM
    negated: Doc | None = None

    def within(self, least: int) -> Doc:
        """The expression, in parentheses if it binds more loosely than `least`."""
        return self.doc if self.binds >= least else f"({flat(self.doc)})"


class Place(Record):
    """An operation at its place in a class; its numbers are written for `forward` or for `__init__`."""

    op: OpAt
    scope: Scope
    forward: bool
    sizes: str = ""  # in `forward`: what holds the size of every level
    member: str = ""  # in `forward`: the submodule that the operation is, if it is one

    def scalar(self, name: str) -> Scalar:
        """An attribute."""
        return self.op.attributes[name]

    def constant(self, name: str) -> Value | None:
        """The attribute's value, if all uses agree."""
        return self.scalar(name).constant

    def write(self, scalar: Scalar, hint: str, least: int = 0) -> str:
        """A number in Python."""
        return (self.scope.in_forward if self.forward else self.scope.in_init)(scalar, hint, least)

    def number(self, name: str, least: int = 0) -> str:
        """An attribute in Python."""
        return self.write(self.scalar(name), self._hint(name), least)

    def real(self, name: str) -> str:
        """An attribute in Python, as a `float` in every use."""
        return self.reals(self.scalar(name), name)

    def reals(self, scalar: Scalar, name: str) -> str:
        """Numbers in the place of an attribute, in the same way."""
        if type(scalar.constant) is int:
            return repr(float(scalar.constant))
        text = self.write(of_one_kind(scalar), self._hint(name))
        return f"float({text})" if all(type(value) is int for value in scalar.values.values()) else text

    def _hint(self, name: str) -> str:
        return f"{self.op.path[0]}_{name}" if self.op.path else name

    def optional(self, **usual: Value) -> list[Doc]:
        """Attributes by name, less those that have their usual value in every use."""
        return [named(name, self.number(name)) for name, value in usual.items() if self.constant(name) != value]

    def level_size(self) -> str:
        """Height and width of the attribute `level`'s maps."""
        return f"{self.sizes}[{self.number('level')}]"

    def in_channels(self) -> str:
        """Channels of the first input."""
        operand = self.op.inputs[0]
        assert not isinstance(operand, ManyAt)
        return self.write(operand.channels, f"{self.op.path[0]}_in_channels")


def of_one_kind(scalar: Scalar) -> Scalar:
    """A number that nothing takes as a whole one: where some uses have a fraction, all have.

    `torch.jit.script` takes no tuple of numbers of both kinds. What the file calls the number may be one.
    """
    values = scalar.values
    if not any(isinstance(value, Fraction) for value in values.values()):
        return scalar
    if not any(type(value) is int for value in values.values()):
        return scalar
    return Scalar({use: Fraction(value) if type(value) is int else value for use, value in values.items()})


Modules: TypeAlias = "tuple[Doc, Doc]"  # the padding to go before, or nothing, and the operation: constructors


def call_member(place: Place, inputs: Sequence[Code]) -> Code:
    """The operation's submodule called."""
    return Code(call(place.member, *(code.doc for code in inputs)))


def unchanged(place: Place, inputs: Sequence[Code]) -> Code:
    """The input itself."""
    return inputs[0]


class Row(Record):
    """How an operation becomes Python. One that `owns` parameters has to be a module."""

    module: Callable[[Place], Modules] | None = None
    function: Callable[[Place, Sequence[Code]], Code] = call_member
    owns: bool = False
    chains: Callable[[OpAt], bool] = lambda op: True  # where it has a module: whether that does all of the work
    trains: Callable[[OpAt], bool] = lambda op: False  # whether it does something else in training
