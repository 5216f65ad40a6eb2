"""Expressions in the form that programs keep beside their values, in the names of one definition.

Generated code says `channels * 4` where the file does; what has no such form is `Opaque`, and its value is used.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

from spinedsl.ir.expand.body import ITEM, Sites
from spinedsl.ir.expand.values import MAPS
from spinedsl.ir.library import SCALAR_FUNCTIONS
from spinedsl.ops.primitives import ALIASES, SYMBOLS, WORDS
from spinedsl.ops.program import Operand
from spinedsl.ops.types import Attr, Expr, Literal, Name, Opaque, Operation, Property
from spinedsl.syntax import tree

OPAQUE: Final = Opaque()


def notation(expr: tree.Expr, bound: Container[str], sites: Sites) -> Expr:
    """The form of `expr`; names that are not in `bound` are symbols of the language, such as `relu`."""
    if isinstance(expr, tree.Number | tree.Flag):
        return Literal(expr.value)
    if isinstance(expr, tree.Ident):
        if expr.name not in bound and (expr.name in SYMBOLS or expr.name in WORDS):
            return Literal(ALIASES.get(expr.name, expr.name))
        site = sites.get(id(expr), 0)
        return OPAQUE if site == ITEM else Name(expr.name, site)
    if isinstance(expr, tree.Property):
        return Property(expr.base.name, expr.name.text) if isinstance(expr.base, tree.Ident) else OPAQUE
    if isinstance(expr, tree.Unary):
        return Operation(expr.operator, (notation(expr.operand, bound, sites),))
    if isinstance(expr, tree.Binary):
        return Operation(expr.operator, (notation(expr.left, bound, sites), notation(expr.right, bound, sites)))
    if isinstance(expr, tree.Conditional):
        parts = (expr.condition, expr.value, expr.other)
        return Operation("if", tuple(notation(part, bound, sites) for part in parts))
    if isinstance(expr, tree.ListOf):
        return Operation("[,]", tuple(notation(item, bound, sites) for item in expr.items))
    if isinstance(expr, tree.Item):
        return Operation("[]", (notation(expr.base, bound, sites), notation(expr.index, bound, sites)))
    if isinstance(expr, tree.Call) and expr.callee.text in SCALAR_FUNCTIONS:
        return _function(expr, bound, sites)
    return OPAQUE


def _function(call: tree.Call, bound: Container[str], sites: Sites) -> Expr:
    """A function of numbers, its arguments in order; `max` and `min` of many as a chain of two each."""
    name = call.callee.text
    parts = [notation(value, bound, sites) for value in in_order(call)]
    if name in ("max", "min"):
        result = parts[0]
        for part in parts[1:]:
            result = Operation(name, (result, part))
        return result
    return Operation(name, tuple(parts))


def in_order(call: tree.Call) -> list[tree.Expr]:
    """The arguments of a function of numbers in the order of its parameters, however they were given."""
    parameters = SCALAR_FUNCTIONS[call.callee.text]
    positional = [argument.value for argument in call.arguments if argument.name is None]
    named = {argument.name.text: argument.value for argument in call.arguments if argument.name is not None}
    return positional + [named[parameter] for parameter in parameters if parameter in named]


def outside(expr: Expr, maps: Mapping[str, Operand], scalars: Mapping[str, Attr]) -> Expr:
    """An expression of a definition in the names of its caller, who gives `maps` and `scalars`."""
    if isinstance(expr, Name):
        return scalars[expr.name].expr if not expr.binder and expr.name in scalars else OPAQUE
    if isinstance(expr, Property):
        operand = maps.get(expr.base)
        return operand.channels if isinstance(operand, MAPS) and expr.name == "channels" else OPAQUE
    if isinstance(expr, Operation):
        operands = tuple(outside(part, maps, scalars) for part in expr.operands)
        return OPAQUE if OPAQUE in operands else Operation(expr.operator, operands)
    return expr
