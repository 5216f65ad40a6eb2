"""Tasks compared: what changed, and what it breaks.

Who reads a head by its task no longer finds it, or finds something else: that is the interface. An argument says what
is made of a head's numbers, as an anchor does: other numbers come of the same weights. A further task breaks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from spinedsl.compare.model import Change, Reason, Tier
from spinedsl.compare.rows import ARGUMENT
from spinedsl.compare.side import Side
from spinedsl.ops.program import Task
from spinedsl.ops.text import shown, task_text


def task_changes(old: Side, new: Side) -> Iterator[Change]:
    """Tasks added and dropped, and part by part what changed in those that both networks have."""
    was, now = _by_name(old), _by_name(new)
    for name in dict.fromkeys([*now, *was]):
        if name not in was:
            yield Change("task", name, "added", new=_text(now[name]))
        elif name not in now:
            yield Change("task", name, "dropped", old=_text(was[name]))
        else:
            left, right = _parts(was[name]), _parts(now[name])
            for part in (part for part in dict.fromkeys([*left, *right]) if left.get(part) != right.get(part)):
                yield Change("task", name, "changed", part, left.get(part, ""), right.get(part, ""))


def task_reasons(old: Side, new: Side) -> Iterator[Reason]:
    """Why tasks raise the tier; those of the highest come first."""
    pairs = [(was, _by_name(new).get(was.name)) for was in old.program.tasks]
    for was, now in pairs:
        about = f"task {was.name}"
        if now is None:
            yield Reason(Tier.INTERFACE, about, "dropped")
        elif now.kind != was.kind:
            yield Reason(Tier.INTERFACE, about, f"{now.kind}, was {was.kind}")
        else:
            for clause in dict.fromkeys([*was.named, *now.named]):
                left, right = was.named.get(clause, "nothing"), now.named.get(clause, "nothing")
                if left != right:
                    yield Reason(Tier.INTERFACE, about, f"{clause} {right}, was {left}")
    for was, now in pairs:
        for name, value in now.arguments.items() if now is not None and now.kind == was.kind else ():
            if value != was.arguments[name]:
                text = f"{name} {shown(value)}, was {shown(was.arguments[name])}"
                yield Reason(Tier.NUMERIC, f"task {was.name}", text)


def _by_name(side: Side) -> dict[str, Task]:
    return {task.name: task for task in side.program.tasks}


def _text(task: Task) -> str:
    return task_text(task).partition(": ")[2]


def _parts(task: Task) -> dict[str, str]:
    """What a task says, part by part: its kind, its heads by clause, its arguments."""
    arguments = {f"{ARGUMENT}{name}": shown(value) for name, value in task.arguments.items()}
    return {"kind": task.kind, **task.named, **arguments}
