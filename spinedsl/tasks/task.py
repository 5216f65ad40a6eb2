"""What a kind of task is: which outputs of a network it reads, what it is taught by, its loss, decoding and figures.

In: a program, its outputs by name, what is true of each image. Out: a loss, what was recognised, figures. A kind is a
record of functions; whoever trains, evaluates or predicts calls them, and knows no kind by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from torch import Tensor

from spinedsl.ops.detection import Detector
from spinedsl.ops.program import Program
from spinedsl.ops.program import Task as TaskRow
from spinedsl.record import Record
from spinedsl.settings import Odd, Setting

Values: TypeAlias = Mapping[str, Any]  # of a task's settings, by name
Outputs: TypeAlias = Mapping[str, Tensor]  # of a network, by name
Size: TypeAlias = tuple[int, int]  # height and width of the network's image

LABELS, BOXES = "labels", "boxes"  # what may be true of an image: its class, or the objects in it


class Reading(Record, eq=False):
    """What a task reads of a network.

    `name` is that of the output or, where there are several, of the network's task row; `outputs` are all of them.
    `features` are the numbers of a vector, or the classes that are told apart.
    """

    name: str
    outputs: tuple[str, ...]
    features: int
    detector: Detector | None = None

    @property
    def boxes(self) -> Detector:
        """The detector, of a task that is about boxes."""
        assert self.detector is not None
        return self.detector


class Unfit(Exception):
    """A network gives nothing that a task can read: the reason, and what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


class Taught(Record, eq=False):
    """The loss of some images, a scalar.

    Without `count` it is a mean over them. With one it is a sum, to be divided by the `count`s of all images of a step,
    in whatever parts and processes they are, or by 1 if there are none.
    """

    loss: Tensor
    count: Tensor | None = None
    parts: Mapping[str, Tensor] = {}  # of what the loss is the sum, where that is worth a line: in the same form


class Shown(Record, eq=False):
    """What is drawn of an image: words, whether it is right, and boxes in pixels of the network's image.

    Each box has its sides, whether it was found (or is there), and its words.
    """

    words: str
    right: bool
    boxes: tuple[tuple[tuple[float, float, float, float], bool, str], ...] = ()


class Task(Record, eq=False):
    """What outputs mean.

    * `reads` says what of a program is meant, by its task row if it has one, and by the name that was asked for; it
      raises `Unfit`. `odd` are settings that do not go with that; the last argument tells which were written. `told` is
      how it is taught, in words, where that is worth a line.
    * `tensors` are those that only training has: the shape of each, from the features, how many classes there are, and
      the settings.
    * `loss` gets what is read, the outputs, the truth of the batch, those tensors, the settings and the step.
    * `decode` makes of the outputs of a batch what is used; `apart` takes that, and the truth, to pieces: one for each
      image, on the CPU. Of those `metrics` gives figures, and `best` is the one by which the best checkpoint is chosen:
      the higher the better. `shown` gives what is drawn of the first images.
    * `mix` makes of images and their truth mixed ones, where the kind has a setting `mixup`.
    * `compares` tells whether the loss only asks which images of a batch are of one class, and not of what class.
    * `needs` are packages beside those of all training.
    """

    kind: str
    about: str
    output: str  # what the network has to give
    truth: str  # LABELS or BOXES
    settings: tuple[Setting, ...]
    reads: Callable[[Program, TaskRow | None, str | None], Reading]
    tensors: Callable[[int, int, Values], dict[str, tuple[int, ...]]]
    loss: Callable[[Reading, Outputs, Any, Mapping[str, Tensor], Values, int], Taught]
    decode: Callable[[Reading, Outputs, Size, Values], Any]
    apart: Callable[[Any, Any], tuple[list[Any], list[Any]]]
    metrics: Callable[..., dict[str, float]]  # of what was found, what is there, and `Pairs` where a list has some
    best: str
    shown: Callable[[Sequence[Any], Sequence[Any], int, Sequence[str]], list[Shown]]
    by_class: bool  # its labels are those of the outputs, a number or a box's class each
    mix: Callable[[Tensor, Tensor, int, float, Tensor], tuple[Tensor, Tensor]] | None = None
    told: Callable[[Reading, Values], str] = lambda reading, values: ""
    odd: Callable[[Reading, Values, Callable[[str], bool]], Iterator[Odd]] = lambda reading, values, says: iter(())
    compares: Callable[[Values], bool] = lambda values: False
    needs: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()  # settings that decoding reads, which whoever uses the network may change

    def __brief__(self) -> str:
        return self.kind

    def values(self, given: Values) -> dict[str, Any]:
        """Its own settings; those that are not given have their defaults."""
        return {setting.name: given.get(setting.name, setting.default) for setting in self.settings}


def row_of(program: Program, kind: str, asked: str | None) -> TaskRow | None:
    """The network's task row of a kind: the only one, or the one that is called so or names such an output."""
    rows = [row for row in program.tasks if row.kind == kind]
    if asked is not None:
        rows = [row for row in rows if asked == row.name or any(asked in names for names in row.outputs.values())]
    return rows[0] if len(rows) == 1 else None
