"""Whether a network lies in a space: by which decisions it is one of its candidates, or every reason why it is not.

Names do not matter: a block of the network may be any block of the space that can be like it, in the same slot. What
must be equal is what is computed: types, levels, channels, resampling, joins, outputs and heads; the size of the input
may differ. A network of fewer blocks may be one from which orphans were dropped.

Decisions are sought block by block, and then the candidate that they lead to is laid beside the network (`proof`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice, product

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, one_of
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.record import Record
from spinedsl.spaces.costing import Costing, Unfit
from spinedsl.spaces.model import Genome
from spinedsl.spaces.proof import Proof

MOST_TRIED = 20_000  # ways to place blocks that were dropped
MOST_MATCHED = 1_000  # ways to say which block is which, where rows that keep their inputs tell them apart


class Answer(Record):
    """`genome` gives the network; None where it lies outside: see `reasons`. `called` has other names of blocks."""

    genome: Genome | None
    reasons: tuple[Diagnostic, ...]
    called: Mapping[str, str]


def contains(costing: Costing, network: TypedNetwork) -> Answer:
    """Whether a network that has no mistakes lies in a space.

    Raises:
        Unfit: the compiler refuses the only decisions that lead to it.
    """
    reader = _Reader(costing, network)
    found = reader.read()
    if found is None:
        return Answer(None, tuple(reader.reasons), {})
    genome, names = found
    return Answer(genome, (), {own: name for own, name in names.items() if own != name})


class _Reader(Proof):
    """A network against a space. `unfit` is the first mistake of decisions that may lead to it."""

    unfit: Unfit | None = None

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
            found = self.placed(tuple(range(n)), explain=True)
            if found is None and self.unfit is not None and not self.reasons:
                raise self.unfit
            return found
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
        first = self.matched(slots, fits)
        if first is None:
            if explain:
                span = self.network.network.declared.name.span
                self.no(
                    span,
                    "its blocks cannot be those of the space, each once",
                    "each by itself could be one, but two would have to be the same",
                )
            return None
        reads = [one or () for one in parents]
        for chosen in self.matchings(first, fits):
            if (found := self.proven(slots, chosen, fits, reads, explain=explain and chosen is first)) is not None:
                return found
        return None

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

    def matchings(self, first: list[int], fits: Sequence[Mapping[int, tuple[int, int]]]) -> Iterator[list[int]]:
        """Ways to say which block is which: one will do, unless a row that keeps its inputs names some of them."""
        yield first
        moved = {number for group in self.space.groups for number in group}
        kept = [block for block in self.space.blocks if block.window is None]
        if moved.isdisjoint(number for block in kept for number in (*block.reads, *block.absorbs)):
            return

        def ways(at: int, taken: tuple[int, ...]) -> Iterator[list[int]]:
            if at == len(fits):
                yield [*taken]
            for number in fits[at] if at < len(fits) else ():
                if number not in taken:
                    yield from ways(at + 1, (*taken, number))

        yield from (one for one in islice(ways(0, ()), MOST_MATCHED) if one != first)

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
            try:
                priced = self.costing.priced(genome)
            except Unfit as unfit:  # by what was dropped, perhaps: something else may have been
                self.unfit = self.unfit or unfit
                continue
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
