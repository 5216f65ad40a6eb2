"""Expand a definition for given arguments: the one evaluator of definitions.

In: a `Defined` and the values of its parameters. Out: an `ops.Module`, or `POISON` with the reason said. An expansion is a
pure function of the definition and its arguments, so equal uses share one module, and a mistake in it is said once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias, cast

from spinedsl.diagnostics import Diagnostic, Label, one_of
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.attributes import bind_attributes, use_of
from spinedsl.ir.library import LIST_FUNCTIONS, SCALAR_FUNCTIONS, Defined
from spinedsl.ir.scalars import ARITHMETIC, COMPARISONS, FUNCTIONS, POISON, Poison, describe, is_number, key_of, simplest, too_long
from spinedsl.ops import types
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, ROLES, SYMBOLS, Primitive, Problem
from spinedsl.ops.program import (
    Bind,
    BindScalar,
    Body,
    Call,
    Each,
    Formal,
    If,
    Many,
    Module,
    Op,
    Operand,
    Ref,
    Repeat,
    Return,
    Statement,
)
from spinedsl.ops.types import Attr, Loc, Type, Value
from spinedsl.source import Span
from spinedsl.syntax import tree

MAX_REPEAT = 1_000
MAX_CALLS_DEEP = 24
MAX_STATEMENTS = 200_000
MAP_PROPERTIES = ("channels", "level", "height", "width")
BLOCK_PROPERTIES = ("channels", "in_channels", "out_channels", "level", "height", "width")


@dataclass(frozen=True, slots=True)
class Block:
    """What a definition may ask of a block of the network. `in_channels` None: its type's signature does not tell."""

    name: str
    level: int
    channels: int | None
    in_channels: int | None
    out_channels: int
    height: int
    width: int


Result: TypeAlias = "Value | Operand | Block | Poison"
Environment: TypeAlias = dict[str, Result]


@dataclass
class Expander:
    """Expands definitions under one network's `defaults`; remembers every expansion."""

    network: str
    roles: Mapping[str, tuple[Primitive, Mapping[str, Value]]]
    attributes: Mapping[str, Mapping[str, Value]]  # by primitive: what `defaults` say
    diagnostics: list[Diagnostic] = field(default_factory=list)
    static_axes: dict[str, Loc] = field(default_factory=dict)
    memo: dict[object, Module | Poison] = field(default_factory=dict)
    exprs: dict[int, types.Expr] = field(default_factory=dict)
    uses: list[tuple[Span, str]] = field(default_factory=list)  # the uses that led here, outermost first
    statements: int = 0
    deepest: int = 0  # highest level that any feature map reaches

    def expand(self, defined: Defined, arguments: Mapping[str, Result]) -> Module | Poison:
        """The definition with its parameters bound to `arguments`, which are complete."""
        if not defined.sound or any(isinstance(value, Poison) for value in arguments.values()):
            return POISON
        key = (id(defined), tuple((name, _key(value)) for name, value in arguments.items()))
        found = self.memo.get(key)
        if found is None:
            found = self.memo[key] = _Expansion(self, defined, dict(arguments)).run()
        return found

    def signature(self, defined: Defined, arguments: Mapping[str, Result]) -> int | None:
        """The channels that a definition promises, from its compile-time arguments alone; None if those do not tell."""
        signature = defined.definition.signature
        if signature is None or not defined.sound:
            return None
        silent = Expander(self.network, self.roles, self.attributes)
        value = _Expansion(silent, defined, dict(arguments)).evaluate(signature)
        return int(value) if is_number(value) else None  # type: ignore[call-overload]

    def report(self, diagnostic: Diagnostic) -> None:
        """Say it, with the uses that led here. In a definition of another file, the use is the place to look at."""
        if self.uses:
            outermost, name = self.uses[0]
            inside = diagnostic.span
            if inside.source is not outermost.source:
                diagnostic = Diagnostic(
                    diagnostic.code, diagnostic.message, outermost, f"in this use of `{name}`",
                    (Label(inside, diagnostic.label), *diagnostic.others), diagnostic.notes, diagnostic.fixes,
                )  # fmt: skip
            else:
                diagnostic = diagnostic.with_others(Label(outermost, f"in this use of `{name}`"))
        if all((d.code, d.span) != (diagnostic.code, diagnostic.span) for d in self.diagnostics):
            self.diagnostics.append(diagnostic)


def _key(value: Result) -> object:
    if isinstance(value, Ref):
        return value.type
    if isinstance(value, Many):
        return tuple(_key(item) for item in value.items)
    if isinstance(value, Op | Call):
        return value.type
    return value if isinstance(value, Block) else key_of(cast(Value, value))


def type_of(value: Result) -> Type | None:
    """Type of a feature map; None of anything else."""
    return value.type if isinstance(value, Ref | Op | Call) else None


class _Expansion:
    """One expansion at work: the names bound so far and the statements made."""

    def __init__(self, expander: Expander, defined: Defined, arguments: Environment) -> None:
        self.expander = expander
        self.defined = defined
        self.source = defined.definition.span.source
        self.env: Environment = {}
        self.formals: list[Formal] = []
        self.scalars: dict[str, Attr] = {}
        self.maps: dict[str, Type | tuple[Type, ...]] = {}
        for parameter in defined.definition.parameters:
            name = parameter.name.text
            if name in arguments:
                self.bind_parameter(name, arguments[name], self.default_of(parameter))

    # ---- parameters ----

    def default_of(self, parameter: tree.Parameter) -> Attr | None:
        if parameter.default is None:
            return None
        value = self.evaluate(parameter.default)
        plain = is_number(value) or isinstance(value, bool | str)
        return Attr(cast(Value, value), self.expr(parameter.default)) if plain else None

    def bind_parameter(self, name: str, value: Result, default: Attr | None) -> None:
        if isinstance(value, Many):
            items = tuple(
                Ref(f"{name}[{index}]", cast(Type, type_of(item)), types.Opaque()) for index, item in enumerate(value.items)
            )
            self.maps[name] = tuple(item.type for item in items)
            self.env[name] = Many(name, items)
            self.formals.append(Formal(name, "maps", None))
        elif (type_ := type_of(value)) is not None:
            self.maps[name] = type_
            self.env[name] = Ref(name, type_, types.Property(name, "channels"))
            self.formals.append(Formal(name, "map", None))
        elif isinstance(value, Block):
            self.env[name] = value
            self.formals.append(Formal(name, "block", None))
            for property_ in BLOCK_PROPERTIES:
                known = getattr(value, property_)
                if known is not None:
                    self.scalars[f"{name}.{property_}"] = Attr(known, types.Property(name, property_))
        else:
            self.env[name] = value
            self.formals.append(Formal(name, "scalar", default))
            if not isinstance(value, Poison):
                self.scalars[name] = Attr(cast(Value, value), types.Name(name))

    # ---- statements ----

    def run(self) -> Module | Poison:
        definition = self.defined.definition
        if len(self.expander.uses) > MAX_CALLS_DEEP:
            self.report(say.TOO_DEEP.at(definition.name.span, what="a call", limit=MAX_CALLS_DEEP))
            return POISON
        body: list[Statement] = []
        result = self.body(definition.body, body)
        if not isinstance(result, Ref | Op | Call):
            if result is not None and not isinstance(result, Poison):
                self.report(
                    say.EXPECTED_VALUE.at(
                        definition.body[-1].span, what=f"`{self.defined.name}`", expected="a feature map to return",
                        got=_in_words(result),
                    )
                )  # fmt: skip
            return POISON
        if not self.keeps_signature(result):
            return POISON
        return Module(
            definition=self.defined.name,
            kind=self.defined.kind,
            formals=tuple(self.formals),
            maps=self.maps,
            scalars=self.scalars,
            body=tuple(body),
            type=result.type,
            loc=self.loc(definition.name.span),
        )

    def keeps_signature(self, result: Ref | Op | Call) -> bool:
        signature = self.defined.definition.signature
        if signature is None:
            return True
        promised = self.evaluate(signature)
        if isinstance(promised, Poison):
            return False
        if not is_number(promised):
            self.expected("a number of channels", signature, promised)
            return False
        if int(promised) == result.type.channels:  # type: ignore[call-overload]
            return True
        last = self.returned or signature.span
        self.report(
            say.SIGNATURE.at(
                last, name=self.defined.name, expected=describe(promised), got=result.type.channels
            ).with_others(Label(signature.span, f"promises {describe(promised)} here"))
        )
        return False

    returned: Span | None = None

    def body(self, statements: tree.Body, made: list[Statement]) -> Result | None:
        """Run statements, appending what they become; the value returned, None if they fall through."""
        for position, statement in enumerate(statements):
            self.expander.statements += 1
            if self.expander.statements > MAX_STATEMENTS:
                if self.expander.statements == MAX_STATEMENTS + 1:
                    self.report(
                        say.TOO_MANY.at(statement.span, what="statements after expansion", limit=MAX_STATEMENTS, got="more")
                    )
                return POISON
            if isinstance(statement, tree.Binding):
                self.binding(statement, made)
            elif isinstance(statement, tree.Return):
                self.returned = statement.value.span
                value = self.evaluate(statement.value)
                if isinstance(value, Ref | Op | Call):
                    made.append(Return(value, self.loc(statement.span)))
                return value
            elif isinstance(statement, tree.If):
                # What follows an arm that returns is the other arm: then both arms hold all that may still run.
                rest = statements[position + 1 :]
                if rest and not statement.other and _returns(statement.then):
                    return self.choose(statement, statement.then, rest, made)
                result = self.choose(statement, statement.then, statement.other, made)
                if result is not None:
                    return result
            elif isinstance(statement, tree.Repeat):
                self.repeat(statement, made)
            elif isinstance(statement, tree.Each):
                self.each(statement, made)
        return None

    def binding(self, binding: tree.Binding, made: list[Statement]) -> None:
        name = binding.name.text
        value = self.evaluate(binding.value)
        if isinstance(value, Ref | Op | Call):
            made.append(Bind(binding.keyword, name, value, self.loc(binding.span)))
            self.env[name] = Ref(name, value.type, value.channels)
        elif isinstance(value, Many):
            made.append(Bind(binding.keyword, name, value, self.loc(binding.span)))
            self.env[name] = Many(name, value.items)
        else:
            self.env[name] = value
            if is_number(value) or isinstance(value, bool | str):
                attr = Attr(cast(Value, value), self.expr(binding.value))
                made.append(BindScalar(binding.keyword, name, attr, self.loc(binding.span)))

    def choose(
        self, statement: tree.If, then: tree.Body, other: tree.Body, made: list[Statement]
    ) -> Result | None:
        condition = self.evaluate(statement.condition)
        if not isinstance(condition, bool):
            if not isinstance(condition, Poison):
                self.expected("`true` or `false`", statement.condition, condition)
            return POISON
        arm: list[Statement] = []
        result = self.body(then if condition else other, arm)
        attr = Attr(condition, self.expr(statement.condition))
        taken: Body = tuple(arm)
        made.append(
            If(attr, taken if condition else (), () if condition else taken, bool(other), self.loc(statement.span))
        )
        return result

    def repeat(self, statement: tree.Repeat, made: list[Statement]) -> None:
        count = self.evaluate(statement.count)
        if isinstance(count, Poison):
            self.forget(statement.body)
            return
        if not is_number(count) or isinstance(count, Fraction) or cast(int, count) < 0:
            self.expected("a whole number, 0 or more", statement.count, count)
            self.forget(statement.body)
            return
        times = cast(int, count)
        if times > MAX_REPEAT:
            self.report(say.TOO_MANY.at(statement.count.span, what="repetitions", limit=MAX_REPEAT, got=times))
            self.forget(statement.body)
            return
        index = statement.index.text if statement.index is not None else ""
        iterations: list[Body] = []
        for iteration in range(times):
            if index:
                self.env[index] = iteration
            iterations.append(self.iteration(statement.body))
        (path,) = self.defined.paths.get(id(statement), ("rep",))
        attr = Attr(times, self.expr(statement.count))
        made.append(Repeat(attr, index, path, tuple(iterations), self.loc(statement.span)))

    def each(self, statement: tree.Each, made: list[Statement]) -> None:
        items = self.evaluate(statement.items)
        if not isinstance(items, Many):
            if not isinstance(items, Poison):
                self.expected("a list of feature maps", statement.items, items)
            self.forget(statement.body)
            return
        iterations: list[Body] = []
        name = statement.item.text
        for item in items.items:
            type_ = type_of(item)
            if type_ is not None:
                self.env[name] = Ref(name, type_, types.Opaque())
            iterations.append(self.iteration(statement.body))
        (path,) = self.defined.paths.get(id(statement), (name,))
        made.append(Each(name, items, path, tuple(iterations), self.loc(statement.span)))

    def iteration(self, body: tree.Body) -> Body:
        """One run of a loop's body. Its `let`s end with it; the `var`s of outside keep what they were set to."""
        before = set(self.env)
        made: list[Statement] = []
        self.body(body, made)
        for name in set(self.env) - before:
            del self.env[name]
        return tuple(made)

    def forget(self, body: tree.Body) -> None:
        """What a loop would have set is unknown, since how often it runs is."""
        for statement in body:
            if isinstance(statement, tree.Binding) and statement.keyword == "set":
                self.env[statement.name.text] = POISON

    # ---- expressions ----

    def evaluate(self, expr: tree.Expr) -> Result:
        """Value of an expression; POISON when a mistake was said or nothing can be known."""
        return _EVALUATE[type(expr)](self, expr)

    def number(self, expr: tree.Number) -> Result:
        return expr.value

    def flag(self, expr: tree.Flag) -> Result:
        return expr.value

    def text(self, expr: tree.Text) -> Result:
        self.expected("a number, a flag or a feature map", expr, "a text")
        return POISON

    def ident(self, expr: tree.Ident) -> Result:
        if expr.name in self.env:
            return self.env[expr.name]
        return ALIASES.get(expr.name, expr.name) if expr.name in SYMBOLS else POISON

    def list_of(self, expr: tree.ListOf) -> Result:
        items = [self.evaluate(item) for item in expr.items]
        if any(isinstance(item, Poison) for item in items):
            return POISON
        for item, part in zip(items, expr.items, strict=True):
            if not isinstance(item, Ref | Op | Call):
                self.expected("a feature map", part, item)
                return POISON
        return Many("", tuple(cast(Operand, item) for item in items))

    def property(self, expr: tree.Property) -> Result:
        base, name = self.evaluate(expr.base), expr.name.text
        if isinstance(base, Poison):
            return POISON
        known = BLOCK_PROPERTIES if isinstance(base, Block) else MAP_PROPERTIES
        type_ = type_of(base)
        if not isinstance(base, Block) and type_ is None:
            self.report(say.UNKNOWN_PROPERTY.at(expr.name.span, what=_in_words(base), name=name, known="a feature map or a block"))
            return POISON
        if name not in known:
            self.report(say.UNKNOWN_PROPERTY.at(expr.name.span, what=_in_words(base), name=name, known=one_of(known)))
            return POISON
        value: int | None = getattr(base if isinstance(base, Block) else type_, name)
        if value is None:
            why = "a map pooled to 1x1 has no level" if name == "level" else "its type says no `->` that tells"
            self.report(say.NO_PARAMETER_NAME.at(expr.span, name=expr.base.span.text, why=why))
            return POISON
        if name in ("height", "width"):
            self.expander.static_axes.setdefault(name, self.loc(expr.span))
        return value

    def conditional(self, expr: tree.Conditional) -> Result:
        condition = self.evaluate(expr.condition)
        if not isinstance(condition, bool):
            if not isinstance(condition, Poison):
                self.expected("`true` or `false`", expr.condition, condition)
            return POISON
        return self.evaluate(expr.value if condition else expr.other)

    def unary(self, expr: tree.Unary) -> Result:
        value = self.evaluate(expr.operand)
        if isinstance(value, Poison):
            return POISON
        if expr.operator == "not":
            if isinstance(value, bool):
                return not value
            self.expected("`true` or `false`", expr.operand, value)
            return POISON
        if is_number(value):
            return -cast(int, value)
        if isinstance(value, Ref | Op | Call):
            return self.scaled(value, -1, expr.span)
        self.expected("a number or a feature map", expr.operand, value)
        return POISON

    def binary(self, expr: tree.Binary) -> Result:
        operator = expr.operator
        if operator in ("and", "or"):
            return self.logic(expr)
        left, right = self.evaluate(expr.left), self.evaluate(expr.right)
        if isinstance(left, Poison) or isinstance(right, Poison):
            return POISON
        if operator in COMPARISONS:
            return self.compare(expr, left, right)
        if is_number(left) and is_number(right):
            return self.arithmetic(expr, cast(int, left), cast(int, right))
        for value, part in ((left, expr.left), (right, expr.right)):
            if not is_number(value) and not isinstance(value, Ref | Op | Call):
                self.expected("a number or a feature map", part, value)
                return POISON
        return self.map_arithmetic(expr, left, right)

    def logic(self, expr: tree.Binary) -> Result:
        left = self.evaluate(expr.left)
        if isinstance(left, bool) and left == (expr.operator == "or"):
            return left
        right = self.evaluate(expr.right)
        for value, part in ((left, expr.left), (right, expr.right)):
            if not isinstance(value, bool):
                if not isinstance(value, Poison):
                    self.expected("`true` or `false`", part, value)
                return POISON
        return right

    def compare(self, expr: tree.Binary, left: Result, right: Result) -> Result:
        both_numbers = is_number(left) and is_number(right)
        alike = type(left) is type(right) and isinstance(left, bool | str)
        if both_numbers or (alike and expr.operator in ("==", "!=")):
            return COMPARISONS[expr.operator](left, right)
        wrong = expr.right if is_number(left) or isinstance(left, bool | str) else expr.left
        self.expected("two numbers" if not alike else "`==` or `!=`", wrong, right if wrong is expr.right else left)
        return POISON

    def arithmetic(self, expr: tree.Binary, left: int | Fraction, right: int | Fraction) -> Result:
        if expr.operator == "/" and right == 0:
            self.report(say.DIVISION_BY_ZERO.at(expr.right.span))
            return POISON
        value = simplest(ARITHMETIC[expr.operator](left, right))
        if too_long(value):
            self.report(say.OUT_OF_RANGE.at(expr.span, what="this number", expected="below 2^256", got="more"))
            return POISON
        return value

    def map_arithmetic(self, expr: tree.Binary, left: Result, right: Result) -> Result:
        """`+ - *` on feature maps, or a map and a number; `/` by a number."""
        operator = expr.operator
        if is_number(left):
            if operator == "/":
                self.expected("a number to divide by", expr.right, right)
                return POISON
            turned = self.scaled(cast(Operand, right), -1, expr.span) if operator == "-" else right
            left, right = turned, left
            operator = "+" if operator == "-" else operator
        if is_number(right):
            number = cast(int, right)
            if operator == "/" and number == 0:
                self.report(say.DIVISION_BY_ZERO.at(expr.right.span))
                return POISON
            if operator in "+-":
                return self.shifted(cast(Operand, left), number if operator == "+" else -number, expr.span)
            return self.scaled(cast(Operand, left), number if operator == "*" else Fraction(1) / number, expr.span)
        if operator == "/":
            self.expected("a number to divide by", expr.right, right)
            return POISON
        if operator == "-":
            right = self.scaled(cast(Operand, right), -1, expr.span)
        primitive = PRIMITIVES["multiply" if operator == "*" else "add"]
        return self.apply(primitive, primitive.name, (cast(Operand, left), cast(Operand, right)), {}, expr.span, (), False)

    def scaled(self, value: Operand, factor: int | Fraction, span: Span) -> Op | Poison:
        attributes = {"value": Attr(simplest(factor), types.Literal(simplest(factor)))}
        return self.apply(PRIMITIVES["multiply_scalar"], "multiply_scalar", (value,), attributes, span, (), False)

    def shifted(self, value: Operand, offset: int | Fraction, span: Span) -> Op | Poison:
        attributes = {"value": Attr(simplest(offset), types.Literal(simplest(offset)))}
        return self.apply(PRIMITIVES["add_scalar"], "add_scalar", (value,), attributes, span, (), False)

    # ---- calls ----

    def call(self, expr: tree.Call) -> Result:
        name = expr.callee.text
        held = self.env.get(name)
        if isinstance(held, str):
            name = held
        elif name in self.env:
            if not isinstance(held, Poison):
                self.report(
                    say.WRONG_KIND.at(expr.callee.span, name=name, got=_in_words(held), expected="something to call")
                )
            return POISON
        if name in SCALAR_FUNCTIONS:
            return self.scalar_function(expr)
        if name in LIST_FUNCTIONS:
            return self.sum(expr)
        defined = self.defined.unit.definitions.get(name)
        if defined is not None and not isinstance(held, str):
            return self.call_definition(expr, defined)
        return self.call_primitive(expr, name)

    def scalar_function(self, expr: tree.Call) -> Result:
        values: list[int | Fraction] = []
        named: dict[str, int | Fraction] = {}
        for argument in expr.arguments:
            value = self.evaluate(argument.value)
            if isinstance(value, Poison):
                return POISON
            if not is_number(value):
                self.expected("a number", argument.value, value)
                return POISON
            if argument.name is None:
                values.append(cast(int, value))
            else:
                named[argument.name.text] = cast(int, value)
        if named.get("to", 1) == 0:
            self.report(say.DIVISION_BY_ZERO.at(expr.span))
            return POISON
        if "x" in named:
            values.insert(0, named.pop("x"))
        return simplest(FUNCTIONS[expr.callee.text](*values, **named))

    def sum(self, expr: tree.Call) -> Result:
        items = self.evaluate(expr.arguments[0].value)
        if not isinstance(items, Many):
            if not isinstance(items, Poison):
                self.expected("a list of feature maps", expr.arguments[0].value, items)
            return POISON
        if not items.items:
            self.expected("a list that is not empty", expr.arguments[0].value, "an empty list")
            return POISON
        return self.apply(PRIMITIVES["add"], "sum", (items,), {}, expr.span, (), False)

    def call_definition(self, expr: tree.Call, defined: Defined) -> Result:
        parameters = defined.definition.parameters
        given: Environment = {}
        positional = iter(parameters)
        for argument in expr.arguments:
            name = next(positional).name.text if argument.name is None else argument.name.text
            given[name] = self.evaluate(argument.value)
        if any(isinstance(value, Poison) for value in given.values()):
            return POISON
        written = {name: expr_ for name, expr_ in _arguments_by_name(expr, parameters)}
        arguments = complete(self.expander, defined, given)
        if arguments is None:
            return POISON
        self.expander.uses.append((expr.span, defined.name))
        module = self.expander.expand(defined, arguments)
        self.expander.uses.pop()
        if isinstance(module, Poison):
            return POISON
        maps: dict[str, Operand] = {}
        scalars: dict[str, Attr] = {}
        for name, value in arguments.items():
            if isinstance(value, Ref | Op | Call | Many):
                maps[name] = value
            elif isinstance(value, Block):
                scalars |= {key: attr for key, attr in module.scalars.items() if key.startswith(f"{name}.")}
            elif name in written:
                scalars[name] = Attr(cast(Value, value), self.expr(written[name]))
        path = self.defined.paths.get(id(expr), (defined.name,))
        channels = _outside(_channels_of(module, defined, self), maps, scalars)
        return Call(module, maps, scalars, path, expr.shared, module.type, channels, self.loc(expr.span))

    def call_primitive(self, expr: tree.Call, name: str) -> Result:
        role = expr.callee.text
        given: Mapping[str, Value] = {}
        if name in ROLES:
            if name not in self.expander.roles:
                self.report(
                    say.NO_DEFAULT.at(expr.callee.span, role=name, network=self.expander.network).with_fix(
                        "say it in the network: `defaults { "
                        + ("act relu" if name == "act" else "norm batch_norm(momentum = 0.99, epsilon = 0.001)")
                        + " }`"
                    )
                )
                return POISON
            primitive, given = self.expander.roles[name]
        else:
            primitive = PRIMITIVES[ALIASES.get(name, name)]
            given = self.expander.attributes.get(primitive.name, {})
        inputs, written, failed = self.split_arguments(expr, primitive)
        if failed or inputs is None:
            return POISON
        attributes = bind_attributes(primitive, given, written, expr, self)
        if attributes is None:
            return POISON
        path = self.defined.paths.get(id(expr), (role,))
        return self.apply(primitive, role, inputs, attributes, expr.span, path, expr.shared)

    def split_arguments(
        self, expr: tree.Call, primitive: Primitive
    ) -> tuple[tuple[Operand, ...] | None, list[tuple[str, tree.Argument, Result]], bool]:
        """Feature maps first, then attributes in the order of the table or by name."""
        inputs: list[Operand] = []
        written: list[tuple[str, tree.Argument, Result]] = []
        names = iter([attribute.name for attribute in primitive.attributes])
        failed = False
        for argument in expr.arguments:
            value = self.evaluate(argument.value)
            if isinstance(value, Poison):
                failed = True
            elif argument.name is not None and argument.name.text not in ("x", "input 1", "input 2"):
                written.append((argument.name.text, argument, value))
            elif primitive.most is None or len(inputs) < primitive.most:
                wanted = Ref | Op | Call | Many if primitive.most is None else Ref | Op | Call
                if isinstance(value, wanted):
                    inputs.append(value)
                else:
                    self.expected("a feature map", argument.value, value)
                    failed = True
            elif (name := next(names, None)) is not None:
                written.append((name, argument, value))
            else:
                self.report(say.TOO_MANY_ARGUMENTS.at(argument.span, callee=expr.callee.text, most=1, got=len(expr.arguments)))
                failed = True
        if not failed and len(inputs) < primitive.least:
            self.report(say.MISSING_ARGUMENT.at(expr.span, callee=expr.callee.text, name="x"))
            failed = True
        return (None if failed else tuple(inputs)), written, failed

    def apply(
        self, primitive: Primitive, role: str, inputs: tuple[Operand, ...], attributes: dict[str, Attr],
        span: Span, path: tuple[str, ...], shared: bool,
    ) -> Op | Poison:
        """Apply a primitive whose attributes are all known: its shape rule has the last word."""
        operands = [item for value in inputs for item in (value.items if isinstance(value, Many) else (value,))]
        types_ = [cast(Type, type_of(operand)) for operand in operands]
        values = {name: attr.value for name, attr in attributes.items()}
        result: Type | Problem
        if primitive.name == "add" and len(types_) != 2:
            result = types_[0]
            for other in types_[1:]:
                result = primitive.shape([result, other], values)
                if isinstance(result, Problem):
                    break
        else:
            result = primitive.shape(types_, values)
        if isinstance(result, Problem):
            self.report(self.misfit(primitive, role, result, types_, attributes, span))
            return POISON
        self.expander.deepest = max(self.expander.deepest, result.level or 0)
        channels = self.channels_of(primitive, operands, types_, attributes, result)
        return Op(primitive.name, role, inputs, attributes, path, shared, result, channels, self.loc(span))

    def misfit(
        self, primitive: Primitive, role: str, problem: Problem, types_: list[Type], attributes: dict[str, Attr], span: Span
    ) -> Diagnostic:
        if problem.size is not None:
            x, stride = types_[0], cast(int, attributes["stride"].value)
            level = cast(int, x.level) + stride.bit_length() - 1
            got, expected = "x".join(map(str, problem.size)), f"{x.height // stride}x{x.width // stride}"
            return say.SIZE_NOT_KEPT.at(
                span, operation=role, before=x.size, after=got, level=level, expected=expected
            ).with_notes(problem.text).with_fix("pad it: `padding = same`")
        sign = {"add": "+", "multiply": "*"}.get(primitive.name)
        got = " and ".join(str(type_) for type_ in types_)
        return say.SHAPE.at(span, operation=sign if sign and role != "sum" else role, problem=problem.text, label=f"got {got}")

    def channels_of(
        self, primitive: Primitive, operands: list[Operand], types_: list[Type], attributes: dict[str, Attr], result: Type
    ) -> types.Expr:
        """The result's channels as an expression of this definition."""
        if "channels" in attributes:
            return attributes["channels"].expr
        exprs = [cast(Ref, operand).channels for operand in operands]
        if primitive.name == "concat" and len(exprs) > 1:
            return types.Operation("+", tuple(exprs))
        for expr, type_ in zip(exprs, types_, strict=True):
            if type_.channels == result.channels:
                return expr
        return types.Opaque()

    # ---- what is said ----

    def report(self, diagnostic: Diagnostic) -> None:
        self.expander.report(diagnostic)

    def expected(self, what: str, expr: tree.Expr, got: object) -> None:
        written = expr.span.text if len(expr.span.text) <= 40 else "this"
        self.report(say.EXPECTED_VALUE.at(expr.span, what=f"`{self.defined.name}`", expected=what, got=f"{_in_words(got)} from `{written}`" if written != "this" and not isinstance(expr, tree.Number | tree.Text) else _in_words(got)))

    def loc(self, span: Span) -> Loc:
        return Loc(span.source.name, span.line)

    def expr(self, expr: tree.Expr) -> types.Expr:
        """The expression in the form that programs keep."""
        found = self.expander.exprs.get(id(expr))
        if found is None:
            found = self.expander.exprs[id(expr)] = use_of(expr, self.env)
        return found


_EVALUATE = {
    tree.Number: _Expansion.number,
    tree.Flag: _Expansion.flag,
    tree.Text: _Expansion.text,
    tree.Ident: _Expansion.ident,
    tree.Property: _Expansion.property,
    tree.Unary: _Expansion.unary,
    tree.Binary: _Expansion.binary,
    tree.Conditional: _Expansion.conditional,
    tree.ListOf: _Expansion.list_of,
    tree.Call: _Expansion.call,
}


def complete(expander: Expander, defined: Defined, given: Environment) -> Environment | None:
    """`given` with every default filled in, in the order of the parameters; None if one is still missing."""
    arguments: Environment = {}
    for parameter in defined.definition.parameters:
        name = parameter.name.text
        if name in given:
            arguments[name] = given[name]
        elif parameter.default is not None:
            arguments[name] = _Expansion(expander, defined, dict(arguments)).evaluate(parameter.default)
        else:
            return None
    return arguments


def _arguments_by_name(call: tree.Call, parameters: tuple[tree.Parameter, ...]) -> list[tuple[str, tree.Expr]]:
    positional = iter(parameters)
    return [
        (next(positional).name.text if argument.name is None else argument.name.text, argument.value)
        for argument in call.arguments
    ]


def _returns(body: tree.Body) -> bool:
    """Every path through the statements returns."""
    return any(
        isinstance(statement, tree.Return)
        or (isinstance(statement, tree.If) and _returns(statement.then) and _returns(statement.other))
        for statement in body
    )


def _channels_of(module: Module, defined: Defined, expansion: _Expansion) -> types.Expr:
    """A module's channels in its own names: what its signature says, else what it returns."""
    if defined.definition.signature is not None:
        return use_of(defined.definition.signature, {})
    last = module.body[-1] if module.body else None
    return cast(Ref, last.value).channels if isinstance(last, Return) else types.Opaque()


def _outside(expr: types.Expr, maps: Mapping[str, Operand], scalars: Mapping[str, Attr]) -> types.Expr:
    """An expression of a module in the names of its caller."""
    if isinstance(expr, types.Name):
        return scalars[expr.name].expr if expr.name in scalars else types.Opaque()
    if isinstance(expr, types.Property):
        operand = maps.get(expr.base)
        if isinstance(operand, Ref | Op | Call) and expr.name == "channels":
            return operand.channels
        return types.Opaque()
    if isinstance(expr, types.Operation):
        operands = tuple(_outside(part, maps, scalars) for part in expr.operands)
        return types.Opaque() if any(isinstance(part, types.Opaque) for part in operands) else types.Operation(expr.operator, operands)
    return expr


def _in_words(value: object) -> str:
    if isinstance(value, Ref | Op | Call):
        return f"a feature map of {value.type}"
    if isinstance(value, Many):
        return "a list of feature maps"
    if isinstance(value, Block):
        return f"block `{value.name}`"
    if isinstance(value, str) and value.startswith(("a ", "an ")):
        return value
    return describe(value)
