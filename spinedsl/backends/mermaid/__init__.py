"""The Mermaid backend: a program as a flow chart in text, which GitHub and many editors show as a picture.

In: a `Program`. Out: one `.mmd` file: a node for each row with its type and shape, or the first of its shapes and how
many more there are, and an arrow for each connection with what resamples it. The smallest backend there is: a new one
has `emit`, a file in `tables/`, and a name in `Target`.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.backends import Options
from spinedsl.diagnostics import Outcome
from spinedsl.ops.program import Program, Row

# How Mermaid writes the outline of a node, by the kind of row.
OUTLINES = {"stem": ("[/", "\\]"), "block": ("[", "]"), "output": ("([", "])"), "head": ("{{", "}}")}


def emit(program: Program, options: Options) -> Outcome[dict[str, bytes]]:
    """The chart as `NAME.mmd`."""
    return Outcome({f"{program.name}.mmd": ("\n".join(_lines(program)) + "\n").encode()})


def _lines(program: Program) -> Iterator[str]:
    type_ = program.input_type
    yield f"%% {program.name}: input {type_.channels} x {type_.height} x {type_.width}"
    yield "flowchart LR"
    yield f'    {_id(program.input_name)}(("{program.input_name}"))'
    for row in program.rows:
        yield _node(row)
    for row in program.rows:
        yield from _arrows(row)


def _id(name: str) -> str:
    """A node's identifier: names such as `end` mean something to Mermaid, so none stands alone."""
    return f"n_{name}"


def _node(row: Row) -> str:
    left, right = OUTLINES[row.kind]
    times = f" x {len(row.calls)}" if row.repeated else ""
    kind = [f"{row.type_name}{times}"] if row.type_name else []
    first, *more = row.values.values()
    shape = f"{first} and {len(more)} more" if more else str(first)
    lines = [row.name, *kind, shape]
    return f'    {_id(row.name)}{left}"{"<br/>".join(lines)}"{right}'


def _arrows(row: Row) -> Iterator[str]:
    for connection in row.inputs:
        how = connection.resample
        label = f"|{how.module.definition}|" if how is not None else ""
        yield f"    {_id(connection.source)} -->{label} {_id(row.name)}"
    for name in row.absorbed:
        yield f"    {_id(name)} -. absorbed .-> {_id(row.name)}"
