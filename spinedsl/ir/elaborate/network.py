"""Elaborate one network: its settings first, then row after row in the order of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, nearest, one_of
from spinedsl.ir.arguments import taken_away
from spinedsl.ir.elaborate.row import RowElaborator
from spinedsl.ir.elaborate.settings import MAX_INPUTS, Settings
from spinedsl.ir.elaborate.using import below_stem
from spinedsl.ir.expand import Context, Work, count_of
from spinedsl.ir.networks import Network, RowDecl, TaskDecl
from spinedsl.ir.scalars import POISON, Poison
from spinedsl.ir.typed import InputSize, TypedInput, TypedNetwork, TypedRow, TypedTask
from spinedsl.ops.primitives import FIXED, Attribute
from spinedsl.ops.program import numbers_of, yielded_as
from spinedsl.ops.types import Loc, Type, Value, at_level
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.elaborate.framing import Framing
    from spinedsl.ir.elaborate.sharing import Sharing

MAX_ROWS = 20_000
FIXED_STEPS = 20  # of a network, before its first row
SIZE = 4  # of the highest level, where a network takes maps and no image
LINE = 16  # characters of a network whose values take a step


class Elaborator:
    """One network at work: its settings, and the rows typed so far."""

    def __init__(self, network: Network, given_size: InputSize | None, work: Work) -> None:
        self.network = network
        self.given_size = given_size
        self.context = Context(network, work)
        self.settings = Settings(network, self.context)
        self.rows: dict[str, TypedRow] = {}
        self.input: Type | None = None
        self.framing: Framing | None = None
        self.levelless: frozenset[str] = frozenset()  # maps of the network whose levels do not fit

    def run(self) -> TypedNetwork:
        """Everything about the network, as far as it can be known."""
        network, settings = self.network, self.settings
        span = network.declared.span
        enough = self.context.spend(network.declared.name.span, FIXED_STEPS + (span.end - span.start) // LINE)
        settings.open()
        settings.defaults()
        settings.read_widths()
        least, most = settings.input_rule()
        given = (self.given_size.height, self.given_size.width) if self.given_size is not None else None
        declared = settings.input_type(given)
        sizes, ruled = settings.sizes()
        any_size = sizes != "divisible"
        self.input = declared if any_size else self.rounded(declared)
        if network.is_part:
            side = SIZE << settings.highest_level()
            self.input = Type(1, side, side, 0)
        self.context.set_sizes(any_size, self.input, known=sizes is not None, fixed=ruled if sizes == FIXED else None)
        if len(network.rows) > MAX_ROWS:
            place = network.rows[MAX_ROWS].row.name.span
            self.report(say.TOO_MANY.at(place, what="rows", limit=MAX_ROWS, got=len(network.rows)))
        else:
            if network.declared.frames:
                from spinedsl.ir.elaborate.framing import Framing  # noqa: PLC0415  most networks have no parts

                self.framing = Framing(settings, least, most)
            if network.is_part:
                self.levelless = self.maps_without_levels()
            sharing = self.sharing()
            for row in network.rows:
                typed = self.row(row) if enough else unknown(row)
                self.rows[row.name] = typed if sharing is None else self.shared(typed, sharing)
        head = network.instance.name.span if network.instance is not None else network.declared.name.span
        return TypedNetwork(
            network=network,
            name=network.name,
            input_name=network.input.name.text if network.input is not None else "",
            input_type=declared,
            divisor=1
            if any_size
            else 1 << max([self.context.deepest, *(row.level or 0 for row in self.rows.values())]),
            rows=self.rows,
            least_inputs=least,
            most_inputs=most,
            static_axes=self.context.static_axes,
            constants=settings.constants(),
            given_size=self.given_size,
            loc=Loc(head.source.name, head.line),
            any_size=any_size,
            one_size=self.context.one_size,
            inputs_of_parts=self.framing.inputs if self.framing is not None else {},
            outputs_any=settings.outputs_any(),
            multiple=settings.multiple or 1,
            tasks=tuple(self.task(task) for task in network.tasks),
        )

    def maps_without_levels(self) -> frozenset[str]:
        """The maps that a network takes at levels that are not as many as their names."""
        from spinedsl.ir.elaborate.ranges import has_levels  # noqa: PLC0415  most networks take an image

        rows = [item for item in self.network.declared.items if isinstance(item, tree.Maps)]
        return frozenset(name.text for maps in rows if not has_levels(self.settings, maps) for name in maps.names)

    def sharing(self) -> Sharing | None:
        """What puts copies of parts under one set of weights, if some share theirs."""
        frames = self.network.declared.frames
        if all(frame.weights == prefix for prefix, frame in frames.items()):
            return None
        from spinedsl.ir.elaborate.sharing import Sharing  # noqa: PLC0415  few networks need it

        return Sharing(frames, one_size=self.context.one_size)

    def shared(self, row: TypedRow, sharing: Sharing) -> TypedRow:
        """A row under the weights that it has."""
        typed, wrong = sharing.row(row, self.rows)
        if wrong is not None:
            self.report(wrong)
        return typed

    def report(self, diagnostic: Diagnostic) -> None:
        """Say it."""
        self.context.report(diagnostic)

    def rounded(self, declared: Type | None) -> Type | None:
        """The input as the rows are typed: for the next size that divides, so that one mistake is one."""
        if declared is None:
            return None
        step = 1 << self.settings.highest_level()
        height, width = (-(-size // step) * step for size in (declared.height, declared.width))
        return Type(declared.channels, height, width, 0)

    def task(self, declared: TaskDecl) -> TypedTask:
        """One task, with the values of its arguments."""
        kind = declared.kind
        given = self.settings.attributes(declared.task.use, kind) if kind is not None else {}
        named = {argument.name.text for argument in declared.task.use.arguments if argument.name is not None}
        attributes = kind.attributes if kind is not None else ()
        values = {one.name: one.default for one in attributes if not one.required and one.name not in named} | given
        arguments = {one.name: values[one.name] for one in attributes if one.name in values}
        if len(arguments) == len(attributes):
            for attribute in (one for one in attributes if one.name in named):
                self.is_read(declared.task.use, attribute, arguments)
        return TypedTask(declared, arguments, self.chosen(declared))

    def is_read(self, use: tree.Use, attribute: Attribute, arguments: Mapping[str, Value]) -> None:
        """An argument of a task that others leave without a meaning is reported."""
        idle = next((one for one in attribute.idle if one.holds(arguments)), None)
        if idle is None:
            return
        argument = next(one for one in use.arguments if one.name is not None and one.name.text == attribute.name)
        where, why = f"this `{use.name.text}`", idle.why
        found = say.NOT_READ.at(argument.span, name=attribute.name, where=where, why=why)
        away = taken_away(use.arguments, argument)
        self.report(found.with_fix(f"{idle.fix}, or take it away", away))

    def chosen(self, declared: TaskDecl) -> dict[str, tuple[int, ...]]:
        """The numbers of the values that each clause of a task means, of those that its head gives."""
        found: dict[str, tuple[int, ...]] = {}
        for clause, name in declared.heads.items():
            row = self.rows[name.text]
            if not row.calls or (row.type is None and not row.parts):
                continue
            yields, part = row.calls[0].module.yields, declared.parts.get(clause)
            numbers = tuple(range(len(row.parts) or 1)) if part is None else numbers_of(yields, part.text)
            if numbers:
                found[clause] = numbers
            elif part is not None:
                self.no_part(name, part, yielded_as(yields))
        return found

    def no_part(self, head: tree.Name, part: tree.Name, known: Sequence[str]) -> None:
        """The head yields nothing under that name."""
        where = f"in head `{head.text}`"
        found = say.UNKNOWN_NAME.at(part.span, kind="value", name=part.text, where=where)
        near = nearest(part.text, known)
        if near is None and known:
            found = found.with_notes(f"it yields {one_of(known, conjunction='and')}")
            found = found.with_fix(f"name one of these, as in `{head.text}.{known[0]}`")
        elif near is None:
            found = found.with_notes("what it gives has no name but its own")
            whole = Edit(head.span.to(part.span), head.text)
            self.report(found.with_fix(f"name the head alone: `{head.text}`", whole))
            return
        self.report(found.with_rename(part.span, near))

    # ---- rows ----

    def row(self, declared: RowDecl) -> TypedRow:
        """One row; what a mistake left unknown is None."""
        level: int | None = None
        settings = self.framing.enter(declared.name, self.rows) if self.framing is not None else self.settings
        if settings is None:
            return unknown(declared)
        if declared.row.kind == "input":
            return unknown(declared) if declared.name in self.levelless else self.map(declared)
        if (value := declared.value_of("level")) is not None:
            level = settings.level(value)
            if level is None:
                return unknown(declared)
        elif declared.row.kind == "block":
            self.missing_level(declared)
            return unknown(declared)
        channels = self.channels(declared, level, settings)
        # More inputs than any rule allows: a check says so, and nothing is expanded for it.
        too_many = len(declared.sources) > MAX_INPUTS
        if not declared.sound or self.input is None or isinstance(channels, Poison) or too_many:
            return unknown(declared, level)
        if declared.defined is None:
            kept = self.rows[declared.sources[0].text].type
            inputs = tuple(TypedInput(source, None) for source in declared.sources)
            return TypedRow(declared, kept.level if kept else None, None, inputs, None, (), kept)
        return RowElaborator(
            self.context, settings, self.rows, self.input, declared, declared.defined, level, channels
        ).run()

    def missing_level(self, declared: RowDecl) -> None:
        """A block says its level, unless that may be what could not be understood."""
        if declared.misread:
            return
        found = say.MISSING_CLAUSE.at(
            declared.row.name.span, row="block", name=declared.name, what="its level", expected="`level L`"
        )
        levels = [self.rows[name.text].level for name in declared.sources if name.text in self.rows]
        example = next((level for level in levels if level is not None), 3)
        self.report(found.with_fix(f"say it, as in `level {example}`"))

    def map(self, declared: RowDecl) -> TypedRow:
        """A map that the network takes as a part of others: of any size, and unknown where its channels are."""
        level_, channels_ = declared.value_of("level"), declared.value_of("channels")
        level = self.settings.level(level_) if level_ is not None else None
        channels = self.settings.width(channels_, f"`channels` of `{declared.name}`") if channels_ is not None else None
        if level is None or channels is None or self.input is None:
            return unknown(declared, level)
        height, width = (at_level(size, level) for size in (self.input.height, self.input.width))
        return TypedRow(declared, level, channels, (), None, (), Type(channels, height, width, level))

    def channels(self, declared: RowDecl, level: int | None, settings: Settings) -> int | Poison | None:
        """The row's `channels`, by clause or in parentheses, else its level's width; None where none are asked."""
        value = declared.value_of("channels")
        if value is not None:
            what = f"`channels` of `{declared.name}`"
            rounds = settings.rounds(declared.row.kind)
            count = settings.width(value, what) if rounds else settings.count(value, what)
            return POISON if count is None else count
        defined = declared.defined
        parameter = defined.parameter("channels") if defined is not None else None
        if parameter is None:
            return None
        arguments = declared.row.use.arguments
        given = next((one.value for one in arguments if one.name is not None and one.name.text == "channels"), None)
        if given is not None:  # as it is; the type tells what is wrong with it
            got = count_of(settings.values.held(given), given.span, "`channels`")
            return got if isinstance(got, int) else None
        widths = settings.widths
        if level is not None and level in widths:
            width = widths[level][0]
            return POISON if width is None else width
        if parameter.default is not None:
            return None
        told = self.network.sound_text and settings.widths_known and not self.network.is_part
        if told and not declared.misread and not below_stem(level, self.rows):
            self.no_width(declared, level)
        return POISON

    def no_width(self, declared: RowDecl, level: int | None) -> None:
        """Neither the row nor the widths tell the channels."""
        if level is None:
            label, fix = "expected a `channels` clause", "say it in the row, as in `channels 256`"
        else:
            label = f"level {level} is not in `widths`"
            fix = f"say it in the row, as in `channels 256`, or in the network: `widths {{ level {level}: 256 }}`"
        found = say.NO_WIDTH.at(declared.row.name.span, row=declared.row.kind, name=declared.name, label=label)
        self.report(found.with_fix(fix))


def unknown(declared: RowDecl, level: int | None = None) -> TypedRow:
    """A row of which only the level is known, if that."""
    return TypedRow(declared, level, None, (), None, (), None)
