"""Boxes that two engines find in one image: whether they are the same, as far as rounding lets them be.

In: boxes, scores and labels by both, and by which limits they were found. Out: `Same`. Two engines round differently:
where a score is at a threshold, or two overlapping boxes score alike, one keeps what the other leaves out. A box that
only one engine has is *odd*; it is accounted for where such a near decision tells why, and the other engine had it to
choose from. Else it is a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from spinedsl.ops.detection import Limits
from spinedsl.record import Record

TIE = 1e-5  # scores that lie as near are equal
OVERLAP = 1e-3  # and so are overlaps (IoU)


class Seen(Protocol):
    """What an engine found in an image: sides (boxes, 4) in pixels, scores and labels (boxes,), scores falling."""

    @property
    def sides(self) -> NDArray[Any]: ...
    @property
    def scores(self) -> NDArray[Any]: ...
    @property
    def labels(self) -> NDArray[Any]: ...


class Near(Record):
    """How far the numbers of one box may lie apart: its score, and its sides in pixels."""

    score: float
    sides: float


class Same(Record):
    """How many boxes both engines found of those that one of them did, and how far their numbers lie apart.

    `near` are odd ones that are accounted for, and `odd` are all others, in words.
    """

    both: int = 0
    near: int = 0
    odd: tuple[str, ...] = ()
    score: float = 0.0
    sides: float = 0.0  # in pixels

    @property
    def of(self) -> int:
        """How many boxes any of them found."""
        return self.both + self.near + len(self.odd)

    def with_those_of(self, other: Same) -> Same:
        """Both images together."""
        return Same(
            self.both + other.both, self.near + other.near, self.odd + other.odd,
            max(self.score, other.score), max(self.sides, other.sides),
        )  # fmt: skip


class _Odd(NamedTuple):
    score: float
    first: bool  # whether the first engine has it, and not the second
    at: int


def same_boxes(
    first: Seen, second: Seen, limits: Limits, near: Near, choice: Callable[[], Seen], cuts: Sequence[float] = ()
) -> Same:
    """Compare what two engines found in one image.

    Args:
        first: by one engine.
        second: by another one.
        limits: by which both were found.
        near: how far the numbers of one box may lie apart.
        choice: all that the first engine had to choose from, and a little below the threshold, without suppression;
            asked for where boxes are odd.
        cuts: scores, beside that of the limits, below which candidates were left out.
    """
    if wrong := [name for name, one in (("the first", first), ("the second", second)) if not _is_sound(one, limits)]:
        reason = "has numbers that are none, scores that rise, or more boxes than there may be"
        return Same(odd=tuple(f"{name} {reason}" for name in wrong))
    pairs = list(_pairs(first, second, near))
    taken = [{index for index, _ in pairs}, {index for _, index in pairs}]
    score = max((abs(float(first.scores[a] - second.scores[b])) for a, b in pairs), default=0.0)
    sides = max((float(np.abs(first.sides[a] - second.sides[b]).max()) for a, b in pairs), default=0.0)
    odd = [
        _Odd(float(one.scores[index]), one is first, index)
        for one, there in ((first, taken[0]), (second, taken[1]))
        for index in range(len(one.scores))
        if index not in there
    ]
    strange = [] if not odd else [box for box in odd if not box.first and not _is_among(box, second, choice(), near)]
    open_, known = sorted((box for box in odd if box not in strange), reverse=True), list[_Odd]()
    rivals = {box.at for box in open_ if box.first}, {box.at for box in open_ if not box.first}
    decide = _Decisions(first, second, limits, max(TIE, 2 * score), (*cuts, limits.score), rivals)
    while told := [box for box in open_ if decide.tell(box, known)]:
        known += told
        open_ = [box for box in open_ if box not in told]
    words = tuple(_words(box, first if box.first else second) for box in (*strange, *open_))
    return Same(len(pairs), len(known), words, score, sides)


def _is_sound(one: Seen, limits: Limits) -> bool:
    finite = bool(np.isfinite(one.scores).all() and np.isfinite(one.sides).all())
    return finite and bool((np.diff(one.scores) <= 0).all()) and len(one.scores) <= limits.most


def _pairs(first: Seen, second: Seen, near: Near) -> Iterator[tuple[int, int]]:
    """The boxes that both have, each once: of those that fit the nearest."""
    free = np.ones(len(second.scores), dtype=bool)
    for index in range(len(first.scores)):
        apart = np.abs(second.sides - first.sides[index]).max(axis=1, initial=0.0)
        fits = free & (second.labels == first.labels[index]) & (apart <= near.sides)
        fits &= np.abs(second.scores - first.scores[index]) <= near.score
        if fits.any():
            other = int(np.where(fits, apart, np.inf).argmin())
            free[other] = False
            yield index, other


def _is_among(box: _Odd, own: Seen, choice: Seen, near: Near) -> bool:
    """Whether a box is one of those that there were to choose from."""
    fits = np.abs(choice.sides - own.sides[box.at]).max(axis=1, initial=0.0) <= near.sides
    fits &= (choice.labels == own.labels[box.at]) & (np.abs(choice.scores - box.score) <= near.score)
    return bool(fits.any())


class _Decisions(Record, eq=False):
    """What decides which boxes there are: scores within `tie` are equal.

    `rivals` are the numbers of the odd boxes of each engine that it had to choose from.
    """

    first: Seen
    second: Seen
    limits: Limits
    tie: float
    cuts: tuple[float, ...]
    rivals: tuple[set[int], set[int]]

    def tell(self, box: _Odd, known: Sequence[_Odd]) -> bool:
        """Whether a near decision tells why only one engine has a box; of the `known` odd ones, one did."""
        own, other = (self.first, self.second) if box.first else (self.second, self.first)
        if any(abs(box.score - cut) <= self.tie for cut in self.cuts):
            return True
        if len(other.scores) >= self.limits.most and box.score <= float(other.scores[-1]) + self.tie:
            return True
        overlaps = _overlaps(own.sides[box.at], other.sides)
        better = (other.labels == own.labels[box.at]) & (other.scores >= box.score - self.tie)
        if (better & (np.abs(overlaps - self.limits.overlap) <= OVERLAP)).any():
            return True
        there = {one.at for one in known if one.first != box.first}
        return any(
            better[at] and overlaps[at] > self.limits.overlap
            and (at in there or abs(float(other.scores[at]) - box.score) <= self.tie)
            for at in self.rivals[box.first]
        )  # fmt: skip


def _overlaps(box: NDArray[Any], others: NDArray[Any]) -> NDArray[np.float64]:
    """The IoU of a box and each of some others."""
    one, all_ = box.astype(np.float64), others.astype(np.float64)
    first, last = np.maximum(one[:2], all_[:, :2]), np.minimum(one[2:], all_[:, 2:])
    common = np.maximum(last - first, 0).prod(axis=1)
    areas = np.maximum(all_[:, 2:] - all_[:, :2], 0).prod(axis=1) + np.maximum(one[2:] - one[:2], 0).prod()
    union = areas - common
    found: NDArray[np.float64] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return found


def _words(box: _Odd, one: Seen) -> str:
    sides = ", ".join(f"{side:.2f}" for side in one.sides[box.at].tolist())
    which = "first" if box.first else "second"
    return f"only the {which} has label {int(one.labels[box.at])} at {sides} with score {box.score:.6f}"
