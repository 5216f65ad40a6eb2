"""Shifts of levels: from the `level_shift` of a row to the levels that it leads to, or why a block cannot be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spinedsl import checks as say
from spinedsl.diagnostics import Diagnostic, Edit, Label
from spinedsl.ir.elaborate.settings import MAX_LEVEL, Settings
from spinedsl.ir.expand import Context, Work
from spinedsl.ir.networks import Network, RowDecl
from spinedsl.ir.typed import TypedNetwork
from spinedsl.record import Record
from spinedsl.syntax import tree

MAX_SHIFT = 30


class Shifts(Record, frozen=False):
    """What shifts of a network's blocks lead to; what is wrong with one is added to `diagnostics`."""

    network: Network
    typed: TypedNetwork | None
    rows: Mapping[str, RowDecl]
    diagnostics: list[Diagnostic]

    def levels(self, name: str, choice: tree.LevelShift) -> tuple[int, tuple[int, ...]] | None:
        """The first shift of a row, and the level that each leads to."""
        bounds = [(choice.low, choice.high), *([choice.within] if choice.within is not None else [])]
        known = [self.is_range(low, high) for low, high in bounds]
        if not all(known):
            return None
        level = self.typed.rows[name].level if self.typed is not None else None
        if level is None:
            return None
        low, high = int(choice.low.value), int(choice.high.value)
        lowest, highest = (int(end.value) for end in choice.within) if choice.within else (level + low, level + high)
        found = tuple(min(max(level + shift, lowest), highest) for shift in range(low, high + 1))
        for shift, reached in enumerate(found, low):
            if (why := self.why_not(name, reached)) is not None:
                self.outside(name, choice, level, shift, reached, why)
                return None
        return low, found

    def is_range(self, low: tree.Number, high: tree.Number) -> bool:
        """Two whole numbers, the smaller one first; otherwise what is wrong was reported."""
        for end in (low, high):
            if not isinstance(end.value, int) or abs(end.value) > MAX_SHIFT:
                if all(one.span != end.span for one in self.diagnostics):
                    self.diagnostics.append(
                        say.SHIFT_OUTSIDE.at(
                            end.span,
                            what=f"`{end.span.text}` is no level, nor a difference of two",
                            label=f"expected a whole number, {MAX_SHIFT} at most",
                        ).with_fix("as in `-1..2`")
                    )
                return False
        if low.value > high.value:
            place = low.span.to(high.span)
            if all(one.span != place for one in self.diagnostics):
                found = say.EMPTY_RANGE.at(place, low=low.value, high=high.value)
                self.diagnostics.append(
                    found.repaired(Edit(place, f"{high.value}..{low.value}"), low=low.value, high=high.value)
                )
            return False
        return True

    def why_not(self, name: str, level: int) -> str | None:
        """Why a block cannot have a level."""
        assert self.typed is not None
        stems = [row.level for row in self.typed.rows.values() if row.kind == "stem" and row.level is not None]
        if stems and level < min(stems):
            return f"the stem ends at level {min(stems)}"
        if level > MAX_LEVEL:
            return f"levels end at {MAX_LEVEL}"
        row = self.rows[name]
        needs = (
            "channels" not in row.clauses and row.defined is not None and row.defined.parameter("channels") is not None
        )
        if needs and self.typed.rows[name].channels is not None and level not in self.widths:
            return f"level {level} is not in `widths`"
        size = self.typed.input_type
        if size is not None and not self.typed.any_size and (size.height % 2**level or size.width % 2**level):
            return f"{size.height} x {size.width} does not divide by {2**level}"
        return None

    @property
    def widths(self) -> Iterable[int]:
        """The levels that have a width."""
        settings = Settings(self.network, Context(self.network, Work()))
        settings.open()
        settings.read_widths()
        return settings.widths

    def outside(self, name: str, choice: tree.LevelShift, level: int, shift: int, reached: int, why: str) -> None:
        """A shift that leads where the block cannot be; reported once for a choice."""
        if any(found.code is say.SHIFT_OUTSIDE and found.span == choice.span for found in self.diagnostics):
            return
        what = f"a shift of {shift:+d} leads `{name}` from level {level} to level {reached}"
        found = say.SHIFT_OUTSIDE.at(choice.span, what=what, label=why)
        found = found.with_others(Label(self.rows[name].row.name.span, f"`{name}` is written here"))
        legal = [one for one in range(MAX_LEVEL + 1) if self.why_not(name, one) is None]
        if choice.within is None and legal and set(range(legal[0], legal[-1] + 1)) == set(legal):
            text = f" within {legal[0]}..{legal[-1]}"
            place = choice.span.source.span(choice.span.end, choice.span.end)
            found = found.with_fix(f"say where it ends: `within {legal[0]}..{legal[-1]}`", Edit(place, text))
        elif legal:
            found = found.with_fix(f"levels {legal[0]} to {legal[-1]} are possible")
        self.diagnostics.append(found)
