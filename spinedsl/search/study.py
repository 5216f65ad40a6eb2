"""A study: what is kept of a search, opened for who works on it or looks at it.

    with a place: `create` begins a search or goes on with it; `find` opens one that is there
    without:      `in_memory`

`trials` gives what changed since it was last asked, as `ledger.Seen`, and what is settled since, as `records.Finished`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import DuplicatedStudyError
from optuna.trial import FrozenTrial, TrialState

from spinedsl import checks as say
from spinedsl import driver
from spinedsl.diagnostics import one_of
from spinedsl.diagnostics.plain import one_line
from spinedsl.reading import Loader
from spinedsl.record import replace
from spinedsl.search.engines import ENGINES
from spinedsl.search.fitness import MEASURED
from spinedsl.search.ledger import FAILED, FINISHED, LOST, RUNNING, STOPPED, WAITING, Ledger, Seen
from spinedsl.search.pareto import undominated
from spinedsl.search.records import (
    ATTRIBUTE,
    CURVE,
    DAMAGED,
    DIRECTIONS,
    RETRY,
    Finished,
    Setup,
    Training,
    digest_of,
    finished,
)
from spinedsl.search.records import FAILED as WHY
from spinedsl.search.records import STOPPED as BREAK
from spinedsl.search.storage import GRACE, NoStudy, alone, changed, explained, open_storage, quiet, refused, shown
from spinedsl.source import Source
from spinedsl.spaces.candidates import Candidates, Priced
from spinedsl.spaces.decode import Excluded
from spinedsl.spaces.draw import fits
from spinedsl.spaces.model import Space

STATES = {
    TrialState.WAITING: WAITING,
    TrialState.RUNNING: RUNNING,
    TrialState.COMPLETE: FINISHED,
    TrialState.PRUNED: FAILED,
    TrialState.FAIL: LOST,
}
NONE_IN_IT, BEGIN = "there is no search in it", "start one with `spine search FILE --study PATH`"
OTHER_VERSION = "use the version of spine that made it"
RESTORE = "take back a copy of the study, or begin another"
HOME = Path("/study")  # where the files of a study are taken to stand


class Study:
    """A search that is kept. `optuna` is Optuna's study; `candidates` are those of its space."""

    def __init__(self, place: str, study: optuna.Study, setup: Setup, candidates: Candidates) -> None:
        self.place, self.optuna, self.setup, self.candidates = place, study, setup, candidates
        self.ledger = Ledger(setup.budget)
        self.settled: dict[int, Finished] = {}
        self.waiting = False  # whether a trial waited for a worker, when it was last read

    def __repr__(self) -> str:
        """`<search of Adjusted in search.db: 20 of 100 measured, 1 without a value>`."""
        none = sum(one.values is None for one in self.settled.values())
        more = f", {none} without a value" if none else ""
        where = self.name if not self.place else f"in {self.name}"
        return f"<search of {self.setup.space} {where}: {len(self.settled)} of {self.setup.budget} measured{more}>"

    @property
    def name(self) -> str:
        """What messages call it."""
        return shown(self.place) if self.place else "in memory"

    def refresh(self) -> list[Finished]:
        """Read what changed; the slots that are settled since."""
        trials = self._changed()
        self.waiting = any(trial.state is TrialState.WAITING for trial in trials)
        by_number = {trial.number: trial for trial in trials}
        seen = []
        for trial in trials:
            with self._undamaged(trial.number):
                seen.append(_seen(trial))
        found = []
        for slot, number in self.ledger.take(seen):
            trial = by_number[number]
            kept = trial.user_attrs.get(ATTRIBUTE)
            if kept is None:  # lost before it knew what to measure, each time
                continue
            pruned = trial.state is TrialState.PRUNED
            values = tuple(trial.values) if (pruned or trial.state is TrialState.COMPLETE) and trial.values else None
            why = "" if values is not None else str(trial.user_attrs.get(WHY, "its workers died"))
            curve = trial.user_attrs.get(CURVE, ())
            with self._undamaged(number):
                one = self._fitting(finished(slot, kept, values, why, pruned=pruned, curve=curve))
            self.settled[slot] = one
            found.append(self.settled[slot])
        return found

    @contextmanager
    def _undamaged(self, number: int) -> Iterator[None]:
        """What is read of a trial is as it should be.

        Raises:
            NoStudy: it is not.
        """
        try:
            yield
        except DAMAGED as error:
            missing = f"it has no `{error.args[0]}`" if isinstance(error, KeyError) else one_line(str(error))
            reason = f"trial {number} of it is damaged: {missing}"
            raise refused(self.name, reason, RESTORE) from None

    def _changed(self) -> list[FrozenTrial]:
        """Trials that are new or were open, by number."""
        return changed(self.optuna, sorted(self.ledger.open), self.ledger.read)

    def proposed(self, number: int) -> Finished | None:
        """What a trial was to measure, or the one that it repeats; None where neither came so far.

        Raises:
            NoStudy: it is damaged.
        """
        trials = self.optuna.get_trials(deepcopy=False)
        with self._undamaged(number):
            while ATTRIBUTE not in trials[number].user_attrs:
                retry = trials[number].user_attrs.get(RETRY)
                if retry is None:
                    return None
                if not 0 <= retry[2] < number:
                    raise ValueError(f"it repeats trial {retry[2]}")
                number = retry[2]
            one = finished(sys.maxsize, trials[number].user_attrs[ATTRIBUTE], None)
            return self._fitting(one)

    def _fitting(self, one: Finished) -> Finished:
        """A candidate whose genome is one of the space.

        Raises:
            ValueError: it is not.
        """
        if not fits(self.candidates.space, one.genome):
            raise ValueError("its genome is of another space")
        return one

    def repeat(self, slot: int, attempt: int, lost: int) -> None:
        """Put a slot whose worker died up for another attempt."""
        self.optuna.add_trial(optuna.create_trial(state=TrialState.WAITING, user_attrs={RETRY: [slot, attempt, lost]}))

    def text(self, one: Finished) -> str:
        """A candidate as a `.spine` file that stands by itself."""
        return self.candidates.text(self.priced(one))

    def priced(self, one: Finished) -> Priced:
        """A candidate with its costs.

        Raises:
            NoStudy: it is none, so that the study must be damaged. Unfit: the compiler refuses it.
        """
        priced = self.candidates.price(one.genome)
        if isinstance(priced, Excluded):
            raise refused(self.name, f"what it has as candidate {one.slot} is none of the space", RESTORE)
        return priced

    @property
    def best(self) -> list[Finished]:
        """Settled slots with values: by the first objective, or by fronts, the best first. None that was pruned.

        A network that was measured more than once stands where it did best.
        """
        from spinedsl.search.engines.nsga2 import Nsga2  # noqa: PLC0415  an import in a circle otherwise

        having = self._measured()
        engine = Nsga2(self.candidates, self.setup.seed, self.setup.objectives)
        if len(self.setup.objectives) == 1:
            return once(sorted(having, key=lambda one: (-engine.scores(one)[0], one.slot)))
        return once(one for _, _, one in engine.ranked(having))

    @property
    def front(self) -> list[Finished]:
        """Those that no other is better than in every objective, each network once."""
        signs = [1.0 if one.direction == "maximize" else -1.0 for one in self.setup.objectives]
        scores = {
            slot: tuple([sign * value for sign, value in zip(signs, one.values, strict=True)])
            for slot, one in sorted(self.settled.items())
            if one.values is not None and not one.pruned
        }
        front = set(undominated(scores.values()))
        return once(self.settled[slot] for slot, own in scores.items() if own in front)

    def _measured(self) -> list[Finished]:
        """Those that were measured to the end, by slot."""
        return [one for _, one in sorted(self.settled.items()) if one.values is not None and not one.pruned]


def once(ranked: Iterable[Finished]) -> list[Finished]:
    """The first of those that are one network, by their texts."""
    found: dict[str, Finished] = {}
    for one in ranked:
        found.setdefault(one.digest, one)
    return [*found.values()]


def _seen(trial: FrozenTrial) -> Seen:
    state = STATES[trial.state]
    if trial.state is TrialState.FAIL and WHY in trial.user_attrs:
        state = FAILED
    elif trial.state is TrialState.FAIL and BREAK in trial.user_attrs:
        state = STOPPED
    retry = trial.user_attrs.get(RETRY)
    return Seen(trial.number, state, (int(retry[0]), int(retry[1])) if retry is not None else None)


# ---- the space that a study keeps ----


def sources_of(source: Source) -> tuple[dict[str, str], str]:
    """Every file that is needed to open a file again, by its path from their common folder; and the file's own."""
    loaded = driver.load(source)
    texts = {path: unit.file.source.text for path, unit in loaded.loader.units.items() if unit is not None}
    entry = source.origin or str(HOME / "space.spine")
    texts[entry] = source.text
    common = os.path.commonpath([Path(path).parent for path in texts])
    return {os.path.relpath(path, common): text for path, text in sorted(texts.items())}, os.path.relpath(entry, common)


class _Kept:
    """The files of a study: a `source.Archive`."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def name(self, path: Path) -> str:
        return str(path.relative_to(HOME))

    def read(self, path: str) -> bytes:
        try:
            return self.sources[str(Path(path).relative_to(HOME))].encode()
        except (KeyError, ValueError):
            raise FileNotFoundError(2, "not in the study") from None


def space_of(setup: Setup) -> Space:
    """The space that a study is of, from the files that it keeps.

    Raises:
        ValueError: it cannot be read again, or gives another space.
    """
    archive = _Kept(setup.sources)
    entry = HOME / setup.entry
    source = Source.from_text(setup.sources.get(setup.entry, ""), setup.entry, str(entry), archive)
    outcome = driver.analyse(driver.load(source, Loader(folder=HOME)))
    space = outcome.value.spaces.get(setup.space) if outcome.value is not None else None
    if space is None:
        wrong = next((one.message for one in outcome.diagnostics), "there is none of its name")
        raise ValueError(f"the space that it keeps cannot be read: {wrong}")
    if setup.digest not in (digest_of(space), digest_of(space, exact=False)):
        raise ValueError("the space that it keeps means something else in this version of spine")
    return space


# ---- beginning and opening ----


def in_memory(setup: Setup, candidates: Candidates) -> Study:
    """A study of this process alone."""
    with quiet():
        study = optuna.create_study(directions=setup.directions)
        study.set_user_attr(ATTRIBUTE, setup.to_json())
    return Study("", study, setup, candidates)


def create(place: str, name: str | None, setup: Setup, candidates: Candidates, grace: int = GRACE) -> Study:
    """Begin a search, or go on with one that is there and says the same. Its budget may be larger than it was.

    Raises:
        NoStudy: the place cannot be used, or holds another search.
    """
    storage = open_storage(place, create=True, grace=grace)
    called = name or setup.space
    directions = setup.directions
    with quiet(), explained(place), alone(place):
        try:
            study = optuna.create_study(storage=storage, study_name=called, directions=directions)
        except DuplicatedStudyError:
            study = optuna.load_study(storage=storage, study_name=called)
        kept = study.user_attrs.get(ATTRIBUTE)
        if kept is None:
            if study.get_trials(deepcopy=False):
                raise refused(place, f"`{called}` in it is a study of something else", "choose another by --name NAME")
            study.set_user_attr(ATTRIBUTE, setup.to_json())
            return Study(place, study, setup, candidates)
        before = _setup(place, kept)
        _see_same(place, before, setup)
        if setup.budget > before.budget:
            study.set_user_attr(ATTRIBUTE, replace(before, budget=setup.budget).to_json())
        return Study(place, study, replace(before, budget=max(setup.budget, before.budget)), candidates)


def find(place: str, name: str | None, grace: int = GRACE, *, write: bool = False) -> Study:
    """A search that is there, by its name where there are several; to go on with it, if `write` is set.

    Raises:
        NoStudy: there is none, or the place cannot be used.
    """
    storage = open_storage(place, create=False, write=write, grace=grace)
    with quiet(), explained(place):
        known = {one.study_name: one for one in optuna.get_all_study_summaries(storage=storage)}
        ours = [called for called, one in known.items() if ATTRIBUTE in one.user_attrs]
        if not ours:
            raise refused(place, NONE_IN_IT, BEGIN)
        if name is not None and name not in ours:
            raise refused(place, f"there is no search `{name}` in it", f"choose {one_of(ours)}")
        if name is None and len(ours) > 1:
            raise refused(place, f"it has {len(ours)} searches", f"choose one by --name NAME: {one_of(ours)}")
        study = optuna.load_study(storage=storage, study_name=name or ours[0])
        setup = _setup(place, study.user_attrs[ATTRIBUTE])
    try:
        return Study(place, study, setup, Candidates(space_of(setup)))
    except ValueError as error:
        raise refused(place, str(error), "use the version of spine that made it") from None


def searches(place: str) -> list[str]:
    """The names of the searches in a place, in the order in which they were begun.

    Raises:
        NoStudy: there is none, or the place cannot be used.
    """
    storage = open_storage(place, create=False, write=False)
    with quiet(), explained(place):
        known = optuna.get_all_study_summaries(storage=storage)
    ours = [one.study_name for one in known if ATTRIBUTE in one.user_attrs]
    if not ours:
        raise refused(place, NONE_IN_IT, BEGIN)
    return ours


def _setup(place: str, kept: Mapping[str, Any]) -> Setup:
    try:
        found = Setup.from_json(kept)
    except ValueError as error:
        raise refused(place, str(error), OTHER_VERSION) from None
    if found.engine not in ENGINES:
        raise refused(place, f"this version has no engine `{one_line(found.engine)}`", OTHER_VERSION)
    for one in found.objectives:
        if one.name not in MEASURED or one.direction not in DIRECTIONS:
            raise refused(place, f"this version has no objective `{one_line(str(one))}`", OTHER_VERSION)
    return found


def _see_same(place: str, before: Setup, now: Setup) -> None:
    """That a search goes on as it began."""
    compared: Sequence[tuple[str, object, object]] = [
        ("space", before.space, now.space),
        ("engine", before.engine, now.engine),
        ("seed", before.seed, now.seed),
        ("objectives", ", ".join(map(str, before.objectives)), ", ".join(map(str, now.objectives))),
        ("fitness", before.command, now.command),
        ("command of --mutate-with", before.mutator, now.mutator),
        ("successive halving", before.halving and list(before.halving), now.halving and list(now.halving)),
    ]
    found = [
        (what, *("none" if one is None else f"`{one}`" for one in (old, new)))
        for what, old, new in compared
        if old != new
    ]
    if not found and _digest_now(before) != now.digest:
        found = [("space", f"`{before.space}` as it was", "it with other decisions, or of another network")]
    fix = "search in another study: another file, or another name by --name NAME"
    if found:
        raise _other_search(place, found[0], fix)
    see_same_training(place, before.training, now.training, fix)


def _digest_now(setup: Setup) -> str | None:
    """The digest of the space that a study keeps, as this version has it; None where it cannot be read."""
    try:
        return digest_of(space_of(setup))
    except ValueError:
        return None


def _other_search(place: str, differing: Sequence[str], fix: str) -> NoStudy:
    """Why what is asked for is not what a study is of: what differs, as it was, and as it is."""
    name, (what, expected, got) = shown(place), differing
    found = say.OTHER_SEARCH.at(Source(name, "").span(0, 0), study=name, what=what, expected=expected, got=got)
    return NoStudy(found.with_fix(fix))


def see_same_training(place: str, before: Training | None, now: Training | None, fix: str) -> None:
    """That candidates are trained as the study says.

    Raises:
        NoStudy: by other settings, or on other images.
    """
    if (found := differing(before, now)) is not None:
        raise _other_search(place, found, fix)


def differing(before: Training | None, now: Training | None) -> tuple[str, str, str] | None:
    """The first part of two trainings that is not the same: what it is, and both as messages show them."""
    old, new = ({} if one is None else one.parts() for one in (before, now))
    for name in [*old, *(name for name in new if name not in old)]:
        if old.get(name) != new.get(name):
            expected, got = (f"`{one[name]}`" if name in one else "none" for one in (old, new))
            return f"`{name}` of its training", expected, got
    return None
