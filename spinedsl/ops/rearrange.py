"""Shape rules of what moves numbers and computes none: slice, pad, crop, flatten, reshape, transpose.

In: the types of the inputs and the attributes. Out: the type of the result or a `Problem` in words. The batch always
stays first. `reshape` and `transpose` rearrange the channels alone, the same way at every position, so that neither
fixes the size of a map; what is to rearrange positions too goes through a vector: `flatten`, and `reshape` back with
`like`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

from spinedsl.brief import counted
from spinedsl.ops.rules import Attributes, Problem, in_axes
from spinedsl.ops.types import Type, by, vector
from spinedsl.record import replace

SIDES = ("top", "bottom", "left", "right")
MODES = ("constant", "reflect", "edge")  # what `pad` puts around: a number, the map mirrored at its edge, or the edge


def sliced(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Some of the channels."""
    x, start, channels = types[0], cast(int, attributes["start"]), cast(int, attributes["channels"])
    if start + channels > x.channels:
        return Problem(f"channels {start} to {start + channels - 1} of {x.channels}")
    return replace(x, channels=channels)


def padded(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Larger by what is put around it; the level stays. The edge itself is not mirrored: a side has more than that."""
    x = types[0]
    if attributes["mode"] == "reflect" and not (x.is_pooled or x.over):
        for size, what, sides in ((x.height, "row", SIDES[:2]), (x.width, "column", SIDES[2:])):
            wanted = max(cast(int, attributes[side]) for side in sides)
            if wanted >= size:
                there = f"which has {counted(size - 1, what)} behind its edge"
                problem = f"{counted(wanted, what)} mirrored of {x.size}, {there}"
                return Problem(problem, fix="take fewer, or `mode = edge`")
    return _grown(x, attributes, 1)


def cropped(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Smaller by what is cut off; the level stays."""
    return _grown(types[0], attributes, -1)


def _grown(x: Type, attributes: Attributes, sign: int) -> Type | Problem:
    if x.is_pooled or x.over:
        return Problem(f"a map pooled to {x.size} has no sides", fix="do it before the map is pooled")
    if x.level is None and not isinstance(x.stride, tuple):
        return Problem(f"a map that is {x.where} stands between levels", fix="do it where the map has a level")
    top, bottom, left, right = (sign * cast(int, attributes[side]) for side in SIDES)
    height, width = x.height + top + bottom, x.width + left + right
    if height < 1 or width < 1:
        return Problem(f"nothing is left of {x.size}", fix="cut off less")
    return replace(x, height=height, width=width, extra=(x.extra[0] + top + bottom, x.extra[1] + left + right))


def flattened(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Every number of a map, in one row."""
    x = types[0]
    return vector(x.channels * x.height * x.width)


def reshaped(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """The channels laid out along axes, or in one row again; with `like`, a vector as a map of that size and level."""
    x, sizes = types[0], cast("tuple[int, ...]", attributes["sizes"])
    wanted = by(sizes)
    if len(types) == 1:
        if prod(sizes) != x.channels:
            made = f" = {prod(sizes)}" if len(sizes) > 1 else ""
            fix = f"let the sizes make up all {x.channels} channels, as in `reshape(x, 2, x.channels / 2)`"
            return Problem(f"{x.channels} channels are not {wanted}{made}", fix=fix)
        return replace(x, axes=sizes if len(sizes) > 1 else ())
    like = types[1]
    if not x.is_vector:
        return Problem("`like` is for a vector", culprit=x)
    if len(sizes) > 1 or like.is_vector or like.axes:
        return Problem(f"channels {wanted} at the positions of {like}", fix="give one number of channels, and a map")
    if (total := sizes[0] * like.height * like.width) != x.channels:
        problem = f"{x.channels} numbers are not {wanted}x{like.size} = {total}"
        return Problem(problem, fix=f"let the vector have {total} numbers, as by `linear`, or choose another map")
    return replace(like, channels=sizes[0])


def transposed_axes(types: Sequence[Type], attributes: Attributes) -> Type | Problem:
    """Two of the axes change places."""
    x, first, second = types[0], cast(int, attributes["first"]), cast(int, attributes["second"])
    if max(first, second) >= max(len(x.axes), 1):
        fix = "lay the channels out first, as in `reshape(x, 2, x.channels / 2)`; axes are counted from 0"
        return Problem(f"axes {first} and {second} of {in_axes(x)} channels", fix=fix)
    axes = list(x.axes or (x.channels,))
    axes[first], axes[second] = axes[second], axes[first]
    return replace(x, axes=tuple(axes) if x.axes else ())
