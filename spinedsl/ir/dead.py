"""Which inputs of rows no output depends on: a connection of one would have weights that no gradient reaches.

In: a typed network. Out: the inputs, told together where one definition loses them, with what loses them. What is read
is walked back from the outputs, channel by channel; nothing is told of rows that only such an input reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from spinedsl.ir.places import defined_as, place_in
from spinedsl.ops.channels import ALL, Channels, whole
from spinedsl.ops.depends import TRUSTED, Depends
from spinedsl.ops.program import Call, Module
from spinedsl.record import Record, field
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork, TypedRow


class Input(Record, eq=False):
    """One input of a row: a connection, an absorbed map, or the image. `way` is what it goes through, down to the row.

    Of each use, with the number that the map has there.
    """

    row: TypedRow
    source: str
    place: Span
    channels: int
    way: tuple[tuple[Call, int], ...]


class Part(Record, eq=False):
    """An operation that reads less than all of an input: the channels `first` to `last` of so many, or none of them.

    Of none it may still read the `size`.
    """

    place: Span
    first: int
    last: int
    channels: int
    size: bool


class Loser(Record, eq=False):
    """A definition that loses what it is given as `parameter`; `trusted` is one of the prelude."""

    definition: str
    parameter: str
    place: Span | None
    trusted: bool


class Lost(Record, eq=False):
    """Inputs that are lost together, the definitions that lose them, and where these read only a part."""

    inputs: tuple[Input, ...]
    losers: tuple[Loser, ...]
    parts: tuple[Part, ...]


def lost_inputs(typed: TypedNetwork) -> Iterator[Lost]:
    """Inputs of rows that some output depends on, of which it reads no channel."""
    dead: dict[tuple[int, ...], list[Input]] = {}
    for lost in typed.walked.dead:
        dead.setdefault(tuple(id(call.module) for call, _ in _losing(typed, lost)), []).append(lost)
    for together in dead.values():
        losing = _losing(typed, together[0])
        parts = {part.place: part for call, _ in losing for part in _parts_read(typed, call.module)}
        losers = tuple(_loser(typed, call, number) for call, number in losing)
        yield Lost(tuple(together), losers, tuple(parts.values()))


def _loser(typed: TypedNetwork, call: Call, number: int) -> Loser:
    module = call.module
    defined = defined_as(typed, module.definition, module.loc)
    place = defined.definition.name.span if defined is not None else None
    return Loser(module.definition, _name(call, number), place, module.loc.file.startswith(TRUSTED))


class Walked(Record, eq=False):
    """What was found on the way back: inputs that are dead, in the order of the rows, and what is read of each row.

    `inputs` are those of the rows that are known and that some output depends on.
    """

    dead: tuple[Input, ...]
    read: Mapping[str, Channels] = field(repr=False)
    inputs: tuple[Input, ...]


def walk(typed: TypedNetwork) -> Walked:
    """Walk back from the outputs, for `TypedNetwork.walked`. Of what a mistake left unknown, all counts as read."""
    read: dict[str, Channels] = dict.fromkeys(typed.network.mentioned, ALL)
    dead: list[Input] = []
    inputs: list[Input] = []
    for row in reversed(list(typed.rows.values())):
        wanted = ALL if row.is_end else read.get(row.name, 0)
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
    for call, number in reversed(given.way):
        wanted = depends.needs(call.module, wanted).get(number, 0) if wanted else 0
    return wanted


def _is_unknown(row: TypedRow) -> bool:
    return row.type is None and not row.parts


# ---- the inputs of a row ----


def _inputs(typed: TypedNetwork, row: TypedRow) -> Iterator[Input]:
    own = [(call, 0) for call in row.calls]
    if row.declared.row.kind == "head":
        for index, connection in enumerate(row.inputs):
            way = [(call, index) for call in row.calls]
            yield _input(typed, row, connection.source.text, connection.source.span, way)
        return
    if not row.inputs and typed.input_type is not None:
        yield Input(row, typed.input_name, row.declared.row.use.name.span, typed.input_type.channels, tuple(own))
    arrived = [(connection.source, connection.resample) for connection in row.inputs]
    arrived += [(name, None) for name in row.declared.absorbed]
    for index, (source, resample) in enumerate(arrived):
        joined = [(call, index) for call in (row.join,) if call is not None]
        resampled = [(call, 0) for call in (resample,) if call is not None]
        if row.declared.maps > 1:  # each goes into the type by itself
            own = [(call, index if at == 0 else 0) for at, call in enumerate(row.calls)]
        yield _input(typed, row, source.text, source.span, [*resampled, *joined, *own])


def _input(typed: TypedNetwork, row: TypedRow, source: str, place: Span, way: Sequence[tuple[Call, int]]) -> Input:
    type_ = typed.rows[source].type
    return Input(row, source, place, type_.channels if type_ is not None else 0, tuple(way))


def _name(call: Call, number: int) -> str:
    """What a definition calls a map that a row gives to it: a parameter, or an item of a list."""
    names = [*call.module.maps]
    (first, *_) = call.module.maps.values()
    return f"{names[0]}[{number}]" if isinstance(first, tuple) else names[number]


def losing_modules(typed: TypedNetwork) -> set[int]:
    """The modules that lose a dead input, by their ids."""
    return {id(call.module) for lost in typed.walked.dead for call, _ in _losing(typed, lost)}


# ---- what loses them ----


def _losing(typed: TypedNetwork, lost: Input) -> tuple[tuple[Call, int], ...]:
    """The uses that read only a part of what they are given, where the input is lost: in its row, or in its readers."""
    found: dict[int, tuple[Call, int]] = {}
    pending = [lost]
    seen: set[str] = set()
    while pending:
        given = pending.pop(0)
        for call, number in given.way:
            if typed.depends.needs(call.module).get(number, 0) != ALL:
                found.setdefault(id(call.module), (call, number))
                break
        else:
            if given.row.name not in seen:
                seen.add(given.row.name)
                pending += [other for other in typed.walked.inputs if other.source == given.row.name]
    return tuple(found.values())


def _parts_read(typed: TypedNetwork, module: Module) -> list[Part]:
    """What reads only a part of a map in a definition and in those that it uses, each place once."""
    depends = Depends(notes=True, trusted="")
    depends.needs(module)
    found: dict[Span, Part] = {}
    for inner, value, read in depends.narrowing:
        event = inner.events[value - inner.given]
        defined = defined_as(typed, inner.definition, inner.loc)
        place = place_in(defined, event.at.role, event.at.loc) if defined is not None else None
        if place is not None:
            first, last = (read & -read).bit_length() - 1, read.bit_length() - 1
            channels = max(inner.types[given].channels for given in event.opened)
            found.setdefault(place, Part(place, first, last, channels, len(event.opened) > 1))
    return sorted(found.values(), key=lambda part: (part.place.source.name, part.place.start))
