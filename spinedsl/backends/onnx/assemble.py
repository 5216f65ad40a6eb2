"""Put a model together: its graph and its tensors become one file, or a model and a file of tensors beside it.

In: messages without the numbers, and the numbers. Out: bytes by file name. The bytes are those that serialising the
whole model would give, with each weight copied once instead of three times, after which it may go: a serialised message
is its fields one after the other, by number.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, StringStringEntryProto, TensorProto, helper

from spinedsl.ops.digests import Sealed, digests_of

PAGE = 4096  # where a tensor in a file of its own begins, so that a runtime can map it into memory
DATA = "spine.data"  # the property of a model that has the digest of its file of tensors


class Parts(NamedTuple):
    """A model without its tensors: `head` holds the fields before the graph, `tail` those after."""

    head: ModelProto
    structure: GraphProto
    tail: ModelProto


def in_one_file(parts: Parts, tensors: Sequence[TensorProto], arrays: Iterable[NDArray[Any]]) -> bytes:
    """A model that holds its tensors. Their numbers come in the same order, and are asked for one by one."""
    placed = [(tensor.SerializeToString(deterministic=True), _bytes(tensor)) for tensor in tensors]
    raws = [_prefix(TensorProto.RAW_DATA_FIELD_NUMBER, size) for _, size in placed]
    inside = [len(header) + len(raw) + size for (header, size), raw in zip(placed, raws, strict=True)]
    opened = [_prefix(GraphProto.INITIALIZER_FIELD_NUMBER, size) for size in inside]
    found, digests = Sealed(), []
    after = _begun(found, parts, sum(inside) + sum(map(len, opened)))
    numbers = iter(arrays)
    for tensor, before, (header, _), raw in zip(tensors, opened, placed, raws, strict=True):
        array = next(numbers)
        found.add(before, header, raw, array.data)
        digests.append(_digested(tensor, array))
        del array  # before the next one is made
    _note(parts, digests_of(digests))
    found.add(after, parts.tail.SerializeToString(deterministic=True))
    return found.whole()


def in_two_files(
    parts: Parts, tensors: Sequence[TensorProto], arrays: Iterable[NDArray[Any]], name: str
) -> dict[str, bytes]:
    """A model, and its tensors in a file that has their digest in its name.

    A model that is written again thus never finds other tensors than its own, whatever is interrupted when.
    """
    written, whole, digests, starts = BytesIO(), hashlib.sha256(), [], []
    numbers = iter(arrays)
    for tensor in tensors:
        array = next(numbers)
        starts.append(written.tell())
        for piece in (array.data, bytes(-array.nbytes % PAGE)):
            written.write(piece)
            whole.update(piece)
        digests.append(_digested(tensor, array))
        del array  # before the next one is made
    digest = whole.hexdigest()
    beside = f"{name}.{digest[:12]}.data"
    pieces: list[bytes] = []
    for tensor, start in zip(tensors, starts, strict=True):
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": beside, "offset": str(start), "length": str(_bytes(tensor))}.items():
            tensor.external_data.append(StringStringEntryProto(key=key, value=value))
        header = tensor.SerializeToString(deterministic=True)
        pieces += [_prefix(GraphProto.INITIALIZER_FIELD_NUMBER, len(header)), header]
    _note(parts, {DATA: digest, **digests_of(digests)})
    found = Sealed()
    after = _begun(found, parts, sum(map(len, pieces)))
    found.add(*pieces, after, parts.tail.SerializeToString(deterministic=True))
    return {f"{name}.onnx": found.whole(), beside: written.getvalue()}


def _note(parts: Parts, properties: Mapping[str, str]) -> None:
    parts.tail.metadata_props.extend(StringStringEntryProto(key=key, value=text) for key, text in properties.items())


def _digested(tensor: TensorProto, array: NDArray[Any]) -> tuple[str, tuple[int, ...], str, bytes]:
    """What tells damage to a tensor from what another tool changes."""
    return tensor.name, array.shape, array.dtype.name, hashlib.sha256(array.data).digest()


def _bytes(tensor: TensorProto) -> int:
    """What the numbers of a tensor take."""
    return int(math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)


def _begun(found: Sealed, parts: Parts, initialisers: int) -> bytes:
    """Write what stands before the initialisers, which take so many bytes; what stands behind them in the graph."""
    structure = parts.structure
    before = GraphProto(node=structure.node, name=structure.name).SerializeToString(deterministic=True)
    after = GraphProto(input=structure.input, output=structure.output, value_info=structure.value_info)
    behind: bytes = after.SerializeToString(deterministic=True)
    size = len(before) + initialisers + len(behind)
    found.add(parts.head.SerializeToString(deterministic=True), _prefix(ModelProto.GRAPH_FIELD_NUMBER, size), before)
    return behind


def _prefix(number: int, size: int) -> bytes:
    """What stands before a field of `size` bytes: its number with wire type 2, and its size in groups of seven bits."""
    content = bytearray([number << 3 | 2])
    while size > 127:
        content.append(size & 127 | 128)
        size >>= 7
    content.append(size)
    return bytes(content)
