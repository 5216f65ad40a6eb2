"""E0247: a name of parameters that two things of a definition would have.

An iteration of an `each` names its parameters below `p0`, `p1`, …, and so may another one, or a `shared` call that is
bound to `p1`. The text does not tell whether it comes to that: it depends on how often the loops run. Those of a
`repeat` stand below `rep0`, `rep1`, …, which nothing else may be called.
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
    """One iteration of an `each`: what its parameters are named under, and the events that ran in it."""

    path: Path
    number: int
    item: tree.Name
    first: int
    end: int

    @property
    def loop(self) -> str:
        """The last name of the path, without the number."""
        return self.path[-1].removesuffix(str(self.number))

    @property
    def words(self) -> str:
        """How a message calls it."""
        return f"iteration {self.number} of `each {self.item.text}`"


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
            first, second = sorted((before, turn), key=lambda one: one.item.span.start)
            return _report(first, second.words, second.item.span, second)
    for event in events:
        own = len(event.path) - len(event.at.path)
        for length in range(own + 1, len(event.path) + 1):
            met = named.get(event.path[:length])
            if met is not None and owns(event) and _owner(met, events, owns):
                return _report(met, *_written(event, event.path[length - 1], plan, body), met)
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


def _report(turn: Turn, other: str, place: Span, to_rename: Turn) -> Diagnostic:
    name = turn.path[-1]
    found: Diagnostic = say.NAME_OF_TWO.at(place, name=name, first=turn.words, second=other)
    found = found.with_others(Label(turn.item.span, f"`{name}` here"))
    return found.with_fix(f"give the item another name: `each {to_rename.item.text}_ in …`")
