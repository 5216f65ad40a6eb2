"""Proof that a candidate is a network: what each block reads and absorbs, what resamples and joins, ends and bounds.

In: a network, and the candidate that some decisions lead to. Out: the reasons why the one is not the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Label, one_of
from spinedsl.ir.typed import TypedNetwork, TypedRow
from spinedsl.ops.graph import trains
from spinedsl.ops.program import Call, Module
from spinedsl.ops.types import Type
from spinedsl.source import Span
from spinedsl.spaces.candidates import figure
from spinedsl.spaces.costing import Costing, Priced
from spinedsl.spaces.decode import REASONS, Excluded, Placed
from spinedsl.spaces.several import told_apart


class Proof:
    """A network beside candidates of a space. `reasons` are those found so far."""

    def __init__(self, costing: Costing, network: TypedNetwork) -> None:
        self.costing, self.space, self.network = costing, costing.space, network
        self.blocks = [row for row in network.rows.values() if row.kind == "block"]
        self.slot = {row.name: slot for slot, row in enumerate(self.blocks)}
        self.reasons: list[Diagnostic] = []
        self.keys: dict[int, tuple[Module, Hashable]] = {}

    def no(self, span: Span, what: str, label: str, *others: Label) -> None:
        """One reason against it."""
        self.reasons.append(say.NOT_IN_SPACE.at(span, what=what, label=label).with_others(*others))

    def sources(self, row: TypedRow) -> list[str]:
        """The names of what a row reads."""
        return [name.text for name in row.declared.sources]

    def key(self, module: Module) -> Hashable:
        """What a module computes, whatever the size of its input."""
        if id(module) not in self.keys:
            weights: dict[Hashable, int] = {}  # numbers of what events train, equal where they share it
            events = tuple(
                (
                    event.at.called,
                    weights.setdefault(event.path, len(weights)) if trains(event, module.types) else None,
                    tuple(sorted((name, str(attr.value)) for name, attr in event.attributes.items()))
                    if event.module is None
                    else self.key(event.module),
                    event.inputs,
                )
                for event in module.events
            )
            self.keys[id(module)] = module, (events, tuple(_shapeless(one) for one in module.types), module.results)
        return self.keys[id(module)][1]

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
        blocks = iter([self.blocks[slots.index(slot)].name for slot in placed.parents])
        theirs = [next(blocks) if name.text in self.costing.blocks else name.text for name in declared.sources]
        own, expected = self.sources(row), one_of(theirs, conjunction="and")
        if sorted(own) != sorted(theirs):
            self.no(row.span, f"`{row.name}` reads others than in the space", f"expected {expected}")
        elif own != theirs and told_apart(declared):
            self.no(
                row.span,
                f"`{row.name}` reads the same as in the space in another order",
                f"expected {expected}, in this order",
            )

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
        """Other blocks are left than the network has."""
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
        """What the space bounds is within its bounds."""
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
