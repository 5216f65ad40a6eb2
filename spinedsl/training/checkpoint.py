"""Checkpoints: all of a run in one file, written whole, every bit of it under a digest.

In: tensors by set and name, and what else there is to say, as JSON can hold it. Out: a safetensors file, and back. The
sets are `model`, perhaps `average`, and what only training needs: `task`, `optimizer`. Whatever reads weights reads the
file too, and takes the set that was best for use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spinedsl import checks as say
from spinedsl import contents
from spinedsl.brief import counted, short_path
from spinedsl.diagnostics import Outcome
from spinedsl.record import Record
from spinedsl.weights import files, sealed
from spinedsl.weights.tensors import TRAINING, USE, nowhere
from spinedsl.writing import write_file

VERSION = 1

Sets = Mapping[str, Mapping[str, Tensor]]


class Checkpoint(Record, eq=False):
    """A checkpoint that was read: its sets of tensors, and `about`, what it says of the run."""

    path: str
    sets: dict[str, dict[str, Tensor]]
    about: dict[str, Any]

    def __brief__(self) -> str:
        return f"{short_path(self.path)}: step {self.about['step']}, {counted(len(self.sets), 'set')} of tensors"

    @property
    def best(self) -> dict[str, Tensor]:
        """The weights to use: the average, where there is one."""
        return self.sets[self.about["use"]]


def to_bytes(sets: Sets, about: Mapping[str, Any]) -> bytes:
    """The contents of the file. `about["use"]` names the set that others take."""
    tensors = {
        f"{kind}/{name}": tensor.detach().cpu().contiguous().numpy()
        for kind, named in sets.items()
        for name, tensor in named.items()
    }
    metadata = {
        "format": "pt",
        USE: about["use"],
        "spine.network": about["network"],
        TRAINING: json.dumps({"version": VERSION, **about}, allow_nan=False),
    }
    return sealed.to_bytes(tensors, metadata)


def write(path: Path, sets: Sets, about: Mapping[str, Any]) -> None:
    """Write a checkpoint whole, or leave the file as it was.

    Raises:
        OSError: the system refuses it, or the disk is full.
    """
    write_file(path, to_bytes(sets, about))


def read(path: Path) -> Outcome[Checkpoint]:
    """A checkpoint, or why the file is none."""
    with suppress(OSError, contents.Unknown):  # of which the reader of weights says what it is
        kind = contents.kind_of(path)
        if kind != contents.SAFETENSORS:
            return _none(path, "it is a folder" if kind == contents.FOLDER else "it holds weights alone")
    outcome = files.read(path, files.ALL)
    found = outcome.value
    if found is None:
        return Outcome(None, outcome.diagnostics)
    if TRAINING not in found.metadata:
        return _none(path, "it holds weights alone")
    about = json.loads(found.metadata[TRAINING])
    if about["version"] > VERSION:
        return _none(path, f"a newer spinedsl wrote it (version {about['version']}, and this one knows {VERSION})")
    sets: dict[str, dict[str, Tensor]] = {}
    for full, array in found.tensors.items():
        kind, _, name = full.partition("/")
        sets.setdefault(kind, {})[name] = torch.from_numpy(array.copy())
    for kind in (about["use"], "model"):
        sets.setdefault(kind, {})
    return Outcome(Checkpoint(str(path), sets, about), outcome.diagnostics)


def about_of(path: Path) -> Mapping[str, Any]:
    """What a checkpoint says of its run, without a look at its tensors; nothing where the file is none."""
    with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
        header = json.loads(file.read(min(int.from_bytes(file.read(8), "little"), sealed.MAX_HEADER)))
        about: Mapping[str, Any] = json.loads(header["__metadata__"][TRAINING])
        return about
    return {}


def _none(path: Path, reason: str) -> Outcome[Checkpoint]:
    found = say.NOT_A_CHECKPOINT.at(nowhere(path), path=path, reason=reason)
    return Outcome(None, (found.with_fix("weights to begin with are given as `--weights`"),))
