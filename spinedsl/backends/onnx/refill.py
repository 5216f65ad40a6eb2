"""Refill: a model that `emit` wrote, with other weights: the same graph, to the bit what a new compilation gives.

In: the bytes of a model, and the network's tensors by canonical name. Out: files by name. How the model's tensors are
made of those stands in its property `spine.made`; where it has none, its tensors are the network's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, StringStringEntryProto, TensorProto, load_model_from_string

from spinedsl.backends.onnx.assemble import DATA, Parts, in_one_file, in_two_files
from spinedsl.backends.onnx.target import HALF_MOST, Target
from spinedsl.ops.detection import DETECTION
from spinedsl.ops.digests import FORM, NUMBERS, RECIPES
from spinedsl.ops.primitives import Parameter
from spinedsl.passes import MADE, filled
from spinedsl.passes.form import tensor
from spinedsl.record import Record

WEIGHTS = "spine.weights"
OF_NUMBERS = ("spine.verified", "spine.sha256", DATA, FORM, NUMBERS)  # properties that hold for some weights only
KNOWN = (*OF_NUMBERS, WEIGHTS, MADE, RECIPES, "spine.network", "spine.digest", "spine.tasks", DETECTION)


class Refusal(Exception):
    """Why a model cannot be filled, and what to do instead."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


class Empty(Record, eq=False):
    """A model that can be filled: the tensors that it needs, and rows whose tensors may be there as well."""

    model: ModelProto
    needed: Mapping[str, Parameter]
    made: Mapping[str, Any]
    dropped: tuple[str, ...]
    kept: tuple[str, ...] = ()  # norms that could not be folded with the weights that it was made with

    @property
    def network(self) -> str:
        """Its name."""
        return str(self.model.graph.name)


def opened(data: bytes) -> Empty:
    """A model as one that can be filled.

    Raises:
        Refusal: it cannot.
    """
    model = load_model_from_string(data)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    other = [key for key in properties if key not in KNOWN and not key.startswith("spine.source.")]
    if other:
        raise Refusal(f"it is more than `spine compile` writes, as its property `{other[0]}` shows", "export it again")
    found = json.loads(properties.get(MADE, "{}"))
    made, shapes = found.get("made", {}), found.get("tensors", {})
    own = {one.name: tuple(one.dims) for one in model.graph.initializer if one.name not in made}
    needed = {name: tensor(name.rpartition(".")[2], tuple(shape)) for name, shape in {**own, **shapes}.items()}
    return Empty(model, needed, made, tuple(found.get("dropped", ())), tuple(found.get("kept", ())))


def refilled(empty: Empty, weights: Mapping[str, NDArray[Any]], origin: str) -> dict[str, bytes]:
    """The files of the model with these weights, which are called `origin`.

    Raises:
        Refusal: a norm of the model cannot be folded with these weights, or could not with those that it was made
            with; or they are too large for its numbers.
    """
    again = f"compile the network with `--weights {origin}`"
    if empty.kept:
        raise Refusal(f"it was made with weights with which `{empty.kept[0]}` could not be folded", again)
    graph = empty.model.graph
    half = any(one.data_type == TensorProto.FLOAT16 for one in graph.initializer)
    large = [name for name, array in weights.items() if half and (np.isfinite(array) & (abs(array) > HALF_MOST)).any()]
    if large:
        reason = f"it is of float16, which does not hold numbers of `{min(large)}`"
        raise Refusal(reason, f"{again}, and without `--half`")
    tensors, wrong = filled(empty.made, weights, Target(half=half).most)
    if wrong:
        raise Refusal(f"with these weights `{min(wrong)}` cannot be folded", again)
    empty_ones = [TensorProto(dims=one.dims, data_type=one.data_type, name=one.name) for one in graph.initializer]
    inside = empty_ones, _arrays(empty_ones, {**weights, **tensors})
    beside = any(one.data_location == TensorProto.EXTERNAL for one in graph.initializer)
    parts = _parts(empty.model, origin)
    if beside:
        return in_two_files(parts, *inside, graph.name)
    return {f"{graph.name}.onnx": in_one_file(parts, *inside)}


def _parts(model: ModelProto, origin: str) -> Parts:
    """The model without its tensors and what is written of them."""
    graph = model.graph
    structure = GraphProto(
        name=graph.name, node=graph.node, input=graph.input, output=graph.output, value_info=graph.value_info
    )
    kept = [
        StringStringEntryProto(key=one.key, value=origin if one.key == WEIGHTS else one.value)
        for one in model.metadata_props
        if one.key not in OF_NUMBERS
    ]
    head = ModelProto(ir_version=model.ir_version, producer_name=model.producer_name)
    return Parts(head, structure, ModelProto(opset_import=model.opset_import, metadata_props=kept))


def _arrays(tensors: Sequence[TensorProto], numbers: Mapping[str, NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """The numbers of each tensor."""
    for one in tensors:
        layout = "<f2" if one.data_type == TensorProto.FLOAT16 else "<f4"
        yield np.ascontiguousarray(numbers[one.name], dtype=layout)
