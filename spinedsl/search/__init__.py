"""Search spaces for programs: the spaces of a file, their candidates, and the search for the best of these.

    from spinedsl import search
    space = search.open_space("examples/spaces.spine", "AroundSpineNet49")
    print(space.decisions)
    one = space.sample(seed=0, number=17)
    print(one.costs.multiply_adds, space.text(one))

    study = search.run(space, lambda candidate: -abs(candidate.costs.parameters - 20e6), budget=200)
    print(study.best[0].values, study.text(study.best[0]))

`Candidates` has what can be asked of a space: `sample`, `mutate`, `crossover`, `price`, `text`, `edits`. A search needs
Optuna (`spinedsl[search]`), which is imported when `run` or `open_study` is first asked for. `records` says what a
study keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spinedsl.search.opening import (
    Answer,
    Candidates,
    Genome,
    NoCandidate,
    Priced,
    Space,
    Unfit,
    contains,
    open_space,
    spaces,
)

if TYPE_CHECKING:
    from spinedsl.search.commands import Failed
    from spinedsl.search.fitness import Measured
    from spinedsl.search.ranking import Ranked, rank
    from spinedsl.search.records import Finished
    from spinedsl.search.running import open_study, run
    from spinedsl.search.storage import NoStudy
    from spinedsl.search.study import Study

_LATER = {
    "Failed": "commands",
    "Finished": "records",
    "Measured": "fitness",
    "NoStudy": "storage",
    "Ranked": "ranking",
    "Study": "study",
    "open_study": "running",
    "rank": "ranking",
    "run": "running",
}  # by the module that has it; those need Optuna

__all__ = [
    "Answer",
    "Candidates",
    "Failed",
    "Finished",
    "Genome",
    "Measured",
    "NoCandidate",
    "NoStudy",
    "Priced",
    "Ranked",
    "Space",
    "Study",
    "Unfit",
    "contains",
    "open_space",
    "open_study",
    "rank",
    "run",
    "spaces",
]


def __getattr__(name: str) -> Any:
    """What a search needs Optuna for, on first use."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    from spinedsl.extras import SEARCH, require  # noqa: PLC0415

    require(*SEARCH)
    found = globals()[name] = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    return found
