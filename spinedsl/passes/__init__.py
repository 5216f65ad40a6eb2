"""Passes: from a graph to one that computes the same in less time. Each is a file, and a pure function of a `Form`.

In: a `Graph`. Out: a `Form`: a graph, and a recipe for each of its tensors that is none of the network's own. Every
file begins with what the pass needs and what it promises; `levels` has their order. Definitions and the PyTorch file
never see them: they are for a graph that only runs.
"""

from spinedsl.passes.form import Form, Numbers, Pass, as_written
from spinedsl.passes.levels import FOR, LEVELS, MADE, PASSES, Effect, Made, effects, filled, fitted, optimised, record
from spinedsl.passes.recover import Lost, Recovered, recovered

__all__ = [
    "FOR", "LEVELS", "MADE", "PASSES", "Effect", "Form", "Lost", "Made", "Numbers", "Pass", "Recovered", "as_written",
    "effects", "filled", "fitted", "optimised", "record", "recovered",
]  # fmt: skip
