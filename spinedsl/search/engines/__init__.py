"""Engines: which candidate to try next. Each is a class in a file of its own, with `tell` and `ask` (`engine.Engine`).

    random       every candidate as likely as the others: what an engine has to beat
    evolution    regularised evolution (Real et al., AAAI 2019): the best of a sample of the youngest, changed once
    local        local search (White et al., UAI 2021): the smallest change of the best so far
    nsga2        NSGA-II (Deb et al., 2002), for several objectives: crossover and mutation among the best fronts
    controller   a recurrent network over the decisions, trained by REINFORCE (Zoph and Le, ICLR 2017), as SpineNet was

What an engine proposes for a slot is a function of the seed, the slot, and the slots that are settled, in whichever
order it was told of them. So workers that know the same propose the same, and nothing but the study has to be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from spinedsl.search.engines.engine import Change, Engine
from spinedsl.search.records import Objective
from spinedsl.spaces.candidates import Candidates

ENGINES: Mapping[str, str] = {
    "random": "Random",
    "evolution": "Evolution",
    "local": "Local",
    "nsga2": "Nsga2",
    "controller": "Controller",
}  # the class of each, in the file of its name
CHANGING = ("evolution", "local", "nsga2")  # those that change candidates, and so may ask a command to
SEVERAL = ("random", "nsga2")  # those that take several objectives
PACKAGES: Mapping[str, tuple[str, ...]] = {"controller": ("torch", "numpy")}


def make(
    name: str, candidates: Candidates, seed: int, objectives: tuple[Objective, ...], change: Change | None = None
) -> Engine:
    """The engine of that name, which knows nothing yet. `change` makes a candidate of another, if not `mutate`."""
    made: Engine = getattr(import_module(f"{__name__}.{name}"), ENGINES[name])(candidates, seed, objectives, change)
    return made
