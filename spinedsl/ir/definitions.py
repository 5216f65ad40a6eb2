"""Check one definition by its text alone: names, calls and their arguments, `let` and `var`, and that it returns.

Branches that no network takes are checked like the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from spinedsl.diagnostics import Diagnostic, Edit, Label, nearest, one_of
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.library import (
    IMPLICIT,
    KIND_IN_WORDS,
    LIST_FUNCTIONS,
    SCALAR_FUNCTIONS,
    Defined,
    Unit,
    callables,
    language_callable,
)
from spinedsl.ir.naming import name_parts
from spinedsl.ir.reserved import why_reserved_let
from spinedsl.ops.primitives import ROLES, SYMBOLS, Primitive
from spinedsl.source import Span
from spinedsl.syntax import tree

BOUND_AS = {
    "parameter": "a parameter",
    "let": "a `let`",
    "var": "a `var`",
    "index": "the index of a `repeat`",
    "item": "the item of an `each`",
    "broken": "bound in a statement that could not be read",
}


def resolve_definition(defined: Defined) -> list[Diagnostic]:
    """Everything wrong with a definition; `defined.paths` gets the parameter names of its calls."""
    checker = _Checker(defined.unit, Expressions(defined.unit))
    checker.definition(defined.definition)
    if checker.diagnostics or checker.broken:
        defined.sound = False
    else:
        defined.paths = name_parts(defined.definition, defined.unit)
    return checker.diagnostics


@dataclass
class Scope:
    """Names that can be seen at a place: how each was bound, and where. Loops and branches see what is around them."""

    names: dict[str, tuple[str, Span]] = field(default_factory=dict)

    def inner(self) -> Scope:
        """A scope that starts with all that this one sees."""
        return Scope(dict(self.names))


@dataclass
class Expressions:
    """Checks expressions against a scope, collecting what is wrong."""

    unit: Unit
    diagnostics: list[Diagnostic] = field(default_factory=list)
    in_network: bool = False

    def check(self, expr: tree.Expr, scope: Scope) -> None:
        """Names and arity of an expression and all its parts."""
        if isinstance(expr, tree.Ident):
            self.name(expr, scope)
        elif isinstance(expr, tree.Call):
            self.call(expr, scope)
        elif isinstance(expr, tree.Property):
            self.check(expr.base, scope)
        elif isinstance(expr, tree.Unary):
            self.check(expr.operand, scope)
        elif isinstance(expr, tree.Binary):
            self.check(expr.left, scope)
            self.check(expr.right, scope)
        elif isinstance(expr, tree.Conditional):
            for part in (expr.condition, expr.value, expr.other):
                self.check(part, scope)
        elif isinstance(expr, tree.ListOf):
            for part in expr.items:
                self.check(part, scope)

    def name(self, expr: tree.Ident, scope: Scope) -> None:
        if expr.name in scope.names or expr.name in SYMBOLS or expr.name in self.unit.mentioned:
            return
        diagnostic = say.UNKNOWN_NAME.at(expr.span, kind="value", name=expr.name, where="here")
        if expr.name in self.unit.definitions or language_callable(expr.name) is not None:
            diagnostic = say.WRONG_KIND.at(
                expr.span, name=expr.name, got="something to call", expected="a value"
            ).with_fix(f"call it: `{expr.name}(…)`")
        else:
            diagnostic = diagnostic.with_rename(expr.span, nearest(expr.name, [*scope.names, *SYMBOLS]))
        self.diagnostics.append(diagnostic)

    def call(self, expr: tree.Call, scope: Scope) -> None:
        for argument in expr.arguments:
            self.check(argument.value, scope)
        callee = expr.callee
        if callee.text in scope.names or callee.text in self.unit.mentioned:
            return
        if self.in_network and callee.text not in SCALAR_FUNCTIONS:
            self.diagnostics.append(
                say.UNKNOWN_NAME.at(
                    callee.span, kind="function of numbers", name=callee.text, where="for numbers"
                ).with_rename(callee.span, nearest(callee.text, SCALAR_FUNCTIONS))
            )
            return
        if (defined := self.unit.definitions.get(callee.text)) is not None:
            self.definition_call(expr, defined)
            return
        found = language_callable(callee.text)
        if isinstance(found, Primitive):
            self.primitive_call(expr, found)
        elif found is not None:
            self.function_call(expr, found)
        elif not self.unit.incomplete:
            known = [*callables(), *self.unit.definitions]
            self.diagnostics.append(
                say.UNKNOWN_NAME.at(
                    callee.span, kind="operation or definition", name=callee.text, where="in this file or its imports"
                ).with_rename(callee.span, nearest(callee.text, known))
            )

    def definition_call(self, expr: tree.Call, defined: Defined) -> None:
        if "block" in IMPLICIT[defined.kind]:
            self.diagnostics.append(
                say.WRONG_KIND.at(
                    expr.callee.span, name=defined.name, got=KIND_IN_WORDS[defined.kind],
                    expected="something that a definition can call",
                ).with_notes("a resample type works between the blocks of a network: `resample` names it there")
            )  # fmt: skip
            return
        parameters = [parameter.name.text for parameter in defined.definition.parameters]
        required = [p.name.text for p in defined.definition.parameters if p.default is None]
        self.arguments(expr.callee, expr.arguments, expr.span, parameters, required, defined.definition.name.span)

    def primitive_call(self, expr: tree.Call, primitive: Primitive) -> None:
        positional = [argument for argument in expr.arguments if argument.name is None]
        maps = len(positional) if primitive.most is None else primitive.most
        inputs = ["x"] if maps == 1 else [f"input {index + 1}" for index in range(maps)]
        attributes = [attribute.name for attribute in primitive.attributes]
        required = inputs[: primitive.least] + [a.name for a in primitive.attributes if a.required]
        self.arguments(expr.callee, expr.arguments, expr.span, inputs + attributes, required, None)

    def function_call(self, expr: tree.Call, name: str) -> None:
        if name in ROLES:
            if not expr.arguments or expr.arguments[0].name is not None:
                self.diagnostics.append(say.MISSING_ARGUMENT.at(expr.span, callee=name, name="x"))
        elif name in LIST_FUNCTIONS:
            self.arguments(expr.callee, expr.arguments, expr.span, ["list"], ["list"], None)
        elif name in ("max", "min"):
            if len(expr.arguments) < 2:
                self.diagnostics.append(say.MISSING_ARGUMENT.at(expr.span, callee=name, name="b"))
        else:
            parameters = list(SCALAR_FUNCTIONS[name])
            self.arguments(expr.callee, expr.arguments, expr.span, parameters, parameters[:1], None)

    def arguments(
        self, callee: tree.Name, arguments: tuple[tree.Argument, ...], span: Span,
        parameters: list[str], required: list[str], defined_at: Span | None,
    ) -> None:
        """Arguments against the names of the parameters: unknown, twice, too many, missing."""
        given: dict[str, Span] = {}
        position = 0
        for argument in arguments:
            if argument.name is None:
                if position >= len(parameters):
                    found = say.TOO_MANY_ARGUMENTS.at(
                        argument.span, callee=callee.text, most=len(parameters),
                        got=sum(other.name is None for other in arguments),
                    )  # fmt: skip
                    self.diagnostics.append(_defined_here(found, callee, defined_at))
                    break
                name, place = parameters[position], argument.span
                position += 1
            else:
                name, place = argument.name.text, argument.name.span
                if name not in parameters:
                    found = say.UNKNOWN_ARGUMENT.at(place, callee=callee.text, name=name, known=one_of(parameters, conjunction="and"))
                    found = found.with_rename(place, nearest(name, parameters))
                    self.diagnostics.append(_defined_here(found, callee, defined_at))
                    continue
            if name in given:
                found = say.ARGUMENT_TWICE.at(place, callee=callee.text, name=name)
                self.diagnostics.append(found.with_others(Label(given[name], "first given here")))
            given[name] = place
        unknown = [a for a in arguments if a.name is not None and a.name.text not in parameters]
        missing = [name for name in required if name not in given]
        if missing and not unknown:
            found = say.MISSING_ARGUMENT.at(span, callee=callee.text, name=missing[0])
            if len(missing) > 1:
                found = found.with_notes(f"also missing: {one_of(missing[1:], conjunction='and')}")
            fix = Edit(Span(span.source, span.end - 1, span.end), f"{', ' if arguments else ''}{missing[0]} = …)")
            if missing[0].isidentifier() and span.text.endswith(")"):
                found = found.with_fix(f"give it: `{missing[0]} = …`", fix)
            self.diagnostics.append(_defined_here(found, callee, defined_at))


def _defined_here(diagnostic: Diagnostic, callee: tree.Name, span: Span | None) -> Diagnostic:
    return diagnostic if span is None else diagnostic.with_others(Label(span, f"`{callee.text}` is defined here"))


@dataclass
class _Checker:
    unit: Unit
    expressions: Expressions
    broken: bool = False
    name: str = ""

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.expressions.diagnostics

    def definition(self, definition: tree.Definition) -> None:
        self.name = definition.name.text
        scope = Scope()
        implicit = IMPLICIT[definition.kind]
        for parameter in definition.parameters:
            if parameter.default is not None:
                self.expressions.check(parameter.default, scope)
            self.bind(parameter.name, "parameter", scope, scope.names)
        if len(definition.parameters) < len(implicit):
            wanted = {"map": "the feature map", "maps": "the list of feature maps", "block": "a block"}
            missing = wanted[implicit[len(definition.parameters)]]
            self.diagnostics.append(
                say.MISSING_ARGUMENT.at(
                    definition.name.span, callee=f"{definition.kind} {self.name}", name=missing
                ).with_notes(
                    "its first parameters are " + ", ".join(wanted[kind] for kind in implicit)
                )
            )
        if definition.signature is not None:
            self.expressions.check(definition.signature, scope)
        returns = self.body(definition.body, scope, dict(scope.names), loop=False)
        if not returns and not self.broken:
            last = definition.body[-1].span if definition.body else definition.name.span
            self.diagnostics.append(say.NO_RETURN.at(last, name=self.name, where=" after this"))

    def body(self, body: tree.Body, scope: Scope, declared: dict[str, tuple[str, Span]], *, loop: bool) -> bool:
        """Check statements in order; true when every path through them returns."""
        returned: tree.Statement | None = None
        for statement in body:
            if returned is not None:
                self.diagnostics.append(say.UNREACHABLE.at(statement.span))
                return True
            if self.statement(statement, scope, declared, loop=loop):
                returned = statement
        return returned is not None

    def statement(
        self, statement: tree.Statement, scope: Scope, declared: dict[str, tuple[str, Span]], *, loop: bool
    ) -> bool:
        if isinstance(statement, tree.Binding):
            self.expressions.check(statement.value, scope)
            self.binding(statement, scope, declared)
        elif isinstance(statement, tree.Return):
            self.expressions.check(statement.value, scope)
            if loop:
                self.diagnostics.append(
                    say.NOT_A_STATEMENT.at(
                        statement.span, found="return", where="in a loop", expected="a `var` that the loop sets"
                    )
                )
            return True
        elif isinstance(statement, tree.If):
            self.expressions.check(statement.condition, scope)
            then = self.body(statement.then, scope.inner(), declared, loop=loop)
            other = self.body(statement.other, scope.inner(), declared, loop=loop)
            return then and other
        elif isinstance(statement, tree.Repeat | tree.Each):
            self.loop(statement, scope)
        else:
            self.broken = True
            for name in statement.binds:
                scope.names[name] = ("broken", statement.span)
        return False

    def loop(self, statement: tree.Repeat | tree.Each, scope: Scope) -> None:
        inner = scope.inner()
        if isinstance(statement, tree.Repeat):
            self.expressions.check(statement.count, scope)
            if statement.index is not None:
                self.bind(statement.index, "index", inner, scope.names)
        else:
            self.expressions.check(statement.items, scope)
            self.bind(statement.item, "item", inner, scope.names)
        self.body(statement.body, inner, dict(inner.names), loop=True)

    def binding(self, binding: tree.Binding, scope: Scope, declared: dict[str, tuple[str, Span]]) -> None:
        name = binding.name
        if binding.keyword != "set":
            self.bind(name, binding.keyword, scope, declared)
            return
        how, place = scope.names.get(name.text, ("", name.span))
        if how in ("var", "broken"):
            return
        if not how:
            diagnostic = say.UNKNOWN_NAME.at(name.span, kind="`var`", name=name.text, where="above")
            variables = [known for known, (bound, _) in scope.names.items() if bound == "var"]
            diagnostic = diagnostic.with_rename(name.span, nearest(name.text, variables))
            if not diagnostic.fixes:
                start = Span(name.span.source, name.span.start, name.span.start)
                diagnostic = diagnostic.with_fix(f"name a new value: `let {name.text} = …`", Edit(start, "let "))
            self.diagnostics.append(diagnostic)
            return
        diagnostic = say.NOT_A_VAR.at(name.span, name=name.text, what=BOUND_AS[how])
        self.diagnostics.append(diagnostic.with_others(Label(place, f"`{name.text}` is bound here")))

    def bind(self, name: tree.Name, how: str, scope: Scope, declared: dict[str, tuple[str, Span]]) -> None:
        if name.text in declared and declared[name.text][0] != "broken":
            place = declared[name.text][1]
            self.diagnostics.append(
                say.DEFINED_TWICE.at(name.span, name=name.text, what=BOUND_AS[how]).with_others(
                    Label(place, f"`{name.text}` is bound here first")
                )
            )
        why = why_reserved_let(name.text) if how in ("let", "item") else None
        if why is not None:
            self.diagnostics.append(
                say.NAME_RESERVED.at(name.span, name=name.text, what=BOUND_AS[how], why=why).with_fix(
                    f"choose another name, say `{name.text.strip('_')}_`"
                )
            )
        scope.names[name.text] = declared[name.text] = (how, name.span)
