"""Put a model together: its graph and its tensors become one file, or a model and a file of tensors beside it.

In: messages without the numbers, and the numbers. Out: bytes by file name. The bytes are those that serialising the
whole model would give, with each weight copied once instead of three times: a serialised message is its fields one
after the other, by number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, StringStringEntryProto, TensorProto

from spinedsl.ops.digests import digests_of, sealed_model

Tensors: TypeAlias = Iterable[tuple[TensorProto, NDArray[Any]]]
PAGE = 4096  # where a tensor in a file of its own begins, so that a runtime can map it into memory
DATA = "spine.data"  # the property of a model that has the digest of its file of tensors


class Parts(NamedTuple):
    """A model without its tensors: `head` holds the fields before the graph, `tail` those after."""

    head: ModelProto
    structure: GraphProto
    tail: ModelProto


def in_one_file(parts: Parts, tensors: Tensors) -> bytes:
    """A model that holds its tensors."""
    placed = list(tensors)
    _note(parts, _digests(placed))

    def pieces() -> Iterator[Any]:
        for tensor, array in placed:
            header = tensor.SerializeToString(deterministic=True)
            raw = _prefix(TensorProto.RAW_DATA_FIELD_NUMBER, array.nbytes)
            size = len(header) + len(raw) + array.nbytes
            yield from (_prefix(GraphProto.INITIALIZER_FIELD_NUMBER, size), header, raw, array.data)

    return _joined(parts, pieces())


def in_two_files(parts: Parts, tensors: Tensors, name: str) -> dict[str, bytes]:
    """A model, and its tensors in a file that has their digest in its name.

    A model that is written again thus never finds other tensors than its own, whatever is interrupted when.
    """
    placed = list(tensors)
    data = b"".join(_paged(array for _, array in placed))
    digest = hashlib.sha256(data).hexdigest()
    beside = f"{name}.{digest[:12]}.data"
    _note(parts, {DATA: digest, **_digests(placed)})

    def pieces() -> Iterator[bytes]:
        start = 0
        for tensor, array in placed:
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in {"location": beside, "offset": str(start), "length": str(array.nbytes)}.items():
                tensor.external_data.append(StringStringEntryProto(key=key, value=value))
            header = tensor.SerializeToString(deterministic=True)
            yield from (_prefix(GraphProto.INITIALIZER_FIELD_NUMBER, len(header)), header)
            start += array.nbytes + -array.nbytes % PAGE

    return {f"{name}.onnx": _joined(parts, pieces()), beside: data}


def _note(parts: Parts, properties: Mapping[str, str]) -> None:
    parts.tail.metadata_props.extend(StringStringEntryProto(key=key, value=text) for key, text in properties.items())


def _digests(tensors: Tensors) -> dict[str, str]:
    """Digests of the tensors, which tell damage from what another tool changes."""
    return digests_of((tensor.name, array.shape, array.dtype.name, array.data) for tensor, array in tensors)


def _paged(arrays: Iterable[NDArray[Any]]) -> Iterator[Any]:
    """The numbers of each tensor from the beginning of a page."""
    for array in arrays:
        yield array.data
        yield bytes(-array.nbytes % PAGE)


def _joined(parts: Parts, initialisers: Iterable[Any]) -> bytes:
    """The model: the initialisers stand between `name` and `input` of the graph."""
    structure = parts.structure
    before = GraphProto(node=structure.node, name=structure.name)
    after = GraphProto(input=structure.input, output=structure.output, value_info=structure.value_info)
    inside: list[Any] = [before.SerializeToString(deterministic=True), *initialisers]
    inside.append(after.SerializeToString(deterministic=True))
    size = sum(memoryview(piece).nbytes for piece in inside)
    graph = _prefix(ModelProto.GRAPH_FIELD_NUMBER, size)
    head, tail = (message.SerializeToString(deterministic=True) for message in (parts.head, parts.tail))
    return sealed_model([head, graph, *inside, tail])


def _prefix(number: int, size: int) -> bytes:
    """What stands before a field of `size` bytes: its number with wire type 2, and its size in groups of seven bits."""
    content = bytearray([number << 3 | 2])
    while size > 127:
        content.append(size & 127 | 128)
        size >>= 7
    content.append(size)
    return bytes(content)
