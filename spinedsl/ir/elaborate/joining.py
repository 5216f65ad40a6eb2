"""What arrives by `from`: every input resampled, then joined with the absorbed maps.

`in_channels` of a row is what a resampling is asked for: the parameter of that name of the row's type, else the
channels that its type gives. A resampling with `->` gives what that says; one without has to give `in_channels`. What
comes out of the join goes into the row's type, whatever its channels.
"""

from __future__ import annotations

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.ir.elaborate.using import Using, below_stem, level_of
from spinedsl.ir.expand import Block, Environment, Result, count_of, promised_channels, told_by
from spinedsl.ir.expand.notation import OPAQUE
from spinedsl.ir.filled import IN_CHANNELS, asked_of_inputs
from spinedsl.ir.joins import defined_here
from spinedsl.ir.library import Defined
from spinedsl.ir.networks import TypedUse
from spinedsl.ir.typed import TypedInput
from spinedsl.ops.program import Many, Ref
from spinedsl.ops.types import Type, at_level
from spinedsl.source import Span
from spinedsl.syntax import tree

MAX_SHOWN = 6  # inputs, in a message


class Joining(Using, frozen=False):
    """Adds what a row with `from` does before its own type."""

    def arrive_joined(self, arguments: Environment) -> list[Type] | None:
        """Every input resampled, then joined with the absorbed maps; of a type that takes several, none is joined."""
        if any(self.rows[name.text].type is None for name in (*self.declared.sources, *self.declared.absorbed)):
            self.inputs = [TypedInput(name, None) for name in self.declared.sources]
            return None
        target = self.target(arguments)
        if target is None:
            return None
        uses = self.resamplings()
        arrived = [self.resampled(name, target, use) for name, use in zip(self.declared.sources, uses, strict=True)]
        alike = all(type_ is None or type_.channels == target.in_channels for type_ in arrived)
        absorbed = [self.absorbed(name, target, alike=alike) for name in self.declared.absorbed]
        types = [type_ for type_ in (*arrived, *absorbed) if type_ is not None]
        if len(types) < len(arrived) + len(absorbed):
            return None
        joined = self.joined(types) if self.declared.maps == 1 else None
        return types if self.declared.maps > 1 else [joined] if joined is not None else None

    def resamplings(self) -> list[TypedUse]:
        """What brings each input here: its own resampling, else that of the row."""
        usual = self.declared.resample
        if not self.declared.own:
            return [] if usual is None else [usual] * len(self.declared.sources)
        found = [one or usual for one in self.declared.own]
        return [one for one in found if one is not None]

    def meant_for_the_last(self, use: tree.Use) -> bool:
        """It stands behind the last of several inputs, as the row's own clause: it may be meant for that one alone."""
        clause = self.declared.clauses.get("resample")
        return clause is not None and use is clause.value and len(self.declared.sources) > 1

    def of_setting(self, use: tree.Use, place: Span) -> Span | None:
        """The place at which a use is reported that a setting of the network names; None of one that the row names."""
        clauses = self.declared.clauses
        own = clauses["from"].own if "from" in clauses else ()  # in a space, a row that has `after` may be joined
        if not own and "resample" not in clauses and "join" not in clauses:
            return place
        named = (*own, *(clauses[word].value for word in ("resample", "join") if word in clauses))
        return None if any(use is one for one in named) else place

    def target(self, arguments: Environment) -> Block | None:
        """This row as its inputs' resampling sees it."""
        if self.level is None or below_stem(self.level, self.rows) or not self.defined.sound:
            return None
        values = dict(arguments)
        if self.channels is not None:
            values.setdefault("channels", self.channels)
        values.setdefault("stride", 1)
        promised = promised_channels(self.context, self.defined, values)
        wanted = promised
        if asked_of_inputs(self.defined.definition) is not None:
            wanted = self.wanted(values)
            if wanted is None:
                return None
        return self.block(self.name, self.level, self.channels, promised, wanted)

    def wanted(self, values: Environment) -> int | None:
        """The channels that the type itself asks its inputs to arrive with; None with the reason reported."""
        value = told_by(self.context, self.defined, values, IN_CHANNELS)
        place = self.defined.parameters[IN_CHANNELS].name.span
        given = next(
            (one for one in self.declared.row.use.arguments if one.name and one.name.text == IN_CHANNELS), None
        )
        if value is None:
            why = f"`{IN_CHANNELS}` of `{self.defined.name}` has no value before anything comes in"
            self.report(
                self.unknown_input(why, place, "this does not tell").with_fix("let its default name `channels`")
            )
            return None
        span = given.value.span if given is not None else self.declared.row.use.span
        checked = count_of(value, span, f"`{IN_CHANNELS}` of `{self.defined.name}`")
        if isinstance(checked, Diagnostic):
            self.report(checked if given is not None else checked.with_others(Label(place, "by its default")))
            return None
        return checked

    def unknown_input(self, why: str, place: Span, missing: str) -> Diagnostic:
        """What a row's inputs are to be cannot be known."""
        what = f"what `{self.name}` expects its inputs to be"
        return say.NOT_KNOWN.at(self.declared.row.use.span, what=what, why=why).with_others(Label(place, missing))

    def not_told(self) -> None:
        """A resampling gives `target.in_channels`, and the row's type tells that of what comes in, or not at all."""
        signature, name = self.defined.definition.signature, self.defined.definition.name
        place = signature.span if signature is not None else name.span
        missing = "this tells them only from what comes in" if signature is not None else "its signature has no `->`"
        why = f"`from` needs to know the channels of `{name.text}` before anything comes in"
        fix = "let its signature tell, as in `-> channels`, or feed the block by `after`"
        self.report(self.unknown_input(why, place, missing).with_fix(fix))

    def block(self, name: str, level: int, channels: int | None, out: int | None, in_channels: int | None) -> Block:
        """What resampling may ask of a row."""
        height, width = (at_level(size, level) for size in (self.network_input.height, self.network_input.width))
        return Block(name, level, channels, in_channels, out, height, width)

    def resampled(self, name: tree.Name, target: Block, resample: TypedUse) -> Type | None:
        """One input, at the level of the target, with the channels that the resampling says it gives."""
        row = self.rows[name.text]
        assert row.type is not None
        use, defined = resample
        given = self.arguments(use)
        if given is None or row.type.level is None:
            if row.type.level is None:
                why = f"it is pooled to {row.type.size}" if row.type.is_pooled else f"it has {level_of(row.type)}"
                self.report(say.NOT_KNOWN.at(name.span, what=f"the level of `{name.text}`", why=why))
            self.inputs.append(TypedInput(name, None))
            return None
        source = self.block(name.text, row.type.level, row.channels, row.type.channels, row.type.channels)
        arriving = Ref(name.text, row.type, OPAQUE)
        implicit: list[Result] = [arriving, source, target]
        if target.in_channels is None and not self.tells(defined, implicit, given):
            self.not_told()
            self.inputs.append(TypedInput(name, None))
            return None
        place = self.of_setting(use, name.span)
        call = self.expand(use, defined, implicit, given, (self.name, self.connection(name)), place)
        self.inputs.append(TypedInput(name, call))
        if call is None or not self.is_whole(use, defined, call):
            return None
        says = defined.definition.signature is not None  # and keeps to it
        if call.type.level == target.level and (says or call.type.channels == target.in_channels):
            return call.type
        wanted = call.type.channels if says else target.in_channels
        found = say.RESAMPLE_RESULT.at(
            name.span,
            source=name.text,
            target=self.name,
            type=defined.name,
            got=f"{level_of(call.type)} and {call.type.channels} channels",
            expected=f"level {target.level} and {wanted} channels",
        )
        found = found.with_others(*defined_here(defined))
        if not says and target.in_channels not in (call.type.channels, target.channels):
            found = found.with_notes(self.as_many_as_it_gives(target))
        operation = not defined_here(defined)
        how = "let a resample type bring it there" if operation else _how_to_resample(call.type, target, says=says)
        if self.meant_for_the_last(use):
            one, last = self.declared.sources[0].text, self.declared.sources[-1].text
            alone = f"`from {one} resample X, {last} resample {use.name.text}`"
            how = f"behind the last input it is for every one; for `{last}` alone: {alone}"
        self.report(found.with_fix(how))
        return None

    def connection(self, name: tree.Name) -> str:
        """The name of a connection's parameters: a row that a type of several maps reads again has a number as well."""
        own = self.called(name)
        if self.declared.maps == 1:  # then no row is read twice
            return f"from_{own}"
        again = [one for one in self.inputs if one.source.text == name.text and one.source.own == name.own]
        if not again:
            return f"from_{own}"
        number, others = len(again) + 1, {self.called(one) for one in self.declared.sources}
        while f"{own}_{number}" in others:
            number += 1
        return f"from_{own}_{number}"

    def called(self, name: tree.Name) -> str:
        """What an input is called in the part that this row is of; another name for each."""
        key = name.text, name.own
        if key in self.own_names:
            return self.own_names[key]
        own = name.own or name.text
        if not name.own and "." in own:
            own = own.removeprefix(f"{self.name.rpartition('.')[0]}.").replace(".", "_")
        number, free = 2, own
        while free in self.own_names.values():
            number, free = number + 1, f"{own}_{number}"
        self.own_names[key] = free
        return free

    def tells(self, defined: Defined, implicit: list[Result], given: Environment) -> bool:
        """A resampling says what it gives without asking what the target takes. One with mistakes is let through."""
        if not defined.sound:
            return True
        values: Environment = {**dict(zip(defined.parameters, implicit, strict=False)), **given}
        return promised_channels(self.context, defined, values) is not None

    def as_many_as_it_gives(self, target: Block) -> str:
        """Why an input has to have other channels than the row says."""
        name = self.defined.name
        if asked_of_inputs(self.defined.definition) is not None:
            return f"`{IN_CHANNELS}` of `{name}` asks for {target.in_channels}"
        signature = self.defined.definition.signature
        promise = f"`-> {signature.span.text}` of " if signature is not None else ""
        wanted = f"every input arrives with as many channels as {promise}`{name}` gives: {target.in_channels}"
        return f"{wanted}; a type with a parameter `{IN_CHANNELS} = channels / …` asks for others"

    def absorbed(self, name: tree.Name, target: Block, *, alike: bool) -> Type | None:
        """An absorbed map is added as it is: same level, and the channels of the inputs, where they are `alike`."""
        type_ = self.rows[name.text].type
        assert type_ is not None
        if type_.level == target.level and (not alike or type_.channels == target.in_channels):
            return type_
        found = say.ABSORB_MISMATCH.at(
            name.span,
            name=self.name,
            absorbed=name.text,
            expected=f"level {target.level}" + (f" and {target.in_channels} channels" if alike else ""),
            got=f"{level_of(type_)} and {type_.channels} channels",
        )
        place = Label(self.rows[name.text].span, f"`{name.text}` has {level_of(type_)} and {type_.channels} channels")
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
        mark = self.context.mark() if len({type_.channels for type_ in types}) > 1 else None
        place = self.of_setting(use, self.declared.sources[0].span.to(self.declared.sources[-1].span))
        self.join = self.expand(use, defined, [inputs], given, (self.name, "join"), place)
        if mark is not None and self.context.take_back(mark, say.SHAPE):
            self.cannot_join(types)
        return self.join.type if self.join is not None and self.is_whole(use, defined, self.join) else None

    def cannot_join(self, types: list[Type]) -> None:
        """The join takes maps of one width, and gets maps of several."""
        assert self.declared.join is not None
        join = self.declared.join[1]
        names = (*self.declared.sources, *self.declared.absorbed)
        widths = [type_.channels for type_ in types]
        _, resample = min(zip(widths, self.resamplings(), strict=False), key=lambda pair: widths.count(pair[0]))[1]
        arrive = [f"{type_.channels} from `{name.text}`" for name, type_ in zip(names, types, strict=True)]
        got = ", ".join(arrive[:MAX_SHOWN]) + (", …" if len(arrive) > MAX_SHOWN else "")
        found = say.WIDTHS_DIFFER.at(names[0].span.to(names[-1].span), name=self.name, join=join.name, got=got)
        if resample.definition.signature is not None:
            gives = resample.definition.signature
            found = found.with_others(Label(gives.span, f"`{resample.name}` says here what it gives"))
        self.report(found.repaired(resample=resample.name))


def _how_to_resample(got: Type, target: Block, *, says: bool) -> str:
    """What a resample type lacks."""
    if not says and got.channels != target.in_channels:
        return "end with a convolution to `target.in_channels`, or let its signature say what it gives, as in `-> …`"
    if got.level is not None and got.level > target.level:
        return "go down by `upsample(x, levels = x.level - target.level)`"
    return "go up by convolutions or pools of stride 2, as often as `target.level - x.level` says"
