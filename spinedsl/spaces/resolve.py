"""Resolve a search space: from its tree, the network that it is of and that network's types, to a `Space`.

Every mistake of a space is found here, each reported once, at its place in the space. Whatever is left is a space all
of whose candidates are networks, but for those that its `orphans` and `keep` rows leave out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label, Outcome, one_of
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.library import Unit
from spinedsl.ir.networks import Network, RowDecl, with_article
from spinedsl.ir.resolve.names import Names
from spinedsl.ir.resolve.rows import RowResolver
from spinedsl.ir.typed import TypedNetwork
from spinedsl.record import Record, field
from spinedsl.spaces import written
from spinedsl.spaces.model import FATES, FIGURES, Block, Keep, Space, Window
from spinedsl.spaces.several import inputs_chosen, own_resampling, parts_of, unfit_types
from spinedsl.spaces.shifts import Shifts
from spinedsl.syntax import tree
from spinedsl.syntax.format import text_of

T = TypeVar("T", tree.Parents, tree.LevelShift, tree.Types)
COMPARISONS = ("<=", "<", ">=", ">")
USUAL_FATES = ("absorb", "exclude")


def resolve_space(declared: tree.Space, unit: Unit, network: Network, typed: TypedNetwork | None) -> Outcome[Space]:
    """The space, and what is wrong with it.

    Args:
        declared: as it is written.
        unit: of its file.
        network: what it is of.
        typed: the same with every value known; None where that has mistakes, which were reported.
    """
    resolver = _Resolver(declared, unit, network, typed)
    space = resolver.run()
    return Outcome(space if not resolver.diagnostics else None, tuple(resolver.diagnostics))


class _Resolver(Record, frozen=False):
    declared: tree.Space
    unit: Unit
    network: Network
    typed: TypedNetwork | None
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows: Mapping[str, RowDecl] = {row.name: row for row in self.network.rows}
        self.names = [row.name for row in self.network.rows if row.row.kind == "block"]
        self.slots: Mapping[str, int] = {name: slot for slot, name in enumerate(self.names)}
        self.permutes: dict[int, tree.Permute] = {}  # that of each slot
        self.shifts = Shifts(self.network, self.typed, self.rows, self.diagnostics)

    def run(self) -> Space | None:
        if (what := parts_of(self.network)) is not None:
            self.report(say.SPACE_OF_PARTS.at(self.declared.base.span, network=self.network.name, what=what).repaired())
            return None
        if self.typed is not None and self.typed.one_size:
            self.report(say.SPACE_OF_ONE_SIZE.at(self.declared.base.span, network=self.network.name).repaired())
            return None
        groups = self.groups()
        parents = self.by_row("parents", tree.Parents)
        windows = {name: window for name, choice in parents.items() if (window := self.window(name, choice))}
        shifts = {
            name: found
            for name, choice in self.by_row("level_shift", tree.LevelShift).items()
            if (found := self.shifts.levels(name, choice))
        }
        types = self.types()
        fates, keeps = self.fates(), self.keeps()
        unread = any(isinstance(item, tree.Broken) for item in self.declared.items)  # which may choose parents
        if not unread:
            self.alike_in_groups(groups, parents, windows)
        if self.diagnostics:
            return None
        if not unread and not self.network.broken:
            self.order_kept(groups, windows)
        if self.diagnostics or self.typed is None or any(self.typed.rows[name].level is None for name in self.names):
            return None  # of an unknown level, what is wrong is reported with the network
        blocks = tuple(self.block(name, windows, shifts, types) for name in self.names)
        space = Space(
            name=self.declared.name.text,
            declared=self.declared,
            unit=self.unit,
            network=self.network,
            typed=self.typed,
            blocks=blocks,
            groups=groups,
            ends=self.ends(),
            fates=fates,
            keeps=keeps,
        )
        self.names_apart(space)
        return space

    def report(self, found: Diagnostic) -> None:
        self.diagnostics.append(found)

    def of_kind(self, kind: type[T]) -> list[T]:
        return [item for item in self.declared.items if isinstance(item, kind)]

    # ---- rows that are named ----

    def among(self, rows: Sequence[tree.Among]) -> Iterator[tuple[str, tree.Among]]:
        """The blocks that a choice is about, each with the place where it is named."""
        for among in rows:
            ends = [among.first] if among.last is None else [among.first, among.last]
            known = [self.is_block(name) for name in ends]  # of both, so that both are reported
            if not all(known):
                continue
            first, last = self.slots[ends[0].text], self.slots[ends[-1].text]
            if first > last:
                low, high = ends[0].text, ends[1].text
                self.report(
                    say.EMPTY_RANGE.at(among.span, low=low, high=high).repaired(
                        Edit(among.span, f"{high}..{low}"), low=low, high=high
                    )
                )
                continue
            for name in self.names[first : last + 1]:
                yield name, among

    def is_block(self, name: tree.Name) -> bool:
        """The network has a block of that name; otherwise what is wrong was reported."""
        if name.text in self.slots:
            return True
        if name.text in self.network.mentioned or name.text in self.unit.mentioned:
            return False
        row = self.rows.get(name.text)
        if row is not None:
            found = say.WRONG_KIND.at(name.span, name=name.text, got=with_article(row.row.kind), expected="a block")
            found = found.with_others(Label(row.row.name.span, f"{with_article(row.row.kind)} here"))
            self.report(found.with_fix("name blocks: what reads them follows by itself"))
            return False
        found = say.UNKNOWN_NAME.at(name.span, kind="block", name=name.text, where=f"in network `{self.network.name}`")
        near = self.unit.nearest(name.text, self.names)
        if near is None and self.names:
            found = found.with_notes(f"its blocks are {one_of(self.names, conjunction='and', limit=20)}")
        self.report(found.with_rename(name.span, near))
        return False

    def taken(self, name: str, among: tree.Among, word: str, before: Mapping[str, tree.Among]) -> bool:
        """A choice was made for the row already, which is reported."""
        if name not in before:
            return False
        found = say.CHOSEN_TWICE.at(among.span, name=name, word=word)
        found = found.with_others(Label(before[name].span, "chosen here already"))
        self.report(found.with_fix(f"take `{name}` away from one of the two"))
        return True

    def by_row(self, word: str, kind: type[T]) -> dict[str, T]:
        """The choices of a kind by the rows that they are about: one for each."""
        found: dict[str, T] = {}
        places: dict[str, tree.Among] = {}
        for choice in self.of_kind(kind):
            again: set[tree.Among] = set()
            for name, among in self.among(choice.rows):
                several = kind is tree.Parents and (self.takes_several(name, among) or self.says_own(name, among))
                if among in again or several or self.taken(name, among, word, places):
                    again.add(among)  # one mistake, however many rows the two have in common
                    continue
                found[name], places[name] = choice, among
        return found

    def takes_several(self, name: str, among: tree.Among) -> bool:
        """Nothing chooses the inputs of a block that takes its maps one by one, which is reported once for a choice."""
        return self.told(inputs_chosen(self.rows[name], among))

    def says_own(self, name: str, among: tree.Among) -> bool:
        """Nor those of a block that says of one of them how it is resampled."""
        return self.told(own_resampling(self.rows[name], among))

    def told(self, found: Diagnostic | None) -> bool:
        """Something is wrong, which is reported once at its place."""
        if found is not None and all(found.span != other.span for other in self.diagnostics):
            self.report(found)
        return found is not None

    # ---- each kind of choice ----

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The slots of each `permute`."""
        found: list[tuple[int, ...]] = []
        places: dict[str, tree.Among] = {}
        for choice in (item for item in self.declared.items if isinstance(item, tree.Permute)):
            own: list[int] = []
            again: set[tree.Among] = set()
            for name, among in self.among(choice.rows):
                if among in again or self.takes_several(name, among) or self.taken(name, among, "permute", places):
                    again.add(among)
                    continue
                places[name] = among
                self.permutes[self.slots[name]] = choice
                own.append(self.slots[name])
            found.append(tuple(sorted(own)))
        return tuple(found)

    def window(self, name: str, choice: tree.Parents) -> Window | None:
        """How the parents of a row are chosen."""
        count, last = choice.count.value, choice.window.value if choice.window is not None else None
        most = self.typed.most_inputs if self.typed is not None else None
        least = self.typed.least_inputs if self.typed is not None else 1
        if not isinstance(count, int) or count < max(least, 1) or (most is not None and count > most):
            self.no_parents(choice.count, name, f"expected a whole number from {max(least, 1)} to {most}", choice)
            return None
        if last is not None and (not isinstance(last, int) or last < count):
            assert choice.window is not None
            self.no_parents(choice.window, name, f"expected a whole number, {count} at least", choice)
            return None
        window = Window(count, last)
        given = {item.keyword for item in self.network.declared.items if isinstance(item, tree.Setting)}
        lacking = [word for word in self.network.joining if word not in given]
        if self.rows[name].direct and lacking and not self.network.broken:
            self.not_joined(name, choice, lacking)
            return None
        if self.network.broken:  # a row that could not be read may stand above
            return window
        if (above := len(window.pool(self.slots[name]))) < count:
            fix = f"leave `{name}` out, which keeps the parents that it has, or choose fewer"
            self.no_parents(choice.count, name, f"only {counted(above, 'block')} above `{name}`", choice, fix)
            return None
        return window

    def not_joined(self, name: str, choice: tree.Parents, lacking: Sequence[str]) -> None:
        """A row that is fed by `after` in a network that does not say how inputs are resampled and joined."""
        label = f"`{name}` is fed by `after`, and `{self.network.name}` has no `{'` and no `'.join(lacking)}`"
        settings = "`resample spinenet` and `join activated_sum` with `import std.resample`"
        fix = f"say it in the network, as in {settings}, or leave `{name}` out"
        self.no_parents(choice.count, name, label, choice, fix)

    def no_parents(
        self,
        at: tree.Number,
        name: str,
        label: str,
        choice: tree.Parents,
        fix: str = "as in `2 of last 5`, or `2 of all`",
    ) -> None:
        """Parents that cannot be chosen so; reported once for a choice."""
        if any(found.code is say.FEW_PARENTS and found.span == at.span for found in self.diagnostics):
            return
        found = say.FEW_PARENTS.at(at.span, name=name, what=choice.span.text.partition(":")[2].strip(), label=label)
        self.report(found.with_fix(fix))

    def types(self) -> dict[str, tuple[tree.Use, ...]]:
        """The types that each row may have, each looked at once."""
        names = Names(self.network.declared, self.unit, None, self.diagnostics)
        for parameter in self.network.declared.parameters:
            names.scope.names[parameter.name.text] = ("parameter", parameter.name.span)
        for let in self.network.lets:
            names.scope.names[let.name.text] = ("let", let.name.span)
        resolver = RowResolver(names, {"resample": None, "join": None})
        for choice in self.of_kind(tree.Types):
            seen: dict[str, tree.Use] = {}
            for use in choice.uses:
                resolver.typed_use(use, "block_type")
                if (first := seen.setdefault(text_of(use.span), use)) is not use:
                    found = say.CHOSEN_TWICE.at(use.span, name=text_of(use.span), word="types")
                    found = found.with_others(Label(first.span, "named here already"))
                    self.report(found.with_fix("take one of the two away"))
        chosen = self.by_row("types", tree.Types)
        for found in unfit_types(self.unit, self.rows, chosen):
            self.report(found)
        return {name: choice.uses for name, choice in chosen.items()}

    def fates(self) -> tuple[str, ...]:
        """What becomes of a block that nothing reads."""
        rows = [item for item in self.declared.items if isinstance(item, tree.Orphans)]
        for again in rows[1:]:
            found = say.SETTING_TWICE.at(again.span, what="orphans", where="space", name=self.declared.name.text)
            self.report(found.with_others(Label(rows[0].span, "first set here")).repaired())
        if not rows:
            return USUAL_FATES
        known = FATES if len(rows[0].fates) == 1 else FATES[1:]
        fate = rows[0].fates[-1]
        if fate.text not in known:
            found = say.UNKNOWN_ENTRY.at(fate.span, what="`orphans`", name=fate.text, known=one_of(known))
            self.report(found.with_rename(fate.span, self.unit.nearest(fate.text, known)))
        fates = tuple(fate.text for fate in rows[0].fates)
        return USUAL_FATES if fates == ("absorb",) else fates

    def keeps(self) -> tuple[Keep, ...]:
        """The bounds."""
        found: list[Keep] = []
        for item in self.declared.items:
            if not isinstance(item, tree.Keep):
                continue
            if item.figure.text not in FIGURES:
                wrong = say.UNKNOWN_ENTRY.at(
                    item.figure.span, what="`keep`", name=item.figure.text, known=one_of(FIGURES)
                )
                near = ELSEWHERE.get(item.figure.text.lower()) or self.unit.nearest(item.figure.text, FIGURES)
                self.report(wrong.with_rename(item.figure.span, near))
            if item.operator not in COMPARISONS:
                between = item.span.source.span(item.figure.span.end, item.bound.span.start)
                wrong = say.UNEXPECTED.at(between, found=item.operator, expected=one_of(COMPARISONS))
                self.report(wrong.with_fix("a bound is at most, or at least, a number", Edit(between, " <= ")))
            found.append(Keep(item.figure.text, item.operator, item.bound.value))
            if item.figure.text in FIGURES and item.operator in COMPARISONS:
                self.leaves_room(item, found)
        return tuple(found)

    def leaves_room(self, item: tree.Keep, found: Sequence[Keep]) -> None:
        """A bound and those above it can be kept together; otherwise what is wrong is reported, once for each."""
        *before, last = found
        rows = [one for one in self.declared.items if isinstance(one, tree.Keep)]
        for keep, row in zip(before, rows, strict=False):
            if keep.figure == last.figure and keep.operator in COMPARISONS and not keep.meets(last):
                wrong = say.BOUNDS_EXCLUDE.at(item.span, one=keep, other=last)
                self.report(wrong.with_others(Label(row.span, "the other bound")).repaired())
                return

    # ---- what the choices mean together ----

    def alike_in_groups(
        self, groups: Sequence[Sequence[int]], parents: Mapping[str, object], windows: Mapping[str, Window]
    ) -> None:
        """Parents are chosen by slot: the blocks that share slots choose alike."""
        for group in groups:
            names = [self.names[slot] for slot in group]
            other = next((name for name in names if windows.get(name) != windows.get(names[0])), None)
            if other is None or any(name in parents and name not in windows for name in names):
                continue
            found = say.PARENTS_DIFFER.at(self.permutes[group[0]].span, one=names[0], other=other)
            fix = f"give both the same `parents`, as in `parents {names[0]}, {other}: 2 of all`, or permute them apart"
            self.report(found.with_fix(fix))

    def order_kept(self, groups: Sequence[Sequence[int]], windows: Mapping[str, Window]) -> None:
        """What keeps its parents stands below them, wherever `permute` puts both."""
        spans = {slot: group for group in groups for slot in group}
        for name in self.names:
            row, slot = self.rows[name], self.slots[name]
            if name in windows:
                continue
            highest = min(spans.get(slot, (slot,)))
            for source in (*row.sources, *row.absorbed):
                at = self.slots.get(source.text)
                if at is None or (at not in spans and slot not in spans) or max(spans.get(at, (at,))) < highest:
                    continue
                permute = self.permutes[at if at in spans else slot]
                if all(one.code is not say.ORDER_NOT_KEPT or one.span is not permute.span for one in self.diagnostics):
                    found = say.ORDER_NOT_KEPT.at(permute.span, user=name, name=source.text)
                    found = found.with_others(Label(source.span, "read here"))
                    self.report(found.with_fix(f"let its parents be chosen too, as in `parents {name}: 2 of all`"))
                break

    def names_apart(self, space: Space) -> None:
        """All that candidates are made of can stand in one file, whichever files it comes from."""
        for first, second in written.of_one_name(space):
            name, of_prelude = second.name, first.unit.file.source.name.startswith(written.PRELUDE)
            found = say.DEFINED_TWICE.at(
                self.declared.name.span, name=name, what="a candidate, which is one file with all that it uses,"
            )
            places = [Label(one.definition.name.span, f"`{name}` is defined here") for one in (first, second)]
            fix = f"rename that of your own, say `{name}_2`" if of_prelude else "rename one of the two"
            self.report(found.with_others(*places).with_fix(fix))

    def block(
        self,
        name: str,
        windows: Mapping[str, Window],
        shifts: Mapping[str, tuple[int, tuple[int, ...]]],
        types: Mapping[str, tuple[tree.Use, ...]],
    ) -> Block:
        """A block with what may be chosen of it."""
        row, window = self.rows[name], windows.get(name)
        assert self.typed is not None
        level = self.typed.rows[name].level
        assert level is not None
        low, levels = shifts.get(name, (0, (level,)))
        fixed = window is None
        return Block(
            name=name,
            row=row.row,
            levels=levels,
            types=types.get(name, (row.row.use,)),
            window=window,
            reads=tuple(self.slots[one.text] for one in row.sources if one.text in self.slots) if fixed else (),
            absorbs=tuple(self.slots[one.text] for one in row.absorbed) if fixed else (),
            direct=row.direct and fixed,
            low=low,
        )

    def ends(self) -> dict[int, bool]:
        """The blocks that outputs and heads read; true where an output does."""
        found: dict[int, bool] = {}
        for row in self.network.rows:
            for source in row.sources if row.row.kind in ("output", "head") else ():
                if source.text in self.slots:
                    slot = self.slots[source.text]
                    found[slot] = found.get(slot, False) or row.row.kind == "output"
        return found


ELSEWHERE = {  # what other places call a figure
    "flops": "multiply_adds", "macs": "multiply_adds", "madds": "multiply_adds", "gflops": "multiply_adds",
    "params": "parameters", "weights": "parameters", "peak_memory": "memory", "activations": "memory",
}  # fmt: skip
