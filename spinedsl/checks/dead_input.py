"""An input of a row that no output depends on: its connection would have weights that no gradient reaches.

What is read is walked back from the outputs, channel by channel. One mistake is one error: inputs that are lost in the
same definition are told together, and nothing is told of rows that only such an input reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spinedsl.checks.places import defined_as, place_in
from spinedsl.checks.unused import ENDS
from spinedsl.diagnostics import Diagnostic, Label
from spinedsl.diagnostics import catalogue as say
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.ops.channels import ALL, Channels, whole
from spinedsl.ops.depends import TRUSTED, Depends
from spinedsl.ops.program import Call, Module, Op, input_types
from spinedsl.record import Record
from spinedsl.source import Span

SHOWN = 3  # labels for what loses the input, and for further inputs that are lost there


class Input(Record, eq=False):
    """One input of a row: a connection, an absorbed map, or the image. `way` is what it goes through, down to the row.

    Of each use, with the name that the map has there.
    """

    row: TypedRow
    source: str
    place: Span
    channels: int
    way: tuple[tuple[Call, str], ...]


def dead_inputs(typed: TypedNetwork) -> Iterator[Diagnostic]:
    """Inputs of rows that some output depends on, of which it reads no channel."""
    walked = walk(typed)
    if not walked.dead:
        return
    dead: dict[tuple[int, ...], list[Input]] = {}
    for lost in walked.dead:
        dead.setdefault(tuple(id(call.module) for call, _ in _losing(typed, lost, walked)), []).append(lost)
    for together in dead.values():
        yield _said(typed, together, _losing(typed, together[0], walked))


class Walked(Record, eq=False):
    """What was found on the way back: inputs that are dead, in the order of the rows, and what is read of each row.

    `inputs` are those of the rows that are known and that some output depends on.
    """

    dead: tuple[Input, ...]
    read: Mapping[str, Channels]
    inputs: tuple[Input, ...]


def walk(typed: TypedNetwork) -> Walked:
    """Walk back from the outputs. Of what a mistake left unknown, all counts as read."""
    read: dict[str, Channels] = dict.fromkeys(typed.network.mentioned, ALL)
    dead: list[Input] = []
    inputs: list[Input] = []
    for row in reversed(list(typed.rows.values())):
        wanted = ALL if row.declared.row.kind in ENDS else read.get(row.name, 0)
        if wanted and _is_unknown(row):
            read |= {name.text: ALL for name in (*row.declared.sources, *row.declared.absorbed)}
        if not wanted or _is_unknown(row):
            continue
        read[row.name] = wanted = whole(wanted, row.type.channels) if row.type is not None else wanted
        for given in reversed(list(_inputs(typed, row))):
            arrives = arriving(typed.depends, given, wanted)
            read[given.source] = read.get(given.source, 0) | arrives
            inputs.append(given)
            dead += () if arrives else (given,)
    return Walked(tuple(dead[::-1]), read, tuple(inputs[::-1]))


def arriving(depends: Depends, given: Input, wanted: Channels) -> Channels:
    """The channels of an input that some channels of its row depend on."""
    for call, name in reversed(given.way):
        wanted = depends.needs(call.module, wanted).get(name, 0) if wanted else 0
    return wanted


def _is_unknown(row: TypedRow) -> bool:
    return row.type is None and not row.parts


# ---- the inputs of a row ----


def _inputs(typed: TypedNetwork, row: TypedRow) -> Iterator[Input]:
    own = [(call, _map_of(call)) for call in row.calls]
    if row.declared.row.kind == "head":
        for index, connection in enumerate(row.inputs):
            way = [(call, f"{name}[{index}]") for call, name in own]
            yield _input(typed, row, connection.source.text, connection.source.span, way)
        return
    if not row.inputs and typed.input_type is not None:
        yield Input(row, typed.input_name, row.declared.row.use.name.span, typed.input_type.channels, tuple(own))
    arrived = [(connection.source, connection.resample) for connection in row.inputs]
    arrived += [(name, None) for name in row.declared.absorbed]
    for index, (source, resample) in enumerate(arrived):
        joined = [(call, f"{_map_of(call)}[{index}]") for call in (row.join,) if call is not None]
        resampled = [(call, _map_of(call)) for call in (resample,) if call is not None]
        yield _input(typed, row, source.text, source.span, [*resampled, *joined, *own])


def _input(typed: TypedNetwork, row: TypedRow, source: str, place: Span, way: Sequence[tuple[Call, str]]) -> Input:
    type_ = typed.rows[source].type
    return Input(row, source, place, type_.channels if type_ is not None else 0, tuple(way))


def _map_of(call: Call) -> str:
    """The one parameter that holds what a row gives to a definition."""
    return next(iter(call.maps))


def losing_modules(typed: TypedNetwork) -> set[int]:
    """The modules that lose a dead input, by their ids."""
    walked = walk(typed)
    return {id(call.module) for lost in walked.dead for call, _ in _losing(typed, lost, walked)}


# ---- what is said ----


def _losing(typed: TypedNetwork, lost: Input, walked: Walked) -> tuple[tuple[Call, str], ...]:
    """The uses that read only a part of what they are given, where the input is lost: in its row, or in its readers."""
    found: dict[int, tuple[Call, str]] = {}
    pending = [lost]
    seen: set[str] = set()
    while pending:
        given = pending.pop(0)
        for call, name in given.way:
            if typed.depends.needs(call.module).get(name, 0) != ALL:
                found.setdefault(id(call.module), (call, name))
                break
        else:
            if given.row.name not in seen:
                seen.add(given.row.name)
                pending += [other for other in walked.inputs if other.source == given.row.name]
    return tuple(found.values())


def _said(typed: TypedNetwork, together: Sequence[Input], losing: Sequence[tuple[Call, str]]) -> Diagnostic:
    first, *more = together
    expected = "its one channel" if first.channels == 1 else f"at least one of its {first.channels} channels"
    found = say.DEAD_INPUT.at(first.place, source=first.source, row=first.row.name, expected=expected)
    parts = {place: label for call, name in losing for place, label in _parts_read(typed, call.module).items()}
    where = [Label(place, label) for place, label in parts.items()]
    for call, name in () if where else losing:
        defined = defined_as(typed, call.module.definition, call.module.loc)
        if defined is not None:
            where.append(Label(defined.definition.name.span, f"`{defined.name}` gives the same whatever `{name}` is"))
    others = [Label(other.place, f"nor on `{other.source}` of `{other.row.name}`") for other in more[:SHOWN]]
    found = found.with_others(*where[:SHOWN], *others)
    return found.with_fix(_repair(together, losing, sliced=any(label.startswith("reads") for label in parts.values())))


def _repair(together: Sequence[Input], losing: Sequence[tuple[Call, str]], *, sliced: bool) -> str:
    """What to do: in what loses the input, or in the row. A row whose inputs are all lost cannot do without them."""
    lost = together[0]
    said: list[str] = []
    for call, name in losing[:1]:
        if call.module.loc.file.startswith(TRUSTED):
            continue
        how = f", as by a slice from `{name}.channels / 2` on" if sliced and "[" not in name else ""
        said.append(f"let `{call.module.definition}` read all of `{name}`{how}")
    declared = lost.row.declared
    if len(declared.sources) + len(declared.absorbed) > sum(other.row is lost.row for other in together):
        said.append(f"take `{lost.source}` out of the row")
    elif declared.sources:
        said.append("take the row away")
    return ", or ".join(said)


def _parts_read(typed: TypedNetwork, module: Module) -> dict[Span, str]:
    """What reads only a part of a map in a definition and in those that it uses, each place once, in words."""
    depends = Depends(notes=True, trusted="")
    depends.needs(module)
    found: dict[Span, str] = {}
    for inner, op, read in depends.narrowing:
        defined = defined_as(typed, inner.definition, inner.loc)
        place = place_in(defined, op.role, op.loc) if defined is not None else None
        if place is not None:
            found.setdefault(place, _part_read(op, read))
    return dict(sorted(found.items(), key=lambda part: (part[0].source.name, part[0].start)))


def _part_read(op: Op, read: Channels) -> str:
    """What an operation reads of an input, in words."""
    if not read:
        return "takes no more than its size" if len(op.inputs) > 1 else "gives the same whatever it is given"
    first, last = (read & -read).bit_length() - 1, read.bit_length() - 1
    which = f"channel {first}" if first == last else f"channels {first} to {last}"
    return f"reads {which} of {max(type_.channels for type_ in input_types(op))}"
