"""Detection: what a task row of that kind says, as the numbers that decoding needs, whatever decodes.

In: a program and one of its tasks. Out: a `Detector`: the outputs of each level, strides, classes, and anchors if it
has any. PyTorch and exported models read the one.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import inf, log, sqrt

from spinedsl.brief import cut
from spinedsl.ops.program import Program, Task
from spinedsl.ops.types import Value
from spinedsl.record import Record

KIND = "detection"
DETECTION = "spine.detection"  # the property of a model that says how it finds boxes
SCORE, TOP, OVERLAP, MOST = 0.05, 1000, 0.5, 100
LARGEST = log(1000 / 16)  # what the logarithm of the factor of an anchor's side is cut at, as in Detectron


class Limits(Record):
    """What is kept of what a detector could say.

    `score` is the threshold that a score has to be above, `top` how many candidates of each level are kept, `overlap`
    the IoU above which the lower one of two boxes of a class goes, and `most` how many boxes an image can have.
    """

    score: float = SCORE
    top: int = TOP
    overlap: float = OVERLAP
    most: int = MOST


class Detector(Record, eq=False):
    """What the heads of a detector mean, level by level from fine to coarse.

    `scores`, `boxes` and, if there is any, `quality` are names of outputs. `sides` has width and height of each anchor
    at a position, in strides, and is empty where boxes are distances from points.
    """

    name: str
    classes: int
    strides: tuple[int, ...]
    scores: tuple[str, ...]
    boxes: tuple[str, ...]
    quality: tuple[str, ...] = ()
    sides: tuple[tuple[float, float], ...] = ()

    def __brief__(self) -> str:
        how = f"{len(self.sides)} anchors" if self.sides else "points"
        return f"{cut(self.name, 30)}: {self.classes} classes, {how} at strides {', '.join(map(str, self.strides))}"


def detector(program: Program, name: str | None = None) -> Detector:
    """What a detection task says.

    Args:
        program: the network.
        name: of the task; it may be left out where there is only one of this kind.

    Raises:
        ValueError: there is none, or none of that name, or several to choose from.
    """
    tasks = {task.name: task for task in program.tasks if task.kind == KIND}
    if name is None and len(tasks) == 1:
        (task,) = tasks.values()
        return _detector(program, task)
    if name in tasks:
        return _detector(program, tasks[name])
    known = f"it has {', '.join(tasks)}" if tasks else "it has none: add `task find: detection(…) …`"
    what = f"no detection task `{cut(str(name), 40)}`" if name is not None else "not one detection task"
    raise ValueError(f"network `{cut(program.name, 40)}` has {what}; {known}")


def _detector(program: Program, task: Task) -> Detector:
    levels = [program.row(task.heads["boxes"]).values[output].level for output in task.outputs["boxes"]]
    order = sorted(range(len(levels)), key=lambda number: levels[number] or 0)
    by_clause = {clause: tuple(names[number] for number in order) for clause, names in task.outputs.items()}
    classes = task.arguments["classes"]
    assert isinstance(classes, int)
    return Detector(
        task.name,
        classes,
        tuple(2 ** (levels[number] or 0) for number in order),
        by_clause["classes"],
        by_clause["boxes"],
        by_clause.get("quality", ()),
        anchor_sides(task.arguments),
    )


def anchor_sides(arguments: Mapping[str, Value]) -> tuple[tuple[float, float], ...]:
    """Width and height of each anchor at a position, in strides; none where there are no ratios.

    Scale by scale, and of a scale ratio by ratio. Scale i of n has the area of a square of side size * 2^(i/n): Lin et
    al., ICCV 2017, arXiv 1708.02002, section 4, in the order of the released code of SpineNet. A ratio is width by
    height.
    """
    ratios, scales, size = (arguments[name] for name in ("ratios", "scales", "size"))
    assert isinstance(ratios, tuple)
    assert isinstance(scales, int)
    sides = [float(Fraction(size)) * 2 ** (scale / scales) for scale in range(scales)]  # type: ignore[arg-type]
    roots = [sqrt(Fraction(ratio)) for ratio in ratios]  # type: ignore[arg-type]
    return tuple((side * root, side / root) for side in sides for root in roots)


def logit(share: float) -> float:
    """The number whose sigmoid is a share: minus infinity of 0 and less, infinity of 1 and more."""
    if 0 < share < 1:
        return log(share / (1 - share))
    return -inf if share <= 0 else inf
