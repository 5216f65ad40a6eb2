"""Parity: an exported model beside the checkpoint that it was made of, on what the task makes of their outputs.

In: the outputs of both on the same pictures. Out: a row of a table: the largest difference, whether classes agree, how
near vectors are, and whether that is near enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spinedsl.inference.engine import Decoded
from spinedsl.record import Record

TOLERANCE = {False: 1e-4, True: 2e-2}  # of a share or a number of a unit vector, by whether it computes in 16 bits


class Parity(Record):
    """How a model agrees with the checkpoint on some pictures.

    `difference` is the largest of any number. `alike` is the share of pictures whose first class is the same, or the
    lowest cosine of two vectors. `fine` says whether that is as it should be.
    """

    format: str
    pictures: str  # which ones, in words
    count: int
    difference: float
    alike: float
    tolerance: float
    fine: bool


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


def rows(found: Sequence[Parity], kind: str) -> list[tuple[str, ...]]:
    """The table, with its heading."""
    alike = "lowest cosine" if kind == "embedding" else "same class"
    table: list[tuple[str, ...]] = [("format", "pictures", "largest difference", alike, "")]
    for one in found:
        shown = f"{one.alike:.6f}" if kind == "embedding" else f"{round(one.alike * one.count)} of {one.count}"
        verdict = "agrees" if one.fine else f"differs: at most {one.tolerance:g}"
        table.append((one.format, f"{one.count} {one.pictures}", f"{one.difference:.2g}", shown, verdict))
    return table
