"""Read the text of a definition with the numbers of its uses: the tree that their class is printed from.

In: the `Module`s of one definition that one class can be (see `groups`). Out: its statements, in which every value is
known for every use and iteration. An arm that no use takes is left out. Where iterations of a loop are wired
differently, the statement becomes a choice between iterations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

from spinedsl.backends.torch.body import (
    BindAt,
    BodyAt,
    CallAt,
    IfAt,
    LoopAt,
    ManyAt,
    OpAt,
    OperandAt,
    RefAt,
    ReturnAt,
    Scalar,
    ScalarAt,
    StatementAt,
    Use,
    YieldAt,
    computes,
)
from spinedsl.ops.program import (
    Body,
    Each,
    Event,
    Form,
    If,
    Let,
    Listed,
    Made,
    Module,
    Named,
    Repeat,
    Return,
    Statement,
    Values,
    Yield,
    statements,
)
from spinedsl.ops.types import Attr, Expr, Literal, Name, Operation, Type

ClassOf: TypeAlias = Callable[[Module], object]  # the class that an expansion is
Wiring: TypeAlias = "tuple[object, ...] | None"  # None of a number
OF_A_RANK = ("batch_norm", "layer_norm")  # PyTorch has other modules for vectors than for maps


def written(modules: Sequence[Module], class_of: ClassOf) -> BodyAt:
    """The text of a definition over all of these uses."""
    reader = _Reader(modules, class_of)
    return reader.body(modules[0].written.body, [Use(number) for number in range(len(modules))])


def wiring(module: Module, recorded: Attr | Made, class_of: ClassOf) -> Wiring:
    """What a statement's expression is made of, whatever its numbers: where that differs, other code is needed."""
    if isinstance(recorded, Attr):
        return None
    found: list[object] = [recorded.form]
    for event in module.events[recorded.first - module.given : recorded.end - module.given]:
        if event.module is not None:
            found.append(class_of(event.module))
        elif event.at.called == "reshape":  # what lays channels out, and what puts them back, is written otherwise
            found.append(len(module.types[event.opened[0]].axes))
        elif event.at.called == "conv":  # of kernels that are standardised there are other modules
            found.append(event.attributes["weight"].value)
        elif event.at.called in OF_A_RANK:
            found.append(module.types[event.opened[0]].is_vector)
        found += (len(attr.value) for attr in event.attributes.values() if isinstance(attr.value, tuple))
    return tuple(found)


class _Reader:
    def __init__(self, modules: Sequence[Module], class_of: ClassOf) -> None:
        self.modules, self.class_of = modules, class_of
        self.last = [next(reversed(module.ran))[0] for module in modules]  # the statement that ran last
        ran = {site for module in modules for site, _ in module.ran}
        text = [statement for statement in statements(modules[0].written.body) if statement.site in ran]
        self.taken = {formal.name for formal in modules[0].formals} | _names(text)

    def record(self, site: int, run: Use) -> Attr | Made | None:
        """What a statement's expression is in one run."""
        return self.modules[run.module].ran.get((site, tuple([number for _, number in run.iterations])))

    def scalar(self, site: int, runs: Sequence[Use]) -> Scalar:
        attrs = {run: cast(Attr, self.record(site, run)) for run in runs}
        return _scalar(attrs)

    # ---- statements ----

    def body(self, body: Body, runs: Sequence[Use]) -> BodyAt:
        """Some statements, in the runs that arrive there."""
        made: list[StatementAt] = []
        for position, statement in enumerate(body if runs else ()):
            if isinstance(statement, If):
                # What follows belongs to the arms where only some of the uses return in these.
                ending = [run for run in runs if self.last[run.module] in statement.returns]
                after = body[position + 1 :] if 0 < len(ending) < len(runs) else ()
                made += self.choice(statement, runs, after)
                if ending:
                    break
            elif isinstance(statement, Repeat):
                made.append(self.repeat(statement, runs))
            elif isinstance(statement, Each):
                made += self.each(statement, runs)
            else:
                made += self.chosen(statement, runs)
                if isinstance(statement, Return):
                    break
        return tuple(made)

    def choice(self, choice: If, runs: Sequence[Use], after: Body) -> BodyAt:
        """A choice, or the arm that every run takes."""
        condition = self.scalar(choice.site, runs)
        then = [run for run in runs if condition.values[run]]
        other = [run for run in runs if not condition.values[run]]
        arms = self.body(choice.then + after, then), self.body(choice.other + after, other)
        return (IfAt(condition, *arms),) if then and other else arms[0] + arms[1]

    def repeat(self, loop: Repeat | Each, runs: Sequence[Use]) -> LoopAt:
        count = self.scalar(loop.site, runs)
        body = self.iterations(loop, runs, {run: cast(int, count.values[run]) for run in runs})
        if isinstance(loop, Each):
            return LoopAt(count, "", loop.site, None, "", loop.path, body, each=True)
        return LoopAt(count, loop.index, loop.site, None, "", loop.path, body, loop.shared_path)

    def each(self, loop: Each, runs: Sequence[Use]) -> list[StatementAt]:
        """A list that is made in the head of a loop, or differs between iterations, has a name before it.

        Numbers need no list: what is computed from them stands where it is read, by the index of the iteration.
        """
        numbers = [run for run in runs if isinstance(self.record(loop.site, run), Attr)]
        if len(numbers) == len(runs):
            return [self.repeat(loop, runs)]
        if numbers:
            others = [run for run in runs if run not in numbers]
            which = Scalar(dict.fromkeys(numbers, True) | dict.fromkeys(others, False), _iteration(numbers, others))
            return [IfAt(which, (self.repeat(loop, numbers),), tuple(self.each(loop, others)))]
        counts = {run: len(cast("tuple[int, ...]", cast(Made, self.record(loop.site, run)).value)) for run in runs}
        before = self.chosen(loop, runs)
        items = before[0].value if isinstance(before[0], BindAt) else None
        if not isinstance(items, ManyAt) or computes(items) or items.opens:
            name = f"{loop.item}s"
            while name in self.taken:
                name += "_"
            self.taken.add(name)
            before, items = [_named(statement, name) for statement in before], ManyAt(name)
        else:
            before = []
        body = self.iterations(loop, runs, counts)
        return [*before, LoopAt(Scalar(counts), "", loop.site, items, loop.item, loop.path, body, each=True)]

    def iterations(self, loop: Repeat | Each, runs: Sequence[Use], counts: Mapping[Use, int]) -> BodyAt:
        return self.body(loop.body, [run.inside(loop.site, number) for run in runs for number in range(counts[run])])

    def chosen(self, statement: Statement, runs: Sequence[Use]) -> list[StatementAt]:
        """A statement, or a choice by the iteration between the ways in which it is wired."""
        groups: dict[Wiring, list[Use]] = {}
        for run in runs:
            if (recorded := self.record(statement.site, run)) is not None:
                groups.setdefault(wiring(self.modules[run.module], recorded, self.class_of), []).append(run)
        if not groups:
            return []
        *others, last = groups.values()
        found, after = self.leaf(statement, last), list(last)
        for group in reversed(others):
            condition = Scalar(dict.fromkeys(group, True) | dict.fromkeys(after, False), _iteration(group, after))
            found = IfAt(condition, (self.leaf(statement, group),), (found,))
            after += group
        return [found]

    def leaf(self, statement: Statement, runs: Sequence[Use]) -> StatementAt:
        """A statement in runs that are wired alike."""
        first = self.record(statement.site, runs[0])
        if isinstance(first, Attr):
            assert isinstance(statement, Let)
            value = self.scalar(statement.site, runs)
            return ScalarAt(statement.keyword == "let", statement.name, statement.binder, value)
        assert first is not None
        operand = self.operand(first.form, {run: cast(Made, self.record(statement.site, run)).value for run in runs})
        if isinstance(statement, Return | Yield):
            return ReturnAt(operand) if isinstance(statement, Return) else YieldAt(operand)
        return BindAt(statement.name if isinstance(statement, Let) else "", operand)

    # ---- operands ----

    def operand(self, form: Form, values: Mapping[Use, Values]) -> OperandAt:
        """An expression, with the values that it gives."""
        if isinstance(form, Named):
            if any(isinstance(value, tuple) for value in values.values()):
                return ManyAt(form.name, start=form.index or 0)
            return RefAt(form.name, form.index, self.channels(values))
        if isinstance(form, Listed):
            lists = {run: cast("tuple[int, ...]", value) for run, value in values.items()}
            if not form.opens:
                return ManyAt("", self.operands(form.items, lists))
            more = len(form.items) - 1
            split: dict[Use, Sequence[Values]]
            split = {run: (value[: len(value) - more], *value[len(value) - more :]) for run, value in lists.items()}
            return ManyAt("", self.operands(form.items, split), opens=True)
        events = {run: self.event(run, value) for run, value in values.items()}
        inputs = self.operands(form.inputs, {run: event.inputs for run, event in events.items()})
        first, channels = next(iter(events.values())), self.channels(values)
        given = {
            name: {run: event.attributes[name] for run, event in events.items() if name in event.attributes}
            for name in first.attributes
        }
        if first.module is not None:
            return CallAt(
                modules={run: cast(Module, event.module) for run, event in events.items()},
                maps=dict(zip(first.module.maps, inputs, strict=True)),
                exprs={name: _exprs(attrs) for name, attrs in given.items()},
                path=form.path,
                shared=form.shared,
                channels=channels,
            )
        return OpAt(
            primitive=form.called,
            role=form.role,
            inputs=inputs,
            attributes={name: _scalar(attrs) for name, attrs in given.items()},
            path=form.path,
            shared=form.shared,
            channels=channels,
            types={run: self.types(run, event) for run, event in events.items()},
            open_size=self.modules[0].open_size,
        )

    def operands(self, forms: Sequence[Form], values: Mapping[Use, Sequence[Values]]) -> tuple[OperandAt, ...]:
        """The parts of an expression, with the values that each gives."""
        of_parts = ({run: parts[i] for run, parts in values.items()} for i in range(len(forms)))
        return tuple(self.operand(form, of_part) for form, of_part in zip(forms, of_parts, strict=True))

    def event(self, run: Use, value: Values) -> Event:
        module = self.modules[run.module]
        return module.events[cast(int, value) - module.given]

    def types(self, run: Use, event: Event) -> tuple[Type, ...]:
        types = self.modules[run.module].types
        return tuple([types[value] for value in event.opened])

    def channels(self, values: Mapping[Use, Values]) -> Scalar:
        """The channels of a feature map in each run."""
        found = {run: (self.modules[run.module], cast(int, value)) for run, value in values.items()}
        exprs = dict.fromkeys(module.channels[value] for module, value in found.values())
        return Scalar({run: module.types[value].channels for run, (module, value) in found.items()}, tuple(exprs))


def _scalar(attrs: Mapping[Use, Attr]) -> Scalar:
    return Scalar({use: attr.value for use, attr in attrs.items()}, _exprs(attrs))


def _exprs(attrs: Mapping[Use, Attr]) -> tuple[Expr, ...]:
    return tuple(dict.fromkeys(attr.expr for attr in attrs.values()))


def _iteration(uses: Sequence[Use], others: Sequence[Use]) -> tuple[Expr, ...]:
    """`i == 0`, `i < 2`: what tells some uses from the others, if that is the iteration of a loop around."""
    found: list[Expr] = []
    for loop, _ in uses[0].iterations:
        index = Name("", loop)
        numbers, rest = ({cast(int, use.at(loop)) for use in some} for some in (uses, others))
        if len(numbers) == 1 and not numbers & rest:
            found.append(Operation("==", (index, Literal(min(numbers)))))
        elif max(numbers) < min(rest):
            found.append(Operation("<", (index, Literal(min(rest)))))
        elif min(numbers) > max(rest):
            found.append(Operation(">=", (index, Literal(min(numbers)))))
    return tuple(found)


def _named(statement: StatementAt, name: str) -> StatementAt:
    """What a loop goes through, bound to a name."""
    if isinstance(statement, IfAt):
        then, other = (tuple(_named(part, name) for part in arm) for arm in (statement.then, statement.other))
        return IfAt(statement.condition, then, other)
    assert isinstance(statement, BindAt)
    return BindAt(name, statement.value)


def _names(text: Sequence[Statement]) -> set[str]:
    """Every name that a statement gives."""
    found: set[str] = set()
    for statement in text:
        if isinstance(statement, Let):
            found.add(statement.name)
        elif isinstance(statement, Repeat):
            found.add(statement.index)
        elif isinstance(statement, Each):
            found.add(statement.item)
    return found
