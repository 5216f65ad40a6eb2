"""What PyTorch saves: state dicts, and the checkpoints of trainers that hold one or several, read with `weights_only`.

In: a path, and which set of tensors is meant. Out: arrays by name, or why there are none. Nothing in a pickle is run:
a class that PyTorch does not know becomes a dict that does nothing, and a file that asks for a function of Python or of
PyTorch itself is refused. So are tensors that pretend to hold more than the file does.
"""

from __future__ import annotations

import pickle
import re
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.diagnostics import Outcome
from spinedsl.weights.npz import unfolds
from spinedsl.weights.sets import Key, choose
from spinedsl.weights.tensors import Weights, broken, first_sentence, nowhere, refused

if TYPE_CHECKING:
    import torch

_ASKS_FOR = re.compile(r"(?i:unsupported global): GLOBAL ([\w.]+)")  # what PyTorch says of a name that it refuses
_FREE = 2**26  # bytes that the tensors of any file may have
_SHARED = 16  # times the size of the file that they may have beyond that: some share their numbers
_MOST_CLASSES = 64  # that a file may ask for
_DEEP = 4  # dicts inside one another that are searched for tensors
# Modules of Python whose classes only hold values; what other modules of it have may do anything.
_HOLDERS = frozenset(
    {"argparse", "collections", "datetime", "decimal", "fractions", "pathlib", "types", "uuid", "enum"}
)
_PLAIN = frozenset(
    {"bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "range", "set", "str"}
)
_CODE = frozenset({"builtins", "torch", "functorch", "torchgen"} | sys.stdlib_module_names) - _HOLDERS
_OF_TRAINING = re.compile(r"(?i:optim(izer.*)?|(lr)?schedulers?|(grad)?scaler|rng|callbacks|loops)")  # no weights


class _Inert(dict[Any, Any]):
    """Stands for an object of a class that is not looked up: it takes whatever comes, and keeps what it is told."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.update(state)


def read(path: Path, key: Key = None) -> Outcome[Weights]:
    """Every tensor of a state dict, or of the set `key` of a checkpoint that holds several."""
    try:
        import torch  # noqa: F401, PLC0415  seconds: only for a file of its own
    except ImportError:
        needed = say.NEEDS_PYTORCH.at(nowhere(path), path=path)
        return Outcome(None, (needed.repaired(),))
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if reason := unfolds(archive, path.stat().st_size):
                    return broken(path, reason)
        loaded = _load(path)
    except pickle.UnpicklingError as error:
        asked = _ASKS_FOR.search(str(error))
        return refused(path, f"it asks for `{asked[1]}`" if asked else "it is a pickle of something else")
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  a broken file makes the unpickler raise whatever comes
        return broken(path, _misread(path, error))
    if isinstance(loaded, _Inert):
        return refused(path, "it holds a whole object, whose class is not looked up")
    if not isinstance(loaded, dict):
        return refused(path, f"it holds {_a(loaded)}")
    return _chosen(path, loaded, key)


def _misread(path: Path, error: Exception) -> str:
    """Why a file cannot be read, by how it begins: what the unpickler raises is about its own insides."""
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        return "it is empty"
    if start.startswith(b"PK"):
        return "it is cut off, or damaged: fetch it again" if not zipfile.is_zipfile(path) else (
            f"{type(error).__name__}: {first_sentence(error)}".rstrip(": ")
        )  # fmt: skip
    if start.startswith(b"\x80"):
        return "it is a pickle that is cut off, or damaged: fetch it again"
    return "`torch.save` did not write it"


def _load(path: Path) -> object:
    """What is in the file, with inert objects of every class that is neither PyTorch's nor Python's.

    Raises:
        pickle.UnpicklingError: it asks for more, or is no pickle.
    """
    import torch  # noqa: PLC0415  loaded already

    inert: list[Any] = []
    while True:
        try:
            with warnings.catch_warnings(), torch.serialization.safe_globals(inert):
                warnings.simplefilter("ignore")  # about how the file was written, which nobody here can change
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            asked = _ASKS_FOR.search(str(error))
            if asked is None or len(inert) >= _MOST_CLASSES:
                raise
            module, _, name = asked[1].rpartition(".")
            if name in _PLAIN and module in ("", "builtins", "__builtin__"):
                inert += ((_Inert, f"{where}.{name}") for where in ("builtins", "__builtin__"))
            elif not module or module.partition(".")[0] in _CODE:
                raise
            else:
                inert.append((_Inert, asked[1]))


def _chosen(path: Path, loaded: Mapping[Any, Any], key: Key) -> Outcome[Weights]:
    """The tensors by name of the set that is meant."""
    found = dict(_sets(loaded))
    if not found:
        return _no_tensors(path, loaded)
    left = max(_FREE, _SHARED * path.stat().st_size)
    sets: dict[str, dict[str, NDArray[Any]]] = {}
    for name, tensors in found.items():
        sets[name] = {}
        for tensor_name, value in tensors.items():
            if value.layout is not _strided() or value.is_quantized or value.is_meta:
                return refused(path, f"`{tensor_name}` is no ordinary dense tensor")
            left -= value.numel() * value.element_size()
            if left < 0:
                return broken(path, f"its tensors up to `{tensor_name}` claim far more numbers than it holds")
            array = _array(value)
            if array is None:
                kind = str(value.dtype).removeprefix("torch.")
                return broken(path, f"`{tensor_name}` has numbers of type {kind}")
            sets[name][tensor_name] = array
    return choose(path, sets, key)


def _sets(held: Mapping[Any, Any], path: str = "", deep: int = _DEEP) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """Every dict of tensors by name, by its own name: the keys that lead to it, joined by dots.

    Single numbers alone are no set, unless they are all that the file holds.
    """
    inside = [
        found
        for name, value in held.items()
        if isinstance(name, str) and isinstance(value, dict) and deep and not _is_of_training(name)
        for found in _sets(value, f"{path}.{name}" if path else name, deep - 1)
    ]
    own = {name: value for name, value in held.items() if isinstance(name, str) and _is_tensor(value)}
    if own and (any(value.dim() for value in own.values()) or not (path or inside)):
        yield path, own
    yield from inside


def _is_of_training(name: str) -> bool:
    return any(_OF_TRAINING.fullmatch(word) for word in re.split(r"[\W_]+", name))


def _no_tensors(path: Path, loaded: Mapping[Any, Any]) -> Outcome[Weights]:
    """What a dict without tensors by name holds instead."""
    for name, value in loaded.items():
        if not isinstance(name, str):
            return refused(path, f"a name in it is {_a(name)}")
        if isinstance(value, _Inert):
            return refused(path, f"`{name}` is a whole object, whose class is not looked up")
        what = "a dict without tensors" if isinstance(value, dict) else f"{_a(value)}, not a tensor"
        return refused(path, f"`{name}` is {what}")
    return refused(path, "it holds nothing")


def _a(value: object) -> str:
    """What a value is, with its article."""
    name = type(value).__name__
    return "nothing" if value is None else f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"


def _is_tensor(value: object) -> bool:
    import torch  # noqa: PLC0415  loaded already

    return isinstance(value, torch.Tensor)


def _strided() -> torch.layout:
    import torch  # noqa: PLC0415  loaded already

    return torch.strided


def _array(tensor: torch.Tensor) -> NDArray[Any] | None:
    """The numbers of a dense tensor, if they are of a type that can be read; float32 for some that NumPy lacks."""
    import torch  # noqa: PLC0415  loaded already

    known = (torch.float16, torch.float32, torch.float64)
    plain = tensor.detach()
    try:
        if plain.is_floating_point() and plain.dtype not in known:
            plain = plain.float()
        array: NDArray[Any] = plain.resolve_conj().resolve_neg().numpy()
    except (TypeError, RuntimeError):
        return None
    return array
