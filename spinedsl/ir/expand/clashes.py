"""E0247: a name of parameters that two things of a definition would have.

An iteration of a loop names its parameters below `p0`, `p1`, …, and so may another loop, or a `shared` call that is
bound to `p1`. The text does not tell whether it comes to that: it depends on how often the loops run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.expand.plan import Plan
from spinedsl.ops.graph import trains
from spinedsl.ops.program import Event, Path
from spinedsl.ops.types import Type
from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.syntax import tree


class Turn(Record, eq=False):
    """One iteration of a loop: what its parameters are named under, and the events that ran in it."""

    path: Path
    number: int
    statement: tree.Each | tree.Repeat
    first: int
    end: int

    @property
    def loop(self) -> str:
        """The last name of the path, without the number."""
        return self.path[-1].removesuffix(str(self.number))

    @property
    def words(self) -> str:
        """How a message calls it."""
        word = f"each {self.statement.item.text}" if isinstance(self.statement, tree.Each) else "repeat"
        return f"iteration {self.number} of `{word}`"

    @property
    def place(self) -> Span:
        """The name of the item, or the count."""
        statement = self.statement
        return statement.item.span if isinstance(statement, tree.Each) else statement.count.span


def clash(
    turns: Sequence[Turn], events: Sequence[Event], types: Sequence[Type], plan: Plan, body: tree.Body
) -> Diagnostic | None:
    """The first name that two things would have; `types` are those of all values."""

    def owns(event: Event) -> bool:
        return trains(event, types)

    named: dict[Path, Turn] = {}
    for turn in turns:
        before = named.setdefault(turn.path, turn)
        if before.loop != turn.loop and _owner(before, events, owns) and _owner(turn, events, owns):
            first, second = sorted((before, turn), key=lambda one: one.place.start)
            loop = second if isinstance(second.statement, tree.Each) else first
            return _report(turn.path[-1], (first.words, first.place), (second.words, second.place), loop)
    for event in events:
        own = len(event.path) - len(event.at.path)
        for length in range(own + 1, len(event.path) + 1):
            met = named.get(event.path[:length])
            if met is not None and owns(event) and _owner(met, events, owns):
                other = _written(event, event.path[length - 1], plan, body)
                return _report(met.path[-1], (met.words, met.place), other, met)
    return None


def _owner(turn: Turn, events: Sequence[Event], owns: Callable[[Event], bool]) -> bool:
    """Something in the iteration has parameters of its own."""
    own = events[turn.first : turn.end]
    return any(event.path[: len(turn.path)] == turn.path and owns(event) for event in own)


def _written(event: Event, name: str, plan: Plan, body: tree.Body) -> tuple[str, Span]:
    """What the text has of an event under a name: the `let` of that name, or the call."""
    for part in tree.walk(body):
        if isinstance(part, tree.Binding) and part.keyword == "let" and part.name.text == name:
            return f"`let {name}`", part.name.span
    calls = (part for part in tree.walk(body) if isinstance(part, tree.Call) and plan.paths.get(id(part)) is not None)
    call = next(call for call in calls if plan.paths[id(call)] == event.at.path)
    return f"`{call.callee.text}`", call.callee.span


def _report(name: str, one: tuple[str, Span], other: tuple[str, Span], loop: Turn) -> Diagnostic:
    found: Diagnostic = say.NAME_OF_TWO.at(other[1], name=name, first=one[0], second=other[0])
    found = found.with_others(Label(one[1], f"`{name}` here"))
    if isinstance(loop.statement, tree.Repeat):
        return found.with_fix(f"let the `repeat` and {other[0]} stand in definitions of their own")
    return found.with_fix(f"give the item another name: `each {loop.statement.item.text}_ in …`")
