"""Runs: studies that a report puts side by side, which have to be of one space and measured alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from spinedsl import checks as say
from spinedsl.record import Record
from spinedsl.search.records import Finished, Objective, Setup, digest_of
from spinedsl.search.storage import NoStudy
from spinedsl.search.study import Study, differing
from spinedsl.search.trials import Attempted, attempts
from spinedsl.source import Source


class Run(Record, eq=False):
    """A study with its trials. `label` tells it from the others; `key` begins its names in the page."""

    study: Study
    label: str
    key: str
    trials: Sequence[Attempted]

    @property
    def engine(self) -> str:
        """What proposed its candidates."""
        return self.study.setup.engine

    @property
    def measured(self) -> list[Finished]:
        """Candidates that were measured to the end, by number."""
        settled = sorted(self.study.settled.items())
        return [one for _, one in settled if one.values is not None and not one.pruned]

    @property
    def states(self) -> Counter[str]:
        """How many trials are in each state."""
        return Counter(trial.state for trial in self.trials)

    @property
    def times(self) -> Mapping[int, float]:
        """Seconds that each candidate took, by number, of the attempt that counted."""
        return {
            trial.slot: trial.seconds
            for trial in self.trials
            if trial.slot is not None and trial.seconds is not None and trial.state in ("finished", "failed", "pruned")
        }

    @property
    def span(self) -> float | None:
        """Seconds from the first trial's beginning to the last one's end, breaks included; None before there is one."""
        begun = [trial.begun for trial in self.trials if trial.begun is not None]
        ended = [trial.ended for trial in self.trials if trial.ended is not None]
        return (max(ended) - min(begun)).total_seconds() if begun and ended else None

    def name(self, one: Finished) -> str:
        """What a candidate is called: by its number, and its run where there are several."""
        return f"{one.slot} of {self.label}" if self.label else f"{one.slot}"

    def link(self, one: Finished) -> str:
        """The name of the part of the page that shows it."""
        return f"{self.key}{one.slot}"


Found = tuple[Run, Finished]


def runs_of(studies: Sequence[Study]) -> list[Run]:
    """The studies, read as far as they are, each with a label of its own.

    Raises:
        NoStudy: they are of different spaces, or measured otherwise.
    """
    first = studies[0]
    for other in studies[1:]:
        _see_alike(first, other)
    labels = [f"{one.setup.engine}, seed {one.setup.seed}" for one in studies]
    twice = {label for label, count in Counter(labels).items() if count > 1}
    found = []
    for at, (study, label) in enumerate(zip(studies, labels, strict=True)):
        study.refresh()
        own = f"{label} ({at + 1})" if label in twice else label
        found.append(Run(study, own if len(studies) > 1 else "", f"s{at}-", attempts(study)))
    return found


def _see_alike(first: Study, other: Study) -> None:
    one, two = first.setup, other.setup
    compared = (
        ("space", one.space, two.space),
        ("objectives", _listed(one.objectives), _listed(two.objectives)),
        ("fitness", one.command or "none", two.command or "none"),
        ("successive halving", _halving(one), _halving(two)),
    )
    found = next(((what, old, new) for what, old, new in compared if old != new), None)
    if found is None and digest_of(first.candidates.space) != digest_of(other.candidates.space):
        found = ("space", f"{one.space} as in {first.name}", "one of that name with other decisions")
    found = found or differing(one.training, two.training)
    if found is not None:
        what, old, new = found
        place = Source(other.name, "").span(0, 0)
        names = {"study": other.name, "first": first.name}
        fix = "report on it alone, or on studies of one space, measured alike"
        if other.name == first.name:  # searches of one place, which have names of their own
            names = {"study": other.optuna.study_name, "first": first.optuna.study_name}
            fix = f"report on it alone, by `--name {other.optuna.study_name}`, or on those that were measured alike"
        wrong = say.STUDIES_DIFFER.at(place, **names, what=what, expected=old, got=new)
        raise NoStudy(wrong.with_fix(fix))


def _halving(setup: Setup) -> str:
    return "none" if setup.halving is None else f"{setup.halving[0]}, {setup.halving[1]}"


def _listed(objectives: Sequence[Objective]) -> str:
    return ", ".join(map(str, objectives))
