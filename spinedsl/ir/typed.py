"""A network with every value known: the facts that `checks/networks` read, and what `lower` restructures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from spinedsl.brief import Items, counted, cut
from spinedsl.ir.dead import Lost, Walked, lost_inputs, walk
from spinedsl.ir.networks import Network, RowDecl, TaskDecl
from spinedsl.ir.shifted import Shifted, shifted_windows
from spinedsl.ir.unread import UnreadValue, unread_values
from spinedsl.ops.depends import Depends
from spinedsl.ops.program import Call
from spinedsl.ops.types import Attr, Loc, Type, Value
from spinedsl.record import Record, field
from spinedsl.source import Span
from spinedsl.syntax import tree

if TYPE_CHECKING:
    from spinedsl.ir.lanes import Lanes
    from spinedsl.ir.tasks import TaskMisfit

ENDS = ("output", "head")  # rows that the network gives


class TypedInput(Record, eq=False):
    """One input of a row: the row it comes from, and what resamples it, if anything does."""

    source: tree.Name
    resample: Call | None

    def __brief__(self) -> str:
        by = f" by {cut(self.resample.module.definition, 40)}" if self.resample is not None else ""
        return f"from {cut(self.source.text, 40)}{by}"


class TypedRow(Record, eq=False):
    """A row with its level, widths and modules. What a mistake left unknown is None."""

    declared: RowDecl
    level: int | None
    channels: int | None
    inputs: tuple[TypedInput, ...]
    join: Call | None
    calls: tuple[Call, ...]
    type: Type | None
    parts: tuple[tuple[str, Type], ...] = ()  # what a head yields, by the names of the outputs that they are

    def __brief__(self) -> str:
        given = counted(len(self.parts), "output") if self.parts else str(self.type or "of unknown type")
        return f"{self.declared.__brief__()} -> {given}"

    @property
    def name(self) -> str:
        """Name of the row."""
        return self.declared.row.name.text

    @property
    def kind(self) -> str:
        """Keyword of the row; what a part gives is a block of the network that it is in."""
        kind = self.declared.row.kind
        return "block" if kind == "output" and self.is_inner else kind

    @property
    def is_inner(self) -> bool:
        """It is a row of a part."""
        return "." in self.name[1:]

    @property
    def is_end(self) -> bool:
        """The network gives what this row is."""
        return self.kind in ENDS

    @property
    def uses(self) -> tuple[Call, ...]:
        """Every use of a definition, in running order."""
        found = (*(connection.resample for connection in self.inputs), self.join, *self.calls)
        return Items(call for call in found if call is not None)

    @property
    def span(self) -> Span:
        """Place of the row's name."""
        return self.declared.row.name.span


class TypedTask(Record, eq=False):
    """A task with the values of its arguments, defaults among them, and what its clauses name.

    `chosen` has the numbers of the values that a clause means, of those that its head gives. Arguments and clauses that
    are not known are left out.
    """

    declared: TaskDecl
    arguments: Mapping[str, Value]
    chosen: Mapping[str, tuple[int, ...]]

    def __brief__(self) -> str:
        return self.declared.__brief__()


class InputSize(Record, eq=False):
    """Height and width that came from outside the file."""

    height: int
    width: int


class TypedNetwork(Record, eq=False):
    """A network of typed rows, in the order of the file.

    `divisor` is 2 to the highest level of any row, and 1 where the input may be of any size.
    """

    network: Network
    name: str
    input_name: str
    input_type: Type | None  # as declared; the rows may be typed for the next size that divides
    divisor: int
    rows: Mapping[str, TypedRow]
    least_inputs: int
    most_inputs: int
    static_axes: Mapping[str, Loc]
    given_size: InputSize | None
    loc: Loc
    any_size: bool = False
    one_size: bool = False  # maps may have another size than their levels
    constants: Mapping[str, Attr] = field(default_factory=dict)  # whole numbers of its parameters and `let`s
    tasks: tuple[TypedTask, ...] = ()
    inputs_of_parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # by prefix: least and most inputs
    outputs_any: bool = False  # several outputs may have one level
    multiple: int = 1  # of which widths are, by `rules { channels … }`

    def inputs_of(self, row: str) -> tuple[int, int]:
        """How many inputs a block may have, at least and at most."""
        return self.inputs_of_parts.get(row.rpartition(".")[0], (self.least_inputs, self.most_inputs))

    def __brief__(self) -> str:
        return f"{cut(self.name, 40)}: {counted(len(self.rows), 'row')}, {self.input_name} {self.input_type}"

    @cached_property
    def depends(self) -> Depends:
        """What the results of its modules depend on."""
        return self.asked(Depends())

    def asked(self, depends: Depends) -> Depends:
        """The same after it was asked of every module, by the row that uses it first."""
        for row in self.rows.values():
            depends.asked_by = row.name
            for call in row.uses:
                depends.needs(call.module)
        return depends

    @cached_property
    def walked(self) -> Walked:
        """What the outputs read, walked back from them."""
        return walk(self)

    @property
    def lost_inputs(self) -> Iterator[Lost]:
        """Inputs of rows that no output depends on."""
        return lost_inputs(self)

    @property
    def unread_values(self) -> Iterator[UnreadValue]:
        """What definitions compute in vain."""
        return unread_values(self)

    @property
    def shifted_windows(self) -> Iterator[Shifted]:
        """Windows that do not overlap and begin outside of their map."""
        return shifted_windows(self)

    def lanes(self, multiple: int) -> Lanes:
        """What its convolutions cost where so many channels are computed at a time."""
        from spinedsl.ir.lanes import lanes  # noqa: PLC0415  a lint that is off asks

        return lanes(self, multiple)

    @property
    def task_misfits(self) -> Iterator[TaskMisfit]:
        """Heads that give something else than their tasks need."""
        if not self.tasks:
            return iter(())
        from spinedsl.ir.tasks import task_misfits  # noqa: PLC0415  most networks have none

        return task_misfits(self)


class CheckedNetwork(Record, eq=False):
    """A typed network in which no check found an error. Every stage after this is total."""

    typed: TypedNetwork

    def __brief__(self) -> str:
        return self.typed.__brief__()
