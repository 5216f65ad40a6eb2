"""Definitions given as arguments, by the text alone: a number where a definition is called, and the reverse.

In: a definition, and the arguments that it gets in a row or a call. Out: what is reported. Values that are not written
there, as of a parameter that is passed on, show where they are used.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.library import KIND_IN_WORDS, Defined, Unit
from spinedsl.ir.scalars import ARITHMETIC
from spinedsl.ops.primitives import SYMBOLS
from spinedsl.syntax import tree

NUMBERS = tree.Number | tree.Flag | tree.Unary | tree.ListOf | tree.ListOfEach


def misgiven(
    defined: Defined, arguments: Sequence[tree.Argument], unit: Unit, bound: Container[str]
) -> Iterator[Diagnostic]:
    """Each argument of another kind than its parameter is used as. `bound` are the names of values there."""
    positional = iter(defined.parameters)
    for argument in arguments:
        name = argument.name.text if argument.name is not None else next(positional, "")
        parameter, value = defined.parameter(name), argument.value
        if parameter is None:
            continue
        what, default = f"`{name}` of `{defined.name}`", parameter.default
        call = defined.called.get(name) if isinstance(value, NUMBERS) else None
        if isinstance(value, NUMBERS) and (call is not None or _named(default, defined.unit, ())):
            found = say.EXPECTED_VALUE.at(value.span, what=what, expected="a definition", got=_shown(value))
            place = Label(call, "it is called here") if call is not None else Label(parameter.name.span, "its default")
            example = default.name if isinstance(default, tree.Ident) else "residual"
            yield found.with_others(place).with_fix(f"give the name of one, as in `{name} = {example}`")
        elif isinstance(default, NUMBERS) and (got := _got(value, unit, bound, name, defined)):
            found = say.EXPECTED_VALUE.at(value.span, what=what, expected=_kind(default), got=got)
            found = found.with_others(Label(parameter.name.span, "as its default is"))
            yield found.with_fix(f"give {_kind(default)}, as in `{name} = {default.span.text}`")


def named_in(defined: Defined) -> Iterator[str]:
    """The definitions that a definition names without calling them: to hold or to give them."""
    for part in tree.walk(*(one.default for one in defined.definition.parameters), defined.definition.body):
        if isinstance(part, tree.Ident) and _named(part, defined.unit, defined.bound):
            yield part.name


def _got(value: tree.Expr, unit: Unit, bound: Container[str], parameter: str, defined: Defined) -> str:
    """What a name stands for that can be no number: a definition, or a symbol, such as `relu`, of one to count with."""
    if (given := _named(value, unit, bound)) is not None:
        return f"`{given.name}`, {KIND_IN_WORDS[given.kind]}"
    if not isinstance(value, tree.Ident) or value.name in bound or value.name not in SYMBOLS:
        return ""
    parts = tree.walk(defined.definition.signature, defined.definition.body)
    sums = (part for part in parts if isinstance(part, tree.Binary) and part.operator in ARITHMETIC)
    operands = (operand for part in sums for operand in (part.left, part.right))
    counts = any(isinstance(operand, tree.Ident) and operand.name == parameter for operand in operands)
    return f"`{value.name}`" if counts else ""


def _named(value: tree.Expr | None, unit: Unit, bound: Container[str]) -> Defined | None:
    """The definition that an expression names."""
    if not isinstance(value, tree.Ident) or value.name in bound or value.name in SYMBOLS:
        return None
    return unit.definitions.get(value.name)


def _kind(value: tree.Expr) -> str:
    if isinstance(value, tree.ListOf | tree.ListOfEach):
        return "a list of numbers"
    return "`true` or `false`" if isinstance(value, tree.Flag) else "a number"


def _shown(value: tree.Expr) -> str:
    return "a list" if isinstance(value, tree.ListOf | tree.ListOfEach) else f"`{value.span.text}`"
