"""Check one definition by its text alone: names, calls and their arguments, `let` and `var`, and that it returns.

Branches that no network takes are checked like the others. A definition with a mistake is marked unsound.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.ir.library import IMPLICIT, KIND_IN_WORDS, Defined
from spinedsl.ir.reserved import another_name, why_reserved_let
from spinedsl.ir.resolve.expressions import BROKEN, Bound, Expressions, Scope, defined_as
from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.syntax import tree

BOUND_AS = {
    "parameter": "a parameter",
    "let": "a `let`",
    "var": "a `var`",
    "index": "the index of a `repeat`",
    "item": "the item of an `each`",
}
FILLED_BY_ROWS = {
    "stem_type": ("the image",),
    "block_type": ("the feature map",),
    "output_type": ("the feature map",),
    "join_type": ("the list of feature maps",),
    "head_type": ("the list of feature maps",),
    "resample_type": ("the feature map", "the block that it comes from", "the block that it goes to"),
}
_EXAMPLE = {
    "stem_type": ("image",),
    "block_type": ("x", "channels"),
    "output_type": ("x", "channels"),
    "join_type": ("inputs",),
    "head_type": ("features", "channels"),
    "resample_type": ("x", "source", "target"),
    "def": ("x",),
    "fn": ("v",),
}


def resolve_definition(defined: Defined) -> list[Diagnostic]:
    """Everything wrong with a definition."""
    checker = _Checker(Expressions(defined.unit, in_network=defined.kind == "fn"))
    checker.definition(defined.definition)
    if checker.diagnostics or checker.broken:
        defined.sound = False
    return checker.diagnostics


def statements_in(body: tree.Body) -> Iterator[tree.Statement]:
    """Every statement, those inside of others included."""
    for statement in body:
        yield statement
        if isinstance(statement, tree.If):
            yield from statements_in(statement.then)
            yield from statements_in(statement.other)
        elif isinstance(statement, tree.Repeat | tree.Each):
            yield from statements_in(statement.body)


class _Checker(Record, frozen=False):
    expressions: Expressions
    broken: bool = False
    name: str = ""
    top: tree.Body = ()  # the statements that stand in nothing else

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.expressions.diagnostics

    def definition(self, definition: tree.Definition) -> None:
        """Check the names of a definition: parameters, signature and body."""
        self.name, self.top = definition.name.text, definition.body
        self.refuse_reserved(definition.name, "a definition")
        names = [one.name for one in definition.body if isinstance(one, tree.Binding)]
        names += [one.name for one in definition.parameters]
        self.expressions.bound = {name.text: name.span for name in reversed(names)}
        scope = Scope()
        for parameter in definition.parameters:
            if parameter.default is not None:
                self.expressions.held(parameter.default, scope)
            self.bind(parameter.name, "parameter", scope, scope.names)
            scope.holds(parameter.name.text, parameter.default)
        self.first_parameters(definition)
        if definition.kind == "fn" and definition.signature is not None:
            found = say.NOT_READ.at(
                definition.signature.span,
                name="->",
                where=f"`{self.name}`",
                why="a function gives a number, no channels",
            )
            arrow = definition.signature.span.source.text.rindex("->", 0, definition.signature.span.start)
            whole = Span(definition.signature.span.source, arrow, definition.signature.span.end)
            self.diagnostics.append(found.with_fix("take it away", Edit(whole, "")))
        elif definition.signature is not None:
            before = len(self.diagnostics)
            self.expressions.check(definition.signature, scope)
            unknown = [found.span.text for found in self.diagnostics[before:] if found.code is say.UNKNOWN_NAME]
            self.expressions.missed.update(unknown)  # what the signature lacks is not reported about the body as well
        returns = self.body(definition.body, scope, dict(scope.names), loop=False)
        yields = [statement for statement in statements_in(definition.body) if isinstance(statement, tree.Yield)]
        if definition.kind == "head_type":
            self.head(definition, yields)
        for statement in yields if definition.kind != "head_type" else []:
            kind = KIND_IN_WORDS[definition.kind]
            found = say.YIELD_OUTSIDE.at(statement.span, name=self.name, kind=kind)
            self.diagnostics.append(found.repaired())
        if not returns and not yields and not self.broken:
            self.no_return(definition)

    def no_return(self, definition: tree.Definition) -> None:
        """The statements end without a `return`."""
        last = definition.body[-1] if definition.body else None
        span = last.span if last is not None else definition.name.span
        place = span.source.span(max(span.end - 1, span.start), span.end)
        found = say.NO_RETURN.at(place, name=self.name, where=" after this")
        found = found.with_others(Label(definition.name.span, f"`{self.name}` is defined here"))
        result = last.name.text if isinstance(last, tree.Binding) else ""
        if not result and definition.parameters:
            result = definition.parameters[0].name.text
        if result and last is not None:
            line = span.source.line_text(last.span.line)
            indent = line[: len(line) - len(line.lstrip())]
            end = span.source.span(span.end, span.end)
            found = found.with_fix(f"say what comes out: `return {result}`", Edit(end, f"\n{indent}return {result}"))
        self.diagnostics.append(found)

    def first_parameters(self, definition: tree.Definition) -> None:
        """What the row of a network fills in by itself has to have a parameter without a default."""
        implicit = IMPLICIT[definition.kind]
        given = definition.parameters[: len(implicit)]
        if len(given) < len(implicit):
            words = FILLED_BY_ROWS[definition.kind]
            missing, needed = words[len(given)], ", ".join(words)
            found = say.MISSING_PARAMETER.at(
                definition.name.span, kind=KIND_IN_WORDS[definition.kind], name=self.name, missing=missing
            )
            example = f"{definition.kind} {self.name}({', '.join(_EXAMPLE[definition.kind])})"
            self.diagnostics.append(
                found.with_notes(f"a row fills its first parameters in: {needed}").repaired(example=example)
            )

    def head(self, definition: tree.Definition, yields: list[tree.Yield]) -> None:
        """A head yields its values, or returns one."""
        returns = [statement for statement in statements_in(definition.body) if isinstance(statement, tree.Return)]
        for statement in returns if yields else []:
            found = say.YIELD_AND_RETURN.at(statement.span, name=self.name)
            found = found.with_others(Label(yields[0].span, "yields here"))
            word = statement.span.source.span(statement.span.start, statement.span.start + len("return"))
            self.diagnostics.append(found.repaired(Edit(word, "yield")))
        if not returns and not yields and not self.broken:
            self.broken = True
            found = say.NO_YIELD.at(definition.name.span, name=self.name, when="")
            self.diagnostics.append(found.with_fix("say what it gives: `yield y` in a loop, or `return y` at the end"))

    # ---- statements ----

    def body(self, body: tree.Body, scope: Scope, declared: dict[str, Bound], *, loop: bool) -> bool:
        """Check statements in order; true when every path through them returns."""
        returned = False
        for statement in body:
            if returned and isinstance(statement, tree.Broken):
                continue  # what is wrong with it is reported
            if returned:
                found = say.UNREACHABLE.at(statement.span)
                words = "take it away" if statement is body[-1] else "take away all that stands after the `return`"
                self.diagnostics.append(found.with_fix(words, Edit(statement.span.to(body[-1].span), "")))
                return True
            returned = self.statement(statement, scope, declared, loop=loop)
        return returned

    def statement(self, statement: tree.Statement, scope: Scope, declared: dict[str, Bound], *, loop: bool) -> bool:
        """Check the names of a statement, and bind what it declares; whether it returns on every path."""
        if isinstance(statement, tree.Binding):
            if statement.keyword == "set":
                self.assignment(statement, scope)
                self.expressions.held(statement.value, scope)
            else:
                self.expressions.held(statement.value, scope)
                self.bind(statement.name, statement.keyword, scope, declared)
        elif isinstance(statement, tree.Return):
            self.expressions.check(statement.value, scope)
            if loop:
                self.diagnostics.append(say.RETURN_IN_LOOP.at(statement.span).repaired())
            return True
        elif isinstance(statement, tree.Yield):
            self.expressions.check(statement.value, scope)
        elif isinstance(statement, tree.If):
            self.expressions.check(statement.condition, scope)
            # Only one arm is taken: they may bind the same names, which stay taken for what follows.
            arms = dict(declared), dict(declared)
            inside = scope.inner(), scope.inner()
            then = self.body(statement.then, inside[0], arms[0], loop=loop)
            other = self.body(statement.other, inside[1], arms[1], loop=loop)
            scope.end("branch", inside[1].names | inside[0].names)
            declared.update(arms[1] | arms[0])
            return then and other
        elif isinstance(statement, tree.Repeat | tree.Each):
            self.loop(statement, scope)
        else:
            self.broken = True
            for name in statement.binds:
                scope.names[name] = (BROKEN, statement.span)
        return False

    def loop(self, statement: tree.Repeat | tree.Each, scope: Scope) -> None:
        inner = scope.inner()
        inner.in_loop = True
        if isinstance(statement, tree.Repeat):
            self.expressions.check(statement.count, scope)
            if statement.index is not None:
                self.bind(statement.index, "index", inner, dict(scope.names))
        else:
            self.expressions.check(statement.items, scope)
            self.bind(statement.item, "item", inner, dict(scope.names))
        self.body(statement.body, inner, dict(inner.names), loop=True)
        scope.end("loop", inner.names)

    def assignment(self, statement: tree.Binding, scope: Scope) -> None:
        """A `var` gets its next value. What is none is reported once, however often it is used."""
        name = statement.name
        how, place = scope.names.get(name.text, ("", name.span))
        if how in ("var", BROKEN) or (not how and name.text in self.expressions.missed):
            return
        self.expressions.missed.add(name.text)
        if how:
            found = say.NOT_A_VAR.at(name.span, name=name.text, what=BOUND_AS[how])
            if how == "parameter":
                found = found.with_fix(f"begin with a `var` of its own: `var y = {name.text}`")
            elif how == "let":
                found = found.with_fix(f"name the new value: `let {name.text}_2 = …`")
            self.diagnostics.append(found.with_others(Label(place, f"`{name.text}` is bound here")))
            return
        found = say.UNKNOWN_NAME.at(name.span, kind="`var`", name=name.text, where="above")
        near = self.expressions.unit.nearest(name.text, defined_as(scope.names, "var"))
        if near is None and any(part is statement for part in self.top):
            start = Span(name.span.source, name.span.start, name.span.start)
            found = found.with_fix(f"name a new value: `let {name.text} = …`", Edit(start, "let "))
        elif near is None:
            found = found.with_fix(f"give it a first value above, as in `var {name.text} = x`")
        self.diagnostics.append(found.with_rename(name.span, near))

    def bind(self, name: tree.Name, how: str, scope: Scope, declared: dict[str, Bound]) -> None:
        """Take a name, which nothing else has."""
        what = BOUND_AS[how]
        first = declared.get(name.text)
        if first is not None and first[0] != BROKEN:
            found = say.DEFINED_TWICE.at(name.span, name=name.text, what=what)
            found = found.with_others(Label(first[1], f"`{name.text}` is bound here first"))
            if first[0] == "var" and how in ("let", "var"):
                found = found.with_fix(f"give the `var` its next value: `{name.text} = …`")
            else:
                found = found.with_fix(f"choose another name, say `{another_name(name.text)}`")
            self.diagnostics.append(found)
        elif how in ("let", "item"):
            self.refuse_reserved(name, what)
        scope.names[name.text] = declared[name.text] = (how, name.span)

    def refuse_reserved(self, name: tree.Name, what: str) -> None:
        """A `let`, a loop's item and a definition lend their names to parameters."""
        why = why_reserved_let(name.text)
        if why is not None:
            found = say.NAME_RESERVED.at(name.span, name=name.text, what=what, why=why)
            self.diagnostics.append(found.repaired(other=another_name(name.text)))
