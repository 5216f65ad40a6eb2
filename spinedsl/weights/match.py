"""Match: tensors of a file against the parameters of a network.

In: parameters and tensors, both by name. Out: what fits and what does not (`compare`), and from that a float32 array
for each parameter, or one diagnostic that lists everything that is missing, too much, of another shape or of no use
(`match`), so that one look tells what the file is. Whatever takes weights takes them through here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinedsl import checks as say
from spinedsl.brief import counted
from spinedsl.diagnostics import Diagnostic, Outcome, nearest
from spinedsl.ops.naming import row_of
from spinedsl.ops.primitives import Parameter
from spinedsl.record import Record, field
from spinedsl.weights.schemes import scheme_of
from spinedsl.weights.spelling import Spelled, spelled
from spinedsl.weights.tensors import Tensors, Weights, nowhere, shape_text

LISTED = 20  # of each group
LONG = 200  # characters of a name in a message
_OF_PASSES = (".folded", ".absorbed", ".joined", ".padded")  # how passes call the tensors that they make
_VARIANCES = ("running_var", "moving_variance")  # of batch norms, in every framework


class Fit(Record, eq=False):
    """How tensors fit parameters: the names of both that find no partner, and what is wrong with those that do.

    `unusable` says of tensors that fit which numbers no network can use. `prefix` stood before every name in the file,
    `beside` are names there of what is no part of the network; where names fit in several ways, `ways` counts them.
    """

    parameters: Mapping[str, Parameter]
    tensors: Tensors
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misfits: Mapping[str, str]
    unusable: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    beside: tuple[str, ...] = ()
    ways: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Everything is there and fits, and nothing else is there."""
        return self.partial and not self.missing

    @property
    def partial(self) -> bool:
        """What is there fits, though something may be missing."""
        sound = not (self.unexpected or self.misfits or self.unusable or self.ways)
        return sound and (not self.parameters or len(self.missing) < len(self.parameters))

    @property
    def origin(self) -> str:
        """What was taken from the file and what was not, where that is not simply all of it; else nothing."""
        parts = [f"names without `{self.prefix}`"] if self.prefix else []
        if self.beside:
            more = ", …" if len(self.beside) > 2 else ""
            names = ", ".join(f"`{name}`" for name in self.beside[:2])
            parts.append(f"{len(self.beside)} beside it left out: {names}{more}")
        return "; ".join(parts)

    def fitting(self) -> dict[str, NDArray[np.float32]]:
        """The tensors that fit, as float32, in the order of the parameters."""
        return {name: _float32(self.tensors[name]) for name in self.parameters if name in self.tensors}

    def diagnostic(self, path: str, network: str) -> Diagnostic:
        """Everything that does not fit; `path` and `network` are for the message."""
        if self.ways:
            return self._several(path, network)
        unexpected = self.unexpected
        if self.unusable and not (self.missing or unexpected or self.misfits):
            return self._bad_numbers(path, network)
        whole, rest = self._whole_rows()
        notes = [
            *_listed("missing", whole, len(whole)),
            *_listed("missing", (self._missing(name) for name in rest), len(rest)),
            *_listed("unexpected", (self._unexpected(name) for name in unexpected), len(unexpected)),
            *_listed("misfit", (f"`{name}`: {what}" for name, what in self.misfits.items()), len(self.misfits)),
            *_listed("unusable", (f"`{name}`: {what}" for name, what in self.unusable.items()), len(self.unusable)),
        ]
        diagnostic = say.BAD_WEIGHTS.at(nowhere(path), path=path, network=network).with_notes(*notes)
        if self.prefix:
            diagnostic = diagnostic.with_notes(f"the names in the file are taken without `{self.prefix}`")
        scheme = scheme_of(unexpected)
        if scheme is not None:
            return diagnostic.with_fix(
                f"the names in the file are those of {scheme.name}: `spine weights convert` knows them"
            )
        cause = self._cause()
        return diagnostic.with_fix(cause) if cause else diagnostic

    def _cause(self) -> str:
        """What a tool that makes models smaller or faster may have done, as the tensors show; else nothing."""
        found = [*self.tensors.items()]
        if any(array.dtype.kind in "iu" and array.ndim > 1 for _, array in found):
            return "its tensors are quantised to whole numbers: take the weights from before that"
        if any(name.endswith(_OF_PASSES) for name in self.unexpected):
            return "it is a model of `-O1`, whose tensors are its own: take the weights that it was made with"
        norms = {name for name in self.parameters if name.endswith(_VARIANCES)}
        kernels = sum(len(parameter.shape) == 4 for parameter in self.parameters.values())
        lost = norms and norms <= {*self.missing} and not any(name.endswith(_VARIANCES) for name, _ in found)
        if lost and 2 * sum(array.ndim == 4 for _, array in found) >= kernels:
            return "it has no batch norms: where a tool folded them, take the weights from before that"
        return ""

    def _several(self, path: str, network: str) -> Diagnostic:
        """Which tensors are meant, where names fit in several ways, is never guessed."""
        diagnostic: Diagnostic = say.SEVERAL_PREFIXES.at(
            nowhere(path), path=path, network=network, count=len(self.ways)
        )
        notes = [f"{_prefixed(prefix)}: {counted(count, 'tensor')} fit" for prefix, count in self.ways.items()]
        chosen = next(prefix for prefix in self.ways if prefix)
        found = diagnostic.with_notes(*notes)
        return found.repaired(prefix=chosen) if "" in self.ways else found.with_fix(f"say which: `--prefix {chosen}`")

    def _bad_numbers(self, path: str, network: str) -> Diagnostic:
        """The names and shapes fit, and the numbers are of no use."""
        diagnostic: Diagnostic = say.BAD_NUMBERS.at(nowhere(path), path=path, network=network)
        entries = (f"`{name}`: {what}" for name, what in self.unusable.items())
        notes = _listed("unusable", entries, len(self.unusable))
        return diagnostic.with_notes(*notes).repaired()

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
        shown = name if len(name) <= LONG else f"{name[:LONG]}…"
        return f"`{shown}` ({shape_text(self.tensors[name].shape)})"


def compare(
    parameters: Mapping[str, Parameter],
    tensors: Tensors,
    prefix: str | None = None,
    dropped: Collection[str] = (),
) -> Fit:
    """What fits and what does not. Tensors of rows that are `dropped` from the network may be there or not.

    The names may all have a `prefix` before them: that one, or where it is None, the one by which most fit.
    """
    named = spelled(parameters, tensors, prefix, dropped)
    tensors = {name: tensor for name, tensor in named.tensors.items() if row_of(name, dropped) not in dropped}
    return _fit(parameters, tensors, named)


def _fit(parameters: Mapping[str, Parameter], tensors: Tensors, named: Spelled) -> Fit:
    both = sorted(parameters.keys() & tensors.keys())
    misfits = {name: what for name in both if (what := _misfit(parameters[name], tensors[name]))}
    sound = (name for name in both if name not in misfits)
    unusable = {name: what for name in sound if (what := ", ".join(_unusable(name, tensors[name])))}
    missing, unexpected = sorted(parameters.keys() - tensors.keys()), sorted(tensors.keys() - parameters.keys())
    beside = named.beside
    return Fit(
        parameters, tensors, tuple(missing), tuple(unexpected), misfits, unusable, named.prefix, beside, named.ways
    )


def match(
    parameters: Mapping[str, Parameter], weights: Weights, network: str, dropped: Collection[str] = ()
) -> Outcome[dict[str, NDArray[np.float32]]]:
    """The tensors as float32, in the order of the parameters. `network` is for the message.

    Tensors of rows that are `dropped` from the network may be there or not.
    """
    fit = compare(parameters, weights.tensors, weights.prefix, dropped)
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


_MOST = float(np.finfo(np.float32).max)


def _unusable(name: str, array: NDArray[Any]) -> Iterator[str]:
    """Which numbers of a tensor no network can use: not finite, beyond float32, or variances below 0."""
    finite = np.isfinite(array)
    if bad := int(array.size - np.count_nonzero(finite)):
        yield f"{bad} of {array.size} numbers are not finite"
    if array.dtype.itemsize > np.dtype(np.float32).itemsize and (
        bad := int(np.count_nonzero(finite & (np.abs(array) > _MOST)))
    ):
        yield f"{bad} of {array.size} numbers are beyond float32"
    if name.endswith(".running_var") and (bad := int(np.count_nonzero(finite & (array < 0)))):
        yield f"{bad} of {array.size} variances are below 0"


def _prefixed(prefix: str) -> str:
    return f"names without `{prefix}`" if prefix else "names as they are"
