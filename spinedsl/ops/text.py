"""A program as text, and as JSON has it: every operation of every row, with nothing hidden.

In: a `Program`. Out: text that is the same on every machine, so that a change of the compiler or of a network shows as
a difference of lines. In the text, attributes that stand at their default are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from spinedsl.diagnostics.plain import one_line
from spinedsl.ops.graph import Graph, Node, flatten
from spinedsl.ops.naming import names_for, path_of, value_names
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.ops.program import Connection, Program, Row, Task
from spinedsl.ops.tasks import TASKS
from spinedsl.ops.types import Value


def to_text(program: Program) -> str:
    """One operation a line: its name, what is applied to what, the type that comes out and the `.spine` line."""
    graph = flatten(program)
    names = value_names(graph, names_for(graph))
    of_row: dict[str, list[Node]] = {row.name: [] for row in program.rows}
    for node in graph.nodes:
        of_row[node.row].append(node)
    lines = _header(graph)
    for row in program.rows:
        lines += [
            "",
            _row(row, program.weights_of(row.name)),
            *_aligned([_cells(node, names, graph) for node in of_row[row.name]]),
        ]
    return "\n".join(lines) + "\n"


def plain(program: Program) -> dict[str, Any]:
    """The same for programs, ready for JSON. Shapes are those of one image, without the batch."""
    graph = flatten(program)
    names = value_names(graph, names_for(graph))
    of_row: dict[str, list[dict[str, Any]]] = {row.name: [] for row in program.rows}
    for node in graph.nodes:
        of_row[node.row].append(_plain_node(node, names, graph))
    return {
        "network": program.name,
        "file": program.loc.file,
        "line": program.loc.line,
        "input": {"name": program.input_name, "shape": list(program.input_type.shape)},
        "divisor": program.divisor,
        "any_size": program.any_size,
        "outputs": {name: list(graph.types[value].shape) for name, value in graph.outputs.items()},
        "tasks": plain_tasks(program),
        "rows": [
            {**_plain_row(row, program.weights_of(row.name)), "operations": of_row[row.name]} for row in program.rows
        ],
    }


def plain_tasks(program: Program) -> list[dict[str, Any]]:
    """What its heads mean, ready for JSON."""
    return [
        {
            "name": task.name,
            "kind": task.kind,
            "arguments": {name: _plain_value(value) for name, value in task.arguments.items()},
            "heads": dict(task.heads),
            "outputs": {clause: list(names) for clause, names in task.outputs.items()},
            "file": task.loc.file,
            "line": task.loc.line,
        }
        for task in program.tasks
    ]


def task_text(task: Task) -> str:
    """A task as a row of a file, with all its arguments that are read."""
    idle = [one.name for one in TASKS[task.kind].attributes if any(i.holds(task.arguments) for i in one.idle)]
    read = {name: value for name, value in task.arguments.items() if name not in idle and value != ()}
    given = ", ".join(f"{name} = {shown(value)}" for name, value in read.items())
    heads = " ".join(f"{clause} {named}" for clause, named in task.named.items())
    return f"task {task.name}: {task.kind}{f'({given})' if given else ''} {heads}"


def _plain_row(row: Row, weights: str) -> dict[str, Any]:
    """A row as data for JSON; `weights` is what its parameters' names begin with."""
    return {
        "name": row.name,
        "kind": row.kind,
        "type": row.type_name,
        "level": row.level,
        "inputs": [
            {"row": one.source, "resample": one.resample.module.definition if one.resample is not None else None}
            for one in row.inputs
        ],
        "absorbed": list(row.absorbed),
        "join": row.join.module.definition if row.join is not None else None,
        "repeat": len(row.calls) if row.repeated else 1,
        "weights": weights,
        "values": {name: list(type_.shape) for name, type_ in row.values.items()},
        "file": row.loc.file,
        "line": row.loc.line,
    }


def _plain_node(node: Node, names: Sequence[str], graph: Graph) -> dict[str, Any]:
    return {
        "name": names[node.result],
        "path": path_of(node),
        "primitive": node.primitive,
        "inputs": [names[value] for value in node.inputs],
        "attributes": {name: _plain_value(value) for name, value in node.attributes.items()},
        "parameters": node.parameters,
        "shape": list(graph.types[node.result].shape),
        "file": node.loc.file,
        "line": node.loc.line,
    }


def _plain_value(value: Value) -> Any:
    """A compile-time value as JSON has it; a ratio is the nearest number."""
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value


def shown(value: Value) -> str:
    """A compile-time value as a `.spine` file writes it; a ratio without a finite decimal as a fraction."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if not isinstance(value, Fraction) or value.denominator == 1:
        return str(value)
    rest = value.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return str(value) if rest != 1 else _decimal(value)


def _decimal(value: Fraction) -> str:
    """All digits of a ratio that has finitely many."""
    places = 0
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' * (value < 0)}{digits[:-places]}.{digits[-places:]}"


def _header(graph: Graph) -> list[str]:
    program = graph.program
    outputs = (f"{name} {graph.types[value]}" for name, value in graph.outputs.items())
    return [
        f"network {program.name}  {one_line(program.loc)}",
        f"input   {program.input_name} {program.input_type}",
        _sizes(program),
        *(f"output  {output}" for output in outputs),
        *(f"{task_text(task).replace(' ', '    ', 1)}  {one_line(task.loc)}" for task in program.tasks),
    ]


def _sizes(program: Program) -> str:
    if program.one_size:
        return "sizes   fixed"
    return "sizes   any" if program.any_size else f"divisor {program.divisor}"


def _row(row: Row, weights: str) -> str:
    """The row itself, much as the file has it, but complete."""
    parts = [row.kind, f"{row.name}:"] + ([row.type_name] if row.type_name else [])
    parts += [f"level {row.level}"] if row.level is not None else []
    if row.inputs:
        parts.append("from " + ", ".join(_connection(connection) for connection in row.inputs))
    if row.join is not None:
        parts.append(f"join {row.join.module.definition}")
    if row.absorbed:
        parts.append("absorb " + ", ".join(row.absorbed))
    if row.repeated:
        parts.append(f"repeat {len(row.calls)}")
    if weights != row.name:
        parts.append(f"weights {weights}")
    given = ", ".join(f"{name} {type_}" for name, type_ in row.parts) or str(row.type)
    return f"{' '.join(parts)}  -> {given}  {one_line(row.loc)}"


def _connection(connection: Connection) -> str:
    resample = connection.resample
    return connection.source + (f" ({resample.module.definition})" if resample is not None else "")


def _cells(node: Node, names: Sequence[str], graph: Graph) -> tuple[str, ...]:
    primitive = PRIMITIVES[node.primitive]
    default = {attribute.name: attribute.default for attribute in primitive.attributes if not attribute.required}
    arguments = [names[value] for value in node.inputs]
    arguments += [
        f"{name}={shown(value)}"
        for name, value in node.attributes.items()
        if name not in default or value != default[name]
    ]
    applied = f"{node.primitive}({', '.join(arguments)})"
    return path_of(node), names[node.result], f"= {applied}", f"-> {graph.types[node.result]}", one_line(node.loc)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of cells in columns. The path is left out where the value is named by it."""
    rows = [(name if name == path else f"{name} [{path}]", *rest) for path, name, *rest in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [f"    {line}".rstrip() for line in lines]
