"""Opening a trained network: what a file holds decides what runs it, not what it is called.

In: a path: a checkpoint, a model that was exported from one, or the folder of a run. Out: an `Engine`, or why there is
none.
"""

from __future__ import annotations

import os
from pathlib import Path

from spinedsl import checks as say
from spinedsl import contents
from spinedsl.data.dataset import nowhere
from spinedsl.data.pictures import ENDINGS
from spinedsl.diagnostics import Diagnostic, Outcome, nearest_file
from spinedsl.extras import require
from spinedsl.given import path_of
from spinedsl.inference.engine import DEVICES, Engine, open_checkpoint
from spinedsl.inference.exported import open_exported
from spinedsl.reading import legible, reason_of
from spinedsl.training.folder import checkpoint_in

# What stands beside trained networks and is none, by its ending.
OTHERS = {
    ".toml": ("it is a configuration", "its run makes one: `spine train` prints where it is"),
    ".spine": ("it is a network that was not trained", "`spine train` trains one"),
    ".json": ("it is JSON", "name the checkpoint, or the exported model"),
    ".csv": ("it is a list", "the trained network is named first, and the images after it"),
}


def open_engine(path: str | os.PathLike[str], device: str = "auto") -> Outcome[Engine]:
    """The engine of a checkpoint that `spine train` wrote, or of a model that was exported from one.

    Args:
        path: the file, or the folder of a run, whose best checkpoint is taken.
        device: `cpu`, `cuda`, or `auto`, which takes a GPU where there is one.

    Raises:
        TypeError: the path is none.
        ValueError: there is no such choice of device.
        MissingPackage: a package is not installed that this needs.
    """
    given = path_of(path, "a checkpoint or an exported model", "the folder of a run")
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}; got {device!r}")
    require("numpy", "PIL")
    file = Path(given)
    try:
        if file.is_dir():
            there = checkpoint_in(file)
            if there is None:
                return _none(file, "it is a folder without a checkpoint", "name the checkpoint, or the folder of a run")
            file = there
        if file.is_file() and not file.stat().st_size:
            return _none(file, "it is empty", "fetch it again, or train it again")
        kind = contents.kind_of(file)
    except contents.Unknown as unknown:
        return _other(file) or _none(file, f"it is {unknown.what}", "name the checkpoint, or the exported model")
    except FileNotFoundError as error:
        return Outcome(None, (_missing(file, error),))
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "no file can have this name"
        return Outcome(None, (say.CANNOT_READ.at(nowhere(str(file)), path=legible(str(file)), reason=reason),))
    if kind == contents.SAFETENSORS:
        require("torch", "safetensors")
        return open_checkpoint(file, device)
    if kind == contents.ONNX:
        require("onnxruntime")
        return open_exported(file, device)
    return _other(file) or _none(file, "it holds weights alone", "`spine train --weights` begins a training with them")


def _other(file: Path) -> Outcome[Engine] | None:
    """What else a file is by its ending."""
    ending = file.suffix.lower()
    if ending in ENDINGS:
        return _none(file, "it is a picture", "the trained network is named first, and the images after it")
    return _none(file, *OTHERS[ending]) if ending in OTHERS else None


def _none(file: Path, reason: str, fix: str) -> Outcome[Engine]:
    name = legible(str(file))
    return Outcome(None, (say.NOT_TRAINED.at(nowhere(name), path=name, reason=reason).with_fix(fix),))


def _missing(file: Path, error: OSError) -> Diagnostic:
    name = legible(str(file))
    found: Diagnostic = say.CANNOT_READ.at(nowhere(name), path=name, reason=reason_of(error))
    try:
        near = nearest_file(file.name, sorted(other.name for other in file.parent.iterdir()))
    except OSError:
        return found
    return found if near is None else found.with_fix(f"did you mean `{legible(str(file.with_name(near)))}`?")
