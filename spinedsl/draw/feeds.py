"""What feeds what: the connections of a network between the rows that are drawn, as the arrows show them."""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.ops.program import Call, Program, Row
from spinedsl.record import Record


class Feed(Record):
    """A connection from one drawn row to another. An output is drawn in the block that it reads.

    `kind` is `resampled`, `direct` (as it is), `absorbed` (added as it is) or `read` (by a head); `through` names the
    output that a head reads the block through.
    """

    source: str
    target: str
    kind: str
    through: str | None = None
    resample: Call | None = None


def drawn_rows(program: Program) -> tuple[Row, ...]:
    """Stems, blocks and heads, in order."""
    return tuple(row for row in program.rows if row.kind != "output")


def output_names(program: Program) -> dict[str, tuple[str, ...]]:
    """The outputs that read each row, by the row's name."""
    names: dict[str, tuple[str, ...]] = {}
    for row in program.rows:
        if row.kind == "output":
            source = row.inputs[0].source
            names[source] = (*names.get(source, ()), row.name)
    return names


def feeds(program: Program) -> Iterator[Feed]:
    """Every connection between drawn rows, in the order of the rows that are fed."""
    behind = {row.name: row.inputs[0].source for row in program.rows if row.kind == "output"}
    for row in drawn_rows(program):
        for connection in row.inputs:
            joined = row.join is not None or connection.resample is not None
            kind = "read" if row.kind == "head" else "resampled" if joined else "direct"
            source = behind.get(connection.source, connection.source)
            through = connection.source if connection.source in behind else None
            if source != program.input_name:
                yield Feed(source, row.name, kind, through, connection.resample)
        for name in row.absorbed:
            yield Feed(name, row.name, "absorbed")
