"""A worker: takes trials of a study, proposes and measures a candidate for each, until the budget is paid for.

Optuna hands out the trials, keeps their values, and notices workers that gave no sign of life: so everything happens
inside `study.optimize`. What is to be done follows from the `Ledger`; what is proposed, from the engine. A worker may
die at any moment, and another goes on: what it had finished is kept, and what it had begun is measured again.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, Trial, TrialState

from spinedsl.diagnostics.plain import counted
from spinedsl.search.commands import Failed
from spinedsl.search.engines.engine import Engine
from spinedsl.search.fitness import Fitness, Measured
from spinedsl.search.outage import Outage, insist
from spinedsl.search.records import ATTRIBUTE, CURVE, STOPPED, Finished, Proposal
from spinedsl.search.records import FAILED as WHY
from spinedsl.search.storage import GRACE, HEARTBEAT, Storage, of_database, quiet
from spinedsl.search.study import Study
from spinedsl.spaces.candidates import NoCandidate, Unfit

IN_A_ROW = 10  # failures, after which a search stops
OTHERS = 2  # candidates that are tried where the first of a search gives no value
POLL = 0.5  # seconds between two looks while others finish
LONG = 15  # seconds of waiting for others, after which that is reported


class _Skipped(Exception):
    """A trial that is not evaluated, or whose evaluation gave no value."""


class Proposing(optuna.samplers.BaseSampler):
    """An engine as Optuna's sampler: a trial has no parameters, but a candidate, which is proposed as a whole."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def propose(self, slot: int) -> Proposal:
        """The candidate of a slot."""
        return self.engine.ask(slot)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
        """None: decisions are no parameters of Optuna's, which would be a row of the database each."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Nothing."""
        return {}

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, name: str, distribution: Any) -> Any:
        """A fitness of ours asks for no parameters."""
        raise NotImplementedError(f"a search of spine has no parameter {name}")


class Worker:
    """Works on a study. `hear` is told of each slot that is settled, whoever settled it."""

    def __init__(
        self,
        study: Study,
        engine: Engine,
        fitness: Fitness,
        hear: Callable[[Finished], None] = lambda one: None,
        grace: int = GRACE,
        outage: Outage | None = None,
    ) -> None:
        self.outage = outage or Outage(study.place)
        self._unsaid: tuple[int, list[float]] | None = None  # a trial and its values, until these are told
        self.study, self.engine, self.fitness, self.hear, self.grace = study, engine, fitness, hear, grace
        self.sampler = Proposing(engine)
        self.failures = 0  # in a row
        self.succeeded = False
        self.unseen: dict[int, float] = {}  # trials that say nothing of a candidate, and since when
        self.looked = time.monotonic()  # for such trials
        self.current = -1  # the number of the trial at hand
        self.raised: BaseException | None = None  # by what measures
        self.idle = 0.0  # seconds of waiting for others so far

    def work(self) -> None:
        """Work until the budget is paid for, by this worker or others.

        Raises:
            Failed: candidates cannot be measured; NoCandidate, Unfit: none can be drawn.
            NoStudy: the database cannot be used any more.
        """
        self.study.optuna.sampler = self.sampler
        _look_seldom(self.study)
        if (halving := self.study.setup.halving) is not None:
            first, factor = halving
            self.study.optuna.pruner = optuna.pruners.SuccessiveHalvingPruner(first, factor)
        with quiet():
            while True:
                try:
                    if self._unsaid is not None:
                        self._say_again(*self._unsaid)
                    over = self._round()
                except Exception as error:  # noqa: BLE001  raised again if it is not the database's
                    self.outage.wait(error)
                    continue
                self.outage.over()
                if over:
                    return

    def _say_again(self, number: int, values: list[float]) -> None:
        """Tell the values that were measured when the database was away, unless its trial was given up meanwhile."""
        with contextlib.suppress(UpdateFinishedTrialError, ValueError):
            self.study.optuna.tell(number, values, skip_if_finished=True)
        self._unsaid = None

    def _round(self) -> bool:
        """Take what there is to do; whether nothing is left."""
        self._learn()
        ledger = self.study.ledger
        if ledger.done:
            return True
        lost = list(ledger.to_repeat())
        for slot, attempt, number in lost:
            self.study.repeat(slot, attempt, number)
        if lost:
            self._learn()
        if ledger.all_begun and not self._waiting():
            time.sleep(POLL)
            self._say_idle()
            self._bury()
            return False
        try:
            self.study.optuna.optimize(self._evaluate, callbacks=[self._after], catch=(_Skipped,))
        except UpdateFinishedTrialError:
            pass  # this worker was taken for dead, and another measures its candidate again
        except ValueError as error:
            if error is self.raised or not self._taken_away():
                raise
        return False

    def _say_idle(self) -> None:
        """Say once what a worker waits for that has nothing left to do."""
        before, self.idle = self.idle, self.idle + POLL
        if before < LONG <= self.idle:
            left = counted(self.study.setup.budget - self.study.ledger.settled, "candidate")
            self.outage.warn(
                f"{left} left, with other workers: what is silent for {self.grace} seconds is measured again"
            )

    def _waiting(self) -> bool:
        """There is a trial that somebody has to take."""
        self.study.waiting = bool(self.study.optuna.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
        return self.study.waiting

    def _taken_away(self) -> bool:
        """The trial at hand was given up, or settled, by another worker: Optuna does not let its value be told."""
        trials = self.study.optuna.get_trials(deepcopy=False)
        return 0 <= self.current < len(trials) and trials[self.current].state.is_finished()

    def _bury(self) -> None:
        """Give up trials whose workers are dead: by their heartbeats, or because they never gave any."""
        self.looked = now = time.monotonic()
        if not self.study.place:
            return
        fail_stale_trials(self.study.optuna)
        running = self.study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        silent = {one.number for one in running if ATTRIBUTE not in one.user_attrs}
        self.unseen = {number: self.unseen.get(number, now) for number in silent}
        for number, since in self.unseen.items():
            if now - since > self.grace:
                try:
                    self.study.optuna.tell(number, state=TrialState.FAIL, skip_if_finished=True)
                except (UpdateFinishedTrialError, ValueError):
                    continue  # somebody else did

    def _learn(self) -> None:
        """Let the engine know what is settled since."""
        for one in self.study.refresh():
            self.engine.tell(one)
            self.succeeded = self.succeeded or one.values is not None
            self.hear(one)

    def _after(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Whether `optimize` goes on."""
        self._unsaid = None
        if time.monotonic() - self.looked > min(self.grace / 2, HEARTBEAT):  # else nobody would, before the end
            self._bury()
            self._learn()
        if self.study.ledger.all_begun or self.study.ledger.lost_slots:
            study.stop()

    # ---- one trial ----

    def _evaluate(self, trial: Trial) -> list[float]:
        """Propose a candidate for a trial, and measure it."""
        self.current = trial.number
        self._learn()
        claimed = self.study.ledger.slot(trial.number)
        if claimed is None:
            raise _Skipped
        try:
            return self._measured(trial, *claimed)
        except (_Skipped, optuna.TrialPruned):
            raise
        except UpdateFinishedTrialError:  # this worker was taken for dead
            raise _Skipped from None
        except (Exception, KeyboardInterrupt) as error:
            self.raised = error
            if not of_database(error):
                trial.set_user_attr(STOPPED, True)
            raise

    def _measured(self, trial: Trial, slot: int, attempt: int) -> list[float]:
        proposal = self._proposal(slot, attempt, trial.number)
        self._wait_for_heartbeat(trial)
        kept = proposal.to_json(self.study.candidates.space)
        insist(lambda: trial.set_user_attr(ATTRIBUTE, kept), self.outage)
        try:
            values = self._values(trial, proposal, slot)
        except Failed as error:
            self.failures += 1
            if error.final or self.failures >= IN_A_ROW or not (self.succeeded or error.alone or self._another(slot)):
                raise
            trial.set_user_attr(WHY, error.diagnostic.message)
            raise _Skipped from None
        except optuna.TrialPruned:
            self.failures, self.succeeded = 0, True
            raise
        self.failures, self.succeeded = 0, True
        self._unsaid = trial.number, values
        return values

    def _another(self, slot: int) -> bool:
        """Whether the fitness gives a value of another candidate, where the first of all has none: it is to blame then.

        What is measured here is thrown away, so that a search whose fitness is wrong has spent nothing when it stops.
        """
        for number in range(OTHERS):
            try:
                other = self.study.candidates.sample(f"{self.study.setup.seed}/another", number)
                self.fitness(Measured(self.study.candidates, other, slot, lambda step, value, prune: None))
            except Failed as error:
                if error.final:
                    return False
            except (NoCandidate, Unfit):
                return False
            else:
                return True
        return False

    def _values(self, trial: Trial, proposal: Proposal, slot: int) -> list[float]:
        """What the fitness gives of a candidate; what it reports in the middle is kept, and may end it."""
        curve: dict[int, float] = {}

        def reported(step: int, value: float, prune: bool) -> None:
            if not math.isfinite(value):
                return
            curve[step] = value
            insist(lambda: trial.set_user_attr(CURVE, [[*pair] for pair in curve.items()]), self.outage)
            if len(self.study.setup.objectives) == 1:  # Optuna prunes, and draws, those of one objective
                insist(lambda: trial.report(value, step), self.outage)
                halved = prune and self.study.setup.halving is not None
                if halved and insist(trial.should_prune, self.outage):
                    raise optuna.TrialPruned

        try:
            return list(self.fitness(Measured(self.study.candidates, proposal.priced, slot, reported)))
        except Unfit as unfit:
            raise Failed(unfit.diagnostic, alone=True) from None

    def _proposal(self, slot: int, attempt: int, number: int) -> Proposal:
        """What the trial that this one repeats was to measure; else what the engine proposes."""
        before = self.study.proposed(number) if attempt else None
        if before is None:
            return self.sampler.propose(slot)
        return Proposal(self.study.priced(before), before.origin, before.parents)

    def _wait_for_heartbeat(self, trial: Trial) -> None:
        """A trial that says what it measures has given a sign of life, so that its silence means something later."""
        storage = getattr(self.study.optuna._storage, "_backend", None)  # noqa: SLF001  it has no other name
        if isinstance(storage, Storage):
            storage.wait_for(trial._trial_id, self.grace)  # noqa: SLF001


def _look_seldom(study: Study) -> None:
    """Let Optuna look for trials that wait only where some did a moment ago: before each trial it reads them all.

    One that begins to wait meanwhile is taken by the next trial; a method of another name would leave all as it was.
    """
    look = study.optuna._pop_waiting_trial_id  # noqa: SLF001
    study.optuna._pop_waiting_trial_id = lambda: look() if study.waiting else None  # type: ignore[method-assign]  # noqa: SLF001
