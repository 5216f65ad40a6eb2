"""ONNX models: their initialisers as weights.

In: a path. Out: the tensors that the graph holds, by name, or why there are none. Of a model that we wrote every bit is
checked. Numbers that a model keeps in another file are not read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from spinedsl.diagnostics import Outcome
from spinedsl.ops.digests import model_holds, model_is_ours
from spinedsl.weights.tensors import Weights, broken, damaged, first_sentence


def read(path: Path) -> Outcome[Weights]:
    """Every initialiser of a model."""
    from onnx import TensorProto, load_model_from_string, numpy_helper  # noqa: PLC0415  only where it is needed

    data = path.read_bytes()
    sealed = model_is_ours(memoryview(data))
    if sealed and not model_holds(memoryview(data)):
        return damaged(path, "it is not the model that was written")
    tensors: dict[str, NDArray[Any]] = {}
    try:
        model = load_model_from_string(data)
        for tensor in model.graph.initializer:
            if tensor.name in tensors:
                return broken(path, f"`{tensor.name}` stands in it twice")
            if tensor.data_location == TensorProto.EXTERNAL:
                return broken(path, f"it keeps the numbers of `{tensor.name}` in another file")
            tensors[tensor.name] = numpy_helper.to_array(tensor)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  a broken model makes the parser raise whatever comes
        return broken(path, f"{type(error).__name__}: {first_sentence(error)}".rstrip(": "))
    if strange := next((name for name, array in tensors.items() if array.dtype.kind not in "fiub"), None):
        return broken(path, f"`{strange}` has numbers of type {tensors[strange].dtype}")
    metadata = {entry.key: entry.value for entry in model.metadata_props if not entry.key.startswith("spine.source.")}
    return Outcome(Weights(str(path), tensors, metadata, sealed))
