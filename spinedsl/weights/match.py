"""Match: tensors of a file against the parameters of a network.

In: parameters and tensors, both by name. Out: what fits and what does not (`compare`), and from that a float32 array
for each parameter, or one diagnostic that lists everything that is missing, too much or of another shape (`match`), so
that one look tells what the file is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl.diagnostics import Diagnostic, Outcome, nearest
from spinedsl.diagnostics import catalogue as say
from spinedsl.ops.primitives import Parameter
from spinedsl.record import Record
from spinedsl.weights.schemes import scheme_of
from spinedsl.weights.tensors import Tensors, Weights, nowhere, shape_text

LISTED = 20  # of each group


class Fit(Record, eq=False):
    """How tensors fit parameters: the names of both that find no partner, and what is wrong with those that do."""

    parameters: Mapping[str, Parameter]
    tensors: Tensors
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misfits: Mapping[str, str]

    @property
    def whole(self) -> bool:
        """Everything is there and fits, and nothing else is there."""
        return self.partial and not self.missing

    @property
    def partial(self) -> bool:
        """What is there fits, though something may be missing."""
        return not self.unexpected and not self.misfits and len(self.missing) < len(self.parameters)

    def fitting(self) -> dict[str, NDArray[np.float32]]:
        """The tensors that fit, as float32, in the order of the parameters."""
        return {name: _float32(self.tensors[name]) for name in self.parameters if name in self.tensors}

    def diagnostic(self, path: str, network: str) -> Diagnostic:
        """Everything that does not fit; `path` and `network` are for the message."""
        missing, unexpected = self.missing, self.unexpected
        whole, rest = self._whole_rows()
        notes = [
            *_listed("missing", whole, len(whole)),
            *_listed("missing", (self._missing(name) for name in rest), len(rest)),
            *_listed("unexpected", (self._unexpected(name) for name in unexpected), len(unexpected)),
            *_listed("misfit", (f"`{name}`: {what}" for name, what in self.misfits.items()), len(self.misfits)),
        ]
        said = say.BAD_WEIGHTS.at(nowhere(path), path=path, network=network).with_notes(*notes)
        prefix = _prefix(missing, unexpected)
        if prefix:
            return said.with_fix(f"the names in the file begin with `{prefix}`: save them without it")
        scheme = scheme_of(unexpected)
        if scheme is not None:
            return said.with_fix(
                f"the names in the file are those of {scheme.name}: `spine weights convert` knows them"
            )
        return said

    def _whole_rows(self) -> tuple[list[str], list[str]]:
        """Rows of which everything is missing and nothing stands under a like name, and the other missing names."""
        if self.unexpected:
            return [], list(self.missing)
        needed = Counter(name.partition(".")[0] for name in self.parameters)
        gone = Counter(name.partition(".")[0] for name in self.missing)
        whole = [row for row, count in gone.items() if count == needed[row] > 1]
        rest = [name for name in self.missing if name.partition(".")[0] not in whole]
        return [f"all {needed[row]} tensors of `{row}`" for row in whole], rest

    def _missing(self, name: str) -> str:
        """A missing tensor, and the one of its shape that may be it under another name."""
        shape = self.parameters[name].shape
        near = nearest(name, (other for other in self.unexpected if self.tensors[other].shape == shape))
        return f"`{name}` ({shape_text(shape)})" + (f"; is it `{near}`?" if near else "")

    def _unexpected(self, name: str) -> str:
        return f"`{name}` ({shape_text(self.tensors[name].shape)})"


def compare(parameters: Mapping[str, Parameter], tensors: Tensors) -> Fit:
    """What fits and what does not."""
    both = sorted(parameters.keys() & tensors.keys())
    misfits = {name: what for name in both if (what := _misfit(parameters[name], tensors[name]))}
    missing, unexpected = sorted(parameters.keys() - tensors.keys()), sorted(tensors.keys() - parameters.keys())
    return Fit(parameters, tensors, tuple(missing), tuple(unexpected), misfits)


def match(
    parameters: Mapping[str, Parameter], weights: Weights, network: str, dropped: Collection[str] = ()
) -> Outcome[dict[str, NDArray[np.float32]]]:
    """The tensors as float32, in the order of the parameters. `network` is for the message.

    Tensors of rows that are `dropped` from the network may be there or not.
    """
    tensors = {name: tensor for name, tensor in weights.tensors.items() if name.partition(".")[0] not in dropped}
    fit = compare(parameters, tensors)
    return Outcome(fit.fitting()) if fit.whole else Outcome(None, (fit.diagnostic(weights.path, network),))


def _float32(array: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a float64 that is too large becomes infinite, as it does everywhere
        return np.ascontiguousarray(array, dtype=np.float32)


def _misfit(parameter: Parameter, array: NDArray[Any]) -> str:
    """What is wrong with a tensor; empty if nothing is."""
    if array.shape != parameter.shape:
        return f"expected {shape_text(parameter.shape)}, got {shape_text(array.shape)}"
    return "" if array.dtype.kind == "f" else f"expected floating-point numbers, got {array.dtype}"


def _listed(what: str, entries: Iterable[str], count: int) -> list[str]:
    """One note an entry, and how many more there are; entries past the limit are not even worked out."""
    notes = [f"{what}: {entry}" for entry, _ in zip(entries, range(LISTED), strict=False)]
    return notes + ([f"{what}: {count - LISTED} more"] if count > LISTED else [])


def _prefix(missing: Sequence[str], unexpected: Sequence[str]) -> str:
    """What stands before every missing name in the file, such as the `module.` of a data-parallel model."""
    if not missing:
        return ""
    found = {other.removesuffix(missing[0]) for other in unexpected if other.endswith(f".{missing[0]}")}
    names = set(unexpected)
    return next((prefix for prefix in sorted(found) if all(prefix + name in names for name in missing)), "")
