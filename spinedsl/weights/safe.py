"""Safetensors: a header in JSON, and the numbers.

In: a path. Out: arrays by name (bfloat16, which NumPy lacks, as float32), or why there are none. The library checks
that the tensors fill the file, one after the other; here are the checks that it lacks, and the digests of our files.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.diagnostics import Outcome
from spinedsl.weights.sealed import MAX_HEADER, OURS, data_damage, header_damage, is_ours
from spinedsl.weights.tensors import TRAINING, Weights, broken, damaged

_NUMPY = frozenset("F64 F32 F16 I64 U64 I32 U32 I16 U16 I8 U8 BOOL".split())  # safetensors' types that NumPy has


def read(path: Path) -> Outcome[Weights]:
    """Every tensor of a file. Of one that we wrote every bit is checked."""
    with path.open("rb") as file:
        size = path.stat().st_size
        start = file.read(8)
        length = int.from_bytes(start, "little")
        start += file.read(min(length, MAX_HEADER))
    ours, checkpoint = is_ours(start), f'"{TRAINING}"'.encode() in start
    if ours and (reason := header_damage(start, size)):
        return damaged(path, reason, checkpoint=checkpoint)
    if MAX_HEADER < length <= size:
        return broken(path, f"its header has {length} bytes, and {MAX_HEADER} would be many")
    table = _table(path, start[8:])
    if table.value is None:
        return Outcome(None, table.diagnostics)
    if reason := _cut_off(table.value, size - 8 - length):
        return damaged(path, reason, checkpoint=checkpoint) if ours else broken(path, reason)
    return _opened(path, table.value, 8 + length, sealed=ours)


def _cut_off(table: Mapping[str, Any], there: int) -> str:
    """Whether numbers are missing at the end of the file: so many bytes of them are there."""
    ends = [entry["data_offsets"][1] for entry in table.values() if isinstance(entry, dict) and _placed(entry)]
    whole = max(ends, default=0)
    return f"it is cut off: {there:,} of {whole:,} bytes of its numbers are there" if there < whole else ""


def _placed(entry: Mapping[str, Any]) -> bool:
    place = entry.get("data_offsets")
    return isinstance(place, list) and len(place) == 2 and all(isinstance(one, int) for one in place)


def _table(path: Path, text: bytes) -> Outcome[dict[str, Any]]:
    """The header's JSON, for what the library does not say: its duplicates."""
    try:
        table = json.loads(text, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _Twice) else "its header is no JSON"
        return Outcome(None, broken(path, reason).diagnostics)
    return (
        Outcome(table) if isinstance(table, dict) else Outcome(None, broken(path, "its header is a list").diagnostics)
    )


class _Twice(ValueError):
    """A name stands in a header twice."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(f"`{name}` stands in its header twice")
        found[name] = value
    return found


def _opened(path: Path, table: Mapping[str, Any], start: int, *, sealed: bool) -> Outcome[Weights]:
    """The tensors, of which the library has checked that they fill the file, one after the other."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  only where it is needed

    try:
        with safe_open(path, framework="np") as file:
            metadata: dict[str, str] = file.metadata() or {}
            if not sealed and any(name.startswith(OURS) for name in metadata):
                return damaged(path, "its digests were made for another file, which this one was made from")
            types = {name: table[name]["dtype"] for name in file.keys()}  # noqa: SIM118  no mapping
            for name, kind in types.items():
                if kind not in _NUMPY and kind != "BF16":
                    return broken(path, f"`{name}` has numbers of type {kind}")
            if sealed and (reason := _data_damage(path, table, start)):
                return damaged(path, reason, checkpoint=TRAINING in metadata)
            tensors = {name: file.get_tensor(name) for name, kind in types.items() if kind != "BF16"}
    except SafetensorError as error:
        return broken(path, str(error))
    except (OverflowError, ValueError):
        return broken(path, "a tensor in it has a shape that no array can have")
    if len(tensors) < len(types):
        tensors |= _bfloat16(path)
    return Outcome(Weights(str(path), tensors, metadata, sealed))


def _data_damage(path: Path, table: Mapping[str, Any], start: int) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        whole = memoryview(mapped)
        data = whole[start:]
        try:
            return data_damage(data, table)
        finally:
            data.release()
            whole.release()


def _bfloat16(path: Path) -> dict[str, NDArray[Any]]:
    """The bfloat16 tensors of a sound file as float32, of which bfloat16 is the upper half."""
    from safetensors import deserialize  # noqa: PLC0415  only where it is needed

    tensors: dict[str, NDArray[Any]] = {}
    for name, view in deserialize(path.read_bytes()):  # type: ignore[no-untyped-call]  # the package has no types
        if view["dtype"] == "BF16":
            halves = np.frombuffer(view["data"], "<u2").astype("<u4")
            tensors[name] = (halves << 16).view("<f4").reshape(view["shape"])
    return tensors
