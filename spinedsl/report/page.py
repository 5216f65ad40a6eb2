"""The report: from studies to one HTML file that asks for nothing from the network.

    from spinedsl import search
    from spinedsl.report import to_html

    studies = [search.open_study(path) for path in ("evolution.db", "random.db")]
    Path("report.html").write_text(to_html(studies), encoding="utf-8")

Its only script sorts the table of trials, and is named in the page's policy by its digest: no other may run, whatever a
name in a file says. The page can be read without it.
"""

from __future__ import annotations

import base64
import hashlib
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from spinedsl.diagnostics.plain import counted, one_line, printable
from spinedsl.draw import lay_out, to_svg
from spinedsl.draw.glyphs import FONTS
from spinedsl.draw.svg import environment
from spinedsl.record import Record
from spinedsl.report.chart import sample, series
from spinedsl.report.convergence import Curve, best_so_far, caught_up, curves, quartiles
from spinedsl.report.family import ORIGINS, Families
from spinedsl.report.picture import (
    COSTS,
    Picture,
    convergence_picture,
    front_of,
    front_pictures,
    progress_picture,
    quantities,
)
from spinedsl.report.runs import Found, Run, runs_of
from spinedsl.report.scale import number, seconds, short
from spinedsl.search.records import Finished, Objective
from spinedsl.search.study import Study
from spinedsl.search.trials import WORDS
from spinedsl.spaces.count import decisions

TOP = 3  # candidates that are drawn
MOST_ROWS = 2000  # of the table of trials
MOST_OF_FRONT = 200  # of its table
MOST_REASONS = 8


class Row(Record):
    """A line of the table of trials."""

    run: str
    number: int
    candidate: str
    state: str
    why: str
    values: Sequence[str]
    costs: Sequence[str]
    origin: str
    took: str
    sort: Sequence[float | str]


def to_html(studies: Sequence[Study], *, top: int = TOP, theme: str = "auto") -> str:
    """The report as a page.

    Args:
        studies: of one space and measured alike, one at least. What is settled since they were opened is read.
        top: how many of the best candidates are drawn, with their families.
        theme: `light`, `dark`, or `auto` for what the reader's system asks for; printed it is light.

    Raises:
        NoStudy: the studies cannot be put side by side.
    """
    runs = runs_of(studies)
    setup = studies[0].setup
    objectives = setup.objectives
    styles = series(run.engine for run in runs)
    everyone = [(run, one) for run in runs for one in run.measured]
    shown = best_of(everyone, objectives, top)
    families = Families()
    templates = environment("spinedsl.report")
    templates.filters["number"] = number
    template = templates.get_template("report.html.jinja")
    script = templates.get_template("report.js.jinja").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found = curves(runs, objectives)
    return template.render(
        title=f"Search of {one_line(setup.space)}", theme=theme, fonts=FONTS, script=script, digest=digest,
        subtitle=_subtitle(runs), unfinished=_unfinished(runs), tiles=list(_tiles(runs, everyone, objectives)),
        fronts=list(front_pictures(runs, objectives, styles, shown)) if everyone else [],
        front=list(_front(everyone, objectives)), front_heads=_front_heads(runs, objectives),
        courses=list(_courses(runs, found, styles, shown)), engines=list(_engines(runs, found, objectives)),
        best=[_best(pair, families, objectives, theme) for pair in shown],
        about=list(_about(runs)), source=_source(studies[0]), reasons=list(_reasons(runs)),
        states=sum((run.states for run in runs), Counter()), meanings=WORDS,
        legend=[(style, sample(style)) for style in styles.values()],
        objectives=[_named(one) for one in objectives], **_table(runs, objectives),
    )  # fmt: skip


def best_of(everyone: Sequence[Found], objectives: Sequence[Objective], top: int) -> list[Found]:
    """The best candidates, each network once; of several objectives, from one end of the front to the other."""
    if len(objectives) == 1:
        sign = 1 if objectives[0].direction == "maximize" else -1
        ordered = sorted(everyone, key=lambda pair: (-sign * (pair[1].values or (0.0,))[0], pair[1].slot))
        found: dict[str, Found] = {}
        for run, one in ordered:
            found.setdefault(one.digest, (run, one))
        return [*found.values()][:top]
    front = front_of(everyone, quantities(objectives))
    if len(front) <= top:
        return front
    return [front[round(at * (len(front) - 1) / max(top - 1, 1))] for at in range(top)]


# ---- what stands at the top ----


def _subtitle(runs: Sequence[Run]) -> str:
    setup = runs[0].study.setup
    for_what = ", ".join(map(str, setup.objectives))
    if len(runs) == 1:
        return f"by {setup.engine} with seed {setup.seed}, for {for_what}"
    engines = Counter(run.engine for run in runs)
    listed = ", ".join(f"{engine} ({counted(count, 'run')})" for engine, count in engines.items())
    return f"for {for_what}, by {listed}"


def _unfinished(runs: Sequence[Run]) -> str:
    open_ = [run for run in runs if not run.study.ledger.done]
    if not open_:
        return ""
    missing = sum(run.study.setup.budget - run.study.ledger.settled for run in open_)
    return (
        f"The search is not over: {counted(missing, 'candidate')} of the budget {'is' if missing == 1 else 'are'} left."
    )


def _tiles(
    runs: Sequence[Run], everyone: Sequence[Found], objectives: Sequence[Objective]
) -> Iterator[tuple[str, str, str]]:
    """Figures in large letters: a name, a number, and a word about it."""
    best = best_of(everyone, objectives, 1)
    if best and len(objectives) == 1:
        run, one = best[0]
        assert one.values is not None
        yield f"best {objectives[0].name}", number(one.values[0]), f"candidate {run.name(one)}"
        yield "its multiply-adds", short(one.costs["multiply_adds"]), f"{short(one.costs['parameters'])} parameters"
    elif everyone:
        front = front_of(everyone, quantities(objectives))
        yield "front", f"{len(front):,}", "candidates that no other beats"
    settled = sum(run.study.ledger.settled for run in runs)
    budget = sum(run.study.setup.budget for run in runs)
    pruned = sum(one.pruned for run in runs for one in run.study.settled.values())
    failed = sum(one.values is None for run in runs for one in run.study.settled.values())
    if pruned:
        yield "given up early", f"{pruned:,}", f"{pruned / max(settled, 1):.1%} of those measured"
    yield "measured", f"{settled:,}", f"of a budget of {budget:,}"
    if failed:
        yield "without a value", f"{failed:,}", f"{failed / max(settled, 1):.1%} of those measured"
    times = [took for run in runs for took in run.times.values()]
    if times:
        yield "a candidate took", seconds(median(times)), f"the median; {seconds(sum(times))} of work in all"


# ---- tables ----


def _named(one: Objective) -> str:
    return COSTS.get(one.name, one.name)


def _front_heads(runs: Sequence[Run], objectives: Sequence[Objective]) -> list[str]:
    run = ["run"] if len(runs) > 1 else []
    return ["candidate", *run, *map(_named, objectives), *_costs_beside(objectives)]


def _costs_beside(objectives: Sequence[Objective]) -> list[str]:
    """Costs that are no objective."""
    return [words for name, words in COSTS.items() if name != "memory" and all(name != one.name for one in objectives)]


def _front(everyone: Sequence[Found], objectives: Sequence[Objective]) -> Iterator[tuple[str, ...]]:
    for run, one in front_of(everyone, quantities(objectives))[:MOST_OF_FRONT]:
        label = (run.label,) if run.label else ()
        yield (str(one.slot), *label, *map(number, one.values or ()), *_costs(one, objectives))


def _costs(one: Finished, objectives: Sequence[Objective]) -> list[str]:
    beside = _costs_beside(objectives)
    return [f"{one.costs[name]:,}" for name, words in COSTS.items() if words in beside]


def _engines(runs: Sequence[Run], found: Sequence[Curve], objectives: Sequence[Objective]) -> Iterator[tuple[str, ...]]:
    """Of each engine how many runs, the median of their best values with quartiles, and when it equals chance."""
    if len(runs) < 2 or len(objectives) > 1:
        return
    chance = next((curve for curve in found if curve.engine == "random"), None)
    for curve in found:
        own = [run for run in runs if run.engine == curve.engine]
        ends = [
            list(best_so_far(run.measured, objectives[0], max(run.study.settled) + 1))[-1]
            for run in own
            if run.measured
        ]
        low, middle, high = quartiles(ends)
        spread = f"{number(low)} to {number(high)}" if len(own) > 1 else "one run"
        when = caught_up(curve, chance.middle[-1], objectives[0]) if chance is not None else None
        reached = "" if chance is None else f"{when:,}" if when is not None else "not reached"
        yield curve.engine, str(len(own)), number(middle), spread, reached


def _courses(
    runs: Sequence[Run], found: Sequence[Curve], styles: Mapping[str, Any], shown: Sequence[Found]
) -> Iterator[Picture]:
    """How the search went: of one run every candidate, of several how engines converge."""
    objectives = runs[0].study.setup.objectives
    if not found:
        return
    if len(runs) == 1 and len(objectives) == 1:
        yield progress_picture(runs[0], objectives[0], styles[runs[0].engine], shown[0][1] if shown else None)
    else:
        yield convergence_picture(found, objectives, styles)


def _best(pair: Found, families: Families, objectives: Sequence[Objective], theme: str) -> dict[str, Any]:
    """A candidate with its figure and family."""
    from markupsafe import Markup  # noqa: PLC0415  only who writes a page needs it

    run, one = pair
    drawn = lay_out(families.side(run, one).program, titles=[_titled(run, one)])
    return {
        "name": run.name(one),
        "link": run.link(one),
        "facts": [
            *((_named(each), number(value)) for each, value in zip(objectives, one.values or (), strict=True)),
            *zip(_costs_beside(objectives), _costs(one, objectives), strict=True),
        ],
        "svg": Markup(to_svg(drawn, theme)),  # noqa: S704  it was escaped when it was made
        "family": families.of(pair),
        "text": run.study.text(one),
    }


def _titled(run: Run, one: Finished) -> str:
    """The title of a figure: where the network comes from."""
    of = f" of {' and '.join(map(str, one.parents))}" if one.parents else ""
    return f"{run.study.setup.space}: {ORIGINS.get(one.origin, one.origin)}{of}"


def _reasons(runs: Sequence[Run]) -> Iterator[tuple[str, int]]:
    """Why candidates have no value, the most frequent reason first."""
    counts = Counter(one.why for run in runs for one in run.study.settled.values() if one.values is None)
    yield from ((printable(why), count) for why, count in counts.most_common(MOST_REASONS))


def _table(runs: Sequence[Run], objectives: Sequence[Objective]) -> dict[str, Any]:
    """Every trial, as far as the table may be long: then the first ones of each run."""
    total = sum(len(run.trials) for run in runs)
    each = MOST_ROWS // len(runs)
    rows = [row for run in runs for row in _rows(run, objectives, each if total > MOST_ROWS else total)]
    heads = [
        *(["run"] if len(runs) > 1 else []), "trial", "candidate", "state", *map(_named, objectives),
        *_costs_beside(objectives), "from", "took",
    ]  # fmt: skip
    return {"heads": heads, "rows": rows, "total": total}


def _rows(run: Run, objectives: Sequence[Objective], most: int) -> Iterator[Row]:
    blank = [""] * len(_costs_beside(objectives))
    for trial in run.trials[:most]:
        one = run.study.settled.get(trial.slot) if trial.slot is not None else None
        values = trial.values or ()
        costs = _costs(one, objectives) if one is not None else blank
        again = f", attempt {trial.attempt + 1}" if trial.attempt else ""
        took = trial.seconds
        yield Row(
            run.label, trial.number, "" if trial.slot is None else f"{trial.slot}{again}", trial.state,
            printable(trial.why), [number(value) for value in values] or [""] * len(objectives), costs,
            " ".join([one.origin, *map(str, one.parents)]) if one is not None else "", seconds(took),
            [
                *([run.label] if run.label else []), trial.number, -1 if trial.slot is None else trial.slot,
                trial.state, *(values or [""] * len(objectives)), *(cost.replace(",", "") for cost in costs),
                one.origin if one is not None else "", "" if took is None else took,
            ],
        )  # fmt: skip


# ---- what was searched ----


def _about(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """What the search was, line by line."""
    import optuna  # noqa: PLC0415  its version

    from spinedsl import __version__  # noqa: PLC0415

    study = runs[0].study
    setup, space = study.setup, study.candidates.space
    yield "space", f"{setup.space} of {space.network.name}, in {setup.entry}"
    yield "decisions", f"{decisions(space):,}"
    yield "bounds", ", ".join(f"keep {keep}" for keep in space.keeps) or "none"
    yield "objectives", ", ".join(map(str, setup.objectives))
    if setup.command is not None:
        yield "measured by", setup.command
    if setup.mutator is not None:
        yield "changed by", setup.mutator
    if len(runs) == 1:
        yield "engine", setup.engine
        yield "seed", str(setup.seed)
        yield "budget", counted(setup.budget, "candidate")
    for engine in dict.fromkeys(run.engine for run in runs) if len(runs) > 1 else ():
        own = [run.study.setup for run in runs if run.engine == engine]
        budgets = "/".join(f"{budget:,}" for budget in sorted({one.budget for one in own}))
        yield engine, f"seeds {', '.join(str(one.seed) for one in own)}; budget {budgets}"
    spans = [run.span for run in runs if run.span is not None]
    begun = [trial.begun for run in runs for trial in run.trials if trial.begun is not None]
    if spans and begun:
        yield "begun", f"{min(begun):%Y-%m-%d %H:%M}; {seconds(sum(spans))} from the first trial to the last"
    yield "kept in", ", ".join(dict.fromkeys(run.study.name for run in runs))
    made = ", ".join(sorted({run.study.setup.version for run in runs if run.study.setup.version}))
    if made:
        yield "searched by", f"spine {made}"
    yield "reported by", f"spine {__version__}, Optuna {optuna.__version__}, Python {platform.python_version()}"


def _source(study: Study) -> str:
    """The space as it is written."""
    return printable(study.candidates.space.declared.span.text)
