"""Draw feature maps and lists of them: calls of operations and helpers on what is in scope.

Maps of one place go together; what has other channels is brought to those of its partner by a convolution, which reads
them (`y.channels`), and what stands at another place is resized. Channels stay between 1 and `WIDEST`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from spinedsl.testing.nested.numbers import ACTIVATIONS, Numbers
from spinedsl.testing.nested.scope import Draw, Flag, Helper, Map, Maps, Number, Scope, Symbol

WIDEST = 40  # channels of any map
WIDE = 16  # what convolutions make, most often
MOST = 120  # operations that a definition expands to, about
DEEPEST = 2
LONGEST = 4  # items of a list that is appended to


class FeatureMaps(Numbers):
    """Draws what is computed when the network runs. `cost` counts the operations of the definition at hand."""

    def __init__(self, draw: Draw, helpers: Sequence[Helper] = ()) -> None:
        super().__init__(draw)
        self.helpers = helpers
        self.cost = 0

    def spend(self, scope: Scope, operations: int = 1) -> None:
        """So many operations more, each time that the place is run."""
        self.cost += operations * scope.runs

    def affords(self, scope: Scope, operations: int = 3) -> bool:
        """The definition does not grow too large by it."""
        return self.cost + operations * scope.runs <= MOST

    # ---- names ----

    def name(self, scope: Scope, place: str) -> Map:
        """A map that is in scope, at a place."""
        draw = self.draw
        here = [one for one in scope.of(Map) if one.place == place]
        elsewhere = [one for one in scope.of(Map) if one.place != place]
        if not here or (elsewhere and draw.once_in(10)):
            one = draw.pick(elsewhere)
            self.spend(scope)
            return Map(f"resize({one.text}, like = {place})", one.low, one.high, place, one.width)
        return draw.pick(here[-2:][::-1] if draw.below(2) else here[::-1])

    def width(self, scope: Scope, high: int = WIDE) -> Number:
        """Channels for a convolution to make, seldom a fraction, which is floored."""
        return self.number(scope, 1, high, whole=not self.draw.once_in(4))

    def conv(self, scope: Scope, one: Map, width: Number | str, *, more: str = "") -> Map:
        """A convolution to so many channels; a text is a width that is sure."""
        self.spend(scope)
        kernel = self.kernel(scope)
        if isinstance(width, str):
            text = f"conv({one.text}, {width}, kernel = {kernel}{more})"
            return Map(text, 1, WIDEST, one.place, width)
        low, high = int(width.low), int(width.high)
        sure = width.text if width.fixed else ""
        return Map(f"conv({one.text}, {width.text}, kernel = {kernel}{more})", low, high, one.place, sure)

    def kernel(self, scope: Scope) -> str:
        """The kernel of a window, often computed; of an even one it says the padding, whatever the defaults are."""
        kind = self.draw.below(6)
        if kind == 4:
            return f"2 * {self.number(scope, 0, 2).text} + 1"
        if kind == 5:
            return f"{self.number(scope, 1, 4).text}, padding = same"
        return self.draw.pick(("1", "3"))

    def like(self, scope: Scope, one: Map, other: Map) -> str:
        """`one` with the channels of `other`, which is a name or of a sure width."""
        if one.width and one.width == other.width:
            return one.text
        return self.conv(scope, one, other.width or f"{other.text}.channels").text

    def narrow(self, scope: Scope, one: Map) -> Map:
        """The same, where it may be too wide, by a convolution."""
        return one if one.high <= WIDEST else self.conv(scope, one, self.width(scope))

    # ---- expressions ----

    def map(self, scope: Scope, place: str, deep: int = 0) -> Map:
        """Any map at a place, of at most `WIDEST` channels."""
        if deep > DEEPEST or not self.affords(scope):
            return self.name(scope, place)
        kind = self.draw.below(16)
        if kind == 0:
            return self.name(scope, place)
        if kind in (1, 2):
            return self.conv(scope, self.map(scope, place, deep + 1), self.width(scope))
        if kind == 3:
            return self.pointwise(scope, self.map(scope, place, deep + 1))
        if kind in (4, 5):
            one, other = self.name(scope, place), self.map(scope, place, deep + 1)
            if "(" in one.text:  # not a name
                return other
            self.spend(scope)
            text = f"({one.text} {self.draw.pick(('+', '-', '+'))} {self.like(scope, other, one)})"
            return Map(text, one.low, one.high, place, one.width)
        if kind == 6:
            one, other = self.map(scope, place, deep + 1), self.map(scope, place, deep + 1)
            self.spend(scope)
            text = f"concat({one.text}, {other.text})"
            return self.narrow(scope, Map(text, one.low + other.low, one.high + other.high, place))
        if kind in (7, 8):
            one, other = self.map(scope, place, deep + 1), self.map(scope, place, deep + 1)
            sure = one.width if one.width == other.width else ""
            text = f"({one.text} if {self.flag(scope)} else {other.text})"
            return Map(text, min(one.low, other.low), max(one.high, other.high), place, sure)
        if kind in (9, 10) and scope.loops:
            return self.shared(scope, place, deep)
        if kind in (11, 12) and self.helpers:
            return self.helped(scope, place, deep)
        if kind == 13 and (lists := self.lists(scope, place)):
            return self.of_list(scope, self.draw.pick(lists))
        return self.special(scope, place)

    def pointwise(self, scope: Scope, one: Map) -> Map:
        """What leaves shape and channels as they are."""
        draw = self.draw
        self.spend(scope)
        kind = draw.below(9)
        if kind == 0:
            text = f"act({one.text})"
        elif kind == 1 and one.low > 1:  # the norm of one channel by itself may be the same for every input
            text = f"norm({one.text})"
        elif kind == 2:
            self.spend(scope, 3)
            text = f"{self.symbol(scope)}({one.text})"
        elif kind == 3:
            text = f"{draw.pick(('max_pool', 'average_pool'))}({one.text}, kernel = {self.kernel(scope)})"
        elif kind == 4:
            text = f"({one.text} * {self.number(scope, Fraction(1, 2), Fraction(3, 2), whole=False).text})"
        elif kind == 5:
            text = f"({one.text} + {self.number(scope, -1, 2, whole=False).text})"
        elif kind == 6:
            bound = self.number(scope, 0, 1, whole=False).text
            text = draw.pick((f"max({one.text}, {bound})", f"(1 + exp(min({one.text}, {bound})))"))
        elif kind == 7:
            text = draw.pick(
                (f"sqrt(1 + relu({one.text}))", f"(1 / (1 + relu({one.text})))", f"power(sigmoid({one.text}), 2)")
            )
        else:
            by = self.number(scope, 0, 1).text
            side, other = draw.pick((("top", "bottom"), ("left", "left"), ("right", "left")))
            text = f"pad(crop({one.text}, {side} = {by}), {other} = {by})"
        return Map(text, one.low, one.high, one.place, one.width)

    def special(self, scope: Scope, place: str) -> Map:
        """Operations that read a map more than once, or whose attributes depend on each other."""
        draw, one = self.draw, self.name(scope, place)
        if "(" in one.text:  # not a name
            return self.pointwise(scope, one)
        self.spend(scope, 2)
        kind = draw.below(8)
        if kind == 0:
            text = f"conv({one.text}, {one.text}.channels, kernel = 3, groups = {one.text}.channels)"
        elif kind == 1:
            # Kept from closing altogether: engines in float32 do not agree on what little is left then.
            gate = f"relu6(conv(global_average_pool({one.text}), {one.text}.channels, kernel = 1, bias = true))"
            text = f"{one.text} * sigmoid({gate})"
        elif kind == 2:
            width = self.number(scope, 1, WIDE)
            text = f"slice({one.text}, min({width.text}, {one.text}.channels))"
            return Map(text, min(int(width.low), one.low), min(int(width.high), one.high), place)
        elif kind == 3:
            start = self.number(scope, 0, one.low - 1)
            text = f"slice({one.text}, {one.text}.channels - {start.text}, start = {start.text})"
            return Map(text, max(one.low - int(start.high), 1), one.high, place)
        elif kind == 4:
            groups = self.number(scope, 1, 4)
            inner = f"conv({one.text}, {groups.text} * 2, kernel = 1)"
            text = f"conv({inner}, {groups.text} * 3, kernel = 3, groups = {groups.text})"
            return Map(text, 3 * int(groups.low), 3 * int(groups.high), place)
        elif kind == 7:
            by = draw.pick((f"channel_mean({one.text})", f"global_max_pool({one.text})", f"relu({one.text})"))
            text = draw.pick((f"{one.text} / (1 + relu({by}))", f"max({one.text}, {by})"))
        elif kind == 5:
            return self.conv(scope, one, self.width(scope), more=f", dilation = {self.number(scope, 1, 3).text}")
        else:
            text = f"{one.text} * parameter({one.text}.channels, init = {self.number(scope, 1, 2, whole=False).text})"
        return Map(f"({text})" if "*" in text and kind != 4 else text, one.low, one.high, place, one.width)

    def shared(self, scope: Scope, place: str, deep: int) -> Map:
        """A call whose weights the iterations share: what goes in has the same channels in each.

        In an `each` the iterations of a `repeat` have weights of their own, so that they may differ.
        """
        draw = self.draw
        before = self.number(scope, 1, WIDE, fixed=True)
        inner = self.conv(scope, self.map(scope, place, deep + 1), before)
        kind = draw.below(5)
        if kind == 4 and isinstance(scope.names.get("inner"), Symbol):
            self.spend(scope, 4)
            return Map(f"shared inner({inner.text})", inner.low, inner.high, place, inner.width)
        if kind == 1 and inner.low > 1:
            self.spend(scope)
            return Map(f"shared norm({inner.text})", inner.low, inner.high, place, inner.width)
        if kind == 2 and (fitting := [one for one in self.callable(scope) if one.maps == 1 and not one.list]):
            helper = draw.pick(fitting)
            return self.call(scope, helper, [inner], place, fixed=True)
        indices = [number for number in scope.of(Number) if number.index] if "each" in scope.loops else []
        kernel = f"1 + 2 * {draw.pick(indices).text}" if indices and draw.below(2) else draw.pick(("1", "3"))
        width = self.number(scope, 1, WIDE, fixed=True)
        dilation = f", dilation = {self.number(scope, 1, 2).text}" if kind == 3 else ""
        self.spend(scope)
        text = f"shared conv({inner.text}, {width.text}, kernel = {kernel}{dilation})"
        return Map(text, int(width.low), int(width.high), place, width.text)

    # ---- helpers ----

    def callable(self, scope: Scope) -> list[Helper]:
        """The helpers that nothing in scope hides, and that are not too large."""
        return [one for one in self.helpers if one.name not in scope.names and self.affords(scope, one.cost)]

    def helped(self, scope: Scope, place: str, deep: int) -> Map:
        """A call of a helper."""
        fitting = self.callable(scope)
        if not fitting:
            return self.name(scope, place)
        helper = self.draw.pick(list(reversed(fitting)))
        return self.call(scope, helper, [self.map(scope, place, deep + 1) for _ in range(helper.maps)], place)

    def call(self, scope: Scope, helper: Helper, maps: Sequence[Map], place: str, *, fixed: bool = False) -> Map:
        """A call on these maps; what has a default may be left out."""
        draw = self.draw
        arguments = [one.text for one in maps]
        if helper.list:
            arguments[0] = self.list(scope, place).text
        given: dict[str, Number] = {}
        in_turn = True  # as long as nothing was left out
        for parameter, optional in helper.parameters:
            if optional and draw.below(2) == 0:
                in_turn = False
                continue
            if isinstance(parameter, Number):
                number = self.number(scope, parameter.low, parameter.high, whole=parameter.whole, fixed=fixed)
                given[parameter.text], value = number, number.text
            elif isinstance(parameter, Flag):
                value = draw.pick(("true", "false")) if fixed else self.flag(scope)
            else:
                value = draw.pick(ACTIVATIONS) if fixed else self.symbol(scope)
            in_turn = in_turn and draw.below(3) > 0
            arguments.append(value if in_turn else f"{parameter.text} = {value}")
        self.spend(scope, helper.cost)
        text = f"{'shared ' if fixed else ''}{helper.name}({', '.join(arguments)})"
        width = given.get(helper.width)
        if width is None:
            return Map(text, helper.low, helper.high, place)
        return Map(text, int(width.low), int(width.high), place, width.text if width.fixed else "")

    # ---- lists ----

    def lists(self, scope: Scope, place: str) -> list[Maps]:
        """The lists at a place that hold something."""
        return [maps for maps in scope.of(Maps) if maps.item.place == place and maps.least > 0]

    def list(self, scope: Scope, place: str) -> Maps:
        """A list of one to four maps: written out, a name, or the rest of one."""
        draw = self.draw
        named = self.lists(scope, place)
        if named and draw.below(3):
            maps = draw.pick(named)
            if maps.least > 1 and draw.below(2):
                return Maps(f"rest({maps.text})", maps.least - 1, maps.most - 1, maps.item)
            if maps.most < LONGEST and draw.once_in(3):
                item = self.map(scope, place, DEEPEST)
                either = Map("", min(item.low, maps.item.low), max(item.high, maps.item.high), place)
                return Maps(f"({maps.text} + [{item.text}])", maps.least + 1, maps.most + 1, either)
            return maps
        items = [self.map(scope, place, DEEPEST) for _ in range(draw.pick((1, 2, 3, 2)))]
        text = f"[{', '.join(item.text for item in items)}]"
        sure = items[0].width if len({item.width for item in items}) == 1 else ""
        low, high = min(item.low for item in items), max(item.high for item in items)
        return Maps(text, len(items), len(items), Map("", low, high, place, sure))

    def of_list(self, scope: Scope, maps: Maps) -> Map:
        """A map made of a list that holds something."""
        item, kind = maps.item, self.draw.below(5)
        self.spend(scope)
        if kind == 2 and item.width:
            return Map(f"sum({maps.text})", item.low, item.high, item.place, item.width)
        if kind > 2:
            text = f"concat({maps.text})" if kind == 3 else f"concat(first({maps.text}), {maps.text})"
            more = kind == 4
            low, high = item.low * (maps.least + more), item.high * (maps.most + more)
            return self.narrow(scope, Map(text, low, high, item.place))
        which = self.draw.pick(("first", "last", ""))
        text = f"{which}({maps.text})" if which else f"{maps.text}[{self.draw.below(maps.least)}]"
        return Map(text, item.low, item.high, item.place, item.width)
