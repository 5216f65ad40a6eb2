"""What a pass takes and gives: a graph, and of which tensors of the network each of its new ones is made.

In: a `Graph`. Out: a `Form` of it, and small questions that every pass asks: who makes a value, how often it is read.
Value numbers stay what they are; a pass appends the types of new ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.primitives import Initial, Parameter
from spinedsl.ops.types import Type
from spinedsl.passes.recipes import Recipe
from spinedsl.record import Record, replace


class Numbers(Record):
    """What a model takes: maps of float16, or of float32; which axes of its input vary (`height`, `width`, `batch`)."""

    half: bool = False
    dynamic: frozenset[str] = frozenset()


SINGLE = Numbers()


class Form(Record, eq=False):
    """A graph that may have been rewritten. `recipes` has its tensors that are none of the network's own.

    `parameters` are the network's own, which recipes read; `keep` names batch norms that are not to be folded, and
    `numbers` says what the model takes that is made of it.
    """

    graph: Graph
    recipes: Mapping[str, Recipe]
    parameters: Mapping[str, Parameter]
    keep: frozenset[str] = frozenset()
    numbers: Numbers = SINGLE

    def __brief__(self) -> str:
        return self.graph.__brief__()

    def recipe(self, name: str) -> Recipe:
        """Of what a tensor of the graph is made: itself, or others."""
        return self.recipes.get(name, name)


Pass: TypeAlias = Callable[[Form], Form]


def as_written(graph: Graph, keep: frozenset[str] = frozenset(), numbers: Numbers = SINGLE) -> Form:
    """A graph as it is, to begin with."""
    return Form(graph, {}, graph.parameters, keep, numbers)


def settled(form: Form, once: Pass) -> Form:
    """What a pass makes of a form that is run again until it finds nothing more; then it gives the very form back."""
    while (after := once(form)) is not form:
        form = after
    return form


class Wiring(Record, eq=False):
    """Who makes each value, how often each is read (an output reads it once), how many operations share a tensor."""

    makers: Mapping[int, int]  # position of the node, by value
    reads: Counter[int]
    sharing: Counter[str]

    def alone(self, node: Node) -> bool:
        """Nothing else has the tensors of an operation."""
        return all(self.sharing[name] == 1 for name in node.parameters.values())


def wiring(graph: Graph) -> Wiring:
    """The wiring of a graph."""
    reads = Counter(value for node in graph.nodes for value in node.inputs)
    reads.update(graph.outputs.values())
    sharing = Counter(name for node in graph.nodes for name in node.parameters.values())
    return Wiring({node.result: at for at, node in enumerate(graph.nodes)}, reads, sharing)


def only_read(graph: Graph, wired: Wiring, value: int) -> Node | None:
    """The operation that makes a value which is read once and is no output; None of the others, and of the input."""
    at = wired.makers.get(value)
    return graph.nodes[at] if at is not None and wired.reads[value] == 1 else None


def tidied(
    form: Form,
    nodes: Iterable[Node],
    *,
    types: Iterable[Type] | None = None,
    parameters: Mapping[str, Parameter] | None = None,
    recipes: Mapping[str, Recipe] | None = None,
) -> Form:
    """A form of other nodes: what no output needs is left out, with its tensors and the names of rows that are gone."""
    graph, ordered = form.graph, list(nodes)
    needed, kept = set(graph.outputs.values()), []
    for node in reversed(ordered):
        if node.result in needed:
            needed.update(node.inputs)
            kept.append(node)
    kept.reverse()
    there = {0, *(node.result for node in kept)}
    known = {**graph.parameters, **(parameters or {})}
    used = dict.fromkeys(name for node in kept for name in node.parameters.values())
    made = {**form.recipes, **(recipes or {})}
    changed = replace(
        graph,
        nodes=tuple(kept),
        types=graph.types if types is None else tuple(types),
        parameters={name: known[name] for name in used},
        rows={name: value for name, value in graph.rows.items() if value in there},
    )
    return replace(form, graph=changed, recipes={name: made[name] for name in used if name in made})


def merged(form: Form, nodes: Iterable[Node], made: Mapping[str, tuple[tuple[int, ...], Recipe]]) -> Form:
    """A form of other nodes, for which tensors of these shapes are made; the same one where none is."""
    if not made:
        return form
    parameters = {name: tensor(name.rpartition(".")[2], shape) for name, (shape, _) in made.items()}
    return tidied(form, nodes, parameters=parameters, recipes={name: recipe for name, (_, recipe) in made.items()})


def tensor(name: str, shape: tuple[int, ...]) -> Parameter:
    """A tensor that a pass makes; what it starts with, its recipe says."""
    return Parameter(name, shape, Initial("constant", 0))
