"""Compile-time expressions: their value, a simpler form of them, and how they are written in Python.

The leaves (`Name`, `Property`) mean what the caller's functions say. Whole numbers and flags only: what is a fraction
was computed by the compiler, and reaches the generated code as a number.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeAlias, cast

from spinedsl.ops.types import Expr, Literal, Name, Operation, Property, Value

Leaf: TypeAlias = Name | Property

OPERATORS: Mapping[str, Callable[..., Any]] = {
    "+": lambda *operands: sum(operands),
    "-": lambda *operands: -operands[0] if len(operands) == 1 else operands[0] - operands[1],
    "*": lambda *operands: math.prod(operands),
    "//": operator.floordiv,
    "%": operator.mod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda left, right: left and right,
    "or": lambda left, right: left or right,
    "not": operator.not_,
    "if": lambda condition, value, other: value if condition else other,
    "max": max,
    "min": min,
    "[]": operator.getitem,
}
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

# How tightly each binds in Python, loosest first.
CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, ATOM = range(9)
_BINDS = {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "//": PRODUCT, "%": PRODUCT} | dict.fromkeys(
    OPPOSITE, COMPARISON
)


def same(left: Value | None, right: Value | None) -> bool:
    """Equal, and both flags or neither."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def leaves(expr: Expr) -> Iterator[Leaf]:
    """Every name and property in an expression."""
    if isinstance(expr, Name | Property):
        yield expr
    elif isinstance(expr, Operation):
        for part in expr.operands:
            yield from leaves(part)


def evaluate(expr: Expr, value_of: Callable[[Leaf], Value | None]) -> Value | None:
    """The value of a simplified expression; None where a leaf has none."""
    if isinstance(expr, Literal):
        return expr.value
    if isinstance(expr, Name | Property):
        return value_of(expr)
    if not isinstance(expr, Operation):
        return None
    values = [evaluate(part, value_of) for part in expr.operands]
    if any(value is None for value in values):
        return None
    try:
        return cast(Value, OPERATORS[expr.operator](*values))
    except (TypeError, ValueError, LookupError, ArithmeticError):  # not the value that it was recorded with, then
        return None


def simplify(expr: Expr, leaf: Callable[[Leaf], Expr | None]) -> Expr | None:
    """`expr` with its leaves replaced and its constants folded; None if Python cannot say it in whole numbers."""
    if isinstance(expr, Literal):
        return expr
    if isinstance(expr, Name | Property):
        return leaf(expr)
    if not isinstance(expr, Operation) or expr.operator not in OPERATORS:
        return None
    parts = [simplify(part, leaf) for part in expr.operands]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if all(isinstance(part, Literal) for part in known):
        value = evaluate(Operation(expr.operator, tuple(known)), lambda _: None)
        if isinstance(value, Fraction) and value.denominator == 1:
            value = int(value)  # `0.5 * 4` is a number of channels
        return Literal(value) if value is not None else None
    if any(isinstance(part, Literal) and isinstance(part.value, Fraction | str) for part in known):
        return None
    while expr.operator in ("+", "*") and len(known) > 2:
        known = [_without_neutral(expr.operator, known[:2]), *known[2:]]
    return _without_neutral(expr.operator, known)


def _without_neutral(operator_: str, parts: list[Expr]) -> Expr:
    """Drop what changes nothing: `false or x`, `x * 1`, `x + 0`."""
    if operator_ in ("and", "or", "*", "+"):
        neutral = {"and": True, "or": False, "*": 1, "+": 0}[operator_]
        left, right = parts
        for literal, other in ((left, right), (right, left)):
            if isinstance(literal, Literal) and same(literal.value, neutral):
                return other
            if isinstance(literal, Literal) and operator_ in ("and", "or"):
                return literal
    if operator_ == "if" and isinstance(parts[0], Literal):
        return parts[1] if parts[0].value else parts[2]
    return Operation(operator_, tuple(parts))


def opposite(expr: Expr) -> Expr:
    """`not expr`, in a short form."""
    if isinstance(expr, Operation) and expr.operator in OPPOSITE:
        return Operation(OPPOSITE[expr.operator], expr.operands)
    if isinstance(expr, Operation) and expr.operator in ("and", "or"):
        other = "or" if expr.operator == "and" else "and"
        return Operation(other, tuple(opposite(part) for part in expr.operands))
    if isinstance(expr, Operation) and expr.operator == "not":
        return expr.operands[0]
    return Operation("not", (expr,))


# ---- in Python ----


LONG = 2**63  # torch takes no whole number from here on


def literal(value: Value) -> str:
    """A value as Python writes it; an exact decimal as the file wrote it, a whole number as long as torch takes it."""
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Fraction) or (isinstance(value, int) and abs(value) >= LONG):
        return repr(float(value))
    if isinstance(value, str):
        assert value.isascii()
        assert value.isidentifier()
        return f'"{value}"'
    return repr(value)


def write(expr: Expr, leaf: Callable[[Leaf], str], least: int = CONDITIONAL) -> str:
    """The expression in Python, in parentheses where it binds more loosely than `least`."""
    if isinstance(expr, Literal):
        text = literal(expr.value)
        binds = SIGN if text.startswith("-") else ATOM
    elif isinstance(expr, Name | Property):
        text, binds = leaf(expr), ATOM
    else:
        text, binds = _write_operation(cast(Operation, expr), leaf)
    return f"({text})" if binds < least else text


def _write_operation(expr: Operation, leaf: Callable[[Leaf], str]) -> tuple[str, int]:
    def part(index: int, least: int) -> str:
        return write(expr.operands[index], leaf, least)

    if expr.operator == "if":
        return f"{part(1, OR)} if {part(0, OR)} else {part(2, CONDITIONAL)}", CONDITIONAL
    if expr.operator == "not":
        return f"not {part(0, NOT)}", NOT
    if expr.operator == "[]":
        return f"{part(0, ATOM)}[{part(1, CONDITIONAL)}]", ATOM
    if expr.operator in ("max", "min"):
        return f"{expr.operator}({part(0, CONDITIONAL)}, {part(1, CONDITIONAL)})", ATOM
    if len(expr.operands) == 1:
        return f"-{part(0, SIGN)}", SIGN
    binds = _BINDS[expr.operator]
    # `a - (b - c)` needs its parentheses; so do two comparisons in a row, on either side.
    return f"{part(0, binds + (binds == COMPARISON))} {expr.operator} {part(1, binds + 1)}", binds


def power(base: str, exponent: str) -> str:
    """`base ** exponent` of texts that bind tightly enough, without blanks where both are names or numbers.

    That is how the formatter sets it.
    """
    return f"{base}**{exponent}" if _plain(base) and _plain(exponent) else f"{base} ** {exponent}"


def _plain(text: str) -> bool:
    """A name, perhaps of an attribute, or a number."""
    unsigned = text.removeprefix("-")
    return unsigned[0].isdigit() or unsigned.replace(".", "").isidentifier()
