"""Draw compile-time numbers, flags and symbols that lie where they are wanted, by arithmetic on their ranges."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from spinedsl.testing.nested.scope import Draw, Flag, Map, Maps, Number, Scope, Symbol

ACTIVATIONS = ("relu", "swish", "gelu", "hard_swish", "sigmoid", "relu6", "gated", "blended")  # two are DEFINITIONS
COMPARE = ("==", "<", ">=", "!=", ">", "<=")
FURTHEST = 64  # numbers stay smaller
DEEPEST = 2
DEFINITIONS = """\
def gated(x) {
    return x * sigmoid(conv(x, x.channels, kernel = 1, bias = true))
}

def blended(x) {
    let near = conv(x, x.channels, kernel = 3, groups = x.channels)
    return x + act(near)
}

fn bent(v, by = 2) {
    var found = v
    repeat i in by { if found > 4 * i { found = found - i } }
    return found if v % by == 0 else v
}
"""

Rational: TypeAlias = "int | Fraction"


def exact(number: Fraction) -> str:
    """As a person writes it."""
    return str(number.numerator) if number.denominator == 1 else f"{number.numerator} / {number.denominator}"


class Numbers:
    """Draws what is computed when a file is compiled."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    # ---- within a range ----

    def number(
        self, scope: Scope, low: Rational, high: Rational, *, whole: bool = True, fixed: bool = False, deep: int = 0
    ) -> Number:
        """A number from `low` to `high`, both of which are such numbers."""
        draw = self.draw
        fitting = [
            number
            for number in scope.of(Number)
            if low <= number.low and number.high <= high and (number.whole or not whole) and (number.fixed or not fixed)
        ]
        kind = draw.below(8)
        if fitting and kind in (1, 2, 3):
            return draw.pick(fitting)
        if kind in (4, 5) and deep < DEEPEST:
            return self.within(self.any(scope, fixed=fixed, deep=deep), low, high, whole=whole)
        if kind == 6 and deep < DEEPEST and not fixed:
            one, other = (self.number(scope, low, high, whole=whole, deep=deep + 1) for _ in range(2))
            text = f"({one.text} if {self.flag(scope, deep + 1)} else {other.text})"
            return Number(text, min(one.low, other.low), max(one.high, other.high), one.whole and other.whole)
        steps = floor(high) - ceil(low)
        value = Fraction(ceil(low) + draw.below(steps + 1)) if steps >= 0 else Fraction(low)
        whole, text = value.denominator == 1, exact(value)
        return Number(text if whole else f"({text})", value, value, whole, fixed=True)

    def within(self, number: Number, low: Rational, high: Rational, *, whole: bool) -> Number:
        """The number, kept inside a range and made whole where it has to be."""
        text, least, most = number.text, number.low, number.high
        if whole and not number.whole:
            how = self.draw.pick(("floor", "ceil", "round"))
            text = f"{how}({text})"
            least, most = Fraction(floor(least)), Fraction(ceil(most))
        if most > high:
            text, most, least = f"min({text}, {exact(Fraction(high))})", Fraction(high), min(least, Fraction(high))
        if least < low:
            text, least, most = f"max({exact(Fraction(low))}, {text})", Fraction(low), max(most, Fraction(low))
        return Number(text, least, most, whole or number.whole, number.fixed)

    # ---- anywhere ----

    def any(self, scope: Scope, *, fixed: bool = False, deep: int = 0) -> Number:
        """Any number made of those in scope: often of an index or another number, and computed further."""
        draw = self.draw
        leaf = self.leaf(scope, fixed)
        if deep >= DEEPEST:
            return leaf
        kind = draw.below(7)
        if kind == 0:
            return leaf
        if kind == 6:
            other = self.any(scope, fixed=fixed, deep=deep + 1)
            how = draw.pick(("max", "min"))
            low, high = (max, max) if how == "max" else (min, min)
            text = f"{how}({leaf.text}, {other.text})"
            both = leaf.whole and other.whole, leaf.fixed and other.fixed
            return Number(text, low(leaf.low, other.low), high(leaf.high, other.high), *both)
        if kind == 5 and draw.below(2):
            return self.by_list(scope, leaf, fixed=fixed, deep=deep)
        if kind == 5:
            by = draw.pick((2, 3, 4))
            return Number(f"({leaf.text} / {by})", leaf.low / by, leaf.high / by, False, leaf.fixed)
        if kind == 4:
            by = draw.pick((2, 3))
            made = Number(f"({leaf.text} * {by})", leaf.low * by, leaf.high * by, leaf.whole, leaf.fixed)
        else:
            other = self.any(scope, fixed=fixed, deep=deep + 1)
            both = leaf.whole and other.whole, leaf.fixed and other.fixed
            if kind == 3:
                made = Number(f"({leaf.text} - {other.text})", leaf.low - other.high, leaf.high - other.low, *both)
            else:
                made = Number(f"({leaf.text} + {other.text})", leaf.low + other.low, leaf.high + other.high, *both)
        return made if made.low >= -FURTHEST and made.high <= FURTHEST else leaf

    def by_list(self, scope: Scope, leaf: Number, *, fixed: bool, deep: int) -> Number:
        """A remainder, an item of a list, the sum of one that is made or appended, or what a function gives."""
        draw = self.draw
        kind = draw.below(5)
        if kind == 4:
            by = draw.pick((2, 3))
            low = min(leaf.low, max(leaf.low - 3, Fraction(-3)))
            return Number(f"bent({leaf.text}, by = {by})", low, leaf.high, leaf.whole, leaf.fixed)
        if kind == 0:
            by = draw.pick((2, 3, 4))
            return Number(f"({leaf.text} % {by})", Fraction(0), Fraction(by), leaf.whole, leaf.fixed)
        other = self.any(scope, fixed=fixed, deep=deep + 1)
        low, high = min(leaf.low, other.low), max(leaf.high, other.high)
        both = leaf.whole and other.whole, leaf.fixed and other.fixed
        if kind == 1:
            indices = [number.text for number in scope.of(Number) if number.index and not fixed]
            place = f"{draw.pick(indices)} % 2" if indices else str(draw.below(2))
            return Number(f"[{leaf.text}, {other.text}][{place}]", low, high, *both)
        if kind == 2:
            text = f"sum([{leaf.text}] + [{other.text}])"
            return Number(text, leaf.low + other.low, leaf.high + other.high, *both)
        name = next(name for name in ("k", "kk", "kkk", "n_1", "n_2", "n_3", "n_4") if name not in scope.names)
        each = draw.pick((f"repeat {name} in 2", f"each {name} in [0, 1]"))
        return Number(
            f"sum([{leaf.text} + {name} {each}])", 2 * leaf.low + 1, 2 * leaf.high + 1, leaf.whole, leaf.fixed
        )

    def by_index(self, scope: Scope) -> Number:
        """A part of a number that depends on an index, as `channels * (i + 1) / 3`; any number where there is none."""
        indices = [number for number in scope.of(Number) if number.index]
        if not indices or self.draw.below(4) == 0:
            return self.any(scope)
        of, index = self.leaf(scope, fixed=False), self.draw.pick(indices[::-1])
        more, by = 1 + self.draw.below(2), 2 + self.draw.below(2)
        low, high = of.low * (index.low + more) / by, of.high * (index.high + more) / by
        return Number(
            f"({of.text} * ({index.text} + {more}) / {by})", min(low, of.low * (index.high + more) / by), high, False
        )

    def leaf(self, scope: Scope, fixed: bool) -> Number:
        """A name, a property, the length of a list, or a literal."""
        draw = self.draw
        numbers = [number for number in scope.of(Number) if number.fixed or not fixed]
        kind = draw.below(8)
        if kind == 6 and not fixed and (maps := scope.of(Map)):
            one = draw.pick(maps)
            return Number(f"{one.text}.channels", Fraction(one.low), Fraction(one.high))
        if kind == 7 and not fixed and (lists := scope.of(Maps)):
            several = draw.pick(lists)
            return Number(f"len({several.text})", Fraction(several.least), Fraction(several.most))
        if numbers and kind > 0:
            return draw.pick(numbers)
        value = Fraction(1 + draw.below(4))
        return Number(exact(value), value, value, fixed=True)

    # ---- flags and symbols ----

    def flag(self, scope: Scope, deep: int = 0) -> str:
        """A condition: most compare an index, or another number, with one that it may be."""
        draw = self.draw
        kind = draw.below(8)
        flags, symbols = scope.of(Flag), scope.of(Symbol)
        if kind == 7 and deep < DEEPEST:
            return f"({self.flag(scope, deep + 1)} {draw.pick(('and', 'or'))} {self.flag(scope, deep + 1)})"
        if kind == 6 and deep < DEEPEST:
            return f"(not {self.flag(scope, deep + 1)})"
        if kind == 5 and symbols:
            return f"{draw.pick(symbols).text} {draw.pick(('==', '!='))} {draw.pick(ACTIVATIONS)}"
        if kind in (3, 4) and flags:
            return draw.pick(flags).text
        one = self.any(scope, deep=deep + 1)
        with_another = kind == 2 and deep < DEEPEST
        other = self.any(scope, deep=deep + 1).text if with_another else exact(self.middle(one))
        return f"{one.text} {draw.pick(COMPARE)} {other}"

    def middle(self, number: Number) -> Fraction:
        """A number that divides a range."""
        span = max(floor(number.high) - ceil(number.low), 0)
        if span < 6:
            return Fraction(max(ceil(number.low), 0) + self.draw.below(span + 1))
        return Fraction(floor(number.low) + span // 2)

    def symbol(self, scope: Scope) -> str:
        """An activation, by its name or by one that holds it."""
        draw = self.draw
        held = [symbol.text for symbol in scope.of(Symbol)]
        free = [name for name in ACTIVATIONS if name not in scope.names]
        return draw.pick(held) if held and draw.below(3) else draw.pick(free)
