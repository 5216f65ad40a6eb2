"""Elaborate: from a resolved `Network` to a `TypedNetwork`, every definition expanded and every feature map typed.

The rows run in the order of the file. A row with a mistake gives an unknown feature map; rows that read it are unknown too
and nothing more is said of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor
from typing import cast

from spinedsl.diagnostics import Diagnostic, Label, Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.attributes import check_value, count_of
from spinedsl.ir.expand import Block, Environment, Expander, _Expansion, complete
from spinedsl.ir.library import Defined
from spinedsl.ir.networks import Network, RowDecl
from spinedsl.ir.scalars import POISON, Poison, describe, is_number
from spinedsl.ir.typed import InputSize, TypedInput, TypedNetwork, TypedRow
from spinedsl.ops.primitives import ALIASES, PRIMITIVES, Primitive
from spinedsl.ops.program import Call, Many, Module, Operand, Ref
from spinedsl.ops.types import Attr, Literal, Loc, Opaque, Type, Value
from spinedsl.source import Span
from spinedsl.syntax import tree

MAX_LEVEL = 16
MAX_SIZE = 65_536
MAX_ROWS = 20_000


def elaborate(network: Network, given_size: InputSize | None = None) -> Outcome[TypedNetwork]:
    """The network with every value known. `given_size` replaces the height and width of its input."""
    elaborator = _Elaborator(network, given_size)
    typed = elaborator.run()
    return Outcome(typed, tuple(elaborator.diagnostics))


@dataclass
class _Elaborator:
    network: Network
    given_size: InputSize | None
    rows: dict[str, TypedRow] = field(default_factory=dict)
    widths: dict[int, tuple[int, Span]] = field(default_factory=dict)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.expander.diagnostics

    def run(self) -> TypedNetwork:
        network = self.network
        self.expander = Expander(network.name, {}, {})
        self.scope = self.open_scope()
        self.expander.attributes, self.expander.roles = self.defaults()
        self.read_widths()
        least, most = self.input_rule()
        declared, typed_for = self.input_type()
        self.input = typed_for
        if len(network.rows) > MAX_ROWS:
            place = network.rows[MAX_ROWS].row.name.span
            self.report(say.TOO_MANY.at(place, what="rows", limit=MAX_ROWS, got=len(network.rows)))
        else:
            for row in network.rows:
                self.rows[row.name] = self.row(row)
        head = network.instance.name.span if network.instance is not None else network.declared.name.span
        return TypedNetwork(
            network=network,
            name=network.name,
            input_name=network.input.name.text if network.input is not None else "",
            input_type=declared,
            divisor=1 << max([self.expander.deepest, *(row.level or 0 for row in self.rows.values())]),
            rows=self.rows,
            least_inputs=least,
            most_inputs=most,
            static_axes=self.expander.static_axes,
            given_size=self.given_size,
            loc=Loc(head.source.name, head.line),
        )

    def report(self, diagnostic: Diagnostic) -> None:
        """Say it; in an instance, with the place of the instance, whose arguments may be the cause."""
        instance = self.network.instance
        if instance is not None and instance.arguments:
            diagnostic = diagnostic.with_others(Label(instance.name.span, f"in network `{instance.name.text}`"))
        if all((d.code, d.span) != (diagnostic.code, diagnostic.span) for d in self.diagnostics):
            self.diagnostics.append(diagnostic)

    # ---- values of the network ----

    def open_scope(self) -> _Expansion:
        """An evaluator whose names are the parameters and `let`s of the network."""
        declared = self.network.declared
        shell = Defined(tree.Definition("def", declared.name, (), None, (), declared.span), self.network.unit)
        scope = _Expansion(self.expander, shell, {})
        given: Environment = {}
        positional = iter(declared.parameters)
        for argument in self.network.arguments:
            name = next(positional).name.text if argument.name is None else argument.name.text
            given[name] = scope.evaluate(argument.value)
        for parameter in declared.parameters:
            name = parameter.name.text
            if name in given:
                scope.env[name] = given[name]
                self.same_kind(parameter, given[name], scope)
            elif parameter.default is not None:
                scope.env[name] = scope.evaluate(parameter.default)
            else:
                scope.env[name] = POISON
        for let in self.network.lets:
            scope.env[let.name.text] = scope.evaluate(let.value)
        return scope

    def same_kind(self, parameter: tree.Parameter, value: object, scope: _Expansion) -> None:
        """An argument is of the kind of the parameter's default."""
        if parameter.default is None or isinstance(value, Poison):
            return
        default = scope.evaluate(parameter.default)
        if is_number(default) == is_number(value) and isinstance(default, bool) == isinstance(value, bool):
            return
        argument = next(
            (a for a in self.network.arguments if a.name is not None and a.name.text == parameter.name.text),
            self.network.arguments[0],
        )
        expected = "a number" if is_number(default) else "`true` or `false`" if isinstance(default, bool) else "a name"
        self.report(
            say.EXPECTED_VALUE.at(
                argument.value.span, what=f"`{parameter.name.text}`", expected=expected, got=describe(value)
            ).with_others(Label(parameter.name.span, f"its default is {describe(default)}"))
        )
        scope.env[parameter.name.text] = POISON

    def defaults(self) -> tuple[dict[str, dict[str, Value]], dict[str, tuple[Primitive, dict[str, Value]]]]:
        attributes: dict[str, dict[str, Value]] = {}
        roles: dict[str, tuple[Primitive, dict[str, Value]]] = {}
        items = self.network.defaults.items if self.network.defaults is not None else ()
        for item in sorted(items, key=lambda item: item.role is not None):
            primitive = PRIMITIVES.get(ALIASES.get(item.use.name.text, item.use.name.text))
            if primitive is None:
                if item.role is not None:
                    roles[item.role.text] = (PRIMITIVES["identity"], {})
                continue
            values: dict[str, Value] = {}
            for argument in item.use.arguments:
                attribute = primitive.attribute(argument.name.text) if argument.name is not None else None
                value = self.scope.evaluate(argument.value)
                if attribute is None or isinstance(value, Poison):
                    continue
                what = f"`{attribute.name}` of `{primitive.name}`"
                checked = check_value(attribute, value, argument.value.span, what)
                if isinstance(checked, Diagnostic):
                    self.report(checked)
                else:
                    values[attribute.name] = checked
            if item.role is None:
                attributes[primitive.name] = values
            else:
                roles[item.role.text] = (primitive, {**attributes.get(primitive.name, {}), **values})
        for name in ("act", "norm"):
            if name not in roles and not self.network.sound_text:
                roles[name] = (PRIMITIVES["identity"], {})
        return attributes, roles

    def whole(self, expr: tree.Expr, what: str, least: int, most: int) -> int | None:
        """A whole number in a range, or None with the reason said."""
        value = self.scope.evaluate(expr)
        if isinstance(value, Poison):
            return None
        if not is_number(value):
            self.report(say.EXPECTED_VALUE.at(expr.span, what=what, expected="a whole number", got=describe(value)))
            return None
        number = cast(int, value)
        if number != floor(number) or not least <= number <= most:
            expected = f"a whole number from {least} to {most}"
            self.report(say.OUT_OF_RANGE.at(expr.span, what=what, expected=expected, got=describe(value)))
            return None
        return int(number)

    def count(self, expr: tree.Expr, what: str) -> int | None:
        """A number of channels: floored, at least 1."""
        value = self.scope.evaluate(expr)
        if isinstance(value, Poison):
            return None
        checked = count_of(value, expr.span, what)
        if isinstance(checked, Diagnostic):
            self.report(checked)
            return None
        return checked

    # ---- settings ----

    def read_widths(self) -> None:
        for item in self.network.widths.items if self.network.widths is not None else ():
            low = self.level(item.low)
            high = self.level(item.high) if item.high is not None else low
            width = self.count(item.value, "a width")
            if low is None or high is None:
                continue
            if high < low:
                span = item.low.span.to((item.high or item.low).span)
                self.report(say.EMPTY_RANGE.at(span, low=low, high=high))
            for level in range(low, high + 1):
                if level in self.widths:
                    self.report(
                        say.WIDTH_TWICE.at(item.span, level=level).with_others(
                            Label(self.widths[level][1], f"level {level} has its width here")
                        )
                    )
                elif width is not None:
                    self.widths[level] = (width, item.span)
                else:
                    self.widths[level] = (0, item.span)

    def input_rule(self) -> tuple[int, int]:
        for item in self.network.rules.items if self.network.rules is not None else ():
            if item.name.text == "inputs":
                low = self.whole(item.low, "`inputs`", 1, 1_000)
                high = self.whole(item.high, "`inputs`", 1, 1_000) if item.high is not None else low
                if low is not None and high is not None:
                    if high < low:
                        self.report(say.EMPTY_RANGE.at(item.span, low=low, high=high))
                    return low, high
        return 1, 2

    def input_type(self) -> tuple[Type | None, Type | None]:
        """The input as declared, and as the rows are typed: for the next size that divides, if it does not."""
        declared = self.network.input
        if declared is None:
            return None, None
        channels = self.count(declared.sizes[0], "the channels of the input")
        sizes = [self.whole(expr, "an input size", 1, MAX_SIZE) for expr in declared.sizes[1:]]
        if self.given_size is not None:
            sizes = [self.given_size.height, self.given_size.width]
        height, width = sizes
        if channels is None or height is None or width is None:
            return None, None
        levels = [
            value
            for row in self.network.rows
            if (clause := row.clauses.get("level")) is not None
            and is_number(value := self.scope.evaluate(cast(tree.Expr, clause.value)))
            and 0 <= cast(int, value) <= MAX_LEVEL
        ]
        step = 1 << max([int(cast(int, level)) for level in levels], default=0)
        up = [-(-size // step) * step for size in (height, width)]
        return Type(channels, height, width, 0), Type(channels, up[0], up[1], 0)

    def level(self, expr: tree.Expr) -> int | None:
        value = self.scope.evaluate(expr)
        if isinstance(value, Poison):
            return None
        if not is_number(value) or value != floor(cast(int, value)) or not 0 <= cast(int, value) <= MAX_LEVEL:
            expected = f"a whole number from 0 to {MAX_LEVEL}"
            self.report(say.LEVEL_RANGE.at(expr.span, got=describe(value), expected=expected))
            return None
        return int(cast(int, value))

    # ---- rows ----

    def row(self, declared: RowDecl) -> TypedRow:
        unknown = TypedRow(declared, None, None, (), None, (), None)
        level: int | None = None
        if (clause := declared.clauses.get("level")) is not None:
            level = self.level(cast(tree.Expr, clause.value))
            if level is None:
                return unknown
        elif declared.row.kind == "block":
            self.missing_level(declared)
            return unknown
        channels = self.channels(declared, level)
        if not declared.sound or self.input is None or isinstance(channels, Poison):
            return TypedRow(declared, level, None, (), None, (), None)
        if declared.defined is None:
            source = self.rows[declared.sources[0].text]
            kept = source.type
            return TypedRow(declared, kept.level if kept else None, None, self.direct_inputs(declared), None, (), kept)
        return _RowBuilder(self, declared, declared.defined, level, channels).build()

    def missing_level(self, declared: RowDecl) -> None:
        if declared.misread:
            return
        self.report(
            say.MISSING_CLAUSE.at(
                declared.row.name.span, row="block", name=declared.name, what="its level", expected="`level L`"
            )
        )

    def channels(self, declared: RowDecl, level: int | None) -> int | None | Poison:
        """The row's `channels`, else the width of its level; None where its type asks for none."""
        clause = declared.clauses.get("channels")
        if clause is not None:
            count = self.count(cast(tree.Expr, clause.value), f"the channels of `{declared.name}`")
            return POISON if count is None else count
        defined = declared.defined
        parameter = _parameter(defined, "channels") if defined is not None else None
        if parameter is None or any(_named(argument) == "channels" for argument in declared.row.use.arguments):
            return None
        if level is not None and level in self.widths:
            return self.widths[level][0] or POISON
        if parameter.default is not None:
            return None
        if self.network.sound_text and not declared.misread and not self.below_stem(level):
            has_level = level is not None
            label = f"level {level} is not in `widths`" if has_level else "expected a `channels` clause"
            fix = "say it in the row: `channels 256`" + (", or in `widths`" if has_level else "")
            place = declared.row.name.span
            self.report(say.NO_WIDTH.at(place, row=declared.row.kind, name=declared.name, label=label).with_fix(fix))
        return POISON

    def below_stem(self, level: int | None) -> bool:
        """The level itself is a mistake, which a check will tell."""
        stem = next((row for row in self.rows.values() if row.declared.row.kind == "stem"), None)
        return level is not None and stem is not None and stem.level is not None and level < stem.level

    def direct_inputs(self, declared: RowDecl) -> tuple[TypedInput, ...]:
        return tuple(TypedInput(source, None) for source in declared.sources)


def _named(argument: tree.Argument) -> str | None:
    return argument.name.text if argument.name is not None else None


def _parameter(defined: Defined, name: str) -> tree.Parameter | None:
    return next((p for p in defined.definition.parameters if p.name.text == name), None)


@dataclass
class _RowBuilder:
    """Expands what one row uses, in running order."""

    elaborator: _Elaborator
    declared: RowDecl
    defined: Defined
    level: int | None
    channels: int | None
    inputs: list[TypedInput] = field(default_factory=list)
    join: Call | None = None
    calls: list[Call] = field(default_factory=list)

    @property
    def expander(self) -> Expander:
        return self.elaborator.expander

    @property
    def name(self) -> str:
        return self.declared.name

    def build(self) -> TypedRow:
        arguments = self.arguments(self.declared.row.use)
        result: Type | None = None
        if arguments is not None:
            arrived = self.arrive_directly(arguments) if self.declared.direct else self.arrive_joined(arguments)
            if arrived is not None:
                result = self.run_type(arrived, arguments)
        level = self.level if self.level is not None else (result.level if result is not None else None)
        return TypedRow(self.declared, level, self.channels, tuple(self.inputs), self.join, tuple(self.calls), result)

    def report(self, diagnostic: Diagnostic) -> None:
        self.elaborator.report(diagnostic)

    # ---- arguments ----

    def arguments(self, use: tree.Use) -> Environment | None:
        """What the row or setting says, by name; None when a mistake left something unknown."""
        given = {_named(argument) or "": self.elaborator.scope.evaluate(argument.value) for argument in use.arguments}
        return None if any(isinstance(value, Poison) for value in given.values()) else given

    def expand(
        self, use: tree.Use, defined: Defined, implicit: list[object], given: Environment, path: tuple[str, ...]
    ) -> Call | None:
        """Use a definition: its first parameters are `implicit`, the others `given` by name or by default."""
        parameters = [parameter.name.text for parameter in defined.definition.parameters]
        arguments = cast(Environment, dict(zip(parameters, implicit, strict=False)))
        for name, value in given.items():
            if name in parameters:
                arguments[name] = value
        completed = complete(self.expander, defined, arguments)
        if completed is None:
            return None
        self.expander.uses.append((use.span, defined.name))
        module = self.expander.expand(defined, completed)
        self.expander.uses.pop()
        if isinstance(module, Poison):
            return None
        maps = {name: cast(Operand, value) for name, value in completed.items() if name in module.maps}
        scalars = {name: Attr(attr.value, Literal(attr.value)) for name, attr in module.scalars.items()}
        loc = Loc(use.span.source.name, use.span.line)
        return Call(module, maps, scalars, path, False, module.type, Literal(module.type.channels), loc)

    # ---- what arrives ----

    def source(self, name: tree.Name) -> TypedRow:
        return self.elaborator.rows[name.text]

    def arrive_directly(self, arguments: Environment) -> Type | None:
        """The one input as it is; `stride` takes the difference of levels."""
        if not self.declared.sources:
            arrived: Type | None = self.elaborator.input
        else:
            arrived = self.source(self.declared.sources[0]).type
            self.inputs = list(self.elaborator.direct_inputs(self.declared))
        if arrived is None or self.level is None or arrived.level is None or "stride" in arguments:
            return arrived
        distance = self.level - arrived.level
        takes_stride = _parameter(self.defined, "stride") is not None
        if distance < 0 or (distance > 0 and not takes_stride and self.declared.row.kind == "block"):
            clause = self.declared.clauses["level"]
            why = "`after` cannot go down a level: use `from`" if distance < 0 else "it has no parameter `stride`"
            self.report(
                say.NO_STRIDE.at(
                    clause.span, name=self.name, source=arrived.level, target=self.level, type=self.defined.name, why=why
                )
            )
            return None
        if takes_stride:
            arguments["stride"] = 1 << distance
        return arrived

    def arrive_joined(self, arguments: Environment) -> Type | None:
        """Every input resampled, then joined with the absorbed maps."""
        if any(self.source(name).type is None for name in (*self.declared.sources, *self.declared.absorbed)):
            self.inputs = [TypedInput(name, None) for name in self.declared.sources]
            return None
        target = self.target(arguments)
        if target is None:
            return None
        arrived = [self.resampled(name, target) for name in self.declared.sources]
        types = [type_ for type_ in arrived if type_ is not None]
        if len(types) < len(arrived):
            return None
        for name in self.declared.absorbed:
            absorbed = cast(Type, self.source(name).type)
            if not self.fits(name, absorbed, target):
                return None
            types.append(absorbed)
        return self.joined(types)

    def target(self, arguments: Environment) -> Block | None:
        """This row as its inputs' resampling sees it."""
        values: Environment = {}
        for parameter in self.defined.definition.parameters[1:]:
            name = parameter.name.text
            if name in arguments:
                values[name] = arguments[name]
            elif name == "channels" and self.channels is not None:
                values[name] = self.channels
            elif name == "stride":
                values[name] = 1
            elif parameter.default is not None:
                values[name] = self.elaborator.scope.evaluate(parameter.default)
        if not self.defined.sound:
            return None
        promised = self.expander.signature(self.defined, values)
        if promised is None:
            signature = self.defined.definition.signature
            place = signature.span if signature is not None else self.defined.definition.name.span
            self.report(
                say.NO_PARAMETER_NAME.at(
                    self.declared.row.use.span, name=self.name,
                    why=f"`{self.defined.name}` is fed by `from`, so its `->` must tell its channels",
                ).with_others(Label(place, "from its own parameters, not from what comes in"))
            )  # fmt: skip
            return None
        return self.block(self.name, cast(int, self.level), self.channels, promised, promised)

    def block(self, name: str, level: int, channels: int | None, out: int, in_channels: int | None) -> Block:
        whole = cast(Type, self.elaborator.input)
        return Block(name, level, channels, in_channels, out, whole.height >> level, whole.width >> level)

    def resampled(self, name: tree.Name, target: Block) -> Type | None:
        row, type_ = self.source(name), cast(Type, self.source(name).type)
        use, defined = cast(tuple[tree.Use, Defined], self.declared.resample)
        given = self.arguments(use)
        if given is None or type_.level is None:
            self.inputs.append(TypedInput(name, None))
            return None
        source = self.block(name.text, type_.level, row.channels, type_.channels, type_.channels)
        path = (self.name, f"from_{name.text}")
        arriving = Ref(name.text, type_, Opaque())
        call = self.expand(use, defined, [arriving, source, target], given, path)
        self.inputs.append(TypedInput(name, call))
        if call is None:
            return None
        if (call.type.level, call.type.channels) != (target.level, target.in_channels):
            self.report(
                say.RESAMPLE_RESULT.at(
                    name.span, source=name.text, target=self.name, type=defined.name, got=call.type,
                    expected=f"level {target.level} and {target.in_channels} channels",
                ).with_others(Label(defined.definition.name.span, f"`{defined.name}` is defined here"))
            )  # fmt: skip
            return None
        return call.type

    def fits(self, name: tree.Name, absorbed: Type, target: Block) -> bool:
        """An absorbed map is added as it is: same level, same channels."""
        if (absorbed.level, absorbed.channels) == (target.level, target.in_channels):
            return True
        self.report(
            say.ABSORB_MISMATCH.at(
                name.span, name=self.name, absorbed=name.text, level=target.level, channels=target.in_channels,
                got_level=absorbed.level, got_channels=absorbed.channels,
            ).with_others(Label(self.source(name).span, f"`{name.text}` has level {absorbed.level} and {absorbed.channels} channels"))
        )  # fmt: skip
        return False

    def joined(self, types: list[Type]) -> Type | None:
        use, defined = cast(tuple[tree.Use, Defined], self.declared.join)
        given = self.arguments(use)
        if given is None:
            return None
        inputs = Many("", tuple(Ref(f"input {index}", type_, Opaque()) for index, type_ in enumerate(types)))
        self.join = self.expand(use, defined, [inputs], given, (self.name, "join"))
        return self.join.type if self.join is not None else None

    # ---- the row's own type ----

    def run_type(self, arrived: Type, arguments: Environment) -> Type | None:
        """The row's type as often as it repeats: only the first has a stride."""
        repeats, repeated = 1, "repeat" in self.declared.clauses
        if repeated:
            clause = self.declared.clauses["repeat"]
            times = self.elaborator.whole(cast(tree.Expr, clause.value), "`repeat`", 1, 1_000)
            if times is None:
                return None
            repeats = times
        if self.channels is not None:
            if _parameter(self.defined, "channels") is not None:
                arguments.setdefault("channels", self.channels)
            elif self.declared.row.clauses:
                clause = self.declared.clauses.get("channels")
                if clause is not None:
                    self.report(
                        say.UNKNOWN_CLAUSE.at(
                            clause.keyword.span, row=f"a row of type `{self.defined.name}`", name="channels", known="no `channels`: the type decides them"
                        )
                    )
                    return None
        result: Type | None = arrived
        for repeat in range(repeats):
            path = (self.name, f"rep{repeat}") if repeated else (self.name,)
            if repeat and "stride" in arguments:
                arguments = {**arguments, "stride": 1}
            given = Ref("x", cast(Type, result), Opaque())
            call = self.expand(self.declared.row.use, self.defined, [given], arguments, path)
            if call is None:
                return None
            self.calls.append(call)
            result = call.type
        return self.at_its_level(cast(Type, result))

    def at_its_level(self, result: Type) -> Type | None:
        if self.level is None or result.level == self.level:
            return result
        clause = self.declared.clauses["level"]
        got = "a map pooled to 1x1" if result.level is None else f"level {result.level}"
        self.report(
            say.LEVEL_MISMATCH.at(
                clause.span, what=self.declared.row.kind, name=self.name, expected=self.level, got=got
            ).with_others(Label(self.defined.definition.name.span, f"`{self.defined.name}` is defined here"))
        )
        return None
