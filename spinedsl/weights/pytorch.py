"""State dicts saved by PyTorch: `.pt` and `.pth`, read with `weights_only`.

In: a path. Out: arrays by name, or why there are none. A pickle that asks for more than tensors is refused, and so are
tensors that pretend to hold more than the file does.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from spinedsl.diagnostics import Outcome
from spinedsl.diagnostics import catalogue as say
from spinedsl.weights.npz import unfolds
from spinedsl.weights.tensors import Weights, broken, first_sentence, nowhere, refused

if TYPE_CHECKING:
    import torch

_ASKS_FOR = re.compile(r"(?i:unsupported global): GLOBAL ([\w.]+)")  # what PyTorch says of a name that it refuses
_FREE = 2**26  # bytes that the tensors of any file may have
_SHARED = 16  # times the size of the file that they may have beyond that: some share their numbers


def read(path: Path) -> Outcome[Weights]:
    """Every tensor of a state dict, or of the one under `state_dict` in a checkpoint."""
    try:
        import torch  # noqa: PLC0415  seconds: only for a file of its own
    except ImportError:
        needed = say.NEEDS_PYTORCH.at(nowhere(path), path=path)
        return Outcome(None, (needed.with_fix("install `torch`, or save the tensors as `.safetensors`"),))
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if reason := unfolds(archive, path.stat().st_size):
                    return broken(path, reason)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about how the file was written, which nobody here can change
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = _ASKS_FOR.search(str(error))
        return refused(path, f"it asks for `{asked[1]}`") if asked else broken(path, "it is no pickle of tensors")
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  a broken file makes the unpickler raise whatever comes
        return broken(path, f"{type(error).__name__}: {first_sentence(error)}".rstrip(": "))
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    return _state_dict(path, loaded)


def _state_dict(path: Path, loaded: object) -> Outcome[Weights]:
    """Tensors by name, and nothing else."""
    import torch  # noqa: PLC0415  loaded already

    if not isinstance(loaded, dict):
        return refused(path, f"it holds a {type(loaded).__name__}")
    left = max(_FREE, _SHARED * path.stat().st_size)
    tensors: dict[str, NDArray[Any]] = {}
    for name, value in loaded.items():
        if not isinstance(name, str):
            return refused(path, f"a name in it is a {type(name).__name__}")
        if not isinstance(value, torch.Tensor):
            return refused(path, f"`{name}` is a {type(value).__name__}, not a tensor")
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            return refused(path, f"`{name}` is no ordinary dense tensor")
        left -= value.numel() * value.element_size()
        if left < 0:
            return broken(path, f"its tensors up to `{name}` claim far more numbers than it holds")
        tensors[name] = _array(value)
    return Outcome(Weights(str(path), tensors))


def _array(tensor: torch.Tensor) -> NDArray[Any]:
    """The numbers of a dense tensor; float32 for the types that NumPy lacks."""
    import torch  # noqa: PLC0415  loaded already

    known = (torch.float16, torch.float32, torch.float64)
    plain = tensor.detach()
    if plain.is_floating_point() and plain.dtype not in known:
        plain = plain.float()
    array: NDArray[Any] = plain.numpy()
    return array
