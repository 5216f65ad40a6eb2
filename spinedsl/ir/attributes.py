"""Bind the attributes of a primitive: what the call says, else the network's `defaults`, else the table.

Each value is held against its kind, with a message that tells what was expected. `use_of` turns an expression of the file
into the form that programs keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, cast

from spinedsl.diagnostics import Diagnostic, nearest, one_of
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.scalars import describe, is_number
from spinedsl.ops import types
from spinedsl.ops.primitives import ALIASES, SYMBOLS, Attribute, Kind, Primitive
from spinedsl.ops.types import Attr, Value
from spinedsl.source import Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.expand import Result, _Expansion

MAX_CHANNELS = 1_000_000
MAX_WINDOW = 1_024


def bind_attributes(
    primitive: Primitive,
    given: Mapping[str, Value],
    written: list[tuple[str, tree.Argument, Result]],
    call: tree.Call,
    expansion: _Expansion,
) -> dict[str, Attr] | None:
    """Every attribute of the primitive with its value, or None with the reason said."""
    bound: dict[str, Attr] = {}
    sound = True
    for name, argument, value in written:
        attribute = primitive.attribute(name)
        if attribute is None:
            known = [a.name for a in primitive.attributes]
            span = argument.name.span if argument.name is not None else argument.span
            expansion.report(
                say.UNKNOWN_ARGUMENT.at(span, callee=call.callee.text, name=name, known=one_of(known, conjunction="and"))
                .with_rename(span, nearest(name, known))
            )  # fmt: skip
            sound = False
            continue
        checked = check_value(attribute, value, argument.value.span, f"`{name}` of `{call.callee.text}`")
        if isinstance(checked, Diagnostic):
            expansion.report(checked)
            sound = False
        else:
            bound[name] = Attr(checked, expansion.expr(argument.value))
    for attribute in primitive.attributes:
        if attribute.name in bound:
            continue
        if attribute.name in given:
            bound[attribute.name] = Attr(given[attribute.name], types.Literal(given[attribute.name]))
        elif not attribute.required:
            bound[attribute.name] = Attr(attribute.default, types.Literal(attribute.default))
        elif sound:
            expansion.report(say.MISSING_ARGUMENT.at(call.span, callee=call.callee.text, name=attribute.name))
            sound = False
    return {a.name: bound[a.name] for a in primitive.attributes} if sound else None


def check_value(attribute: Attribute, value: object, span: Span, what: str) -> Value | Diagnostic:
    """`value` as the attribute's kind wants it, or what is wrong with it."""
    kind = attribute.kind
    if kind is Kind.CHANNELS:
        return count_of(value, span, what)
    if kind is Kind.FLAG:
        return value if isinstance(value, bool) else _wrong(kind.value, value, span, what)
    if kind is Kind.CHOICE:
        if value in attribute.choices:
            return cast(str, value)
        return _wrong(one_of(attribute.choices), value, span, what)
    if kind is Kind.PADDING and value in ("same", "symmetric"):
        return cast(str, value)
    if not is_number(value):
        return _wrong(kind.value, value, span, what)
    return _number(kind, cast("int | Fraction", value), span, what)


def _number(kind: Kind, number: int | Fraction, span: Span, what: str) -> Value | Diagnostic:
    least = {Kind.COUNT: 1, Kind.WHOLE: 0, Kind.PADDING: 0}.get(kind)
    if least is not None and (isinstance(number, Fraction) or not least <= number <= MAX_WINDOW):
        expected = f"a whole number from {least} to {MAX_WINDOW}"
        return say.OUT_OF_RANGE.at(span, what=what, expected=expected, got=describe(number))
    if kind is Kind.SHARE and not 0 <= number <= 1:
        return say.OUT_OF_RANGE.at(span, what=what, expected="from 0 to 1", got=describe(number))
    if kind is Kind.POSITIVE and number <= 0:
        return say.OUT_OF_RANGE.at(span, what=what, expected="above 0", got=describe(number))
    if abs(number) > 10**30:
        return say.OUT_OF_RANGE.at(span, what=what, expected="at most 1e30", got="more")
    return number


def count_of(value: object, span: Span, what: str) -> int | Diagnostic:
    """A number of channels: floored where it is bound, then at least 1."""
    if not is_number(value):
        return _wrong(Kind.CHANNELS.value, value, span, what)
    number = cast("int | Fraction", value)
    count = floor(number)
    if count < 1:
        how = f"{describe(number)} floored is {count}" if isinstance(number, Fraction) else "expected 1 or more"
        return say.NOT_POSITIVE.at(span, what=what, got=count, how=how)
    if count > MAX_CHANNELS:
        return say.OUT_OF_RANGE.at(span, what=what, expected=f"at most {MAX_CHANNELS}", got=describe(count))
    return count


def _wrong(expected: str, value: object, span: Span, what: str) -> Diagnostic:
    got = describe(value) if is_number(value) or isinstance(value, bool | str) else "something else"
    if hasattr(value, "type"):
        got = f"a feature map of {value.type}"
    return say.EXPECTED_VALUE.at(span, what=what, expected=expected, got=got)


def use_of(expr: tree.Expr, env: Mapping[str, object]) -> types.Expr:
    """The expression as programs keep it; what has no such form is opaque."""
    if isinstance(expr, tree.Number | tree.Flag):
        return types.Literal(expr.value)
    if isinstance(expr, tree.Ident):
        if expr.name not in env and expr.name in SYMBOLS:
            return types.Literal(ALIASES.get(expr.name, expr.name))
        return types.Name(expr.name)
    if isinstance(expr, tree.Property):
        return types.Property(expr.base.name, expr.name.text) if isinstance(expr.base, tree.Ident) else types.Opaque()
    if isinstance(expr, tree.Unary):
        return types.Operation(expr.operator, (use_of(expr.operand, env),))
    if isinstance(expr, tree.Binary):
        return types.Operation(expr.operator, (use_of(expr.left, env), use_of(expr.right, env)))
    if isinstance(expr, tree.Conditional):
        parts = (expr.condition, expr.value, expr.other)
        return types.Operation("if", tuple(use_of(part, env) for part in parts))
    if isinstance(expr, tree.Call) and all(argument.name is None for argument in expr.arguments):
        return types.Operation(expr.callee.text, tuple(use_of(argument.value, env) for argument in expr.arguments))
    return types.Opaque()
