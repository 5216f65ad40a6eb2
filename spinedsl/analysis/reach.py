"""Which input pixels the numbers at a position of a map read, along one axis of an image without end.

In: the reach of an operation's inputs, and which of their positions each position of its result reads. Out: the reach
of the result. From the first to the last pixel: what lies between and is not read counts as well. A map that stands
`step` input pixels apart begins anew after some positions, so a reach holds one period of it. All is in whole numbers,
so nothing is rounded.

Every operation of the language reads further to the right, or as far, at the next position. So does then every map, and
the first pixel that a window reads is that of its first position, the last that of its last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import gcd, inf, lcm
from typing import TypeAlias

from spinedsl.record import Record

LONGEST = 1024  # positions of a period, 12 levels up and 2 down: beyond, a reach is no less than it is, perhaps more
Taps: TypeAlias = Callable[[int], tuple[int, int]]  # the first and the last position that one of the result reads


class Reach(Record):
    """What the positions of one period read: the first and last pixel of each, counted from `position * step`.

    The numbers are whole, or infinite: see `NOTHING` and `EVERYTHING`.
    """

    first: tuple[float, ...]
    last: tuple[float, ...]

    @property
    def width(self) -> float:
        """Pixels from the first to the last, at the position that reads the widest; 0 where nothing is read."""
        return max(0, *(last - first + 1 for first, last in zip(self.first, self.last, strict=True)))


NOTHING = Reach((inf,), (-inf,))  # of what does not depend on the image
EVERYTHING = Reach((-inf,), (inf,))
PIXEL = Reach((0,), (0,))  # of the image itself


def whole(reach: Reach) -> Reach:
    """What all positions of a map read together: the whole image, unless it is nothing."""
    return reach if reach == NOTHING else EVERYTHING


def united(reaches: Iterable[Reach]) -> Reach:
    """What several maps of one step read, position by position."""
    found = list(dict.fromkeys(reaches))
    if len(found) == 1:
        return found[0]
    period = lcm(*(len(reach.first) for reach in found))
    if period > LONGEST:
        return united(map(_levelled, found))
    first = tuple(map(min, *(reach.first * (period // len(reach.first)) for reach in found)))
    last = tuple(map(max, *(reach.last * (period // len(reach.last)) for reach in found)))
    return _shortest(first, last)


def read(reach: Reach, step: int, taps: Taps, step_out: int) -> Reach:
    """What a map reads whose position p, `step_out` pixels apart, reads those that `taps` says of a map with `step`.

    `taps` of a position further on by a period says those that are further on by as many pixels.
    """
    common = gcd(step, step_out)
    times, by = step // common, step_out // common  # `times` positions of the result are `by` of the input
    inside = len(reach.first)
    period = times * (inside // gcd(inside, by))
    if period > LONGEST and inside > 1:
        return read(_levelled(reach), step, taps, step_out)
    if period > LONGEST:  # what a position reads is off by less than a step from what the first one does
        left, right = taps(0)
        return Reach(((left - 1) * step + 1 + reach.first[0],), ((right + 1) * step - 1 + reach.last[0],))
    first: list[float] = []
    last: list[float] = []
    for position in range(period):
        left, right = taps(position)
        first.append(left * step + reach.first[left % inside] - position * step_out)
        last.append(right * step + reach.last[right % inside] - position * step_out)
    return _shortest(tuple(first), tuple(last))


def _levelled(reach: Reach) -> Reach:
    """Every position reads as much as any."""
    return Reach((min(reach.first),), (max(reach.last),))


def _shortest(first: tuple[float, ...], last: tuple[float, ...]) -> Reach:
    """The same with the shortest period, so that maps that go up and down again do not grow."""
    factor = 2
    while factor <= len(first):
        part, rest = divmod(len(first), factor)
        if not rest and first == first[:part] * factor and last == last[:part] * factor:
            first, last = first[:part], last[:part]
        else:
            factor += 1 if factor == 2 else 2
    return Reach(first, last)
