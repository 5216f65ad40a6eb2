"""What candidates cost, from their decisions alone: parameters and multiply-adds in closed form.

A row's costs are those of what it uses: a resampling for each input, a join, its type. Each depends on the *kind* of
the row, which is its type, level and other clauses, and on the kinds of what it reads; and of kinds there are few. So
every part is expanded once, by the same stages that compile a network, and looked up from then on. Where the channels
that arrive depend on what is read, as in a join that concatenates, each candidate is compiled.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TypeAlias

from spinedsl import checks as say
from spinedsl.analysis.costs import Costs, costs_of_module
from spinedsl.analysis.costs import costs as costs_of_graph
from spinedsl.checks import check
from spinedsl.checks.switches import Switches
from spinedsl.diagnostics import Diagnostic, Label, Severity
from spinedsl.ir.elaborate import elaborate
from spinedsl.ir.elaborate.network import Elaborator
from spinedsl.ir.expand import Work
from spinedsl.ir.library import Defined
from spinedsl.ir.networks import RowDecl, TypedUse
from spinedsl.ir.resolve.network import resolve_network
from spinedsl.ir.typed import CheckedNetwork, TypedRow
from spinedsl.lower import lower
from spinedsl.ops.graph import Graph, flatten
from spinedsl.ops.memory import peak_activation_bytes
from spinedsl.ops.program import Call, Module
from spinedsl.record import Record, replace
from spinedsl.source import Source
from spinedsl.spaces.decode import Candidate, Excluded, Placed, decode
from spinedsl.spaces.model import Genome, Space
from spinedsl.spaces.several import widths_vary
from spinedsl.spaces.written import text
from spinedsl.syntax import tree
from spinedsl.syntax.format import text_of

Kind: TypeAlias = int  # numbers of kinds, as they are met
Sums: TypeAlias = tuple[int, int, int]  # parameters, statistics, multiply-adds
ENOUGH = 10**15  # characters whose expansion is granted: a search expands each part once


class Unfit(Exception):
    """A candidate that the compiler refuses, though the space allows it.

    `diagnostic` is at a place in the space; `found` is what the compiler says.
    """

    def __init__(self, diagnostic: Diagnostic, found: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic, self.found = diagnostic, found


class Priced(Record):
    """A candidate with its costs. `within` tells that every bound of the space holds; `memory` is known if bound."""

    genome: Genome
    candidate: Candidate
    costs: Costs
    memory: int | None
    within: bool


class Costing:
    """The parts of a space's candidates, expanded as they are met."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.elaborator = Elaborator(space.network, None, Work(ENOUGH))
        self.elaborator.run()
        self.elaborator.context.taken()
        self.declared = {row.name: row for row in space.network.rows}
        self.blocks = {block.name: number for number, block in enumerate(space.blocks)}
        self.uses = [[text_of(use.span) for use in block.types] for block in space.blocks]
        self.signatures = [self._signature(number) for number in range(len(space.blocks))]
        self.numbers: dict[Hashable, Kind] = {}  # of kinds, by what tells them apart
        self.rows: list[TypedRow] = []  # of each kind one; of rows without a resampling, all that there are
        self.refused: dict[Hashable, Unfit] = {}  # what is not expanded a second time
        self.own: list[Sums] = []  # of each kind: the costs of the types that its row goes through
        self.of_block: list[dict[tuple[int, int], Kind]] = [{} for _ in space.blocks]  # by level and type
        self.joins: dict[tuple[Kind, int, int], Sums] = {}
        self.resamples: dict[tuple[Kind, Kind], Sums] = {}
        self.modules: dict[int, tuple[Module, Costs]] = {}  # by identity; held, so that it stays theirs
        # Whether what a block is depends on how many maps, or which, it joins; what is not written shows in candidates.
        self.varies = any(map(widths_vary, space.network.rows))
        self.ended = [row for row in space.network.rows if row.row.kind in ("output", "head")]
        outputs = [row for row in self.ended if row.row.kind == "output"]
        kept = all({*block.levels} == {space.typed.rows[block.name].level} for block in space.blocks)
        self.moved = [] if kept or space.typed.outputs_any else outputs
        self.begun = [row for row in space.network.rows if row.row.kind == "stem"]
        self.joining = [not block.direct and self.declared[block.name].maps == 1 for block in space.blocks]
        self.taken: dict[Kind, int] = {}  # channels of a map that the join of a row takes
        self.stems = [*self._stems()]

    # ---- what is asked for ----

    def candidate(self, genome: Genome) -> Candidate | Excluded:
        """The rows of a genome, or the block for which it is none."""
        return decode(self.space, genome, self)

    def _stems(self) -> Iterator[tuple[int, frozenset[int]]]:
        """Stems that a candidate may leave unread: a block that reads each, and all that do where they are left."""
        blocks, drops = self.space.blocks, self.space.fates[-1] == "drop"
        for stem in self.begun:
            readers = [row.name for row in self.space.network.rows if stem.name in [one.text for one in row.sources]]
            numbers = [self.blocks[name] for name in readers if name in self.blocks]
            kept = frozenset(number for number in numbers if blocks[number].window is None)
            stays = kept if not drops else kept & self.space.ends.keys()
            if len(numbers) == len(readers) and not stays:
                yield numbers[0], kept

    def priced(self, genome: Genome) -> Priced | Excluded:
        """A genome made, checked and costed.

        Raises:
            Unfit: the compiler refuses one of its rows.
        """
        candidate = self.candidate(genome)
        if isinstance(candidate, Excluded):
            return candidate
        if (clash := self._clash(genome)) is not None:
            return Excluded(clash, "clash")
        costs = self.costs(genome, candidate)
        figures = {"multiply_adds": costs.multiply_adds, "parameters": costs.parameters}
        within = all(keep.holds(figures[keep.figure]) for keep in self.space.keeps if keep.figure in figures)
        memory: int | None = None
        bounds = [keep for keep in self.space.keeps if keep.figure == "memory"]
        if bounds and within:
            memory = peak_activation_bytes(self.compiled(candidate))
            within = all(keep.holds(memory) for keep in bounds)
        return Priced(genome, candidate, costs, memory, within)

    def _clash(self, genome: Genome) -> int | None:
        """The block of an output whose level another output has; None where each has one of its own."""
        levels: set[int] = set()
        for row in self.moved:
            level = self.rows[self._end(genome, row)].level
            if level in levels:
                return self.blocks[row.sources[0].text]
            if level is not None:
                levels.add(level)
        return None

    def costs(self, genome: Genome, candidate: Candidate) -> Costs:
        """The costs of a candidate: by its parts, or where these vary with what they read, by all of it."""
        if not self.varies:
            found = self._by_parts(genome, candidate)
            if not self.varies:  # which may show in this candidate
                return found
        return costs_of_graph(self.compiled(candidate))

    def told_by_parts(self, genome: Genome, candidate: Candidate) -> bool:
        """What each row of a candidate is depends on its kind alone."""
        if not self.varies:
            self._by_parts(genome, candidate)
        return not self.varies

    def _by_parts(self, genome: Genome, candidate: Candidate) -> Costs:
        kinds: list[Kind] = []
        found = [self.own[self._direct(row, ())] for row in self.begun]
        resamples = self.resamples
        for row in candidate.rows:
            if row is None:
                kinds.append(-1)
                continue
            kind = self.kind(genome, row.block)
            kinds.append(kind)
            found.append(self.own[kind])
            if self.space.blocks[row.block].direct:
                continue
            sources = [kinds[slot] for slot in row.parents] if row.chosen else self._fed(genome, row.block)
            join = (kind, len(sources), len(row.absorbed))
            keys = [(source, kind) for source in sources]
            if join not in self.joins or not resamples.keys() >= {*keys}:
                self._connect(kind, row, sources, [kinds[slot] for slot in row.absorbed])
            found.append(self.joins[join])
            found += [resamples[key] for key in keys]
        found += [self.own[self._end(genome, row)] for row in self.ended]
        return Costs(*map(sum, zip(*found, strict=True)))

    def channels(self, genome: Genome, block: int) -> int:
        """The channels that come out of a block."""
        type_ = self.rows[self.kind(genome, block)].type
        assert type_ is not None
        return type_.channels

    def fits(self, genome: Genome, orphan: int, host: int) -> bool:
        """The join of a block takes as many channels as come out of another."""
        channels, kind = self.channels(genome, orphan), self.kind(genome, host)
        if kind not in self.taken:
            row = self.rows[kind]
            resample = row.inputs[0].resample
            alike = resample is not None and not widths_vary(row.declared)  # all of them have these channels
            self.taken[kind] = resample.type.channels if alike and resample else self.channels(genome, host)
        return channels == self.taken[kind]

    def used(
        self, genome: Genome, candidate: Candidate, number: int, absorbed: int, reads: Sequence[int | str]
    ) -> list[Call]:
        """What resamples and joins the inputs of a block that reads these slots, or stems by name, in this order."""
        typed = self.connected(genome, candidate, number, absorbed, reads)
        joins = [typed.join] if typed.join is not None else []
        return [*(one.resample for one in typed.inputs if one.resample is not None), *joins]

    def connected(
        self, genome: Genome, candidate: Candidate, number: int, absorbed: int, reads: Sequence[int | str]
    ) -> TypedRow:
        """A block as a row that reads these slots, or stems by name, and absorbs so many like those that it does."""
        names = []
        for read in reads:
            row = candidate.rows[read] if isinstance(read, int) else None
            kind = self.kind(genome, row.block) if row is not None else self._source(genome, str(read))
            names.append(self._name(kind))
        alike = [self._name(kind) for kind in self._absorbed(genome, candidate, number)] if absorbed else []
        others = (alike * absorbed)[:absorbed]
        declared = self._with(number, self.space.blocks[number].levels[genome.levels[number]], genome.types[number])
        return self._expanded(("used", number, *names, absorbed), declared, names, others)

    def _absorbed(self, genome: Genome, candidate: Candidate, number: int) -> list[Kind]:
        """The kinds of what a block absorbs; where that is nothing, its own, if its join takes that."""
        slots = next(row.absorbed for row in candidate.rows if row is not None and row.block == number)
        blocks = [row.block for slot in slots if (row := candidate.rows[slot]) is not None]
        if not blocks and self.fits(genome, number, number):
            blocks = [number]
        return [self.kind(genome, block) for block in blocks]

    def behind(
        self, number: int, level: int, type_: int, sources: Sequence[TypedRow], absorbed: Sequence[TypedRow]
    ) -> TypedRow | None:
        """A block as it is behind these rows; None where the compiler refuses it there."""
        rows = {f"given {at}": row for at, row in enumerate([*sources, *absorbed])}  # no row of a file has such a name
        self.elaborator.rows.update(rows)
        names = [*rows]
        declared = self._with(number, self.space.blocks[number].levels[level], type_)
        try:
            return self._row(declared, names[: len(sources)], names[len(sources) :])
        except Unfit:
            return None

    def end(self, genome: Genome, name: str) -> TypedRow:
        """A stem, an output or a head of a candidate."""
        declared = self.declared[name]
        return self.rows[self._direct(declared, ()) if declared.row.kind == "stem" else self._end(genome, declared)]

    def compiled(self, candidate: Candidate) -> Graph:
        """The candidate's operations, by all stages of the compiler.

        Raises:
            Unfit: it has mistakes.
        """
        return flatten(lower(self.checked(candidate)))

    def checked(self, candidate: Candidate) -> CheckedNetwork:
        """The candidate by every check of a network.

        Raises:
            Unfit: it has mistakes.
        """
        from spinedsl.reading import Loader  # noqa: PLC0415  few ask for it

        source = Source.from_text(text(self.space, candidate), "candidate.spine")
        unit = Loader().unit(source)
        assert unit.value is not None
        (declared,) = unit.value.networks.values()
        assert isinstance(declared, tree.Network)
        network, reported = resolve_network(declared, unit.value)
        outcome = elaborate(network)
        assert outcome.value is not None
        found = [*unit.diagnostics, *reported, *outcome.diagnostics, *check(outcome.value, Switches())]
        for diagnostic in found:
            if diagnostic.severity is Severity.ERROR:
                raise Unfit(self._unfit(diagnostic), diagnostic)
        return CheckedNetwork(outcome.value)

    # ---- kinds ----

    def _signature(self, number: int) -> Hashable:
        """What tells blocks apart besides their level, type and inputs; a block that keeps its inputs is alone."""
        block = self.space.blocks[number]
        if block.window is None:
            return number
        clauses = [c for c in block.row.clauses if c.keyword.text not in ("level", "from", "after", "absorb")]
        return tuple(sorted(text_of(clause.span) for clause in clauses))

    def kind(self, genome: Genome, number: int) -> Kind:
        """The kind of a block: equal for blocks that cost the same, wherever they read the same."""
        block = self.space.blocks[number]
        chosen = genome.levels[number], genome.types[number]
        if (kind := self.of_block[number].get(chosen)) is not None:
            return kind
        level, use = block.levels[chosen[0]], self.uses[number][chosen[1]]
        fed = self._fed(genome, number) if block.window is None else []
        key = (self.signatures[number], level, use, tuple(fed) if block.direct else ())
        if key not in self.numbers:
            declared = self._with(number, level, chosen[1])
            if block.window is None:
                self._expanded(key, declared, [self._name(one) for one in fed], ())
            else:
                self._begin(key, declared, block.window.count)
        if not block.direct:
            self.of_block[number][chosen] = self.numbers[key]
        return self.numbers[key]

    def _begin(self, key: Hashable, declared: RowDecl, count: int) -> None:
        """Expand a block whose inputs are chosen, behind others of the network that its join and its resampling take.

        What comes out of it seldom depends on them, so any will do at first; where it does, `_connect` finds it.

        Raises:
            Unfit: the compiler refuses it behind each of them.
        """
        names = [block.name for block in self.space.blocks if block.name != declared.name]
        written = [name.text for name in declared.sources]
        first: Unfit | None = None
        for sources in ([names[0]] * count, (written * count)[:count], *([name] * count for name in names[1:])):
            try:
                self._expanded(key, declared, sources, ())
            except Unfit as unfit:
                first = first or unfit
            else:
                return
        assert first is not None
        raise first

    def _fed(self, genome: Genome, number: int) -> list[Kind]:
        """The kinds of what a block reads as it is written: blocks, and stems."""
        return [self._source(genome, name.text) for name in self.declared[self.space.blocks[number].name].sources]

    def _source(self, genome: Genome, name: str) -> Kind:
        """The kind of a row by its name."""
        if name in self.blocks:
            return self.kind(genome, self.blocks[name])
        declared = self.declared[name]
        return self._direct(declared, ()) if declared.row.kind == "stem" else self._end(genome, declared)

    def _end(self, genome: Genome, declared: RowDecl) -> Kind:
        """The kind of an output or a head."""
        return self._direct(declared, tuple([self._source(genome, name.text) for name in declared.sources]))

    def _direct(self, declared: RowDecl, sources: tuple[Kind, ...]) -> Kind:
        """The kind of a row that takes its inputs as they are."""
        key = (declared.name, sources)
        if key not in self.numbers:
            self._expanded(key, declared, [self._name(source) for source in sources], ())
        return self.numbers[key]

    # ---- expanding ----

    def _with(self, number: int, level: int, type_: int) -> RowDecl:
        """The declaration of a block with another level and type."""
        block = self.space.blocks[number]
        declared, use = self.declared[block.name], block.types[type_]
        clause = declared.clauses["level"]
        clauses = {**declared.clauses, "level": replace(clause, value=tree.Number(level, clause.span))}
        row = replace(declared.row, use=use)
        return replace(
            declared,
            row=row,
            clauses=clauses,
            defined=self.defined(use),
            direct=block.direct,
            absorbed=(),
            **self._joining(declared, direct=block.direct),
        )

    def defined(self, use: tree.Use) -> Defined:
        """The definition of a type that a block may have: it stands in the space, or in its network."""
        here = use.span.source is self.space.unit.file.source
        unit = self.space.unit if here else self.space.network.unit.home(use.span)
        return unit.definitions[use.name.text]

    def _joining(self, declared: RowDecl, *, direct: bool) -> dict[str, TypedUse | None]:
        """How a block resamples and joins its inputs: as others do, if the network feeds it by `after`."""
        if direct or not declared.direct:
            return {}
        return {word: getattr(declared, word) or self.space.network.joining[word] for word in ("resample", "join")}

    def _expanded(self, key: Hashable, declared: RowDecl, sources: Sequence[str], absorbed: Sequence[str]) -> TypedRow:
        """Expand a row that reads rows by these names; what it is made of is remembered."""
        whole = (key, *sources, *absorbed)
        if (before := self.refused.get(whole)) is not None:
            raise Unfit(before.diagnostic, before.found)
        try:
            row = self._row(declared, sources, absorbed)
        except Unfit as unfit:
            self.refused[whole] = unfit
            raise
        if key not in self.numbers:
            self.numbers[key] = len(self.rows)
            self.rows.append(row)
            self.own.append(self._of_calls(row.calls))
        return row

    def _row(self, declared: RowDecl, sources: Sequence[str], absorbed: Sequence[str]) -> TypedRow:
        span = declared.row.name.span
        named = replace(
            declared,
            sources=tuple(tree.Name(name, span) for name in sources),
            absorbed=tuple(tree.Name(name, span) for name in absorbed),
        )
        row = self.elaborator.row(named)
        errors = [one for one in self.elaborator.context.taken() if one.severity is Severity.ERROR]
        if errors:
            raise Unfit(self._unfit(errors[0]), errors[0])
        return row

    def _name(self, kind: Kind) -> str:
        """A name under which rows can read the row of a kind; no row of a file has one like it."""
        name = f"kind {kind}"
        self.elaborator.rows[name] = self.rows[kind]
        return name

    def _connect(self, kind: Kind, row: Placed, sources: Sequence[Kind], absorbed: Sequence[Kind]) -> None:
        """Find what it costs to resample and join the inputs of a block."""
        key = next(key for key, number in self.numbers.items() if number == kind)
        names, others = ([self._name(one) for one in ones] for ones in (sources, absorbed))
        typed = self._expanded(key, self._with(row.block, row.level, row.type), names, others)
        own = self.rows[kind]
        self.varies |= own.channels != typed.channels or self.own[kind] != self._of_calls(typed.calls)
        self.joins[kind, len(sources), len(absorbed)] = self._of_calls([typed.join] if typed.join is not None else [])
        for source, connection in zip(sources, typed.inputs, strict=True):
            used = [connection.resample] if connection.resample is not None else []
            self.resamples[source, kind] = self._of_calls(used)

    def _of_calls(self, calls: Sequence[Call]) -> Sums:
        total = Costs()
        for call in calls:
            if id(call.module) not in self.modules:
                self.modules[id(call.module)] = call.module, costs_of_module(call.module)
            total += self.modules[id(call.module)][1]
        return total.parameters, total.statistics, total.multiply_adds

    def _unfit(self, found: Diagnostic) -> Diagnostic:
        """What the compiler says of a candidate, at the space that allows it."""
        space = self.space.declared
        wrong = say.UNFIT_CANDIDATE.at(space.name.span, name=self.space.name, code=found.code.id, message=found.message)
        if found.span.source.origin or found.span.source is self.space.network.declared.span.source:
            wrong = wrong.with_others(Label(found.span, found.label))
        else:
            wrong = wrong.with_notes(found.label)
        return wrong.with_fix("choose otherwise where it comes from: a type, a level or parents of the space")
