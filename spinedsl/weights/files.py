"""Weights files, whatever they are called: their contents tell what they are.

In: a path, and which of several sets of tensors is meant. Out: arrays by name, in the types that the file has
(bfloat16, which NumPy lacks, as float32), or why there are none. Nothing in a file is run, and nothing is made room for
that the file does not hold. Of a file that we wrote every bit is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from spinedsl import checks as say
from spinedsl import contents
from spinedsl.diagnostics import Outcome
from spinedsl.record import replace
from spinedsl.weights import npz, onnx_model, pytorch, safe, sharded
from spinedsl.weights.sets import Key, choose
from spinedsl.weights.tensors import TRAINING, USE, Tensors, Weights, broken, nowhere

ALL = "*"  # the key of all sets of a checkpoint together, under `set/name`
_COUNTERS = ".num_batches_tracked"  # PyTorch's batch norm counts steps, which no network needs


def read(path: Path, key: Key = None) -> Outcome[Weights]:
    """Every tensor of a file, or of the set `key` of it (`ALL`: all that is in it).

    The counters of PyTorch's batch norms are left out, unless it is all.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            return broken(path, "it is no file")  # a pipe or a device, which may never end
        kind = contents.kind_of(path)
        if kind == contents.FOLDER:
            chosen = sharded.in_folder(path)
            return chosen.then(lambda inside: read(inside, key))
        with path.open("rb"):  # says plainly what is wrong with a path that cannot be opened
            pass
        outcome = _READERS[kind](path, key)
    except contents.Unknown as unknown:
        found = say.UNKNOWN_WEIGHTS.at(nowhere(path), path=path, what=unknown.what)
        return Outcome(None, (found.with_fix(unknown.repair),))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return Outcome(None, (say.CANNOT_READ.at(nowhere(path), path=path, reason=reason),))
    found_weights = outcome.value
    if found_weights is None:
        return outcome
    if key == ALL:
        return outcome
    kept = {name: array for name, array in found_weights.tensors.items() if not name.endswith(_COUNTERS)}
    return Outcome(replace(found_weights, tensors=kept), outcome.diagnostics)


def _alone(reader: Callable[[Path], Outcome[Weights]]) -> Callable[[Path, Key], Outcome[Weights]]:
    """A reader of files that hold one set of tensors."""

    def read_set(path: Path, key: Key) -> Outcome[Weights]:
        outcome = reader(path)
        if key is None or outcome.value is None:
            return outcome
        found = say.NO_SUCH_SET.at(nowhere(path), path=path, key=key, known="one set of tensors, without a name")
        return Outcome(None, (found.with_fix("leave out the key"),))

    return read_set


def _of_safetensors(path: Path, key: Key) -> Outcome[Weights]:
    """A file of tensors; of a checkpoint of a training, the set of that name, or the one that was best for use."""
    outcome = safe.read(path)
    found = outcome.value
    if found is None or key == ALL:
        return outcome
    if TRAINING not in found.metadata:
        return _alone(lambda path: outcome)(path, key)
    sets: dict[str, dict[str, Any]] = {}
    for full, array in found.tensors.items():
        kind, _, name = full.partition("/")
        sets.setdefault(kind, {})[name] = array
    usable: dict[str, Tensors] = {kind: sets[kind] for kind in ("model", "average") if kind in sets}
    chosen = choose(path, usable, key or found.metadata[USE])
    if chosen.value is None:
        return chosen
    return Outcome(replace(found, tensors=chosen.value.tensors, key=chosen.value.key), outcome.diagnostics)


_READERS: Mapping[str, Callable[[Path, Key], Outcome[Weights]]] = {
    contents.INDEX: _alone(lambda path: sharded.read(path, read)),
    contents.SAFETENSORS: _of_safetensors,
    contents.ONNX: _alone(onnx_model.read),
    contents.NPZ: npz.read,
    contents.PYTORCH: pytorch.read,
}
