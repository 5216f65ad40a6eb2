"""The network that is measured or quantised: of a file and weights, or of a checkpoint, which has both and a task.

In: a path, or a program. Out: the program of what the task reads, its values, the checkpoint where there is one, and
how pictures become what the network takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinedsl import api, contents
from spinedsl import checks as say
from spinedsl.backends import line_of
from spinedsl.brief import counted
from spinedsl.diagnostics import one_of
from spinedsl.ops.graph import flatten
from spinedsl.ops.program import Program
from spinedsl.ops.prune import prune
from spinedsl.record import Record, replace
from spinedsl.source import Source, Span
from spinedsl.training.folder import checkpoint_in

if TYPE_CHECKING:
    from spinedsl.data.preprocessing import Preprocessing
    from spinedsl.training.build import Trained


class Given(Record, eq=False):
    """What is quantised. `origin` says where the values come from, `checkpoint` is the path of the trained network."""

    program: Program
    tensors: Mapping[str, Any]
    pre: Preprocessing
    origin: str
    trained: Trained | None = None
    checkpoint: str = ""
    of_checkpoint: bool = False  # whose own texts the network is of

    @property
    def finds_boxes(self) -> bool:
        """It was trained to."""
        from spinedsl.tasks import BOXES  # noqa: PLC0415  torch is only needed here

        return self.trained is not None and self.trained.task.truth == BOXES

    @property
    def place(self) -> Span:
        """Where to say something of the network: its line, or the checkpoint, whose texts are no files."""
        return (
            line_of(self.program, self.program.loc)
            if not self.of_checkpoint
            else Source(self.checkpoint, "").span(0, 0)
        )


def is_checkpoint(file: object) -> bool:
    """It is the folder of a run, or a file of tensors such as a checkpoint: no text of a network."""
    if not isinstance(file, str | PathLike) or fspath(file) == "-":
        return False
    path = Path(file)
    return path.is_dir() or _is_weights(path)


def _is_weights(file: Path) -> bool:
    try:
        return contents.kind_of(file) == contents.SAFETENSORS
    except (OSError, ValueError, contents.Unknown):
        return False


def of_checkpoint(file: Path) -> Given:
    """The network of a checkpoint, or of the last one in the folder of a run.

    Raises:
        Mistakes: it cannot be opened.
    """
    from spinedsl.training.build import open_trained  # noqa: PLC0415  torch is only needed here

    file = checkpoint_in(file) or file
    outcome = open_trained(file)
    if outcome.value is None:
        raise api.Mistakes(outcome.diagnostics)
    trained = outcome.value
    program = trained.of_task
    tensors = {name: tensor.detach().cpu().numpy() for name, tensor in trained.module.state_dict().items()}
    needed = {name: tensors[name] for name in flatten(program).parameters}
    origin = f"a training, step {trained.about['step']}"
    return Given(program, needed, trained.preprocessing, origin, trained, str(file), of_checkpoint=True)


class Fitted(Record, eq=False):
    """A file's network as the checkpoint that its weights are takes it: what its task reads, at its pictures' size."""

    program: Program
    pre: Preprocessing
    trained: Trained | None


def fitted(
    program: Program, weights: Path | None, *, sized: bool, at: Callable[[int, int], Program | None]
) -> Fitted | None:
    """A network with what its weights say of pictures and task, where they are a checkpoint.

    `sized` tells whether the size was asked for, `at` makes the network for another one; None where it cannot.

    Raises:
        Mistakes: the checkpoint cannot be opened or is of another network, or this one takes no pictures.
    """
    trained = None if weights is None else _opened(weights)
    pre = _preprocessing(program, trained, sized=sized)
    if trained is None or weights is None:
        return Fitted(program, pre, None)
    again = _of_task(program, weights, trained, pre, at)
    return None if again is None else Fitted(again, pre, trained)


def _opened(path: Path) -> Trained | None:
    """The checkpoint that weights are; None where they are weights alone."""
    from spinedsl.training.build import open_trained  # noqa: PLC0415  torch is only needed here

    outcome = open_trained(path)
    others = [one for one in outcome.diagnostics if one.code is not say.NOT_A_CHECKPOINT]
    if outcome.value is None and others and _is_weights(path):  # of others the reader of weights says what is wrong
        raise api.Mistakes(outcome.diagnostics)
    return outcome.value


def _preprocessing(program: Program, trained: Trained | None, *, sized: bool) -> Preprocessing:
    """How pictures become what the network takes: as the checkpoint says, else the usual way."""
    from spinedsl.data.preprocessing import Preprocessing  # noqa: PLC0415  NumPy is only needed here

    given = program.input_type
    if given.channels not in (1, 3):
        place = line_of(program, program.loc)
        raise api.Mistakes([say.NO_PICTURES_TAKEN.at(place, network=program.name, channels=given.channels)])
    if trained is None:
        return Preprocessing(given.height, given.width, channels=given.channels)
    pre = trained.preprocessing
    return pre if not sized else replace(pre, height=given.height, width=given.width)


def _of_task(
    program: Program, weights: Path, trained: Trained, pre: Preprocessing, at: Callable[[int, int], Program | None]
) -> Program | None:
    """The part of a file's network that the checkpoint's task reads, at the size of its pictures."""
    wanted = tuple(trained.reading.outputs)
    lacking = [name for name in wanted if name not in program.outputs]
    reason = ""
    if lacking:
        there = one_of(program.outputs, conjunction="and")
        reason = f"its task reads output `{lacking[0]}`, and the network has {there}"
    elif pre.channels != program.input_type.channels:
        reason = f"it takes pictures of {counted(pre.channels, 'channel')}, the network {program.input_type.channels}"
    if reason:
        place = line_of(program, program.loc)
        found = say.OTHER_CHECKPOINT.at(place, path=weights, network=program.name, reason=reason)
        raise api.Mistakes([found])
    if (program.input_type.height, program.input_type.width) != (pre.height, pre.width):
        again = at(pre.height, pre.width)
        if again is None:
            return None
        program = again
    return program if program.outputs == wanted else prune(program, wanted)
