"""Recipes: how the tensors of a rewritten graph are made of those of the network.

In: a recipe and the network's tensors by canonical name. Out: the numbers, in float64, rounded by whoever writes them.
A recipe is a name, or a list of an operation and what it takes: plain data, which a model carries as JSON, so that it
can be filled again with other weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

# A name; None for no bias; or a list: an operation, and recipes, names of norms and numbers.
Recipe: TypeAlias = Any
Segments: TypeAlias = list[list[int]]  # of an axis: so many numbers, so many zeros, and so on
NORM = ("weight", "bias", "running_mean", "running_var")  # the tensors of a batch norm, each after its name


def scaled(weight: Recipe, norm: str, epsilon: float, axis: int) -> Recipe:
    """A kernel whose outputs, along `axis`, are multiplied as a norm that follows does."""
    return ["scaled", weight, norm, epsilon, axis]


def shifted(bias: Recipe, norm: str, epsilon: float) -> Recipe:
    """The bias that goes with it."""
    return ["shifted", bias, norm, epsilon]


def scaled_inputs(weight: Recipe, norm: str, epsilon: float, groups: int) -> Recipe:
    """A kernel whose inputs are multiplied as a norm that stands before it does."""
    return ["scaled_inputs", weight, norm, epsilon, groups]


def shifted_inputs(bias: Recipe, weight: Recipe, norm: str, epsilon: float, groups: int) -> Recipe:
    """The bias that goes with it: what the kernel makes of the norm's shift."""
    return ["shifted_inputs", bias, weight, norm, epsilon, groups]


def standardised(weight: Recipe, epsilon: float) -> Recipe:
    """A kernel with mean 0 and variance 1 over all that each output reads."""
    return ["standardised", weight, epsilon]


def gained(weight: Recipe, gain: Recipe, factor: float) -> Recipe:
    """A kernel whose outputs are multiplied by a gain each, and all by one number."""
    return ["gained", weight, gain, factor]


def joined(first: Recipe, second: Recipe) -> Recipe:
    """A kernel on the inputs of both, one after the other."""
    return ["joined", first, second]


def summed(first: Recipe, second: Recipe) -> Recipe:
    """The sum of two biases, of which either may be missing."""
    return ["summed", first, second] if first is not None and second is not None else first or second


def padded(recipe: Recipe, outputs: Segments | None, inputs: Segments | None) -> Recipe:
    """A tensor with zeros among its outputs, which stand along the first axis, and its inputs along the second."""
    return ["padded", recipe, outputs, inputs]


def computed(recipe: Recipe, tensors: Mapping[str, Array]) -> Array:
    """The numbers of a recipe: a tensor of the network as it is, what is computed of tensors in float64.

    Raises:
        ValueError: it is none.
    """
    if isinstance(recipe, str):
        return np.asarray(tensors[recipe])
    rule = _RULES.get(recipe[0]) if isinstance(recipe, list) and recipe else None
    if rule is None:
        raise ValueError(f"no recipe: {recipe!r:.60}")
    found: Array = rule(tensors, *recipe[1:])
    return found


def sources(recipe: Recipe) -> Iterator[str]:
    """The names of the tensors that a recipe reads."""
    if isinstance(recipe, str):
        yield recipe
    elif recipe is not None:
        operation, *rest = recipe
        count = {"shifted_inputs": 2, "joined": 2, "summed": 2, "gained": 2}.get(operation, 1)
        for part in rest[:count]:
            yield from sources(part)
        if operation in ("scaled", "shifted", "scaled_inputs", "shifted_inputs"):
            yield from (f"{rest[count]}.{last}" for last in NORM)


def line(tensors: Mapping[str, Array], norm: str, epsilon: float) -> tuple[Array, Array]:
    """A batch norm as what it is in inference: a factor and a summand for each channel."""
    weight, bias, mean, variance = (np.asarray(tensors[f"{norm}.{last}"], dtype=np.float64) for last in NORM)
    with np.errstate(all="ignore"):  # what comes out is looked at
        factor = weight / np.sqrt(variance + epsilon)
        return factor, bias - mean * factor


# ---- the operations ----


def _scaled(tensors: Mapping[str, Array], weight: Recipe, norm: str, epsilon: float, axis: int) -> Array:
    kernel, (factor, _) = computed(weight, tensors), line(tensors, norm, epsilon)
    shape = [1] * kernel.ndim
    shape[axis] = -1
    return kernel * factor.reshape(shape)


def _shifted(tensors: Mapping[str, Array], bias: Recipe, norm: str, epsilon: float) -> Array:
    factor, summand = line(tensors, norm, epsilon)
    return summand if bias is None else computed(bias, tensors) * factor + summand


def by_group(kernel: Array, numbers: Array, groups: int) -> Array:
    """For each output of a kernel, the numbers of the inputs that it reads, shaped to meet the kernel."""
    outputs, inputs = kernel.shape[:2]
    return numbers.reshape(groups, 1, inputs).repeat(outputs // groups, 1).reshape(outputs, inputs, 1, 1)


def _scaled_inputs(tensors: Mapping[str, Array], weight: Recipe, norm: str, epsilon: float, groups: int) -> Array:
    kernel, (factor, _) = computed(weight, tensors), line(tensors, norm, epsilon)
    return kernel * by_group(kernel, factor, groups)


def _shifted_inputs(
    tensors: Mapping[str, Array], bias: Recipe, weight: Recipe, norm: str, epsilon: float, groups: int
) -> Array:
    kernel, (_, summand) = computed(weight, tensors), line(tensors, norm, epsilon)
    found: Array = (kernel * by_group(kernel, summand, groups)).sum((1, 2, 3))
    return found if bias is None else found + computed(bias, tensors)


def _standardised(tensors: Mapping[str, Array], weight: Recipe, epsilon: float) -> Array:
    kernel = computed(weight, tensors).astype(np.float64)
    centred = kernel - kernel.mean((1, 2, 3), keepdims=True)
    found: Array = centred / np.sqrt(np.square(centred).mean((1, 2, 3), keepdims=True) + epsilon)
    return found


def _gained(tensors: Mapping[str, Array], weight: Recipe, gain: Recipe, factor: float) -> Array:
    gains = computed(gain, tensors).astype(np.float64) * factor
    return computed(weight, tensors) * gains.reshape(-1, 1, 1, 1)


def _joined(tensors: Mapping[str, Array], first: Recipe, second: Recipe) -> Array:
    return np.concatenate([computed(first, tensors), computed(second, tensors)], axis=1)


def _summed(tensors: Mapping[str, Array], first: Recipe, second: Recipe) -> Array:
    return np.add(computed(first, tensors), computed(second, tensors), dtype=np.float64)


def _padded(tensors: Mapping[str, Array], recipe: Recipe, outputs: Segments | None, inputs: Segments | None) -> Array:
    found = computed(recipe, tensors)
    for axis, segments in enumerate((outputs, inputs)):
        if segments is not None:
            found = _with_zeros(found, axis, segments)
    return found


def _with_zeros(numbers: Array, axis: int, segments: Segments) -> Array:
    parts, at = list[Array](), 0
    for real, zeros in segments:
        parts.append(numbers.take(range(at, at + real), axis))
        shape = list(numbers.shape)
        shape[axis] = zeros
        parts.append(np.zeros(shape, numbers.dtype))
        at += real
    return np.concatenate(parts, axis)


_RULES: Mapping[str, Callable[..., Any]] = {
    "scaled": _scaled,
    "shifted": _shifted,
    "scaled_inputs": _scaled_inputs,
    "shifted_inputs": _shifted_inputs,
    "standardised": _standardised,
    "gained": _gained,
    "joined": _joined,
    "summed": _summed,
    "padded": _padded,
}
