"""Trials of a study as a person reads them: which candidate each is an attempt at, how it went, how long it took."""

from __future__ import annotations

import datetime as dt

from optuna.trial import FrozenTrial, TrialState

from spinedsl.record import Record
from spinedsl.search.records import FAILED as WHY
from spinedsl.search.records import STOPPED as BREAK
from spinedsl.search.study import Study

WORDS = {
    "finished": "it was measured, and counts",
    "pruned": "its training was ended early, for it fell behind; the value is the one that it had reached",
    "failed": "its evaluation gave no value; it counts",
    "lost": "its worker died; the candidate is measured again",
    "stopped": "its worker was stopped by a person or a mistake; the candidate is measured again",
    "running": "a worker has it",
    "waiting": "a worker is to take it",
    "not needed": "the budget was paid for already; nothing was measured",
}  # the states, and what each means


class Attempted(Record):
    """A trial. `slot` is the candidate that it is an attempt at, None where it is none; `seconds` what it took.

    `values` are those of the objectives; of one that was pruned, the value that it had reached.
    """

    number: int
    slot: int | None
    attempt: int
    state: str  # of `WORDS`
    values: tuple[float, ...] | None
    why: str
    begun: dt.datetime | None
    ended: dt.datetime | None

    @property
    def seconds(self) -> float | None:
        """From its beginning to its end; None before that."""
        if self.begun is None or self.ended is None:
            return None
        return (self.ended - self.begun).total_seconds()


def attempts(study: Study) -> list[Attempted]:
    """Every trial of a study, as far as it was read: see `Study.refresh`."""
    found = []
    for trial in study.optuna.get_trials(deepcopy=False)[: study.ledger.read]:
        slot, attempt = study.ledger.of.get(trial.number, (None, 0))
        if slot is not None and slot >= study.setup.budget:
            slot = None
        state = _state(trial, slot)
        has = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        values = tuple(trial.values) if has and trial.values else None
        why = str(trial.user_attrs.get(WHY, ""))
        found.append(
            Attempted(trial.number, slot, attempt, state, values, why, trial.datetime_start, trial.datetime_complete)
        )
    return found


def _state(trial: FrozenTrial, slot: int | None) -> str:
    if trial.state is TrialState.FAIL:
        if WHY in trial.user_attrs:
            return "failed"
        if BREAK in trial.user_attrs:
            return "stopped"
        return "lost" if slot is not None else "not needed"
    return {
        TrialState.COMPLETE: "finished",
        TrialState.PRUNED: "pruned",
        TrialState.RUNNING: "running",
        TrialState.WAITING: "waiting",
    }[trial.state]
