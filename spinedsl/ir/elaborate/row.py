"""Elaborate one row: what arrives is resampled and joined, then goes through the row's type as often as it repeats."""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Edit, Label
from spinedsl.ir.elaborate.joining import Joining
from spinedsl.ir.elaborate.using import below_stem, level_of
from spinedsl.ir.expand import Environment, Result
from spinedsl.ir.expand.expressions import MAX_REPEAT
from spinedsl.ir.expand.misfits import divides
from spinedsl.ir.expand.notation import OPAQUE
from spinedsl.ir.typed import TypedInput, TypedRow
from spinedsl.ops.program import Call, Many, Ref, Yielded
from spinedsl.ops.types import Type
from spinedsl.record import replace


class RowElaborator(Joining, frozen=False):
    """Expands what one row uses, in running order."""

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

    # ---- what arrives directly ----

    def arrive_directly(self, arguments: Environment) -> list[Type] | None:
        """Every input as it is; `stride` takes the difference of levels, that to the coarsest of several."""
        arrived = [self.rows[name.text].type for name in self.declared.sources] or [self.network_input]
        self.inputs = [TypedInput(source, None) for source in self.declared.sources]
        arrived = arrived[: self.declared.maps]  # more are a mistake, which a check will tell
        known = [type_ for type_ in arrived if type_ is not None]
        if below_stem(self.level, self.rows) or len(known) < len(arrived):
            return None  # which a check will tell
        levels = [type_.level for type_ in known if type_.level is not None]
        if self.level is None or len(levels) < len(known) or "stride" in arguments:
            return known
        if self.defined.parameter("stride") is None:
            return known  # then the type has to change the level by itself
        coarsest = max(levels)
        if self.level < coarsest:
            self.cannot_change_level(coarsest, "a stride goes up only", "feed it by `from`, which resamples")
            return None
        arguments["stride"] = 1 << (self.level - coarsest)
        return known

    def cannot_change_level(self, source: int, why: str, fix: str) -> None:
        """`after` changes the level by a stride, or by what the type does."""
        clause = self.declared.clauses["level"]
        found = say.NO_STRIDE.at(clause.span, name=self.name, source=source, target=self.level, why=why)
        others = [
            Label(name.span, f"`{name.text}` is at level {source}")
            for name in self.declared.sources
            if self.rows[name.text].level == source
        ]
        self.report(found.with_others(*others).with_fix(fix))

    def tell_level(self, arrived: list[Type], before: int) -> None:
        """Shapes that do not fit may come from a level that a row means its type to reach, and nothing leads there."""
        coarsest = max((type_.level for type_ in arrived if type_.level is not None), default=None)
        if not self.declared.direct or self.level is None or coarsest is None or coarsest >= self.level:
            return
        if self.declared.row.kind != "block" or self.defined.parameter("stride") is not None:
            return
        name = f"`{self.defined.name}` has no parameter `stride`"
        note = f"`{self.name}` takes a map of level {coarsest} to level {self.level}, and {name}"
        found = self.context.diagnostics
        found[before:] = [one.with_notes(note) if one.code is say.SHAPE else one for one in found[before:]]

    def stays(self, source: int) -> tuple[str, str]:
        """Why a type leaves a map at its level, and what to do about it."""
        name = f"`{self.defined.name}`"
        if self.defined.parameter("stride") is None:
            return f"{name} has no parameter `stride`", "feed it by `from`, or give the type a `stride`"
        why = f"what {name} gives stands at level {source}"
        given = any(one.name is not None and one.name.text == "stride" for one in self.declared.row.use.arguments)
        if given:
            return why, "leave `stride` out: the level of the row says it"
        if self.declared.maps > 1:
            return why, "`stride` leads from the coarsest of its maps: let finer ones go further, by their `level`"
        return why, "let its body stride by `stride`"

    # ---- the row's own type ----

    def run_type(self, arrived: list[Type], arguments: Environment) -> Type | None:
        """The row's type as often as it repeats: only the first has a stride, and takes what arrives."""
        repeats = self.repeats()
        if repeats is None:
            return None
        if self.channels is not None and self.defined.parameter("channels") is not None:
            arguments.setdefault("channels", self.channels)
        stride = self.defined.parameter("stride")
        if stride is not None and stride.default is None:
            arguments.setdefault("stride", 1)  # what `from` brings has the row's level
        repeated = "repeat" in self.declared.clauses
        maps, result, deepest = arrived, arrived[0], self.context.deepest
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
                given: list[Result] = [Ref("x", type_, OPAQUE) for type_ in maps]
                before_it = len(self.context.diagnostics)
                call = self.expand(self.declared.row.use, self.defined, given, arguments, path)
                if call is None and not repeat:
                    self.tell_level(arrived, before_it)
            if call is None or not self.is_whole(self.declared.row.use, self.defined, call):
                return None
            self.calls.append(call)
            result = call.type
            maps = [result]
        kept = self.at_its_level(arrived, result)
        if kept is None:
            self.context.deepest = deepest  # what a wrong level would ask of the input's size is not reported as well
        return kept

    def repeats(self) -> int | None:
        """How often the row's type is used, one after another."""
        value = self.declared.value_of("repeat")
        return 1 if value is None else self.settings.whole(value, "`repeat`", 1, MAX_REPEAT)

    def at_its_level(self, arrived: list[Type], result: Type) -> Type | None:
        """What comes out stands at the level that the row says."""
        if self.level is None or result.level == self.level:
            return result
        same = next((type_.level for type_ in arrived if type_.level is not None and type_.level == result.level), None)
        if self.declared.row.kind == "block" and same is not None:
            self.cannot_change_level(same, *self.stays(same))
            return None
        found = say.LEVEL_MISMATCH.at(
            self.declared.clauses["level"].span,
            what=self.declared.row.kind,
            name=self.name,
            expected=self.level,
            got=level_of(result),
        )
        name = self.defined.definition.name
        found = found.with_others(Label(name.span, f"`{name.text}` is defined here"))
        value = self.declared.value_of("level")
        if result.level is None or value is None:
            oblong = isinstance(result.stride, tuple) and not result.over
            if result.over:
                found = found.with_fix("let it spread over a map of the level by `+` or `*`, as in `x * …`")
            fix = "let another stride make both sides equal, or give the network one size: `rules { sizes fixed }`"
            self.report(found.with_fix(fix) if oblong else found)
        elif self.context.any_size or divides(self.network_input, 1 << result.level):
            self.report(found.with_fix(f"say `level {result.level}`", Edit(value.span, str(result.level))))
        else:
            self.report(found.with_fix(f"let its strides lead to level {self.level}"))
        return None
