"""Tasks: what the outputs of a network mean, as one table: losses, decoding, figures.

In: outputs of a network, and what is true of each image. Out: a loss, what was recognised, figures. Everything here is
a pure function on tensors; training, evaluation and prediction read the table, and know no task by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from spinedsl.tasks import classification, detection, embedding, intervals, pairs
from spinedsl.tasks.detection.task import DETECTION
from spinedsl.tasks.pairs import Pairs
from spinedsl.tasks.task import BOXES, LABELS, Reading, Shown, Task, Taught, Unfit, row_of
from spinedsl.tasks.vectors import CLASSIFICATION, EMBEDDING

__all__ = [
    "BOXES",
    "LABELS",
    "TASKS",
    "Pairs",
    "Reading",
    "Shown",
    "Task",
    "Taught",
    "Unfit",
    "classification",
    "detection",
    "embedding",
    "intervals",
    "pairs",
    "row_of",
]

TASKS: Mapping[str, Task] = {task.kind: task for task in (CLASSIFICATION, EMBEDDING, DETECTION)}
