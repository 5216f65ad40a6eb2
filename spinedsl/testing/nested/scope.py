"""What is known of the names in scope while a definition is drawn, and the choices that draw it.

What is known of a name holds whatever the definition is used for, and in every iteration of the loops around: a number
lies in a range, a map has so many channels at least and at most. So any text made by these rules is valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias, TypeVar

from spinedsl.record import Record, field

T = TypeVar("T")


class Draw:
    """Choices decoded from small numbers. When they are used up, every choice is the first and simplest one."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers, self.at = numbers, 0

    def below(self, count: int) -> int:
        """A number from 0 to below `count`."""
        if self.at >= len(self.numbers):
            return 0
        self.at += 1
        return self.numbers[self.at - 1] % count

    def pick(self, options: Sequence[T]) -> T:
        """One of them."""
        return options[self.below(len(options))]

    def once_in(self, count: int) -> bool:
        """True once in so many times, and not where the numbers are used up."""
        return self.below(count) == count - 1


class Number(Record):
    """A compile-time number as text, with its range. `fixed`: every iteration of the loops around has the same one."""

    text: str
    low: Fraction
    high: Fraction
    whole: bool = True
    fixed: bool = False
    index: bool = False  # of a `repeat`
    var: bool = False


class Flag(Record):
    """A compile-time flag."""

    text: str
    var: bool = False


class Symbol(Record):
    """The name of an activation, or of a definition that takes one map."""

    text: str


class Map(Record):
    """A feature map as text: its channels from `low` to `high`, and if it is sure, how they are written (`width`).

    Maps of one `place` have the same size. A place is named after a map that keeps standing there.
    """

    text: str
    low: int
    high: int
    place: str
    width: str = ""
    var: bool = False


class Maps(Record):
    """A list of feature maps as text: of `least` to `most` items, of which each is like `item`."""

    text: str
    least: int
    most: int
    item: Map
    var: bool = False


Known: TypeAlias = Number | Flag | Symbol | Map | Maps

# The same few names everywhere: what is bound in one loop is bound as something else in the next.
NAMES = {
    Map: ("y", "z", "wide", "more", "b", "v", "u", "yy"),
    Number: ("w", "d", "k", "n", "m", "e", "ww", "dd"),
    Flag: ("odd", "late", "on", "off"),
    Symbol: ("f", "g", "h", "ff"),
    Maps: ("l", "ps", "ls", "qs"),
}
INDICES = ("i", "j", "o", "ii")
ITEMS = ("p", "q", "r", "pp")
EVERY = tuple(name for names in (*NAMES.values(), INDICES, ITEMS) for name in names)


class Scope(Record, frozen=False):
    """The names that can be seen, those that cannot be bound again, and the loops around, the outermost first."""

    names: dict[str, Known] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    loops: tuple[str, ...] = ()
    runs: int = 1  # how often what stands here is run at most

    def arm(self) -> Scope:
        """Inside a choice: it may bind what nothing has bound, and what it binds is not seen outside."""
        return Scope(dict(self.names), self.bound, self.loops, self.runs)

    def loop(self, kind: str, times: int) -> Scope:
        """Inside a loop: it may bind whatever is not seen."""
        return Scope(dict(self.names), set(self.names), (*self.loops, kind), self.runs * max(times, 1))

    def of(self, kind: type[T]) -> list[T]:
        """All that is seen of a kind."""
        return [known for known in self.names.values() if isinstance(known, kind)]

    def fresh(self, names: Sequence[str], draw: Draw) -> str:
        """A name that can be bound: mostly the first of `names`, sometimes one that is usual for something else."""
        free = [name for name in (*names, *EVERY) if name not in self.bound and name not in self.names]
        if not free:
            return next(name for n in range(1000) if (name := f"t{n}") not in self.bound and name not in self.names)
        return draw.pick(free) if draw.once_in(6) else free[0]

    def bind(self, name: str, known: Known) -> None:
        """Take a name."""
        self.names[name] = known
        self.bound.add(name)


class Helper(Record):
    """A `def` that others call: how many maps it takes, `list` if the first is one, and its other parameters.

    What gives a parameter lies in its range; one with a default may be left out. `width` names the parameter that says
    the channels of the result, which lie from `low` to `high`; `cost` is about how many operations it expands to.
    """

    name: str
    maps: int
    list: bool
    parameters: tuple[tuple[Known, bool], ...]  # and whether it has a default
    low: int
    high: int
    width: str
    cost: int
