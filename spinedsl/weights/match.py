"""Match: tensors of a file against the parameters of a network.

In: parameters and tensors, both by name. Out: a float32 array for each parameter, or one diagnostic that lists
everything that is missing, too much or of another shape, so that one look tells what the file is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.diagnostics import Outcome, nearest
from spinedsl.diagnostics import catalogue as say
from spinedsl.ops.primitives import Parameter
from spinedsl.weights.files import nowhere

LISTED = 20  # of each group


def match(
    parameters: Mapping[str, Parameter],
    tensors: Mapping[str, NDArray[Any]],
    path: str,
    network: str,
    dropped: Collection[str] = (),
) -> Outcome[dict[str, NDArray[np.float32]]]:
    """The tensors as float32, in the order of the parameters. `path` and `network` are for the message.

    Tensors of rows that are `dropped` from the network may be there or not.
    """
    tensors = {name: array for name, array in tensors.items() if name.partition(".")[0] not in dropped}
    missing = sorted(parameters.keys() - tensors.keys())
    unexpected = sorted(tensors.keys() - parameters.keys())
    both = sorted(parameters.keys() & tensors.keys())
    unfit = [name for name in both if _misfit(parameters[name], tensors[name])]
    if not (missing or unexpected or unfit):
        return Outcome({name: _float32(tensors[name]) for name in parameters})
    notes = [
        *_listed("missing", (_missing(name, parameters[name], unexpected, tensors) for name in missing), len(missing)),
        *_listed("unexpected", (f"`{name}` ({_shape(tensors[name].shape)})" for name in unexpected), len(unexpected)),
        *_listed("misfit", (f"`{name}`: {_misfit(parameters[name], tensors[name])}" for name in unfit), len(unfit)),
    ]
    said = say.BAD_WEIGHTS.at(nowhere(path), path=path, network=network).with_notes(*notes)
    prefix = _prefix(missing, unexpected)
    if prefix:
        said = said.with_fix(f"the names in the file begin with `{prefix}`: save them without it")
    return Outcome(None, (said,))


def _float32(array: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a float64 that is too large becomes infinite, as it does everywhere
        return np.ascontiguousarray(array, dtype=np.float32)


def _misfit(parameter: Parameter, array: NDArray[Any]) -> str:
    """What is wrong with a tensor; empty if nothing is."""
    if array.shape != parameter.shape:
        return f"expected {_shape(parameter.shape)}, got {_shape(array.shape)}"
    return "" if array.dtype.kind == "f" else f"expected floating-point numbers, got {array.dtype}"


def _missing(name: str, parameter: Parameter, unexpected: Sequence[str], tensors: Mapping[str, NDArray[Any]]) -> str:
    """A missing tensor, and the one of its shape that may be it under another name."""
    shape = _shape(parameter.shape)
    near = nearest(name, (other for other in unexpected if tensors[other].shape == parameter.shape))
    return f"`{name}` ({shape})" + (f"; is it `{near}`?" if near else "")


def _listed(what: str, entries: Iterable[str], count: int) -> list[str]:
    """One note an entry, and how many more there are; entries past the limit are not even worked out."""
    notes = [f"{what}: {entry}" for entry, _ in zip(entries, range(LISTED), strict=False)]
    return notes + ([f"{what}: {count - LISTED} more"] if count > LISTED else [])


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _prefix(missing: Sequence[str], unexpected: Sequence[str]) -> str:
    """What stands before every missing name in the file, such as the `module.` of a data-parallel model."""
    if not missing:
        return ""
    found = {other.removesuffix(missing[0]) for other in unexpected if other.endswith(f".{missing[0]}")}
    names = set(unexpected)
    return next((prefix for prefix in sorted(found) if all(prefix + name in names for name in missing)), "")
