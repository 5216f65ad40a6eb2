"""Levels: which passes run, in which order, and what each did.

In: a `Graph`. Out: a `Form` of it; the numbers of its tensors; `Effect`s, by pass and row. Level 0 is the graph as
written. Level 1 is exact: outputs stay the same up to the rounding of float32. So is level 2, for one runtime: what
pays there. What pays where, `benchmarks/passes.py` measures, and FIGURES.md has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import PRIMITIVES
from spinedsl.passes.absorb import absorb
from spinedsl.passes.below import below
from spinedsl.passes.constant import constant
from spinedsl.passes.dead import dead
from spinedsl.passes.fold import fold
from spinedsl.passes.form import SINGLE, Form, Numbers, Pass, as_written
from spinedsl.passes.idle import idle
from spinedsl.passes.order import order
from spinedsl.passes.pad import pad
from spinedsl.passes.pair import pair
from spinedsl.passes.recipes import NORM, computed, sources
from spinedsl.passes.schedule import schedule
from spinedsl.passes.standardise import standardise
from spinedsl.passes.winograd import by_rows, winograd
from spinedsl.record import Record

# In running order: `standardise` before all that changes kernels; `fold` before `below`, which looks for bare
# convolutions; `order` brings together what `pair` joins.
PASSES: Mapping[str, Pass] = {
    "dead": dead,
    "idle": idle,
    "constant": constant,
    "standardise": standardise,
    "fold": fold,
    "absorb": absorb,
    "below": below,
    "order": order,
    "pair": pair,
    "pad": pad,
    "winograd": winograd,
    "schedule": schedule,
}
LEVELS = (0, 1, 2)
MADE = "spine.made"  # the property of a model that has the recipes of its tensors
# What level 2 does for a runtime beyond level 1: what pays there. OpenVINO loses by more channels. Both run operations
# in an order of their own, so that `schedule` is for files that PyTorch runs, which do as they say.
FOR: Mapping[str, tuple[str, ...]] = {"onnxruntime": ("pad", "winograd"), "openvino": ()}
LATE = ("pad", "winograd", "schedule")


def passes_of(level: int, runtime: str = "") -> dict[str, Pass]:
    """The passes of a level, in running order; of level 2, for a runtime."""
    late = FOR[runtime] if level > 1 else ()
    return {name: run for name, run in PASSES.items() if level and (name not in LATE or name in late)}


class Effect(Record):
    """What a pass did to a row: operations before and after, multiply-adds that it saved, bytes of tensors it saved."""

    name: str
    row: str
    before: int
    after: int
    multiply_adds: int
    bytes: int


def optimised(
    graph: Graph, level: int, keep: frozenset[str] = frozenset(), runtime: str = "", numbers: Numbers = SINGLE
) -> Form:
    """The graph at a level; `keep` names batch norms that stay, and `numbers` says what the model is to take."""
    form = as_written(graph, keep, numbers)
    for run in passes_of(level, runtime).values():
        form = run(form)
    return form


def fitted(
    graph: Graph, level: int, weights: Mapping[str, NDArray[Any]], most: float, runtime: str = ""
) -> tuple[Form, Mapping[str, NDArray[Any]]]:
    """The same, with the numbers of its tensors. A norm whose factors are beyond `most`, or no numbers, is kept."""
    keep: frozenset[str] = frozenset()
    while True:
        form = optimised(graph, level, keep, runtime)
        tensors, wrong = filled(form.recipes, weights, most)
        if not wrong:
            return form, {**weights, **tensors}
        keep |= wrong


def filled(
    recipes: Mapping[str, Any], weights: Mapping[str, NDArray[Any]], most: float
) -> tuple[dict[str, NDArray[Any]], frozenset[str]]:
    """The numbers of recipes, in float64; and the norms in those whose numbers are beyond `most`, or none."""
    made = Made(recipes, weights, most)
    tensors = {name: made[name] for name in recipes}
    return tensors, frozenset(made.wrong)


class Made:
    """Tensors of a form by name, each made when it is asked for and kept by nobody, in a kind of numbers of NumPy's.

    `wrong` are the norms in those asked for whose numbers are beyond `most`, or none: they would have to be kept.
    """

    def __init__(
        self, recipes: Mapping[str, Any], weights: Mapping[str, NDArray[Any]], most: float, kind: str = "<f8"
    ) -> None:
        self.recipes, self.weights, self.most, self.kind = recipes, weights, most, kind
        self.wrong: set[str] = set()

    def __getitem__(self, name: str) -> NDArray[Any]:
        recipe = self.recipes.get(name)
        if recipe is None:
            return self.weights[name]
        with np.errstate(all="ignore"):
            found = computed(recipe, self.weights)
            rounded = found.astype(self.kind, copy=False)
        if found.size and not -self.most <= found.min() <= found.max() <= self.most:
            self.wrong |= {one.rpartition(".")[0] for one in sources(recipe) if one.endswith(f".{NORM[-1]}")}
        return rounded


def record(form: Form) -> str:
    """How the tensors of a form are made, as JSON: with shapes of the network's own, rows left out, and norms kept."""
    shapes = {name: list(parameter.shape) for name, parameter in form.parameters.items()}
    found: dict[str, Any] = {"tensors": shapes, "dropped": list(form.graph.program.dropped), "made": form.recipes}
    if form.keep:
        found["kept"] = sorted(form.keep)
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


# ---- what each did ----


def effects(
    graph: Graph, level: int, runtime: str = "", keep: frozenset[str] = frozenset(), numbers: Numbers = SINGLE
) -> tuple[Effect, ...]:
    """What each pass of a level does, by row, in the order of passes and rows; rows that it leaves are left out.

    `keep` names batch norms that stay, and `numbers` says what the model is to take.
    """
    form, found = as_written(graph, keep, numbers), []
    width = 2 if numbers.half else 4
    for name, run in passes_of(level, runtime).items():
        after = run(form)
        ours, theirs = _by_row(form.graph), _by_row(after.graph)
        for row in (row.name for row in graph.program.rows):
            was, now = ours.get(row, (0, 0, 0)), theirs.get(row, (0, 0, 0))
            if was != now:
                found.append(Effect(name, row, was[0], now[0], was[1] - now[1], width * (was[2] - now[2])))
        form = after
    return tuple(found)


def _by_row(graph: Graph) -> dict[str, tuple[int, int, int]]:
    """Operations, multiply-adds and numbers of tensors of each row."""
    found: dict[str, tuple[int, int, int]] = {}
    seen: set[str] = set()
    for node in graph.nodes:
        own = [name for name in node.parameters.values() if name not in seen]
        seen.update(own)
        count, work, numbers = found.get(node.row, (0, 0, 0))
        elements = sum(graph.parameters[name].elements for name in own)
        found[node.row] = count + 1, work + _work(node, graph), numbers + elements
    return found


def _work(node: Node, graph: Graph) -> int:
    if "rows" in node.attributes:
        return by_rows(node, graph)
    types = [graph.types[value] for value in node.inputs]
    return PRIMITIVES[node.primitive].multiply_adds(types, node.attributes, graph.types[node.result])
