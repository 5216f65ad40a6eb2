"""The charts of a report: the front, and how the search came to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from spinedsl.record import Record
from spinedsl.report.chart import Chart, Series
from spinedsl.report.convergence import Curve, best_so_far
from spinedsl.report.family import ancestors
from spinedsl.report.runs import Found, Run
from spinedsl.report.scale import axis, number, short
from spinedsl.search.pareto import undominated
from spinedsl.search.records import Finished, Objective

if TYPE_CHECKING:
    from markupsafe import Markup

ROOM = 96  # for the names of engines at the right of their lines
MARKED = 60  # candidates of a front that are marked one by one
COSTS = {"multiply_adds": "multiply-adds", "parameters": "parameters", "memory": "memory"}


class Picture(Record):
    """A chart with its heading, and the words below it."""

    title: str
    words: str
    svg: Markup


class Quantity(Record):
    """Something that candidates have: what it is called, and whether more of it is better."""

    name: str
    rises: bool
    at: int  # of the values; -1 for a cost

    def of(self, one: Finished) -> float:
        """The quantity of a candidate that has values."""
        assert one.values is not None
        return one.values[self.at] if self.at >= 0 else float(one.costs[self.name])

    @property
    def words(self) -> str:
        """As an axis has it."""
        return f"{COSTS.get(self.name, self.name)}, {'more' if self.rises else 'less'} is better"


def quantities(objectives: Sequence[Objective]) -> list[Quantity]:
    """What the fronts are of: the objectives; of a single one, that and what it costs."""
    found = [Quantity(one.name, one.direction == "maximize", at) for at, one in enumerate(objectives)]
    if len(found) == 1:
        cost = "parameters" if found[0].name == "multiply_adds" else "multiply_adds"
        found.append(Quantity(cost, rises=False, at=-1))
    return found


def front_of(found: Sequence[Found], asked: Sequence[Quantity]) -> list[Found]:
    """Candidates that no other is better than in all of these, each once, in the order of the last of them."""
    by_scores: dict[tuple[float, ...], Found] = {}
    for pair in found:
        by_scores.setdefault(tuple(one.of(pair[1]) * (1 if one.rises else -1) for one in asked), pair)
    return sorted((by_scores[scores] for scores in undominated(by_scores)), key=lambda pair: asked[-1].of(pair[1]))


def front_pictures(
    runs: Sequence[Run], objectives: Sequence[Objective], styles: Mapping[str, Series], shown: Sequence[Found]
) -> Iterator[Picture]:
    """The front: of each pair of what it is of, all candidates, and those that no other is better than."""
    asked = quantities(objectives)
    pairs = list(combinations(range(len(asked)), 2)) if len(asked) <= 3 else [(0, at) for at in range(1, len(asked))]
    everyone = [(run, one) for run in runs for one in run.measured]
    for one, other in pairs:
        up, across = asked[one], asked[other]
        front = front_of(everyone, (up, across))
        chart = Chart(
            f"{up.name} against {across.name}",
            axis(across.words, [across.of(each) for _, each in everyone]),
            axis(up.words, [up.of(each) for _, each in everyone]),
        )
        for engine in styles:
            points = [(across.of(each), up.of(each)) for run, each in everyone if run.engine == engine]
            chart.dots(points, styles[engine].hue if len(styles) > 1 else None)
        corners = sorted([(across.of(each), up.of(each)) for _, each in front], reverse=across.rises)
        chart.steps(corners)
        linked = {run.link(each) for run, each in shown}
        for run, each in front[-MARKED:] if len(front) > MARKED else front:
            style = styles[run.engine]
            link = run.link(each) if run.link(each) in linked else ""
            words = (
                f"candidate {run.name(each)}\n{up.name} {number(up.of(each))}\n{across.name} {number(across.of(each))}"
            )
            label = str(each.slot) if link else ""
            chart.mark((across.of(each), up.of(each)), words, style.shape, style.hue, label, link and f"best-{link}")
        kept = f"{len(front)} of {len(everyone):,} candidates are on the line: no other is at least as good in both."
        yield Picture(f"{_cap(up.name)} against {COSTS.get(across.name, across.name)}", kept, chart.svg())


def progress_picture(run: Run, objective: Objective, style: Series, best: Finished | None) -> Picture:
    """The value of each candidate in the order of their numbers, the best so far, and the family of the best."""
    measured = run.measured
    end = max(run.study.settled, default=0) + 1
    values = [one.values[0] for one in measured if one.values is not None]
    chart = Chart(
        f"{objective.name} of each candidate",
        axis("candidate", [0, end], margin=0.02),
        axis(_way(objective), values),
    )
    chart.dots([(one.slot, one.values[0]) for one in measured if one.values is not None])
    rising = list(best_so_far(measured, objective, end))
    kept = [
        (float(slot), value)
        for slot, value in enumerate(rising)
        if value is not None and (not slot or value != rising[slot - 1] or slot == end - 1)
    ]
    chart.steps(kept, "best")
    words = "The line is the best so far."
    family = [one for one in ancestors(run, best) if one.values is not None] if best is not None else []
    if len(family) > 1:
        points = [(float(one.slot), one.values[0]) for one in reversed(family) if one.values is not None]
        chart.line(points, "family", style.hue, "6 4")
        for one, point in zip(reversed(family), points, strict=True):
            chart.mark(point, f"candidate {one.slot}\n{objective.name} {number(point[1])}", style.shape, style.hue)
        words += " The dashed line joins the best candidate to the ones that it was made of."
    return Picture("How the search went", words, chart.svg())


def convergence_picture(
    found: Sequence[Curve], objectives: Sequence[Objective], styles: Mapping[str, Series]
) -> Picture:
    """What engines had reached after so many candidates."""
    single = len(objectives) == 1
    reached = [value for curve in found for value in (*curve.low, *curve.high)]
    longest = max(curve.counts[-1] for curve in found)
    words = f"best {_way(objectives[0])}" if single else "hypervolume of the front, more is better"
    chart = Chart(
        "Convergence", axis("candidates measured", [0, longest], margin=0.02), axis(words, reached), room=ROOM
    )
    for curve in found:
        style = styles[curve.engine]
        if curve.runs > 1:
            low, high = (list(zip(curve.counts, side, strict=True)) for side in (curve.low, curve.high))
            chart.band(low, high, style.hue)
    for curve in found:
        style = styles[curve.engine]
        points = [(float(count), value) for count, value in zip(curve.counts, curve.middle, strict=True)]
        chart.line(points, "line", style.hue, style.dashes)
        for share in (1, 3, 5):  # of six, where the marks stand that tell lines apart
            at = min(len(points) - 1, _nearest(curve.counts, longest * share / 6))
            chart.mark(
                points[at], f"{curve.engine}\n{short(points[at][1])} after {curve.counts[at]:,}", style.shape, style.hue
            )
        chart.name(points[-1], style)
    several = any(curve.runs > 1 for curve in found)
    band = " Lines are medians over seeds; bands reach from the lower quartile to the upper one." if several else ""
    what = "" if single else " The hypervolume is the part of the space between worst and best that the front covers."
    return Picture("Convergence", f"{band}{what}".strip() or "One run of each engine.", chart.svg())


def _nearest(counts: Sequence[int], wanted: float) -> int:
    return min(range(len(counts)), key=lambda at: abs(counts[at] - wanted))


def _way(objective: Objective) -> str:
    return f"{objective.name}, {'more' if objective.direction == 'maximize' else 'less'} is better"


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]
