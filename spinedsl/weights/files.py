"""Weights files: `.safetensors`, and state dicts saved by PyTorch.

In: a path. Out: arrays by name, in the types that the file has (bfloat16, which NumPy lacks, as float32), or why there
are none. Nothing in a file is run: a pickle that asks for more than tensors is refused.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spinedsl.diagnostics import Diagnostic, Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.source import Source, Span

if TYPE_CHECKING:
    import torch

Tensors: TypeAlias = dict[str, NDArray[Any]]

_NUMPY = frozenset("F64 F32 F16 I64 U64 I32 U32 I16 U16 I8 U8 BOOL".split())  # safetensors' types that NumPy has
_ASKS_FOR = re.compile(r"(?i:unsupported global): GLOBAL ([\w.]+)")  # what PyTorch says of a name that it refuses
_COUNTERS = ".num_batches_tracked"  # PyTorch's batch norm counts steps, which no network needs


def read(path: Path) -> Outcome[Tensors]:
    """Every tensor of a file. The counters of PyTorch's batch norms are left out."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        return Outcome(None, (say.UNKNOWN_WEIGHTS.at(nowhere(path), path=path),))
    try:
        with path.open("rb"):  # says plainly what is wrong with a path that cannot be opened
            pass
        outcome = reader(path)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return Outcome(None, (say.CANNOT_READ.at(nowhere(path), path=path, reason=reason),))
    if outcome.value is None:
        return outcome
    kept = {name: array for name, array in outcome.value.items() if not name.endswith(_COUNTERS)}
    return Outcome(kept, outcome.diagnostics)


def to_bytes(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str] | None = None) -> bytes:
    """The contents of a `.safetensors` file. The same tensors give the same bytes, in whatever order they come."""
    from safetensors.numpy import save  # noqa: PLC0415  only where it is needed

    arrays = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    return save(arrays, dict(metadata) if metadata else None)


def nowhere(path: Path | str) -> Span:
    """The place of a diagnostic about a file that is no text."""
    return Source(str(path), "").span(0, 0)


def _refused(path: Path, reason: str) -> Outcome[Tensors]:
    refused: Diagnostic = say.NOT_A_STATE_DICT.at(nowhere(path), path=path, reason=reason)
    return Outcome(None, (refused.with_fix("save `model.state_dict()` and nothing else, best as `.safetensors`"),))


def _broken(path: Path, reason: str) -> Outcome[Tensors]:
    return Outcome(None, (say.BROKEN_WEIGHTS.at(nowhere(path), path=path, reason=reason),))


# ---- safetensors ----


def _safetensors(path: Path) -> Outcome[Tensors]:
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  only where it is needed

    try:
        with safe_open(path, framework="np") as file:
            types = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118  no mapping
            for name, kind in types.items():
                if kind not in _NUMPY and kind != "BF16":
                    return _broken(path, f"`{name}` has numbers of type {kind}")
            tensors = {name: file.get_tensor(name) for name, kind in types.items() if kind != "BF16"}
    except SafetensorError as error:
        return _broken(path, str(error))
    if len(tensors) < len(types):
        tensors |= _bfloat16(path)
    return Outcome(tensors)


def _bfloat16(path: Path) -> Tensors:
    """The bfloat16 tensors of a sound file as float32, of which bfloat16 is the upper half."""
    from safetensors import deserialize  # noqa: PLC0415  only where it is needed

    tensors: Tensors = {}
    for name, view in deserialize(path.read_bytes()):  # type: ignore[no-untyped-call]  # the package has no types
        if view["dtype"] == "BF16":
            halves = np.frombuffer(view["data"], "<u2").astype("<u4")
            tensors[name] = (halves << 16).view("<f4").reshape(view["shape"])
    return tensors


# ---- PyTorch ----


def _pytorch(path: Path) -> Outcome[Tensors]:
    try:
        import torch  # noqa: PLC0415  seconds: only for a file of its own
    except ImportError:
        needed = say.NEEDS_PYTORCH.at(nowhere(path), path=path)
        return Outcome(None, (needed.with_fix("install `torch`, or save the tensors as `.safetensors`"),))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how the file was written, which nobody here can change
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = _ASKS_FOR.search(str(error))
        return _refused(path, f"it asks for `{asked[1]}`") if asked else _broken(path, "it is no pickle of tensors")
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  a broken file makes the unpickler raise whatever comes
        return _broken(path, f"{type(error).__name__}: {_first_sentence(error)}".rstrip(": "))
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    return _state_dict(path, loaded)


def _first_sentence(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0]


def _state_dict(path: Path, loaded: object) -> Outcome[Tensors]:
    """Tensors by name, and nothing else."""
    import torch  # noqa: PLC0415  loaded already

    if not isinstance(loaded, dict):
        return _refused(path, f"it holds a {type(loaded).__name__}")
    tensors: Tensors = {}
    for name, value in loaded.items():
        if not isinstance(name, str):
            return _refused(path, f"a name in it is a {type(name).__name__}")
        if not isinstance(value, torch.Tensor):
            return _refused(path, f"`{name}` is a {type(value).__name__}, not a tensor")
        array = _array(value)
        if array is None:
            return _refused(path, f"`{name}` is no ordinary dense tensor")
        tensors[name] = array
    return Outcome(tensors)


def _array(tensor: torch.Tensor) -> NDArray[Any] | None:
    """The numbers of a tensor; float32 for the types that NumPy lacks."""
    import torch  # noqa: PLC0415  loaded already

    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        return None
    known = (torch.float16, torch.float32, torch.float64)
    plain = tensor.detach()
    if plain.is_floating_point() and plain.dtype not in known:
        plain = plain.float()
    array: NDArray[Any] = plain.numpy()
    return array


_READERS: Mapping[str, Callable[[Path], Outcome[Tensors]]] = {
    ".safetensors": _safetensors,
    ".pt": _pytorch,
    ".pth": _pytorch,
}
