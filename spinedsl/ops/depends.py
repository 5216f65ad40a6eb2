"""What the result of a module depends on: every expansion walked backward, for the channels that somebody reads.

In: a `Module` and a set of channels of its result (`channels`). Out: of each of its feature maps the channels that
those depend on, and what the module computes that reaches nothing which it gives. Equal questions are answered once,
and whatever runs later has reported by then what it reads. Beyond a budget every channel counts as read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import TypeAlias

from spinedsl.brief import counted
from spinedsl.ops.channels import ALL, Channels, whole
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import (
    Bind,
    BindScalar,
    Body,
    Call,
    Each,
    If,
    Many,
    Module,
    Op,
    Operand,
    Ref,
    Repeat,
    Return,
    Yield,
    input_types,
    operands,
)
from spinedsl.ops.types import Loc
from spinedsl.record import Record

# The channels that are read, by name; of a list by `name[0]`, `name[1]`, …. 0 where only the size is, no entry where
# nothing is.
Read: TypeAlias = dict[str, Channels]

TRUSTED = "std/"  # the prelude
BUDGET = 1 << 19
COST = 8  # of an operation; one more for eight channels each where not all are read


class Unread(Record):
    """A value that a module computes in vain: nothing reads it, or what does reads its `size_alone`, or no channel."""

    module: Module
    value: Bind | Op | Call
    size_alone: bool
    asked_by: str  # the first row that uses the module


class Depends:
    """Answers for the modules of one network. Definitions of `trusted` files read every map, which tests hold.

    With `notes` it also keeps which names are read in some use, and which operations read less than all of an input.
    """

    def __init__(self, *, notes: bool = False, trusted: str = TRUSTED) -> None:
        self.notes, self.trusted, self.left = notes, trusted, BUDGET
        self.known: dict[tuple[int, Channels], Read] = {}
        self.unread: list[Unread] = []
        self.asked_by = ""  # the row for which it is asked
        self.read: set[tuple[Loc, str]] = set()
        self.narrowing: list[tuple[Module, Op, Channels]] = []  # with what it reads of the input
        self._module: Module | None = None  # at hand, and what is found of it
        self._found: list[Unread] | None = None
        self._vain: Read = {}  # names that only the unread reads

    def __repr__(self) -> str:
        return f"<Depends: {counted(len(self.known), 'answer')} kept>"

    def needs(self, module: Module, wanted: Channels = ALL) -> Read:
        """The channels of its maps that `wanted` channels of its result depend on."""
        if not wanted:
            return {}
        if self.left < 0:
            wanted = ALL
        key = (id(module), wanted)
        found = self.known.get(key)
        if found is None:
            if wanted == ALL and self._is_trusted(module):
                found = dict.fromkeys(module.maps, ALL)
            else:
                found = self._walk(module, wanted)
            self.known[key] = found
        return found

    def _is_trusted(self, module: Module) -> bool:
        """Of a list, a definition may well read only a part."""
        lists = any(isinstance(type_, tuple) for type_ in module.maps.values())
        return not lists and self._is_of_trusted(module)

    def _is_of_trusted(self, module: Module) -> bool:
        return bool(self.trusted) and module.loc.file.startswith(self.trusted)

    def _walk(self, module: Module, wanted: Channels) -> Read:
        """Walk a module. What it computes in vain is told of its whole result alone, and of what is not trusted."""
        outside = self._module, self._found, self._vain
        told = wanted == ALL and not self._is_of_trusted(module)
        self._module, self._found, self._vain = module, [] if told else None, {}
        live: Read = {}
        self._body(module.body, wanted, live)
        self.unread += self._found or ()
        self._module, self._found, self._vain = outside
        return live

    # ---- statements, in reverse ----

    def _body(self, body: Body, wanted: Channels, live: Read) -> None:
        for statement in reversed(body):
            if isinstance(statement, Bind):
                self._bind(statement, live)
            elif isinstance(statement, Return | Yield):
                self._operand(statement.value, wanted, live)
            elif isinstance(statement, If):
                self._body(statement.then if statement.taken else statement.other, wanted, live)
            elif isinstance(statement, Repeat):
                for iteration in reversed(statement.iterations):
                    self._body(iteration, wanted, live)
            elif not isinstance(statement, BindScalar):
                self._each(statement, wanted, live)

    def _each(self, each: Each, wanted: Channels, live: Read) -> None:
        """The items are there before the first iteration, so what they are made of is read above all of them."""
        found: list[tuple[Operand, Channels | None, bool]] = []
        for iteration, item in zip(reversed(each.iterations), reversed(each.items.items), strict=True):
            self._body(iteration, wanted, live)
            found.append((item, live.pop(each.item, None), self._vain.pop(each.item, None) is not None))
        for item, read, in_vain in found:
            self._part(item, read, in_vain, live)

    def _bind(self, bind: Bind, live: Read) -> None:
        """What is bound counts as read only if its name is. Of a list, each item by itself."""
        if not isinstance(bind.value, Many):
            read = live.pop(bind.name, None)
            self._note(bind, bool(read))
            self._part(bind.value, read, self._vain.pop(bind.name, None) is not None, live, bind)
            return
        keys = [f"{bind.name}[{index}]" for index in range(len(bind.value.items))]
        reads = [live.pop(key, None) for key in keys]
        vain = [self._vain.pop(key, None) is not None for key in keys]
        self._note(bind, any(reads))
        if any(vain) or any(read is not None for read in reads):
            for item, read, in_vain in zip(bind.value.items, reads, vain, strict=True):
                self._part(item, read, in_vain, live)
        else:
            self._part(bind.value, None, False, live, bind)

    def _note(self, bind: Bind, read: bool) -> None:
        if self.notes and read:
            self.read.add((bind.loc, bind.name))

    def _part(
        self, value: Operand, read: Channels | None, in_vain: bool, live: Read, bound: Bind | None = None
    ) -> None:
        """What is bound, or an item: it is read, or for its size alone (0), or by nothing (None)."""
        if not read and self._found is not None:
            last = next(reversed(list(operands(value))), None)
            if in_vain:
                self._in_vain(value)
            elif last is not None and (read is None or has_weights(value)):
                assert self._module is not None
                self._found.append(Unread(self._module, bound or last, read == 0, self.asked_by))
                self._in_vain(value)
        if read is not None:
            self._operand(value, read, live)

    def _in_vain(self, value: Operand) -> None:
        """What a value that was told is made of follows from it, and is not told as well."""
        if self._found is not None:
            told = len(self._found)
            self._operand(value, ALL, self._vain)
            del self._found[told:]

    # ---- values ----

    def _operand(self, value: Operand, wanted: Channels, live: Read) -> None:
        """Add what some channels of a value depend on; of none, what its size does."""
        if isinstance(value, Ref):
            live[value.name] = live.get(value.name, 0) | wanted
        elif isinstance(value, Op):
            self._operation(value, wanted, live)
        elif isinstance(value, Call):
            self._call(value, wanted, live)
        else:
            for item in value.items:
                self._operand(item, wanted, live)

    def _operation(self, op: Op, wanted: Channels, live: Read) -> None:
        wanted = whole(wanted, op.type.channels)
        for part, needed in zip(_parts(op.inputs), self._reads(op, wanted), strict=False):
            if wanted and live is not self._vain and not isinstance(part, Ref):
                self._part(part, needed, False, live)
            else:
                self._operand(part, needed, live)

    def _reads(self, op: Op, wanted: Channels) -> Iterable[Channels]:
        """What it reads of each input."""
        row = PRIMITIVES[op.primitive]
        self.left -= COST
        if not wanted or (wanted == ALL and not row.narrows):
            return repeat(wanted)
        types = input_types(op)
        widest = max((op.type.channels, *(type_.channels for type_ in types)))
        self.left -= widest // 8 * (1 + len(types) // 64)
        if self.left < 0:
            return repeat(ALL)
        attributes = {name: attribute.value for name, attribute in op.attributes.items()}
        found = row.depends_on(types, attributes, op.type, wanted)
        if self.notes and wanted == ALL and self._module is not None:
            self.narrowing += ((self._module, op, needed) for needed in found if needed != ALL)
        return found

    def _call(self, call: Call, wanted: Channels, live: Read) -> None:
        wanted = whole(wanted, call.type.channels)
        if wanted != ALL and self._found is not None:
            self.needs(call.module)  # what it computes in vain is told of its whole result
        needs = self.needs(call.module, wanted or ALL)
        for name, operand in call.maps.items():
            for key, item in named(name, operand):
                read = needs.get(key)
                if live is not self._vain:
                    self._part(item, read and (read if wanted else 0), not wanted, live)
                elif read is not None:
                    self._operand(item, read, live)


def named(name: str, value: Operand) -> Iterator[tuple[str, Operand]]:
    """What a parameter is given, by name: a map, or the items of a list by `name[0]`, `name[1]`, …."""
    if isinstance(value, Many):
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(value.items))
    else:
        yield name, value


def _parts(inputs: tuple[Operand, ...]) -> Iterator[Ref | Op | Call]:
    """Feature maps one by one, lists opened."""
    for value in inputs:
        if isinstance(value, Many):
            yield from _parts(value.items)
        else:
            yield value


def has_weights(value: Operand) -> bool:
    """Something in it may have weights, for which a gradient is wanted."""
    return any(isinstance(part, Call) or PRIMITIVES[part.primitive].has_weights for part in operands(value))
