"""Write down what one use of a definition runs, statement by statement.

In: what the expression of each statement gives, as operands. Out: events over numbered values, in the order in which
they run, and for each statement the form of its expression. Operands that no statement holds never run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spinedsl.ops.program import (
    Applied,
    Call,
    Definition,
    Event,
    Form,
    Formal,
    Iteration,
    Listed,
    Made,
    Many,
    Module,
    Named,
    Operand,
    Path,
    Ref,
    Values,
    Yielded,
)
from spinedsl.ops.types import Attr, Expr, Type


class Trace:
    """One use at work. `prefix` names parameters of the iteration at hand, `outer` those that are shared there."""

    def __init__(self, written: Definition) -> None:
        self.written, self.forms = written, written.forms
        self.types: list[Type] = []
        self.channels: list[Expr] = []
        self.events: list[Event] = []
        self.ran: dict[tuple[int, Iteration], Attr | Made] = {}
        self.results: list[int] = []
        self.iteration: Iteration = ()
        self.prefix: Path = ()
        self.outer: Path = ()

    def value(self, type_: Type, channels: Expr) -> int:
        """The number of one more value."""
        self.types.append(type_)
        self.channels.append(channels)
        return len(self.types) - 1

    def notes(self, site: int, attr: Attr) -> None:
        """A statement's expression is a number, a flag or a symbol."""
        self.ran[site, self.iteration] = attr

    def makes(self, site: int, operand: Operand) -> tuple[int, ...]:
        """A statement's expression is feature maps: all that it is made of runs now. Their values."""
        first = len(self.types)
        grown = isinstance(operand, Many) and bool(operand.parts)
        form, value = self._grown(operand) if grown else self._run(operand)  # type: ignore[arg-type]
        self.ran[site, self.iteration] = Made(form, value, first, len(self.types))
        return value if isinstance(value, tuple) else (value,)

    def gives(self, site: int, operand: Operand) -> None:
        """A statement returns or yields a feature map."""
        self.results += self.makes(site, operand)

    @contextmanager
    def inside(self, number: int, path: str, outer: Path) -> Iterator[None]:
        """One iteration of a loop, whose parameters are named under `path`; `outer` names those that are shared."""
        around = self.iteration, self.prefix, self.outer
        self.iteration, self.prefix, self.outer = (*self.iteration, number), (*self.prefix, path), outer
        yield
        self.iteration, self.prefix, self.outer = around

    def module(
        self,
        formals: tuple[Formal, ...],
        maps: dict[str, Type | tuple[Type, ...]],
        scalars: dict[str, Attr],
        *,
        open_size: bool = False,
        yields: tuple[Yielded, ...] = (),
    ) -> Module:
        """All that was written down, of a use for these parameters."""
        return Module(
            self.written,
            formals,
            maps,
            scalars,
            types=tuple(self.types),
            channels=tuple(self.channels),
            events=tuple(self.events),
            ran=self.ran,
            results=tuple(self.results),
            open_size=open_size,
            yields=yields,
        )

    def _run(self, operand: Operand) -> tuple[Form, Values]:
        if isinstance(operand, Ref):
            return self._named(operand.name, operand.index), operand.value
        if isinstance(operand, Many):
            return self._list(operand)
        if isinstance(operand, Call):
            module, called, role = operand.module, operand.module.definition, operand.module.definition
            parts, attributes = tuple(operand.maps.values()), operand.scalars
        else:
            module, called, role = None, operand.primitive, operand.role
            parts, attributes = operand.inputs, operand.attributes
        ran = [self._run(part) for part in parts]
        forms = tuple([form for form, _ in ran])
        key = (called, role, operand.path, operand.shared, operand.loc.line, *map(id, forms))
        form = self.forms.get(key)
        if form is None:
            form = self.forms[key] = Applied(called, role, forms, operand.path, operand.shared, operand.loc)
        assert isinstance(form, Applied)
        path = (self.outer if operand.shared else self.prefix) + operand.path
        self.events.append(Event(form, module, tuple([value for _, value in ran]), attributes, path))
        return form, self.value(operand.type, operand.channels)

    def _list(self, many: Many) -> tuple[Form, Values]:
        if many.name:
            values = tuple([item.value for item in many.items if isinstance(item, Ref)])
            return self._named(many.name, many.start or None, rest=bool(many.start)), values
        ran = [self._run(item) for item in many.items]
        forms = tuple([form for form, _ in ran])
        key = ("[]", *map(id, forms))
        form = self.forms.get(key) or self.forms.setdefault(key, Listed(forms))
        return form, tuple([value for _, value in ran if isinstance(value, int)])

    def _grown(self, many: Many) -> tuple[Form, Values]:
        """A list that begins with all of another: `[*l, x]`, whatever the number of items of that."""
        first, *others = [self._run(part) for part in many.parts]
        forms = tuple([form for form, _ in (first, *others)])
        key = ("[*]", *map(id, forms))
        form = self.forms.get(key) or self.forms.setdefault(key, Listed(forms, opens=True))
        assert isinstance(first[1], tuple)
        return form, (*first[1], *[value for _, value in others if isinstance(value, int)])

    def _named(self, name: str, index: int | None, *, rest: bool = False) -> Form:
        key = (name, index, rest)
        return self.forms.get(key) or self.forms.setdefault(key, Named(name, index, rest))
