"""Weights in several files: an index names the file of each tensor, and a folder holds one set of weights.

In: the path of an index or a folder. Out: the tensors of all files together, or why there are none. An index names
files beside it and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl import contents
from spinedsl.diagnostics import Diagnostic, Outcome, one_of
from spinedsl.weights.tensors import Weights, broken, nowhere

_MOST = 2**26  # bytes of an index; those of the largest models take a few megabytes


def in_folder(path: Path) -> Outcome[Path]:
    """The weights in a folder: what `save_pretrained` writes, or the only file of weights there.

    Raises:
        Unknown: it is a checkpoint in parts, which another tool has to join.
    """
    chosen = contents.in_folder(path)
    if chosen is not None:
        return Outcome(chosen)
    others = contents.weights_in(path)
    if not others and (known := contents.in_parts(path)) is not None:
        raise known
    what = "a folder with several" if others else "a folder without weights"
    found = say.UNKNOWN_WEIGHTS.at(nowhere(path), path=path, what=what)
    names = one_of([file.name for file in others], limit=6)
    return Outcome(None, (found.with_fix(f"name the file: {names}" if others else "name a file of weights"),))


def read(index: Path, reader: Callable[[Path], Outcome[Weights]]) -> Outcome[Weights]:
    """The tensors that an index lists, from the files beside it that it names."""
    listed = _listed(index)
    if listed.value is None:
        return Outcome(None, listed.diagnostics)
    tensors: dict[str, Any] = {}
    sealed, told = True, list[Diagnostic]()
    for name in dict.fromkeys(listed.value.values()):
        part = reader(index.with_name(name))
        if part.value is None:
            return part
        wanted = {tensor for tensor, file in listed.value.items() if file == name}
        if lacking := sorted(wanted - part.value.tensors.keys() - _counters(wanted)):
            return broken(index, f"`{name}` beside it lacks `{lacking[0]}`")
        if more := sorted(part.value.tensors.keys() - wanted):
            return broken(index, f"`{name}` beside it holds `{more[0]}`, which it does not list there")
        tensors |= part.value.tensors
        told += part.diagnostics
        sealed = sealed and part.value.sealed
    return Outcome(Weights(str(index), tensors, sealed=sealed), tuple(told))


def _counters(names: set[str]) -> set[str]:
    return {name for name in names if name.endswith(".num_batches_tracked")}


def _listed(index: Path) -> Outcome[dict[str, str]]:
    """The file of each tensor, by name."""

    def no(reason: str) -> Outcome[dict[str, str]]:
        return Outcome(None, broken(index, reason).diagnostics)

    if index.stat().st_size > _MOST:
        return no("it is too large for an index")
    try:
        found = json.loads(index.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return no("it is no JSON")
    files = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(files, dict) or not files or not all(isinstance(name, str) for name in files.values()):
        return no("it is no index: its `weight_map` says which file each tensor is in")
    for name in dict.fromkeys(files.values()):
        if Path(name).name != name or "\\" in name or name in (".", ".."):
            return no("it names a file that is not beside it")
        if name.endswith(contents.INDEX_END):
            return no("it names another index")
        if not index.with_name(name).exists():
            return no(f"`{name}` is not beside it")
    return Outcome(files)
