"""Write `forward`, or the body of a function, from a `Plan`.

In: a plan. Out: its lines. Statements stand as in the file; those whose result nothing reads are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

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
    StatementAt,
    Use,
    YieldAt,
    computes,
    settled,
    walk,
)
from spinedsl.backends.torch.children import Group, Part
from spinedsl.backends.torch.expressions import AND, SUM, opposite
from spinedsl.backends.torch.layout import (
    Append,
    Bracket,
    Choice,
    Doc,
    Extend,
    For,
    Joined,
    Line,
    Statement,
    call,
    flat,
)
from spinedsl.backends.torch.names import attribute
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.backends.torch.place import Code, Place
from spinedsl.backends.torch.plan import Holder, Plan
from spinedsl.record import replace


class Forward:
    """Writes the statements of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop: LoopAt | None = None  # the innermost loop being written
        self.container = "self"  # what holds its submodules
        self.home = "self"  # what holds those that are shared
        self.holder: Holder = (None, False)  # which that is, of `container`
        self.home_holder: Holder = (None, False)  # and of `home`
        self.around: frozenset[int] = frozenset()  # the loops with a submodule for each iteration, around `container`
        self.around_home: frozenset[int] = frozenset()  # and around `home`
        self.blocks = 0  # around what is being written: arms, and loops over no submodules
        self.written_out: dict[int, int] = {}  # the loops being written out, by number, and the iteration
        self.groups: list[Group] = []  # of the operand being written

    def whole(self) -> list[Statement]:
        """The statements of the whole body. What a head yields is gathered in a list."""
        made = self.body(self.plan.body)
        results = self.plan.results
        if not self.plan.modules[0].yields:
            return made
        if len(made) == 1 and isinstance(made[0], Extend):
            return [Line("return ", f"[{flat(made[0].value)} {made[0].head}]")]
        return [Line("", f"{results} = []"), *made, Line("", f"return {results}")]

    def body(self, body: BodyAt) -> list[Statement]:
        """Some statements. Numbers are written where they are read, so what binds one is none here."""
        made: list[Statement] = []
        for statement in self._tidy(body):
            if isinstance(statement, BindAt):
                # What nothing reads is computed all the same, and needs no name.
                name = self.plan.local(statement.name) if self.plan.uses[statement.name] else ""
                made.append(Line(f"{name} = " if name else "", self.value(statement.value)))
            elif isinstance(statement, ReturnAt):
                made.append(Line("return ", self.value(statement.value)))
            elif isinstance(statement, YieldAt):
                made.append(Append(self.plan.results, self.value(statement.value)))
            elif isinstance(statement, IfAt):
                made += self._choice(statement)
            elif isinstance(statement, LoopAt):
                made += self._loop(statement)
        return made

    def _tidy(self, body: BodyAt) -> list[StatementAt]:
        """Statements whose result is read. `let a = f(x)`, `b = a` is `b = f(x)` where nothing else reads `a`."""
        made: list[StatementAt] = []
        for statement in body:
            before = made[-1] if made else None
            if isinstance(statement, BindAt) and not self.plan.uses[statement.name] and not computes(statement.value):
                continue
            if (
                isinstance(before, BindAt)
                and isinstance(statement, BindAt | ReturnAt | YieldAt)
                and isinstance(statement.value, RefAt)
                and (statement.value.name, statement.value.index) == (before.name, None)
                and self.plan.uses[before.name] == 1
            ):
                made[-1] = replace(statement, value=before.value)
            else:
                made.append(statement)
        return made

    # ---- choices ----

    def _choice(self, choice: IfAt) -> list[Statement]:
        outcomes = {bool(value) for use, value in choice.condition.values.items() if self._is_here(use)}
        if len(outcomes) == 1:
            return self.body(choice.then if True in outcomes else choice.other)
        _, then, other = self.plan.arms(choice)  # submodules stand in the first
        self.blocks += 1
        first, second = self.body(then), self.body(other)
        self.blocks -= 1
        if not first and not second:
            return []
        if not first or (second and not _returns(then) and _returns(other)):
            first, second, then, other = second, first, other, then
        holds = self._test(choice, then)
        if _returns(then):
            return [Choice(holds, tuple(first)), *second]
        if (name := self._perhaps_missing(choice, other)) and second:
            second = [Choice(name, tuple(second))]
        return [Choice(holds, tuple(first), tuple(second))]

    def _is_here(self, use: Use) -> bool:
        """The use is one of the iterations that are being written."""
        return all(use.at(loop) == iteration for loop, iteration in self.written_out.items())

    def _test(self, choice: IfAt, arm: BodyAt) -> str:
        """Whether a choice takes an arm: by a submodule that one arm alone has, where there is one.

        `torch.jit.script` leaves out statements whose submodules are not there, if they are asked for like that.
        """
        other = choice.other if arm is choice.then else choice.then
        exact = all(len(found) == 1 for found in self._outcomes(choice).values())
        for first, second, negated in ((arm, other, ""), (other, arm, "not ")):
            elsewhere = set(self._places(second))
            for places in self._sure(first, shared=exact):
                if elsewhere.isdisjoint(places):
                    asked = " or ".join(map(_has, places))
                    return f"{negated}({asked})" if negated and len(places) > 1 else negated + asked
        scope = self.plan.scope
        condition = scope.resolve(choice.condition, "condition")
        condition = scope.expanded(condition if arm is choice.then else opposite(condition))
        if there := self._perhaps_missing(choice, arm):
            return f"{there} and {scope.forward_text(condition, AND)}"
        return scope.forward_text(condition)

    def _perhaps_missing(self, choice: IfAt, arm: BodyAt) -> str:
        """The question for what an arm shares, where it may be that no iteration takes that arm."""
        outcomes = self._outcomes(choice).values()
        shared = [] if all((arm is choice.then) in found for found in outcomes) else list(self._direct(arm))
        place = next((next(self._places_of(group)) for group in shared if group.shared), None)
        return _has(place) if place is not None else ""

    def _outcomes(self, choice: IfAt) -> dict[Use, set[bool]]:
        """What a choice comes to, for each of the iterations that have what is shared in it to themselves."""
        found: dict[Use, set[bool]] = {}
        for use, value in choice.condition.values.items():
            if self._is_here(use):
                found.setdefault(use.only(self.around_home), set()).add(bool(value))
        return found

    def _direct(self, body: BodyAt) -> Iterator[Group]:
        """The submodules of statements, those in choices and loops left out."""
        for statement in body:
            if isinstance(statement, BindAt | ReturnAt | YieldAt):
                yield from self.plan.groups(statement.value, self.loop)

    def _sure(self, body: BodyAt, *, shared: bool) -> Iterator[tuple[str, ...]]:
        """Places of submodules, of which one is there just where the statements run. With `shared`, also of such."""
        for group in self._direct(body):
            if shared or not group.shared:
                yield from ((place,) for place in self._places_of(group))
        for statement in body:
            if isinstance(statement, IfAt):
                then, other = (next(self._sure(arm, shared=shared), ()) for arm in (statement.then, statement.other))
                yield from [then + other] if then and other else []
            elif isinstance(statement, LoopAt) and self._owns(statement):
                if all(statement.count.values.values()):
                    yield (self._first_of(statement),)
                elif not self._shares(statement):
                    yield (f"{self.container}.{self.plan.numbers_of(statement)}",)

    def _places(self, body: BodyAt) -> Iterator[str]:
        """Places of submodules of which any may be there, if the statements run."""
        for group in self._direct(body):
            yield from self._places_of(group)
        for statement in body:
            if isinstance(statement, IfAt):
                yield from self._places(statement.then + statement.other)
            elif isinstance(statement, LoopAt) and self._owns(statement):
                yield self._first_of(statement)

    def _first_of(self, loop: LoopAt) -> str:
        return f"{self.container}.{attribute(loop.path)}0"

    def _places_of(self, group: Group) -> Iterator[str]:
        if group.name:
            yield self._place(group, "")
        yield from (self._place(group, part.path[-1]) for part in group.members)

    # ---- loops ----

    def _loop(self, loop: LoopAt) -> list[Statement]:
        if not loop.body:
            return []
        outside = self.loop, self.container, self.home, self.holder, self.home_holder, self.around, self.around_home
        self.loop = loop
        if loop.each:
            self.home, self.home_holder, self.around_home = self.container, self.holder, self.around
        if self._owns(loop):
            self.around |= {loop.binder}
        if self._shares(loop):
            self.around_home |= {loop.binder}
        if self._owns(loop) and self._shares(loop):
            made = self._written_out(loop)
        elif self._owns(loop) or self._shares(loop):
            made = self._over_children(loop)
        else:
            made = self._counted(loop)
        self.loop, self.container, self.home, self.holder, self.home_holder, self.around, self.around_home = outside
        return made

    def _owns(self, loop: LoopAt) -> bool:
        return loop in self.plan.containers

    def _shares(self, loop: LoopAt) -> bool:
        """Its iterations share submodules with those for other maps of the `each` around it."""
        return loop in self.plan.shared_containers and not loop.each

    def _counted(self, loop: LoopAt) -> list[Statement]:
        """A loop whose iterations have no submodules of their own."""
        self.blocks += 1
        made, indexed = self._body_at(loop, index := self.plan.scope.loops[loop.binder])
        self.blocks -= 1
        if not made:
            return []
        index = index if indexed else "_"
        head = f"for {index} in range({self.plan.scope.in_forward(loop.count, 'repeats')})"
        if loop.items is not None:
            item, items = self.plan.local(loop.item), self.operand(loop.items).doc
            if isinstance(items, Bracket):
                items = f"({', '.join(str(item) for item in items.items)},)"
            head = f"for {index}, {item} in enumerate({items})" if indexed else f"for {item} in {items}"
        if len(made) == 1 and isinstance(made[0], Append):
            return [Extend(made[0].results, made[0].value, head)]
        return [For(head, tuple(made))]

    def _over_children(self, loop: LoopAt) -> list[Statement]:
        """A loop over the submodules that its iterations have, or share. Numbers tell them from all others."""
        plan, shares = self.plan, self._shares(loop)
        module, index = (plan.shared_containers if shares else plan.containers)[loop], plan.scope.loops[loop.binder]
        if self.blocks:  # script does not let a block set a variable that is a module, or a number, outside of it
            module, index = self._unshared(module), self._unshared(index)
        place = self.home if shares else self.container
        holder = self.home_holder if shares else self.holder
        if shares:
            self.home, self.home_holder = module, (loop, True)
        else:
            self.container, self.holder = module, (loop, False)
        before, fetch = self._items(loop, index) if loop.items is not None else ([], [])
        made, _ = self._body_at(loop, index)
        if plan.uses[loop.item] == 1:
            plan.names.pop(loop.item, None)  # another loop may call its maps so
        if not made:
            return []
        plan.looped.add(holder)
        body = (*fetch, *made)
        if shares and not settled(loop.count):
            body = (Choice(f"{index} < {plan.scope.in_forward(loop.count, 'repeats', SUM)}", body),)
        head = f"for {index}, {module} in zip({place}.{plan.numbers_of(loop)}, {place}.children(), strict=False)"
        return [*before, For(head, (Choice(f"{index} is not None", body),))]

    def _unshared(self, name: str) -> str:
        """A variable of a loop that has it to itself."""
        plan = self.plan
        named = [*plan.scope.loops.values(), *plan.containers.values(), *plan.shared_containers.values()]
        return plan.own_local(name) if named.count(name) > 1 else name

    def _items(self, loop: LoopAt, index: str) -> tuple[list[Statement], list[Statement]]:
        """What an `each` goes over, made before the loop; and in it, the map of the iteration, if it needs a name."""
        plan = self.plan
        assert loop.items is not None
        items = self.operand(loop.items).doc
        before: list[Statement] = []
        changed = {inner.name for inner, _ in walk(loop.body) if isinstance(inner, BindAt)}
        if isinstance(items, Bracket) or loop.items.start or loop.items.name in changed:  # the loop must not change it
            name = plan.own_local(f"{loop.item}s")
            before.append(Line(f"{name} = ", items))
            items = name
        item = f"{flat(items)}[{index}]"
        if plan.uses[loop.item] == 1:
            plan.names[loop.item] = item
        return before, [Line(f"{plan.local(loop.item)} = ", item)] if plan.uses[loop.item] > 1 else []

    def _written_out(self, loop: LoopAt) -> list[Statement]:
        """A loop whose iterations have submodules of their own and share others: no one loop goes over both."""
        container, home = self.container, self.home
        self.holder, self.home_holder = (loop, False), (loop, True)
        counts = [cast(int, count) for use, count in loop.count.values.items() if self._is_here(use)]
        made: list[Statement] = []
        for iteration in range(max(counts)):
            self.container = f"{container}.{attribute(loop.path)}{iteration}"
            self.home = f"{home}.{attribute(loop.shared_path)}{iteration}"
            self.written_out[loop.binder] = iteration
            body, _ = self._body_at(loop, str(iteration))
            del self.written_out[loop.binder]
            always = iteration < min(counts)
            made += body if always or not body else [Choice(_has(self.container), tuple(body))]
        return made

    def _body_at(self, loop: LoopAt, number: str) -> tuple[list[Statement], bool]:
        """The statements of a loop, for an index that is written as `number`; and whether they read it."""
        loops, indexed = self.plan.scope.loops, self.plan.scope.indexed
        index, before = loops[loop.binder], loop.binder in indexed
        loops[loop.binder] = number
        indexed.discard(loop.binder)
        made = self.body(loop.body)
        loops[loop.binder] = index
        found = loop.binder in indexed
        if before:
            indexed.add(loop.binder)
        return made, found

    # ---- operands ----

    def value(self, value: OperandAt) -> Doc:
        """An operand that a statement binds or returns."""
        self.groups = self.plan.groups(value, self.loop)
        return self.operand(value).doc

    def operand(self, value: OperandAt) -> Code:
        """An operand in Python."""
        if isinstance(value, RefAt):
            item = "" if value.index is None else f"[{value.index}]"
            return Code(f"{self.plan.local(value.name)}{item}")
        if isinstance(value, ManyAt):
            if value.name:
                rest = f"[{value.start}:]" if value.start else ""
                return Code(f"{self.plan.local(value.name)}{rest}")
            items = tuple(self.operand(item).doc for item in value.items)
            if value.opens:
                return Code(Joined(items[0], (("+", Bracket("[", items[1:], "]")),)))
            return Code(Bracket("[", items, "]"))
        for group in self.groups:
            if group.chain and group.chain[-1] is value:
                below = self.operand(self.plan.grouping.bottom(group))
                return Code(call(self._place(group, ""), below.doc))
        return self._call(value) if isinstance(value, CallAt) else self._operation(value)

    def _call(self, value: CallAt) -> Code:
        callee = self.plan.callee(value)
        maps = [self.operand(value.maps[name]).doc for name in callee.inputs]
        name = callee.name if callee.is_function else self._member(value)
        return Code(callee.apply(name, maps, self.plan.sizes))

    def _operation(self, value: OpAt) -> Code:
        row = OPERATORS[value.primitive]
        inputs = [code for operand in value.inputs for code in self._inputs(operand)]
        member = self._member(value) if row.owns else ""
        place = Place(value, self.plan.scope, forward=True, sizes=self.plan.sizes, member=member)
        return row.function(place, inputs)

    def _inputs(self, operand: OperandAt) -> list[Code]:
        """A list that is written out is as good as its items."""
        if isinstance(operand, ManyAt) and not operand.name:
            return [self.operand(item) for item in operand.items]
        return [self.operand(operand)]

    def _member(self, part: Part) -> str:
        group = next(group for group in self.groups if any(part is member for member in group.members))
        return self._place(group, part.path[-1])

    def _place(self, group: Group, last: str) -> str:
        base = self.home if group.shared else self.container
        return ".".join([base, *(attribute(name) for name in (group.name, last) if name)])


def _returns(body: BodyAt) -> bool:
    """Every way through the statements returns."""
    last = body[-1] if body else None
    if isinstance(last, IfAt):
        return _returns(last.then) and _returns(last.other)
    return isinstance(last, ReturnAt)


def _has(place: str) -> str:
    """The question whether there is an attribute."""
    holder, _, name = place.rpartition(".")
    return f'hasattr({holder}, "{name}")'
