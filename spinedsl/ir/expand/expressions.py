"""Evaluate the expressions of one definition, or of a network: names, properties, arithmetic and choices.

A mistake is reported once and leaves `POISON`; what is made of that is unknown too. What a call does is added by
`operations` and `calls`; here, only functions of numbers are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import floor
from typing import Any

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, nearest, one_of
from spinedsl.ir.expand.advice import IN_A_LIST
from spinedsl.ir.expand.arithmetic import Arithmetic
from spinedsl.ir.expand.body import Sites
from spinedsl.ir.expand.notation import notation
from spinedsl.ir.expand.values import BLOCK_PROPERTIES, MAP_PROPERTIES, MAPS, Block, Held, Result, in_words, type_of
from spinedsl.ir.library import LIST_FUNCTIONS, SCALAR_FUNCTIONS, Defined
from spinedsl.ir.scalars import POISON, Poison, describe, is_number
from spinedsl.ops import types
from spinedsl.ops.primitives import ALIASES, FIXED, SYMBOLS, WORDS
from spinedsl.ops.program import Many, Operand
from spinedsl.ops.types import Value
from spinedsl.syntax import tree

MAX_REPEAT = 1_000


class Evaluator(Arithmetic):
    """The names bound so far in `defined`, and the value of its expressions."""

    empty: Result = ()  # what `[]` is

    def evaluate(self, expr: tree.Expr) -> Result:
        """Value of an expression; POISON when a mistake was reported or nothing can be known."""
        return _RULES[type(expr)](self, expr)

    @property
    def sites(self) -> Sites:
        """Which statement binds what each name means: none, outside of definitions."""
        return {}

    def held(self, expr: tree.Expr) -> Result:
        """Value of an argument, a default or a `let`, which may be a definition by its name."""
        if type(expr) is tree.Conditional:
            condition = self.condition(expr.condition, "`if`")
            return POISON if condition is None else self.held(expr.value if condition else expr.other)
        if type(expr) is not tree.Ident:
            return self.evaluate(expr)
        name = expr.name
        if name in self.env:
            return self.env[name]
        defined = None if name in SYMBOLS else self.defined.unit.home(expr.span).definitions.get(name)
        return self.ident(expr) if defined is None else Held(defined, expr.span)

    # ---- leaves ----

    def ident(self, expr: tree.Ident) -> Result:
        """A name that is bound, or a symbol of the language."""
        name = expr.name
        if name in self.env:
            return self.env[name]
        if name == FIXED or (name in WORDS and name not in self.defined.unit.home(expr.span).definitions):
            return name
        return ALIASES.get(name, name) if name in SYMBOLS else POISON

    def property(self, expr: tree.Property) -> Result:
        """What a feature map or a block was declared with."""
        base, name = self.evaluate(expr.base), expr.name.text
        if isinstance(base, Poison):
            return POISON
        type_ = type_of(base)
        if not isinstance(base, Block) and type_ is None:
            found = say.WRONG_KIND.at(
                expr.base.span, name=expr.base.span.text, got=in_words(base), expected="a feature map or a block"
            )
            self.report(found.with_fix(f"read `{name}` from one of those, as in `x.{name}`"))
            return POISON
        known = BLOCK_PROPERTIES if isinstance(base, Block) else MAP_PROPERTIES
        if name not in known:
            what = "a block" if isinstance(base, Block) else "a feature map"
            found = say.UNKNOWN_PROPERTY.at(expr.name.span, what=what, name=name, known=one_of(known))
            self.report(found.with_rename(expr.name.span, nearest(name, known)))
            return POISON
        value: int | None = getattr(base if isinstance(base, Block) else type_, name)
        if value is None:
            self.report(self.untold(expr, base, name))
            return POISON
        if name in ("height", "width"):
            self.context.static_axes.setdefault(name, self.loc(expr.span))
        return value

    @staticmethod
    def untold(expr: tree.Property, base: Result, name: str) -> Diagnostic:
        """Why a property that exists has no value."""
        written = expr.base.span.text
        if not isinstance(base, Block):
            type_ = type_of(base)
            where, before = f"pooled to {type_.size if type_ is not None else '1x1'}", "pooled"
            if type_ is not None and type_.stride:
                where, before = f"of {type_.where}", "there before"
            found = say.NOT_KNOWN.at(expr.span, what=f"the level of `{written}`", why=f"a map {where} has no level")
            return found.with_fix(f"read it from the feature map that was {before}")
        why = (
            f"`{base.name}` says no `channels`"
            if name == "channels"
            else f"`->` of `{base.name}`'s type does not tell it before anything comes in"
        )
        found = say.NOT_KNOWN.at(expr.span, what=f"`{name}` of `{written}`", why=why)
        if name == "channels":
            return found
        parameter = ", or give it a parameter, as in `in_channels = channels`" if name == "in_channels" else ""
        return found.with_fix(f"let that signature tell, as in `-> channels`{parameter}")

    def list_of(self, expr: tree.ListOf) -> Result:
        """Feature maps, or numbers, written out."""
        items: list[Operand] = []
        values = [self.evaluate(part) for part in expr.items]
        if any(isinstance(value, Poison) for value in values):
            return POISON
        numbers = tuple(value for value in values if is_number(value))
        if not values:
            return self.empty
        if len(numbers) == len(values):
            return numbers
        for part, item in zip(expr.items, values, strict=True):
            if not isinstance(item, MAPS):
                return self.wrong("a list", IN_A_LIST, part, item)
            items.append(item)
        return Many("", tuple(items))

    def list_of_each(self, expr: tree.ListOfEach) -> Result:
        """`[value each k in list]`, `[value repeat i in count]`: a list of numbers, one for each."""
        each = expr.keyword == "each"
        turns = self.items(expr.items, "`each` in a list") if each else self.counted(expr.items)
        if turns is None:
            return POISON
        found: list[Value] = []
        for turn in turns:
            if not self.context.spend(expr.span):
                return POISON
            self.env[expr.name.text] = turn
            value = self.evaluate(expr.value)
            del self.env[expr.name.text]
            if isinstance(value, Poison):
                return POISON
            if not is_number(value):
                got = in_words(value)
                wrong = say.EXPECTED_VALUE.at(
                    expr.value.span, what="a list that is made by one expression", expected="numbers", got=got
                )
                maps = isinstance(value, MAPS)
                self.report(
                    wrong.with_fix("feature maps are appended in a loop, as in `l = l + [y]`") if maps else wrong
                )
                return POISON
            found.append(value)
        return tuple(found)

    def items(self, expr: tree.Expr, what: str) -> tuple[Result, ...] | None:
        """The numbers that an `each` goes through; None after a mistake."""
        found = self.evaluate(expr)
        if isinstance(found, tuple):
            return found
        if not isinstance(found, Poison):
            self.wrong(what, "a list of numbers", expr, found)
        return None

    def counted(self, expr: tree.Expr) -> tuple[Result, ...] | None:
        """The numbers that a `repeat` counts, from 0; None after a mistake."""
        times = self.times(expr)
        return None if times is None else tuple(range(times))

    def times(self, expr: tree.Expr) -> int | None:
        """How often a `repeat` runs; None after a mistake, as for a count that is too large."""
        count = self.evaluate(expr)
        if isinstance(count, Poison):
            return None
        if not is_number(count):
            self.wrong("`repeat`", "a whole number, 0 or more", expr, count)
        elif isinstance(count, Fraction) or count < 0:
            found = say.OUT_OF_RANGE.at(
                expr.span, what="the count of a `repeat`", expected="a whole number, 0 or more", got=describe(count)
            )
            self.report(found.with_value(expr.span, str(max(floor(count), 0))))
        elif count > MAX_REPEAT:
            found = say.TOO_MANY.at(expr.span, what="repetitions", limit=f"{MAX_REPEAT:,}", got=describe(count))
            self.report(found.with_value(expr.span, str(MAX_REPEAT)))
        else:
            return count
        return None

    def item(self, expr: tree.Item) -> Result:
        """`list[index]`, counted from 0."""
        items, index = self.evaluate(expr.base), self.evaluate(expr.index)
        if isinstance(items, Poison) or isinstance(index, Poison):
            return POISON
        if not isinstance(items, tuple | Many):
            return self.wrong("what stands before `[`", "a list", expr.base, items)
        held = items.items if isinstance(items, Many) else items
        if not is_number(index):
            return self.wrong("the place in a list", "a number", expr.index, index)
        if index != floor(index) or not 0 <= index < len(held):
            if not held:
                return self.wrong("what stands before `[`", "a list with something in it", expr.base, "an empty list")
            expected = "0" if len(held) == 1 else f"a whole number from 0 to {len(held) - 1}"
            found = say.OUT_OF_RANGE.at(
                expr.index.span, what="the place in a list", expected=expected, got=describe(index)
            )
            last = expr.base.span.text
            self.report(found.with_fix(f"places are counted from 0; the last one is `last({last})`"))
            return POISON
        value = held[int(index)]
        assert not isinstance(value, Many)
        return value

    def conditional(self, expr: tree.Conditional) -> Result:
        """`value if condition else other`: only what is chosen is evaluated."""
        condition = self.condition(expr.condition, "`if`")
        return POISON if condition is None else self.evaluate(expr.value if condition else expr.other)

    # ---- calls ----

    def call(self, expr: tree.Call) -> Result:
        """A function of numbers; anything else was refused before."""
        name = expr.callee.text
        held = self.env.get(name)
        if isinstance(held, Held):
            return self.call_given(expr, held)
        name = name.rpartition(".")[2]  # in the rows of a part, what has the name of a parameter is called by that
        defined = self.defined.unit.home(expr.span).definitions.get(name)
        if defined is not None:
            return self.function(expr, defined) if defined.kind == "fn" else POISON
        if name in LIST_FUNCTIONS:
            return self.list_function(expr)
        if name in SCALAR_FUNCTIONS:
            return self.scalar_function(expr)
        if held is not None and not isinstance(held, Poison):
            self.report(not_callable(expr.callee, held, "a function of numbers"))
        return POISON

    def call_given(self, expr: tree.Call, held: Held) -> Result:
        """A call of what a name holds."""
        raise NotImplementedError(f"`{held.defined.name}` has to be run")

    def function(self, expr: tree.Call, defined: Defined) -> Result:
        """A `fn` of the file or of one that it imports."""
        raise NotImplementedError(f"`{defined.name}` has to be run")

    def list_function(self, expr: tree.Call) -> Result:
        """`sum`, `first`, `last`, `rest` or `len` of a list of numbers."""
        name, place = expr.callee.text, expr.arguments[0].value
        items = self.evaluate(place)
        if isinstance(items, Poison):
            return POISON
        if not isinstance(items, tuple):
            return self.wrong(f"`{name}`", "a list", place, items)
        return self.of_numbers(expr, place, items)

    # ---- notes of the text ----

    def notation(self, expr: tree.Expr) -> types.Expr:
        """The expression in the form that programs keep."""
        notations = self.defined.notations
        found = notations.get(id(expr))
        if found is None:
            found = notations[id(expr)] = notation(expr, self.env, self.sites)
        return found


def not_callable(callee: tree.Name, held: Result, expected: str) -> Diagnostic:
    """What a name that is called holds is nothing to call."""
    found = say.WRONG_KIND.at(callee.span, name=callee.text, got=in_words(held), expected=expected)
    if expected == "a function of numbers":
        return found.with_fix("give it the name of a `fn`")
    return found.with_fix(
        "call an operation or a definition; a parameter can hold one's name, or that of an activation"
    )


_RULES: Mapping[type, Callable[[Evaluator, Any], Result]] = {
    tree.Ident: Evaluator.ident,
    tree.Number: lambda evaluator, expr: expr.value,
    tree.Flag: lambda evaluator, expr: expr.value,
    tree.Text: lambda evaluator, expr: POISON,  # which was refused before
    tree.Call: lambda evaluator, expr: evaluator.call(expr),
    tree.Property: Evaluator.property,
    tree.Unary: Evaluator.unary,
    tree.Binary: Evaluator.binary,
    tree.Conditional: Evaluator.conditional,
    tree.ListOf: Evaluator.list_of,
    tree.ListOfEach: Evaluator.list_of_each,
    tree.Item: Evaluator.item,
}
