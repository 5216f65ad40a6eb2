"""Write a network out: a row for each row of its parts.

What a part is given stands as `let`s behind those of the network, called `n1.channels`. A part that repeats has one
prefix for each copy, `n1.rep0`, and each copy reads what the one before gave; where they share their weights, these are
called after `n1`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.diagnostics import Diagnostic, Edit, Label, nearest, one_of
from spinedsl.ir.networks import Network
from spinedsl.ir.parts.interface import Interface, interface_of
from spinedsl.ir.parts.rename import reread, valued
from spinedsl.ir.trace import Trace
from spinedsl.record import Record, field, replace
from spinedsl.syntax import tree
from spinedsl.syntax.statements import PART

MAX_ROWS = 20_000  # of a network with its parts
CLAUSES = ("from", "repeat")
SETTINGS = (tree.Defaults, tree.Widths, tree.Rules, tree.Setting)
Made = Callable[[tree.Part, Sequence[tree.Binding]], "Network | None"]  # what a part names; None if that was reported
Given = Callable[[tree.Use, Network], list[Diagnostic]]  # what is wrong with the arguments of a part
Counted = Callable[[tree.Expr, Sequence[tree.Binding]], "int | None"]  # a number of repetitions


def write_out(
    declared: tree.Network, made: Made, given: Given, times: Counted, trace: Trace | None = None
) -> tuple[tree.Network, list[Diagnostic]]:
    """The network with rows for its parts, and what is wrong with these. `trace` tells what edits did to it."""
    writer = _Writer(declared, made, given, times, trace)
    return writer.write(), writer.diagnostics


def connected(declared: tree.Network) -> tree.Network:
    """The network with every name that a row reads standing for a row: of outputs of parts, and of what parts take."""
    if not declared.frames:
        return declared

    def sources(name: tree.Name, row: str = "") -> tuple[tree.Name, ...]:
        around = declared.frames.get(row.rpartition(".")[0])
        if around is not None and not name.own:  # what an edit reads that the part is given
            own = next((own for own, given in around.inputs.items() if given.text == name.text), "")
            name = replace(name, own=own)
        prefix, _, last = name.text.rpartition(".")
        frame = declared.frames.get(prefix)
        if frame is not None and last in frame.inputs:
            return (replace(frame.inputs[last], span=name.span, own=last),)
        if name.text not in declared.given:
            return (name,)
        found = declared.given[name.text]
        whole = "" if len(found) == 1 else "all"
        return tuple(tree.Name(text, name.span, name.own or _own(name.text, text, whole)) for text in found)

    items = tuple(
        reread(item, partial(sources, row=item.name.text)) if isinstance(item, tree.Row) else item
        for item in declared.items
    )
    return replace(declared, items=items)


def _own(name: str, row: str, whole: str) -> str:
    return (row if whole else name).replace(".", "_")


def _broken(row: tree.NetworkItem) -> tree.Broken:
    assert isinstance(row, tree.Row)
    return tree.Broken((row.name.text,), frozenset({row.name.text}), row.span)


class _Writer(Record, frozen=False):
    declared: tree.Network
    made: Made
    wrong: Given
    times: Counted
    trace: Trace | None
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.items: list[tree.NetworkItem] = []
        self.lets: list[tree.Binding] = []
        self.frames: dict[str, tree.Frame] = {}
        self.given: dict[str, tuple[str, ...]] = {}
        self.outputs: dict[str, tuple[str, ...]] = {}  # of the part of that name, what its outputs are called
        self.lost: set[str] = set()  # parts about which something was reported
        self.above: set[str] = set()  # what a part may read
        self.rows = 0

    def write(self) -> tree.Network:
        for item in self.declared.items:
            if isinstance(item, tree.Part):
                self.part(item)
            elif isinstance(item, tree.Outputs) and item.sources is not None:
                self.several(item, item.sources)
            else:
                before = len(self.diagnostics)
                self.note(item)
                wrong = isinstance(item, tree.Row) and len(self.diagnostics) > before
                self.items.append(_broken(item) if wrong else item)
        declared = replace(
            self.declared, items=(*self.items, *self.lets), frames={**self.declared.frames, **self.frames}
        )
        return connected(replace(declared, given={**self.declared.given, **self.given}))

    def note(self, item: tree.NetworkItem) -> None:
        """Remember what stands above a part."""
        if isinstance(item, tree.Row):
            self.above.add(item.name.text)
            for clause in item.clauses:
                for name in clause.value if isinstance(clause.value, tuple) else ():
                    if self.known(name) and item.kind == "output":
                        self.only_one(name)
            if not item.clauses and self.known(item.use.name) and item.kind == "output":
                self.only_one(item.use.name)
        elif isinstance(item, tree.Maps):
            self.above |= {name.text for name in item.names}

    def known(self, name: tree.Name) -> bool:
        """Of `n1.P3`, that `n1` gives it; other names are looked up with the rows."""
        part, _, output = name.text.partition(".")
        if output and part in self.lost:
            self.lose(name.text)
        if not output or part not in self.outputs or name.text in self.given:
            return True
        outputs = self.outputs[part]
        found = say.UNKNOWN_NAME.at(name.span, kind="output", name=output, where=f"in part `{part}`")
        near = nearest(output, outputs)
        if near is None:
            found = found.with_notes(f"it gives {one_of(outputs, conjunction='and')}")
            self.diagnostics.append(found.with_fix("name one of these"))
        else:
            self.diagnostics.append(found.with_rename(name.span, f"{part}.{near}"))
        self.lose(name.text)
        return False

    def only_one(self, name: tree.Name) -> None:
        """A row that reads one map is given a part that gives several."""
        given = self.given.get(name.text, ())
        if len(given) > 1:
            outputs = self.outputs.get(name.text, ())
            found = say.SEVERAL_MAPS.at(name.span, name=name.text, gives=counted(len(given), "map"))
            self.diagnostics.append(found.repaired(one=f"{name.text}.{outputs[0]}" if outputs else "one of them"))
            self.lose(name.text)

    def lose(self, *names: str) -> None:
        """Let nothing more be reported about these names."""
        place = self.declared.name.span
        self.items.append(tree.Broken((), frozenset(names), place))

    # ---- outputs ----

    def several(self, item: tree.Outputs, sources: tuple[tree.Name, ...]) -> None:
        """`output P3, P4: n1`: an output for each."""
        if not any(name.text for name in item.names):
            return None  # edits dropped them all
        own = [name.text for name in item.names if name.text]
        if any(self.is_gone(name, "output", own) for name in sources):
            return self.lose(*own)
        unread = {word for one in self.declared.items if isinstance(one, tree.Broken) for word in one.mentions}
        lost = [name for name in sources if name.text.partition(".")[0] in self.lost | unread]
        if lost or sum(self.known(name) for name in sources) < len(sources):
            return self.lose(*(name.text for name in (*item.names, *sources)))
        found = [tree.Name(text, name.span) for name in sources for text in self.given.get(name.text, (name.text,))]
        if len(found) != len(item.names):
            got = f"{counted(len(item.names), 'name')} and {counted(len(found), 'map')}"
            self.diagnostics.append(say.NAMES_AND_MAPS.at(item.span, got=got).repaired())
            return self.lose(*(name.text for name in (*item.names, *found)))
        for name, source in zip(item.names, found, strict=True):
            if not name.text:
                continue  # an edit dropped it, or made it a row of its own
            use = tree.Use(source, (), source.span)
            self.items.append(tree.Row("output", name, use, (), name.span))
        return None

    # ---- parts ----

    def part(self, item: tree.Part) -> None:
        """One part, with a copy of its rows for each repetition."""
        before = len(self.diagnostics)
        if item.name.text in self.outputs or item.name.text in self.lost:
            self.items.append(replace(item, clauses=()))  # its name is taken, which is reported with those of rows
            return None
        network = self.made(item, self.lets)
        clauses = self.clauses(item)
        sources = [name for name in clauses.get("from", ()) if self.known(name)]
        inputs = [
            tree.Name(t, name.span, name.own) for name in sources for t in self.given.get(name.text, (name.text,))
        ]
        unknown = [
            name for name in inputs if name.text not in self.above and name.text.partition(".")[0] not in self.lost
        ]
        for name in unknown:
            self.not_above(item, name)
        lost = any(name.text.partition(".")[0] in self.lost for name in sources)
        if network is None or lost or unknown or len(self.diagnostics) > before:
            return self.broken(item, inputs)
        interface = interface_of(network.declared)
        values = self.values(item, network)
        if values is None or not self.fits(item, network, interface, inputs):
            return self.broken(item, inputs, interface, unread=len(inputs) < len(interface.takes))
        repeats = any(clause.keyword.text == "repeat" for clause in item.clauses)
        copies = self.copies(item, interface)
        if item.shared is not None and not repeats:
            found = say.SHARED_ALONE.at(item.shared.span, why=f"`{item.name.text}` stands there once")
            away = Edit(item.shared.span.to(item.use.name.span), item.use.name.text)
            self.diagnostics.append(found.repaired(away))
        if copies is None:
            return self.broken(item, inputs, interface)
        self.rows += copies * len(network.declared.items)
        if self.rows > MAX_ROWS:
            found = say.TOO_MANY.at(item.name.span, what="rows", limit=f"{MAX_ROWS:,}", got=f"{self.rows:,}")
            self.diagnostics.append(found.with_fix("repeat less often"))
            return self.broken(item, inputs, interface)
        declared = valued(network.declared.items, values)
        outputs: dict[str, str] = {}
        for copy in range(copies):
            prefix = f"{item.name.text}.rep{copy}" if repeats else item.name.text
            if copy:
                inputs = [tree.Name(text, item.name.span) for text in outputs.values()]
            outputs = self.copy(item, prefix, network.declared, declared, interface, inputs)
        part = item.name.text
        self.items.append(replace(item, clauses=()))
        self.outputs[part] = tuple(outputs)
        self.given |= {f"{part}.{output}": (row,) for output, row in outputs.items()}
        self.given[part] = tuple(outputs.values())
        return None

    def copy(
        self,
        item: tree.Part,
        prefix: str,
        declared: tree.Network,
        items: Sequence[tree.NetworkItem],
        interface: Interface,
        inputs: Sequence[tree.Name],
    ) -> dict[str, str]:
        """The rows of one copy; the rows that its outputs are."""
        taken = dict(zip(interface.takes, inputs, strict=True))
        weights = prefix if item.shared is None else item.name.text

        def called(name: tree.Name) -> tuple[tree.Name, ...]:
            if name.text in taken:
                return (tree.Name(taken[name.text].text, name.span, name.own or name.text),)
            return (tree.Name(f"{prefix}.{name.text}", name.span, name.own),)

        for row in items:
            if not isinstance(row, tree.Row) or (
                row.kind == "output" and interface.gives.get(row.name.text, "") not in ("", row.name.text)
            ):
                continue
            made = reread(row, called)
            name = tree.Name(f"{prefix}.{row.name.text}", row.name.span)
            self.items.append(replace(made, name=name))
            self.above.add(name.text)
        inner = {
            f"{prefix}.{before}": tree.Frame(
                f"{prefix}.{before}",
                frame.network,
                {name: called(source)[0] for name, source in frame.inputs.items()},
                {name: called(tree.Name(row, item.span))[0].text for name, row in frame.outputs.items()},
                valued(frame.items, self.renamed),
                frame.place,
                frame.span,
                f"{weights}.{frame.weights}",
            )
            for before, frame in declared.frames.items()
        }
        self.given |= {
            f"{prefix}.{name}": tuple(called(tree.Name(row, item.span))[0].text for row in rows)
            for name, rows in declared.given.items()
        }
        outputs = {name: called(tree.Name(row, item.span))[0].text for name, row in interface.gives.items()}
        settings = tuple(one for one in items if isinstance(one, (*SETTINGS, tree.Maps)))
        frame = tree.Frame(prefix, declared.name.text, taken, outputs, settings, item.span, declared.span, weights)
        self.frames |= {prefix: frame, **inner}
        return outputs

    def broken(
        self, item: tree.Part, inputs: Sequence[tree.Name], interface: Interface | None = None, *, unread: bool = False
    ) -> None:
        """A part about which something was reported: nothing is, of what reads it or is read by it."""
        name = item.name.text
        self.lost.add(name)
        gives = interface.gives if interface is not None else {}
        names = {name, *(source.text for source in inputs), *(f"{name}.{output}" for output in gives)}
        self.items.append(tree.Broken((name,), frozenset(names), item.span, unread=unread or interface is None))

    def clauses(self, item: tree.Part) -> dict[str, tuple[tree.Name, ...]]:
        """What feeds the part; a clause that parts do not have is reported."""
        found: dict[str, tuple[tree.Name, ...]] = {}
        seen: dict[str, tree.Clause] = {}
        for clause in item.clauses:
            word = clause.keyword
            if word.text not in CLAUSES:
                one = say.UNKNOWN_CLAUSE.at(word.span, row="a part row", name=word.text, known=one_of(CLAUSES))
                near = "from" if word.text == "after" else nearest(word.text, CLAUSES)
                self.diagnostics.append(
                    one.with_rename(word.span, near) if near else one.with_fix("take it away: its rows say that")
                )
            elif word.text in seen:
                again = say.CLAUSE_TWICE.at(clause.span, name=word.text)
                self.diagnostics.append(again.with_others(Label(seen[word.text].span, "first given here")).repaired())
            seen.setdefault(word.text, clause)
            if word.text == "from" and isinstance(clause.value, tuple):
                found.setdefault("from", clause.value)
            for use in clause.own:
                if use is not None:
                    one = say.UNKNOWN_CLAUSE.at(use.span, row="a part row", name="resample", known=one_of(CLAUSES))
                    self.diagnostics.append(one.with_fix("resample it in a block, and give the part that"))
        return found

    def is_gone(self, name: tree.Name, kind: str, users: Sequence[str]) -> bool:
        """What is read was dropped by an edit, which is reported."""
        dropped = self.trace.gone(name.text) if self.trace is not None else None
        part = name.text.partition(".")[0]
        if dropped is None or name.text in self.above or part in self.outputs or part in self.lost:
            return False
        found = say.READS_DROPPED.at(name.span, name=name.text, user=users[0])
        found = found.with_others(Label(dropped, "dropped here"))
        own = one_of(users, conjunction="and")
        how = f"`{kind} {users[0]}{' from' if kind == PART else ':'} …`"
        self.diagnostics.append(found.with_fix(f"drop {own} too, or edit what is read there: {how}"))
        return True

    def not_above(self, item: tree.Part, name: tree.Name) -> None:
        """A part reads a row that does not stand above it."""
        if self.trace is not None and name.text in self.trace.meant:
            return
        if self.is_gone(name, PART, (item.name.text,)):
            return
        below = {row.name.text: row for row in self.declared.items if isinstance(row, tree.Row | tree.Part)}
        if name.text in below:
            found = say.USED_BEFORE.at(name.span, name=name.text, user=item.name.text)
            found = found.with_others(Label(below[name.text].name.span, f"`{name.text}` stands here"))
            self.diagnostics.append(found.with_fix(f"move `{item.name.text}` below it"))
            return
        if any(name.text in row.mentions for row in self.declared.items if isinstance(row, tree.Broken)):
            return
        where = f"in network `{self.declared.name.text}`"
        found = say.UNKNOWN_NAME.at(name.span, kind="block", name=name.text, where=where)
        near = nearest(name.text, [*self.above, *self.outputs])
        self.diagnostics.append(found.with_rename(name.span, near) if near else found.with_fix("name a row above"))

    def fits(self, item: tree.Part, network: Network, interface: Interface, inputs: Sequence[tree.Name]) -> bool:
        """The part gets as many maps as its network takes, and is one that can be a part."""
        place = network.declared.name.span
        wrong = next(
            (row for row in network.declared.items if isinstance(row, tree.Row) and row.kind in ("stem", "head")), None
        )
        if not interface.takes or wrong is not None:
            why = f"it has a {wrong.kind}" if wrong is not None else "it takes an image"
            found = say.NO_PART.at(item.use.name.span, name=network.name, why=why)
            at = wrong.name.span if wrong is not None else place
            self.diagnostics.append(
                found.with_others(Label(at, "here" if wrong is not None else "written here")).repaired()
            )
            return False
        if len(inputs) == len(interface.takes):
            return True
        got, takes = counted(len(inputs), "map"), counted(len(interface.takes), "map")
        span = next((clause.span for clause in item.clauses if clause.keyword.text == "from"), item.span)
        found = say.PART_INPUTS.at(span, name=network.name, takes=takes, got=got)
        first = next(iter(interface.takes.values()))
        found = found.with_others(Label(first.maps.span, f"it takes {one_of(interface.takes, conjunction='and')}"))
        self.diagnostics.append(found.repaired(names=", ".join(interface.takes)))
        return False

    def copies(self, item: tree.Part, interface: Interface) -> int | None:
        """How often a part stands there, one after another; None after a mistake."""
        clause = next((clause for clause in item.clauses if clause.keyword.text == "repeat"), None)
        if clause is None:
            return 1
        count = self.times(clause.value, self.lets)  # type: ignore[arg-type]
        if count is None:
            return None
        if len(interface.gives) != len(interface.takes):
            takes, gives = counted(len(interface.takes), "map"), counted(len(interface.gives), "map")
            found = say.PART_REPEATED.at(clause.span, name=item.use.name.text, takes=takes, gives=gives)
            self.diagnostics.append(found.repaired())
            return None
        return count

    def values(self, item: tree.Part, network: Network) -> dict[str, str] | None:
        """What the parameters and `let`s of a part are called, once they stand among those of the network."""
        declared, prefix = network.declared, item.name.text
        parameters = [parameter.name.text for parameter in declared.parameters]
        use = item.use
        if wrong := self.wrong(use, network):
            self.diagnostics += wrong
            return None
        positional = iter(parameters)
        given = {
            next(positional) if argument.name is None else argument.name.text: argument.value
            for argument in use.arguments
        }
        names = {name: f"{prefix}.{name}" for name in (*parameters, *(let.name.text for let in network.lets))}
        self.renamed = names
        for parameter in declared.parameters:
            name = parameter.name.text
            if name in given:
                value: tree.Expr | None = given[name]
            else:
                value = valued(network.arguments.get(name, parameter.default), names)
            if value is not None:
                called = tree.Name(names[name], value.span)
                self.lets.append(tree.Binding("let", called, value, value.span))
        for let in network.lets:
            called = tree.Name(names[let.name.text], let.name.span)
            self.lets.append(tree.Binding("let", called, valued(let.value, names), let.span))
        return names
