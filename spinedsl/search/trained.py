"""Fitness by a short training: a candidate takes the place of the network of a configuration, and is trained by it.

In: what `spine train` takes, and the candidates of a space. Out: `prepare` looks at all of it before anything is
trained, and gives a `Trainer`: a function from a candidate to the figure of the validation images by which the task
chooses its best checkpoint, after the last step. More of it is better.

Every candidate is trained with the seed of the configuration. So a value depends on the candidate and the configuration
alone, and whoever measures it again, as after a worker's death, gets the same. Nothing but the value is kept.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Never

import torch

from spinedsl import api
from spinedsl import checks as say
from spinedsl.data import section as data
from spinedsl.diagnostics import Diagnostic, Diagnostics, Severity
from spinedsl.reading import reason_of
from spinedsl.search.commands import Failed
from spinedsl.search.fitness import Measured
from spinedsl.search.records import Training
from spinedsl.spaces.candidates import Candidates
from spinedsl.training.config import Config, Given, read_config
from spinedsl.training.distributed import Group
from spinedsl.training.loop import train
from spinedsl.training.messages import nowhere
from spinedsl.training.progress import Watcher
from spinedsl.training.setup import Images, Setup, fingerprint_of, set_up
from spinedsl.training.table import CONFIG

NAME = "Candidate"  # of the network in its file
Changes = Mapping[str, Mapping[str, Any]]
# What a machine, or who looks at it, decides: workers may differ in it. So they may in every path.
OF_MACHINE: Mapping[str, tuple[str, ...]] = {
    "network": ("name",),
    "run": ("device", "threads", "workers", "save_every", "log_every", "pictures"),
}
# What ends a training that no other candidate would fare better with.
FINAL = (say.CANNOT_WRITE.id, say.BAD_PICTURE.id, say.WORKER_ENDED.id, say.NO_DEVICE.id)


class Trainer:
    """Trains candidates. `training` is what a study keeps of it, `reported` has the warnings of `prepare`."""

    def __init__(self, config: Config, setup: Setup, reported: tuple[Diagnostic, ...]) -> None:
        self.config, self.reported = config, reported
        assert setup.validation is not None
        self.train: Images = setup.train
        self.validation: Images = setup.validation
        self.figure = setup.task.best
        self.steps, self.validate_every = setup.steps, min(setup.validate_every, setup.steps)
        self.training = _training(config, setup)

    def __call__(self, measured: Measured) -> float:
        """The value of a candidate.

        Raises:
            Failed: it cannot be trained, or its loss is no number.
            KeyboardInterrupt: the process was asked to end.
        """
        with tempfile.TemporaryDirectory(prefix="spine-") as folder:
            changes = _candidate(Path(folder), measured.text, f"candidate-{measured.slot:06d}", {})
            try:
                result = train(
                    self.config, data=self.train, validation=self.validation, changes=changes,
                    watch=[_Reporting(measured, self.figure, self.steps)],
                )  # fmt: skip
            except api.Mistakes as mistakes:
                error = _first(mistakes.diagnostics)
                raise Failed(error, final=error.code.id in FINAL, alone=True) from None
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                _out_of_memory(error)
        if not result.finished:
            raise KeyboardInterrupt
        return _value(result.figures, self.figure)


class _Reporting(Watcher):
    """Says what a training has reached each time that the validation images are looked at."""

    def __init__(self, measured: Measured, figure: str, steps: int) -> None:
        self.measured, self.figure, self.last = measured, figure, steps

    def validates(self, step: int, figures: Mapping[str, float]) -> None:
        """At the last step nothing is left to be saved by giving up."""
        self.measured.report(step, _value(figures, self.figure), prune=step < self.last)


def prepare(
    given: Given, candidates: Candidates, changes: Changes | None = None, hear: Callable[[int, int], None] | None = None
) -> Trainer:
    """What trains candidates, after configuration and images were looked at with the first of them.

    Args:
        given: path of a configuration, or its settings. Its [network] need not be there: of it, `arguments` and
            `outputs` count.
        candidates: of the space that is searched.
        changes: settings by section that stand instead of the configuration's.
        hear: is told how many images of how many were looked at.

    Raises:
        Mistakes: with every one that there is.
        NoCandidate, Unfit: the space gives no candidate to look at it with.
    """
    with tempfile.TemporaryDirectory(prefix="spine-") as folder:
        text = candidates.text(candidates.sample(0))
        read = read_config(given, _candidate(Path(folder), text, "candidate", changes or {}))
        if read.value is None:
            raise api.Mistakes(Diagnostics(read.diagnostics))
        config = read.value
        outcome = set_up(config, None, None, None, Group(), hear)
    reported = [*read.diagnostics, *outcome.diagnostics, *_weights(config)]
    if config.data.validation is None:
        reported.append(say.NO_VALIDATION.at(config.document.key(("data", "validation"))).with_fix(
            "name images that it is not trained on: `validation = …` in [data]"
        ))  # fmt: skip
    if outcome.value is None or any(one.severity is Severity.ERROR for one in reported):
        raise api.Mistakes(Diagnostics(tuple(reported)))
    return Trainer(config, outcome.value, tuple(reported))


def _weights(config: Config) -> Iterator[Diagnostic]:
    """That the weights to begin with can be read."""
    if (path := config.path(config.weights, "from")) is not None:
        try:
            path.read_bytes()
        except OSError as error:
            place = config.document.value(("weights", "from"))
            yield say.CANNOT_READ.at(place, path=str(path), reason=reason_of(error))


def _candidate(folder: Path, text: str, name: str, changes: Changes) -> dict[str, dict[str, Any]]:
    """Settings by which a candidate is trained in a folder, where its file is written to."""
    path = folder / f"{name}.spine"
    path.write_text(text, encoding="utf-8")
    own = {section: dict(values) for section, values in changes.items()}
    own.setdefault("network", {}).update(file=str(path), name=NAME)
    own.setdefault("run", {}).update(output=str(folder / "run"), pictures=0)
    return own


def _value(figures: Mapping[str, float], name: str) -> float:
    """The figure that counts.

    Raises:
        Failed: there is none, or it is no number.
    """
    value = figures.get(name, math.nan)
    if not math.isfinite(value):
        raise Failed(
            say.NO_NUMBER.at(nowhere(), got=f"its training gave no `{name}`")
            .with_fix("see that the validation images have something to be found"),
            alone=True,
        )  # fmt: skip
    return value


def _out_of_memory(error: Exception) -> Never:
    """A candidate that is too large for the machine, in words; what else went wrong is raised again.

    Raises:
        Failed: it does not fit.
    """
    text = str(error).lower()
    known = isinstance(error, torch.OutOfMemoryError | MemoryError) or ("memory" in text and "alloc" in text)
    if not known:
        raise error
    wrong = say.CANDIDATE_TOO_LARGE.at(nowhere())
    raise Failed(
        wrong.with_fix("a smaller `batch` in [run], or a bound in the space, as in `keep memory <= 2G`"), alone=True
    ) from None


def _first(found: Diagnostics) -> Diagnostic:
    return next(one for one in found if one.severity is Severity.ERROR)


# ---- what workers have to agree on ----


def _training(config: Config, setup: Setup) -> Training:
    """The settings that say what is trained, and digests of what paths lead to."""
    assert setup.validation is not None
    found = {"train": fingerprint_of(setup.train)["digest"], "validation": fingerprint_of(setup.validation)["digest"]}
    if (weights := config.path(config.weights, "from")) is not None:
        found["weights"] = hashlib.sha256(weights.read_bytes()).hexdigest()[:32]
    return Training(_shared(config.document.values), found)


def _shared(values: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what belongs to a machine."""
    tables = {**CONFIG.tables, "data": data.TABLE}
    paths = {name: [one.name for one in table.settings if one.kind == "path"] for name, table in tables.items()}
    found: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(value, Mapping):
            found[name] = value
            continue
        left_out = (*paths.get(name, ()), *OF_MACHINE.get(name, ()))
        if kept := {key: one for key, one in value.items() if key not in left_out}:
            found[name] = kept
    return found
