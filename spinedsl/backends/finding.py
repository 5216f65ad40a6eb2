"""What a program that is compiled with `detect` finds, and what of it is kept.

In: a program and the options of a backend. Out: a `Detector` and `Limits`; or why there is none, as diagnostics.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from spinedsl import checks as say
from spinedsl.backends import Options, line_of
from spinedsl.brief import cut
from spinedsl.diagnostics import Diagnostic, Outcome, nearest, one_of
from spinedsl.ops.detection import KIND, Detector, Limits, detector
from spinedsl.ops.program import Program
from spinedsl.ops.tasks import TASKS
from spinedsl.ops.types import Loc


def finding(program: Program, options: Options, methods: Collection[str] = ()) -> Outcome[tuple[Detector, Limits]]:
    """What the task of the options finds. `methods` are names that no row may have."""
    wrong = tuple(_wrong(program, options.task, methods))
    if wrong:
        return Outcome(None, wrong)
    limits = Limits(options.score, options.top, options.overlap, options.max_detections)
    return Outcome((detector(program, options.task or None), limits))


def _wrong(program: Program, asked: str, methods: Collection[str]) -> Iterator[Diagnostic]:
    names = [task.name for task in program.tasks if task.kind == KIND]
    chosen = asked in names or (not asked and len(names) == 1)
    left = [task for task in program.dropped_tasks if task.kind == KIND]
    gone = next((task for task in left if task.name == asked), left[0] if left and not names else None)
    if gone is not None:
        found = _no_boxes(program, gone.loc, f"`--outputs` leaves out `{gone.name}`", "it reads more outputs")
        outputs = ",".join(output for clause in gone.outputs.values() for output in clause)
        yield found.with_fix(f"leave `--outputs` out, or name what the task reads: `--outputs {outputs}`")
    elif not names:
        fix = "add `" + TASKS[KIND].example + "`, with the names of its heads"
        yield _no_boxes(program, program.loc, "it has no detection task", "no task here finds boxes").with_fix(fix)
    elif not chosen and asked:
        near = nearest(asked, names)
        fix = f"did you mean `--task {near}`?" if near else f"it has {one_of(names, conjunction='and')}"
        yield _no_boxes(
            program, program.loc, f"it has no detection task `{cut(asked, 40)}`", "of this network"
        ).with_fix(fix)
    elif not chosen:
        reason = f"it has {len(names)} detection tasks, {one_of(names, conjunction='and')}"
        yield _no_boxes(program, program.loc, reason, "of this network").with_fix(f"choose one: `--task {names[0]}`")
    for row in program.rows:
        if row.name in methods:
            found = _no_boxes(program, row.loc, f"its row `{row.name}` has the name of a method", "named here")
            yield found.with_fix("give the row another name")


def _no_boxes(program: Program, loc: Loc, reason: str, label: str) -> Diagnostic:
    return say.NO_DETECTOR.at(line_of(program, loc), network=program.name, reason=reason, label=label)
