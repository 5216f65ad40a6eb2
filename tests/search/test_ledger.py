"""The ledger: a budget is paid for exactly once, whoever dies, and whatever the order in which workers look."""

from __future__ import annotations

from random import Random

import pytest

from spinedsl.search.ledger import FAILED, FINISHED, LOST, MOST_DEATHS, RUNNING, STOPPED, Ledger, Seen


class Table:
    """Trials as a database hands them out: numbers in the order of their creation, states that only advance."""

    def __init__(self) -> None:
        self.trials: list[Seen] = []

    def add(self, retry: tuple[int, int] | None = None, state: str = RUNNING) -> int:
        self.trials.append(Seen(len(self.trials), state, retry))
        return len(self.trials) - 1

    def set(self, number: int, state: str) -> None:
        before = self.trials[number]
        assert before.state in (RUNNING, "waiting")
        self.trials[number] = Seen(number, state, before.retry)


def look(ledger: Ledger, table: Table) -> None:
    ledger.take([*(table.trials[number] for number in sorted(ledger.open)), *table.trials[ledger.read :]])


@pytest.mark.parametrize("seed", range(200))
def test_every_slot_is_evaluated_once(seed: int) -> None:  # noqa: PLR0912  one story, told at random
    """Workers take, finish and lose trials in any order; several of them notice one death."""
    random = Random(seed)
    budget, table = random.randint(1, 12), Table()
    workers = [Ledger(budget) for _ in range(random.randint(1, 4))]
    running: list[tuple[int, int]] = []
    evaluated: list[int] = []
    for _ in range(2_000):
        worker = random.choice(workers)
        if random.random() < 0.7:
            look(worker, table)
        if worker.done:
            break
        chance = random.random()
        if running and chance < 0.5:
            slot, number = running.pop(random.randrange(len(running)))
            if random.random() < 0.3:
                table.set(number, random.choice((LOST, STOPPED)))
            else:
                evaluated.append(slot)
                table.set(number, random.choice((FINISHED, FINISHED, FAILED)))
            continue
        lost = list(worker.to_repeat())
        if lost:  # perhaps another worker did the same meanwhile
            slot, attempt, _ = random.choice(lost)
            number = table.add((slot, attempt))
        elif not worker.all_begun:
            number = table.add()
        else:
            continue
        look(worker, table)
        claimed = worker.slot(number)
        if claimed is None:
            table.set(number, LOST)
        else:
            running.append((claimed[0], number))
    else:
        raise AssertionError("it never ends")
    given_up = [slot for slot in range(budget) if slot not in evaluated]
    assert sorted([*evaluated, *given_up]) == list(range(budget)), "each once"
    for worker in workers:
        look(worker, table)
        assert worker.done
        assert worker.settled == budget
        assert {slot: one.number for slot, one in worker.slots.items()} == {
            slot: one.number for slot, one in workers[0].slots.items()
        }, "workers agree"
    for slot in given_up:
        assert workers[0].slots[slot].deaths == MOST_DEATHS - 1


def test_a_slot_that_ends_every_worker_is_given_up_and_a_stop_is_no_death() -> None:
    for state, ends in ((LOST, True), (STOPPED, False)):
        table, ledger = Table(), Ledger(1)
        number = table.add()
        for attempt in range(1, MOST_DEATHS + 3):
            table.set(number, state)
            look(ledger, table)
            if ledger.done:
                assert attempt == MOST_DEATHS
                break
            ((slot, following, lost),) = ledger.to_repeat()
            assert (slot, following, lost) == (0, attempt, number)
            number = table.add((slot, following))
        assert ledger.done is ends


def test_stops_between_deaths_are_none() -> None:
    table, ledger = Table(), Ledger(1)
    number = table.add()
    states = [LOST, STOPPED, STOPPED] * (MOST_DEATHS - 1) + [STOPPED, FINISHED]
    for attempt, state in enumerate(states, 1):
        table.set(number, state)
        look(ledger, table)
        if state != FINISHED:
            number = table.add((0, attempt))
            look(ledger, table)
    assert ledger.done, "it was never given up"
    assert ledger.slots[0].deaths == MOST_DEATHS - 1


def test_a_slot_is_settled_once_however_often_its_trial_is_seen() -> None:
    table, ledger = Table(), Ledger(1)
    number = table.add()
    assert ledger.take(table.trials) == []
    table.set(number, FINISHED)
    assert ledger.take(table.trials) == [(0, number)]
    assert ledger.take(table.trials) == []


def test_two_that_notice_one_death_evaluate_once() -> None:
    table, ledger = Table(), Ledger(2)
    for _ in range(2):
        table.add()
    table.set(0, LOST)
    look(ledger, table)
    first, second = table.add((0, 1)), table.add((0, 1))
    look(ledger, table)
    assert ledger.slot(first) == (0, 1)
    assert ledger.slot(second) is None
    assert ledger.begun == 2, "repeats begin no slot"


def test_a_larger_budget_takes_up_what_was_beyond() -> None:
    table = Table()
    for _ in range(3):
        table.add()
    small = Ledger(2)
    look(small, table)
    assert [small.slot(number) for number in range(3)] == [(0, 0), (1, 0), None]
    table.set(0, FINISHED)
    table.set(1, FINISHED)
    table.set(2, LOST)
    look(small, table)
    assert small.done
    large = Ledger(3)
    look(large, table)
    assert not large.done
    assert list(large.to_repeat()) == [(2, 1, 2)]
