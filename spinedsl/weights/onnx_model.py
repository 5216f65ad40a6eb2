"""ONNX models: their initialisers as weights.

In: a path. Out: the tensors that the graph holds, by name, or why there are none. Of a model that we wrote every bit is
checked; where another tool has changed it since, that is reported, and it is read unless tensors are damaged. Where
passes made its tensors of the network's, those are told from them again. Numbers that a model keeps in other files are
read from the folder of the model and nowhere else.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.diagnostics import Outcome
from spinedsl.ops.digests import FORM, NUMBERS, RECIPES, digest_of, digests_of, model_holds, model_is_ours
from spinedsl.passes import MADE, Lost, recovered
from spinedsl.record import replace
from spinedsl.weights.tensors import Weights, broken, damaged, first_sentence, nowhere

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

_CHANGED = "it is not the model that was written"


class _Refused(Exception):
    """What a model holds is not to be read: the sentence that says why."""


class _Elsewhere(_Refused):
    """The same of numbers that it keeps in another file, as tools move them there and people move the model."""


def read(path: Path) -> Outcome[Weights]:
    """Every initialiser of a model."""
    from onnx import load_model_from_string  # noqa: PLC0415  only where it is needed

    data = path.read_bytes()
    ours = model_is_ours(memoryview(data))
    whole = ours and model_holds(memoryview(data))
    try:
        model = load_model_from_string(data)
        tensors = _tensors(path, model)
    except (MemoryError, OSError):
        raise
    except _Elsewhere as error:
        found = say.BROKEN_WEIGHTS.at(nowhere(path), path=path, reason=str(error))
        return Outcome(None, (found.with_fix("keep the files of a model together in one folder"),))
    except Exception as error:  # noqa: BLE001  a broken model makes the parser raise whatever comes
        if ours and not whole:
            return damaged(path, _CHANGED)
        reason = str(error) if isinstance(error, _Refused) else f"{type(error).__name__}: {first_sentence(error)}"
        return broken(path, reason.rstrip(": "))
    texts = ((entry.key, entry.value) for entry in model.metadata_props)
    properties = {key: text for key, text in texts if isinstance(key, str) and isinstance(text, str)}
    metadata = {key: text for key, text in properties.items() if not key.startswith(("spine.source.", "spine.sha256"))}
    judged = _judged(Weights(str(path), tensors, metadata, whole), model, properties, ours=ours)
    return judged.then(lambda found: _recovered(found, properties))


def _tensors(path: Path, model: ModelProto) -> dict[str, NDArray[Any]]:
    if not model.HasField("graph"):
        raise _Refused("it is cut off: it has no graph" if model.ByteSize() else "it is empty")
    found: dict[str, NDArray[Any]] = {}
    for tensor in model.graph.initializer:
        if not isinstance(tensor.name, str):  # bytes, where they are no UTF-8
            raise _Refused("a name in it is no text")
        if tensor.name in found:
            raise _Refused(f"`{tensor.name}` stands in it twice")
        found[tensor.name] = _array(path, tensor)
    return found


def _judged(found: Weights, model: ModelProto, properties: Mapping[str, str], *, ours: bool) -> Outcome[Weights]:
    """The weights of a model: damaged, changed by another tool, or as they were written by us or by somebody else."""
    outside = any(tensor.external_data for tensor in model.graph.initializer)
    if not (ours or NUMBERS in properties) or (found.sealed and not outside):
        return Outcome(found)
    path = Path(found.path)
    now = digests_of(
        (name, array.shape, array.dtype.name, sha256(_bytes(array)).digest()) for name, array in found.tensors.items()
    )
    as_written = properties.get(NUMBERS) == now[NUMBERS]
    if as_written and found.sealed:
        return Outcome(found)
    if not as_written and (found.sealed or properties.get(FORM) in (None, now[FORM])):
        return damaged(path, "the numbers beside it are not those that were written" if found.sealed else _CHANGED)
    what = "its tensors are as they were" if as_written else "its tensors have other names, shapes or types"
    warning = say.CHANGED_WEIGHTS.at(nowhere(path), path=path, what=what)
    repair = "nothing, if you changed it; else write it again with `spine compile`"
    return Outcome(replace(found, sealed=False, changed=True), (warning.with_fix(repair),))


def _recovered(found: Weights, properties: Mapping[str, str]) -> Outcome[Weights]:
    """With the tensors of the network, where passes made others of them and it is told how; else as it is."""
    made = properties.get(MADE, "")
    try:
        known = json.loads(made) if made and properties.get(RECIPES) == digest_of(made) else {}
        again = recovered(known["made"], found.tensors, known["tensors"]) if known else None
    except (Lost, ValueError, TypeError, LookupError, RecursionError):
        again = None
    if again is None:
        return Outcome(found)
    count = len(again.folded)
    warning = say.FOLDED_NORMS.at(
        nowhere(found.path), path=found.path, count=counted(count, "norm"), come="comes" if count == 1 else "come"
    )
    return Outcome(replace(found, tensors=again.tensors), (warning.repaired(),) if count else ())


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


def _array(path: Path, tensor: TensorProto) -> NDArray[Any]:
    """The numbers of an initialiser; those of bfloat16, which NumPy lacks, as float32."""
    from onnx import TensorProto, numpy_helper  # noqa: PLC0415  only where it is needed

    if tensor.data_location == TensorProto.EXTERNAL:
        inside = TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)
        inside.raw_data = _beside(path, tensor)
        tensor = inside
    array: NDArray[Any] = numpy_helper.to_array(tensor)
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    if array.dtype.kind not in "fiub":
        raise _Refused(f"`{tensor.name}` has numbers of type {array.dtype}")
    return array


def _beside(path: Path, tensor: TensorProto) -> bytes:
    """The bytes of a tensor in a file beside the model: an ordinary file there, and no link to another place."""
    where = {entry.key: entry.value for entry in tensor.external_data}
    name = where.get("location", "").removeprefix("./")
    if not name or Path(name).name != name or "\\" in name or name in (".", ".."):
        raise _Elsewhere(f"it keeps the numbers of `{tensor.name}` in a file that is not beside it")
    file = path.with_name(name)
    try:
        found = file.lstat()
    except (OSError, ValueError):  # the second of a name that no file can have
        raise _Elsewhere(f"`{name}`, with the numbers of `{tensor.name}`, is not beside it") from None
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        raise _Elsewhere(f"`{name}`, with the numbers of `{tensor.name}`, is a link or no ordinary file")
    start = _count(where.get("offset", "0"))
    size = _count(where["length"]) if "length" in where else found.st_size - start
    if not 0 <= start <= start + size <= found.st_size:
        raise _Elsewhere(f"`{name}` ends before the numbers of `{tensor.name}` do")
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read(size)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise _Elsewhere("it keeps numbers in another file, at no place there")
    return int(text)
