"""What is there while the generated PyTorch module runs: the value of every row, and how many bytes are alive."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from types import FrameType
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from spinedsl.backends.torch import build
from spinedsl.ops.graph import Graph, Node
from spinedsl.ops.interpret import RULES
from spinedsl.ops.program import Program
from tests.analysis.weights import positive

Array: TypeAlias = NDArray[np.float32]


def rows_run(program: Program, module: torch.nn.Module, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
    """What each row gives, of a head all that it yields: outputs, and else locals of the `forward` that has the row.

    That is the network's, or that of the part which the row is in. What copies share runs once for each of them.
    """
    copies: dict[str, list[str]] = {"": [""]}
    for name, part in program.parts.items():
        copies.setdefault(part.weights, []).append(name)
    places = {id(inner): iter(copies[name]) for name, inner in module.named_modules() if name in copies}
    found: dict[str, Any] = {}

    def leaving(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code.co_name == "forward":
            place = next(places.get(id(frame.f_locals.get("self")), iter(())), None)
            if place is not None:
                found.update({f"{place}.{name}": value for name, value in frame.f_locals.items()})

    sys.setprofile(leaving)
    try:
        outputs = module(image)
    finally:
        sys.setprofile(None)

    def value(name: str) -> Any:
        words = name.split(".")
        held = (f"{'.'.join(words[:end])}.{'_'.join(words[end:])}" for end in reversed(range(len(words))))
        return outputs[name] if name in outputs else next(found[local] for local in held if local in found)

    return {row.name: [value(name) for name in row.values] for row in program.rows}


class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for it
    """The most bytes of tensors that are alive at once after an operation, those that were there before left out.

    Counted by storage, so that views cost nothing.
    """

    def __init__(self, module: torch.nn.Module, image: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        tensors = [*module.parameters(), *module.buffers()]
        self.weights = {tensor.untyped_storage()._cdata for tensor in tensors}
        self.alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.see(image)
        self.peak = self.bytes_alive()

    def see(self, tensor: torch.Tensor) -> None:
        """Count a tensor from now on."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self.weights:
            self.alive[storage._cdata] = StorageWeakRef(storage), storage.nbytes()  # type: ignore[no-untyped-call]

    def bytes_alive(self) -> int:
        """Bytes that are alive."""
        self.alive = {key: found for key, found in self.alive.items() if not found[0].expired()}  # type: ignore[no-untyped-call]
        return sum(size for _, size in self.alive.values())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.bytes_alive()  # an address may be used again
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.see(tensor)
        self.peak = max(self.peak, self.bytes_alive())
        return result


def eager_peak(program: Program) -> int:
    """Bytes of feature maps, at most, while the generated module runs in inference: without memory for them."""
    with torch.device("meta"):
        module = build(program).eval().requires_grad_(requires_grad=False)
        image = torch.empty(1, *program.input_type.shape)
    with torch.no_grad(), Live(module, image) as live:
        module(image)
    return int(live.peak)


SIZE_ONLY = {
    "resize": 1,
    "resize_to_level": 1,
    "crop_to_level": 1,
    "reshape": 1,
    "parameter": 0,
}  # inputs from there on


def freed_early_peak(graph: Graph) -> int:
    """Bytes of the arrays of the reference interpreter that are alive at once, each dropped after its last reader.

    Where it was, there is no number any more: had anything read it once more, outputs would be none.
    """
    weights = {name: value.astype(np.float32) for name, value in positive(graph).items()}
    waiting = Counter(graph.outputs.values())
    for node in graph.nodes:
        waiting.update(node.inputs[: SIZE_ONLY.get(node.primitive)])
    values: dict[int, Array] = {0: np.random.default_rng(0).random((1, *graph.input_type.shape), np.float32)}
    written = [weakref.ref(values[0])]
    peak = values[0].nbytes
    for node in graph.nodes:
        values[node.result] = _computed(node, values, weights, graph)
        if node.primitive not in ("parameter", "constant") and values[node.result].base is None:
            written.append(weakref.ref(values[node.result]))
        peak = max(peak, sum(array.nbytes for array in (reference() for reference in written) if array is not None))
        waiting.subtract(node.inputs[: SIZE_ONLY.get(node.primitive)])
        for value in {*node.inputs, node.result}:
            if waiting[value] <= 0:
                values[value] = np.broadcast_to(np.float32(np.nan), values[value].shape)
    assert all(np.isfinite(values[value]).all() for value in graph.outputs.values())
    return peak


def _computed(node: Node, values: dict[int, Array], weights: dict[str, Array], graph: Graph) -> Array:
    """The result in memory of its own, or that of its first input where it holds the same numbers in the same order."""
    inputs = [values[value] for value in node.inputs]
    parameters = {part: weights[name] for part, name in node.parameters.items()}
    result = RULES[node.primitive](inputs, node.attributes, parameters, graph.types[node.result])
    if inputs and np.shares_memory(result, inputs[0]) and result.size == inputs[0].size and result.flags.c_contiguous:
        return result.view()
    return np.array(result, np.float32)
