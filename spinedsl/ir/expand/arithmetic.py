"""Compute: numbers, flags and feature maps under operators and functions of numbers.

Numbers are exact and bounded; arithmetic on feature maps becomes primitive operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic
from spinedsl.ir.expand.advice import advice
from spinedsl.ir.expand.attributes import MOST, within
from spinedsl.ir.expand.context import Context
from spinedsl.ir.expand.notation import in_order
from spinedsl.ir.expand.values import MAPS, Environment, FeatureMap, Held, Result, in_words
from spinedsl.ir.library import Defined
from spinedsl.ir.scalars import (
    ARITHMETIC,
    COMPARISONS,
    FUNCTIONS,
    MAX_BITS,
    POISON,
    Number,
    Poison,
    describe,
    is_number,
    simplest,
    too_long,
)
from spinedsl.ops import types
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Many, Op, Operand
from spinedsl.ops.types import Attr, Loc, Value
from spinedsl.source import Span
from spinedsl.syntax import tree

NUMBER_OR_MAP = "a number or a feature map"
BESIDE_A_MAP = "a number beside a feature map"
DIVISOR = "1e-30 or more, or -1e-30 or less"
OF_MAPS = frozenset({"max", "min", "power", "sqrt"})  # functions of numbers that take feature maps as well


class Arithmetic:
    """What operators and functions of numbers give for the values of their operands."""

    def __init__(self, context: Context, defined: Defined) -> None:
        self.context = context
        self.defined = defined
        self.env: Environment = {}

    def evaluate(self, expr: tree.Expr) -> Result:
        """Value of an expression; POISON when a mistake was reported or nothing can be known."""
        raise NotImplementedError(type(expr).__name__)

    def held(self, expr: tree.Expr) -> Result:
        """Value of an expression that may be a definition by its name."""
        raise NotImplementedError(type(expr).__name__)

    # ---- flags ----

    def condition(self, expr: tree.Expr, what: str) -> bool | None:
        """A flag; None after a mistake."""
        value = self.evaluate(expr)
        if isinstance(value, bool):
            return value
        if not isinstance(value, Poison):
            self.wrong(what, "`true` or `false`", expr, value)
        return None

    def logic(self, expr: tree.Binary) -> Result:
        """`and`, `or`: the right side only where it decides."""
        what = f"`{expr.operator}`"
        left = self.condition(expr.left, what)
        if left is None or left == (expr.operator == "or"):
            return POISON if left is None else left
        right = self.condition(expr.right, what)
        return POISON if right is None else right

    def compare(self, expr: tree.Binary, left: Result, right: Result) -> Result:
        """Numbers in order; flags and symbols only for being the same."""
        if is_number(left) and is_number(right):
            return COMPARISONS[expr.operator](left, right)
        if isinstance(left, Held | str) and isinstance(right, Held | str) and expr.operator in ("==", "!="):
            same = [one.defined if isinstance(one, Held) else one for one in (left, right)]
            return COMPARISONS[expr.operator](*same)
        alike = isinstance(left, bool | str) and type(left) is type(right)
        if alike and expr.operator in ("==", "!="):
            return COMPARISONS[expr.operator](left, right)
        if alike:
            return self.wrong(f"`{expr.operator}`", "two numbers", expr.left, left)
        comparable = is_number(left) or isinstance(left, bool | str)
        kind = "a number" if is_number(left) else "a flag" if isinstance(left, bool) else "a symbol"
        if comparable:
            return self.wrong(f"`{expr.operator}`", f"{kind}, as on its left", expr.right, right)
        return self.wrong(f"`{expr.operator}`", "a number", expr.left, left)

    # ---- arithmetic ----

    def unary(self, expr: tree.Unary) -> Result:
        """`-x` or `not x`."""
        if expr.operator == "not":
            value = self.condition(expr.operand, "`not`")
            return POISON if value is None else not value
        operand = self.evaluate(expr.operand)
        if isinstance(operand, Poison):
            return POISON
        if is_number(operand):
            return -operand
        if isinstance(operand, MAPS):
            return self.negative(operand, expr.span)
        return self.wrong("`-`", NUMBER_OR_MAP, expr.operand, operand)

    def binary(self, expr: tree.Binary) -> Result:
        """An operator between two values."""
        operator = expr.operator
        if operator in ("and", "or"):
            return self.logic(expr)
        evaluate = self.held if operator in ("==", "!=") else self.evaluate
        left, right = evaluate(expr.left), evaluate(expr.right)
        if isinstance(left, Poison) or isinstance(right, Poison):
            return POISON
        if operator in COMPARISONS:
            return self.compare(expr, left, right)
        if is_number(left) and is_number(right):
            return self.arithmetic(expr, left, right)
        if operator == "+" and isinstance(left, tuple | Many) and isinstance(right, tuple | Many):
            return self.appended(expr, left, right)
        for value, part in ((left, expr.left), (right, expr.right)):
            if not is_number(value) and not isinstance(value, MAPS):
                return self.wrong(f"`{operator}`", NUMBER_OR_MAP, part, value)
            if operator == "%" and not is_number(value):
                return self.wrong("`%`", "a number", part, value)
        return self.map_arithmetic(expr, left, right)

    def arithmetic(self, expr: tree.Binary, left: Number, right: Number) -> Result:
        """Exact, and bounded."""
        if expr.operator in ("/", "%") and right == 0:
            self.report(say.DIVISION_BY_ZERO.at(expr.right.span).repaired())
            return POISON
        return self.bounded(simplest(ARITHMETIC[expr.operator](left, right)), expr.span)

    def appended(self, expr: tree.Binary, left: tuple[Value, ...] | Many, right: tuple[Value, ...] | Many) -> Result:
        """`list + list`: all of the one, then all of the other, of feature maps or of numbers."""
        both = [value.items if isinstance(value, Many) else value for value in (left, right)]
        if not self.context.spend(expr.span, len(both[0]) + len(both[1])):
            return POISON
        if not both[0] or not both[1]:
            return left if not both[1] else right
        if isinstance(left, Many) and isinstance(right, Many):
            return grown(left, right)
        if isinstance(left, tuple) and isinstance(right, tuple):
            return left + right
        got, place = in_words(right), expr.right.span
        expected = f"{in_words(left) if isinstance(left, Many) else 'a list of numbers'}, as on its left"
        found = say.EXPECTED_VALUE.at(place, what="`+`", expected=expected, got=got)
        self.report(found.with_fix("a list has feature maps or numbers, not both"))
        return POISON

    def map_arithmetic(self, expr: tree.Binary, left: Result, right: Result) -> Result:
        """`+ - *` on feature maps, or a map and a number; `/` by a number."""
        operator, span = expr.operator, expr.span
        if operator == "/":
            return self.divide(expr, left, right)
        if not self.fits_maps(expr.left, left) or not self.fits_maps(expr.right, right):
            return POISON
        if is_number(left) and isinstance(right, MAPS):
            turned = self.negative(right, span) if operator == "-" else right
            if isinstance(turned, Poison):
                return POISON
            return self.by_number("multiply_scalar" if operator == "*" else "add_scalar", turned, left, span)
        if is_number(right) and isinstance(left, MAPS):
            if operator == "*":
                return self.by_number("multiply_scalar", left, right, span)
            return self.by_number("add_scalar", left, right if operator == "+" else -right, span)
        assert isinstance(left, MAPS)
        assert isinstance(right, MAPS)
        if operator == "-":
            negative = self.negative(right, span)
            if isinstance(negative, Poison):
                return POISON
            right = negative
        name = "multiply" if operator == "*" else "add"
        return self.apply(name, name, (left, right), {}, span, (), shared=False)

    def divide(self, expr: tree.Binary, left: Result, right: Result) -> Result:
        """A feature map by another, or either by a number."""
        if isinstance(right, MAPS) and isinstance(left, MAPS):
            return self.apply("divide", "divide", (left, right), {}, expr.span, (), shared=False)
        if isinstance(right, MAPS):
            assert is_number(left)
            if not self.fits_maps(expr.left, left):
                return POISON
            inverse = self.by_number("power", right, -1, expr.span, "exponent", "divide")
            return (
                inverse
                if isinstance(inverse, Poison) or left == 1
                else self.by_number("multiply_scalar", inverse, left, expr.span)
            )
        assert is_number(right)
        assert isinstance(left, MAPS)
        if right == 0:
            self.report(say.DIVISION_BY_ZERO.at(expr.right.span).repaired())
            return POISON
        if -1 < right * MOST < 1:
            what, place = "a number that divides a feature map", expr.right.span
            found = say.OUT_OF_RANGE.at(place, what=what, expected=DIVISOR, got="one nearer to 0")
            self.report(found.with_value(place, "1e-30" if right > 0 else "-1e-30"))
            return POISON
        return self.by_number("multiply_scalar", left, Fraction(1) / right, expr.span)

    def fits_maps(self, expr: tree.Expr, value: object) -> bool:
        """A value that meets a map is one, or a number that maps can hold: false with the reason reported."""
        found = within(value, expr.span, BESIDE_A_MAP) if is_number(value) else value
        if isinstance(found, Diagnostic):
            self.report(found)
        return not isinstance(found, Diagnostic)

    def negative(self, value: FeatureMap, span: Span) -> Op | Poison:
        """`-value`."""
        return self.by_number("multiply_scalar", value, -1, span)

    def by_number(
        self, primitive: str, value: FeatureMap, number: Number, span: Span, name: str = "value", role: str = ""
    ) -> Op | Poison:
        """`value` times or plus a number, or what else an operation with one number does."""
        exact = simplest(number)
        attributes = {name: Attr(exact, types.Literal(exact))}
        return self.apply(primitive, role or primitive, (value,), attributes, span, (), shared=False)

    def apply(
        self,
        primitive: str,
        role: str,
        inputs: tuple[Operand, ...],
        attributes: dict[str, Attr],
        span: Span,
        path: tuple[str, ...],
        *,
        shared: bool,
    ) -> Op | Poison:
        """Apply a primitive to feature maps. A network's own expressions have none."""
        raise NotImplementedError(f"{PRIMITIVES[primitive].name} needs feature maps")

    # ---- functions of numbers ----

    def of_numbers(self, expr: tree.Call, place: tree.Expr, items: tuple[Value, ...]) -> Result:
        """What a function of lists gives for numbers."""
        name = expr.callee.text
        if name == "len":
            return len(items)
        if not items and name != "sum":
            return self.wrong(f"`{name}`", "a list of one or more", place, "an empty list")
        if name == "rest":
            return items[1:]
        if name == "sum":
            return self.bounded(simplest(sum(item for item in items if is_number(item))), expr.span)
        return items[0 if name == "first" else -1]

    def scalar_function(self, expr: tree.Call) -> Result:
        """`floor`, `ceil`, `round`, `max`, `min`."""
        name = expr.callee.text
        values: list[Any] = []
        maps = False
        for part in in_order(expr):
            value = self.evaluate(part)
            if isinstance(value, Poison):
                return POISON
            if isinstance(value, MAPS) and name in OF_MAPS:
                maps = True
            elif not is_number(value):
                return self.wrong(f"`{name}`", NUMBER_OR_MAP if name in OF_MAPS else "a number", part, value)
            values.append(value)
        if not values:
            return POISON
        if maps:
            return self.function_of_maps(expr, values)
        if name == "round" and len(values) > 1 and values[1] <= 0:
            place = in_order(expr)[1].span
            self.report(say.OUT_OF_RANGE.at(place, what="`to` of `round`", expected="above 0", got=in_words(values[1])))
            return POISON
        return self.exactly(expr, FUNCTIONS[name], values)

    def exactly(
        self, expr: tree.Call, function: Callable[[Sequence[Number]], Number | None], values: Sequence[Number]
    ) -> Result:
        """What a function gives, which is exact, and bounded."""
        name = expr.callee.text
        if name == "power" and values[0] == 0 and values[1] < 0:
            self.report(say.DIVISION_BY_ZERO.at(in_order(expr)[0].span).repaired())
            return POISON
        value = function(values)
        if value is None:
            given = " and ".join(describe(value) for value in values)
            self.report(say.NOT_EXACT.at(expr.span, name=name, given=given).repaired())
            return POISON
        return self.bounded(simplest(value), expr.span)

    def bounded(self, value: Number, span: Span) -> Result:
        """A number that is not too long."""
        if not too_long(value):
            return value
        found = say.OUT_OF_RANGE.at(span, what="a number", expected=f"at most {MAX_BITS} bits long", got="more")
        self.report(found.with_fix("nothing in a network needs numbers of that size"))
        return POISON

    def function_of_maps(self, expr: tree.Call, values: Sequence[Number | FeatureMap]) -> Result:
        """`max` and `min` of feature maps and numbers, two by two from the left; a `power`, a `sqrt`."""
        name, first = expr.callee.text, values[0]
        if not all(map(self.fits_maps, in_order(expr), values)):
            return POISON
        if name in ("power", "sqrt"):
            exponent = values[1] if len(values) > 1 else Fraction(1, 2)
            if not isinstance(first, MAPS) or not is_number(exponent):
                part = in_order(expr)[0 if is_number(first) else 1]
                expected = "a feature map, where the exponent is a number" if is_number(first) else "a number"
                return self.wrong(f"`{name}`", expected, part, first if is_number(first) else exponent)
            return self.by_number("power", first, exponent, expr.span, "exponent", name)
        primitive = {"max": "maximum", "min": "minimum"}[name]
        result: Result = first
        for value in values[1:]:
            if is_number(result) and is_number(value):
                result = max(result, value) if name == "max" else min(result, value)
            elif is_number(result) or is_number(value):
                one, bound = (value, result) if is_number(result) else (result, value)
                assert isinstance(one, MAPS)
                assert is_number(bound)
                result = self.by_number(f"{primitive}_scalar", one, bound, expr.span, role=name)
            else:
                assert isinstance(result, MAPS)
                assert isinstance(value, MAPS)
                result = self.apply(primitive, name, (result, value), {}, expr.span, (), shared=False)
            if isinstance(result, Poison):
                return POISON
        return result

    # ---- what is reported, and notes of the text ----

    def report(self, diagnostic: Diagnostic) -> None:
        """Say it, with the uses that led here."""
        self.context.report(diagnostic)

    def wrong(self, what: str, expected: str, expr: tree.Expr, got: object) -> Poison:
        """A value of another kind than `what` needs. `got` is it, or words for it."""
        words = got if isinstance(got, str) and got.startswith(("a ", "an ")) else in_words(got)
        if isinstance(expr, tree.Ident | tree.Property) and words != f"`{expr.span.text}`":
            words = f"`{expr.span.text}`, which is {words}"
        found = say.EXPECTED_VALUE.at(expr.span, what=what, expected=expected, got=words)
        fix = advice(expected, expr, got)
        self.report(found.with_fix(fix.text, *fix.edits) if fix is not None else found)
        return POISON

    def loc(self, span: Span) -> Loc:
        """The line of a place in this definition."""
        locs = self.defined.locs
        found = locs.get(span.start)
        if found is None:
            found = locs[span.start] = Loc(span.source.name, span.line)
        return found


def grown(left: Many, right: Many) -> Many:
    """The items of both; of the first as it is called, where it has a name."""
    items = left.items + right.items
    if left.name:
        return Many("", items, parts=(left, *right.items))
    parts = (*left.parts, *right.items) if left.parts else ()
    return Many("", items, parts=parts)
