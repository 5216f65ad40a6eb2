"""Figures of a candidate in closed form: what `--fitness NAME` may name. Nothing is run for them.

    depth          convolutions and linear layers on the longest way from the input to a map that an output or a head
                   reads; the mean over these maps
    entropy        the sum of log(fan-in) over the layers of the way on which that is largest, times the log of the
                   elements of the map; the mean over the same maps (after MAE-Det, Sun et al., ICML 2022, without its
                   weights for resolutions)
    parameters     that are trained
    multiply_adds  of one image at the network's input size
    memory         bytes of activations at the peak, as `spine stats` has it; compiles each candidate

Where the parts of a candidate do not tell depth and entropy, as where a join has layers, they are those of its graph.

None of these is accuracy. How far one agrees with it on a task has to be measured on trained candidates first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log, prod

from spinedsl.ir.typed import TypedRow
from spinedsl.ops.graph import Node, of_module
from spinedsl.ops.memory import peak_activation_bytes
from spinedsl.ops.program import Call, Module
from spinedsl.ops.types import Type
from spinedsl.spaces.candidates import Candidates, Priced
from spinedsl.spaces.costing import Costing, Kind
from spinedsl.spaces.decode import Placed

Figure = Callable[[Priced], float]
Weighing = Callable[[Node, Mapping[str, Sequence[int]]], float]  # of a layer, by the shapes of its parameters

WANTED: Mapping[str, str] = {
    "depth": "maximize",
    "entropy": "maximize",
    "parameters": "minimize",
    "multiply_adds": "minimize",
    "memory": "minimize",
}  # what is usually wanted of each


def figure(name: str, candidates: Candidates) -> Figure:
    """What computes a figure of the candidates of a space."""
    costing = candidates.costing
    if name == "parameters":
        return lambda priced: float(priced.costs.parameters)
    if name == "multiply_adds":
        return lambda priced: float(priced.costs.multiply_adds)
    if name == "memory":
        return lambda priced: float(_memory(costing, priced))
    ways = Ways(costing, _one if name == "depth" else _fan_in)
    if name == "depth":
        return lambda priced: _mean([way for way, _ in ways.ends(priced)])
    return lambda priced: _mean([way * log(elements) for way, elements in ways.ends(priced)])


def _memory(costing: Costing, priced: Priced) -> int:
    return priced.memory if priced.memory is not None else peak_activation_bytes(costing.compiled(priced.candidate))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _one(node: Node, shapes: Mapping[str, Sequence[int]]) -> float:
    return 1.0 if _kernel(node, shapes) is not None else 0.0


def _fan_in(node: Node, shapes: Mapping[str, Sequence[int]]) -> float:
    kernel = _kernel(node, shapes)
    if kernel is None:
        return 0.0
    if node.primitive == "conv_transpose":  # one of stride x stride positions of the window reaches a number
        inputs, _, *window = kernel
        stride = node.attributes["stride"]
        assert isinstance(stride, int)
        return log(inputs * prod(window) / stride**2)
    return log(prod(kernel[1:]))


def _kernel(node: Node, shapes: Mapping[str, Sequence[int]]) -> Sequence[int] | None:
    """The shape of what a layer multiplies by: channels out, then what each of those reads; transposed, channels in."""
    name = node.parameters.get("weight")
    return shapes[name] if name is not None and len(shapes[name]) > 1 else None


class Ways:
    """The heaviest way from the input to each block. Parts are weighed once for each kind, as costs are.

    Where parts do not tell, the candidate is compiled: a layer may stand between the inputs of a join, or of a block
    that takes its maps one by one, and what a block is may depend on what it reads.
    """

    def __init__(self, costing: Costing, weigh: Weighing) -> None:
        self.costing, self.weigh = costing, weigh
        self.own: dict[Kind, float] = {}
        self.steps: dict[tuple[Kind | str, Kind, int], float] = {}
        self.joins: dict[tuple[Kind, int, int], float] = {}
        self.modules: dict[int, tuple[Module, float]] = {}  # by identity; held, so that it stays theirs
        rows = costing.space.typed.rows
        self.stems = {row.name: self._calls(row.calls) for row in rows.values() if row.kind == "stem"}
        self.reads = [[name.text for name in costing.declared[block.name].sources] for block in costing.space.blocks]
        self.one_by_one = any(costing.declared[block.name].maps > 1 for block in costing.space.blocks)

    def ends(self, priced: Priced) -> list[tuple[float, int]]:
        """Of each map that outputs or heads read, the weight of its way and how many elements it has."""
        found = None
        if not self.one_by_one and self.costing.told_by_parts(priced.genome, priced.candidate):
            found = self._by_parts(priced)
        return found if found is not None else self._compiled(priced)

    def _compiled(self, priced: Priced) -> list[tuple[float, int]]:
        """The same by the graph of the whole candidate."""
        space, graph = self.costing.space, self.costing.compiled(priced.candidate)
        shapes = {name: parameter.shape for name, parameter in graph.parameters.items()}
        ways = self._nodes(graph.nodes, shapes)
        rows = [row for row in priced.candidate.rows if row is not None]
        values = [graph.rows[space.blocks[row.block].name] for row in rows if row.block in space.ends]
        return [(ways.get(value, 0.0), _elements(graph.types[value])) for value in values]

    def _by_parts(self, priced: Priced) -> list[tuple[float, int]] | None:
        """None where a join has a layer."""
        genome, costing = priced.genome, self.costing
        kinds: list[Kind] = []
        ways: list[float] = []
        found: list[tuple[float, int]] = []
        for row in priced.candidate.rows:
            if row is None:
                kinds.append(-1)
                ways.append(0.0)
                continue
            kind = costing.kind(genome, row.block)
            kinds.append(kind)
            reads = row.parents if row.chosen else self._read(row)
            before = [ways[one] if isinstance(one, int) else self.stems.get(one, 0.0) for one in reads]
            if not costing.space.blocks[row.block].direct:
                if self._join(priced, row, kind, reads):
                    return None
                for at, one in enumerate(reads):
                    key = kinds[one] if isinstance(one, int) else one, kind, 0 if row.chosen else at
                    before[at] += self._step(priced, row, reads, key, at)
            before += [ways[one] for one in row.absorbed]
            ways.append(max(before, default=0.0) + self._own(kind))
            if row.block in costing.space.ends:
                found.append((ways[-1], _elements(costing.rows[kind].type)))
        return found

    def _read(self, row: Placed) -> Sequence[int | str]:
        """What a block reads as it is written: blocks by their slots, stems by name."""
        slots = iter(row.parents)
        return [next(slots) if name in self.costing.blocks else name for name in self.reads[row.block]]

    def _own(self, kind: Kind) -> float:
        if kind not in self.own:
            self.own[kind] = self._calls(self.costing.rows[kind].calls)
        return self.own[kind]

    def _join(self, priced: Priced, row: Placed, kind: Kind, reads: Sequence[int | str]) -> float:
        """The weight of what joins the maps of a block."""
        key = kind, len(reads), len(row.absorbed)
        if key not in self.joins:
            typed = self._connected(priced, row, reads)
            self.joins[key] = self._calls([typed.join] if typed.join is not None else [])
        return self.joins[key]

    def _step(
        self, priced: Priced, row: Placed, reads: Sequence[int | str], key: tuple[Kind | str, Kind, int], at: int
    ) -> float:
        """What resamples a map on its way into a block."""
        if key not in self.steps:
            resample = self._connected(priced, row, reads).inputs[at].resample
            self.steps[key] = self._calls([resample] if resample is not None else [])
        return self.steps[key]

    def _connected(self, priced: Priced, row: Placed, reads: Sequence[int | str]) -> TypedRow:
        return self.costing.connected(priced.genome, priced.candidate, row.block, len(row.absorbed), reads)

    def _calls(self, calls: Sequence[Call]) -> float:
        """The weight of what runs one after another."""
        return sum(self._module(call.module) for call in calls)

    def _module(self, module: Module) -> float:
        """The weight of the heaviest way through a module."""
        if id(module) not in self.modules:
            nodes, _, parameters = of_module(module)
            shapes = {name: parameter.shape for name, parameter in parameters.items()}
            self.modules[id(module)] = module, max(self._nodes(nodes, shapes).values(), default=0.0)
        return self.modules[id(module)][1]

    def _nodes(self, nodes: Sequence[Node], shapes: Mapping[str, Sequence[int]]) -> dict[int, float]:
        """The weight of the heaviest way to each value."""
        ways: dict[int, float] = {}
        for node in nodes:
            before = max((ways.get(value, 0.0) for value in node.inputs), default=0.0)
            ways[node.result] = before + self.weigh(node, shapes)
        return ways


def _elements(type_: Type | None) -> int:
    assert type_ is not None
    return type_.channels * type_.height * type_.width
