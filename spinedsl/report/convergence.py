"""Convergence: the best value after so many candidates, of each engine, over its seeds.

Of one objective that is the best value. Of several it is the hypervolume: how large a part of the space between the
worst and the best values of all runs the front leaves behind, from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from statistics import median

from spinedsl.record import Record
from spinedsl.report.runs import Run
from spinedsl.report.scale import share
from spinedsl.search.pareto import Scores, hypervolume, undominated
from spinedsl.search.records import Finished, Objective

POINTS = 160  # of a curve
POINTS_OF_VOLUME = 40


class Curve(Record):
    """What the runs of an engine had reached. `low` and `high` are quartiles; with one run both are its values."""

    engine: str
    runs: int
    counts: Sequence[int]
    middle: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def curves(runs: Sequence[Run], objectives: Sequence[Objective]) -> list[Curve]:
    """A curve for each engine, in the order of the runs. Over each count are the runs that came so far."""
    if not any(run.measured for run in runs):
        return []
    longest = max(max(run.study.settled, default=-1) + 1 for run in runs)
    counts = _counts(longest, POINTS if len(objectives) == 1 else POINTS_OF_VOLUME)
    reached = [_reached(run, objectives, counts, runs) for run in runs]
    found = []
    for engine in dict.fromkeys(run.engine for run in runs):
        own = [values for run, values in zip(runs, reached, strict=True) if run.engine == engine]
        kept = [(count, at) for at, count in enumerate(counts) if any(values[at] is not None for values in own)]
        spread = [quartiles([values[at] for values in own if values[at] is not None]) for _, at in kept]
        if kept:
            low, middle, high = zip(*spread, strict=True)
            found.append(Curve(engine, len(own), [count for count, _ in kept], middle, low, high))
    return found


def _counts(longest: int, most: int) -> list[int]:
    """Counts of candidates from 1 to the last, closer together at the beginning."""
    if longest <= most:
        return list(range(1, longest + 1))
    return sorted({max(1, round(longest * (at / most) ** 1.5)) for at in range(1, most + 1)})


def _reached(
    run: Run, objectives: Sequence[Objective], counts: Sequence[int], runs: Sequence[Run]
) -> list[float | None]:
    """What a run had reached at each count; None where nothing had a value yet, or it has not come so far."""
    measured = run.measured
    end = max(run.study.settled, default=-1) + 1
    if len(objectives) == 1:
        rising = list(best_so_far(measured, objectives[0], end))
        return [rising[count - 1] if count <= end else None for count in counts]
    worst, best = _corners(runs, objectives)
    found: list[float | None] = []
    for count in counts:
        known = [_shares(one.values, worst, best) for one in measured if one.slot < count and one.values is not None]
        found.append(hypervolume(undominated(known)) if known and count <= end else None)
    return found


def best_so_far(measured: Sequence[Finished], objective: Objective, end: int) -> Iterator[float | None]:
    """The best value of the slots up to each; None before there is one."""
    better = max if objective.direction == "maximize" else min
    values = {one.slot: one.values[0] for one in measured if one.values is not None}
    best: float | None = None
    for slot in range(end):
        if slot in values:
            best = values[slot] if best is None else better(best, values[slot])
        yield best


def _corners(runs: Sequence[Run], objectives: Sequence[Objective]) -> tuple[Scores, Scores]:
    """The worst and the best value of each objective, over all runs."""
    values = [one.values for run in runs for one in run.measured if one.values is not None]
    lows = [min(column) for column in zip(*values, strict=True)]
    highs = [max(column) for column in zip(*values, strict=True)]
    up = [one.direction == "maximize" for one in objectives]
    worst = tuple(low if rises else high for low, high, rises in zip(lows, highs, up, strict=True))
    best = tuple(high if rises else low for low, high, rises in zip(lows, highs, up, strict=True))
    return worst, best


def _shares(values: Sequence[float], worst: Scores, best: Scores) -> Scores:
    """The values from 0, the worst, to 1, the best."""
    return tuple(
        share(value, low, high) if high != low else 1.0 for value, low, high in zip(values, worst, best, strict=True)
    )


def quartiles(values: Sequence[float | None]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper one, between values where they fall between."""
    ordered = sorted(value for value in values if value is not None)

    def at(rank: float) -> float:
        place = rank * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        first, last, part = ordered[below], ordered[above], place - below
        return first + (last - first) * part if isfinite(last - first) else first * (1 - part) + last * part

    middle = median(ordered)
    return at(0.25), middle if isfinite(middle) else at(0.5), at(0.75)


def caught_up(curve: Curve, value: float, objective: Objective) -> int | None:
    """After how many candidates the median of an engine is as good as a value; None where it never is."""
    sign = 1 if objective.direction == "maximize" else -1
    return next(
        (count for count, middle in zip(curve.counts, curve.middle, strict=True) if sign * middle >= sign * value), None
    )
