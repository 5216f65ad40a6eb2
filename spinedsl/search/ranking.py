"""How far cheap figures, and shorter trainings, order candidates as their whole training does.

In: a study whose candidates were trained to the end. Out: for each figure in closed form, for a regression on all of
them, and for each number of steps, Kendall's tau against the value at the end, with its p-value and the interval that
holds it with 95% confidence over resampled candidates.

    tau     by pairs of candidates: the share that both order alike, less the share that they order the other way round;
            ties count as Kendall's tau-b has them
    p       how likely so large a tau, of either sign, is where the two have nothing to do with each other
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spinedsl import checks as say
from spinedsl.record import Record
from spinedsl.search.figures import WANTED, figure
from spinedsl.search.records import Finished, Objective
from spinedsl.search.running import by_warning
from spinedsl.search.storage import NoStudy
from spinedsl.search.study import Study, once
from spinedsl.source import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 30  # candidates, of which a tau says something
FIGURES = ("depth", "parameters", "multiply_adds", "entropy")
REGRESSION = "regression"
RESAMPLED, CONFIDENCE = 1000, 0.95
INDEPENDENT = "random"  # the engine that draws each candidate whatever came of others
ENOUGH = 0.7  # a tau from which on a shorter training orders candidates nearly as the whole one does


class Agreement(Record):
    """How far something orders candidates as their training does."""

    name: str
    tau: float
    p: float
    low: float
    high: float


class Ranked(Record):
    """What `rank` finds: `steps` has an agreement for each number of steps that all candidates were looked at after.

    `candidates` are different networks; `repeated` are those left out since a network like them counts already.
    """

    objective: Objective
    candidates: int
    repeated: int
    pruned: int
    failed: int
    figures: tuple[Agreement, ...]
    steps: Mapping[int, Agreement]

    @property
    def enough(self) -> int | None:
        """The steps from which on each number of them orders candidates nearly as the whole training; None: none."""
        found: int | None = None
        for step, one in sorted(self.steps.items(), reverse=True):
            if not one.tau >= ENOUGH:
                break
            found = step
        return found


def rank(study: Study, least: int = LEAST, seed: int = 0, warn: Callable[[str], None] = by_warning) -> Ranked:
    """How far figures and shorter trainings agree with the whole training of a study's candidates.

    A network counts once, by its first training.

    Args:
        study: whose first objective that is no figure in closed form is what they are compared with.
        least: candidates that have to be trained to the end.
        seed: of what is resampled.
        warn: told where candidates were not drawn independently; if not given, it is a `UserWarning`.

    Raises:
        NoStudy: fewer are.
        ValueError: everything in it is a figure in closed form.
    """
    objectives = study.setup.objectives
    at = next((at for at, one in enumerate(objectives) if one.name not in WANTED), None)
    if at is None:
        raise ValueError("nothing in it was trained: what it measures are figures in closed form themselves")
    settled = [one for _, one in sorted(study.settled.items())]
    whole = [one for one in settled if one.values is not None and not one.pruned]
    trained = once(whole)
    if len(trained) < least:
        from spinedsl.diagnostics.plain import counted  # noqa: PLC0415  only for who is refused

        count = counted(len(trained), "candidate" if len(trained) == len(whole) else "different candidate")
        wrong = say.FEW_TO_RANK.at(Source(study.name, "").span(0, 0), count=count, study=study.name, least=least)
        more = f"search on with a larger --budget; `--least {len(trained)}` makes do with these"
        raise NoStudy(wrong.with_fix(more if len(trained) > len(FIGURES) else "search on with a larger --budget"))
    if (why := _dependent(study)) is not None:
        warn(f"its candidates were not drawn independently, {why}: p-values and intervals say more than they should")
    values = [_score(objectives[at], one.values[at]) for one in trained if one.values is not None]
    table = figures_of(study, trained)
    found = [agreement(name, table[name], values, seed) for name in FIGURES]
    if (predicted := left_out([table[name] for name in FIGURES], values)) is not None:
        found.append(agreement(REGRESSION, predicted, values, seed))
    pruned, failed = sum(one.pruned for one in settled), sum(one.values is None for one in settled)
    return Ranked(
        objectives[at], len(trained), len(whole) - len(trained), pruned, failed,
        tuple(found), _over_steps(trained, objectives[at], values, seed),
    )  # fmt: skip


def _dependent(study: Study) -> str | None:
    """Why a study's candidates were not drawn independently; None where they were."""
    if study.setup.engine != INDEPENDENT:
        return f"but proposed by `{study.setup.engine}` and not by `{INDEPENDENT}`"
    if study.setup.halving is not None:
        return "but chosen by successive halving"
    return None


def figures_of(study: Study, chosen: Sequence[Finished]) -> dict[str, list[float]]:
    """Figures of candidates of a study in closed form, by name."""
    computed = {name: figure(name, study.candidates) for name in FIGURES}
    table: dict[str, list[float]] = {name: [] for name in FIGURES}
    for one in chosen:
        priced = study.priced(one)
        for name, compute in computed.items():
            table[name].append(compute(priced))
    return table


def _score(objective: Objective, value: float) -> float:
    """A value so that more is better."""
    return value if objective.direction == "maximize" else -value


def _over_steps(
    trained: Sequence[Finished], objective: Objective, values: Sequence[float], seed: int
) -> dict[int, Agreement]:
    common = set.intersection(*(set(one.curve) for one in trained)) if trained else set()
    return {
        step: agreement(str(step), [_score(objective, one.curve[step]) for one in trained], values, seed)
        for step in sorted(common)
    }


# ---- a regression ----


def fitted(columns: Sequence[Sequence[float]], values: Sequence[float]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Least squares on columns that are brought to one scale: the matrix, and the weights of its columns.

    The first column is one; a column that does not vary is left out of the fit, with weight 0.
    """
    import numpy as np

    given = np.asarray(columns, float).T
    spread = given.std(axis=0)
    scaled = np.where(spread > 0, (given - given.mean(axis=0)) / np.where(spread > 0, spread, 1), 0)
    matrix = np.column_stack([np.ones(len(given)), scaled])
    weights = np.linalg.lstsq(matrix, np.asarray(values, float), rcond=None)[0]
    return matrix, weights


def left_out(columns: Sequence[Sequence[float]], values: Sequence[float]) -> list[float] | None:
    """What a regression on all other candidates predicts of each; None of too few to tell.

    Where nothing can be predicted, that agrees slightly less than by chance: each prediction lies near the mean of the
    others.
    """
    import numpy as np

    if len(values) < 2 * (len(columns) + 1):
        return None
    matrix, weights = fitted(columns, values)
    own = np.einsum("ij,ji->i", matrix, np.linalg.pinv(matrix))  # how far each prediction rests on its own value
    residual = np.asarray(values) - matrix @ weights
    if (own > 1 - 1e-9).any():
        return None
    return [float(value - wrong / (1 - share)) for value, wrong, share in zip(values, residual, own, strict=True)]


# ---- Kendall's tau ----


def agreement(name: str, one: Sequence[float], other: Sequence[float], seed: int = 0) -> Agreement:
    """Tau of two sequences, with its p-value and interval."""
    import numpy as np

    first, second = (
        np.sign(np.subtract.outer(each, each)).astype(np.float32) for each in map(np.asarray, (one, other))
    )
    alike, ones, others = first * second, np.abs(first), np.abs(second)
    count = len(one)
    drawn = np.random.default_rng([seed, count]).integers(count, size=(RESAMPLED, count))
    times = np.stack([np.bincount(each, minlength=count) for each in drawn]).astype(np.float32)

    def of(weights: NDArray[Any]) -> NDArray[Any]:
        """Tau of candidates that count so many times each."""
        pairs, untied, too = (((weights @ each) * weights).sum(axis=1) for each in (alike, ones, others))
        size = np.sqrt(untied * too)
        return np.where(size > 0, pairs / np.where(size > 0, size, 1), 0.0)

    tau = float(of(np.ones((1, count), np.float32))[0])
    low, high = np.quantile(of(times), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return Agreement(name, tau, p_value(one, other), low, high)


def p_value(one: Sequence[float], other: Sequence[float]) -> float:
    """How likely so large a tau, of either sign, is by chance; 1 where one of the two does not vary."""
    from scipy.stats import kendalltau  # noqa: PLC0415  of a search, only ranks need it

    found = float(kendalltau(one, other).pvalue)
    return found if math.isfinite(found) else 1.0
