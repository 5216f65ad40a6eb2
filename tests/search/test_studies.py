"""Studies: kept, gone on with, shared by processes that die, and refused in words."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count as counting
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.storages import RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.trial import FrozenTrial, TrialState

from spinedsl import search
from spinedsl.record import replace
from spinedsl.report import to_html
from spinedsl.search import worker as working
from spinedsl.search.outage import Outage, insist
from spinedsl.search.records import ATTRIBUTE, CURVE, FAILED, RETRY, Proposal, digest_of
from spinedsl.search.running import work_on
from spinedsl.search.storage import NoStudy, Storage, open_storage, shown, url_of
from spinedsl.search.study import find
from spinedsl.source import Source
from tests.patience import HANG, until
from tests.search.postgres import Server, programs, server
from tests.search.spaces import NET, SPACES

SPACE = "AroundSpineNet49"
NETWORK_OF_TWO = Source.from_text(f"{NET}\nspace Two of Net {{\n    types b4: residual, bottleneck\n}}\n")


def everything(study: search.Study) -> list[dict[str, Any]]:
    """All that a study keeps, but for times."""
    return [
        {"number": one.number, "state": one.state.name, "values": one.values, **one.user_attrs}
        for one in study.optuna.get_trials(deepcopy=False)
    ]


# ---- one worker ----


def test_the_same_seed_is_the_same_study(tmp_path: Path) -> None:
    found = [
        search.run(SPACES, "depth", name=SPACE, budget=30, seed=4, study=place)
        for place in (tmp_path / "a.db", tmp_path / "b.db", None)
    ]
    assert everything(found[0]) == everything(found[1]) == everything(found[2])
    other = search.run(SPACES, "depth", name=SPACE, budget=30, seed=5)
    assert everything(other) != everything(found[0])


def test_a_search_that_goes_on_is_one_that_was_never_interrupted(tmp_path: Path) -> None:
    whole = search.run(SPACES, "depth", name=SPACE, budget=40, seed=4)
    for budget in (7, 25, 40, 40):
        parts = search.run(SPACES, "depth", name=SPACE, budget=budget, seed=4, study=tmp_path / "a.db")
        assert len(parts.settled) == budget
    assert parts.settled == whole.settled
    assert everything(parts) == everything(whole)


def test_what_is_kept_opens_without_the_files(tmp_path: Path) -> None:
    for name in ("spaces", "fpn", "permuted", "spinenet"):
        (tmp_path / f"{name}.spine").write_text((SPACES.parent / f"{name}.spine").read_text())
    (tmp_path / "deeper").mkdir()
    (tmp_path / "spine.toml").touch()
    moved = tmp_path / "deeper" / "spaces.spine"
    moved.write_text((tmp_path / "spaces.spine").read_text().replace('import "', 'import "../'))
    study = search.run(moved, "depth", name=SPACE, budget=3, study=tmp_path / "a.db")
    for file in (*tmp_path.glob("*.spine"), moved):
        file.unlink()
    opened = search.open_study(tmp_path / "a.db")
    assert opened.settled == study.settled
    assert [opened.text(one) for one in opened.best] == [study.text(one) for one in study.best]


def test_the_record_of_a_trial_is_what_the_docstring_says() -> None:
    study = search.run(SPACES, ["entropy", "multiply_adds"], name=SPACE, engine="nsga2", budget=60, seed=1)
    kept = json.loads(json.dumps(study.optuna.user_attrs[ATTRIBUTE]))
    assert kept.keys() == {
        "format", "space", "digest", "sources", "entry", "engine", "seed", "budget", "objectives", "command", "mutator",
            "version",
        "training", "halving",
    }  # fmt: skip
    assert kept["objectives"] == [["entropy", "maximize"], ["multiply_adds", "minimize"]]
    for trial in study.optuna.get_trials(deepcopy=False):
        record = json.loads(json.dumps(trial.user_attrs[ATTRIBUTE]))
        assert record.keys() == {"genome", "digest", "origin", "parents", "costs"}
        assert trial.values is not None
        assert trial.values[1] == record["costs"]["multiply_adds"]
    assert {one.origin for one in study.settled.values()} >= {"sample", "crossover"}
    front = {one.slot for one in study.front}
    assert front == {trial.number for trial in study.optuna.best_trials}


def give(value: Any, _: search.Measured) -> Any:
    return value


def test_a_callable_measures_and_what_it_gives_is_looked_at() -> None:
    def parameters(candidate: search.Measured) -> float:
        assert candidate.text.startswith("spine 1\n")
        return float(candidate.costs.parameters)

    study = search.run(SPACES, parameters, name=SPACE, engine="local", budget=15, directions=["min"])
    values = study.best[0].values
    assert values is not None
    assert values[0] == min(one.costs["parameters"] for one in study.settled.values())
    two = search.run(
        SPACES, lambda one: (1, one.slot), name=SPACE, engine="random", budget=3, directions=["max", "min"]
    )
    assert [one.slot for one in two.front] == [0]
    wrong: list[Any] = [float("nan"), float("inf"), None, "much", (1.0, 2.0), [], 10**400]
    for value in wrong:
        with pytest.raises(search.Failed, match="the fitness of a candidate is no number: the callable returned"):
            search.run(SPACES, partial(give, value), name=SPACE, budget=3)
    with pytest.raises(ZeroDivisionError):
        search.run(SPACES, lambda one: 1 / (one.slot - 1), name=SPACE, budget=3)


def test_some_failures_are_kept_and_many_stop(tmp_path: Path) -> None:
    def fails(candidate: search.Measured) -> float:
        return float("nan") if candidate.slot % 3 == 2 else 1.0

    study = search.run(SPACES, fails, name=SPACE, engine="random", budget=12, study=tmp_path / "a.db")
    assert [one.slot for one in study.settled.values() if one.values is None] == [2, 5, 8, 11]
    assert "returned nan" in study.settled[2].why
    assert len(study.settled) == 12
    again = search.run(SPACES, fails, name=SPACE, engine="random", budget=12, study=tmp_path / "a.db")
    assert everything(again) == everything(study), "they are not tried again"
    count = Counter[str]()

    def dies(candidate: search.Measured) -> float:
        count["calls"] += 1
        return 1.0 if candidate.slot < 2 else float("nan")

    with pytest.raises(search.Failed):
        search.run(SPACES, dies, name=SPACE, engine="random", budget=100)
    assert count["calls"] == 12


@pytest.mark.parametrize(("right", "calls"), [(2, 4), (3, 5), (4, 6), (99, 6)])
def test_a_first_candidate_without_a_value_is_laid_beside_two_others(tmp_path: Path, right: int, calls: int) -> None:
    """Calls from number `right` on give a value. Others show whether the first is to blame; else nothing is spent."""
    called: list[str] = []

    def fails(candidate: search.Measured) -> float:
        called.append(candidate.text)
        return float("nan") if len(called) < right else 1.0

    begun = partial(search.run, SPACES, fails, name=SPACE, engine="random", budget=3, study=tmp_path / "a.db")
    for _ in range(2):
        with contextlib.suppress(search.Failed):
            begun()
    study = search.open_study(tmp_path / "a.db")
    failed = {2: [0], 3: [0], 4: [], 99: []}[right]
    assert len(called) == calls
    assert len(set(called[:3])) == 3
    assert [one.slot for one in study.settled.values() if one.values is None] == failed
    assert len(study.settled) == (0 if right == 99 else 3)


def test_a_network_that_was_measured_twice_is_listed_where_it_did_best() -> None:
    values = [3.0, 1.0, 2.0, 5.0, 4.0, 0.0]
    study = search.run(NETWORK_OF_TWO, lambda one: values[one.slot], engine="random", budget=6)
    by_digest: dict[str, list[float]] = {}
    for one in study.settled.values():
        by_digest.setdefault(one.digest, []).append(values[one.slot])
    assert len(by_digest) == 2 < len(study.settled)
    assert [one.values for one in study.best] == [(max(own),) for own in sorted(by_digest.values(), key=max)[::-1]]
    both = search.run(NETWORK_OF_TWO, ["parameters", "depth"], engine="nsga2", budget=6)
    assert len({one.digest for one in both.front}) == len(both.front) <= 2


def depth_of(_: search.Measured) -> float:
    return 1.0


def test_a_command_measures_where_nothing_else_is_named() -> None:
    study = search.run(SPACES, name=SPACE, engine="random", budget=2, fitness_command="sh -c 'echo 7'")
    assert [str(one) for one in study.setup.objectives] == ["command:max"]
    assert [one.values for one in study.best] == [(7.0,), (7.0,)]


def test_the_name_of_a_space_is_of_a_file() -> None:
    with pytest.raises(ValueError, match="`name` chooses a space of a file"):
        search.run(search.open_space(SPACES, SPACE), name="Nope", budget=1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"budget": "3"}, "budget must be a whole number; got '3'"),
        ({"budget": 2.5}, "budget must be a whole number; got 2.5"),
        ({"seed": "a"}, "seed must be a whole number; got 'a'"),
        ({"fitness": [lambda one: 1.0]}, "one callable gives all numbers"),
        ({"fitness": 3}, "fitness must be a callable, or names as `depth`; got 3"),
        ({"halving": 3}, r"halving must be two whole numbers, as in \(100, 4\); got 3"),
        ({"halving": (4, 2.5)}, "halving must be a whole number; got 2.5"),
        ({"grace": 2.5}, "grace must be a whole number; got 2.5"),
        ({"fitness": depth_of, "directions": "max"}, r"directions must be a list, as in \["),
    ],
)
def test_what_is_no_number_or_name_is_told(given: dict[str, Any], expected: str) -> None:
    arguments: dict[str, Any] = {"fitness": "depth", "name": SPACE, "budget": 3} | given
    with pytest.raises(TypeError, match=expected):
        search.run(SPACES, **arguments)


def test_what_is_stopped_goes_on(tmp_path: Path) -> None:
    calls: list[int] = []

    def interrupted(candidate: search.Measured) -> float:
        calls.append(candidate.slot)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return 1.0

    with pytest.raises(KeyboardInterrupt):
        search.run(SPACES, interrupted, name=SPACE, engine="random", budget=6, study=tmp_path / "a.db")
    study = search.run(SPACES, interrupted, name=SPACE, engine="random", budget=6, study=tmp_path / "a.db")
    assert calls == [0, 1, 2, 3, 3, 4, 5]
    assert len(study.settled) == 6
    assert {one.genome for one in study.settled.values()} == {
        one.genome for one in search.run(SPACES, lambda _: 1.0, name=SPACE, engine="random", budget=6).settled.values()
    }


def test_a_trial_that_runs_here_is_remembered_as_the_database_has_it(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "a.db"), create=True)
    study = optuna.create_study(storage=storage)
    seen = []

    def see(trial: optuna.Trial | FrozenTrial) -> None:
        kept = RDBStorage.get_trial(storage, trial._trial_id)
        for own in (storage.get_trial(trial._trial_id), study.trials[trial.number]):
            assert own == kept
        seen.append(kept)

    def objective(trial: optuna.Trial) -> float:
        see(trial)
        trial.set_user_attr("spine", {"genome": [1]})
        see(trial)
        storage.get_trial(trial._trial_id).user_attrs["spine"]["genome"].append(2)  # which is the asker's own
        see(trial)
        trial.report(0.5, 1)
        see(trial)
        return 1.0

    study.optimize(objective, n_trials=2, callbacks=[lambda _, trial: see(trial)])
    assert [one.state.name for one in seen] == [*["RUNNING"] * 4, "COMPLETE"] * 2


def test_a_trial_asks_the_database_as_little_at_the_end_as_at_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    after: list[int] = []
    lists: list[int] = []  # of all trials
    begin, everyone = Storage.__init__, _CachedStorage.get_all_trials

    def listed(self: _CachedStorage, *given: Any, **more: Any) -> list[FrozenTrial]:
        lists.append(len(after))
        return everyone(self, *given, **more)

    def listened(self: Storage, *given: Any, **more: Any) -> None:
        begin(self, *given, **more)
        sqlalchemy.event.listen(self.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    monkeypatch.setattr(Storage, "__init__", listened)
    monkeypatch.setattr(_CachedStorage, "get_all_trials", listed)
    search.run(
        SPACES, "depth", name=SPACE, engine="random", budget=40, study=tmp_path / "a.db",
        hear=lambda one: after.append(len(asked)),
    )  # fmt: skip
    each = [now - before for before, now in pairwise(after)]
    assert max(each) <= 30, "statements of SQL for each trial"
    assert abs(sum(each[:15]) - sum(each[-16:-1])) <= 6, "signs of life and looks for the silent go by the clock"
    assert not [line for line in asked if "count(" in line], "none that takes longer the more trials there are"
    assert not [at for at in lists if 0 < at < 40], "nor lists that are as long"


def test_trials_of_two_studies_in_one_place_have_numbers_of_their_own(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "a.db"), create=True)
    one, other = (optuna.create_study(storage=storage, study_name=name) for name in ("one", "other"))
    for turn in range(3):
        one.optimize(lambda trial: trial.number, n_trials=1)
        other.add_trial(optuna.create_trial(state=TrialState.WAITING))
        other.optimize(lambda trial: trial.number, n_trials=turn + 1)  # the first of these waited
    for study, count in ((one, 3), (other, 6)):
        assert [(each.number, each.values) for each in study.trials] == [(at, [at]) for at in range(count)]


# ---- workers that die ----

SCORE = """
import os, re, sys, time
text = open(sys.argv[1]).read()
with open(sys.argv[2], "a") as log:
    log.write(f"{os.path.basename(sys.argv[1])}\\n")
time.sleep(float(sys.argv[3]))
print(len(text))
"""


def begun(folder: Path, budget: int, seconds: float = 0.0, place: str = "s.db") -> subprocess.Popen[bytes]:
    """A search by a command that writes down what it measures."""
    (folder / "score.py").write_text(SCORE)
    words = ["search", "run", str(SPACES), "--space", SPACE, "--engine", "evolution", "--budget", str(budget)]
    command = command_of(folder, seconds)
    (folder / "command").write_text(command)
    return process(folder, *words, "--fitness-command", command, "--study", place, "--grace", "3")


def command_of(folder: Path, seconds: float) -> str:
    return f"{sys.executable} {folder / 'score.py'} {{}} {folder / 'log'} {seconds}"


def worker(folder: Path, place: str = "s.db") -> subprocess.Popen[bytes]:
    """Names the search, since other tests have theirs on the same server."""
    command = (folder / "command").read_text()
    words = ["--study", place, "--name", SPACE, "--grace", "3", "--fitness-command", command]
    return process(folder, "search", "worker", *words)


def process(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    with (folder / "errors").open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "spinedsl", *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=errors,
            start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip


def log(folder: Path) -> list[str]:
    return (folder / "log").read_text().split() if (folder / "log").exists() else []


def kill(one: subprocess.Popen[bytes]) -> None:
    """End a worker and what it runs, as a machine that is switched off does."""
    os.killpg(one.pid, signal.SIGKILL)
    one.wait(HANG)


def settle(folder: Path, place: str, kills: int, budget: int) -> search.Study:
    """Kill workers in the middle, begin others, and let the last ones finish."""
    workers = [begun(folder, budget, 0.3, place)]
    for count in range(kills):
        seen = len(log(folder))
        until(lambda seen=seen: len(log(folder)) > seen)  # type: ignore[misc]
        if count % 2 == 0:
            workers.append(worker(folder, place))
        else:
            kill(workers.pop(0))
            workers.append(worker(folder, place))
    kill(workers.pop(0))
    if not workers:
        workers.append(worker(folder, place))
    for one in workers:
        assert one.wait(HANG) == 0, (folder / "errors").read_text()
    assert (folder / "errors").read_text() == ""
    return search.open_study(place if "://" in place else folder / place)


def see_exact(study: search.Study, budget: int) -> None:
    """Every slot is settled once, by a trial that has its value; what was lost has none."""
    assert sorted(study.settled) == list(range(budget))
    trials = study.optuna.get_trials(deepcopy=False)
    complete = [one for one in trials if one.state.name == "COMPLETE"]
    assert len(complete) == budget, "evaluated trials are the budget"
    assert all(one.state.name in ("COMPLETE", "FAIL") for one in trials), "none is stuck"
    assert not any(FAILED in one.user_attrs for one in trials)
    retried = [one.user_attrs[RETRY][2] for one in trials if RETRY in one.user_attrs]
    assert all(trials[number].state.name == "FAIL" for number in retried), "nothing that was finished is repeated"


def test_killed_workers_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    study = settle(tmp_path, "s.db", kills=4, budget=14)
    see_exact(study, 14)


def test_what_was_begun_is_measured_again_whatever_is_known_since(tmp_path: Path) -> None:
    study = search.run(SPACES, "depth", name=SPACE, engine="random", budget=5, study=tmp_path / "a.db")
    other = study.candidates.sample(seed=99)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's, of signs of life
        trial = study.optuna.ask()
    trial.set_user_attr(ATTRIBUTE, Proposal(other, "mutate", (3,)).to_json(study.candidates.space))
    study.optuna.tell(trial, state=TrialState.FAIL)
    again = search.run(SPACES, "depth", name=SPACE, engine="random", budget=8, study=tmp_path / "a.db")
    assert (again.settled[5].genome, again.settled[5].parents) == (other.genome, (3,))
    see_exact(again, 8)


def test_a_trial_that_gives_no_sign_is_given_up_while_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker died with the server before it said what it measures, so no heartbeat of it is missed."""
    study = search.run(SPACES, "depth", name=SPACE, engine="random", budget=2, study=tmp_path / "a.db")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's, of signs of life
        study.optuna.ask()
    clock = counting(step=2)
    passing = SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda seconds: None)
    monkeypatch.setattr(working, "time", passing)
    heard: list[int] = []
    again = search.run(
        SPACES, "depth", name=SPACE, engine="random", budget=30, study=tmp_path / "a.db", grace=4,
        hear=lambda one: heard.append(one.slot),
    )  # fmt: skip
    assert heard.index(2) < 15, "not only when all others are begun"
    see_exact(again, 30)


def test_a_trial_that_waits_is_taken_by_one_alone(tmp_path: Path) -> None:
    one, other = (open_storage(str(tmp_path / "a.db"), create=True) for _ in range(2))
    study = optuna.create_study(storage=one, study_name="one")
    study.add_trial(optuna.create_trial(state=TrialState.WAITING))
    (trial,) = study.trials
    taken: list[bool] = []

    def first(*told: Any) -> None:  # between what the other one has read, and what it writes
        if told[2].startswith("UPDATE trials") and not taken:
            taken.append(one.set_trial_state_values(trial._trial_id, TrialState.RUNNING))

    sqlalchemy.event.listen(other.engine, "before_cursor_execute", first)
    assert not other.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
    assert taken == [True]
    assert study.trials[0].state is TrialState.RUNNING
    assert study.trials[0].datetime_start is not None


def test_a_trial_that_another_worker_has_settled_is_no_mistake(tmp_path: Path) -> None:
    place = str(tmp_path / "a.db")

    def fitness(candidate: search.Measured) -> float:
        if candidate.slot == 2:
            told.append(find(place, None).optuna.tell(3, 2.0))
        return float(candidate.slot)

    told: list[FrozenTrial] = []
    study = search.run(SPACES, fitness, name=SPACE, engine="random", budget=2, study=place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna's, of signs of life
        study.optuna.tell(study.optuna.ask(), state=TrialState.FAIL)
    again = search.run(SPACES, fitness, name=SPACE, engine="random", budget=5, study=place)
    assert [one.number for one in told] == [3], "the one that waited, and was taken"
    see_exact(again, 5)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A server of PostgreSQL."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: Debian's package `postgresql` brings it")
    with server() as found:
        yield found


def test_a_server_keeps_the_same_study(postgres: Server) -> None:
    kept = search.run(SPACES, "depth", name=SPACE, budget=12, seed=3, study=postgres.address, study_name="one")
    assert everything(kept) == everything(search.run(SPACES, "depth", name=SPACE, budget=12, seed=3))
    assert search.open_study(postgres.address, "one").settled == kept.settled
    with pytest.raises(NoStudy, match="does not exist"):
        search.open_study(f"{postgres.address}-none")


def test_a_server_and_workers_are_killed(postgres: Server, tmp_path: Path) -> None:
    first = begun(tmp_path, 10, 0.3, postgres.address)
    until(lambda: len(log(tmp_path)) > 2)
    postgres.kill()
    postgres.start()
    seen = len(log(tmp_path))
    until(lambda: len(log(tmp_path)) > seen or first.poll() is not None)
    assert first.poll() is None, (tmp_path / "errors").read_text()
    second = worker(tmp_path, postgres.address)
    kill(first)
    assert second.wait(HANG) == 0, (tmp_path / "errors").read_text()
    see_exact(search.open_study(postgres.address, SPACE), 10)


def test_a_worker_waits_for_a_server_that_is_down(postgres: Server, tmp_path: Path) -> None:
    search.run(SPACES, "depth", name="Adjusted", budget=1, study=postgres.address, study_name="waits")
    study = find(postgres.address, "waits")
    study.optuna.set_user_attr(ATTRIBUTE, {**study.optuna.user_attrs[ATTRIBUTE], "budget": 4})
    postgres.kill()
    early = process(tmp_path, "search", "worker", "--study", postgres.address, "--name", "waits", "--grace", "3")
    errors = (tmp_path / "errors").read_text
    until(lambda: "no server answers; it is tried again for 300 seconds" in errors() or early.poll() is not None)
    assert early.poll() is None, errors()
    postgres.start()
    assert early.wait(HANG) == 0, errors()
    assert "the server answers again" in errors()
    assert len(search.open_study(postgres.address, "waits").settled) == 4


def test_a_search_waits_for_a_server_that_is_down(postgres: Server, tmp_path: Path) -> None:
    postgres.kill()
    words = ["search", "run", str(SPACES), "--space", "Adjusted", "--fitness", "depth", "--budget", "2"]
    early = process(tmp_path, *words, "--study", postgres.address, "--name", "early", "--wait", "200")
    errors = (tmp_path / "errors").read_text
    until(lambda: "no server answers; it is tried again for 200 seconds" in errors() or early.poll() is not None)
    assert early.poll() is None, errors()
    postgres.start()
    assert early.wait(HANG) == 0, errors()
    assert "the server answers again" in errors()
    assert len(search.open_study(postgres.address, "early").settled) == 2


def test_a_search_from_python_warns_of_a_server_that_is_down() -> None:
    with (
        pytest.warns(UserWarning, match="no server answers; it is tried again for 1 second"),
        pytest.raises(NoStudy) as found,
    ):
        search.run(SPACES, "depth", name=SPACE, budget=1, study="postgresql://me@127.0.0.1:1/none", wait=0.6)
    assert found.value.diagnostic.notes == ("it was tried again for 1 second",)


def test_what_was_measured_while_the_server_was_down_is_kept(postgres: Server) -> None:
    measured: list[int] = []
    said: list[str] = []

    def fitness(candidate: search.Measured) -> float:
        measured.append(candidate.slot)
        if candidate.slot == 2:
            postgres.kill()
        return float(candidate.slot)

    def hear(text: str) -> None:
        said.append(text)
        if "no server answers" in text:
            postgres.start()

    study = search.run(
        SPACES, fitness, name=SPACE, engine="random", budget=5, study=postgres.address, study_name="kept",
        warn=hear,
    )  # fmt: skip
    assert measured == list(range(5)), "none is measured again"
    assert [study.settled[slot].values for slot in range(5)] == [(float(slot),) for slot in range(5)]
    assert len(study.optuna.trials) == 5
    assert [line.partition(": ")[2][:20] for line in said] == ["no server answers; i", "the server answers a"]


def test_a_server_is_not_waited_for_longer_than_asked() -> None:
    said: list[str] = []
    tries: list[int] = []

    def reach() -> None:
        tries.append(1)
        find("postgresql://me@127.0.0.1:1/none", None)

    for limit, least in ((0.0, 1), (0.3, 2)):
        said.clear()
        tries.clear()
        with pytest.raises(NoStudy, match="no server answers there"):
            insist(reach, Outage("postgresql://me@127.0.0.1:1/none", limit, said.append))
        assert len(tries) >= least
        assert len(said) == bool(limit)
    with pytest.raises(NoStudy, match="there is no such file"):
        insist(lambda: find("absent.db", None), Outage("absent.db", 100, said.append))
    with pytest.raises(ZeroDivisionError):
        insist(lambda: 1 // 0, Outage("postgresql://me@127.0.0.1:1/none", 100, said.append))


# ---- what is refused ----


def reasons(place: Path | str, **more: Any) -> str:
    """What is said of a place where a search should be kept."""
    with pytest.raises(NoStudy) as found:
        search.run(SPACES, "depth", **{"name": SPACE, "budget": 2, "study": place, "wait": 0, **more})
    diagnostic = found.value.diagnostic
    assert diagnostic.fixes, "each has a repair"
    return f"{diagnostic.code.id} {diagnostic.message}"


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database at all, but a text\n")
    (tmp_path / "folder").mkdir()
    cases: dict[Path | str, str] = {
        tmp_path / "text.db": "it is no database of SQLite",
        tmp_path / "folder": "it is a folder",
        tmp_path / "none" / "a.db": "there is no folder",
        "postgresql://me:secret@127.0.0.1:1/none": "no server answers there",
        "oracle://somewhere/x": "there is no kind of database `oracle`",
        "postgresql://me@127.0.0.1:port/x": "this is no address of a database",
    }
    for place, reason in cases.items():
        said = reasons(place)
        assert said.startswith("E1212 ")
        assert reason in said
        assert "secret" not in said
    assert (tmp_path / "text.db").read_text() == "no database at all, but a text\n"
    for place in (tmp_path / "absent.db", tmp_path / "text.db"):
        with pytest.raises(NoStudy, match="cannot be used"):
            search.open_study(place)
    assert not (tmp_path / "absent.db").exists()


def test_damaged_databases(tmp_path: Path) -> None:
    place = tmp_path / "a.db"
    search.run(SPACES, "depth", name=SPACE, budget=5, study=place)
    whole = place.read_bytes()
    for start, end in ((100, 4096), (4096, 16384), (16, 100)):
        place.write_bytes(whole[:start] + b"\xa5" * (end - start) + whole[end:])
        with contextlib.suppress(NoStudy):  # unless what is damaged is not read; nothing else may be raised
            search.open_study(place)
    place.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NoStudy):
        search.open_study(place)
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("create table birds (name text)")
    with pytest.raises(NoStudy, match="there is no search in it"):
        search.open_study(tmp_path / "other.db")


def with_genome(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What changes the genome of a trial."""
    return lambda kept: {**kept, "genome": {**kept["genome"], **changed}}


@pytest.mark.parametrize(
    ("attribute", "change", "reason"),
    [
        (ATTRIBUTE, lambda kept: {key: kept[key] for key in kept if key != "genome"}, "it has no `genome`"),
        (ATTRIBUTE, lambda kept: {key: kept[key] for key in kept if key != "origin"}, "it has no `origin`"),
        (ATTRIBUTE, with_genome(types=5), "not iterable"),
        (ATTRIBUTE, with_genome(types=["a"] * 5), "expected whole numbers"),
        (ATTRIBUTE, with_genome(types=[9] * 5), "its genome is of another space"),
        (ATTRIBUTE, lambda kept: {**kept, "parents": [2]}, "its parents are (2,)"),
        (ATTRIBUTE, lambda kept: {**kept, "costs": {}}, "it has no `parameters`"),
        (ATTRIBUTE, lambda kept: {**kept, "costs": {"parameters": "1", "multiply_adds": 2}}, "its costs are"),
        (ATTRIBUTE, lambda kept: {**kept, "digest": None}, "expected a text, got None"),
        (ATTRIBUTE, lambda _: 5, "not subscriptable"),
        (CURVE, lambda _: [["a", 1]], "invalid literal"),
        (RETRY, lambda _: ["x"], "invalid literal"),
    ],
)
def test_a_trial_that_is_damaged_is_told(
    attribute: str, change: Callable[[Any], Any], reason: str, tmp_path: Path
) -> None:
    place = tmp_path / "a.db"
    study = search.run(SPACES, "depth", name=SPACE, engine="random", budget=4, study=place)
    changed = json.dumps(change(study.optuna.trials[2].user_attrs.get(attribute)))
    storage = open_storage(str(place), create=False)
    with storage.engine.begin() as connection:
        for statement in (
            "delete from trial_user_attributes where trial_id=3 and key=:key",
            "insert into trial_user_attributes (trial_id, key, value_json) values (3, :key, :value)",
        ):
            connection.execute(sqlalchemy.text(statement), {"key": attribute, "value": changed})
    for opened in (lambda: search.open_study(place), lambda: to_html([find(str(place), None)])):
        with pytest.raises(NoStudy, match="trial 2 of it is damaged: ") as told:
            opened()
        assert reason in str(told.value)


def test_a_candidate_that_is_none_is_told() -> None:
    """Its genome is one of the space, which leaves a block unread."""
    space = search.open_space(Source.from_text(f"{NET}\nspace S of Net {{\n    parents b2..b4: 2 of all\n}}\n"))
    study = search.run(space, "depth", engine="random", budget=1)
    genome = replace(study.settled[0].genome, parents=((), (), (0, 1), (0, 1), (0, 1)))
    study.settled[0] = replace(study.settled[0], genome=genome)
    with pytest.raises(NoStudy, match="what it has as candidate 0 is none of the space"):
        study.text(study.settled[0])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"engine": "quantum"}, "this version has no engine `quantum`"),
        ({"objectives": [["speed", "maximize"]]}, "this version has no objective `speed:max`"),
        ({"objectives": [["depth", "sideways"]]}, "this version has no objective `depth:sid`"),
        ({"objectives": [["depth"]]}, "what it says of the search is damaged"),
        ({"objectives": [[1, 2]]}, "what it says of the search is damaged: expected a text, got 1"),
        ({"budget": "many"}, "what it says of the search is damaged"),
        ({"sources": [1]}, "what it says of the search is damaged"),
        ({"sources": {"a": 1}}, "what it says of the search is damaged: expected a text, got 1"),
        ({"command": 5}, "what it says of the search is damaged: expected a text, got 5"),
        ({"halving": [1]}, "what it says of the search is damaged"),
        ({"training": 5}, "what it says of the search is damaged"),
        ({"format": 2}, "its format is 2, and this version reads 1"),
    ],
)
def test_a_study_whose_search_is_damaged_or_unknown_is_told(
    changed: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    study = search.run(SPACES, "depth", name=SPACE, engine="random", budget=1, study=tmp_path / "a.db")
    study.optuna.set_user_attr(ATTRIBUTE, {**study.optuna.user_attrs[ATTRIBUTE], **changed})
    with pytest.raises(NoStudy) as told:
        search.open_study(tmp_path / "a.db")
    assert reason in str(told.value)
    study.optuna.set_user_attr(ATTRIBUTE, "x")
    with pytest.raises(NoStudy, match="what it says of the search is damaged"):
        search.open_study(tmp_path / "a.db")


def test_a_study_of_another_search(tmp_path: Path) -> None:
    place = tmp_path / "a.db"
    search.run(SPACES, "depth", name=SPACE, budget=2, study=place)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"engine": "local"}, "expected engine `evolution`, got `local`"),
        ({"seed": 1}, "expected seed `0`, got `1`"),
        ({"fitness": "entropy"}, "expected objectives `depth:max`, got `entropy:max`"),
        ({"name": "Adjusted", "study_name": SPACE}, "expected space `AroundSpineNet49`, got `Adjusted`"),
        ({"mutate_with": "cat"}, "expected command of --mutate-with none, got `cat`"),
    ]
    for more, said in cases:
        given: dict[str, Any] = {"fitness": "depth", "name": SPACE, "budget": 2, "study": place, **more}
        with pytest.raises(NoStudy, match="is of another search") as found:
            search.run(SPACES, **given)
        assert found.value.diagnostic.code.id == "E1211"
        assert said in found.value.diagnostic.message
    text = SPACES.read_text().replace(
        "last 5\n    parents b12..b16: 2 of all\n    level_shift b2..b11: -1..2",
        "last 4\n    parents b12..b16: 2 of all\n    level_shift b2..b11: -1..2",
    )
    changed = SPACES.with_name("spaces.spine")
    source = Source.from_text(text, "spaces.spine", str(changed))
    with pytest.raises(NoStudy, match="as it was, got it with other decisions"):
        search.run(source, "depth", name=SPACE, budget=2, study=place)
    search.run(SPACES, "depth", name="Adjusted", budget=2, study=place)
    with pytest.raises(NoStudy, match="it has 2 searches"):
        search.open_study(place)
    assert search.open_study(place, "Adjusted").setup.space == "Adjusted"
    with pytest.raises(NoStudy, match="there is no search `Ajusted` in it"):
        search.open_study(place, "Ajusted")


def test_bounds_tell_spaces_apart_to_the_last_digit(tmp_path: Path) -> None:
    text, bounds = SPACES.read_text(encoding="utf-8"), (28345678900, 28345679900)
    texts = [text.replace("multiply_adds <= 30G", f"multiply_adds <= {bound}") for bound in bounds]
    spaces = [Source.from_text(one, "spaces.spine", str(SPACES)) for one in texts]
    place = tmp_path / "a.db"
    given: dict[str, Any] = {"name": SPACE, "budget": 2, "study": place}
    study = search.run(spaces[0], "depth", **given)
    with pytest.raises(NoStudy, match="expected space `AroundSpineNet49` as it was"):
        search.run(spaces[1], "depth", **given)
    rounded = digest_of(study.candidates.space, exact=False)
    assert rounded == digest_of(search.open_space(spaces[1], SPACE).space, exact=False) != study.setup.digest
    study.optuna.set_user_attr(ATTRIBUTE, {**study.optuna.user_attrs[ATTRIBUTE], "digest": rounded})
    assert len(search.open_study(place).settled) == 2, "an older study stays readable"
    assert len(search.run(spaces[0], "depth", **given | {"budget": 3}).settled) == 3
    with pytest.raises(NoStudy, match="expected space `AroundSpineNet49` as it was"):
        search.run(spaces[1], "depth", **given)


def test_digests_of_spaces_stay_what_they_were() -> None:
    for space in search.spaces(SPACES).values():
        assert digest_of(space) == digest_of(space, exact=False)


def test_a_search_by_a_callable_is_gone_on_with_from_python_alone(tmp_path: Path) -> None:
    search.run(SPACES, lambda _: 1.0, name=SPACE, budget=2, study=tmp_path / "a.db")
    with pytest.raises(ValueError, match=r"measured by a Python callable .*: work on it by `spinedsl.search.run`"):
        work_on(find(str(tmp_path / "a.db"), None))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"engine": "evolutoin"}, "there is no engine `evolutoin`: did you mean `evolution`?"),
        ({"fitness": "deph"}, "there is no fitness `deph`: did you mean `depth`?"),
        ({"fitness": "depth:up"}, "says neither `max` nor `min`"),
        ({"fitness": ["depth", "entropy"]}, "engine `evolution` has one objective, and 2 are given: choose `nsga2`"),
        ({"fitness": ["depth", "depth:min"], "engine": "random"}, "fitness `depth` is given twice"),
        ({"fitness": "command"}, "measured by --fitness-command, which is not given"),
        ({"fitness": "command", "fitness_command": "a 'b"}, "cannot be split into words"),
        ({"fitness": []}, "nothing is to be measured"),
        ({"budget": 0}, "a budget is 1 or more; got 0"),
        ({"grace": 0}, "grace is a second or more; got 0"),
        ({"engine": "random", "mutate_with": "cat"}, "changes no candidates"),
        ({"name": "Nope"}, "no space 'Nope'"),
        ({"name": None}, "5 spaces, of which one has to be named"),
        ({"changes": {"run": {"steps": 3}}}, "`changes` are of a configuration: give it by `train`"),
        ({"study_name": "x"}, "`study_name` is of a search that is kept: say where by `study`"),
        ({"directions": ["max"]}, "`directions` are of what a callable returns"),
        ({"fitness": depth_of, "directions": ["nonsense"]}, "a direction is `max` or `min`; got 'nonsense'"),
        ({"fitness_command": "false"}, "`fitness_command` measures the figure `command`, which is not among"),
        ({"fitness": depth_of, "fitness_command": "false"}, "`fitness_command` measures the figure `command`"),
    ],
)
def test_what_does_not_go_together(more: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"fitness": "depth", "name": SPACE, "budget": 2, **more}
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        search.run(SPACES, **given)


def test_a_database_without_its_driver_is_told_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    with pytest.raises(NoStudy, match="no driver for `mysql` is installed") as refused:
        open_storage("mysql://me@host/name", create=True)
    assert "pip install pymysql" in str(refused.value.diagnostic)


def test_passwords_are_not_shown() -> None:
    for password in ("secret", "se/cret", "se:cret", "se@cret", "se?cr/et", "se%40cret", "se#cret", ""):
        assert shown(f"postgresql://me:{password}@host:5432/name") == "postgresql://me:***@host:5432/name"
    queried = shown("postgresql://host/name?user=me&password=secret&sslmode=require&sslpassword=se/cr@et")
    assert queried == "postgresql://host/name?user=me&password=***&sslmode=require&sslpassword=***"
    for plain in ("a.db", "folder/a:b@c.db", "postgresql://me@host:5432/name", "postgresql:///name?host=/tmp"):
        assert shown(plain) == plain
    assert url_of("postgresql://me@host/name") == "postgresql+psycopg://me@host/name"
