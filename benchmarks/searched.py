"""Searches: what an engine costs a trial, whether engines beat chance, and what is left of workers that are killed.

    python -m benchmarks.searched overhead --trials 10000             # two workers, SQLite; --postgres for a server
    python -m benchmarks.searched better --seeds 10 --budget 500      # closed-form fitness, with the p-value
    python -m benchmarks.searched killed --kills 100                  # of workers; with --postgres of the server too

`killed` looks at every trial afterwards. Exit status 1 if one that was finished is lost or counted twice, if one is
stuck, or if the budget is not met exactly; of `better` if an engine does not beat random search with p < 0.01.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import ROOT, measured
from spinedsl import search
from spinedsl.search.engines import ENGINES
from spinedsl.search.records import RETRY
from spinedsl.search.trials import attempts
from tests.search.postgres import Server, server

FILE = ROOT / "examples" / "spaces.spine"
SPACE = "AroundSpineNet49"
GRACE = 5  # seconds
MOST_TIMES = 3  # that a slot is killed: what ends `ledger.MOST_DEATHS` workers is given up


@contextlib.contextmanager
def place_of(options: argparse.Namespace) -> Iterator[tuple[str, Server | None]]:
    """Where the study is kept: a file, or a server of PostgreSQL that is begun for it."""
    if options.postgres:
        with server() as found:
            yield found.address, found
    else:
        with tempfile.TemporaryDirectory(prefix="spine-") as folder:
            yield str(Path(folder) / "search.db"), None


def begun(act: Callable[[], object]) -> int:
    """A process that does something and ends, with all that is imported here."""
    if (process := os.fork()) == 0:
        try:
            act()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001  it is reported, and the parent looks at the status
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
    return process


# ---- what a trial costs ----


def overhead(options: argparse.Namespace) -> int:
    """Seconds a trial of workers that measure next to nothing."""
    with place_of(options) as (place, _):
        kind = "PostgreSQL" if options.postgres else "SQLite"

        def work() -> None:
            search.run(FILE, "depth", name=SPACE, engine=options.engine, budget=options.trials, study=place)

        search.run(FILE, "depth", name=SPACE, engine=options.engine, budget=1, study=place)
        started = time.perf_counter()
        workers = [begun(work) for _ in range(options.workers)]
        status = [os.waitpid(worker, 0)[1] for worker in workers]
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        study = search.open_study(place)
        assert status == [0] * options.workers
        assert len(study.settled) == options.trials
        paces = _paces(study, options.workers)
    each = 1000 * seconds * options.workers / options.trials
    print(f"{options.engine}, {options.trials:,} trials by {options.workers} workers, {kind}:")
    print(f"  {each:.1f} ms of a worker's time a trial, {options.trials / seconds:.1f} trials a second together")
    print(f"  of the first tenth of the trials {paces[0]:.1f} ms, of the last {paces[-1]:.1f} ms")
    cpu = 1000 * (used.ru_utime + used.ru_stime) / options.trials
    load = f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores, {os.nice(0)} being the niceness of the workers"
    print(f"  {cpu:.1f} ms of CPU of that; load of the machine at the end {load}")
    started = time.process_time()
    search.run(FILE, "depth", name=SPACE, engine=options.engine, budget=min(options.trials, 1000))
    print(
        f"  in memory, one process: {1000 * (time.process_time() - started) / min(options.trials, 1000):.1f} ms of CPU"
    )
    return 0


def _paces(study: search.Study, workers: int) -> list[float]:
    """Milliseconds of a worker's time a trial, of each tenth of the trials in the order in which they ended."""
    ended = sorted(one.ended for one in attempts(study) if one.ended is not None)
    marks = [ended[round(part * (len(ended) - 1) / 10)] for part in range(11)]
    each = 1000 * workers * 10 / (len(ended) - 1)
    return [each * (after - before).total_seconds() for before, after in pairwise(marks)]


# ---- whether it is better than chance ----


def better(options: argparse.Namespace) -> int:
    """The best of each engine and seed at equal budget, and the p-value against random search."""
    from scipy.stats import mannwhitneyu

    space = search.open_space(FILE, SPACE)
    names = [name for name in ENGINES if name in options.engines.split(",")]
    found: dict[str, list[float]] = {}
    for name in names:
        for seed in range(options.seeds):
            study = search.run(space, options.fitness, engine=name, budget=options.budget, seed=seed)
            best = study.best[0].values
            assert best is not None
            found.setdefault(name, []).append(best[0])
    print(f"{options.fitness} of {SPACE} within 30G multiply-adds, {options.budget} candidates, {options.seeds} seeds:")
    status = 0
    for name, values in found.items():
        ordered = sorted(values)
        middle = ordered[len(ordered) // 2]
        line = f"  {name:12} median {middle:9.1f}  lowest {ordered[0]:9.1f}  highest {ordered[-1]:9.1f}"
        if name != "random":
            p = mannwhitneyu(values, found["random"], alternative="greater").pvalue
            line += f"  against random p = {p:.1e} (Mann-Whitney, one-sided)"
            status = status or int(p >= 0.01)
        print(line)
    return status


# ---- what is left of workers that are killed ----


def killed(options: argparse.Namespace) -> int:
    """Kill workers in the middle of trials, and look at every trial."""
    draw = random.Random(options.seed)  # noqa: S311
    budget = options.kills * 8  # as much as workers that live get done meanwhile
    space = search.open_space(FILE, SPACE)
    for number in range(50):
        space.sample(0, number)  # parts are expanded once, before workers are begun
    with place_of(options) as (place, database), tempfile.TemporaryDirectory(prefix="spine-") as name:
        busy = Path(name)  # has a file for each worker that is in the middle of a trial

        def fitness(candidate: search.Measured) -> float:
            mark = busy / str(os.getpid())
            mark.write_text(str(candidate.slot))
            time.sleep(0.1 + candidate.slot % 7 / 20)
            mark.unlink()
            return float(candidate.costs.parameters)

        def work() -> None:
            warnings.simplefilter("ignore")  # of a server that is away
            search.run(space, fitness, budget=budget, study=place, grace=GRACE)

        workers = [begun(work) for _ in range(options.workers)]
        servers = 0
        times: Counter[int] = Counter()  # that workers were killed at a slot
        for count in range(options.kills):
            slot = None
            while slot is None or times[slot] >= MOST_TIMES:
                at = draw.randrange(len(workers))
                _wait_for(busy / str(workers[at]), workers[at])
                time.sleep(draw.uniform(0, 0.05))
                slot = _at(busy / str(workers[at]))
            times[slot] += 1
            if database is not None and count % 4 == 2:
                database.kill()
                servers += 1
            os.kill(workers[at], signal.SIGKILL)
            os.waitpid(workers[at], 0)
            (busy / str(workers[at])).unlink(missing_ok=True)
            if database is not None:
                database.start()
            workers[at] = begun(work)
        status = [os.waitpid(worker, 0)[1] for worker in workers]
        study = search.open_study(place)
        wrong = list(_wrong(study, budget))
        none = {slot for slot, one in study.settled.items() if one.values is None}
        tried = [f"  {one}" for one in attempts(study) if one.slot in none]
        lost = sum(one.state == "lost" for one in attempts(study))
        longest = _longest(study)
    kind = f"PostgreSQL, the server killed {servers} times too" if database is not None else "SQLite"
    print(f"{options.kills} kills of {options.workers} workers in the middle of trials, {kind}:")
    print(f"  {len(study.settled)} of {budget} slots are settled, {lost} trials were lost with their workers")
    print(f"  a lost one was begun again {longest:.1f} s after its beginning at most, the grace period being {GRACE} s")
    print(f"  workers ended with {status}; wrong: {wrong or 'nothing'}")
    print("\n".join(tried), end="\n" if tried else "")
    return int(bool(wrong) or any(status))


def _at(mark: Path) -> int | None:
    """The slot that a worker is in the middle of; None where it is in none."""
    try:
        return int(mark.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _wait_for(mark: Path, worker: int) -> None:
    """Until a worker is in the middle of a trial."""
    while not mark.exists():
        if os.waitpid(worker, os.WNOHANG)[0]:
            raise SystemExit(f"worker {worker} ended before it was killed")
        time.sleep(0.005)


def _longest(study: search.Study) -> float:
    """Seconds from the beginning of a trial that was lost to that of the one that repeats it, at most."""
    trials = study.optuna.get_trials(deepcopy=False)
    pairs = [(trials[one.user_attrs[RETRY][2]], one) for one in trials if RETRY in one.user_attrs]
    return max(
        (
            (again.datetime_start - lost.datetime_start).total_seconds()
            for lost, again in pairs
            if again.datetime_start is not None and lost.datetime_start is not None and again.state.name == "COMPLETE"
        ),
        default=0.0,
    )


def _wrong(study: search.Study, budget: int) -> Iterator[str]:
    trials = study.optuna.get_trials(deepcopy=False)
    complete = [one for one in trials if one.state.name == "COMPLETE"]
    if len(complete) != budget or len(study.settled) != budget:
        yield f"{len(complete)} were evaluated"
    if len({one.slot for one in study.settled.values()}) != budget:
        yield "a slot is missing"
    for one in trials:
        if one.state.name not in ("COMPLETE", "FAIL"):
            yield f"trial {one.number} is {one.state.name}"
    for settled in study.settled.values():
        if settled.values != (float(settled.costs["parameters"]),):
            yield f"candidate {settled.slot} has another value"


def main() -> int:
    """One of the three."""
    parser = argparse.ArgumentParser(description="searches")
    parser.add_argument("what", choices=("overhead", "better", "killed"))
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engine", default="evolution")
    parser.add_argument("--engines", default="random,evolution,local")
    parser.add_argument("--fitness", default="depth")
    parser.add_argument("--budget", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    return {"overhead": overhead, "better": better, "killed": killed}[options.what](options)


if __name__ == "__main__":
    sys.exit(measured("searched", main))
