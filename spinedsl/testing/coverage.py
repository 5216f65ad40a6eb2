"""What random networks covered: level jumps by block type by change of channels, and the rules that refused a mistake.

In: checked networks, one after the other. Out: counts, and a table of them.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

from spinedsl.ir.typed import TypedNetwork
from spinedsl.record import Record, field

Cell: TypeAlias = tuple[str, int, str]  # block type, levels from the input to the block, change of channels
NARROWER, SAME, WIDER = "<", "=", ">"


class Covered(Record, frozen=False):
    """Counts of what was seen. `codes` are those that a planted mistake was refused with."""

    cells: Counter[Cell] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    networks: int = 0
    blocks: int = 0

    def see(self, typed: TypedNetwork) -> None:
        """Count the blocks of a network, once for each input."""
        self.networks += 1
        for row in typed.rows.values():
            defined = row.declared.defined
            if row.declared.row.kind != "block" or defined is None or row.type is None or row.type.level is None:
                continue
            self.blocks += 1
            for source in row.declared.sources:
                type_ = typed.rows[source.text].type
                if type_ is not None and type_.level is not None:
                    difference = row.type.channels - type_.channels
                    change = SAME if not difference else WIDER if difference > 0 else NARROWER
                    self.cells[defined.name, row.type.level - type_.level, change] += 1

    def table(self) -> list[str]:
        """A line for each block type, a column for each jump, and in it the changes of channels that were seen."""
        types = sorted({type_ for type_, _, _ in self.cells})
        jumps = sorted({jump for _, jump, _ in self.cells})
        if not types:
            return []
        rows = [["levels", *(f"{jump:+d}" if jump else "0" for jump in jumps)]]
        for type_ in types:
            seen = ["".join(c for c in (NARROWER, SAME, WIDER) if self.cells[type_, jump, c]) for jump in jumps]
            rows.append([type_, *(cell or "." for cell in seen)])
        widths = [max(len(row[column]) for row in rows) for column in range(len(jumps) + 1)]
        return [
            "  ".join(c.ljust(w) if n == 0 else c.rjust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        ]
