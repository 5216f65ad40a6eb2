"""An int8 model as a file: sealed as every model of ours, with what it was quantised by in a property.

In: a `Choice` and what is to be told of it. Out: bytes. Of a checkpoint the model takes pictures as files decode to,
and gives what its task makes of the outputs, as `spine export` writes it, so that `spine eval` and `spine predict` run
it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, StringStringEntryProto, TensorProto, numpy_helper

from spinedsl.backends.onnx.assemble import Parts, in_one_file
from spinedsl.backends.onnx.target import Target
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.inference.engine import digest_of
from spinedsl.inference.formats import Model, Wanted
from spinedsl.ops.digests import FORM, NUMBERS, RECIPES
from spinedsl.passes import MADE
from spinedsl.quantise.choose import Choice
from spinedsl.quantise.network import Float
from spinedsl.record import replace

if TYPE_CHECKING:
    from spinedsl.training.build import Trained

QUANTISED = "spine.quantised"  # the property of a model that tells how it became int8
DROPPED = (MADE, RECIPES, FORM, NUMBERS, "spine.sha256")  # properties of the float model that hold for that one alone


def int8_model(
    network: Float, choice: Choice, about: Mapping[str, Any], pre: Preprocessing, trained: Trained | None, origin: str
) -> bytes:
    """The file. `about` is what the property `spine.quantised` tells beside errors, `origin` names the weights."""
    model = ModelProto()
    model.CopyFrom(choice.model)
    errors = {row.name: float(f"{row.error:.3g}") for row in choice.rows}
    told = {**about, "float_rows": list(choice.kept), "error": float(f"{choice.error:.3g}"), "row_errors": errors}
    properties = {one.key: one.value for one in network.model.metadata_props if one.key not in DROPPED}
    properties |= {QUANTISED: json.dumps(told, ensure_ascii=False), "spine.weights": origin}
    if trained is not None:
        digest = _digest(trained, choice.model)
        wanted = Wanted(opset=network.opset)
        deployed = replace(Model(trained, digest, "").deployed(wanted), program=network.program, pre=pre)
        deployed.around(model.graph, Target(network.opset))
        properties |= deployed.metadata(trained, digest)
    head = ModelProto(ir_version=model.ir_version, producer_name="spinedsl")
    graph = model.graph
    structure = GraphProto(name=graph.name, node=graph.node, input=graph.input, output=graph.output)
    entries = [StringStringEntryProto(key=key, value=value) for key, value in properties.items()]
    tail = ModelProto(opset_import=model.opset_import, metadata_props=entries)
    tensors = [*_tensors(graph)]
    return in_one_file(Parts(head, structure, tail), *zip(*tensors, strict=True))


def _digest(trained: Trained, model: ModelProto) -> str:
    """Of what the int8 model computes, which is not what the checkpoint does: galleries are made anew."""
    found = hashlib.sha256(digest_of(trained).encode())
    for tensor, array in _tensors(model.graph):
        found.update(f"\0{tensor.name}\0".encode() + array.tobytes())
    return found.hexdigest()


def _tensors(graph: GraphProto) -> Iterable[tuple[TensorProto, NDArray[Any]]]:
    """Each tensor without its numbers, and those."""
    for one in graph.initializer:
        yield TensorProto(dims=one.dims, data_type=one.data_type, name=one.name), numpy_helper.to_array(one)
