"""Figures of a candidate in closed form: what `--fitness NAME` may name. Nothing is compiled or run for them.

    depth          convolutions and linear layers on the longest way from the input to a map that an output or a head
                   reads; the mean over these maps
    entropy        the sum of log(fan-in) over the layers of the way on which that is largest, times the log of the
                   elements of the map; the mean over the same maps (after MAE-Det, Sun et al., ICML 2022, without its
                   weights for resolutions)
    parameters     that are trained
    multiply_adds  of one image at the network's input size
    memory         bytes of activations at the peak, as `spine stats` has it; compiles each candidate

None of these is accuracy. How far one agrees with it on a task has to be measured on trained candidates first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log, prod

from spinedsl.ops.graph import Node, of_module
from spinedsl.ops.memory import peak_activation_bytes
from spinedsl.ops.program import Call, Module
from spinedsl.ops.types import Type
from spinedsl.spaces.candidates import Candidates, Priced
from spinedsl.spaces.costing import Costing, Kind

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
    """The heaviest way from the input to each block. Parts are weighed once for each kind, as costs are."""

    def __init__(self, costing: Costing, weigh: Weighing) -> None:
        self.costing, self.weigh = costing, weigh
        self.own: dict[Kind, float] = {}
        self.steps: dict[tuple[Kind, Kind], float] = {}
        self.modules: dict[int, tuple[Module, float]] = {}  # by identity; held, so that it stays theirs
        rows = costing.space.typed.rows
        self.stems = {row.name: self._calls(row.calls) for row in rows.values() if row.kind == "stem"}
        self.fed = [
            max((self.stems.get(name.text, 0.0) for name in rows[block.name].declared.sources), default=0.0)
            for block in costing.space.blocks
        ]  # by the stems that a block reads where nothing is chosen

    def ends(self, priced: Priced) -> list[tuple[float, int]]:
        """Of each map that outputs or heads read, the weight of its way and how many elements it has."""
        genome, costing = priced.genome, self.costing
        kinds: list[Kind] = []
        ways: list[float] = []
        found: list[tuple[float, int]] = []
        for slot, row in enumerate(priced.candidate.rows):
            if row is None:
                kinds.append(-1)
                ways.append(0.0)
                continue
            kind = costing.kind(genome, row.block)
            kinds.append(kind)
            direct = costing.space.blocks[row.block].direct
            before = [
                ways[one] + (0.0 if direct else self._step(priced, slot, one, (kinds[one], kind)))
                for one in row.parents
            ]
            before += [ways[one] for one in row.absorbed]
            ways.append(max(before, default=self.fed[row.block]) + self._own(kind))
            if row.block in costing.space.ends:
                found.append((ways[-1], _elements(costing.rows[kind].type)))
        return found

    def _own(self, kind: Kind) -> float:
        if kind not in self.own:
            self.own[kind] = self._calls(self.costing.rows[kind].calls)
        return self.own[kind]

    def _step(self, priced: Priced, slot: int, source: int, key: tuple[Kind, Kind]) -> float:
        """What resamples a map on its way into a block, and joins it to the others."""
        if key not in self.steps:
            row = priced.candidate.rows[slot]
            assert row is not None
            absorbed = len(row.absorbed)
            typed = self.costing.connected(priced.genome, priced.candidate, row.block, absorbed, row.parents)
            resample = typed.inputs[row.parents.index(source)].resample
            self.steps[key] = self._calls([one for one in (resample, typed.join) if one is not None])
        return self.steps[key]

    def _calls(self, calls: Sequence[Call]) -> float:
        """The weight of what runs one after another."""
        return sum(self._module(call.module) for call in calls)

    def _module(self, module: Module) -> float:
        """The weight of the heaviest way through a module."""
        if id(module) not in self.modules:
            nodes, _, parameters = of_module(module)
            shapes = {name: parameter.shape for name, parameter in parameters.items()}
            ways: dict[int, float] = {}
            for node in nodes:
                before = max((ways.get(value, 0.0) for value in node.inputs), default=0.0)
                ways[node.result] = before + self.weigh(node, shapes)
            self.modules[id(module)] = module, max(ways.values(), default=0.0)
        return self.modules[id(module)][1]


def _elements(type_: Type | None) -> int:
    assert type_ is not None
    return type_.channels * type_.height * type_.width
