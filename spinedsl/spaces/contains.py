"""Whether a network lies in a space: by which decisions it is one of its candidates, or every reason why it is not.

Names do not matter: a block of the network may be any block of the space that can be like it, in the same slot. What
must be equal is what is computed: types, levels, channels, resampling, joins, outputs and heads; the size of the input
may differ. A network of fewer blocks may be one from which orphans were dropped.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations, islice, product

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label, one_of
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.ops.program import Call, Module
from spinedsl.ops.types import Type
from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.spaces.candidates import figure
from spinedsl.spaces.costing import Costing, Priced
from spinedsl.spaces.decode import REASONS, Candidate, Excluded, Placed
from spinedsl.spaces.model import Genome

MOST_TRIED = 20_000  # ways to place blocks that were dropped


class Answer(Record):
    """`genome` gives the network; None where it lies outside: see `reasons`. `called` has other names of blocks."""

    genome: Genome | None
    reasons: tuple[Diagnostic, ...]
    called: Mapping[str, str]


def contains(costing: Costing, network: TypedNetwork) -> Answer:
    """Whether a network that has no mistakes lies in a space."""
    reader = _Reader(costing, network)
    found = reader.read()
    if found is None:
        return Answer(None, tuple(reader.reasons), {})
    genome, names = found
    return Answer(genome, (), {own: name for own, name in names.items() if own != name})


class _Reader:
    """A network against a space."""

    def __init__(self, costing: Costing, network: TypedNetwork) -> None:
        self.costing, self.space, self.network = costing, costing.space, network
        self.blocks = [row for row in network.rows.values() if row.kind == "block"]
        self.slot = {row.name: slot for slot, row in enumerate(self.blocks)}
        self.reasons: list[Diagnostic] = []
        self.keys: dict[int, tuple[Module, Hashable]] = {}

    def no(self, span: Span, what: str, label: str, *others: Label) -> None:
        """One reason against it."""
        self.reasons.append(say.NOT_IN_SPACE.at(span, what=what, label=label).with_others(*others))

    def read(self) -> tuple[Genome, dict[str, str]] | None:
        """The decisions, and the block of the space that each block is; None with the reasons."""
        self.ends()
        n, m = len(self.space.blocks), len(self.blocks)
        head = self.network.network.declared.name.span
        if m > n or (m < n and self.space.fates[-1] != "drop"):
            self.no(
                head,
                f"it has {counted(m, 'block')}, and candidates of space `{self.space.name}` have {n}",
                f"expected {counted(n, 'block')}",
            )
        if self.reasons:
            return None
        if m == n:
            return self.placed(tuple(range(n)), explain=True)
        for slots in islice(combinations(range(n), m), MOST_TRIED):
            if (found := self.placed(slots, explain=False)) is not None:
                return found
        self.no(
            head,
            f"it has {counted(m, 'block')}, {n - m} fewer than space `{self.space.name}`",
            "no blocks of the space can have been dropped so that this is left",
        )
        return None

    # ---- rows that are no blocks ----

    def ends(self) -> None:
        """Stems, outputs and heads are those of the space's network."""
        for kind in ("stem", "output", "head"):
            own = [row for row in self.network.rows.values() if row.kind == kind]
            theirs = {row.name: row for row in self.space.typed.rows.values() if row.kind == kind}
            for row in own:
                if row.name not in theirs:
                    self.no(
                        row.span,
                        f"{kind} `{row.name}` is not in network `{self.space.network.name}`",
                        f"expected {one_of(theirs)}",
                    )
            for name in theirs:
                if all(row.name != name for row in own):
                    self.no(
                        self.network.network.declared.name.span,
                        f"it has no {kind} `{name}`",
                        f"expected {kind} `{name}`, as in network `{self.space.network.name}`",
                    )

    # ---- blocks in slots ----

    def placed(self, slots: Sequence[int], *, explain: bool) -> tuple[Genome, dict[str, str]] | None:
        """The decisions where the blocks stand in these slots, if there are some."""
        before = len(self.reasons)
        fits = [self.fitting(row, slot, explain=explain) for row, slot in zip(self.blocks, slots, strict=True)]
        parents = [
            self.parents(row, slot, slots, explain=explain) for row, slot in zip(self.blocks, slots, strict=True)
        ]
        if any(not fit for fit in fits) or not all(one is not None for one in parents) or len(self.reasons) > before:
            return None
        chosen = self.matched(slots, fits)
        if chosen is None:
            if explain:
                span = self.network.network.declared.name.span
                self.no(
                    span,
                    "its blocks cannot be those of the space, each once",
                    "each by itself could be one, but two would have to be the same",
                )
            return None
        return self.proven(slots, chosen, fits, [one or () for one in parents], explain=explain)

    def fitting(self, row: TypedRow, slot: int, *, explain: bool) -> dict[int, tuple[int, int]]:
        """The blocks of the space that a row can be, with the level and type that make them so."""
        candidates = next((group for group in self.space.groups if slot in group), (slot,))
        reads = {out.name for out in self.network.rows.values() if out.is_end and row.name in self.sources(out)}
        found: dict[int, tuple[int, int]] = {}
        why: list[str] = []
        for number in candidates:
            block = self.space.blocks[number]
            ends = {
                out.name for out in self.space.typed.rows.values() if out.is_end and block.name in self.sources(out)
            }
            if ends != reads:
                why.append(
                    f"`{block.name}` is read by {one_of(sorted(ends), conjunction='and') if ends else 'no output'}"
                )
                continue
            levels = [at for at, level in enumerate(block.levels) if level == row.level]
            if not levels:
                why.append(f"`{block.name}` has levels {one_of(sorted(set(map(str, block.levels))))}")
                continue
            for at, type_ in product(levels, range(len(block.types))):
                if self.alike(row, number, at, type_):
                    found[number] = at, type_
                    break
            else:
                types = one_of(use.span.text for use in block.types)
                why.append(f"`{block.name}` is of type {types}, with other channels or values")
        if not found and explain:
            found_ = say.NOT_IN_SPACE.at(
                row.span,
                what=f"no block of space `{self.space.name}` can be `{row.name}`",
                label=f"it is {row.declared.row.use.span.text} of level {row.level}",
            )
            self.reasons.append(found_.with_notes(*why[:6]))
        return found

    def sources(self, row: TypedRow) -> list[str]:
        return [name.text for name in row.declared.sources]

    def alike(self, row: TypedRow, number: int, level: int, type_: int) -> bool:
        """A block with that level and type computes what the row does, but for its inputs."""
        block = self.space.blocks[number]
        if row.declared.direct != block.direct:
            return False
        # What it is may depend on what it reads, so the row's own inputs are given to it.
        sources, absorbed = (
            [self.network.rows[name.text] for name in names] for names in (row.declared.sources, row.declared.absorbed)
        )
        own = self.costing.behind(number, level, type_, sources, absorbed)
        if own is None or own.channels != row.channels:
            return False
        return [self.key(call.module) for call in own.calls] == [self.key(call.module) for call in row.calls]

    def key(self, module: Module) -> Hashable:
        """What a module computes, whatever the size of its input."""
        if id(module) not in self.keys:
            events = tuple(
                (
                    event.at.called,
                    tuple(sorted((name, str(attr.value)) for name, attr in event.attributes.items()))
                    if event.module is None
                    else self.key(event.module),
                    event.inputs,
                )
                for event in module.events
            )
            self.keys[id(module)] = module, (events, tuple(_shapeless(one) for one in module.types), module.results)
        return self.keys[id(module)][1]

    def parents(self, row: TypedRow, slot: int, slots: Sequence[int], *, explain: bool) -> tuple[int, ...] | None:
        """The slots that a row reads; None where it may not read them."""
        window = self.space.blocks[slot].window
        sources = self.sources(row)
        if window is None:
            return ()
        count = len(sources)
        if row.declared.direct or count != window.count:
            if explain:
                how = "directly, by `after`" if row.declared.direct else f"{counted(count, 'block')}"
                self.no(row.span, f"`{row.name}` reads {how}", f"expected `from`, and {window.count}")
            return None
        pool, found = window.pool(slot), []
        for name in row.declared.sources:
            at = self.slot.get(name.text)
            if at is None or slots[at] not in pool:
                if explain:
                    last = f"the last {window.last} blocks" if window.last is not None else "the blocks"
                    what = f"`{row.name}` reads `{name.text}`, which is not among {last} above it"
                    self.no(name.span, what, f"expected {one_of(self.blocks[one].name for one in pool)}")
                    continue
                return None
            found.append(slots[at])
        return tuple(sorted(found)) if len(found) == count else None

    def matched(self, slots: Sequence[int], fits: Sequence[Mapping[int, tuple[int, int]]]) -> list[int] | None:
        """A block for each row, each once, its own name first: by paths that change who has which."""
        names = {block.name: number for number, block in enumerate(self.space.blocks)}
        holder: dict[int, int] = {}

        def find(at: int, seen: set[int]) -> bool:
            own = names.get(self.blocks[at].name, -1)
            for number in sorted(fits[at], key=lambda one: one != own):
                if number not in seen:
                    seen.add(number)
                    if number not in holder or find(holder[number], seen):
                        holder[number] = at
                        return True
            return False

        for at in range(len(slots)):
            if not find(at, set()):
                return None
        block_of = {at: number for number, at in holder.items()}
        return [block_of[at] for at in range(len(slots))]

    def proven(
        self,
        slots: Sequence[int],
        chosen: Sequence[int],
        fits: Sequence[Mapping[int, tuple[int, int]]],
        parents: Sequence[tuple[int, ...]],
        *,
        explain: bool,
    ) -> tuple[Genome, dict[str, str]] | None:
        """The decisions, if they lead to the network; blocks that were dropped may have had any level and type."""
        for rest in islice(self.dropped(slots, chosen), MOST_TRIED):
            at = dict(zip(slots, chosen, strict=True)) | {slot: number for slot, (number, _, _) in rest.items()}
            picks = {number: fit[number] for number, fit in zip(chosen, fits, strict=True)}
            picks |= {number: (level, type_) for number, level, type_ in rest.values()}
            reads = dict(zip(slots, parents, strict=True))
            genome = Genome(
                orders=tuple(tuple(at[slot] for slot in group) for group in self.space.groups),
                parents=tuple(
                    ()
                    if block.window is None
                    else reads.get(slot) or tuple(block.window.pool(slot))[: block.window.count]
                    for slot, block in enumerate(self.space.blocks)
                ),
                levels=tuple(picks[number][0] for number in range(len(self.space.blocks))),
                types=tuple(picks[number][1] for number in range(len(self.space.blocks))),
            )
            priced = self.costing.priced(genome)
            if self.same(priced, slots, explain=explain and not rest):
                return genome, {
                    row.name: self.space.blocks[number].name for row, number in zip(self.blocks, chosen, strict=True)
                }
        return None

    def dropped(self, slots: Sequence[int], chosen: Sequence[int]) -> Iterator[dict[int, tuple[int, int, int]]]:
        """What may stand in the other slots: block, level and type of each."""
        free = [slot for slot in range(len(self.space.blocks)) if slot not in slots]
        left = [number for number in range(len(self.space.blocks)) if number not in chosen]
        for group in self.space.groups:
            inside = [slot for slot in free if slot in group]
            if len([number for number in left if number in group]) != len(inside):
                return
        order = sorted(left, key=lambda number: next((min(g) for g in self.space.groups if number in g), number))
        places = sorted(free, key=lambda slot: next((min(g) for g in self.space.groups if slot in g), slot))
        options = [
            [
                (number, level, type_)
                for level in range(len(self.space.blocks[number].levels))
                for type_ in range(len(self.space.blocks[number].types))
            ]
            for number in order
        ]
        for choice in product(*options):
            yield dict(zip(places, choice, strict=True))

    # ---- the whole ----

    def same(self, priced: Priced | Excluded, slots: Sequence[int], *, explain: bool) -> bool:
        """What the decisions lead to is the network; otherwise why not."""
        if isinstance(priced, Excluded):
            if explain:
                why = REASONS[priced.reason][0].format(name=self.space.blocks[priced.block].name)
                self.no(self.network.network.declared.name.span, why, "")
            return False
        before = len(self.reasons)
        kept = {slot for slot, row in enumerate(priced.candidate.rows) if row is not None}
        if kept != set(slots):
            return self.unlike(kept, slots, explain=explain)
        for row, slot in zip(self.blocks, slots, strict=True):
            placed = priced.candidate.rows[slot]
            assert placed is not None
            own = sorted(slots[self.slot[name.text]] for name in row.declared.absorbed)
            if own != list(placed.absorbed):
                expected = one_of((self.blocks[slots.index(one)].name for one in placed.absorbed), conjunction="and")
                self.no(
                    row.span,
                    f"`{row.name}` absorbs other blocks than in the space",
                    f"expected {f'`absorb` of {expected}' if placed.absorbed else 'no `absorb`'}",
                )
            if not placed.chosen:
                self.kept(row, placed, slots)
            self.connected(row, placed.block, priced)
        self.given(priced)
        self.bounds(priced)
        found = len(self.reasons) == before
        if not explain:
            del self.reasons[before:]
        return found

    def kept(self, row: TypedRow, placed: Placed, slots: Sequence[int]) -> None:
        """A block whose parents are not chosen reads what it reads in the space's network."""
        declared = self.costing.declared[self.space.blocks[placed.block].name]
        stems = [name.text for name in declared.sources if name.text not in self.costing.blocks]
        theirs = [*(self.blocks[slots.index(slot)].name for slot in placed.parents), *stems]
        if sorted(self.sources(row)) != sorted(theirs):
            expected = one_of(theirs, conjunction="and")
            self.no(row.span, f"`{row.name}` reads others than in the space", f"expected {expected}")

    def given(self, priced: Priced) -> None:
        """Stems, outputs and heads compute what those of the space do."""
        for row in self.network.rows.values():
            if row.kind == "block":
                continue
            own = self.costing.end(priced.genome, row.name)
            mine = [self.key(call.module) for call in row.calls]
            if mine != [self.key(call.module) for call in own.calls]:
                self.no(
                    row.span,
                    f"{row.kind} `{row.name}` is another one than in the space",
                    f"expected {own.declared.row.use.span.text}, with the same channels and values",
                )

    def unlike(self, kept: set[int], slots: Sequence[int], *, explain: bool) -> bool:
        if explain:
            for slot in set(slots) - kept:
                row = self.blocks[slots.index(slot)]
                self.no(
                    row.span, f"nothing reads `{row.name}`, and nothing absorbs it in the space", "it would be dropped"
                )
        return False

    def connected(self, row: TypedRow, number: int, priced: Priced) -> None:
        """What resamples and joins the inputs of a row is what the space's network uses."""
        used = [one.resample for one in row.inputs if one.resample is not None]
        mine = [*used, *([row.join] if row.join is not None else [])]
        theirs = self.expected(row, number, priced)
        if theirs is not None and [self.key(call.module) for call in mine] != [self.key(one.module) for one in theirs]:
            self.no(
                row.span,
                f"`{row.name}` resamples or joins its inputs otherwise than in the space",
                "expected the same `resample` and `join`, with the same values",
            )

    def expected(self, row: TypedRow, number: int, priced: Priced) -> list[Call] | None:
        """What the space's network would use for those inputs, in their order."""
        if self.space.blocks[number].direct:
            return None
        return self.costing.used(
            priced.genome, priced.candidate, number, len(row.declared.absorbed), self.order(row, priced)
        )

    def order(self, row: TypedRow, priced: Priced) -> list[int | str]:
        """The slots that a row reads, or stems by name, in the order in which it names them."""
        kept = [slot for slot, one in enumerate(priced.candidate.rows) if one is not None]
        names = [name.text for name in row.declared.sources]
        return [kept[self.slot[name]] if name in self.slot else name for name in names]

    def bounds(self, priced: Priced) -> None:
        for keep in self.space.keeps:
            value = figure(priced, keep.figure)
            if value is not None and not keep.holds(value):
                self.no(
                    self.network.network.declared.name.span,
                    f"it has {value:,} {keep.figure.replace('_', '-')}",
                    f"expected {keep.operator} {keep.bound:,}",
                    Label(self.space.declared.name.span, "in this space"),
                )


def _shapeless(type_: Type) -> Hashable:
    return type_.channels, type_.level


__all__ = ["Answer", "Candidate", "contains"]
