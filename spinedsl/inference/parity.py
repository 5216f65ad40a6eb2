"""Parity: an exported model beside the checkpoint that it was made of, on what the task makes of their outputs.

In: the outputs of both on the same pictures. Out: a row of a table: the largest difference, whether classes agree, how
near vectors are, how many boxes are the same, and whether that is near enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from spinedsl.agreement.boxes import Near, Same, same_boxes
from spinedsl.inference.boxes import Boxes
from spinedsl.inference.engine import Decoded
from spinedsl.ops.detection import Limits
from spinedsl.record import Record

# Of a share, a score, a number of a unit vector, or a box's side as a share of the picture's longer one; by whether it
# computes in 16 bits.
TOLERANCE = {False: 1e-4, True: 2e-2}


class Parity(Record):
    """How a model agrees with the checkpoint on some pictures.

    `difference` is the largest of any number; of boxes, of a score. `alike` is the share of pictures whose first class
    is the same, the lowest cosine of two vectors, or the share of `boxes` that both find. `fine` says whether that is
    as it should be: so it is where a box stands or falls by a score that rounding decides.
    """

    format: str
    pictures: str  # which ones, in words
    count: int
    difference: float
    alike: float
    tolerance: float
    fine: bool
    boxes: int = 0
    pixels: float = 0.0  # the largest difference of a box's side
    odd: tuple[str, ...] = ()  # boxes that only one of them finds, and nothing accounts for


def parity(format_: str, words: str, kind: str, expected: Decoded, found: Decoded, *, half: bool) -> Parity:
    """Compare outputs. Where no number differs by much, only classes of nearly the same share can change places."""
    tolerance = TOLERANCE[half]
    if expected.shape != found.shape:
        return Parity(format_, words, len(expected), float("inf"), 0.0, tolerance, fine=False)
    difference = float(np.abs(expected - found).max(initial=0.0))  # no number, if one is none: not fine
    if kind == "embedding":
        alike = float((expected * found).sum(1).min(initial=1.0))
    else:
        same = expected.argmax(1) == found.argmax(1)
        alike = float(same.mean()) if len(same) else 1.0
    return Parity(format_, words, len(expected), difference, alike, tolerance, fine=difference <= tolerance)


def parity_of_boxes(
    format_: str, words: str, expected: Sequence[Boxes], found: Sequence[Boxes], sides: Sequence[int], limits: Limits,
    choice: Callable[[int, float], Boxes], *, half: bool,
) -> Parity:  # fmt: skip
    """Compare boxes in pictures whose longer sides are these.

    `choice` gives all boxes of one of the pictures above a score, without suppression.
    """
    tolerance, same = TOLERANCE[half], Same()
    for number, (one, other, side) in enumerate(zip(expected, found, sides, strict=True)):
        near = Near(tolerance, tolerance * side)
        all_ = partial(choice, number, max(0.0, limits.score - tolerance))
        same = same.with_those_of(same_boxes(one, other, limits, near, all_))
    return Parity(
        format_, words, len(expected), same.score, same.both / same.of if same.of else 1.0, tolerance,
        fine=not same.odd, boxes=same.of, pixels=same.sides, odd=same.odd,
    )  # fmt: skip


ALIKE = {"embedding": "lowest cosine", "detection": "same boxes"}


def rows(found: Sequence[Parity], kind: str) -> list[tuple[str, ...]]:
    """The table, with its heading."""
    table: list[tuple[str, ...]] = [("format", "pictures", "largest difference", ALIKE.get(kind, "same class"), "")]
    for one in found:
        difference = f"{one.difference:.2g}"
        if kind == "embedding":
            shown = f"{one.alike:.6f}"
        elif kind == "detection":
            shown, difference = f"{round(one.alike * one.boxes)} of {one.boxes}", f"{difference}, {one.pixels:.2g} px"
        else:
            shown = f"{round(one.alike * one.count)} of {one.count}"
        verdict = "agrees" if one.fine else f"differs: at most {one.tolerance:g}"
        table.append((one.format, f"{one.count} {one.pictures}", difference, shown, verdict))
    return table
