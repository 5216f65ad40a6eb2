"""Prune: the part of a program that some of its outputs need.

In: a program and names of outputs. Out: a program of those outputs alone, with the rows that they are made of, in the
order that the file has. Rows stay whole: a head is kept with all that it reads as soon as one of its values is wanted.
A task goes with the outputs that it reads.
"""

from __future__ import annotations

from collections.abc import Collection

from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.record import replace


def prune(program: Program, outputs: Collection[str]) -> Program:
    """The program that gives only `outputs`, which are some of its own. It remembers whose weights are left out.

    Its divisor is that of the levels which are left. An absorbed map is kept with the block that absorbs it.
    """
    needed = set(outputs)
    for row in reversed(program.rows):  # a row reads only from those above
        if needed.intersection(row.values):
            needed.add(row.name)
            needed.update(row.sources)
    rows = tuple(row for row in program.rows if row.name in needed)
    weights = {program.weights_of(row.name) for row in rows}
    without = (program.weights_of(row.name) for row in program.rows if row.name not in needed)
    tasks = tuple(task for task in program.tasks if all(map({*outputs}.issuperset, task.outputs.values())))
    kept = replace(
        program,
        rows=rows,
        tasks=tasks,
        dropped_tasks=(*program.dropped_tasks, *(task for task in program.tasks if task not in tasks)),
        outputs=tuple(name for name in program.outputs if name in outputs),
        dropped=(*program.dropped, *dict.fromkeys(name for name in without if name not in weights)),
    )
    highest = max(type_.level or 0 for type_ in flatten(kept).types)
    return kept if program.any_size else replace(kept, divisor=1 << highest)
