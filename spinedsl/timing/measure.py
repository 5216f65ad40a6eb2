"""Measure: engines run a network in turns, in one process, and each time is kept, of the processor and of the clock.

In: a `Job` and names of engines. Out: a `Bench`, or why an engine cannot run it. In a round every engine runs once,
and the next round begins with the next engine, so that what else happens on the machine meets all of them alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from spinedsl import analysis
from spinedsl import checks as say
from spinedsl.backends import line_of
from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics.plain import one_line
from spinedsl.ops.graph import flatten
from spinedsl.record import Record
from spinedsl.source import Span
from spinedsl.timing.engines import ENGINES, Array, Job, Misfit, Opened
from spinedsl.timing.machine import Machine, this_machine
from spinedsl.timing.memory import added_by
from spinedsl.timing.peak import Kernel, fastest
from spinedsl.timing.report import Bench, Timing

LEAST = 5  # rounds, whatever the limit of time is
PROBED = 1e9  # multiply-adds that say in each round what the core does
REASON = 200  # characters of what an engine reports

Clock = Callable[[], float]
Hear = Callable[[str], None]


class Clocks(Record, eq=False):
    """Seconds as they pass, and seconds that the processor spent on this process."""

    wall: Clock = time.perf_counter
    cpu: Clock = time.process_time


class Limit(Record):
    """How many rounds, and after how many seconds no other one begins; there are at least `LEAST`."""

    rounds: int = 30
    seconds: float = 60.0


class _Ready(Record, eq=False):
    """An engine with the network in it: what came of its first run, and what that took."""

    name: str
    opened: Opened
    outputs: Mapping[str, Array]
    memory: int | None
    seconds: float


def bench(
    job: Job,
    names: Sequence[str],
    limit: Limit,
    hear: Hear,
    clocks: Clocks | None = None,
    machine: Machine | None = None,
) -> Outcome[Bench]:
    """Measure a network in engines, which run in this order; ratios are to the first of them."""
    clocks, machine = clocks or Clocks(), machine or this_machine()
    if (short := _short(job, names, machine)) is not None:
        return Outcome(None, (short,))
    hear("measuring what a core can do")
    kernel = fastest(clocks.cpu)
    ready: list[_Ready] = []
    for name in names:
        hear(f"opening {ENGINES[name].title}")
        opened = _opened(name, job, clocks)
        if opened.value is None:
            return Outcome(None, opened.diagnostics)
        ready.append(opened.value)
    times, peaks = _rounds([one.opened for one in ready], kernel, limit, clocks, hear)
    found = [
        Timing(
            name=one.name, title=ENGINES[one.name].title, precision=one.opened.precision, ready=one.seconds,
            memory=one.memory, error=error_of(ready[0].outputs, one.outputs), note=one.opened.note,
            cpu=tuple(cpu for cpu, _ in own), wall=tuple(wall for _, wall in own),
        )
        for one, own in zip(ready, times, strict=True)
    ]  # fmt: skip
    work = analysis.costs(flatten(job.program)).multiply_adds * len(job.image)
    return Outcome(Bench(job.program.name, job.image.shape, work, job.threads, machine, tuple(peaks), tuple(found)))


def _rounds(
    engines: Sequence[Opened], kernel: Kernel, limit: Limit, clocks: Clocks, hear: Hear
) -> tuple[list[list[tuple[float, float]]], list[float]]:
    """Of each engine the times of each run, of the processor and as they passed; in each round what the core can do."""
    times: list[list[tuple[float, float]]] = [[] for _ in engines]
    peaks: list[float] = []
    start = clocks.wall()
    for number in range(limit.rounds):
        if number >= LEAST and clocks.wall() - start > limit.seconds:
            break
        hear(f"round {number + 1} of {limit.rounds}")
        peaks.append(kernel.rate(clocks.cpu, PROBED))
        for turn in range(len(engines)):
            at = (number + turn) % len(engines)
            wall, cpu = clocks.wall(), clocks.cpu()
            engines[at].run()
            spent = clocks.cpu() - cpu, clocks.wall() - wall
            times[at].append(spent)
    return times, peaks


def _opened(name: str, job: Job, clocks: Clocks) -> Outcome[_Ready]:
    start = clocks.wall()
    try:
        opened = ENGINES[name].open(job)
        outputs, memory = added_by(opened.run)
    except Misfit as misfit:
        found: Diagnostic = say.OTHER_MODEL.at(_place(job), path=job.int8, network=job.program.name, reason=str(misfit))
        return Outcome(None, (found,))
    except (KeyboardInterrupt, ModuleNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001  an engine raises whatever it comes to
        return Outcome(None, (_failed(name, job, error),))
    return Outcome(_Ready(name, opened, {key: np.array(value) for key, value in outputs.items()}, memory,
                          clocks.wall() - start))  # fmt: skip


def _failed(name: str, job: Job, error: Exception) -> Diagnostic:
    reason = f"{type(error).__name__}: {one_line(str(error))[:REASON]}".rstrip(": ")
    found: Diagnostic = say.ENGINE_FAILED.at(
        _place(job), engine=ENGINES[name].title, network=job.program.name, reason=reason
    )
    return found.with_fix("name the others with `--engines`")


def _place(job: Job) -> Span:
    return line_of(job.program, job.program.loc)


def _short(job: Job, names: Sequence[str], machine: Machine) -> Diagnostic | None:
    """Why the machine's memory does not do: every engine keeps the weights, and one at a time runs."""
    graph = flatten(job.program)
    weights = sum(array.nbytes for array in job.weights.values())
    needs = (len(names) + 2) * weights + job.batch * analysis.peak_activation_bytes(graph)
    if machine.memory is None or needs <= machine.memory:
        return None
    found: Diagnostic = say.NOT_ENOUGH_MEMORY.at(
        _place(job), network=job.program.name, needs=f"{needs / 2**30:.1f}", free=f"{machine.memory / 2**30:.1f}"
    )
    return found.with_fix("a smaller `--input` or `--batch` takes less, and so do fewer `--engines`")


def error_of(expected: Mapping[str, Array], found: Mapping[str, Array]) -> float | None:
    """The largest relative difference (in the L2 norm) of any output; None where they are not the same outputs."""
    if expected.keys() != found.keys():
        return None
    with np.errstate(all="ignore"):
        return float(np.max([0.0, *_errors(expected, found)]))  # `max` passes over what is no number


def _errors(expected: Mapping[str, Array], found: Mapping[str, Array]) -> Iterator[float]:
    for name, value in expected.items():
        one, other = (np.asarray(array, dtype=np.float64) for array in (value, found[name]))
        if one.shape != other.shape:
            yield float("inf")
            continue
        length = float(np.linalg.norm(one))
        yield float(np.linalg.norm(other - one)) / (length or 1.0)
