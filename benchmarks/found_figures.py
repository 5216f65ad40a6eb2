"""Figures of `benchmarks.found`: the table of candidates, what ranks them, engines against chance, longer trainings.

In: a study of trained candidates, or the table that was kept of one. Out: text, and files in `benchmarks/found`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import mean, median, quantiles, stdev
from typing import TYPE_CHECKING

import numpy as np
import optuna

from spinedsl import search
from spinedsl.record import Record
from spinedsl.search.figures import figure
from spinedsl.search.ranking import FIGURES, Agreement, figures_of, fitted
from spinedsl.search.records import ATTRIBUTE, CURVE, Proposal

if TYPE_CHECKING:
    from benchmarks.found import Longer

KEPT = Path(__file__).with_name("found")
TABLE = KEPT / "candidates.csv"
ENGINES = ("random", "evolution", "controller", "local")
LOOKED = (25, 50, 100, 200)  # candidates after which the best so far is reported
T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # Student's t, by how many there are


# ---- the table ----


def carried(study: search.Study) -> None:
    """Take what the table has into a study that has nothing yet: the first candidates, without gaps."""
    if not TABLE.exists() or study.optuna.get_trials(deepcopy=False):
        return
    for at, row in enumerate(kept_table()):
        kept = Proposal(study.candidates.sample(0, at), "sample").to_json(study.candidates.space)
        if (row["candidate"], row["digest"]) != (str(at), kept["digest"]):
            raise SystemExit(f"{TABLE} is of other candidates: take it away to begin anew")
        curve = [[int(name[5:]), float(value)] for name, value in row.items() if name.startswith("step_")]
        attributes = {ATTRIBUTE: kept, CURVE: curve}
        study.optuna.add_trial(optuna.create_trial(value=value_of(row), user_attrs=attributes))


def clocked(clock: Path) -> dict[str, str]:
    """CPU seconds of each candidate that was trained, here or where the table was made."""
    seconds = {row["candidate"]: row["cpu_seconds"] for row in (kept_table() if TABLE.exists() else ())}
    if clock.exists():
        with clock.open(newline="", encoding="utf-8") as file:
            seconds |= dict(csv.reader(file))
    return seconds


def keep_table(study: search.Study, clock: Path) -> None:
    """Write what training gave of each candidate, beside its figures in closed form."""
    chosen = [one for _, one in sorted(study.settled.items()) if one.values is not None and not one.pruned]
    figures = figures_of(study, chosen)
    steps = sorted(set.intersection(*(set(one.curve) for one in chosen)))
    seconds = clocked(clock)
    KEPT.mkdir(exist_ok=True)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["candidate", "digest", *FIGURES, *(f"step_{step}" for step in steps), "cpu_seconds"])
        for at, one in enumerate(chosen):
            own = [f"{figures[name][at]:.10g}" for name in FIGURES]
            curve = [f"{one.curve[step]:.6f}" for step in steps]
            writer.writerow([one.slot, one.digest, *own, *curve, seconds.get(str(one.slot), "")])


def kept_table() -> list[dict[str, str]]:
    """The rows of the table that is kept."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def value_of(row: Mapping[str, str]) -> float:
    """What the whole training gave."""
    return float(row[max((name for name in row if name.startswith("step_")), key=lambda name: int(name[5:]))])


def ranks(study: search.Study) -> str:
    """How far figures and numbers of steps order candidates as the whole training does."""
    found = search.rank(study)
    values = [one.values[0] for one in study.settled.values() if one.values is not None]
    spread = f"AP {min(values):.3f} to {max(values):.3f}, median {median(values):.3f}"
    lines = [f"{found.candidates} random candidates, {spread}; Kendall's tau against AP at the end (95%), p:"]
    lines += [_line(one) for one in found.figures]
    lines += [f"after steps, of {max(found.steps)}:", *(_line(one) for one in found.steps.values())]
    return "\n".join(lines)


def _line(one: Agreement) -> str:
    return f"  {one.name:14} {one.tau:5.2f} ({one.low:5.2f} to {one.high:5.2f})  p = {one.p:.2g}"


# ---- engines, by a regression on the table ----


class Predicted:
    """What a regression on the table says of a candidate: AP as a function of its figures in closed form."""

    def __init__(self, space: search.Candidates) -> None:
        rows = kept_table()
        columns = np.array([[float(row[name]) for row in rows] for name in FIGURES])
        _, self.weights = fitted(columns.tolist(), [value_of(row) for row in rows])
        self.means, self.spreads = columns.mean(axis=1), columns.std(axis=1)
        self.lows, self.highs = columns.min(axis=1), columns.max(axis=1)
        self.figures = [figure(name, space) for name in FIGURES]

    def __call__(self, candidate: search.Measured) -> float:
        """The prediction; figures beyond those of the table count as its ends: nothing is known of more."""
        own = np.array([compute(candidate.priced) for compute in self.figures])
        scaled = (np.clip(own, self.lows, self.highs) - self.means) / self.spreads
        return float(self.weights[0] + scaled @ self.weights[1:])


class Runs(Record):
    """The searches of an engine: the best so far of each seed, after each candidate; and the best networks."""

    curves: tuple[tuple[float, ...], ...]
    texts: tuple[str, ...]


@cache
def searched(space: search.Candidates, budget: int, seeds: int) -> dict[str, Runs]:
    """Every engine with every seed."""
    fitness, found = Predicted(space), {}
    for engine in ENGINES:
        curves, texts = [], []
        for seed in range(seeds):
            study = search.run(space, fitness, engine=engine, budget=budget, seed=seed)
            values = [one.values[0] for _, one in sorted(study.settled.items()) if one.values is not None]
            curves.append(tuple(np.maximum.accumulate(values).tolist()))
            texts.append(study.text(study.best[0]))
        found[engine] = Runs(tuple(curves), tuple(texts))
    return found


def engines(space: search.Candidates, budget: int, seeds: int) -> str:
    """The best predicted AP so far, in the middle of the seeds and between the quartiles, and against random search."""
    from scipy.stats import mannwhitneyu

    found = searched(space, budget, seeds)
    about = "AP by a regression on the table, within the multiply-adds of SpineNet-49"
    lines = [f"{about}; the best so far of {seeds} seeds, median (quartiles):"]
    chance = [curve[-1] for curve in found["random"].curves]
    for engine, runs in found.items():
        cells = []
        for count in (one for one in LOOKED if one <= budget):
            best = [curve[count - 1] for curve in runs.curves]
            low, _, high = quantiles(best, n=4, method="inclusive")
            cells.append(f"{count}: {median(best):.4f} ({low:.4f} to {high:.4f})")
        line = f"  {engine:10} {'  '.join(cells)}"
        if engine != "random":
            last = [curve[-1] for curve in runs.curves]
            p = mannwhitneyu(last, chance, alternative="two-sided").pvalue
            line += f"  over random {mean(last) - mean(chance):+.4f}, p = {p:.2g}"
        lines.append(line)
    with (KEPT / "engines.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["engine", "seed", "candidates", "best"])
        for engine, runs in found.items():
            for seed, curve in enumerate(runs.curves):
                writer.writerows([engine, seed, at + 1, f"{best:.6f}"] for at, best in enumerate(curve))
    return "\n".join(lines)


# ---- longer trainings ----


def keep_networks(space: search.Candidates, budget: int, seeds: int) -> None:
    """The best network of all searches, the best of the table within the same bound, and SpineNet-49, as files."""
    best, text = max(
        (curve[-1], text)
        for runs in searched(space, budget, seeds).values()
        for curve, text in zip(runs.curves, runs.texts, strict=True)
    )
    (KEPT / "found.spine").write_text(f"# The best one that a search found: predicted AP {best:.4f}.\n{text}")
    (bound,) = (float(keep.bound) for keep in space.space.keeps)
    row = max((row for row in kept_table() if float(row["multiply_adds"]) <= bound), key=value_of)
    around = search.Candidates(search.spaces(space.space.unit.file.source)["Around"])
    drawn = around.text(around.sample(0, int(row["candidate"])))
    head = f"# The best random one by a short training: candidate {row['candidate']}, AP {value_of(row):.4f}.\n"
    (KEPT / "drawn.spine").write_text(head + drawn)
    own = search.contains(around, around.space.typed).genome
    assert own is not None
    priced = around.price(own)
    assert isinstance(priced, search.Priced)
    (KEPT / "spinenet.spine").write_text(f"# SpineNet-49, as a candidate.\n{around.text(priced)}")


def compared(root: Path, runs: Sequence[Longer]) -> str:
    """AP on the test pictures of each network, over seeds, and the differences from SpineNet-49 by seed."""
    from benchmarks.detected_figures import figures_of as tested
    from spinedsl.analysis import costs
    from spinedsl.api import program
    from spinedsl.ops.graph import flatten

    by_name: dict[str, list[float]] = {}
    for one in runs:
        by_name.setdefault(one.network, []).append(tested(root, one)["ap"])  # type: ignore[arg-type]  # it has all that is asked for
    lines = ["AP on the test pictures after longer trainings, mean of the seeds with 95% interval; difference by seed:"]
    for name, values in by_name.items():
        cost = costs(flatten(program(KEPT / f"{name}.spine")))
        line = f"  {name:9} {cost.multiply_adds / 1e6:.1f}M multiply-adds  {_interval(values)}"
        if name != "spinenet":
            line += f"  {_interval([a - b for a, b in zip(values, by_name['spinenet'], strict=True)])}"
        lines.append(line)
    return "\n".join(lines)


def _interval(values: Sequence[float]) -> str:
    half = T95[len(values)] * stdev(values) / len(values) ** 0.5
    return f"{mean(values):.4f} ± {half:.4f}"
