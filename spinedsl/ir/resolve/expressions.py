"""Check expressions by their text: every name bound, every call with arguments that its callee takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Fix, Label, nearest, one_of
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.arguments import argument_twice, taken_away
from spinedsl.ir.library import (
    IMPLICIT,
    KIND_IN_WORDS,
    LIST_FUNCTIONS,
    PROPERTIES,
    SCALAR_FUNCTIONS,
    Defined,
    Unit,
    callables,
    language_callable,
)
from spinedsl.ir.resolve import foreign
from spinedsl.ir.resolve.given import misgiven
from spinedsl.ir.resolve.imports import import_of
from spinedsl.ir.resolve.misplaced import misplaced
from spinedsl.ops.primitives import FIXED, ROLES, SYMBOLS, WORDS, Attribute, Kind, Primitive
from spinedsl.prelude import home_of
from spinedsl.record import Record, field
from spinedsl.source import Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ops.tasks import TaskKind

NONE = frozenset({"none", "null", "nil", "nothing"})  # what other languages call no value
NUMBERS = "numbers"  # the module of the prelude that has functions of numbers
CELLS = "it gives n by n cells"
BROKEN = "broken"  # bound by a statement that could not be read: nothing is reported about such a name

Bound = tuple[str, Span]


class Scope(Record, frozen=False):
    """Names that can be seen at a place: how each was bound, and where. Loops and branches see what is around them.

    Those of `plain` hold a number or the like, whatever they are given: nothing that can be called. Those of `ended`
    stand in a branch or a loop above, and end with it.
    """

    names: dict[str, Bound] = field(default_factory=dict)
    in_loop: bool = False
    plain: set[str] = field(default_factory=set)
    ended: dict[str, Bound] = field(default_factory=dict)

    def inner(self) -> Scope:
        """A scope that starts with all that this one sees."""
        return Scope(dict(self.names), self.in_loop, set(self.plain), dict(self.ended))

    def end(self, what: str, names: Mapping[str, Bound]) -> None:
        """A branch or a loop is over, and with it the names that were bound there."""
        for name, (how, place) in names.items():
            if name not in self.names and how != BROKEN:
                self.ended[name] = (f"{how} of a {what}", place)

    def holds(self, name: str, value: tree.Expr | None) -> None:
        """What a name is bound to: the default of a parameter, or what stands on the right of a `let`."""
        if value is not None and not isinstance(value, tree.Ident | tree.Conditional):
            self.plain.add(name)


class Expressions(Record, frozen=False):
    """Checks expressions against a scope, collecting what is wrong. Those of a network know numbers only."""

    unit: Unit
    diagnostics: list[Diagnostic] = field(default_factory=list)
    in_network: bool = False
    missed: set[str] = field(
        default_factory=set
    )  # names of which it was reported that they are missing: once is enough
    bound: dict[str, Span] = field(default_factory=dict)  # every value of the network or definition, with its place

    def check(self, expr: tree.Expr, scope: Scope) -> None:
        """Names and arity of an expression and all its parts."""
        if isinstance(expr, tree.Ident):
            self.name(expr, scope)
        elif isinstance(expr, tree.Call):
            self.call(expr, scope)
        elif isinstance(expr, tree.Property):
            self.property(expr, scope)
        elif isinstance(expr, tree.Unary):
            self.check(expr.operand, scope)
        elif isinstance(expr, tree.Binary):
            check = self.held if expr.operator in ("==", "!=") else self.check
            check(expr.left, scope)
            check(expr.right, scope)
        elif isinstance(expr, tree.Conditional):
            for part in (expr.condition, expr.value, expr.other):
                self.check(part, scope)
        elif isinstance(expr, tree.ListOf):
            for part in expr.items:
                self.check(part, scope)
        elif isinstance(expr, tree.Item):
            self.check(expr.base, scope)
            self.check(expr.index, scope)
        elif isinstance(expr, tree.ListOfEach):
            self.check(expr.items, scope)
            self.each(expr, scope)
        elif isinstance(expr, tree.Text):
            self.text(expr)

    def each(self, expr: tree.ListOfEach, scope: Scope) -> None:
        """The name that a list is made by: nothing else has it, and nothing outside knows it."""
        name = expr.name
        if name.text in scope.names:
            found = say.DEFINED_TWICE.at(name.span, name=name.text, what=f"the name of this `{expr.keyword}`")
            found = found.with_others(Label(scope.names[name.text][1], f"`{name.text}` is bound here first"))
            self.diagnostics.append(found.with_fix(f"choose another name, say `{name.text}_2`"))
        inner = scope.inner()
        inner.names[name.text] = ("item", name.span)
        self.check(expr.value, inner)

    def held(self, expr: tree.Expr, scope: Scope) -> None:
        """What a parameter or a `let` is to hold: a value, or a definition by its name."""
        if isinstance(expr, tree.Conditional):
            self.check(expr.condition, scope)
            self.held(expr.value, scope)
            self.held(expr.other, scope)
        elif isinstance(expr, tree.Ident):
            self.name(expr, scope, may_call=True)
        else:
            self.check(expr, scope)

    def argument(self, argument: tree.Argument, callee: Primitive | TaskKind | None, scope: Scope) -> None:
        """An argument of an operation, or a task: one that gives an attribute of it may be a symbol."""
        attribute = callee.attribute(argument.name.text) if callee is not None and argument.name is not None else None
        if argument.name is None and isinstance(argument.value, tree.Ident) and isinstance(callee, Primitive):
            words = (one for one in callee.attributes if one.yields)
            attribute = next((one for one in words if argument.value.name in one.choices), None)
        self.given(argument.value, attribute, scope)

    def given(self, expr: tree.Expr, attribute: Attribute | None, scope: Scope) -> None:
        """What an attribute is given, perhaps one of two."""
        if attribute is not None and isinstance(expr, tree.Conditional):
            self.check(expr.condition, scope)
            self.given(expr.value, attribute, scope)
            self.given(expr.other, attribute, scope)
        elif attribute is not None and isinstance(expr, tree.Ident):
            self.name(expr, scope, attribute)
        else:
            self.check(expr, scope)

    def name(
        self, expr: tree.Ident, scope: Scope, attribute: Attribute | None = None, *, may_call: bool = False
    ) -> None:
        """A name that stands for a value, perhaps of an attribute, or of a parameter that may be called."""
        name = expr.name
        if name in scope.names or name in SYMBOLS or name in self.unit.mentioned or name in self.missed:
            return
        if (attribute is not None and name in attribute.choices) or (may_call and self.is_word(name)):
            return
        if name in self.unit.definitions or language_callable(name) is not None:
            self.callable(expr, may_call=may_call)
            return
        if name == FIXED and self.in_network:
            return
        found = say.UNKNOWN_NAME.at(expr.span, kind="value", name=name, where="here")
        if attribute is not None and (attribute.choices or attribute.kind is Kind.FLAG):
            self.diagnostics.append(self.no_choice(found, expr, scope, attribute))
            return
        if name.lower() in NONE:
            words = "leave out what is not wanted; the activation that changes nothing is `identity`"
            self.diagnostics.append(found.with_fix(words))
            return
        if may_call and (module := home_of(name)) is not None:
            self.diagnostics.append(found.with_fix(*import_of(self.unit, f"std.{module}")))
            return
        if name in scope.ended:
            self.missed.add(name)
            self.diagnostics.append(self.gone(found, name, *scope.ended[name]))
            return
        if (helped := misplaced(found, expr, self.bound)) is not None:
            self.diagnostics.append(helped)
            return
        near = self.unit.nearest(name, chain(SYMBOLS, reversed(scope.names), self.unit.definitions if may_call else ()))
        if near is None and scope.names:
            found = found.with_notes(f"known here: {one_of(scope.names, conjunction='and')}")
            found = found.with_fix(f"give it a value above, as in `let {name} = …`, or make it a parameter")
        elif near is None and self.in_network:
            found = found.with_notes("values of a network are its parameters and its `let`s: here there are none")
            found = found.with_fix(f"make it one, as in `let {name} = 64` or `network N({name} = 64)`")
        self.diagnostics.append(found.with_rename(expr.span, near))

    def is_word(self, name: str) -> bool:
        """A choice that a parameter or a `let` may hold, in a file where no definition has its name."""
        return name in WORDS and name not in PROPERTIES and name not in self.unit.definitions

    @staticmethod
    def gone(found: Diagnostic, name: str, what: str, place: Span) -> Diagnostic:
        """A name of a branch or a loop that stands above."""
        how, _, around = what.partition(" of a ")
        found = found.with_others(Label(place, f"this `{name}` ends with its {around}"))
        if how not in ("let", "var"):
            return found.with_fix(f"read it in the {around} alone")
        words = f"write `var {name} = …` above the {around}, and give it its next value there: `{name} = …`"
        return found.with_fix(words)

    def callable(self, expr: tree.Ident, *, may_call: bool) -> None:
        """The name of something to call, where it `may_call` or where only a value can stand."""
        name, defined = expr.name, self.unit.definitions.get(expr.name)
        if may_call and defined is not None:
            if "block" in IMPLICIT[defined.kind]:
                self.not_between_definitions(expr.span, defined)
            return
        found = say.WRONG_KIND.at(expr.span, name=name, got="something to call", expected="a value")
        if defined is not None and self.in_network:
            words = "give a number or a flag: a definition is given to a parameter that calls it"
        elif defined is not None:
            words = f"call it where its map is meant, as in `{name}(y)`"
        elif may_call:
            words = f"call it: `{name}(…)`; to give it to a parameter that calls it, make a `def` of it"
        elif self.in_network:
            words = "give a number, a flag or an activation of the language: only definitions call others"
        else:
            words = f"call it: `{name}(…)`"
        self.diagnostics.append(found.with_fix(words))

    def no_choice(self, found: Diagnostic, expr: tree.Ident, scope: Scope, attribute: Attribute) -> Diagnostic:
        """An attribute is given a name that is none of its choices."""
        choices = ("true", "false") if attribute.kind is Kind.FLAG else attribute.choices
        found = found.with_notes(f"`{attribute.name}` is {attribute.expected}")
        meant = foreign.CHOICES.get(expr.name.lower(), expr.name.lower())
        near = next((choice for choice in choices if len(expr.name) > 2 and meant in choice), None)
        near = near or self.unit.nearest(expr.name, chain(choices, reversed(scope.names)))
        if near is None and attribute.kind is Kind.PADDING and expr.name.lower() == "valid":
            return found.with_fix("what others call `valid` is no padding: `padding = 0`")
        return found.with_fix(f"give {attribute.expected}") if near is None else found.with_rename(expr.span, near)

    def property(self, expr: tree.Property, scope: Scope) -> None:
        """`base.name`, where the name is one that feature maps or blocks have."""
        if self.in_network:
            found = say.WRONG_KIND.at(expr.span, name=expr.span.text, got="a property", expected="a number")
            found = found.with_notes("only definitions read properties of feature maps and blocks")
            self.diagnostics.append(found.with_fix("say the number, or make it a parameter of the network"))
            return
        self.check(expr.base, scope)
        name = expr.name
        if name.text not in PROPERTIES:
            found = say.UNKNOWN_PROPERTY.at(
                name.span, what="a feature map or block", name=name.text, known=one_of(PROPERTIES)
            )
            self.diagnostics.append(found.with_rename(name.span, self.unit.nearest(name.text, PROPERTIES)))

    def text(self, expr: tree.Text) -> None:
        """Quotes: there are no texts, only symbols."""
        found = say.EXPECTED_VALUE.at(
            expr.span, what="an expression", expected="a number, a name or a symbol", got="a text in quotes"
        )
        if expr.value in SYMBOLS or expr.value.isidentifier() or expr.value.isdecimal():
            plain = Edit(expr.span, expr.value)
            found = found.with_fix(f"without quotes: `{expr.value}`", plain, instead=Fix("say it by numbers and names"))
        else:
            found = found.with_fix("say it by numbers and names")
        self.diagnostics.append(found)

    # ---- calls ----

    def call(self, expr: tree.Call, scope: Scope) -> None:
        """A call, with what it calls and its arguments."""
        callee = expr.callee
        known = callee.text not in scope.names and callee.text not in self.unit.definitions
        primitive = language_callable(callee.text) if known else None
        if self.compared(callee, expr.arguments, scope):
            return
        for argument in expr.arguments:
            if primitive is None:
                self.held(argument.value, scope)
            else:
                self.argument(argument, primitive if isinstance(primitive, Primitive) else None, scope)
        function = self.unit.definitions.get(callee.text)
        if expr.shared and not self.in_network and callee.text not in self.unit.mentioned:
            self.shared(expr, scope)
        known_function = callee.text in SCALAR_FUNCTIONS or callee.text in LIST_FUNCTIONS
        held = callee.text in scope.names and callee.text not in scope.plain
        if self.in_network and not (known_function or held) and (function is None or function.kind != "fn"):
            self.not_for_numbers(callee)
            return
        if callee.text in scope.names or callee.text in ROLES:
            self.twice(callee, expr.arguments)  # the rest is known once it is known what it stands for
        if callee.text in scope.names:
            return
        if (defined := self.unit.definitions.get(callee.text)) is not None:
            self.definition_call(expr, defined, scope)
            return
        found = language_callable(callee.text)
        if isinstance(found, Primitive):
            self.primitive_call(expr, found)
        elif found is not None:
            self.function_call(expr, found)
        elif not self.unit.incomplete and callee.text not in self.unit.mentioned:
            self.unknown_callee(callee)

    def compared(self, callee: tree.Name, arguments: Sequence[tree.Argument], scope: Scope) -> bool:
        """`kernel == 3`, which compares, where `kernel = 3` would give the argument: reported about each."""
        given = [argument.value for argument in arguments if argument.name is None]
        comparisons = [value for value in given if isinstance(value, tree.Binary) and value.operator == "=="]
        if not comparisons:
            return False
        names = self.names_of_arguments(callee) - scope.names.keys()
        meant = [value for value in comparisons if isinstance(value.left, tree.Ident) and value.left.name in names]
        for value in meant:
            found = say.GIVEN_BY_NAME.at(value.span, callee=callee.text, what="`==` compares: give")
            sign = Span(value.span.source, value.left.span.end, value.right.span.start)
            self.diagnostics.append(found.with_fix("write `=` instead", Edit(sign, " = ")))
        return bool(meant)

    def names_of_arguments(self, callee: tree.Name) -> set[str]:
        """What a definition or operation can be given by name."""
        if (defined := self.unit.definitions.get(callee.text)) is not None:
            return {parameter.name.text for parameter in defined.definition.parameters}
        primitive = language_callable(callee.text)
        return {a.name for a in primitive.attributes} if isinstance(primitive, Primitive) else set()

    def shared(self, expr: tree.Call, scope: Scope) -> None:
        """`shared` goes with a call that has weights, in a loop."""
        callee = language_callable(expr.callee.text)
        own = self.unit.definitions.get(expr.callee.text)
        weightless = isinstance(callee, str) and callee != "norm"
        if own is not None:
            weightless = own.kind == "fn"
        if isinstance(callee, Primitive):
            weightless = not callee.has_weights
        if weightless and expr.callee.text not in scope.names:
            why = f"`{expr.callee.text}` has no weights"
        elif not scope.in_loop:
            why = "it is in no loop"
        else:
            return
        word = Span(expr.span.source, expr.span.start, expr.callee.span.start)
        found = say.SHARED_ALONE.at(word, why=why)
        self.diagnostics.append(found.repaired(Edit(word, "")))

    def not_for_numbers(self, callee: tree.Name) -> None:
        """A network computes with numbers only."""
        own = [name for name, defined in self.unit.definitions.items() if defined.kind == "fn"]
        functions = one_of([*SCALAR_FUNCTIONS, *LIST_FUNCTIONS, *own], conjunction="and", limit=20)
        found = say.UNKNOWN_NAME.at(
            callee.span, kind="function of numbers", name=callee.text, where="for numbers, which are all that there is"
        ).with_notes(f"the functions of numbers are {functions}")
        near = self.unit.nearest(callee.text, [*own, *SCALAR_FUNCTIONS, *LIST_FUNCTIONS])
        if near is None and home_of(callee.text) == NUMBERS:
            self.diagnostics.append(found.with_fix(*import_of(self.unit, f"std.{NUMBERS}")))
            return
        if near is None and (language_callable(callee.text) or callee.text in self.unit.definitions):
            found = found.with_fix("only a definition of feature maps can call it: make it a `def`, or take a number")
        self.diagnostics.append(found.with_rename(callee.span, near))

    def unknown_callee(self, callee: tree.Name) -> None:
        """Nothing of that name can be called."""
        found = say.UNKNOWN_NAME.at(
            callee.span, kind="operation or definition", name=callee.text, where="in this file or its imports"
        )
        meant = foreign.here(callee.text)
        near = None
        if meant is None and home_of(callee.text) is None:
            near = self.unit.nearest(callee.text, chain(callables(), self.unit.definitions))
        home = home_of(meant or callee.text)
        if home is not None and (meant or callee.text) not in self.unit.definitions:
            text, edit = import_of(self.unit, f"std.{home}")
            renamed = (Edit(callee.span, meant),) if meant else ()
            self.diagnostics.append(found.with_fix(f"`{meant}` is meant? {text}" if meant else text, edit, *renamed))
            return
        if meant is None and (words := foreign.written(callee.text)) is not None:
            self.diagnostics.append(found.with_fix(words))
            return
        if near is None and meant is None:
            found = found.with_notes(f"the operations are {one_of(callables(), conjunction='and', limit=40)}")
        self.diagnostics.append(found.with_rename(callee.span, meant or near))

    def definition_call(self, expr: tree.Call, defined: Defined, scope: Scope) -> None:
        """Arguments against a definition's parameters."""
        if "block" in IMPLICIT[defined.kind]:
            self.not_between_definitions(expr.callee.span, defined)
            return
        self.diagnostics += misgiven(defined, expr.arguments, self.unit, scope.names)
        parameters = [parameter.name.text for parameter in defined.definition.parameters]
        required = [p.name.text for p in defined.definition.parameters if p.default is None]
        self.arguments(expr.callee, expr.arguments, expr.span, parameters, required, defined.definition.name.span)

    def not_between_definitions(self, place: Span, defined: Defined) -> None:
        """A resample type is called, or given to be called."""
        kind, expected = KIND_IN_WORDS[defined.kind], "something that a definition can call"
        found = say.WRONG_KIND.at(place, name=defined.name, got=kind, expected=expected)
        note = "a resample type works between the blocks of a network, where `resample` names it"
        self.diagnostics.append(found.with_notes(note).with_fix("make a `def` of it, if definitions are to call it"))

    def primitive_call(self, expr: tree.Call, primitive: Primitive) -> None:
        """Arguments against a primitive's inputs and attributes."""
        positional = sum(argument.name is None for argument in expr.arguments)
        inputs = list(primitive.inputs[: primitive.least])
        if primitive.most is None:
            inputs = [f"input {index + 1}" for index in range(max(positional, primitive.least))]
        attributes: list[str] = []
        for attribute in primitive.attributes:
            attributes.append(attribute.name)
            if attribute.many:
                # All that is given in order from here on is its own.
                attributes += [f"{attribute.name} {index + 1}" for index in range(1, positional - len(inputs))]
        required = inputs[: primitive.least] + [a.name for a in primitive.attributes if a.required]
        by_name = primitive.inputs[primitive.least :] if primitive.most is not None else ()
        self.arguments(expr.callee, expr.arguments, expr.span, [*inputs, *attributes], required, None, by_name)

    def function_call(self, expr: tree.Call, name: str) -> None:
        """Arguments of a role, of `sum`, or of a function of numbers."""
        if name in ROLES:
            if not expr.arguments or expr.arguments[0].name is not None:
                found = say.MISSING_ARGUMENT.at(expr.span, callee=name, name="x")
                self.diagnostics.append(found.with_fix(f"the feature map comes first, without a name: `{name}(x)`"))
        elif name in LIST_FUNCTIONS:
            self.arguments(expr.callee, expr.arguments, expr.span, ["list"], ["list"], None)
        elif name in ("max", "min") and all(argument.name is None for argument in expr.arguments):
            if len(expr.arguments) < 2:
                missing = "ab"[len(expr.arguments)]
                self.diagnostics.append(say.MISSING_ARGUMENT.at(expr.span, callee=name, name=missing))
        else:
            parameters = SCALAR_FUNCTIONS[name]
            required = parameters if name in ("max", "min", "power") else parameters[:1]
            self.arguments(expr.callee, expr.arguments, expr.span, parameters, required, None)

    # ---- arguments ----

    def arguments(
        self,
        callee: tree.Name,
        arguments: tuple[tree.Argument, ...],
        span: Span,
        parameters: Sequence[str],
        required: Sequence[str],
        defined_at: Span | None,
        by_name: Sequence[str] = (),
    ) -> None:
        """Arguments against the names of the parameters: unknown, twice, too many, missing.

        Those `by_name` can be given only so.
        """
        given: dict[str, Span] = {}
        position = 0
        unknown = False
        for argument in arguments:
            if argument.name is None:
                if position >= len(parameters):
                    got = sum(other.name is None for other in arguments)
                    found = say.TOO_MANY_ARGUMENTS.at(
                        argument.span, callee=callee.text, most=counted(len(parameters), "argument"), got=got
                    )
                    self.say(found.with_fix("take it away", taken_away(arguments, argument)), callee, defined_at)
                    return
                name, place = parameters[position], argument.span
                position += 1
            else:
                name, place = argument.name.text, argument.name.span
                if name not in parameters and name not in by_name:
                    unknown = True
                    known = [*(known for known in parameters if known.isidentifier()), *by_name]
                    self.say(unknown_argument(callee.text, argument, known, arguments), callee, defined_at)
                    continue
            if name in given:
                self.diagnostics.append(argument_twice(callee, arguments, argument, given[name], name))
            given[name] = place
        missing = [name for name in required if name not in given]
        if missing and not unknown:
            self.say(missing_arguments(callee, arguments, span, missing), callee, defined_at)

    def twice(self, callee: tree.Name, arguments: tuple[tree.Argument, ...]) -> None:
        """The same name twice among the arguments, whatever is called."""
        given: dict[str, tree.Argument] = {}
        for argument in arguments:
            if argument.name is None:
                continue
            first = given.setdefault(argument.name.text, argument)
            if first is not argument:
                self.diagnostics.append(argument_twice(callee, arguments, argument, first.span))

    def say(self, diagnostic: Diagnostic, callee: tree.Name, defined_at: Span | None) -> None:
        """Say it, with the place of the definition that is called."""
        if defined_at is not None:
            diagnostic = diagnostic.with_others(Label(defined_at, f"`{callee.text}` is defined here"))
        self.diagnostics.append(diagnostic)


def unknown_argument(
    callee: str, argument: tree.Argument, known: Sequence[str], arguments: Sequence[tree.Argument]
) -> Diagnostic:
    """`callee` has no parameter of the name of an argument."""
    name = argument.name
    assert name is not None
    words = one_of(known, conjunction="and") if known else "nothing by name"
    found = say.UNKNOWN_ARGUMENT.at(name.span, callee=callee, name=name.text, known=words)
    near = nearest(name.text, known)
    if near is not None:
        return found.with_rename(name.span, near)
    if callee.endswith("_pool") and "size" in name.text:
        return found.with_fix(f"the size comes of kernel and stride: with both `x.height / n` and no padding, {CELLS}")
    instead = Fix("give it what it takes instead") if known else None
    return found.with_fix("take it away", taken_away(arguments, argument), instead=instead)


def missing_arguments(
    callee: tree.Name, arguments: tuple[tree.Argument, ...], span: Span, missing: list[str]
) -> Diagnostic:
    """A call without arguments that it needs, with where to write the first."""
    found = say.MISSING_ARGUMENT.at(span, callee=callee.text, name=missing[0])
    if len(missing) > 1:
        found = found.with_notes(f"also missing: {one_of(missing[1:], conjunction='and')}")
    return found.with_fix(f"give it: `{missing[0]} = …`") if missing[0].isidentifier() else found


def defined_as(names: Mapping[str, Bound], wanted: str) -> list[str]:
    """The names that were bound as `wanted`."""
    return [name for name, (bound, _) in names.items() if bound == wanted]
