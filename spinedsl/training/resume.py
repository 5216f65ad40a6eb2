"""Resuming: whether a checkpoint is of the run that would go on, and what has changed since.

In: a checkpoint, the state that it would fill, and the run's set-up. Out: why it cannot be, or warnings.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.data.digest import Fingerprint, difference
from spinedsl.diagnostics import Diagnostic
from spinedsl.settings import shown
from spinedsl.source import Source
from spinedsl.training.checkpoint import Checkpoint
from spinedsl.training.config import at_odds
from spinedsl.training.setup import Setup, fingerprint_of
from spinedsl.training.state import State

LISTED = 6  # tensors in a message
# Settings of [run] that change nothing of what a run computes.
FREE = frozenset("device threads workers recompute save_every log_every pictures output".split())


def refused(found: Checkpoint, state: State, setup: Setup) -> Diagnostic | None:
    """Why the run of a checkpoint cannot go on as this one, if it cannot."""
    name, other = setup.network.program.name, found.about["network"]
    notes = list(_tensors(found.sets["model"], state.module.state_dict()))
    if not notes:
        notes = list(_tensors(found.sets.get("task", {}), state.task.state_dict()))
    average = "average" in found.sets
    if average != (state.average is not None):
        has, asked = ("a", "none") if average else ("no", "one")
        notes.append(f"it has {has} moving average, and `run.average` asks for {asked}")
    if not notes:
        return _further(found, setup)
    reason = f"network `{other}`, and this is `{name}`" if other != name else "its tensors are others"
    reported: Diagnostic = say.OTHER_RUN.at(Source("", "").span(0, 0), path=found.path, reason=reason)
    more = [f"{len(notes) - LISTED} more"] if len(notes) > LISTED else []
    return reported.with_notes(*notes[:LISTED], *more).with_fix(
        "to begin anew with what fits, leave out --resume and give it as `--weights`, with another `output`"
    )


def _further(found: Checkpoint, setup: Setup) -> Diagnostic | None:
    """That a checkpoint has more steps than the run would make."""
    step, config = found.about["step"], setup.config
    if step <= setup.steps:
        return None
    what = f"the checkpoint `{found.path}` has {counted(step, 'step')}, and the run would end after {setup.steps:,}"
    if config.run["steps"] is not None:
        return at_odds(config, ("run", "steps"), what).with_fix(f"`steps = {step}` or more; or leave out --resume")
    epochs = math.ceil(step / setup.plan.steps_per_epoch)
    return at_odds(config, ("run", "epochs"), what).with_fix(f"`epochs = {epochs}` or more; or leave out --resume")


def _tensors(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """Tensors that one of them lacks, or that have another shape."""
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs:
            yield f"`{name}` is not there"
        elif name not in ours:
            yield f"`{name}` is no part of this network"
        elif theirs[name].shape != ours[name].shape:
            yield f"`{name}`: expected {tuple(ours[name].shape)}, got {tuple(theirs[name].shape)}"


def worth_a_word(found: Checkpoint, setup: Setup) -> Iterator[Diagnostic]:
    """What has changed since, though the run can go on."""
    before, now = (Fingerprint.from_json(one) for one in (found.about["data"], fingerprint_of(setup.train)))
    differs = difference(before, now)
    if before.digest and now.digest and differs:
        reported: Diagnostic = say.CHANGED_DATA.at(Source("", "").span(0, 0), path=found.path)
        yield reported.with_notes(differs)
    kept, given = tomllib.loads(found.about["config"]), setup.config.document.values
    changes = list(_changes(kept, given))
    if changes and kept.get("optimizer", {}).get("name") != given.get("optimizer", {}).get("name"):
        changes.append("the optimizer begins anew: what the other one kept is not for it")
    if changes:
        yield say.OTHER_SETTINGS.at(Source("", "").span(0, 0)).with_notes(*changes)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) or isinstance(new, dict):
            yield from _changes(old or {}, new or {}, f"{path}{name}.")
        elif old != new and not (path == "run." and name in FREE):
            yield f"`{path}{name}` was {_shown(old)}, and is {_shown(new)}"


def _shown(value: Any) -> str:
    return "not given" if value is None else shown(value)
