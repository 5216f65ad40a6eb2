"""Draw the statements of a definition: loops in loops, choices, and what they bind, under few names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

from spinedsl.testing.nested.maps import WIDE, WIDEST, FeatureMaps
from spinedsl.testing.nested.scope import INDICES, ITEMS, NAMES, Draw, Flag, Helper, Map, Maps, Number, Scope, Symbol

LOOPS = 3  # inside one another at most
RUNS = 12  # of a place at most, all loops together
ENVELOPE = 6  # a number that changes stays from 0 to this


class Statements(FeatureMaps):
    """Draws bodies, line by line."""

    def __init__(self, draw: Draw, helpers: Sequence[Helper] = ()) -> None:
        super().__init__(draw, helpers)
        self.lines: list[str] = []
        self.indent = 1

    def say(self, line: str) -> None:
        """One line more."""
        self.lines.append("    " * self.indent + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What stands in braces."""
        self.say(f"{head} {{")
        self.indent += 1
        yield
        self.indent -= 1
        self.say("}")

    def statements(self, scope: Scope, place: str, most: int) -> None:
        """Up to so many statements that work on the maps of a place."""
        for _ in range(self.draw.pick((0, *range(most // 2 + 1, most + 1), most))):
            self.statement(scope, place)

    def statement(self, scope: Scope, place: str) -> None:
        """Any statement; loops are the most likely where they can stand."""
        inside = len(scope.loops)
        kind = self.draw.below(16)
        if kind in (1, 2):
            self.bind_number(scope)
        elif kind == 3:
            self.change_number(scope)
        elif kind in (4, 5):
            self.bind_map(scope, place)
        elif kind == 6:
            self.bind_list(scope, place)
        elif kind == 7:
            self.bind_flag(scope)
        elif kind in (8, 9):
            self.choice(scope, place)
        elif kind >= 10 and inside < LOOPS and self.affords(scope):
            loop = self.repeat if kind < 13 else self.each
            loop(scope, place)
            if self.draw.below(2) and self.affords(scope):  # and another that binds the same names
                loop(scope, place)
        else:
            self.change_map(scope, place)

    # ---- what is bound ----

    def bind_map(self, scope: Scope, place: str) -> None:
        """`let` or `var`; what a `var` will hold later is only known to be a map."""
        value = self.map(scope, place)
        name = scope.fresh(NAMES[Map], self.draw)
        if self.draw.once_in(3):
            self.say(f"var {name} = {value.text}")
            scope.bind(name, Map(name, 1, WIDEST, place, var=True))
        else:
            self.say(f"let {name} = {value.text}")
            scope.bind(name, Map(name, value.low, value.high, place, value.width))

    def change_map(self, scope: Scope, place: str) -> None:
        """A `var` gets its next value; one of a sure width keeps that."""
        if not any(one.var and one.place == place for one in scope.of(Map)):
            return self.bind_map(scope, place)
        return self.set(scope, self.map(scope, place))

    def set(self, scope: Scope, value: Map) -> None:
        """Some `var` gets this value, or the sum of both."""
        names = [one for one in scope.of(Map) if one.var and one.place == value.place]
        if not names:
            name = scope.fresh(NAMES[Map], self.draw)
            self.say(f"let {name} = {value.text}")
            scope.bind(name, Map(name, value.low, value.high, value.place, value.width))
            return
        one = self.draw.pick(names)
        how = self.draw.below(3)
        if how == 0 or (one.width and value.width != one.width):
            self.spend(scope)
            self.say(f"{one.text} = {one.text} + {self.like(scope, value, one)}")
        elif how == 1 and not one.width:
            self.say(f"{one.text} = {self.conv(scope, value, self.width(scope)).text}")
        else:
            self.say(f"{one.text} = {value.text}")

    def bind_number(self, scope: Scope) -> None:
        """A `let` computed from what is there, or a `var`, which stays small."""
        name = scope.fresh(NAMES[Number], self.draw)
        if self.draw.once_in(4):
            value = self.number(scope, 0, ENVELOPE)
            self.say(f"var {name} = {value.text}")
            scope.bind(name, Number(name, Fraction(0), Fraction(ENVELOPE), var=True))
            return
        made = self.any(scope)
        value = self.within(made, 0, 12, whole=self.draw.below(3) > 0)
        self.say(f"let {name} = {value.text}")
        scope.bind(name, Number(name, value.low, value.high, value.whole, value.fixed))

    def change_number(self, scope: Scope) -> None:
        """A `var` that holds a number gets its next one."""
        names = [number for number in scope.of(Number) if number.var]
        if not names:
            return self.bind_number(scope)
        one = self.draw.pick(names)
        self.say(f"{one.text} = {self.within(self.any(scope), one.low, one.high, whole=True).text}")
        return None

    def bind_flag(self, scope: Scope) -> None:
        """A flag, or an activation."""
        if self.draw.once_in(3):
            name = scope.fresh(NAMES[Symbol], self.draw)
            chosen = self.symbol(scope)
            self.say(f"let {name} = {chosen} if {self.flag(scope)} else {self.symbol(scope)}")
            scope.bind(name, Symbol(name))
        else:
            name = scope.fresh(NAMES[Flag], self.draw)
            self.say(f"let {name} = {self.flag(scope)}")
            scope.bind(name, Flag(name))

    def bind_list(self, scope: Scope, place: str) -> None:
        """A list, or the next value of one that changes."""
        changing = [maps for maps in scope.of(Maps) if maps.var and maps.item.place == place]
        if changing and self.draw.below(4):
            old, value = self.draw.pick(changing), self.map(scope, place, 1)
            shorter = f"rest({old.text}) if len({old.text}) > 1 else {old.text}"
            kept = f"[{value.text}, first({old.text})]"
            grown = f"{old.text} + [{value.text}] if len({old.text}) < 2 else {old.text}"
            turned = f"rest({old.text}) + [{value.text}]"
            self.say(f"{old.text} = {self.draw.pick((shorter, kept, grown, turned))}")
            return
        maps = self.list(scope, place)
        name = scope.fresh(NAMES[Maps], self.draw)
        if self.draw.once_in(2):
            self.say(f"var {name} = {maps.text}")
            most = max(maps.most, 2)
            scope.bind(name, Maps(name, 1, most, Map("", 1, WIDEST, place), var=True))
        else:
            self.say(f"let {name} = {maps.text}")
            scope.bind(name, Maps(name, maps.least, maps.most, maps.item))

    # ---- choices and loops ----

    def choice(self, scope: Scope, place: str) -> None:
        """`if`, perhaps with `else if` and `else`."""
        with self.block(f"if {self.flag(scope)}"):
            inner = scope.arm()
            self.statements(inner, place, 2)
            self.change_map(inner, place)
        for head in (("else",), (), (f"else if {self.flag(scope)}", "else"))[self.draw.below(3)]:
            self.lines[-1] += f" {head} {{"
            self.indent += 1
            inner = scope.arm()
            self.statements(inner, place, 2)
            self.change_map(inner, place)
            self.indent -= 1
            self.say("}")

    def repeat(self, scope: Scope, place: str) -> None:
        """A `repeat`, mostly with an index; its count may depend on other numbers, and be 0."""
        count = self.number(scope, 0 if self.draw.once_in(4) else 1, max(min(3, RUNS // scope.runs), 1))
        times = int(count.high)
        inner = scope.loop("repeat", times)
        if self.draw.below(5):
            index = scope.fresh(INDICES, self.draw)
            number = Number(index, Fraction(0), Fraction(max(times - 1, 0)), index=True)
            inner.bind(index, number)
            head = f"repeat {index} in {count.text}"
        else:
            head = f"repeat {count.text}"
        self.loop(head, inner, place)

    def each(self, scope: Scope, place: str) -> None:
        """An `each` over a list, which may be empty where it is the rest of one; or over numbers."""
        if self.draw.once_in(4):
            values = [self.number(scope, 0, 3) for _ in range(1 + self.draw.below(3))]
            inner, item = scope.loop("each", len(values)), scope.fresh(ITEMS, self.draw)
            inner.bind(item, Number(item, Fraction(0), Fraction(3)))
            self.loop(f"each {item} in [{', '.join(value.text for value in values)}]", inner, place)
            return
        maps = self.list(scope, place)
        if maps.least >= 1 and self.draw.once_in(5) and not maps.text.startswith("["):
            maps = Maps(f"rest({maps.text})", maps.least - 1, max(maps.most - 1, 0), maps.item)
        inner = scope.loop("each", maps.most)
        item = scope.fresh(ITEMS, self.draw)
        inner.bind(item, Map(item, maps.item.low, maps.item.high, place, maps.item.width))
        self.loop(f"each {item} in {maps.text}", inner, place)

    def loop(self, head: str, inner: Scope, place: str) -> None:
        """A loop: often it derives numbers first, and it changes something in the end."""
        with self.block(head):
            if self.draw.below(4):
                self.derived(inner, place)
                if self.draw.below(2):
                    return
            self.statements(inner, place, 2)
            self.change_map(inner, place)

    def derived(self, scope: Scope, place: str) -> None:
        """A number for this iteration, another made of it, and what is computed by both."""
        first = scope.fresh(NAMES[Number], self.draw)
        made = self.within(self.by_index(scope), 1, WIDE, whole=self.draw.below(3) > 0)
        self.say(f"let {first} = {made.text}")
        scope.bind(first, Number(first, made.low, made.high, made.whole))
        second = scope.fresh(NAMES[Number], self.draw)
        text = f"{first} {self.draw.pick(('* 2', '+ 1', '/ 2', '- 1'))}"
        more = self.within(
            Number(text, min(made.low - 1, made.low / 2), made.high * 2, False), 1, WIDE, whole=self.draw.below(2) > 0
        )
        self.say(f"let {second} = {more.text}")
        scope.bind(second, Number(second, more.low, more.high, more.whole))
        read = self.map(scope, place, 1) if self.draw.below(2) else self.name(scope, place)
        inner = self.conv(scope, read, scope.names[second])  # type: ignore[arg-type]
        value = self.conv(scope, self.pointwise(scope, inner), scope.names[first])  # type: ignore[arg-type]
        self.set(scope, value)

    def leave(self, scope: Scope, one: Map, width: str) -> None:
        """Perhaps a `return` in a choice, then the last one: a map of a sure width."""
        for _ in range(self.draw.below(3)):
            with self.block(f"if {self.flag(scope)}"):
                inner = scope.arm()
                self.statements(inner, one.place, 1)
                self.add_return(inner, self.map(inner, one.place), width)
            self.statements(scope, one.place, 1)
        self.add_return(scope, one, width)

    def add_return(self, scope: Scope, one: Map, width: str) -> None:
        """`return`."""
        if one.width != width or self.draw.once_in(3):
            one = self.conv(scope, one, width)
        self.say(f"return {one.text}")
