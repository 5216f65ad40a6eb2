"""Recover: weights of a network from the tensors of a model whose graph was rewritten; recipes, the other way round.

In: recipes, the numbers of the model's tensors, the shapes of the network's own. Out: tensors by canonical name, with
which the network gives what the model gives, up to rounding. They are those that the model was made with but for norms
that are part of a kernel: what those were cannot be told any more, and they come back as norms that scale by 1; after a
standardised kernel, by its length. Such a kernel behind a norm that became part of it cannot be told.

A kernel tells its tensors by itself. Biases are a system of linear equations: what a norm adds before a kernel, the
kernel has added up. Each group of equations that share an unknown is solved by itself; in the end every recipe is
computed and compared.
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np

from spinedsl.passes.recipes import Array, Recipe, Segments, by_group, computed, line
from spinedsl.record import Record

KERNELS = ("scaled", "scaled_inputs", "joined", "standardised", "gained")
FURTHER = 1e-5  # by how much of the largest number of a tensor a recipe may miss it
LARGEST = 50_000_000  # numbers of a system of equations
ROOM = 1_000_000  # numbers of tensors that a model may lack, besides as many as it has: of code that no output needs

_WRONG = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, np.linalg.LinAlgError)

Term: TypeAlias = tuple[Array, str]  # a factor for each number, or a matrix; and the tensor that it multiplies


class Lost(Exception):
    """The tensors of a network cannot be told from those of a model."""


class Recovered(Record, eq=False):
    """Tensors by canonical name, and the norms that are no longer what they were."""

    tensors: Mapping[str, Array]
    folded: tuple[str, ...]


def recovered(
    recipes: Mapping[str, Recipe], tensors: Mapping[str, Array], shapes: Mapping[str, Sequence[int]]
) -> Recovered:
    """The weights of a network, in float32.

    Args:
        recipes: how tensors of the model are made of those of the network, by name.
        tensors: those that the model has, and those of the network that it has as they are.
        shapes: of all tensors of the network, by name.

    Raises:
        Lost: there are none that the recipes make the tensors of the model from.
    """
    try:
        with np.errstate(all="ignore"):  # what comes out is looked at
            return _Recovery(recipes, tensors, shapes).run()
    except _WRONG as error:
        raise Lost(f"{type(error).__name__}: {error}") from error


class Equation(Record, eq=False):
    """What terms add up to."""

    terms: tuple[Term, ...]
    value: Array


class _Recovery:
    """What is known of the tensors of a network: first those that the model has."""

    def __init__(
        self, recipes: Mapping[str, Recipe], tensors: Mapping[str, Array], shapes: Mapping[str, Sequence[int]]
    ) -> None:
        given = sum(array.size for array in tensors.values())
        if sum(math.prod(shape) for shape in shapes.values()) > 2 * given + ROOM:
            raise ValueError("the network has more numbers than the model tells")
        self.recipes, self.given, self.shapes = recipes, tensors, shapes
        self.known: dict[str, Array] = {
            name: tensors[name] for name in shapes if name in tensors and name not in recipes
        }
        self.loose: dict[str, None] = {}  # norms that the model has no tensors of
        self.nothing: dict[str, Array] = {}  # what they add, as long as that is not known
        self.sized: set[str] = set()  # those that have the length of a standardised kernel

    def run(self) -> Recovered:
        """Norms, kernels, biases; then what nothing tells; and the proof."""
        for recipe in self.recipes.values():
            for norm, epsilon in _norms(recipe):
                self._norm(norm, epsilon)
        biases = []
        for name, whole in self.recipes.items():
            recipe, value = _unpadded(whole, self.given[name].astype(np.float64))
            if isinstance(recipe, str) or recipe[0] in KERNELS:
                self._kernel(recipe, value)
            else:
                biases.append((recipe, value))
        for group in _together([self._equation(recipe, value) for recipe, value in biases]):
            self._solve(group)
        self._rest()
        found = {
            name: self.known[name].reshape(shape).astype(np.float32, copy=False) for name, shape in self.shapes.items()
        }
        self._prove(found)
        return Recovered(found, tuple(self.loose))

    def _norm(self, norm: str, epsilon: float) -> None:
        """A norm that the model has no tensors of scales by 1; what it adds is found later."""
        if norm in self.loose or f"{norm}.running_var" in self.known:
            return
        self.loose[norm] = None
        weight, variance = _of_one(epsilon)
        channels = math.prod(self.shapes[f"{norm}.weight"])
        for last, value in zip(("weight", "running_mean", "running_var"), (weight, 0.0, variance), strict=True):
            self.known[f"{norm}.{last}"] = np.full(channels, value)
        self.nothing[f"{norm}.bias"] = np.zeros(channels)

    def _line(self, norm: str, epsilon: float) -> tuple[Array, Array | None]:
        """The factor of a norm for each channel, and its summand, where that is known."""
        factor, summand = line(self._unshifted(), norm, epsilon)
        return factor, summand if f"{norm}.bias" in self.known else None

    def _unshifted(self) -> Mapping[str, Array]:
        """What is known, with norms that add nothing yet: kernels are the same."""
        return ChainMap(self.known, self.nothing)

    def _kernel(self, recipe: Recipe, value: Array) -> None:
        """Take apart a kernel; 0 where a norm made it 0."""
        if isinstance(recipe, str):
            self.known.setdefault(recipe, value)
            return
        operation, *rest = recipe
        if operation == "joined":
            first = self._inputs(rest[0])
            self._kernel(rest[0], value[:, :first])
            self._kernel(rest[1], value[:, first:])
            return
        if operation in ("standardised", "gained"):
            self._standardised(recipe, value)
            return
        inner, norm, epsilon, number = rest
        if operation == "scaled" and norm in self.loose and norm not in self.sized and inner[0] == "standardised":
            self.sized.add(norm)
            self.known[f"{norm}.weight"] *= _length(value) * math.sqrt(1 + inner[2])
        factor, _ = self._line(norm, epsilon)
        if operation == "scaled":
            spread = factor.reshape([-1 if axis == number else 1 for axis in range(value.ndim)])
        else:
            spread = by_group(value, factor, number)
        self._kernel(inner, np.divide(value, spread, out=np.zeros_like(value), where=spread != 0))

    def _standardised(self, recipe: Recipe, value: Array) -> None:
        """A kernel before it was standardised: of the length that what was added to its variance tells, or 1."""
        operation, inner, *rest = recipe
        length = _length(value)
        if operation == "gained":
            gain, factor = rest
            weight, epsilon = inner[1:]
            told = length * math.sqrt(1 + epsilon) / factor if factor else np.zeros_like(length)
            self.known.setdefault(gain, told)
            value = value / np.where(length > 0, length, 1).reshape(-1, 1, 1, 1)
        else:
            weight, (epsilon,) = inner, rest
            missing = np.maximum(1 - length**2, epsilon * 1e-6)  # of the variance: what was added to it
            value = value * np.sqrt(epsilon / missing).reshape(-1, 1, 1, 1)
        self._kernel(weight, value)

    def _inputs(self, recipe: Recipe) -> int:
        """How many inputs the kernel of a recipe has."""
        if isinstance(recipe, str):
            return int(self.shapes[recipe][1])
        inner = recipe[1:3] if recipe[0] == "joined" else recipe[1:2]
        return sum(map(self._inputs, inner))

    # ---- biases ----

    def _equation(self, recipe: Recipe, value: Array) -> Equation:
        constant, terms = self._terms(recipe, np.ones_like(value))
        return Equation(tuple(terms), value - constant)

    def _terms(self, recipe: Recipe, scale: Array) -> tuple[Array, list[Term]]:
        """A bias, multiplied by `scale`, as what is known of it and terms of what is not."""
        nothing = np.zeros_like(scale)
        if recipe is None:
            return nothing, []
        if isinstance(recipe, str):
            known = self.known.get(recipe)
            return (nothing, [(scale, recipe)]) if known is None else (scale * known, [])
        operation, *rest = recipe
        if operation == "summed":
            parts = [self._terms(part, scale) for part in rest]
            return sum((constant for constant, _ in parts), nothing), [term for _, terms in parts for term in terms]
        if operation == "shifted":
            inner, norm, epsilon = rest
            factor, summand = self._line(norm, epsilon)
            constant, terms = self._terms(inner, scale * factor)
            own = scale
        elif operation == "shifted_inputs":
            inner, kernel, norm, epsilon, groups = rest
            _, summand = self._line(norm, epsilon)
            constant, terms = self._terms(inner, scale)
            own = scale[:, None] * _matrix(computed(kernel, self._unshifted()), groups)
        else:
            raise ValueError(f"no recipe of a bias: {operation!r:.60}")
        if summand is None:
            return constant, [*terms, (own, f"{norm}.bias")]
        return constant + (own * summand if own.ndim == 1 else own @ summand), terms

    def _solve(self, group: Sequence[Equation]) -> None:
        """The unknowns of some equations: a single one of one equation by itself, others by least squares."""
        names = dict.fromkeys(name for equation in group for _, name in equation.terms)
        if len(group) == 1 and (easy := _easy(group[0])):
            factor, told = easy
            self.known[told] = group[0].value / factor
        else:
            self.known |= _least_squares(group, {name: math.prod(self.shapes[name]) for name in names})
        for name in names:
            self.known.setdefault(name, np.zeros(self.shapes[name]))

    def _rest(self) -> None:
        """Tensors that no output depends on: any will do."""
        for name, shape in self.shapes.items():
            home, _, last = name.rpartition(".")
            one = last in ("weight", "running_var") and f"{home}.running_var" in self.shapes
            self.known.setdefault(name, np.full(shape, float(one)))

    def _prove(self, found: Mapping[str, Array]) -> None:
        for name, recipe in self.recipes.items():
            value = self.given[name].astype(np.float64)
            far = np.abs(computed(recipe, found) - value)
            most = FURTHER if self.given[name].dtype.itemsize > 2 else 200 * FURTHER
            if value.size and not far.max() <= most * max(np.abs(value).max(), 1e-30):
                raise ValueError(f"`{name}` is made of no tensors that are found")


def _unpadded(recipe: Recipe, value: Array) -> tuple[Recipe, Array]:
    """Without the zeros that were put among the numbers."""
    while not isinstance(recipe, str) and recipe[0] == "padded":
        _, recipe, *axes = recipe
        for axis, segments in enumerate(axes):
            if segments is not None:
                value = value.take(list(_real(segments)), axis)
    return recipe, value


def _real(segments: Segments) -> Iterator[int]:
    at = 0
    for real, zeros in segments:
        yield from range(at, at + real)
        at += real + zeros


def _norms(recipe: Recipe) -> Iterator[tuple[str, float]]:
    """The norms that a recipe names, with what each adds to its variances."""
    if isinstance(recipe, list) and recipe and isinstance(recipe[0], str):
        operation, *rest = recipe
        at = {"scaled": 1, "shifted": 1, "scaled_inputs": 1, "shifted_inputs": 2}.get(operation)
        if at is not None:
            yield str(rest[at]), float(rest[at + 1])
        for part in rest:
            yield from _norms(part)


@cache
def _of_one(epsilon: float) -> tuple[float, float]:
    """A weight and a variance, numbers of float32, of a norm that scales by 1, as nearly as such numbers allow."""
    variances = np.float32(1) + np.arange(4096, dtype=np.float32) * np.finfo(np.float32).eps
    spread = np.sqrt(variances.astype(np.float64) + epsilon)
    weights = spread.astype(np.float32)
    best = int(np.abs(weights / spread - 1).argmin())
    return float(weights[best]), float(variances[best])


def _length(kernel: Array) -> Array:
    """The root of the mean square of what each output reads."""
    found: Array = np.sqrt(np.square(kernel).mean((1, 2, 3)))
    return found


def _matrix(kernel: Array, groups: int) -> Array:
    """What a kernel makes of a map of one number a channel: a row for each output, a column for each input."""
    each = kernel.sum((2, 3))
    outputs, inputs = each.shape
    found = np.zeros((outputs, groups * inputs))
    for number, rows in enumerate(np.split(np.arange(outputs), groups)):
        found[rows, number * inputs : (number + 1) * inputs] = each[rows]
    return found


def _together(equations: Iterable[Equation]) -> Iterator[list[Equation]]:
    """Equations that share unknowns, group by group; those without any are left out."""
    groups: dict[str, list[Equation]] = {}  # by unknown; the smaller of two that meet goes into the larger
    for equation in equations:
        own = [equation]
        for _, name in equation.terms:
            other = groups.setdefault(name, own)
            if other is not own:
                smaller, own = sorted((own, other), key=len)
                own += smaller
                known = {name for one in smaller for _, name in one.terms}
                groups |= {name: own for name in known if groups.get(name) is smaller}
    yield from {id(group): group for group in groups.values()}.values()


def _easy(equation: Equation) -> Term | None:
    """A term that tells its tensor number by number."""
    for factor, name in equation.terms:
        if factor.ndim == 1 and (factor != 0).all() and sum(name == other for _, other in equation.terms) == 1:
            return factor, name
    return None


def _least_squares(group: Sequence[Equation], sizes: Mapping[str, int]) -> dict[str, Array]:
    """The least numbers that fulfil all equations."""
    starts, width = dict[str, int](), 0
    for name, size in sizes.items():
        starts[name], width = width, width + size
    height = sum(equation.value.size for equation in group)
    if height * width > LARGEST:
        raise ValueError("too many equations together")
    system, at = np.zeros((height, width)), 0
    for equation in group:
        rows = slice(at, at + equation.value.size)
        for factor, name in equation.terms:
            system[rows, starts[name] : starts[name] + sizes[name]] += np.diag(factor) if factor.ndim == 1 else factor
        at = rows.stop
    found = np.linalg.lstsq(system, np.concatenate([equation.value for equation in group]), rcond=None)[0]
    return {name: found[start : start + sizes[name]] for name, start in starts.items()}
