"""What a row uses: definitions, expanded for what it gives them; the results are maps of its level's size."""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl import checks as say
from spinedsl.brief import Table
from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.ir.elaborate.settings import Settings
from spinedsl.ir.expand import Context, Environment, Result, complete, expand
from spinedsl.ir.expand.calls import channels_of
from spinedsl.ir.expand.notation import OPAQUE, outside
from spinedsl.ir.joins import defined_here
from spinedsl.ir.library import Defined
from spinedsl.ir.networks import RowDecl
from spinedsl.ir.scalars import Poison
from spinedsl.ir.typed import TypedInput, TypedRow
from spinedsl.ops.program import Call, Module, Operand
from spinedsl.ops.types import Attr, Literal, Loc, Type
from spinedsl.record import Record, field
from spinedsl.source import Span
from spinedsl.syntax import tree


class Using(Record, frozen=False):
    """One row at work: what it declares, and what was found of it so far."""

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
    own_names: dict[tuple[str, str], str] = field(default_factory=dict)  # of its inputs, in the part that it is of

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.declared.row.name.text

    def report(self, diagnostic: Diagnostic) -> None:
        """Say it."""
        self.context.report(diagnostic)

    def arguments(self, use: tree.Use) -> Environment | None:
        """What a row or setting says, by name; None when a mistake left something unknown."""
        given: Environment = {}
        for argument in use.arguments:
            value = self.settings.values.held(argument.value)
            if isinstance(value, Poison):
                return None
            if argument.name is not None:
                given[argument.name.text] = value
        return given

    def is_whole(self, use: tree.Use, defined: Defined, call: Call) -> bool:
        """What passes between rows is a map of its level's size, its channels in one row, one for each image.

        In a network of one size a map may have another size than its level.
        """
        type_ = call.type
        if type_.batched and not type_.axes and (type_.extra == (0, 0) or self.context.one_size):
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
        self.report(found.with_others(*defined_here(defined)).with_fix(fix))

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
        self,
        use: tree.Use,
        defined: Defined,
        implicit: list[Result],
        given: Environment,
        path: tuple[str, ...],
        at: Span | None = None,
    ) -> Call | None:
        """Use a definition: its first parameters are `implicit`, the others `given` by name or by default.

        A use that a setting of the network names is reported `at` a place in the row.
        """
        if not self.context.spend(use.span):
            return None
        known: Environment = dict(zip(defined.parameters, implicit, strict=False))
        for name, value in given.items():
            if name in defined.parameters and name not in known:  # else it is reported that the row fills it in
                known[name] = value
        self.context.uses.append((at or use.span, defined.name, use.span if at is not None else None))
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
        if use is self.declared.row.use and not self.settings.rounds(self.declared.row.kind):
            clause = self.declared.value_of("channels")
            if clause is not None:
                written["channels"] = clause
        given = {name: expr for name, expr in written.items() if name in module.scalars and not _is_number(expr)}
        if not given:
            return module.literals
        notation = self.settings.values.notation
        exprs = {name: Attr(module.scalars[name].value, notation(expr)) for name, expr in given.items()}
        return Table({**module.literals, **exprs})


def level_of(type_: Type) -> str:
    """The level of a map in the words of a message."""
    if type_.is_vector:
        return "no level (a vector)"
    if type_.level is None:
        return f"no level (pooled to {type_.size})" if type_.is_pooled else f"no level ({type_.where})"
    return f"level {type_.level}"


def _is_number(expr: tree.Expr) -> bool:
    return isinstance(expr, tree.Number | tree.Flag)


def below_stem(level: int | None, rows: Mapping[str, TypedRow]) -> bool:
    """The level itself is a mistake, which a check will tell: it is finer than the one that the network begins with."""
    stem = next((row.type for row in rows.values() if row.declared.row.kind == "stem"), None)
    lowest = stem.level if stem is not None else None
    return level is not None and lowest is not None and level < lowest
