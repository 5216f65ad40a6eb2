"""The ledger: which slots of the budget are paid for, by the trials of a study alone, in the order of their numbers.

In: what is known of each trial, as often as it changes. Out: what a worker is to do next. Every worker comes to the
same answer from the same trials, and none of them counts for itself: that is what keeps the budget exact, whoever dies.

A trial that repeats none is the first attempt at the next slot; a slot beyond the budget is not evaluated. One that
repeats another says which slot and which attempt that is; where two say the same, as when two workers find the same
worker dead, only the one with the lower number is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spinedsl.record import Record

MOST_DEATHS = 6  # of workers at one slot: a candidate that ends every one is given up
WAITING, RUNNING, FINISHED, FAILED = "waiting", "running", "finished", "failed"
LOST, STOPPED = "lost", "stopped"  # with its worker; by a person or a mistake


class Seen(Record):
    """A trial as it is now. `retry` is the slot and the attempt that it says it is."""

    number: int
    state: str
    retry: tuple[int, int] | None = None


class Attempt(Record, frozen=False):
    """The last attempt at a slot."""

    attempt: int
    number: int
    state: str
    deaths: int  # of workers, before it


class Ledger:
    """What a study's trials say of its slots."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.begun = 0  # slots that have a first attempt
        self.read = 0  # trials that were looked at, by number
        self.open: set[int] = set()  # of those, the ones that are not done
        self.slots: dict[int, Attempt] = {}
        self.of: dict[int, tuple[int, int]] = {}  # slot and attempt of each trial that counts
        self.settled_slots: set[int] = set()  # within any budget
        self.lost_slots: set[int] = set()

    def take(self, trials: Iterable[Seen]) -> list[tuple[int, int]]:
        """Note trials that are new or were open, in the order of their numbers.

        Gives the slots that are settled now and were not before, with the number of the trial that settled each.
        """
        settled: list[tuple[int, int]] = []
        for trial in trials:
            if trial.number == self.read:
                self.read += 1
                self._first_sight(trial)
            if trial.state in (WAITING, RUNNING):
                self.open.add(trial.number)
            else:
                self.open.discard(trial.number)
            claimed = self.of.get(trial.number)
            if claimed is not None and self._changed(claimed[0], trial):
                settled.append((claimed[0], trial.number))
        return settled

    def _first_sight(self, trial: Seen) -> None:
        """Which slot a trial is an attempt at, if it is one."""
        if trial.retry is None:
            slot, attempt, deaths = self.begun, 0, 0
            self.begun += 1
        else:
            slot, attempt = trial.retry
            before = self.slots.get(slot)
            if before is None or attempt <= before.attempt:
                return  # somebody else had the same thought
            deaths = before.deaths + (before.state == LOST)
        self.of[trial.number] = slot, attempt
        self.slots[slot] = Attempt(attempt, trial.number, WAITING, deaths)
        self.lost_slots.discard(slot)

    def _changed(self, slot: int, trial: Seen) -> bool:
        """Note the state of a trial; whether that settles its slot."""
        last = self.slots[slot]
        if last.number != trial.number or slot in self.settled_slots:
            return False
        last.state = trial.state
        if trial.state == STOPPED or (trial.state == LOST and last.deaths + 1 < MOST_DEATHS):
            self.lost_slots.add(slot)
            return False
        if trial.state in (FINISHED, FAILED, LOST):
            self.settled_slots.add(slot)
            return True
        return False

    # ---- what is asked ----

    def slot(self, number: int) -> tuple[int, int] | None:
        """The slot and attempt that a trial is to be evaluated for; None where it is not to be."""
        claimed = self.of.get(number)
        if claimed is None or claimed[0] >= self.budget or claimed[0] in self.settled_slots:
            return None
        return claimed if self.slots[claimed[0]].number == number else None

    def to_repeat(self) -> Iterator[tuple[int, int, int]]:
        """Slots whose worker died and that nobody repeats: slot, next attempt, and the trial that was lost."""
        for slot in sorted(self.lost_slots):
            if slot < self.budget:
                last = self.slots[slot]
                yield slot, last.attempt + 1, last.number

    @property
    def settled(self) -> int:
        """Slots that are paid for."""
        return sum(slot < self.budget for slot in self.settled_slots)

    @property
    def done(self) -> bool:
        """Every slot of the budget is."""
        return self.all_begun and self.settled >= self.budget

    @property
    def all_begun(self) -> bool:
        """No new trial would be evaluated."""
        return self.begun >= self.budget
