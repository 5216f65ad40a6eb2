"""What ends a run, or is worth a warning in it, in words.

In: what happened, and the settings of the run. Out: diagnostics.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from spinedsl import checks as say
from spinedsl.data.pictures import BadPicture
from spinedsl.data.sample import BadSample
from spinedsl.data.workers import NotSent, WorkerDied
from spinedsl.diagnostics import Diagnostic
from spinedsl.reading import reason_of
from spinedsl.source import Source, Span
from spinedsl.training.config import Config, at_odds


def nowhere() -> Span:
    """The place of what has none in a file."""
    return Source("", "").span(0, 0)


def bad_sample(error: BadSample, whose: str = "the images") -> Diagnostic:
    """What a data set of somebody's own gives wrongly."""
    found: Diagnostic = say.BAD_SAMPLE.at(nowhere(), index=error.index, got=error.got, whose=whose)
    return found.with_fix(error.fix)


def stopped(config: Config, error: BadPicture | BadSample | WorkerDied | NotSent) -> Diagnostic:
    """Why the images of a run do not come any more."""
    found: Diagnostic
    if isinstance(error, BadSample):
        return bad_sample(error)
    if isinstance(error, BadPicture):  # it could be read before the first step, or nobody looked
        found = say.BAD_PICTURE.at(nowhere(), path=error.path, reason=error.reason, label="")
        return found.with_fix(error.fix)
    if isinstance(error, NotSent):
        return at_odds(config, ("run", "workers"), f"the images have to be sent to worker processes: {error}")
    found = say.WORKER_ENDED.at(nowhere(), pid=error.pid, reason=error.reason, task=error.task)
    return found.with_fix("give it fewer `workers`, or a smaller `batch`, in [run]; `--resume` goes on")


def unwritten(path: Path, error: OSError) -> Diagnostic:
    """A file without which there is no run, or no end of it."""
    found: Diagnostic = say.CANNOT_WRITE.at(nowhere(), path=str(path), reason=reason_of(error))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return found.with_fix("make room: what was written before stands as it was, and `--resume` goes on from there")
    return found


def not_saved(path: Path, error: OSError) -> Diagnostic:
    """A file that the run can go on without."""
    found: Diagnostic = say.NOT_SAVED.at(nowhere(), path=str(path), reason=reason_of(error))
    return found


def diverged(
    config: Config, step: int, value: float, rate: float, *, bad: Sequence[str], last: Path, warm_up: int, margins: bool
) -> Diagnostic:
    """A loss that is no number, and what to try.

    Args:
        config: of the run.
        step: from 0.
        value: of the loss.
        rate: of the step.
        bad: names of tensors that are not finite any more.
        last: the last checkpoint.
        warm_up: the steps of it.
        margins: the loss is one of angles with a margin.
    """
    found: Diagnostic = say.NOT_FINITE.at(nowhere(), step=step + 1, value=value)
    notes = [f"the rate was {rate:.2g}"]
    notes += [f"{len(bad)} tensors are not finite any more, such as `{bad[0]}`"] if bad else []
    notes += [f"the last checkpoint stands as it was: {last}"] if last.exists() else []
    tries = [f"a lower rate: `rate = {config.optimizer['rate'] / 10:.2g}` in [optimizer]"]
    if step < warm_up or not warm_up:
        tries.append("a longer `warm_up` in [schedule]")
    if not config.optimizer["clip"]:
        tries.append("`clip = 5` in [optimizer]")
    if config.run["precision"] == "float16":
        tries.append('`precision = "bfloat16"`')
    if margins:
        tries.append("a longer `margin_warm_up` and a smaller `scale` in [task]")
    return found.with_notes(*notes).with_fix("try " + ", or ".join(tries))
