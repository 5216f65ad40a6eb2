"""Shape rules of what makes fewer numbers of many, over channels or positions, and of what trades one for the other.

In: the types of the inputs and the attributes. Out: the type of the result or a `Problem` in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

from spinedsl.ops.rules import Attributes, Problem, no_level
from spinedsl.ops.types import Type
from spinedsl.record import replace


def over_channels(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """One channel; of channels that are laid out, one along the first axis."""
    axes = (1, *types[0].axes[1:]) if types[0].axes else ()
    return replace(types[0], channels=prod(axes), axes=axes)


def to_grid(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """So many positions along each side, whatever the size that came in."""
    x, size = types[0], cast(int, attributes["size"])
    if x.is_pooled and (x.height, x.width) == (1, 1):
        return Problem("a map that is pooled to 1x1 already", fix="do it before the map is pooled")
    if x.over:
        return Problem(f"a map pooled over its {x.over}", fix="do it before the map is pooled")
    if size > min(x.height, x.width):
        return Problem(f"{size}x{size} positions of {x.size}", fix=f"at most `size = {min(x.height, x.width)}`")
    return Type(x.channels, size, size, None)


def to_positions(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Every `factor` x `factor` channels become as many positions: the size times the factor, levels down."""
    x, factor = types[0], cast(int, attributes["factor"])
    if (uneven := _no_power(factor)) is not None:
        return uneven
    levels = factor.bit_length() - 1
    if x.channels % (factor * factor):
        fix = f"let a convolution before it give a multiple of {factor * factor} channels"
        return Problem(f"{x.channels} channels are not so many times {factor}x{factor}", fix=fix)
    if x.level is None or x.stride:
        return Problem(
            f"a map that is {no_level(x)} has no level to go down from", fix="do it where the map has a level"
        )
    if levels > x.level:
        return Problem(f"a map of level {x.level} cannot go down {levels} levels", fix=f"at most {1 << x.level}")
    extra = x.extra[0] << levels, x.extra[1] << levels
    size = x.height << levels, x.width << levels
    return Type(x.channels // factor**2, *size, x.level - levels, extra=extra)


def to_channels(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """The other way round: every `factor` x `factor` positions become as many channels."""
    x, factor = types[0], cast(int, attributes["factor"])
    if (uneven := _no_power(factor)) is not None:
        return uneven
    if x.level is None or x.stride:
        return Problem(f"a map that is {no_level(x)} has no level to go up from", fix="do it where the map has a level")
    if x.height % factor or x.width % factor or any(extra % factor for extra in x.extra):
        return Problem(f"{x.size} positions are not so many times {factor}x{factor}", fix="`pad` the map first")
    extra = x.extra[0] // factor, x.extra[1] // factor
    size = x.height // factor, x.width // factor
    return Type(x.channels * factor**2, *size, x.level + factor.bit_length() - 1, extra=extra)


def _no_power(factor: int) -> Problem | None:
    if not factor & (factor - 1):
        return None
    near = 1 << (factor.bit_length() - 1)
    problem = f"a factor is a power of two, so that levels stay whole; got {factor}"
    return Problem(problem, fix=f"a factor of {near} or {2 * near}")
