"""What heads give that is not what their tasks need, told by the types of their values and the operations behind them.

In: a typed network. Out: the misfits, each with its task and the row of the head. Nothing is told of a task or a head
with a mistake of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from spinedsl.ops.graph import of_head
from spinedsl.ops.program import yielded_as
from spinedsl.ops.tasks import Given, Misfit
from spinedsl.record import Record
from spinedsl.source import Span

if TYPE_CHECKING:
    from spinedsl.ir.typed import TypedNetwork, TypedRow, TypedTask


class TaskMisfit(Record, eq=False):
    """What is wrong with what a head gives to a task; `place` is where the task names it."""

    task: TypedTask
    head: TypedRow
    place: Span
    misfit: Misfit


def task_misfits(network: TypedNetwork) -> Iterator[TaskMisfit]:
    """Every task whose heads give something else than its kind needs."""
    for task in network.tasks:
        yield from _of_task(network, task)


def _of_task(network: TypedNetwork, task: TypedTask) -> Iterator[TaskMisfit]:
    kind, names = task.declared.kind, task.declared.heads
    if kind is None or not task.declared.sound or len(task.chosen) < len(names):
        return
    if len(task.arguments) < len(kind.attributes):
        return
    rows = {clause: network.rows[name.text] for clause, name in names.items()}
    heads: dict[str, Given] = {}
    for clause, row in rows.items():
        nodes, types, values = of_head(row.calls[0])
        yields = () if clause in task.declared.parts else yielded_as(row.calls[0].module.yields)
        heads[clause] = Given(tuple(values[number] for number in task.chosen[clause]), types, nodes, yields, row.name)
    for misfit in kind.misfits(heads, task.arguments):
        head, part = names[misfit.clause], task.declared.parts.get(misfit.clause)
        place = head.span if part is None else head.span.to(part.span)
        yield TaskMisfit(task, rows[misfit.clause], place, misfit)
