"""Lower: from a `CheckedNetwork` to an `ops.Program`. Only restructures; every decision was made before.

Total: a network that passed its checks has every type and module, so nothing here can fail.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import cast

from spinedsl.brief import Table
from spinedsl.ir.library import Unit
from spinedsl.ir.typed import CheckedNetwork, TypedNetwork, TypedRow, TypedTask
from spinedsl.ops.program import Connection, Part, Program, Row, SourceText, Task
from spinedsl.ops.types import Loc, Type
from spinedsl.source import Source
from spinedsl.syntax import tree

PRELUDE = "std/"  # begins the names of the prelude's files


def lower(checked: CheckedNetwork) -> Program:
    """The network as a program."""
    typed = checked.typed
    rows = tuple(_row(row, typed.input_name) for row in _needed(typed))
    outputs = [row for row in rows if row.kind == "output"]
    return Program(
        name=typed.name,
        input_name=typed.input_name,
        input_type=cast(Type, typed.input_type),
        rows=rows,
        outputs=(
            *(row.name for row in sorted(outputs, key=lambda row: cast(int, row.level))),
            *(name for row in rows if row.kind == "head" for name in row.values),
        ),
        divisor=typed.divisor,
        static_axes=dict(typed.static_axes),
        constants=typed.constants,
        sources=_sources(typed.network.unit),
        loc=typed.loc,
        any_size=typed.any_size,
        tasks=tuple(_task(task, {row.name: row for row in rows}) for task in typed.tasks),
        parts=_parts(typed.network.declared),
        one_size=typed.one_size,
    )


def _needed(typed: TypedNetwork) -> list[TypedRow]:
    """The rows, less those of parts that nothing reads."""
    read: set[str] = set()
    found: list[TypedRow] = []
    for row in reversed([*typed.rows.values()]):
        if not row.is_inner or row.name in read:
            found.append(row)
            read |= {name.text for name in (*row.declared.sources, *row.declared.absorbed)}
    return found[::-1]


def _row(row: TypedRow, input_name: str) -> Row:
    """One row. A stem that names no other reads the network's input."""
    declared = row.declared.row
    type_ = cast(Type, row.type)
    inputs = tuple(Connection(connection.source.text, connection.resample) for connection in row.inputs)
    return Row(
        kind=row.kind,
        name=row.name,
        type_name=declared.use.name.text if row.declared.defined is not None else "",
        level=row.level,
        inputs=inputs or (Connection(input_name, None),),
        absorbed=tuple(name.text for name in row.declared.absorbed),
        join=row.join,
        calls=row.calls,
        repeated="repeat" in row.declared.clauses,
        type=type_,
        parts=row.parts,
        loc=Loc(declared.span.source.name, declared.span.line),
    )


def _task(task: TypedTask, rows: Mapping[str, Row]) -> Task:
    """One task, with the outputs that its heads give."""
    declared = task.declared
    heads = {clause: name.text for clause, name in declared.heads.items()}
    given = {clause: tuple(rows[name].values) for clause, name in heads.items()}
    return Task(
        name=declared.name,
        kind=declared.task.use.name.text,
        arguments=Table(task.arguments),
        heads=heads,
        outputs={clause: tuple(given[clause][number] for number in task.chosen[clause]) for clause in heads},
        loc=Loc(declared.task.span.source.name, declared.task.span.line),
        parts={clause: name.text for clause, name in declared.parts.items()},
    )


def _parts(declared: tree.Network) -> Mapping[str, Part]:
    """What was put into a network as a part, outer parts first."""

    def row(name: str) -> str:
        frame = declared.frames.get(name.rpartition(".")[0])
        if frame is not None and (own := name.rpartition(".")[2]) in frame.inputs:
            return row(frame.inputs[own].text)
        found = declared.given.get(name, ())
        return row(found[0]) if len(found) == 1 and found[0] != name else name

    return Table(
        {
            prefix: Part(
                network=frame.network,
                inputs={own: row(name.text) for own, name in frame.inputs.items()},
                outputs=dict(frame.outputs),
                loc=Loc(frame.span.source.name, frame.span.line),
                weights=frame.weights,
            )
            for prefix, frame in sorted(declared.frames.items(), key=lambda item: item[0].count("."))
        }
    )


def _sources(unit: Unit) -> tuple[SourceText, ...]:
    """The network's own file first, then what it imports, each once."""
    found: dict[int, Unit] = {}
    pending = [unit]
    while pending:
        part = pending.pop(0)
        if id(part) not in found:
            found[id(part)] = part
            pending += part.imports
    sources = [part.file.source for part in found.values()]
    return tuple(SourceText(source.name, source.text, _label(source, sources[0])) for source in sources)


def _label(source: Source, first: Source) -> str:
    """What a model calls a file: its path from the folder of the network's own file, wherever that stands."""
    if source.name.startswith(PRELUDE):
        return source.name
    if source is first or not (source.origin and first.origin):
        return PurePath(source.name.replace("\\", "/")).name or source.name
    path = os.path.relpath(source.origin, PurePath(first.origin).parent).replace(os.sep, "/")
    path = path.encode("utf-8", "backslashreplace").decode()  # bytes that are no UTF-8
    return f"./{path}" if path.startswith(PRELUDE) else path
