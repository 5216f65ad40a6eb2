"""Elaborate one row: what arrives is resampled and joined, then goes through the row's type as often as it repeats."""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl import checks as say
from spinedsl.brief import Table
from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.ir.elaborate.settings import Settings
from spinedsl.ir.expand import Block, Context, Environment, Result, complete, expand, promised_channels
from spinedsl.ir.expand.calls import channels_of
from spinedsl.ir.expand.misfits import divides
from spinedsl.ir.expand.notation import OPAQUE, outside
from spinedsl.ir.library import Defined
from spinedsl.ir.networks import RowDecl
from spinedsl.ir.scalars import Poison
from spinedsl.ir.typed import TypedInput, TypedRow
from spinedsl.ops.program import Call, Many, Module, Operand, Ref, Yielded
from spinedsl.ops.types import Attr, Literal, Loc, Type, at_level
from spinedsl.record import Record, field, replace
from spinedsl.syntax import tree

MAX_REPEAT = 1_000


class RowElaborator(Record, frozen=False):
    """Expands what one row uses, in running order."""

    context: Context
    settings: Settings
    rows: Mapping[str, TypedRow]
    network_input: Type
    declared: RowDecl
    defined: Defined
    level: int | None
    channels: int | None
    inputs: list[TypedInput] = field(default_factory=list)
    join: Call | None = None
    calls: list[Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.declared.name

    def run(self) -> TypedRow:
        """The row as far as it can be known."""
        arguments = self.arguments(self.declared.row.use)
        result: Type | None = None
        if arguments is not None and self.declared.row.kind == "head":
            return self.head(arguments)
        if arguments is not None and self.takes_channels():
            arrived = self.arrive_directly(arguments) if self.declared.direct else self.arrive_joined(arguments)
            if arrived is not None:
                result = self.run_type(arrived, arguments)
        level = self.level if self.level is not None else (result.level if result is not None else None)
        return TypedRow(self.declared, level, self.channels, tuple(self.inputs), self.join, tuple(self.calls), result)

    def head(self, arguments: Environment) -> TypedRow:
        """A head: its type takes all that it reads as a list, and gives one value or several."""
        types_ = [self.rows[name.text].type for name in self.declared.sources]
        known = [type_ for type_ in types_ if type_ is not None]
        self.inputs = [TypedInput(name, None) for name in self.declared.sources]
        call: Call | None = None
        if self.takes_channels() and len(known) == len(types_):
            if self.channels is not None and self.defined.parameter("channels") is not None:
                arguments.setdefault("channels", self.channels)
            names = (name.text for name in self.declared.sources)
            features = Many("", tuple(Ref(name, type_, OPAQUE) for name, type_ in zip(names, known, strict=True)))
            call = self.expand(self.declared.row.use, self.defined, [features], arguments, (self.name,))
        if call is not None and not self.context.spend(self.declared.row.use.span, len(call.module.yields)):
            call = None
        if call is not None:
            given = [yielded.type for yielded in call.module.yields] or [call.type]
            constant = next((type_ for type_ in given if not type_.batched), None)
            if constant is not None:
                self.not_whole(self.declared.row.use, self.defined, constant)
                call = None
        parts = self.parts(call.module.yields) if call is not None else ()
        result = call.type if call is not None else None
        calls = (call,) if call is not None else ()
        return TypedRow(self.declared, None, self.channels, tuple(self.inputs), None, calls, result, parts)

    def parts(self, yields: tuple[Yielded, ...]) -> tuple[tuple[str, Type], ...]:
        """What a head yields, each named by the head and by the row that it came from."""
        sources = [name.text for name in self.declared.sources]
        named: list[tuple[str, Type]] = []
        for yielded in yields:
            ends = (part if isinstance(part, str) else sources[part] for part in yielded.name)
            named.append(("_".join([self.name, *ends]), yielded.type))
        return tuple(named)

    def report(self, diagnostic: Diagnostic) -> None:
        """Say it."""
        self.context.report(diagnostic)

    # ---- arguments ----

    def arguments(self, use: tree.Use) -> Environment | None:
        """What a row or setting says, by name; None when a mistake left something unknown."""
        given: Environment = {}
        for argument in use.arguments:
            value = self.settings.values.evaluate(argument.value)
            if isinstance(value, Poison):
                return None
            if argument.name is not None:
                given[argument.name.text] = value
        return given

    def is_whole(self, use: tree.Use, defined: Defined, call: Call) -> bool:
        """What passes between rows is a map of its level's size, its channels in one row, one for each image."""
        type_ = call.type
        if type_.batched and not type_.axes and type_.extra == (0, 0):
            return True
        self.not_whole(use, defined, type_)
        return False

    def not_whole(self, use: tree.Use, defined: Defined, type_: Type) -> None:
        """A map that is padded or cropped, laid out along axes, or the same for every image."""
        height, width = type_.height - type_.extra[0], type_.width - type_.extra[1]
        got = f"a {'vector' if type_.is_vector else 'feature map'} of {type_}"
        if not type_.batched:
            got, expected = f"{got} that does not depend on the input", "one for each image"
            fix = "let it be made of what comes in"
        elif type_.axes:
            got, expected = f"{got}, its channels laid out along axes", f"{type_.channels} channels in one row"
            fix = f"put them back: `reshape(x, {type_.channels})`"
        else:
            expected = f"{height}x{width} at level {type_.level}"
            fix = "undo what was put around it by `crop`, or what was cut off by `pad`"
        row = self.declared.row.kind
        found = say.NOT_WHOLE.at(use.name.span, type=defined.name, row=row, name=self.name, got=got, expected=expected)
        found = found.with_others(Label(defined.definition.name.span, f"`{defined.name}` is defined here"))
        self.report(found.with_fix(fix))

    def takes_channels(self) -> bool:
        """A `channels` clause goes with a type that has such a parameter."""
        clause = self.declared.clauses.get("channels")
        if clause is None or self.defined.parameter("channels") is not None or not self.defined.sound:
            return True
        found = say.CLAUSE_NOT_TAKEN.at(clause.span, type=self.defined.name, name="channels")
        found = found.with_others(Label(self.defined.definition.name.span, f"`{self.defined.name}` is defined here"))
        self.report(found.repaired(Edit(clause.span, "")))
        return False

    def expand(
        self, use: tree.Use, defined: Defined, implicit: list[Result], given: Environment, path: tuple[str, ...]
    ) -> Call | None:
        """Use a definition: its first parameters are `implicit`, the others `given` by name or by default."""
        if not self.context.spend(use.span):
            return None
        known: Environment = dict(zip(defined.parameters, implicit, strict=False))
        for name, value in given.items():
            if name in defined.parameters and name not in known:  # else it is reported that the row fills it in
                known[name] = value
        self.context.uses.append((use.span, defined.name))
        completed = complete(self.context, defined, known)
        module = expand(self.context, defined, completed) if completed is not None else None
        self.context.uses.pop()
        if completed is None or module is None or isinstance(module, Poison):
            return None
        maps: dict[str, Operand] = {name: completed[name] for name in module.maps}  # type: ignore[misc]
        scalars = self.as_written(use, module)
        channels = outside(channels_of(module, defined), {}, scalars)
        if channels == OPAQUE:
            channels = Literal(module.type.channels)
        loc = Loc(use.span.source.name, use.span.line)
        return Call(module, maps, scalars, path, False, module.type, channels, loc)

    def as_written(self, use: tree.Use, module: Module) -> Mapping[str, Attr]:
        """The compile-time values of a use: as the row says them, in the names of the network, or as values."""
        written = {argument.name.text: argument.value for argument in use.arguments if argument.name is not None}
        clause = self.declared.value_of("channels")
        if clause is not None and use is self.declared.row.use:
            written["channels"] = clause
        given = {name: expr for name, expr in written.items() if name in module.scalars and not _is_number(expr)}
        if not given:
            return module.literals
        notation = self.settings.values.notation
        exprs = {name: Attr(module.scalars[name].value, notation(expr)) for name, expr in given.items()}
        return Table({**module.literals, **exprs})

    # ---- what arrives directly ----

    def arrive_directly(self, arguments: Environment) -> Type | None:
        """The one input as it is; `stride` takes the difference of levels."""
        if not self.declared.sources:
            arrived: Type | None = self.network_input
        else:
            arrived = self.rows[self.declared.sources[0].text].type
            self.inputs = [TypedInput(source, None) for source in self.declared.sources]
        if below_stem(self.level, self.rows):
            return None  # which a check will tell
        if arrived is None or self.level is None or arrived.level is None or "stride" in arguments:
            return arrived
        if self.defined.parameter("stride") is None:
            return arrived  # then the type has to change the level by itself
        if self.level < arrived.level:
            self.cannot_change_level(arrived.level, "a stride goes up only", "feed it by `from`, which resamples")
            return None
        arguments["stride"] = 1 << (self.level - arrived.level)
        return arrived

    def cannot_change_level(self, source: int, why: str, fix: str) -> None:
        """`after` changes the level by a stride, or by what the type does."""
        clause = self.declared.clauses["level"]
        found = say.NO_STRIDE.at(clause.span, name=self.name, source=source, target=self.level, why=why)
        others = [Label(name.span, f"`{name.text}` is at level {source}") for name in self.declared.sources]
        self.report(found.with_others(*others).with_fix(fix))

    # ---- what arrives by resampling ----

    def arrive_joined(self, arguments: Environment) -> Type | None:
        """Every input resampled, then joined with the absorbed maps."""
        if any(self.rows[name.text].type is None for name in (*self.declared.sources, *self.declared.absorbed)):
            self.inputs = [TypedInput(name, None) for name in self.declared.sources]
            return None
        target = self.target(arguments)
        if target is None:
            return None
        arrived = [self.resampled(name, target) for name in self.declared.sources]
        absorbed = [self.absorbed(name, target) for name in self.declared.absorbed]
        types = [type_ for type_ in (*arrived, *absorbed) if type_ is not None]
        return self.joined(types) if len(types) == len(arrived) + len(absorbed) else None

    def target(self, arguments: Environment) -> Block | None:
        """This row as its inputs' resampling sees it."""
        if self.level is None or below_stem(self.level, self.rows) or not self.defined.sound:
            return None
        values = dict(arguments)
        if self.channels is not None:
            values.setdefault("channels", self.channels)
        values.setdefault("stride", 1)
        promised = promised_channels(self.context, self.defined, values)
        if promised is None:
            signature = self.defined.definition.signature
            name = self.defined.definition.name
            found = say.NOT_KNOWN.at(
                self.declared.row.use.span,
                what=f"what `{self.name}` expects its inputs to be",
                why=f"`from` needs to know the channels of `{name.text}` before anything comes in",
            )
            place = signature.span if signature is not None else name.span
            missing = (
                "this tells them only from what comes in" if signature is not None else "its signature has no `->`"
            )
            fix = "let its signature tell, as in `-> channels`, or feed the block by `after`"
            self.report(found.with_others(Label(place, missing)).with_fix(fix))
            return None
        return self.block(self.name, self.level, self.channels, promised, promised)

    def block(self, name: str, level: int, channels: int | None, out: int, in_channels: int | None) -> Block:
        """What resampling may ask of a row."""
        height, width = (at_level(size, level) for size in (self.network_input.height, self.network_input.width))
        return Block(name, level, channels, in_channels, out, height, width)

    def resampled(self, name: tree.Name, target: Block) -> Type | None:
        """One input, at the level and with the channels of the target."""
        row = self.rows[name.text]
        assert row.type is not None
        assert self.declared.resample is not None
        use, defined = self.declared.resample
        given = self.arguments(use)
        if given is None or row.type.level is None:
            if row.type.level is None:
                why = f"it is pooled to {row.type.size}" if row.type.is_pooled else f"it has {_level(row.type)}"
                self.report(say.NOT_KNOWN.at(name.span, what=f"the level of `{name.text}`", why=why))
            self.inputs.append(TypedInput(name, None))
            return None
        source = self.block(name.text, row.type.level, row.channels, row.type.channels, row.type.channels)
        path = (self.name, f"from_{name.text}")
        arriving = Ref(name.text, row.type, OPAQUE)
        call = self.expand(use, defined, [arriving, source, target], given, path)
        self.inputs.append(TypedInput(name, call))
        if call is None or not self.is_whole(use, defined, call):
            return None
        if (call.type.level, call.type.channels) == (target.level, target.in_channels):
            return call.type
        found = say.RESAMPLE_RESULT.at(
            name.span,
            source=name.text,
            target=self.name,
            type=defined.name,
            got=f"{_level(call.type)} and {call.type.channels} channels",
            expected=f"level {target.level} and {target.in_channels} channels",
        )
        found = found.with_others(Label(defined.definition.name.span, f"`{defined.name}` is defined here"))
        if target.in_channels not in (call.type.channels, target.channels):
            found = found.with_notes(self.as_many_as_it_gives(target))
        self.report(found.with_fix(_how_to_resample(call.type, target)))
        return None

    def as_many_as_it_gives(self, target: Block) -> str:
        """Why an input has to have other channels than the row says."""
        signature = self.defined.definition.signature
        promise = f"`-> {signature.span.text}` of " if signature is not None else ""
        wanted = (
            f"every input arrives with as many channels as {promise}`{self.defined.name}` gives: {target.in_channels}"
        )
        return f"{wanted}; one that works in fewer reads `x.channels`, and makes them itself by a convolution"

    def absorbed(self, name: tree.Name, target: Block) -> Type | None:
        """An absorbed map is added as it is: same level, same channels."""
        type_ = self.rows[name.text].type
        assert type_ is not None
        if (type_.level, type_.channels) == (target.level, target.in_channels):
            return type_
        found = say.ABSORB_MISMATCH.at(
            name.span,
            name=self.name,
            absorbed=name.text,
            expected=f"level {target.level} and {target.in_channels} channels",
            got=f"{_level(type_)} and {type_.channels} channels",
        )
        place = Label(self.rows[name.text].span, f"`{name.text}` has {_level(type_)} and {type_.channels} channels")
        self.report(found.with_others(place).repaired())
        return None

    def joined(self, types: list[Type]) -> Type | None:
        """What the join makes of all that arrived."""
        assert self.declared.join is not None
        use, defined = self.declared.join
        given = self.arguments(use)
        if given is None:
            return None
        inputs = Many("", tuple(Ref(f"input {index}", type_, OPAQUE) for index, type_ in enumerate(types)))
        self.join = self.expand(use, defined, [inputs], given, (self.name, "join"))
        return self.join.type if self.join is not None and self.is_whole(use, defined, self.join) else None

    # ---- the row's own type ----

    def run_type(self, arrived: Type, arguments: Environment) -> Type | None:
        """The row's type as often as it repeats: only the first has a stride."""
        repeats = self.repeats()
        if repeats is None:
            return None
        if self.channels is not None and self.defined.parameter("channels") is not None:
            arguments.setdefault("channels", self.channels)
        stride = self.defined.parameter("stride")
        if stride is not None and stride.default is None:
            arguments.setdefault("stride", 1)  # what `from` brings has the row's level
        repeated = "repeat" in self.declared.clauses
        result, deepest = arrived, self.context.deepest
        for repeat in range(repeats):
            path = (self.name, f"rep{repeat}") if repeated else (self.name,)
            before = self.calls[-1] if repeat > 1 else None
            if (
                before is not None
                and before.type == self.calls[-2].type
                and self.context.spend(self.declared.row.use.span)
            ):
                # The same again: what goes in is what went in before.
                call: Call | None = replace(before, path=path)
            else:
                if repeat == 1 and "stride" in arguments:
                    arguments = {**arguments, "stride": 1}
                call = self.expand(self.declared.row.use, self.defined, [Ref("x", result, OPAQUE)], arguments, path)
            if call is None or not self.is_whole(self.declared.row.use, self.defined, call):
                return None
            self.calls.append(call)
            result = call.type
        kept = self.at_its_level(arrived, result)
        if kept is None:
            self.context.deepest = deepest  # what a wrong level would ask of the input's size is not reported as well
        return kept

    def repeats(self) -> int | None:
        """How often the row's type is used, one after another."""
        value = self.declared.value_of("repeat")
        return 1 if value is None else self.settings.whole(value, "`repeat`", 1, MAX_REPEAT)

    def at_its_level(self, arrived: Type, result: Type) -> Type | None:
        """What comes out stands at the level that the row says."""
        if self.level is None or result.level == self.level:
            return result
        if self.declared.row.kind == "block" and arrived.level is not None and result.level == arrived.level:
            why = f"`{self.defined.name}` has no parameter `stride`"
            self.cannot_change_level(arrived.level, why, "feed it by `from`, or give the type a `stride`")
            return None
        found = say.LEVEL_MISMATCH.at(
            self.declared.clauses["level"].span,
            what=self.declared.row.kind,
            name=self.name,
            expected=self.level,
            got=_level(result),
        )
        name = self.defined.definition.name
        found = found.with_others(Label(name.span, f"`{name.text}` is defined here"))
        value = self.declared.value_of("level")
        if result.level is None or value is None:
            self.report(found)
        elif self.context.any_size or divides(self.network_input, 1 << result.level):
            self.report(found.with_fix(f"say `level {result.level}`", Edit(value.span, str(result.level))))
        else:
            self.report(found.with_fix(f"let its strides lead to level {self.level}"))
        return None


def _how_to_resample(got: Type, target: Block) -> str:
    """What a resample type lacks."""
    if got.channels != target.in_channels:
        return "end with a convolution to `target.in_channels`"
    if got.level is not None and got.level > target.level:
        return "go down by `upsample(x, levels = x.level - target.level)`"
    return "go up by convolutions or pools of stride 2, as often as `target.level - x.level` says"


def _level(type_: Type) -> str:
    if type_.is_vector:
        return "no level (a vector)"
    if type_.level is None:
        return f"no level (pooled to {type_.size})" if type_.is_pooled else f"no level (stride {type_.stride})"
    return f"level {type_.level}"


def _is_number(expr: tree.Expr) -> bool:
    return isinstance(expr, tree.Number | tree.Flag)


def below_stem(level: int | None, rows: Mapping[str, TypedRow]) -> bool:
    """The level itself is a mistake, which a check will tell: it is finer than the one that the network begins with."""
    stem = next((row.type for row in rows.values() if row.declared.row.kind == "stem"), None)
    lowest = stem.level if stem is not None else None
    return level is not None and lowest is not None and level < lowest
