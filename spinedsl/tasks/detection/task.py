"""Detection as a row of the table of tasks: boxes of classes, from the maps that a network's task row names.

In: outputs, and the `Scene` of each image. Out: what `tasks.task.Task` says. Average precision is computed on boxes in
the pictures' own pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from spinedsl.brief import counted
from spinedsl.ops.detection import KIND, MOST, OVERLAP, SCORE, TOP, detector
from spinedsl.ops.program import Program
from spinedsl.ops.program import Task as TaskRow
from spinedsl.record import Record
from spinedsl.settings import Odd, Setting
from spinedsl.tasks.detection.boxes import pairwise_iou, placed
from spinedsl.tasks.detection.decoding import decode
from spinedsl.tasks.detection.finding import in_pictures
from spinedsl.tasks.detection.objective import lesson, losses_of
from spinedsl.tasks.detection.precision import PACKAGES, Objects, average_precision, words
from spinedsl.tasks.detection.suppression import Candidates, Found
from spinedsl.tasks.detection.teaching import SETTINGS, odds, teaching
from spinedsl.tasks.pairs import Pairs
from spinedsl.tasks.task import BOXES, Outputs, Reading, Shown, Size, Task, Taught, Unfit, Values

if TYPE_CHECKING:
    from spinedsl.data.preprocessing import Placement

DRAWN = 0.3  # the score from which a box is drawn
SAME = 0.5  # the overlap from which a box is that of an object, for what is drawn

DECODING = (
    Setting("score", "number", SCORE, "the score that a box has to be above to be found", 0, 1),
    Setting("overlap", "number", OVERLAP, "the overlap above which the lower one of two boxes of a class goes", 0, 1),
    Setting("top", "whole", TOP, "how many candidates of each level are looked at", 1),
    Setting("most", "whole", MOST, "how many boxes are found in an image; average precision counts 100", 1),
)


class Scene(Record, eq=False):
    """What is in an image: `objects` in pixels of the network's image, the `original` ones in those of the picture.

    `placement` says how the picture came to be the network's image.
    """

    objects: Objects
    original: Objects
    placement: Placement


def _reads(program: Program, row: TaskRow | None, asked: str | None) -> Reading:
    """What the task row says.

    Raises:
        Unfit: there is none, or several.
    """
    rows = [one.name for one in program.tasks if one.kind == KIND]
    if row is None and len(rows) > 1:
        raise Unfit(f"it has the tasks {', '.join(rows)}", "choose one: `output = …` in [task], the name of a task")
    if row is None:
        fix = "add a row such as `task find: detection(classes = 80) classes f.scores boxes f.boxes`"
        raise Unfit("it has no task that says which maps are the classes and which the boxes", fix)
    what = detector(program, row.name)
    return Reading(row.name, (*what.scores, *what.boxes, *what.quality), what.classes, what)


def _loss(
    reading: Reading, outputs: Outputs, truth: Sequence[Scene], tensors: Mapping[str, Tensor], values: Values, step: int
) -> Taught:
    """The sum of all parts, each with its weight."""
    how = teaching(reading.boxes, values)
    given = lesson(reading.boxes, outputs, [scene.objects for scene in truth], how)
    parts = losses_of(reading.boxes, outputs, given, 1, how)
    weights = {"boxes": how.boxes_weight, "quality": how.quality_weight}
    weighed = {name: weights.get(name, 1.0) * part for name, part in parts.items()}
    return Taught(torch.stack([*weighed.values()]).sum(), given.count, weighed)


def _found(reading: Reading, outputs: Outputs, size: Size, values: Values) -> Found:
    settings = {setting.name: values[setting.name] for setting in DECODING}
    return decode(reading.boxes, outputs, size, **settings)


def _apart(decoded: Found, truth: Sequence[Scene]) -> tuple[list[Candidates], list[Scene]]:
    """What was found in each picture, in its own pixels."""
    there = in_pictures(decoded, [scene.placement for scene in truth])
    found = [there.of(number) for number in range(len(truth))]
    return [Candidates(one.boxes.cpu(), one.scores.cpu(), one.labels.cpu()) for one in found], list(truth)


def _figures(found: Sequence[Candidates], there: Sequence[Scene], pairs: Pairs | None = None) -> dict[str, float]:
    """COCO's, without those of sizes that no object has."""
    labels = torch.cat([one.labels for one in found] + [scene.original.labels for scene in there])
    classes = int(labels.max()) + 1 if len(labels) else 1
    precision = average_precision(found, [scene.original for scene in there], classes)
    return {name: value for name, value in words(precision).items() if math.isfinite(value)}


def _shown(found: Sequence[Candidates], there: Sequence[Scene], count: int, names: Sequence[str]) -> list[Shown]:
    """How many objects were found, and how many boxes are of none, among those of a good score."""
    shown = []
    for one, scene in zip(found[:count], there[:count], strict=True):
        sure = one.scores >= DRAWN
        boxes, labels = one.boxes[sure], one.labels[sure]
        objects = scene.original
        counted = torch.ones(len(objects.boxes), dtype=torch.bool) if objects.crowds is None else ~objects.crowds
        same = pairwise_iou(objects.boxes[counted].float(), boxes) >= SAME
        same &= objects.labels[counted][:, None] == labels[None]
        right, extra = int(same.any(1).sum()), int((~same.any(0)).sum())
        text = f"{right} of {int(counted.sum())}" + (f", {extra} more" if extra else "")
        drawn = [(_sides(box), False, "") for box in placed(objects.boxes.float(), scene.placement)]
        called = [names[label] if label < len(names) else str(label) for label in labels.tolist()]
        moved = placed(boxes, scene.placement)
        drawn += [(_sides(box), True, name) for box, name in zip(moved, called, strict=True)]
        shown.append(Shown(text, right == int(counted.sum()) and not extra, tuple(drawn)))
    return shown


def _sides(box: Tensor) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom


def _odd(reading: Reading, values: Values, says: Callable[[str], bool]) -> Iterator[Odd]:
    yield from (Odd(*one) for one in odds(reading.boxes, values, says))


def _told(reading: Reading, values: Values) -> str:
    what, how = reading.boxes, teaching(reading.boxes, values)
    places = f"{counted(len(what.sides), 'anchor')} a position" if what.sides else "points"
    strides = ", ".join(map(str, what.strides))
    losses = f"{how.classification} and {how.boxes} losses" + (", and one of quality" if what.quality else "")
    return f"{places} at strides {strides}, matched by {how.matching}; {losses}"


DETECTION = Task(
    kind=KIND,
    about="boxes around objects, of classes",
    output="a task row that says which maps are the classes and which the boxes",
    truth=BOXES,
    settings=(*SETTINGS, *DECODING),
    reads=_reads,
    tensors=lambda features, classes, values: {},
    loss=_loss,
    decode=_found,
    apart=_apart,
    metrics=_figures,
    best="ap",
    shown=_shown,
    by_class=True,
    told=_told,
    odd=_odd,
    needs=PACKAGES,
    limits=tuple(setting.name for setting in DECODING),
)
