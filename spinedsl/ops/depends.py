"""What the result of a module depends on: every expansion walked backward, for the channels that somebody reads.

In: a `Module` and a set of channels of its result (`channels`). Out: of each of its feature maps the channels that
those depend on, and what the module computes that reaches nothing which it gives. Equal questions are answered once,
and whatever runs later has reported by then what it reads. Beyond a budget every channel counts as read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TypeAlias

from spinedsl.brief import counted
from spinedsl.ops.channels import ALL, Channels, whole
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Applied, Event, Let, Made, Module, Named, forms, statements
from spinedsl.ops.types import Loc
from spinedsl.record import Record

TRUSTED = "std/"  # the prelude
# The channels that are read, by the number of a value: 0 where only the size is, no entry where nothing is.
Read: TypeAlias = dict[int, Channels]

BUDGET = 1 << 19
COST = 8  # of an operation; one more for eight channels each where not all are read


class Unread(Record):
    """A value that a module computes in vain: nothing reads it, or what does reads its `size_alone`, or no channel.

    `name` is what the text calls it: the name that it takes, or the operation.
    """

    module: Module
    name: str
    loc: Loc
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
        self.narrowing: list[tuple[Module, int, Channels]] = []  # a value, and what is read of an input of its event

    def __repr__(self) -> str:
        return f"<Depends: {counted(len(self.known), 'answer')} kept>"

    def needs(self, module: Module, wanted: Channels = ALL) -> Read:
        """The channels of the maps that come in which `wanted` channels of its result depend on."""
        if not wanted:
            return {}
        if self.left < 0:
            wanted = ALL
        key = (id(module), wanted)
        found = self.known.get(key)
        if found is None:
            if wanted == ALL and self._is_trusted(module):
                found = dict.fromkeys(range(module.given), ALL)
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
        walk = _Walk(self, module, told=wanted == ALL and not self._is_of_trusted(module))
        found = walk.back(wanted)
        self.unread += walk.found
        return found

    def reads(self, module: Module, value: int, wanted: Channels) -> Iterable[Channels | None]:
        """What the event that gives a value reads of each of its inputs, for some channels of it."""
        event = module.events[value - module.given]
        if event.module is not None:
            reads = map(self.needs(event.module, wanted or ALL).get, range(event.module.given))
            return [read and (read if wanted else 0) for read in reads]
        row = PRIMITIVES[event.at.called]
        self.left -= COST
        if not wanted or (wanted == ALL and not row.narrows):
            return repeat(wanted)
        types, result = [module.types[given] for given in event.opened], module.types[value]
        widest = max((result.channels, *(type_.channels for type_ in types)))
        self.left -= widest // 8 * (1 + len(types) // 64)
        if self.left < 0:
            return repeat(ALL)
        attributes = {name: attribute.value for name, attribute in event.attributes.items()}
        found = row.depends_on(types, attributes, result, wanted)
        if self.notes and wanted == ALL:
            self.narrowing += ((module, value, needed) for needed in found if needed != ALL)
        return found


class _Walk:
    """One module, from its last event to its first."""

    def __init__(self, depends: Depends, module: Module, *, told: bool) -> None:
        self.depends, self.module, self.told = depends, module, told
        self.found: list[Unread] = []
        self.live: Read = {}
        self.vain: set[int] = set()  # what only the unread reads
        body = module.written.body
        self.lets = {statement.site: statement for statement in statements(body) if isinstance(statement, Let)}
        self.lists = any(isinstance(made, Made) and isinstance(made.value, tuple) for made in module.ran.values())
        self.mentioned: set[str] = set()  # names that are read further down
        self.quiet: set[int] = set()  # parts of what is read for its size alone, which is told as a whole

    def back(self, wanted: Channels) -> Read:
        """What is read of the values that come in."""
        self.live = dict.fromkeys(self.module.results, wanted)
        for (site, _), made in reversed(self.module.ran.items()):
            if isinstance(made, Made):
                self.statement(made, self.lets.get(site))
        return {value: self.live[value] for value in range(self.module.given) if value in self.live}

    def statement(self, made: Made, let: Let | None) -> None:
        """The events of one statement. What it binds counts as read only if its name is; of a list, each item."""
        bound = made.value if isinstance(made.value, tuple) else (made.value,)
        read = any(self.live.get(value) for value in bound if value >= made.first)
        if let is not None and self.depends.notes and read:
            self.depends.read.add((let.loc, let.name))
        told = None if isinstance(made.value, tuple) and let is not None and let.name in self.mentioned else let
        for value in range(made.end - 1, made.first - 1, -1):
            self.event(value, made.first, bound, told if value in bound else None)
        if self.lists:
            self.mention(made, let)

    def mention(self, made: Made, let: Let | None) -> None:
        """Note the names that a statement reads, but where it only gives another name which nothing reads."""
        parts = [*forms(made.form)]
        if let is None or let.name in self.mentioned or any(isinstance(part, Applied) for part in parts):
            self.mentioned -= {let.name} if let is not None else set()
            self.mentioned.update(part.name for part in parts if isinstance(part, Named))

    def event(self, value: int, first: int, bound: Sequence[int], let: Let | None) -> None:
        """What gives a value, in a statement whose values begin with `first`: it is read, for its size alone, or not.

        Where it is not, `let` is told, which names what is `bound`, or the operation.
        """
        read, event = self.live.get(value), self.module.events[value - self.module.given]
        if self.told and not read:
            told = value not in self.quiet and (read is None or self.has_weights(value, first))
            if told and value not in self.vain:
                name, loc = (let.name, let.loc) if let is not None else (event.at.role, event.at.loc)
                self.found.append(Unread(self.module, name, loc, read == 0, self.depends.asked_by))
                self.vain.update(bound if let is not None else (value,))
            if value in self.vain:
                self.in_vain(event, value, first)
        if read is not None:
            self.reads(event, value, read, first)

    def in_vain(self, event: Event, value: int, first: int) -> None:
        """What a value that was told is made of follows from it, and is not told as well."""
        reads = self.depends.reads(self.module, value, ALL)
        pairs = zip(event.opened, reads, strict=False)
        self.vain.update(given for given, needed in pairs if given >= first or needed is not None)

    def reads(self, event: Event, value: int, wanted: Channels, first: int) -> None:
        """Add what some channels of a value depend on; of none, what its size does."""
        wanted = whole(wanted, self.module.types[value].channels)
        if wanted != ALL and self.told and event.module is not None:
            self.depends.needs(event.module)  # what it computes in vain is told of its whole result
        for given, needed in zip(event.opened, self.depends.reads(self.module, value, wanted), strict=False):
            if not wanted and (event.module is not None or given >= first):
                (self.quiet if event.module is None else self.vain).add(given)
            if needed is not None:
                self.live[given] = self.live.get(given, 0) | needed

    def has_weights(self, value: int, first: int) -> bool:
        """Something in an expression may have weights, for which a gradient is wanted."""
        if value < first:
            return False
        event = self.module.events[value - self.module.given]
        own = event.module is not None or PRIMITIVES[event.at.called].has_weights
        return own or any(self.has_weights(given, first) for given in event.opened)
