"""Write `forward`, or the body of a function, from a `Plan`.

In: a plan. Out: its lines. Statements stand as in the file; those whose result nothing reads are left out.
"""

from __future__ import annotations

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
    YieldAt,
    computes,
)
from spinedsl.backends.torch.children import Group, Part
from spinedsl.backends.torch.expressions import opposite
from spinedsl.backends.torch.layout import Append, Bracket, Choice, Doc, Extend, For, Line, Statement, call, flat
from spinedsl.backends.torch.names import attribute
from spinedsl.backends.torch.operators import OPERATORS
from spinedsl.backends.torch.place import Code, Place
from spinedsl.backends.torch.plan import Plan
from spinedsl.record import replace


class Forward:
    """Writes the statements of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.loop: LoopAt | None = None  # the innermost loop being written
        self.container = "self"  # what holds its submodules
        self.home = "self"  # what holds those that are shared
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

    # ---- choices and loops ----

    def _choice(self, choice: IfAt) -> list[Statement]:
        condition, then, other = self.plan.arms(choice)
        first, second = self.body(then), self.body(other)
        if not first and not second:
            return []
        scope, flag = self.plan.scope, self.plan.flag(choice)
        holds = f"self.{flag}" if flag else scope.forward_text(scope.expanded(condition))
        if not first or (second and not _returns(then) and _returns(other)):
            first, second, then = second, first, other
            holds = f"not self.{flag}" if flag else scope.forward_text(scope.expanded(opposite(condition)))
        if _returns(then):
            return [Choice(holds, tuple(first)), *second]
        return [Choice(holds, tuple(first), tuple(second))]

    def _loop(self, loop: LoopAt) -> list[Statement]:
        if not loop.body:
            return []
        plan, index = self.plan, self.plan.scope.loops[loop.binder]
        outside = self.loop, self.container, self.home
        indexed = loop.binder in plan.scope.indexed
        plan.scope.indexed.discard(loop.binder)
        self.loop = loop
        fetch: list[Statement] = []
        if loop.items is not None:
            self.home = self.container
        elif loop in plan.shared_containers:
            self.home = plan.shared_containers[loop]
            part = f'getattr({outside[2]}, f"{attribute(loop.shared_path)}{{{index}}}")'
            fetch.append(Line(f"{self.home} = ", part))
        if loop in plan.containers:
            self.container = plan.containers[loop]
            part = f'getattr({outside[1]}, f"{attribute(loop.path)}{{{index}}}")'
            if plan.is_sequence(loop):
                self.container = part
            else:
                fetch.append(Line(f"{self.container} = ", part))
        made = self.body(loop.body)
        counted = bool(fetch) or loop in plan.containers or loop.binder in plan.scope.indexed
        if indexed:
            plan.scope.indexed.add(loop.binder)
        self.loop, self.container, self.home = outside
        if not made:
            return []
        head = self._head(loop, counted)
        if len(made) == 1 and isinstance(made[0], Append) and not fetch:
            return [Extend(made[0].results, made[0].value, head)]
        return [For(head, (*fetch, *made))]

    def _head(self, loop: LoopAt, counted: bool) -> str:
        """`for …`; its index has a name if something is `counted` by it."""
        name = self.plan.scope.loops[loop.binder]
        index = name if counted else "_"
        if loop.items is None:
            return f"for {index} in range({self.plan.scope.in_forward(loop.count, 'repeats')})"
        items = self.operand(loop.items).doc
        if isinstance(items, Bracket):
            items = f"({', '.join(str(item) for item in items.items)},)"
        item = self.plan.local(loop.item)
        return f"for {index}, {item} in enumerate({items})" if counted else f"for {item} in {items}"

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
            return Code(Bracket("[", tuple(self.operand(item).doc for item in value.items), "]"))
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
